//! What a test says of traces: they are accepted, or this refuses them. Checker and real
//! verifier must agree. Under [`super::cheats_of`] the refused ones are only taken down.

use std::ops::Range;

use p3_batch_stark::{BatchVerificationError, PcsError, VerificationError};
use p3_lookup::LookupError;

use super::airs::{Counterparty, prove_and_verify};
use super::cheat::{RefusedBy, is_gathered, is_served, nets};
use super::{ChipTrace, report};
use shardfold_recursion::config::Config;

type Verified = Result<(), BatchVerificationError<PcsError<Config>>>;

/// All chips hold and the verifier accepts, given counterparties for what they leave over.
///
/// # Panics
///
/// If the checker or the verifier refuses.
pub fn accepts(chips: &[ChipTrace]) {
    let report = report(chips);
    assert!(report.violations.is_empty(), "{report}");
    let counterparties = Counterparty::for_leftovers(&report.leftovers);
    let result = prove_and_verify(chips, &counterparties, None);
    assert!(result.is_ok(), "{result:?}");
}

/// A constraint of one of the chips refuses, with all buses balanced by counterparties.
///
/// # Panics
///
/// If the checker finds no violated constraint or the verifier accepts.
pub fn constraints_refuse(chips: &[ChipTrace]) {
    if is_gathered(chips, || RefusedBy::Constraints) {
        return;
    }
    let report = report(chips);
    assert!(
        !report.violations.is_empty(),
        "all constraints hold\n{report}"
    );
    let counterparties = Counterparty::for_leftovers(&report.leftovers);
    let result = prove_and_verify(chips, &counterparties, None);
    let refused = matches!(
        result,
        Err(BatchVerificationError::Verification(
            VerificationError::OodEvaluationMismatch { .. }
        ))
    );
    assert!(refused, "{result:?}\n{report}");
}

/// As [`constraints_refuse`], but only the checker is asked: for rows with more than one selector,
/// at which the prover stops.
///
/// # Panics
///
/// If the checker finds no violated constraint.
pub fn checker_refuses(chips: &[ChipTrace]) {
    if is_gathered(chips, || RefusedBy::Constraints) {
        return;
    }
    let report = report(chips);
    assert!(
        !report.violations.is_empty(),
        "all constraints hold\n{report}"
    );
}

/// The constraints refuse, and of them one alone (on whichever rows): without it the cheat
/// would pass.
///
/// # Panics
///
/// If none or more than one is violated, or the verifier accepts.
pub fn one_constraint_refuses(chips: &[ChipTrace]) {
    let found = report(chips);
    let mut violated: Vec<_> = found.violations.iter().collect();
    violated.sort_by_key(|violation| (&violation.table, violation.constraint));
    violated.dedup_by_key(|violation| (&violation.table, violation.constraint));
    assert_eq!(violated.len(), 1, "{found}");
    constraints_refuse(chips);
}

/// The constraints of one chip numbered `constraints` (its order of `eval`, from 0) refuse,
/// and no other constraint does: the mutation shows that just these are needed.
///
/// # Panics
///
/// If another constraint is violated too, or none, or the verifier accepts.
pub fn only_these_refuse(chips: &[ChipTrace], chip: &str, constraints: Range<usize>) {
    let report = report(chips);
    let mut violations = report.violations.iter();
    let only = violations.all(|v| v.table == chip && constraints.contains(&v.constraint));
    assert!(only, "others than {constraints:?}\n{report}");
    constraints_refuse(chips);
}

/// Every constraint of the mutated chips holds and every other bus balances, yet the verifier
/// refuses: on `bus` the others still say what they would say to the honest chips.
///
/// # Panics
///
/// If a constraint is violated, the bus balances, or the verifier accepts.
pub fn bus_refuses(bus: &'static str, honest: &[ChipTrace], mutated: &[ChipTrace]) {
    let refused_by = || RefusedBy::OtherEnd {
        bus,
        honest: honest.to_vec(),
    };
    if is_gathered(mutated, refused_by) {
        return;
    }
    let (honest, report) = (report(honest), report(mutated));
    assert!(honest.violations.is_empty(), "honest: {honest}");
    assert!(report.violations.is_empty(), "{report}");
    assert_ne!(
        nets(&honest, bus),
        nets(&report, bus),
        "the bus balances\n{report}"
    );

    let others = report.leftovers.iter().filter(|left| left.bus != bus);
    let answered = honest.leftovers.iter().filter(|left| left.bus == bus);
    let leftovers: Vec<_> = others.chain(answered).cloned().collect();
    let result = prove_and_verify(mutated, &Counterparty::for_leftovers(&leftovers), None);
    assert!(is_unbalanced(&result), "{result:?}\n{report}");
}

/// All constraints hold and every other bus balances, yet the verifier refuses: the chips ask
/// for what the table of `bus` (`range`, `hash`, `muldiv` or `fixed_table`) does not have, however
/// often it gives out each of its entries.
///
/// # Panics
///
/// If a constraint is violated, the table can serve the chips, or the verifier accepts.
pub fn table_refuses(bus: &'static str, chips: &[ChipTrace]) {
    if is_gathered(chips, || RefusedBy::Table(bus)) {
        return;
    }
    let report = report(chips);
    assert!(report.violations.is_empty(), "{report}");
    let leftovers = report.leftovers.iter().cloned();
    let (kept, refused): (Vec<_>, Vec<_>) =
        leftovers.partition(|left| left.bus != bus || is_served(bus, &left.fields, None));
    assert!(!refused.is_empty(), "the table has it all\n{report}");
    let result = prove_and_verify(chips, &Counterparty::for_leftovers(&kept), None);
    assert!(is_unbalanced(&result), "{result:?}\n{report}");
}

fn is_unbalanced(result: &Verified) -> bool {
    matches!(
        result,
        Err(BatchVerificationError::Lookup(
            LookupError::TerminalSumNonZero
        ))
    )
}
