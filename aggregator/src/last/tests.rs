//! Each rule of the last circuit has the cheat that its loss would let through.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use plonky2::field::types::Field as _;
use plonky2::hash::hash_types::HashOut;
use plonky2::iop::witness::PartialWitness;
use shardfold_protocol::head::STATEMENT_ELEMENTS;
use shardfold_recursion::convert::statement_from_plonk;
use shardfold_recursion::plonk::{PlonkField, PlonkProof, prove, verify};

use super::*;
use crate::circuit::testing::{AGGREGATION, FORM, LEAVES, forge, forged_key, statement};
use crate::tree::{ChildError, Origin, flatten_key};

const PROFILE: Profile = Profile::UnsoundTest;

static LAST: LazyLock<LastCircuit> = LazyLock::new(|| {
    LastCircuit::build(PROFILE, AGGREGATION.keys().clone()).expect("the last circuit fits")
});

/// A leaf 0..1, and the aggregation of it with 1..11.
static PROOFS: LazyLock<(PlonkProof, PlonkProof)> = LazyLock::new(|| {
    let pair = [
        LEAVES[0].prove(&statement(0, 1)),
        LEAVES[1].prove(&statement(1, 11)),
    ];
    let children = [(0, &pair[0]), (1, &pair[1])].map(|(key, proof)| Child {
        origin: Origin::Leaf(key),
        proof,
    });
    let aggregated = AGGREGATION.prove(&children).expect("neighbours");
    let [leaf, _] = pair;
    (leaf, aggregated)
});

fn child(origin: Origin, proof: &PlonkProof) -> Child<'_> {
    Child { origin, proof }
}

/// Sets the child without the native checks, lets `cheat` alter the witness, and reports whether a
/// proof comes out that verifies under the circuit's key.
fn accepts(child: Child<'_>, cheat: impl FnOnce(&mut PartialWitness<PlonkField>)) -> bool {
    let mut witness = PartialWitness::new();
    LAST.targets.set(&mut witness, &child).expect("once each");
    cheat(&mut witness);
    proves(&LAST, witness)
}

/// Whether a proof comes out of this witness that verifies under the circuit's key.
fn proves(last: &LastCircuit, witness: PartialWitness<PlonkField>) -> bool {
    let grinding = PROFILE.last().grinding;
    let proven = catch_unwind(AssertUnwindSafe(|| prove(&last.circuit, grinding, witness)));
    proven.is_ok_and(|proof| {
        proof.is_ok_and(|proof| verify(last.key(), &last.circuit.common, grinding, &proof).is_ok())
    })
}

#[test]
fn a_leaf_and_an_aggregation_are_taken_and_state_what_they_stated() {
    let (leaf, aggregated) = &*PROOFS;
    for (origin, proof, end) in [
        (Origin::Leaf(0), leaf, 1),
        (Origin::Aggregation, aggregated, 11),
    ] {
        let last = LAST.prove(&child(origin, proof)).unwrap();
        assert_eq!(last.public_inputs().len(), STATEMENT_ELEMENTS);
        assert_eq!(
            statement_from_plonk(last.public_inputs()),
            Some(statement(0, end))
        );
        assert!(accepts(child(origin, proof), |_| {}));
    }
}

#[test]
fn a_proof_of_another_circuit_is_refused() {
    let stranger = LEAVES[2].prove(&statement(0, 100));
    for origin in [Origin::Leaf(0), Origin::Leaf(1), Origin::Aggregation] {
        assert!(!accepts(child(origin, &stranger), |_| {}));
        assert!(LAST.prove(&child(origin, &stranger)).is_err());
    }
    // A leaf under the key of the other leaf, and an aggregation as a leaf.
    let (leaf, aggregated) = &*PROOFS;
    assert!(!accepts(child(Origin::Leaf(1), leaf), |_| {}));
    assert!(!accepts(child(Origin::Leaf(0), aggregated), |_| {}));
    assert!(!accepts(child(Origin::Aggregation, leaf), |_| {}));
}

/// The classic attack on cyclic recursion: an aggregation verified a forgery under the forger's key,
/// which it states in its slot. It verifies under the aggregation key; only rule 4 refuses it.
#[test]
fn an_aggregation_that_states_a_foreign_key_is_refused() {
    let root = crate::circuit::testing::aggregate_forgery();
    assert!(verify(&LAST.keys.aggregation, &FORM.common, FORM.grinding, &root).is_ok());
    assert!(!accepts(child(Origin::Aggregation, &root), |_| {}));
    assert!(matches!(
        LAST.prove(&child(Origin::Aggregation, &root)),
        Err(AggregationCircuitError::Child(ChildError::OtherTree {
            slot: 0
        }))
    ));
}

/// A mixture of two keys of the tree is no key of the tree: the choice is one-hot.
#[test]
fn a_choice_that_is_not_one_hot_is_refused() {
    let (leaf, _) = &*PROOFS;
    // Slot 0 twice less once: the key is the first leaf's, but the choice is not boolean.
    let choices = [[1, 1, 0], [2, 0, 0], [0, 0, 0]];
    for choice in choices {
        let cheat = |witness: &mut PartialWitness<PlonkField>| {
            for (bit, value) in LAST.targets.choice.iter().zip(choice) {
                let value = PlonkField::from_canonical_u64(value);
                witness.target_values.insert(bit.target, value);
            }
        };
        assert!(!accepts(child(Origin::Leaf(0), leaf), cheat), "{choice:?}");
    }
    // A forgery under its own key, with a key that no choice gives.
    let forgery = forge(&forged_key());
    for origin in [Origin::Leaf(0), Origin::Leaf(1), Origin::Aggregation] {
        assert!(!accepts(child(origin, &forgery), |_| {}));
    }
}

/// The leaf keys are such that the forged circuit's key is a mixture of them: all but the rule on the
/// choice itself is satisfied.
#[test]
fn a_mixture_that_is_a_key_of_no_circuit_of_the_tree_is_refused() {
    let forgery = forge(&forged_key());
    let (one, two) = (PlonkField::ONE, PlonkField::TWO);
    let cases = [
        // The rule holds, and the first leaf key is the forged one: the harness works.
        ([one, PlonkField::ZERO], true),
        // Boolean, but two are chosen.
        ([one, one], false),
        // The sum is one, but the parts are not boolean.
        ([two, -one], false),
    ];
    for ([a, b], accepted) in cases {
        let mut keys = AGGREGATION.keys().clone();
        let second = flatten_key(&keys.leaves[1]);
        // first = (forged - b * second) / a
        let mixed = forged_key().into_iter().zip(second);
        let first: Vec<PlonkField> = mixed.map(|(forged, x)| (forged - b * x) / a).collect();
        let mut digests = first.as_chunks::<4>().0.iter();
        let mut digest = || HashOut {
            elements: *digests.next().expect("a key's length"),
        };
        keys.leaves[0].circuit_digest = digest();
        for root in &mut keys.leaves[0].constants_sigmas_cap.0 {
            *root = digest();
        }
        let last = LastCircuit::build(PROFILE, keys).expect("it fits");
        let mut witness = PartialWitness::new();
        let child = child(Origin::Leaf(0), &forgery);
        last.targets.set(&mut witness, &child).expect("once each");
        for (bit, value) in last.targets.choice.iter().zip([a, b, PlonkField::ZERO]) {
            witness.target_values.insert(bit.target, value);
        }
        assert_eq!(proves(&last, witness), accepted, "choice {a}, {b}");
    }
}

#[test]
fn a_circuit_from_bytes_is_the_built_one_and_proves() {
    let bytes = LAST.to_bytes().unwrap();
    let loaded = LastCircuit::from_bytes(&bytes).unwrap();
    assert!(loaded == *LAST);
    let (leaf, _) = &*PROOFS;
    let proof = loaded.prove(&child(Origin::Leaf(0), leaf)).unwrap();
    let grinding = PROFILE.last().grinding;
    verify(LAST.key(), &LAST.circuit.common, grinding, &proof).unwrap();
}

#[test]
fn the_keys_of_another_tree_give_another_key() {
    let mut keys = AGGREGATION.keys().clone();
    keys.leaves.swap(0, 1);
    let other = LastCircuit::build(PROFILE, keys).unwrap();
    assert_ne!(other.key(), LAST.key());
}

/// A strong label on a weak tree.
#[test]
fn a_tree_of_another_profile_is_refused() {
    let weak = AGGREGATION.keys().clone();
    assert!(matches!(
        LastCircuit::build(Profile::Proven100, weak.clone()),
        Err(AggregationCircuitError::OtherProfile {
            profile: "proven-100"
        })
    ));
    let mut other = weak;
    other.form.grinding.fold = 0;
    assert!(matches!(
        LastCircuit::build(PROFILE, other),
        Err(AggregationCircuitError::OtherProfile { .. })
    ));
}

#[test]
fn keys_of_another_length_are_refused() {
    for roots in [0, 1, 15, 17] {
        let root = AGGREGATION.keys().aggregation.constants_sigmas_cap.0[0];
        let mut keys = AGGREGATION.keys().clone();
        keys.aggregation.constants_sigmas_cap.0 = vec![root; roots];
        let found = 4 * (roots + 1);
        let refused = LastCircuit::build(PROFILE, keys);
        assert!(matches!(
            refused,
            Err(AggregationCircuitError::Key { key: 0, found: f, expected: 68 }) if f == found
        ));
    }
}
