use super::*;
use crate::circuit::AggregationCircuitError;
use crate::wire::decode_proof;
use crate::{VerifyError, verify};

#[test]
fn one_key_verifies_batches_of_every_length() {
    let key = TREE.aggregator.verification_key();
    let pair = TREE.aggregate(&LEAVES[..2]).unwrap();
    let three = TREE.aggregate(&[pair.clone(), LEAVES[2].clone()]).unwrap();
    for (proven, end) in [(&LEAVES[0], 1), (&pair, 11), (&three, 12)] {
        let proof = TREE.aggregator.finish(proven).unwrap();
        assert_eq!(verify(key, &proof).unwrap(), statement(CHAIN, 0, end));
    }
    assert!(matches!(TREE.aggregate(&[]), Err(AggregateError::Nothing)));
}

#[test]
fn a_gap_is_named() {
    let gap = [LEAVES[0].clone(), LEAVES[2].clone()];
    let Err(AggregateError::Gap(found)) = TREE.aggregate(&gap) else {
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
    let list = [LEAVES[0].clone(), LEAVES[1].clone(), LEAVES[1].clone()];
    let Err(AggregateError::Gap(found)) = TREE.aggregate(&list) else {
        panic!("the gap went unnoticed");
    };
    assert_eq!(found.left, 1);
}

#[test]
fn swapped_children_are_refused() {
    let swapped = [LEAVES[1].clone(), LEAVES[0].clone()];
    assert!(matches!(
        TREE.aggregate(&swapped),
        Err(AggregateError::Gap(_))
    ));
}

#[test]
fn chains_do_not_mix() {
    let other = TREE.leaf(1, &statement(CHAIN + 1, 1, 11));
    let mixed = [LEAVES[0].clone(), other];
    assert!(matches!(
        TREE.aggregate(&mixed),
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
        TREE.aggregate(&*LEAVES),
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
            Err(AggregateError::Child(_))
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
fn a_proof_of_the_tree_is_no_validity_proof() {
    let key = TREE.aggregator.verification_key();
    let pair = TREE.aggregate(&LEAVES[..2]).unwrap();
    for proof in [&LEAVES[0], &pair] {
        let undressed = ValidityProof::new(proof.proof());
        assert!(matches!(
            verify(key, &undressed),
            Err(VerifyError::Malformed(_))
        ));
    }
}

#[test]
fn a_statement_cannot_be_exchanged() {
    let key = TREE.aggregator.verification_key();
    let proof = decode_proof(VALID.proof(), &key.common).unwrap();
    for position in 0..STATEMENT_ELEMENTS {
        let mut altered = proof.clone();
        altered.plonky2.public_inputs[position] += PlonkField::ONE;
        let refused = verify(key, &ValidityProof::new(&altered));
        assert!(
            matches!(refused, Err(VerifyError::Invalid(_))),
            "public input {position}"
        );
    }
}

#[test]
fn the_aggregation_circuit_of_another_tree_is_refused() {
    let keys = vec![TREE.leaves[0].circuit.verifier_only.clone()];
    let other = AggregationCircuit::build(&TREE.circuit.keys().form, keys, ARITY).unwrap();
    assert!(matches!(
        TREE.aggregator.aggregate(&other, &LEAVES[..2]),
        Err(AggregateError::OtherTree)
    ));
}
