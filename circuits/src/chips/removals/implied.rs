//! What is not noticed, and why it need not be.

use std::collections::BTreeMap;

use p3_field::PrimeCharacteristicRing;
use shardfold_contracts::layout::prefix;
use shardfold_contracts::readings::{Bus, Expr, Message};
use shardfold_contracts::recorded::RecordedStep;
use shardfold_protocol::field::F;
use shardfold_protocol::head::STATEMENT_ELEMENTS;

use super::fixture::contracts;
use super::transaction::tests::{At, Equation, Solved, branches};
use crate::testing::Removal;

/// Removals that no test notices, each with the argument why what is left implies it.
const IMPLIED: &[(Removal, &str)] = &[];

/// The selector of a step that others must follow.
const FOLLOWED: &str = "a selector that is not zero has a follower on the next row, exactly one, \
    for those are boolean; that one requires that the selectors of all steps before which it may \
    come add up to 1, and all of them but this one are boolean";
/// A message of the state that follows from the others.
const FOLLOWS: &str = "all of its fields are sums of those of the other messages of the row on the \
    bus, as that of what is only read is: no prover can have it say anything else, and without it the \
    record is lost and nothing balances";

/// Returns why the rest implies what this takes out, if it does.
pub fn reason(removal: Removal) -> Option<&'static str> {
    let mut reasons = IMPLIED.iter();
    if let Some((_, why)) = reasons.find(|(of, _)| *of == removal) {
        return Some(why);
    }
    match removal {
        // The selectors' own constraints come first.
        Removal::Constraint {
            chip: "transaction",
            number,
        } => {
            let step = contracts().steps().get(number)?;
            (!step.next.is_empty()).then_some(FOLLOWED)
        }
        Removal::Branch {
            chip: "transaction",
            number,
            branch,
        } => {
            let said = branches().get(&(number, branch)).copied()?;
            let step = &contracts().steps()[said.step];
            follows(step, said.message).then_some(FOLLOWS)
        }
        _ => None,
    }
}

/// Whether a message on the state's bus says nothing but sums of what the step's others there say.
fn follows(step: &RecordedStep, message: usize) -> bool {
    let of_state = |message: &Message| message.bus == Bus::State;
    let this = &step.messages[message];
    if !of_state(this) {
        return false;
    }
    let width = contracts().layout().width();
    let (nowhere, no_values) = (F::zero_vec(width), F::zero_vec(STATEMENT_ELEMENTS));
    let at = At {
        cells: &nowhere,
        public_values: &no_values,
        variable: &Some,
    };
    // What is constant does not matter, and the clock is the row's.
    let equation = |terms| Equation {
        terms,
        sum: F::ZERO,
    };
    let slope = |field: &Expr| equation(at.slope(field).terms);
    let order = |column: usize| column as u64;
    let mut known = Solved::default();
    known.add(equation(BTreeMap::from([(prefix::CLOCK, F::ONE)])), &order);
    for (i, other) in step.messages.iter().enumerate() {
        if i != message && of_state(other) {
            for field in &other.fields {
                known.add(slope(field), &order);
            }
        }
    }
    let mut fields = this.fields.iter();
    fields.all(|field| known.reduce(slope(field)).terms.is_empty())
}
