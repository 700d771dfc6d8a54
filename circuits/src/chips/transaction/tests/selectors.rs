//! The selectors and the order of the steps of every contract: a step of minus one, one that nothing
//! follows, one that comes after nothing.

use p3_field::PrimeCharacteristicRing;
use rayon::prelude::*;
use shardfold_protocol::field::F;

use super::system::{About, System, Wanted, variable};
use super::*;
use crate::testing::{Cheat, RefusedBy, report};

/// What these cheats are called.
const NAME: &str = "transaction::tests::selectors";

fn refused(chip: ChipTrace) -> Cheat {
    Cheat {
        test: NAME,
        chips: vec![chip],
        refused_by: RefusedBy::Constraints,
    }
}

/// Whether one constraint alone is violated, on one row.
fn is_one_violated(chip: &ChipTrace) -> bool {
    report(std::slice::from_ref(chip)).violations.len() == 1
}

/// A row of minus one such step and of two others, together one step, for which the sums of all
/// rules are zero. Only that each selector is boolean stands against it.
fn minus_one(step: usize, honest: &[F], random: &mut Random) -> Option<ChipTrace> {
    let steps = contracts().steps();
    let is_first = steps[step].step.is_first;
    let others: Vec<usize> = (0..steps.len()).filter(|&other| other != step).collect();
    let ends = |first: bool| {
        let all = others.iter().copied();
        let those = all
            .filter(|&other| steps[other].next.is_empty() && steps[other].step.is_first == first);
        those.collect::<Vec<_>>()
    };
    // A first step on a last row, and another one on the first row, where nothing comes before.
    let number = if is_first { 3 } else { 0 };
    let pair = [random.pick(&ends(true)), random.pick(&ends(is_first))];
    if pair[0] == pair[1] {
        return None;
    }
    let flags = [(step, F::NEG_ONE), (pair[0], F::ONE), (pair[1], F::ONE)];
    let columns = flags.map(|(step, flag)| (layout().selector(step), flag));
    let mut chip = table::bare(number, &columns);
    let own = layout().limbs_at()..layout().width();
    chip.trace.row_mut(number)[own.clone()].copy_from_slice(&honest[own]);
    let mut may_change = vec![false; chip.trace.values.len()];
    let from = variable(number, layout().carried_at());
    may_change[from..variable(number + 1, 0)].fill(true);
    let most = steps.iter().map(|step| step.zeros.len()).max().unwrap_or(0);
    let equations = (0..most).map(|i| {
        let terms = flags.iter().filter_map(|&(step, flag)| {
            let zero = steps[step].zeros.get(i)?;
            Some((flag, number, zero.clone()))
        });
        Wanted {
            about: About::Rule(number, i),
            terms: terms.collect(),
            sum: Some(F::ZERO),
        }
    });
    let system = System {
        equations: equations.collect(),
        chip,
        may_change,
    };
    let cheat = system.solve(&[], random, 4, |_| true)?;
    is_one_violated(&cheat).then_some(cheat)
}

/// An honest row of each step that ends a transaction.
fn last_rows() -> BTreeMap<usize, Vec<F>> {
    let mut rows = BTreeMap::new();
    for chip in all_paths() {
        for number in 0..height(&chip) {
            let cells = row(&chip, number);
            if let Some(step) = number_of(&cells)
                && contracts().steps()[step].next.is_empty()
            {
                rows.insert(step, cells);
            }
        }
    }
    rows
}

/// Tables whose transactions are not whole: each with one violated constraint.
fn not_whole() -> Vec<ChipTrace> {
    let transfer = row(
        &table_of(vec![signed_transfer(to_bob(100, 2, ALICE_NONCE), 0)], 0),
        0,
    );
    let mut cheats = vec![];
    for chip in all_paths() {
        let rows: Vec<_> = (0..height(&chip))
            .map(|number| row(&chip, number))
            .collect();
        let steps = rows.iter().map_while(|cells| step_of(cells));
        let goes_on: Vec<_> = steps.map(|step| !step.next.is_empty()).collect();
        let count = goes_on.len();
        if !goes_on[..count - 1].iter().all(|goes_on| *goes_on) {
            // Several transactions.
            continue;
        }
        let log = |rows: usize| rows.next_power_of_two().ilog2() as usize;
        for cut in 1..count {
            let (start, end) = (&rows[..cut], &rows[cut..count]);
            cheats.push(assemble(start, log(cut + 1)));
            let full = 1 << log(cut);
            let before = vec![transfer.clone(); full - cut];
            cheats.push(assemble(&[&before[..], start].concat(), log(full)));
            let after = [std::slice::from_ref(&transfer), end].concat();
            cheats.push(assemble(&after, log(after.len() + 1)));
        }
    }
    cheats
}

/// What is refused here.
pub fn cheats() -> Vec<Cheat> {
    let rows: Vec<_> = last_rows().into_iter().collect();
    let cheats = rows.into_par_iter().filter_map(|(step, honest)| {
        let random = &mut Random(step as u64);
        (0..60).find_map(|_| minus_one(step, &honest, random))
    });
    let cheats: Vec<_> = cheats.collect();
    cheats.into_iter().chain(not_whole()).map(refused).collect()
}

#[test]
fn a_transaction_that_is_not_whole() {
    for cheat in not_whole() {
        let found = report(std::slice::from_ref(&cheat));
        assert!(is_one_violated(&cheat), "{found}");
    }
}

#[test]
fn minus_one_of_every_last_step() {
    for (step, honest) in last_rows() {
        let random = &mut Random(step as u64);
        let found = (0..60).find_map(|_| minus_one(step, &honest, random));
        let of = &contracts().steps()[step];
        let law = contracts().list().nth(of.contract).map(|law| law.name());
        assert!(found.is_some(), "{law:?}, {}", of.step.name);
    }
}
