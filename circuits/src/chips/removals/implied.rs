//! What is not noticed, and why it need not be.

use shardfold_contracts::readings::{Bus, Message};
use shardfold_contracts::recorded::RecordedStep;
use shardfold_contracts::testing::column;

use super::fixture::contracts;
use crate::testing::Removal;

/// Removals that no test notices, each with the argument why what is left implies it.
const IMPLIED: &[(Removal, &str)] = &[];

/// The selector of a step that others must follow.
const FOLLOWED: &str = "a selector that is not zero has a follower on the next row, exactly one, \
    for those are boolean; that one requires that the selectors of all steps before which it may \
    come add up to 1, and all of them but this one are boolean";
/// The message that writes back what is only read.
const READ: &str = "all of its fields but the clock are those of the message that takes the record: \
    no prover can have it say anything else, and without it the record is lost and nothing balances";

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
        // After the two limbs of time and the root come the slots of the state.
        Removal::Branch {
            chip: "transaction",
            number,
            branch,
        } => {
            let slot = number.checked_sub(3)?;
            let mut steps = contracts().steps().iter();
            let speaks = |step: &&RecordedStep| step.count(Bus::State) > slot;
            let step = steps.by_ref().filter(speaks).nth(branch)?;
            writes_what_it_read(step, slot).then_some(READ)
        }
        _ => None,
    }
}

/// Whether message `slot` on the state's bus writes what the message before it took.
fn writes_what_it_read(step: &RecordedStep, slot: usize) -> bool {
    let messages = step.messages.iter();
    let mut messages = messages.filter(|message| message.bus == Bus::State);
    let Some(before) = slot.checked_sub(1) else {
        return false;
    };
    let (Some(taken), Some(written)) = (messages.nth(before), messages.next()) else {
        return false;
    };
    let columns = |message: &Message| {
        let record = message.fields[2..].iter().map(column);
        record.collect::<Vec<_>>()
    };
    let (taken, written) = (columns(taken), columns(written));
    // The kind is a constant in both, and any other element a cell.
    taken == written && taken.iter().flatten().count() >= 7
}
