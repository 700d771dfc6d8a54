//! What is read must enter the transaction's digest.

use super::{Fault, uses, uses_column};
use crate::law::{CARRY, Carried, Step};
use crate::layout::Layout;
use crate::readings::{Constrain, Expr};

/// Whether an expression uses a column that one of the others uses.
fn meets(expression: &Expr, others: &[&Expr]) -> bool {
    let mut meets = false;
    uses(expression, &mut |column| {
        meets |= column.is_some_and(|column| others.iter().any(|other| uses_column(other, column)));
    });
    meets
}

/// What enters the transaction's digest by way of this step: what it hashes for it, and what it
/// hands on if each step that may follow has it enter (`live`).
fn entering<'a>(
    step: &Step,
    (m, carried): &'a (Constrain, Carried<Expr>),
    live: &[[bool; CARRY]],
) -> Vec<&'a Expr> {
    let digests = m.commits.iter().flat_map(|(digest, _)| digest);
    let is_live = |i: usize| !step.next.is_empty() && step.next.iter().all(|&next| live[next][i]);
    let handed_on = carried.iter().enumerate();
    let handed_on = handed_on
        .filter(|(i, _)| is_live(*i))
        .map(|(_, carried)| carried);
    let mut entering: Vec<_> = digests.chain(handed_on).collect();
    for call in m.hashes.iter().rev() {
        if call.digest.iter().all(|element| meets(element, &entering)) {
            entering.extend(&call.message);
        }
    }
    entering
}

/// What is read enters the transaction's digest, be it in a later step, and every digest is used.
pub(super) fn check_bound(
    declared: &[Step],
    recorded: &[(Constrain, Carried<Expr>)],
    layout: Layout,
) -> Result<(), Fault> {
    // Every path ends, so that what all followers pass on enters at the end.
    let mut live = vec![[true; CARRY]; declared.len()];
    loop {
        let before = live.clone();
        for (number, (step, recorded)) in declared.iter().zip(recorded).enumerate() {
            let entering = entering(step, recorded, &before);
            for (i, live) in live[number].iter_mut().enumerate() {
                let column = layout.carried_at() + i;
                *live &= entering.iter().any(|element| uses_column(element, column));
            }
        }
        if live == before {
            break;
        }
    }
    for (step, recorded) in declared.iter().zip(recorded) {
        let entering = entering(step, recorded, &live);
        let (m, _) = recorded;
        for (word, &column) in m.word_columns.iter().enumerate() {
            if !entering.iter().any(|element| uses_column(element, column)) {
                return Err(Fault::Unbound { word });
            }
        }
        let others = m.queued.iter().chain(&m.withdrawn).flatten();
        let used: Vec<_> = entering.into_iter().chain(others).collect();
        for (hash, call) in m.hashes.iter().enumerate() {
            if !call.digest.iter().all(|element| meets(element, &used)) {
                return Err(Fault::UnusedHash { hash });
            }
        }
    }
    Ok(())
}
