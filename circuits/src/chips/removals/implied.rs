//! What is not noticed, and why it need not be.

use shardfold_contracts::readings::Bus;

use super::fixture::{self, contracts};
use super::transaction::tests::{MessageOf, branches, is_determined};
use crate::testing::Removal;

/// Removals that no test notices, each with the argument why what is left implies it.
const IMPLIED: &[(Removal, &str)] = &[];

/// The selector of a step that others must follow.
const FOLLOWED: &str = "a selector that is not zero has a follower on the next row, exactly one, \
    for those are boolean; that one requires that the selectors of all steps before which it may \
    come add up to 1, and all of them but this one are boolean";
/// A message of the state that follows from the others.
const FOLLOWS: &str = "the rules and what the transaction's other messages on the bus say leave it no \
    choice, as where a record is only read, or the last one written of those among which something \
    moves: no prover can have it say anything else, and without it the record is lost and nothing \
    balances";

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
        } => follows(*branches().get(&(number, branch))?).then_some(FOLLOWS),
        // A slot in which no step has a choice.
        Removal::Message {
            chip: "transaction",
            number,
        } => {
            let branches = branches();
            let mut of_slot = branches.range((number, 0)..(number + 1, 0)).peekable();
            of_slot.peek()?;
            of_slot.all(|(_, said)| follows(*said)).then_some(FOLLOWS)
        }
        _ => None,
    }
}

/// Whether nothing but what it says can be said in this message of the state.
fn follows(said: MessageOf) -> bool {
    let MessageOf { step, message } = said;
    let recorded = &contracts().steps()[step];
    // Of an exit a flag says what is written: from one record to the other is no small change.
    let may_leap = recorded.contract == fixture::number("exit");
    recorded.messages[message].bus == Bus::State && !may_leap && is_determined(step, message)
}
