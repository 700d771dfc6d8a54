//! Every cell of honest rows, changed: refused, but for the cells that say nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use p3_field::PrimeCharacteristicRing;
use rayon::prelude::*;
use shardfold_contracts::Contracts;
use shardfold_contracts::set::standard;
use shardfold_protocol::field::F;

use super::*;
use crate::check::Report;
use crate::testing::{RefusedBy, is_served, report};

/// One of every path through every contract of a list, each alone with a row of padding at least.
pub fn paths(contracts: &'static Contracts) -> Vec<ChipTrace> {
    let of = |plays: Vec<Play>, log_height| {
        Shard::by(contracts, plays, log_height)
            .expect("the fixture can be generated")
            .transaction
    };
    let mut all = vec![
        of(vec![signed_transfer(to_bob(100, 2, ALICE_NONCE), 0)], 1),
        of(vec![deposited(deposit(BOB, 250, 3, DEPOSITS_BEFORE))], 1),
        of(vec![signed_withdraw(withdraw(70, 2, ALICE_NONCE), 0)], 1),
        of(vec![exit(BOB, 1, DEPOSITS_BEFORE)], 1),
        of(vec![exit(ALICE, 1, DEPOSITS_BEFORE)], 1),
        of(vec![exit(VACANT, 1, DEPOSITS_BEFORE)], 1),
        of(vec![exit(SHARES, 1, DEPOSITS_BEFORE)], 1),
        of(mixed()[..3].to_vec(), 2),
    ];
    let others = [defi::paths(), lending::paths()].concat();
    all.extend(others.into_iter().map(|play| {
        let plan = contracts.plan(play.contract, &play.words);
        let rows = plan.expect("it is a path").path.len();
        of(vec![play], (rows + 1).next_power_of_two().ilog2() as usize)
    }));
    if contracts.list().any(|law| law.name() == "kitchen") {
        let not_owed = Cook {
            numbers: [3, 70_000],
            factor: 5,
            is_owed: false,
            fee: 0,
            nonce: ALICE_NONCE,
        };
        all.extend([
            of(vec![relay(&[(BOB, 1, 100)], 2, ALICE_NONCE)], 2),
            of(vec![long_relay(ALICE_NONCE)], 3),
            of(vec![cooked(ALICE_NONCE)], 1),
            of(vec![cook(not_owed)], 1),
            of(vec![order(BOB, 12_345, DEPOSITS_BEFORE)], 2),
            of(
                vec![by_tables(number("table_transfer"), 30, ALICE_NONCE)],
                1,
            ),
            of(vec![by_tables(number("toy_swap"), 40_000, ALICE_NONCE)], 1),
        ]);
    }
    all
}

/// The columns of a row that say nothing.
fn free_columns(contracts: &Contracts, cells: &[F]) -> BTreeSet<usize> {
    let layout = contracts.layout();
    let steps = contracts.steps().iter().enumerate();
    let mut steps = steps.filter(|(number, _)| cells[layout.selector(*number)] == F::ONE);
    let carried = layout.carried_at()..layout.limbs_at();
    let regions = |(limbs, shorts, free): (usize, usize, usize)| -> [Range<usize>; 3] {
        [
            layout.limbs_at() + limbs..layout.shorts_at(),
            layout.shorts_at() + shorts..layout.free_at(),
            layout.free_at() + free..layout.width(),
        ]
    };
    let (used, is_handed) = match steps.next() {
        Some((_, step)) => (step.used, !step.step.is_first),
        None => ((0, 0, 0), false),
    };
    let mut free: BTreeSet<usize> = regions(used).into_iter().flatten().collect();
    if !is_handed {
        free.extend(carried);
    }
    free
}

/// What an honest table says to the others.
struct Honest {
    chip: ChipTrace,
    /// On the buses with another end.
    nets: BTreeMap<String, Vec<(Vec<F>, F)>>,
}

/// Buses whose entries are known, whatever the prover does.
const TABLES: [&str; 3] = ["range", "hash", "muldiv"];

fn is_table(bus: &str) -> bool {
    TABLES.contains(&bus)
}

fn said(report: &Report) -> BTreeMap<String, Vec<(Vec<F>, F)>> {
    let mut nets: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for left in report.leftovers.iter().filter(|left| !is_table(&left.bus)) {
        let net = (left.fields.clone(), left.net);
        nets.entry(left.bus.clone()).or_default().push(net);
    }
    nets
}

impl Honest {
    fn new(chip: ChipTrace) -> Self {
        let report = report(std::slice::from_ref(&chip));
        assert!(report.violations.is_empty(), "{report}");
        let nets = said(&report);
        Self { chip, nets }
    }

    /// Whether constraints or a bus refuse, when all others say what they say to the honest table.
    fn refuses(&self, chip: &ChipTrace) -> bool {
        let report = report(std::slice::from_ref(chip));
        let mut asked = report.leftovers.iter().filter(|left| is_table(&left.bus));
        !report.violations.is_empty()
            || said(&report) != self.nets
            || asked.any(|left| !is_served(&left.bus, &left.fields, None))
    }

    /// What refuses, as cheats.
    fn cheats(&self, chip: ChipTrace) -> Vec<Cheat> {
        let report = report(std::slice::from_ref(&chip));
        let cheat = |refused_by| Cheat {
            test: "transaction::tests::tamper",
            chips: vec![chip.clone()],
            refused_by,
        };
        if !report.violations.is_empty() {
            return vec![cheat(RefusedBy::Constraints)];
        }
        let mut cheats = vec![];
        for bus in TABLES {
            let mut asked = report.leftovers.iter().filter(|left| left.bus == bus);
            if asked.any(|left| !is_served(bus, &left.fields, None)) {
                cheats.push(cheat(RefusedBy::Table(bus)));
            }
        }
        let nets = said(&report);
        for bus in ["state", "vault", "signature", "fee", "node"] {
            if nets.get(bus) != self.nets.get(bus) {
                let honest = vec![self.chip.clone()];
                cheats.push(cheat(RefusedBy::OtherEnd { bus, honest }));
            }
        }
        cheats
    }
}

/// Other values for a cell: one more, one less, nothing, anything, its negative, another row's.
fn others(chip: &ChipTrace, number: usize, column: usize) -> BTreeSet<F> {
    let found = row(chip, number)[column];
    let seed = (number * 1_000_003 + column) as u64;
    let random = F::from_u64(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 1);
    let elsewhere = row(chip, (number + 1) % height(chip))[column];
    let all = [
        found + F::ONE,
        found - F::ONE,
        F::ZERO,
        random,
        -found,
        elsewhere,
    ];
    all.into_iter().filter(|&other| other != found).collect()
}

/// Cells tried, refused and free.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    tried: usize,
    refused: usize,
    free: usize,
}

fn tamper(contracts: &'static Contracts, honest: &Honest) -> Count {
    let chip = &honest.chip;
    let cells =
        (0..height(chip)).flat_map(|number| (0..chip.trace.width).map(move |c| (number, c)));
    let cells: Vec<_> = cells.collect();
    let free: Vec<_> = (0..height(chip))
        .map(|number| free_columns(contracts, &row(chip, number)))
        .collect();
    let outcomes = cells.into_par_iter().map(|(number, column)| {
        if free[number].contains(&column) {
            let other = add(chip, number, column, F::ONE);
            assert!(
                !honest.refuses(&other),
                "row {number} column {column} is not free"
            );
            return false;
        }
        for value in others(chip, number, column) {
            let other = chip.with_cell(number, column, value);
            let is_refused = honest.refuses(&other);
            assert!(is_refused, "row {number} column {column} as {value}");
        }
        true
    });
    let outcomes: Vec<bool> = outcomes.collect();
    let refused = outcomes.iter().filter(|refused| **refused).count();
    Count {
        tried: outcomes.len(),
        refused,
        free: outcomes.len() - refused,
    }
}

#[test]
fn every_cell_of_every_contract_is_refused_or_says_nothing() {
    for contracts in [standard(), contracts()] {
        let mut sum = Count::default();
        for chip in paths(contracts) {
            let count = tamper(contracts, &Honest::new(chip));
            sum.tried += count.tried;
            sum.refused += count.refused;
            sum.free += count.free;
        }
        println!("{contracts:?}: {sum:?}");
        assert!(sum.refused > 0 && sum.free > 0);
    }
}

/// Every cell of every step, one more and one less.
pub fn cheats() -> Vec<Cheat> {
    let honest: Vec<_> = paths(contracts()).into_iter().map(Honest::new).collect();
    let cheats = honest.par_iter().flat_map_iter(|honest| {
        let chip = &honest.chip;
        let rows = (0..height(chip)).filter(|&number| step_of(&row(chip, number)).is_some());
        let cells = rows.flat_map(|number| {
            let free = free_columns(contracts(), &row(chip, number));
            let columns = (0..chip.trace.width).filter(move |column| !free.contains(column));
            columns.map(move |column| (number, column))
        });
        let changed = cells.flat_map(|(number, column)| {
            [F::ONE, F::NEG_ONE].map(|change| add(chip, number, column, change))
        });
        changed
            .flat_map(|chip| honest.cheats(chip))
            .collect::<Vec<_>>()
    });
    cheats.collect()
}
