//! Tests of whole shards: executed, proven, verified natively and in plonky2.

use std::sync::LazyLock;

use p3_field::PrimeCharacteristicRing;
use shardfold_contracts::set::standard;
use shardfold_executor::workload::{Pattern, Plan, Random};
use shardfold_executor::{sequential, shards};
use shardfold_protocol::field::MODULUS;
use shardfold_protocol::head::Statement;
use shardfold_protocol::shape::Shape;
use shardfold_protocol::witness::ShardWitness;

use super::{CircuitSet, ShardCircuit, ShardStark, StarkError, Traces, shard_traces};
use shardfold_circuits::check::{Report, Table, check};
use shardfold_protocol::field::F;
use shardfold_recursion::config::{StarkParameters, StarkProof};
use shardfold_recursion::convert::statement_from_plonk;
use shardfold_recursion::profile::Profile;
use shardfold_recursion::security::stark_bits;
use shardfold_recursion::stark::RecursionError;

mod quarters;
mod tables;

static STARK: LazyLock<ShardStark> = LazyLock::new(|| {
    ShardStark::new(
        standard(),
        Shape::TINY,
        Profile::UnsoundTest.stark(&Shape::TINY),
    )
    .unwrap()
});

/// The shards of a random batch with every kind of transaction.
pub(crate) fn witnesses(seed: u64, transactions: usize) -> Vec<ShardWitness> {
    let plan = Plan {
        seed,
        pattern: Pattern::Mixed,
        vaults: 8,
        transactions,
        keys: 3,
    };
    let workload = plan.build();
    let outcome = sequential::execute(standard(), &workload.state, &workload.batch).unwrap();
    let mut state = workload.state;
    shards::cut(
        standard(),
        &mut state,
        &workload.batch,
        &outcome,
        &[Shape::TINY],
    )
    .unwrap()
}

fn assert_holds(traces: &Traces) {
    let report = report(traces);
    assert!(report.is_clean(), "{report}");
}

/// What is wrong with traces of the standard list's chips.
pub(crate) fn report(traces: &Traces) -> Report {
    let tables: Vec<_> = STARK
        .stark()
        .chips()
        .iter()
        .zip(&traces.traces)
        .zip(&traces.public_values)
        .map(|((air, trace), public_values)| Table {
            name: air.name(),
            air,
            trace,
            public_values,
        })
        .collect();
    check(&tables)
}

fn prove(witness: &ShardWitness) -> StarkProof {
    STARK
        .prove(shard_traces(standard(), witness).unwrap())
        .unwrap()
}

#[test]
fn every_profile_keeps_its_promise_at_every_shape() {
    for profile in Profile::ALL {
        for shape in profile.shapes() {
            let stark = ShardStark::new(standard(), *shape, profile.stark(shape)).unwrap();
            let bits = stark_bits(stark.stark().parameters(), &stark.stark().size());
            assert!(profile.is_kept_by(&bits), "{profile:?} {shape:?} {bits:?}");
        }
    }
}

/// plonky2 takes a few hundred rows on top, for constants and public inputs.
#[test]
fn every_shard_circuit_fits_the_rows_of_its_profile() {
    for profile in Profile::ALL {
        for shape in profile.shapes() {
            let stark = ShardStark::new(standard(), *shape, profile.stark(shape)).unwrap();
            let (rows, cost) = ShardCircuit::cost(&stark, &profile.plonk()).unwrap();
            let name = profile.name();
            println!(
                "{name}, {} transactions: {rows} rows, {cost:?}",
                shape.transactions()
            );
            let capacity = 1 << profile.degree_bits();
            assert!(
                rows + 512 <= capacity,
                "{name} {shape:?}: {rows} of {capacity}"
            );
        }
    }
}

#[test]
fn a_shape_beyond_all_bounds_is_refused() {
    let shape = Shape {
        log_transactions: 17,
        ..Shape::LARGE
    };
    let stark = ShardStark::new(standard(), shape, Profile::UnsoundTest.stark(&shape));
    assert!(matches!(stark, Err(StarkError::Shape { found }) if found == shape));
}

/// Plonky3's verifier takes any row of a matrix that is lower than the cap, so it is never asked.
#[test]
fn caps_higher_than_a_table_or_a_round_are_refused() {
    let with_cap = |log_cap| {
        let parameters = StarkParameters {
            log_cap,
            ..Profile::UnsoundTest.stark(&Shape::TINY)
        };
        let stark = ShardStark::new(standard(), Shape::TINY, parameters);
        stark.map(|stark| stark.stark().parameters().log_cap)
    };
    // The lowest tables have 2^3 rows with the blow-up, the last round has 2^2.
    assert_eq!(with_cap(2).unwrap(), 2);
    assert!(matches!(
        with_cap(3),
        Err(StarkError::Unsupported(RecursionError::RoundBelowCap {
            found: 2,
            least: 3,
            ..
        }))
    ));
    assert!(matches!(
        with_cap(4),
        Err(StarkError::Unsupported(RecursionError::TableBelowCap {
            found: 3,
            least: 4,
            ..
        }))
    ));
}

#[test]
fn all_constraints_hold_and_all_buses_balance() {
    for witness in witnesses(1, 24) {
        assert_holds(&shard_traces(standard(), &witness).unwrap());
    }
}

#[test]
fn executed_shards_are_proven() {
    for witness in witnesses(2, 8) {
        let proof = prove(&witness);
        STARK.verify(&proof, &witness.statement).unwrap();
    }
}

#[test]
fn widths_are_those_that_a_proof_opens() {
    let proof = prove(&witnesses(2, 4)[0]);
    let opened = &proof.opened_values.instances;
    assert_eq!(opened.len(), STARK.stark().widths().len());
    for (width, opened) in STARK.stark().widths().iter().zip(opened) {
        let base = &opened.base_opened_values;
        assert_eq!(base.trace_local.len(), width.main);
        assert_eq!(opened.permutation_local.len(), width.permutation);
        let quotient: usize = base.quotient_chunks.iter().map(Vec::len).sum();
        assert_eq!(quotient, width.quotient);
    }
}

#[test]
fn a_proof_states_nothing_else() {
    let witness = &witnesses(3, 4)[0];
    let proof = prove(witness);
    let refuse = |change: &dyn Fn(&mut Statement)| {
        let mut statement = witness.statement;
        change(&mut statement);
        assert!(STARK.verify(&proof, &statement).is_err());
    };
    refuse(&|s| s.chain_id += 1);
    refuse(&|s| s.before.state_root[0] += F::ONE);
    refuse(&|s| s.before.tx_count += 1);
    refuse(&|s| s.before.time += 1);
    refuse(&|s| s.before.queue_count += 1);
    refuse(&|s| s.before.withdrawal_count += 1);
    refuse(&|s| s.before.data_commitment[2] += F::ONE);
    refuse(&|s| s.after.state_root[3] += F::ONE);
    refuse(&|s| s.after.tx_count += 1);
    refuse(&|s| s.after.time += 1);
    refuse(&|s| s.after.queue_count += 1);
    refuse(&|s| s.after.withdrawal_count += 1);
    refuse(&|s| s.after.data_commitment[2] += F::ONE);
    refuse(&|s| s.after.tx_commitment[1] += F::ONE);
    refuse(&|s| s.after.queue_commitment[1] += F::ONE);
    refuse(&|s| s.after.withdrawal_commitment[1] += F::ONE);
}

/// x and x + p are one field element: a proof of one statement would be one of both.
#[test]
fn a_statement_that_is_not_canonical_is_refused() {
    let witness = &witnesses(3, 4)[0];
    let proof = prove(witness);
    STARK.verify(&proof, &witness.statement).unwrap();
    let refuse = |change: &dyn Fn(&mut Statement)| {
        let mut alias = witness.statement;
        change(&mut alias);
        assert_eq!(alias.elements(), witness.statement.elements());
        let refused = STARK.verify(&proof, &alias);
        assert!(matches!(refused, Err(StarkError::Statement(_))));
    };
    refuse(&|s| s.chain_id += MODULUS);
    refuse(&|s| s.before.tx_count += MODULUS);
    refuse(&|s| s.before.queue_count += MODULUS);
    refuse(&|s| s.after.tx_count += MODULUS);
    refuse(&|s| s.after.time += MODULUS);
    refuse(&|s| s.after.queue_count += MODULUS);
    refuse(&|s| s.after.withdrawal_count += MODULUS);
}

#[test]
fn a_witness_for_another_end_is_not_provable() {
    let mut witness = witnesses(4, 4).swap_remove(0);
    witness.statement.after.state_root[0] += F::ONE;
    let proof = prove(&witness);
    assert!(STARK.verify(&proof, &witness.statement).is_err());
}

#[test]
fn the_circuit_accepts_what_the_native_verifier_accepts() {
    let cache = tempfile::tempdir().unwrap();
    let circuits = CircuitSet::new(standard(), Profile::UnsoundTest, cache.path());
    let circuit = circuits.shard(&Shape::TINY).unwrap();
    let witness = &witnesses(5, 4)[0];
    let stark = prove(witness);
    let proof = circuit.prove(&STARK, &stark, &witness.statement).unwrap();
    circuit.verify(&proof).unwrap();
    let stated = statement_from_plonk(proof.public_inputs()).unwrap();
    assert_eq!(stated, witness.statement);

    let mut other = witness.statement;
    other.after.tx_count += 1;
    assert!(circuit.prove(&STARK, &stark, &other).is_err());

    // The circuit that comes back from disk is the same.
    let again = CircuitSet::new(standard(), Profile::UnsoundTest, cache.path());
    assert_eq!(again.shard(&Shape::TINY).unwrap(), circuit);
}

#[test]
fn native_verifier_and_circuit_agree_on_altered_shard_proofs() {
    let cache = tempfile::tempdir().unwrap();
    let circuits = CircuitSet::new(standard(), Profile::UnsoundTest, cache.path());
    let circuit = circuits.shard(&Shape::TINY).unwrap();
    let witness = &witnesses(6, 4)[0];
    let statement = &witness.statement;
    let honest = bincode::serialize(&prove(witness)).unwrap();
    let accepted_by_circuit = |proof: &StarkProof| {
        let proven = circuit.prove(&STARK, proof, statement);
        proven.is_ok_and(|proof| circuit.verify(&proof).is_ok())
    };

    let mut decoded = 0;
    let mut random = Random::new(6);
    for _ in 0..60 {
        let mut bytes = honest.clone();
        let bit = random.below(8 * bytes.len() as u64) as usize;
        bytes[bit / 8] ^= 1 << (bit % 8);
        let Ok(proof) = bincode::deserialize::<StarkProof>(&bytes) else {
            continue;
        };
        decoded += 1;
        let native = STARK.verify(&proof, statement).is_ok();
        assert_eq!(native, accepted_by_circuit(&proof), "bit {bit}");
        assert!(!native, "bit {bit}");
    }
    assert!(
        decoded > 30,
        "only {decoded} altered proofs could be decoded"
    );
    let proof = bincode::deserialize(&honest).unwrap();
    assert!(accepted_by_circuit(&proof));
}
