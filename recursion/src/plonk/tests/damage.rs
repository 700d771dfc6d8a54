//! Damaged proofs: each kind of damage is refused by the native verifier, and by the circuit where
//! the damaged proof still has its shape.

use std::sync::LazyLock;

use plonky2::field::types::Field as _;
use plonky2::hash::hash_types::HashOut;
use plonky2::plonk::proof::ProofWithPublicInputs;

use super::fixture::{COMMON, CONSTRAINTS, Case, GROUND_CASE, PLAIN_CASE, nonce};
use crate::plonk::verifier::check_point;
use crate::plonk::{Extension, Grinding, PlonkField, PlonkProof, PlonkVerifyError, Poseidon2Hash};

type Cap = plonky2::hash::merkle_tree::MerkleCap<PlonkField, Poseidon2Hash>;
type Query = plonky2::fri::proof::FriQueryRound<PlonkField, Poseidon2Hash, 2>;
type Openings = plonky2::plonk::proof::OpeningSet<PlonkField, 2>;

/// A named change of a proof.
type Damage = (&'static str, fn(&mut PlonkProof));

/// The proofs that are damaged: plonky2's own, and ours, which is ground at every site.
fn cases() -> [&'static Case; 2] {
    [&PLAIN_CASE, &GROUND_CASE]
}

/// The proof after the damage.
fn damaged(case: &Case, damage: fn(&mut PlonkProof)) -> PlonkProof {
    let mut proof = case.proof.clone();
    damage(&mut proof);
    assert_ne!(proof, case.proof);
    proof
}

fn bump(hash: &mut HashOut<PlonkField>) {
    hash.elements[2] += PlonkField::ONE;
}

fn opening(proof: &mut PlonkProof) -> &mut Openings {
    &mut proof.plonky2.proof.openings
}

fn query(proof: &mut PlonkProof) -> &mut Query {
    &mut proof.plonky2.proof.opening_proof.query_round_proofs[1]
}

fn bump_last(elements: &mut [Extension]) {
    *elements.last_mut().unwrap() += Extension::ONE;
}

const CAPS: [Damage; 5] = [
    ("wires' cap", |p| bump(&mut p.plonky2.proof.wires_cap.0[0])),
    ("products' cap", |p| {
        bump(&mut p.plonky2.proof.plonk_zs_partial_products_cap.0[1]);
    }),
    ("quotient's cap", |p| {
        bump(&mut p.plonky2.proof.quotient_polys_cap.0[15]);
    }),
    ("first fold's cap", |p| {
        bump(&mut p.plonky2.proof.opening_proof.commit_phase_merkle_caps[0].0[3]);
    }),
    ("last fold's cap", |p| {
        let caps = &mut p.plonky2.proof.opening_proof.commit_phase_merkle_caps;
        bump(&mut caps.last_mut().unwrap().0[3]);
    }),
];

/// Openings that the constraints bind.
const OPENINGS: [Damage; 7] = [
    ("constants", |p| bump_last(&mut opening(p).constants)),
    ("sigmas", |p| bump_last(&mut opening(p).plonk_sigmas)),
    ("wires", |p| bump_last(&mut opening(p).wires)),
    ("products", |p| bump_last(&mut opening(p).plonk_zs)),
    ("next products", |p| {
        bump_last(&mut opening(p).plonk_zs_next)
    }),
    ("partial products", |p| {
        bump_last(&mut opening(p).partial_products)
    }),
    ("quotient", |p| bump_last(&mut opening(p).quotient_polys)),
];

const OTHERS: [Damage; 10] = [
    ("public input", |p| {
        p.plonky2.public_inputs[1] += PlonkField::ONE
    }),
    ("key slot", |p| {
        *p.plonky2.public_inputs.last_mut().unwrap() += PlonkField::ONE;
    }),
    ("final polynomial", |p| {
        bump_last(&mut p.plonky2.proof.opening_proof.final_poly.coeffs);
    }),
    ("constants of a query", |p| {
        query(p).initial_trees_proof.evals_proofs[0].0[4] += PlonkField::ONE;
    }),
    ("wires of a query", |p| {
        query(p).initial_trees_proof.evals_proofs[1].0[134] += PlonkField::ONE;
    }),
    ("products of a query", |p| {
        query(p).initial_trees_proof.evals_proofs[2].0[0] += PlonkField::ONE;
    }),
    ("quotient of a query", |p| {
        query(p).initial_trees_proof.evals_proofs[3].0[0] += PlonkField::ONE;
    }),
    ("path of a query", |p| {
        bump(&mut query(p).initial_trees_proof.evals_proofs[2].1.siblings[0]);
    }),
    ("values of a fold", |p| {
        bump_last(&mut query(p).steps[1].evals)
    }),
    ("path of a fold", |p| {
        bump(&mut query(p).steps[0].merkle_proof.siblings[0])
    }),
];

#[test]
fn damage_of_every_kind_is_refused_by_both() {
    for case in cases() {
        for (name, damage) in CAPS.into_iter().chain(OPENINGS).chain(OTHERS) {
            let proof = damaged(case, damage);
            assert!(case.native(&proof).is_err(), "{name}");
            assert!(!case.circuit_accepts(&proof), "{name}");
        }
    }
}

#[test]
fn the_constraints_alone_refuse_every_opening_of_another_value() {
    for (name, damage) in OPENINGS {
        let proof = damaged(&PLAIN_CASE, damage);
        let refused = PLAIN_CASE.native(&proof);
        let constraints = matches!(refused, Err(PlonkVerifyError::Constraints { .. }));
        assert!(constraints, "{name}: {refused:?}");
        assert!(!CONSTRAINTS.accepts(&proof), "{name}");
    }
    assert!(CONSTRAINTS.accepts(&PLAIN_CASE.proof));
}

#[test]
fn no_element_of_a_proof_is_free() {
    for case in cases() {
        let bytes = case.proof.plonky2.to_bytes();
        let decode = |bytes| ProofWithPublicInputs::from_bytes(bytes, &COMMON);
        let mut decoded = 0;
        // Lengths of paths are a byte each, so that the elements after them start anywhere.
        for i in (0..bytes.len()).step_by(113) {
            let mut bytes = bytes.clone();
            bytes[i] = bytes[i].wrapping_add(1);
            let Ok(plonky2) = decode(bytes) else {
                continue;
            };
            let proof = PlonkProof {
                plonky2,
                nonces: case.proof.nonces.clone(),
            };
            decoded += 1;
            match case.native(&proof) {
                Ok(()) => panic!("byte {i} is free"),
                Err(PlonkVerifyError::Length { .. }) => {}
                Err(_) => assert!(!case.circuit_accepts(&proof), "byte {i}"),
            }
        }
        assert!(decoded > 100, "{decoded}");
    }
}

#[test]
fn a_nonce_without_grinding_is_zero() {
    let damage: [fn(&mut PlonkProof); 3] = [
        |p| p.nonces.point = PlonkField::ONE,
        |p| p.nonces.batch = PlonkField::ONE,
        |p| p.nonces.folds[1] = PlonkField::ONE,
    ];
    for damage in damage {
        let proof = damaged(&PLAIN_CASE, damage);
        let refused = PLAIN_CASE.native(&proof);
        assert!(matches!(
            refused,
            Err(PlonkVerifyError::Nonce { found: 1, .. })
        ));
        assert!(!PLAIN_CASE.circuit_accepts(&proof));
    }
}

#[test]
fn a_nonce_that_does_not_answer_is_refused_by_both() {
    let case = &GROUND_CASE;
    for site in 0..2 + case.proof.nonces.folds.len() {
        let mut without_answer = 0;
        for step in 1..6 {
            let mut proof = case.proof.clone();
            *nonce(&mut proof, site) += PlonkField::from_canonical_u64(step);
            // The few that answer lead to other challenges than the proof's.
            let refused = case.native(&proof).unwrap_err();
            without_answer += usize::from(matches!(refused, PlonkVerifyError::Grinding(_)));
            assert!(!case.circuit_accepts(&proof), "site {site}");
        }
        assert!(without_answer > 2, "site {site}");
    }
}

#[test]
fn the_nonce_before_the_queries_is_bound() {
    for case in cases() {
        for step in 1..8 {
            let mut proof = case.proof.clone();
            let nonce = &mut proof.plonky2.proof.opening_proof.pow_witness;
            *nonce += PlonkField::from_canonical_u64(step);
            assert!(case.native(&proof).is_err());
            assert!(!case.circuit_accepts(&proof));
        }
    }
}

/// The lists of a proof, each of which the shape gives a length.
enum List<'a> {
    Cap(&'a mut Cap),
    Elements(&'a mut Vec<Extension>),
    Words(&'a mut Vec<PlonkField>),
    Siblings(&'a mut Vec<HashOut<PlonkField>>),
    Caps(&'a mut Vec<Cap>),
    Queries(&'a mut Vec<Query>),
    Steps(&'a mut Query),
    Trees(&'a mut Query),
}

impl List<'_> {
    /// Takes the last item away, or repeats it, or takes all away.
    fn change(self, how: usize) {
        match self {
            Self::Cap(cap) => resize(&mut cap.0, how),
            Self::Elements(list) => resize(list, how),
            Self::Words(list) => resize(list, how),
            Self::Siblings(list) => resize(list, how),
            Self::Caps(list) => resize(list, how),
            Self::Queries(list) => resize(list, how),
            Self::Steps(query) => resize(&mut query.steps, how),
            Self::Trees(query) => resize(&mut query.initial_trees_proof.evals_proofs, how),
        }
    }
}

fn resize<T: Clone>(list: &mut Vec<T>, how: usize) {
    match how {
        0 => drop(list.pop()),
        1 => list.extend(list.last().cloned()),
        2 => list.extend(list.clone()),
        _ => list.clear(),
    }
}

type Find = for<'a> fn(&'a mut PlonkProof) -> List<'a>;

static LISTS: LazyLock<Vec<Find>> = LazyLock::new(|| {
    vec![
        |p| List::Words(&mut p.plonky2.public_inputs),
        |p| List::Words(&mut p.nonces.folds),
        |p| List::Cap(&mut p.plonky2.proof.wires_cap),
        |p| List::Cap(&mut p.plonky2.proof.plonk_zs_partial_products_cap),
        |p| List::Cap(&mut p.plonky2.proof.quotient_polys_cap),
        |p| List::Elements(&mut opening(p).constants),
        |p| List::Elements(&mut opening(p).plonk_sigmas),
        |p| List::Elements(&mut opening(p).wires),
        |p| List::Elements(&mut opening(p).plonk_zs),
        |p| List::Elements(&mut opening(p).plonk_zs_next),
        |p| List::Elements(&mut opening(p).partial_products),
        |p| List::Elements(&mut opening(p).quotient_polys),
        |p| List::Caps(&mut p.plonky2.proof.opening_proof.commit_phase_merkle_caps),
        |p| List::Cap(&mut p.plonky2.proof.opening_proof.commit_phase_merkle_caps[1]),
        |p| List::Elements(&mut p.plonky2.proof.opening_proof.final_poly.coeffs),
        |p| List::Queries(&mut p.plonky2.proof.opening_proof.query_round_proofs),
        |p| List::Trees(query(p)),
        |p| List::Words(&mut query(p).initial_trees_proof.evals_proofs[0].0),
        |p| List::Words(&mut query(p).initial_trees_proof.evals_proofs[3].0),
        |p| List::Siblings(&mut query(p).initial_trees_proof.evals_proofs[1].1.siblings),
        |p| List::Steps(query(p)),
        |p| List::Elements(&mut query(p).steps[0].evals),
        |p| List::Siblings(&mut query(p).steps[0].merkle_proof.siblings),
    ]
});

#[test]
fn every_other_length_is_refused_with_its_name() {
    for case in cases() {
        for (i, find) in LISTS.iter().enumerate() {
            for how in 0..4 {
                let mut proof = case.proof.clone();
                find(&mut proof).change(how);
                let refused = case.native(&proof);
                let length = matches!(refused, Err(PlonkVerifyError::Length { .. }));
                assert!(length, "list {i}, change {how}: {refused:?}");
            }
        }
    }
}

#[test]
fn openings_of_lookups_are_refused() {
    let damage: [Damage; 2] = [
        ("lookups", |p| opening(p).lookup_zs.push(Extension::ONE)),
        ("next lookups", |p| {
            opening(p).lookup_zs_next.push(Extension::ONE);
        }),
    ];
    for (name, damage) in damage {
        let refused = PLAIN_CASE.native(&damaged(&PLAIN_CASE, damage));
        assert!(
            matches!(refused, Err(PlonkVerifyError::Length { .. })),
            "{name}"
        );
    }
}

#[test]
fn a_proof_is_of_one_grinding() {
    for case in cases() {
        for grinding in [
            Grinding::default(),
            Grinding {
                point: 40,
                ..case.grinding
            },
            Grinding {
                batch: 40,
                ..case.grinding
            },
            Grinding {
                fold: 40,
                ..case.grinding
            },
        ] {
            let other = grinding != case.grinding;
            assert_eq!(case.native_with(grinding, &case.proof).is_err(), other);
        }
    }
}

/// A point of the base field may be a row of the trace, where the argument says nothing.
#[test]
fn a_point_in_the_base_field_is_refused() {
    let [zero, one] = [PlonkField::ZERO, PlonkField::ONE];
    assert!(matches!(
        check_point([one, zero]),
        Err(PlonkVerifyError::Point)
    ));
    assert!(check_point([zero, one]).is_ok());
}
