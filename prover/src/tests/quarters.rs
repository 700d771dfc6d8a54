//! Shards of a shape whose ladders have two tables each.

use std::sync::LazyLock;

use p3_field::PrimeCharacteristicRing;
use shardfold_circuits::chips::variable_table::Product;
use shardfold_circuits::chips::{Chip, fixed_base, variable_base, variable_table};
use shardfold_contracts::set::standard;
use shardfold_executor::workload::{Pattern, Plan};
use shardfold_executor::{sequential, shards};
use shardfold_protocol::curve::Scalar;
use shardfold_protocol::field::F;
use shardfold_protocol::shape::Shape;
use shardfold_protocol::signature::Account;
use shardfold_protocol::witness::ShardWitness;
use shardfold_recursion::profile::Profile;

use super::tables::report;
use crate::{CircuitSet, ShardCircuit, ShardStark, Traces, shard_traces};

/// Three signatures.
const SHAPE: Shape = Shape {
    three_quarters: true,
    ..Shape::TINY
};

static STARK: LazyLock<ShardStark> = LazyLock::new(|| {
    let parameters = Profile::UnsoundTest.stark(&SHAPE);
    ShardStark::new(standard(), SHAPE, parameters).unwrap()
});

fn witnesses(seed: u64, pattern: Pattern) -> Vec<ShardWitness> {
    let plan = Plan {
        seed,
        pattern,
        vaults: 8,
        transactions: 12,
        keys: 3,
    };
    let workload = plan.build();
    let outcome = sequential::execute(standard(), &workload.state, &workload.batch).unwrap();
    let mut state = workload.state;
    shards::cut(standard(), &mut state, &workload.batch, &outcome, &[SHAPE]).unwrap()
}

/// A witness whose shard has as many signatures as there are ladders.
fn full() -> ShardWitness {
    let mut all = witnesses(3, Pattern::Independent).into_iter();
    let is_full = |witness: &ShardWitness| witness.transactions.len() == SHAPE.transactions();
    all.find(is_full).unwrap()
}

/// The numbers of the tables of a chip.
fn tables_of(name: &str) -> Vec<usize> {
    let chips = STARK.stark().chips().iter().enumerate();
    let of_chip = chips.filter(|(_, chip)| chip.name() == name);
    of_chip.map(|(number, _)| number).collect()
}

#[test]
fn half_and_a_quarter_stand_one_after_the_other() {
    let heights = STARK.stark().log_heights();
    for (name, whole) in [("variable_base", 7), ("fixed_base", 7)] {
        let tables = tables_of(name);
        let [first, second] = tables[..] else {
            panic!("{name} has {} tables", tables.len());
        };
        assert_eq!(second, first + 1);
        assert_eq!((heights[first], heights[second]), (whole - 1, whole - 2));
    }
    let firsts = STARK.stark().chips().iter().filter_map(|chip| match chip {
        Chip::VariableBase(chip) => Some(chip.first),
        _ => None,
    });
    assert_eq!(firsts.collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn all_constraints_hold_and_all_buses_balance() {
    for pattern in [Pattern::Mixed, Pattern::Independent] {
        for witness in witnesses(2, pattern) {
            assert!(witness.transactions.len() <= 3);
            let report = report(&STARK, &shard_traces(standard(), &witness).unwrap());
            assert!(report.is_clean(), "{report}");
        }
    }
}

/// Traces in which the second table's ladder is another one, which is right in itself.
fn with_another_ladder(witness: &ShardWitness) -> [(&'static str, Traces); 2] {
    let honest = shard_traces(standard(), witness).unwrap();
    let key = Account::from_index(9, 0).public_key();
    let product = Product {
        base: key.0,
        challenge: 5,
    };
    let (_, multiples) = variable_table::generate(&[product], 1).unwrap();
    let (variable, _) = variable_base::generate(&[product], &multiples, 2).unwrap();
    let (fixed, _) = fixed_base::generate(&[Scalar::ONE]).unwrap();
    [("variable_base", variable), ("fixed_base", fixed)].map(|(name, trace)| {
        let mut traces = honest.clone();
        traces.traces[tables_of(name)[1]] = trace;
        (name, traces)
    })
}

#[test]
fn the_last_signature_needs_the_second_table() {
    for (name, traces) in with_another_ladder(&full()) {
        let report = report(&STARK, &traces);
        assert!(report.violations.is_empty(), "{report}");
        assert!(report.leftovers.iter().any(|left| left.bus == name));
    }
}

#[test]
fn they_are_proven_natively_and_in_the_circuit() {
    let profile = Profile::UnsoundTest;
    let witness = full();
    assert_eq!(signature_count(&witness), 3);
    let traces = shard_traces(standard(), &witness).unwrap();
    let proof = STARK.prove(traces).unwrap();
    STARK.verify(&proof, &witness.statement).unwrap();
    let cache = tempfile::tempdir().unwrap();
    let circuits = CircuitSet::new(standard(), profile, cache.path());
    let common = circuits.common().unwrap();
    let circuit = ShardCircuit::build(&STARK, &profile.plonk(), common).unwrap();
    let proven = circuit.prove(&STARK, &proof, &witness.statement).unwrap();
    circuit.verify(&proven).unwrap();

    // What the second table's constraints or its buses refuse, both refuse.
    let mut cheats = with_another_ladder(&witness)
        .map(|(_, traces)| traces)
        .to_vec();
    for name in ["variable_base", "fixed_base"] {
        let mut traces = shard_traces(standard(), &witness).unwrap();
        traces.traces[tables_of(name)[1]].values[10] += F::ONE;
        cheats.push(traces);
    }
    for traces in cheats {
        let proof = STARK.prove(traces).unwrap();
        assert!(STARK.verify(&proof, &witness.statement).is_err());
        assert!(circuit.prove(&STARK, &proof, &witness.statement).is_err());
    }
}

fn signature_count(witness: &ShardWitness) -> usize {
    let transactions = witness.transactions.iter();
    transactions
        .filter(|signed| signed.authorization.is_some())
        .count()
}
