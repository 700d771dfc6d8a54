use super::*;
use crate::circuit::AggregationCircuitError;
use crate::circuit::flatten_key;
use crate::{AggregateError, VerifyError, verify};
use shardfold_recursion::plonk::Grinding;

#[test]
fn one_key_verifies_batches_of_every_length() {
    let key = TREE.aggregator.verification_key();
    for count in 1..=3 {
        let proof = TREE
            .aggregator
            .aggregate_all(LEAVES[..count].to_vec())
            .unwrap();
        let end = [1, 11, 12][count - 1];
        assert_eq!(verify(key, &proof).unwrap(), statement(CHAIN, 0, end));
    }
    assert!(matches!(
        TREE.aggregator.aggregate_all(vec![]),
        Err(AggregateError::Nothing)
    ));
}

#[test]
fn a_gap_is_named() {
    let gap = [LEAVES[0].clone(), LEAVES[2].clone()];
    let Err(AggregateError::Gap(found)) = TREE.aggregator.aggregate(&gap) else {
        panic!("the gap went unnoticed");
    };
    assert_eq!(
        (found.left, found.ends, found.starts),
        (0, head(1), head(11))
    );
    let text = found.to_string();
    assert!(
        text.contains("proof 0 ends at transaction 2 with state root"),
        "{text}"
    );
    assert!(
        text.contains("proof 1 starts at transaction 22 with state root"),
        "{text}"
    );
    // Over a longer list it is found wherever it is, before anything is proven.
    let list = vec![LEAVES[0].clone(), LEAVES[1].clone(), LEAVES[1].clone()];
    let Err(AggregateError::Gap(found)) = TREE.aggregator.aggregate_all(list) else {
        panic!("the gap went unnoticed");
    };
    assert_eq!(found.left, 1);
}

#[test]
fn swapped_children_are_refused() {
    let swapped = [LEAVES[1].clone(), LEAVES[0].clone()];
    assert!(matches!(
        TREE.aggregator.aggregate(&swapped),
        Err(AggregateError::Gap(_))
    ));
}

#[test]
fn chains_do_not_mix() {
    let other = TREE.leaf(1, &statement(CHAIN + 1, 1, 11));
    let mixed = [LEAVES[0].clone(), other];
    assert!(matches!(
        TREE.aggregator.aggregate(&mixed),
        Err(AggregateError::Chain {
            position: 1,
            found: 8,
            expected: 7
        })
    ));
}

#[test]
fn more_children_than_slots_are_refused() {
    assert!(matches!(
        TREE.aggregator.aggregate(&*LEAVES),
        Err(AggregateError::Circuit(AggregationCircuitError::Children {
            found: 3,
            arity: 2
        }))
    ));
}

#[test]
fn proofs_travel_as_bytes_and_are_verified_on_arrival() {
    let bytes = LEAVES[1].to_bytes();
    let arrived = TREE.aggregator.decode(&bytes).unwrap();
    assert_eq!(arrived.statement(), LEAVES[1].statement());
    assert_eq!(arrived.origin(), Origin::Leaf(1));
    // Another origin is another key.
    for origin in [0u32, 2, u32::MAX] {
        let mut relabelled = bytes.clone();
        relabelled[..4].copy_from_slice(&origin.to_le_bytes());
        assert!(matches!(
            TREE.aggregator.decode(&relabelled),
            Err(AggregateError::Circuit(_))
        ));
    }
    for length in [0, 3, 4, bytes.len() - 1] {
        assert!(TREE.aggregator.decode(&bytes[..length]).is_err());
    }
    let mut altered = bytes;
    altered[1000] ^= 1;
    assert!(TREE.aggregator.decode(&altered).is_err());
}

#[test]
fn a_leaf_proof_is_no_validity_proof() {
    let leaf = ValidityProof::new(LEAVES[0].proof());
    let key = TREE.aggregator.verification_key();
    assert!(matches!(verify(key, &leaf), Err(VerifyError::KeySlot)));
    // Not even with the aggregation key written into its slot.
    let mut dressed = LEAVES[0].proof().clone();
    let slot = flatten_key(&key.data.verifier_only);
    dressed
        .plonky2
        .public_inputs
        .splice(STATEMENT_ELEMENTS.., slot);
    let dressed = ValidityProof::new(&dressed);
    assert!(matches!(
        verify(key, &dressed),
        Err(VerifyError::Invalid(_))
    ));
}

#[test]
fn a_statement_cannot_be_exchanged() {
    let key = TREE.aggregator.verification_key();
    let root = TREE
        .aggregator
        .aggregate(&LEAVES[..2])
        .unwrap()
        .proof()
        .clone();
    for position in 0..STATEMENT_ELEMENTS {
        let mut altered = root.clone();
        altered.plonky2.public_inputs[position] += PlonkField::ONE;
        let refused = verify(key, &ValidityProof::new(&altered));
        assert!(
            matches!(refused, Err(VerifyError::Invalid(_))),
            "public input {position}"
        );
    }
}

#[test]
fn a_root_that_states_another_key_is_refused() {
    let key = TREE.aggregator.verification_key();
    let root = TREE
        .aggregator
        .aggregate(&LEAVES[..2])
        .unwrap()
        .proof()
        .clone();
    for position in STATEMENT_ELEMENTS..root.public_inputs().len() {
        let mut altered = root.clone();
        altered.plonky2.public_inputs[position] += PlonkField::ONE;
        let refused = verify(key, &ValidityProof::new(&altered));
        assert!(
            matches!(refused, Err(VerifyError::KeySlot)),
            "public input {position}"
        );
    }
}

#[test]
fn a_fold_circuit_of_another_profile_is_refused() {
    let parameters = PlonkParameters::UNSOUND_TEST;
    let gates = gate_set(&parameters);
    let common = TREE.aggregator.verification_key().data.common.clone();
    let keys = vec![TREE.leaves[0].circuit.verifier_only.clone()];
    let circuit = AggregationCircuit::build(&common, keys, ARITY, parameters.grinding).unwrap();
    assert_eq!(gates.len(), common.gates.len());
    assert!(matches!(
        Aggregator::new(&PlonkParameters::CONJECTURED_100, circuit),
        Err(AggregateError::Profile {
            profile: "conjectured-100"
        })
    ));
}

#[test]
fn a_fold_circuit_of_another_grinding_is_refused() {
    let parameters = PlonkParameters::UNSOUND_TEST;
    let grinding = Grinding {
        fold: parameters.grinding.fold + 1,
        ..parameters.grinding
    };
    // The common data are equal: they hold the grinding before the queries only.
    let common = TREE.aggregator.verification_key().data.common.clone();
    let keys = vec![TREE.leaves[0].circuit.verifier_only.clone()];
    let circuit = AggregationCircuit::build(&common, keys, ARITY, grinding).unwrap();
    assert!(matches!(
        Aggregator::new(&parameters, circuit),
        Err(AggregateError::Profile { .. })
    ));
}
