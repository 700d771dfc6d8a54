use std::sync::LazyLock;

use super::testing::{
    AGGREGATION, ARITY, CHAIN, FORM, LEAVES, Leaf, aggregate_forgery, foreign_gate, forge,
    forged_key, form, head, prove_with, statement, test_gates, verifies,
};
use super::*;
use plonky2::field::types::Field as _;
use plonky2::iop::witness::PartialWitness;
use shardfold_protocol::head::{HEAD_ELEMENTS, STATEMENT_ELEMENTS, Statement};
use shardfold_recursion::convert::{statement_from_plonk, statement_to_plonk};
use shardfold_recursion::plonk::{Builder, PlonkField, PlonkParameters, PlonkProof};
use shardfold_recursion::serializers::Cached as _;
use shardfold_recursion::tree::{TreeError, common_data, finish_leaf, gate_set};

use crate::tree::{ChildError, Origin, states_key};

fn leaf(key: usize, proof: &PlonkProof) -> Child<'_> {
    Child {
        origin: Origin::Leaf(key),
        proof,
    }
}

fn aggregation(proof: &PlonkProof) -> Child<'_> {
    Child {
        origin: Origin::Aggregation,
        proof,
    }
}

/// Two neighbouring leaves under different keys, 0..1 and 1..11.
static PAIR: LazyLock<[PlonkProof; 2]> = LazyLock::new(|| {
    [
        LEAVES[0].prove(&statement(0, 1)),
        LEAVES[1].prove(&statement(1, 11)),
    ]
});

/// The aggregation of the pair.
static AGGREGATED: LazyLock<PlonkProof> = LazyLock::new(|| {
    AGGREGATION
        .prove(&[leaf(0, &PAIR[0]), leaf(1, &PAIR[1])])
        .unwrap()
});

/// Sets the children without the native checks, lets `cheat` alter the witness, and reports
/// whether a proof comes out that verifies under the aggregation key.
fn accepts(children: &[Child<'_>], cheat: impl FnOnce(&mut PartialWitness<PlonkField>)) -> bool {
    let mut witness = AGGREGATION
        .witness(children)
        .expect("the children set no target twice");
    cheat(&mut witness);
    let Ok(Ok(proof)) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        prove_with(&AGGREGATION.circuit, witness)
    })) else {
        return false;
    };
    verifies(&AGGREGATION.circuit, &proof)
}

// ---- what must work ----

#[test]
fn folds_of_any_bracketing_state_the_same() {
    let third = LEAVES[0].prove(&statement(11, 12));
    let right = AGGREGATION
        .prove(&[leaf(1, &PAIR[1]), leaf(0, &third)])
        .unwrap();
    let left_first = AGGREGATION
        .prove(&[aggregation(&AGGREGATED), leaf(0, &third)])
        .unwrap();
    let right_first = AGGREGATION
        .prove(&[leaf(0, &PAIR[0]), aggregation(&right)])
        .unwrap();
    for root in [left_first, right_first] {
        assert_eq!(
            statement_from_plonk(root.public_inputs()),
            Some(statement(0, 12))
        );
        assert!(states_key(&root, &AGGREGATION.keys().aggregation));
        assert!(verifies(&AGGREGATION.circuit, &root));
    }
}

#[test]
fn a_single_leaf_and_a_single_fold_fold_alone() {
    for child in [leaf(0, &PAIR[0]), aggregation(&AGGREGATED)] {
        let root = AGGREGATION.prove(&[child]).unwrap();
        assert_eq!(
            root.public_inputs()[..STATEMENT_ELEMENTS],
            child.proof.public_inputs()[..STATEMENT_ELEMENTS]
        );
        assert!(verifies(&AGGREGATION.circuit, &root));
    }
}

#[test]
fn building_twice_gives_the_same_keys() {
    let again = Leaf::build(&FORM.common, 1);
    assert_eq!(again.circuit.verifier_only, LEAVES[0].circuit.verifier_only);
    let rebuilt =
        AggregationCircuit::build(&FORM, AGGREGATION.keys().leaves.clone(), ARITY).unwrap();
    assert_eq!(&rebuilt.keys().aggregation, &AGGREGATION.keys().aggregation);
}

#[test]
fn the_common_degree_is_the_least_that_fits() {
    assert!(*aggregation_rows(&FORM, 2, ARITY).unwrap().start() <= FORM.common.degree());
    let too_small = AggregationCircuit::build(&halved(), AGGREGATION.keys().leaves.clone(), ARITY);
    assert!(matches!(
        too_small,
        Err(AggregationCircuitError::Tree(TreeError::TooManyRows { .. }))
    ));
}

/// The form at half the rows.
fn halved() -> TreeForm {
    let parameters = PlonkParameters::UNSOUND_TEST;
    let gates = test_gates(&parameters);
    TreeForm {
        common: common_data(&parameters, FORM.common.degree_bits() - 1, &gates),
        ..FORM.clone()
    }
}

#[test]
fn a_circuit_with_a_gate_outside_the_set_is_refused() {
    let parameters = PlonkParameters::UNSOUND_TEST;
    let common = common_data(&parameters, 10, &gate_set(&parameters));
    let mut builder = Builder::new(common.config.clone());
    let targets = builder.add_virtual_target_arr();
    let index = builder.zero();
    builder.random_access(index, targets[..4].to_vec());
    let Err(TreeError::ForeignGates { gates }) = finish_leaf(builder, &targets, &common) else {
        panic!("the foreign gate went unnoticed");
    };
    assert_eq!(gates, [foreign_gate(&parameters).0.id()]);
}

/// An aggregation of three, and leaves 0..1, 1..11 and 11..12 over its common data.
static TRIPLE: LazyLock<(AggregationCircuit, [PlonkProof; 3])> = LazyLock::new(|| {
    let form = form(3);
    let leaves = [1, 10].map(|step| Leaf::build(&form.common, step));
    let keys = leaves
        .iter()
        .map(|leaf| leaf.circuit.verifier_only.clone())
        .collect();
    let circuit = AggregationCircuit::build(&form, keys, 3).unwrap();
    let proofs = [(0, 0, 1), (1, 1, 11), (0, 11, 12)]
        .map(|(key, from, to): (usize, u64, u64)| leaves[key].prove(&statement(from, to)));
    (circuit, proofs)
});

#[test]
fn a_fold_of_three_takes_one_two_or_three() {
    let (circuit, proofs) = &*TRIPLE;
    let children = [
        leaf(0, &proofs[0]),
        leaf(1, &proofs[1]),
        leaf(0, &proofs[2]),
    ];
    for (count, end) in [(1, 1), (2, 11), (3, 12)] {
        let root = circuit.prove(&children[..count]).unwrap();
        assert_eq!(
            statement_from_plonk(root.public_inputs()),
            Some(statement(0, end))
        );
        assert!(verifies(&circuit.circuit, &root));
    }
}

// ---- cheats ----

#[test]
fn the_harness_accepts_honest_children() {
    assert!(accepts(&[leaf(0, &PAIR[0]), leaf(1, &PAIR[1])], |_| {}));
}

#[test]
fn a_leaf_outside_the_allowed_set_is_refused() {
    let stranger = LEAVES[2].prove(&statement(1, 101));
    for key in 0..2 {
        assert!(!accepts(&[leaf(0, &PAIR[0]), leaf(key, &stranger)], |_| {}));
        assert!(matches!(
            AGGREGATION.prove(&[leaf(0, &PAIR[0]), leaf(key, &stranger)]),
            Err(AggregationCircuitError::Child(ChildError::Invalid {
                slot: 1,
                ..
            }))
        ));
    }
    // Claiming to be an aggregation does not help: its slot is zero.
    assert!(!accepts(&[aggregation(&stranger)], |_| {}));
    // And no third leaf key exists.
    assert!(matches!(
        AGGREGATION.prove(&[leaf(2, &stranger)]),
        Err(AggregationCircuitError::Child(ChildError::NoSuchKey {
            slot: 0,
            key: 2,
            keys: 2
        }))
    ));
}

#[test]
fn a_foreign_key_in_our_own_slot_folds_only_into_a_root_that_states_it() {
    // The classic attack on cyclic recursion: a circuit of our own making, whose proof states
    // its own key, is aggregated as "an aggregation" by an aggregation that states that key as well. The constraints
    // hold; the lie stands in the public inputs of the root, where `states_key` finds it.
    let root = aggregate_forgery();
    assert!(
        verifies(&AGGREGATION.circuit, &root),
        "the constraints alone cannot tell"
    );
    assert!(!states_key(&root, &AGGREGATION.keys().aggregation));
    // One level up, under the true key, it is refused.
    assert!(!accepts(&[aggregation(&root)], |_| {}));
    assert!(matches!(
        AGGREGATION.prove(&[aggregation(&root)]),
        Err(AggregationCircuitError::Child(ChildError::OtherTree {
            slot: 0
        }))
    ));
    // And the forgery is refused under the true key.
    assert!(!accepts(&[aggregation(&forge(&forged_key()))], |_| {}));
}

#[test]
fn a_fold_whose_slot_differs_in_one_element_is_refused() {
    // An aggregation is proven while it states a key that differs from ours in one element only: the
    // first of the digest, or the last of the cap.
    let slot = flatten_key_target(&AGGREGATION.targets.key);
    for position in [0, slot.len() - 1] {
        let mut witness = AGGREGATION.witness(&[leaf(0, &PAIR[0])]).unwrap();
        let value = witness.target_values[&slot[position]];
        witness
            .target_values
            .insert(slot[position], value + PlonkField::ONE);
        let bent =
            prove_with(&AGGREGATION.circuit, witness).expect("leaves do not look at the slot");
        assert!(verifies(&AGGREGATION.circuit, &bent));
        assert!(
            !accepts(&[aggregation(&bent)], |_| {}),
            "element {position} is not compared"
        );
    }
}

#[test]
fn swapped_children_are_refused() {
    assert!(!accepts(&[leaf(1, &PAIR[1]), leaf(0, &PAIR[0])], |_| {}));
}

#[test]
fn a_repeated_child_is_refused() {
    assert!(!accepts(&[leaf(0, &PAIR[0]), leaf(0, &PAIR[0])], |_| {}));
}

#[test]
fn a_gap_is_refused_in_every_element_of_the_head() {
    for element in [0, 4, 5, 6, 7, 11, 12, 16, 20, HEAD_ELEMENTS - 1] {
        let mut elements = statement_to_plonk(&statement(1, 11));
        elements[1 + element] += PlonkField::ONE;
        if element == 4 {
            // The leaf's own rule: the count after is ten more.
            elements[1 + HEAD_ELEMENTS + element] += PlonkField::ONE;
        }
        let gap = LEAVES[1].prove(&statement_from_plonk(&elements).unwrap());
        assert!(
            !accepts(&[leaf(0, &PAIR[0]), leaf(1, &gap)], |_| {}),
            "element {element} of the head is not compared"
        );
    }
}

#[test]
fn another_chain_is_refused() {
    let other = Statement {
        chain_id: CHAIN + 1,
        ..statement(1, 11)
    };
    let other = LEAVES[1].prove(&other);
    assert!(!accepts(&[leaf(0, &PAIR[0]), leaf(1, &other)], |_| {}));
}

#[test]
fn a_child_with_altered_public_inputs_is_refused() {
    for position in [
        0,
        1,
        5,
        STATEMENT_ELEMENTS - 1,
        STATEMENT_ELEMENTS,
        FORM.common.num_public_inputs - 1,
    ] {
        let mut altered = AGGREGATED.clone();
        altered.plonky2.public_inputs[position] += PlonkField::ONE;
        assert!(
            !accepts(&[aggregation(&altered)], |_| {}),
            "public input {position}"
        );
    }
}

#[test]
fn a_false_statement_is_refused() {
    // The statement's head after the last child is a wire of the circuit: claim another.
    let mut claimed = AGGREGATED.clone();
    let elements = statement_to_plonk(&Statement {
        after: head(99),
        ..statement(0, 11)
    });
    claimed.plonky2.public_inputs[..STATEMENT_ELEMENTS].copy_from_slice(&elements);
    assert!(!verifies(&AGGREGATION.circuit, &claimed));
}

#[test]
fn an_absent_child_cannot_lengthen_the_statement() {
    // The second child is set, but flagged absent: the proof is valid and states the first only.
    let present = AGGREGATION.targets.slots[1].present.target;
    let mut witness = AGGREGATION
        .witness(&[leaf(0, &PAIR[0]), leaf(1, &PAIR[1])])
        .unwrap();
    witness.target_values.insert(present, PlonkField::ZERO);
    let proof = prove_with(&AGGREGATION.circuit, witness).unwrap();
    assert_eq!(
        statement_from_plonk(proof.public_inputs()),
        Some(statement(0, 1))
    );
}

#[test]
fn a_flag_that_is_not_boolean_is_refused() {
    for value in [2, shardfold_protocol::field::MODULUS - 1] {
        let present = AGGREGATION.targets.slots[1].present.target;
        assert!(!accepts(
            &[leaf(0, &PAIR[0]), leaf(1, &PAIR[1])],
            |witness| {
                witness
                    .target_values
                    .insert(present, PlonkField::from_canonical_u64(value));
            }
        ));
    }
}

#[test]
fn a_choice_that_is_not_one_hot_is_refused() {
    // A mixture of the first leaf key and our own slot that amounts to the forged circuit's
    // key: slot = (forged - a * leaf) / b. All but the rule on the choice itself is satisfied.
    let (leaf_key, forged) = (flatten_key(&AGGREGATION.keys().leaves[0]), forged_key());
    let (one, two) = (PlonkField::ONE, PlonkField::TWO);
    let cases = [
        // The rule holds, and nothing is wrong but the slot: the harness works.
        (PlonkField::ZERO, one, true),
        // Boolean, but two are chosen.
        (one, one, false),
        // The sum is one, but the parts are not boolean.
        (two, -one, false),
    ];
    for (a, b, accepted) in cases {
        let slot: Vec<PlonkField> = forged
            .iter()
            .zip(&leaf_key)
            .map(|(&f, &l)| (f - a * l) / b)
            .collect();
        let forgery = forge(&slot);
        let mixed = accepts(&[aggregation(&forgery)], |witness| {
            for (target, &value) in flatten_key_target(&AGGREGATION.targets.key)
                .into_iter()
                .zip(&slot)
            {
                witness.target_values.insert(target, value);
            }
            // The absent slot repeats the first, so both choose alike.
            for slot in &AGGREGATION.targets.slots {
                let values = [a, PlonkField::ZERO, b];
                for (bit, value) in slot.child.choice.iter().zip(values) {
                    witness.target_values.insert(bit.target, value);
                }
            }
        });
        assert_eq!(mixed, accepted, "choice {a}, {b}");
    }
}

#[test]
fn present_flags_that_are_no_prefix_are_refused() {
    // The last child continues the first one, the middle slot is absent: but for the prefix
    // rule all is well, so the honest order of the same children is proven.
    let (circuit, proofs) = &*TRIPLE;
    let [first, next] = [leaf(0, &proofs[0]), leaf(1, &proofs[1])];
    let flags = |values: [u64; 2], children: [Child<'_>; 3]| {
        let mut witness = circuit.witness(&children).unwrap();
        for (slot, value) in circuit.targets.slots[1..].iter().zip(values) {
            witness
                .target_values
                .insert(slot.present.target, PlonkField::from_canonical_u64(value));
        }
        prove_with(&circuit.circuit, witness)
    };
    assert!(flags([1, 0], [first, next, first]).is_ok());
    assert!(flags([0, 1], [first, first, next]).is_err());
}

#[test]
fn a_circuit_from_bytes_is_the_built_one_and_proves() {
    let bytes = AGGREGATION.to_bytes().unwrap();
    let loaded = AggregationCircuit::from_bytes(&bytes).unwrap();
    assert!(loaded == *AGGREGATION);
    let leaf = Leaf::build(&FORM.common, 1);
    let proof = leaf.prove(&statement(0, 1));
    let root = loaded
        .prove(&[Child {
            origin: Origin::Leaf(0),
            proof: &proof,
        }])
        .unwrap();
    assert!(verifies(&AGGREGATION.circuit, &root));
}
