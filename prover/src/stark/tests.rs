//! The proofs are those of `p3_batch_stark`'s own prover, byte for byte.

use p3_batch_stark::{StarkInstance, prove_batch};
use p3_field::PrimeCharacteristicRing as _;
use shardfold_contracts::set::standard;
use shardfold_protocol::field::F;
use shardfold_protocol::shape::Shape;
use shardfold_protocol::witness::ShardWitness;
use shardfold_recursion::config::{Config, StarkParameters, StarkProof};
use shardfold_recursion::profile::Profile;

use super::ShardStark;
use crate::tests::{report, witnesses};
use crate::traces::{Traces, shard_traces};

/// Without grinding, whose nonces depend on which thread finds one first.
fn stark(change: impl FnOnce(&mut StarkParameters)) -> ShardStark {
    let mut parameters = Profile::UnsoundTest.stark(&Shape::TINY);
    parameters.query_grinding = 0;
    change(&mut parameters);
    ShardStark::new(standard(), Shape::TINY, parameters).unwrap()
}

fn by_plonky3(stark: &ShardStark, traces: &Traces) -> StarkProof {
    let stark = stark.stark();
    let instances: Vec<_> = stark
        .chips
        .iter()
        .zip(&traces.traces)
        .zip(&traces.public_values)
        .map(
            |((air, trace), public_values)| StarkInstance::<'_, Config, _> {
                air,
                trace,
                public_values: public_values.clone(),
            },
        )
        .collect();
    prove_batch(&stark.config, &instances, &stark.data).unwrap()
}

fn assert_same(stark: &ShardStark, witness: &ShardWitness) {
    let traces = shard_traces(standard(), witness).unwrap();
    let expected = by_plonky3(stark, &traces);
    let proof = stark.prove(traces).unwrap();
    stark.verify(&proof, &witness.statement).unwrap();
    let bytes = |proof| bincode::serialize(proof).unwrap();
    assert_eq!(bytes(&proof), bytes(&expected));
}

#[test]
fn a_proof_is_that_of_plonky3_byte_for_byte() {
    let stark = stark(|_| {});
    for witness in witnesses(11, 12) {
        assert_same(&stark, &witness);
    }
}

#[test]
fn a_proof_with_more_blow_up_is_that_of_plonky3() {
    let stark = stark(|parameters| parameters.log_blowup = 3);
    assert_same(&stark, &witnesses(12, 4)[0]);
}

/// One thread finds the same nonces.
#[test]
fn a_proof_with_grinding_is_that_of_plonky3() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let stark = stark(|parameters| {
        parameters.query_grinding = 3;
        parameters.fold_grinding = 2;
        parameters.batch_grinding = 4;
        parameters.point_grinding = 5;
        parameters.lookup_grinding = 6;
    });
    let witness = &witnesses(13, 4)[0];
    pool.unwrap().install(|| assert_same(&stark, witness));
}

/// A cell of every table is changed, one at a time: flags that are no bits and fractions without
/// a denominator come of it. Some cells are free: their row has no use for them.
#[test]
fn a_broken_trace_gives_a_proof_that_does_not_verify() {
    let stark = stark(|_| {});
    let witness = &witnesses(14, 4)[0];
    let traces = shard_traces(standard(), witness).unwrap();
    let mut refused = 0;
    for (table, chip) in stark.stark().chips.iter().enumerate() {
        let width = traces.traces[table].width;
        for column in [0, width / 2, width - 1] {
            let mut changed = traces.clone();
            changed.traces[table].values[column] += F::TWO;
            let holds = report(&changed).is_clean();
            let proof = stark.prove(changed).unwrap();
            let verified = stark.verify(&proof, &witness.statement).is_ok();
            assert_eq!(verified, holds, "{} {column}", chip.name());
            refused += usize::from(!verified);
        }
    }
    assert!(
        refused > 2 * stark.stark().chips.len(),
        "only {refused} refused"
    );
}
