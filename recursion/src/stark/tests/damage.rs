//! Damaged proofs: each kind of damage is refused by the native verifier and by the circuit.

use std::sync::LazyLock;

use p3_field::PrimeCharacteristicRing;
use p3_lookup::LookupTerminal;
use p3_merkle_tree::MerkleCap;

use super::airs::Toy;
use super::fixture::{CHIPS, Case, Fixture, PARAMETERS};
use crate::config::{Challenger, EF, F, StarkProof, permutation};
use crate::stark::transcript::derive_challenges;
use crate::stark::{ProofParts, RecursionError};

static CASE: LazyLock<Case> = LazyLock::new(|| Case::new(Fixture::new(&CHIPS, PARAMETERS)));

/// The damaged proof as bytes and back, as it would come over a wire.
fn damaged(damage: impl FnOnce(&mut StarkProof)) -> StarkProof {
    let bytes = bincode::serialize(&CASE.proof).unwrap();
    let mut proof = bincode::deserialize(&bytes).unwrap();
    damage(&mut proof);
    proof
}

/// Sees a damaged proof refused by the native verifier, and either not taken apart or refused
/// by the circuit.
fn refused(name: &str, damage: impl FnOnce(&mut StarkProof)) {
    let proof = damaged(damage);
    let values = &CASE.public_values;
    assert!(!CASE.fixture.native_accepts(&proof, values), "{name}");
    if let Ok(parts) = CASE.fixture.verifier().unpack(&proof, values) {
        assert!(!CASE.circuit.accepts(&parts, values), "{name}");
    }
}

/// Sees damaged parts refused by the circuit alone.
fn refused_parts(name: &str, damage: impl FnOnce(&mut ProofParts<F>)) {
    let mut parts = CASE.parts.clone();
    damage(&mut parts);
    assert!(!CASE.circuit.accepts(&parts, &CASE.public_values), "{name}");
}

/// The roots of each tree.
const ROOTS: usize = 1 << PARAMETERS.log_cap;

/// Alters one root of a cap.
fn bump(cap: &mut MerkleCap<F, [F; 4]>, root: usize) {
    let mut roots = cap.roots().to_vec();
    roots[root][1] += F::ONE;
    *cap = MerkleCap::new(roots);
}

/// Sees a cap of so many roots refused for its length.
fn another_length(name: &str, roots: usize, damage: impl FnOnce(&mut StarkProof)) {
    let proof = damaged(damage);
    let values = &CASE.public_values;
    assert!(!CASE.fixture.native_accepts(&proof, values), "{name}");
    let unpacked = CASE.fixture.verifier().unpack(&proof, values);
    assert!(matches!(
        unpacked,
        Err(RecursionError::Length { part: "roots of a commitment", expected: ROOTS, found })
            if found == roots
    ));
}

#[test]
fn no_element_of_a_proof_is_free() {
    let verifier = CASE.fixture.verifier();
    let values: Vec<F> = CASE.parts.elements().into_iter().copied().collect();
    // Every kind of element is hit: the step is smaller than the shortest run but the few
    // single ones, which the tests below damage by name.
    for i in (0..values.len()).step_by(29) {
        let mut damaged = values.iter().enumerate();
        let parts = ProofParts::from_fn(verifier.shape(), || {
            let (j, &value) = damaged.next().unwrap();
            if i == j { value + F::ONE } else { value }
        });
        assert!(
            !CASE.circuit.accepts(&parts, &CASE.public_values),
            "element {i}"
        );
    }
}

#[test]
fn no_bytes_make_the_unpacking_panic() {
    let values = &CASE.public_values;
    let verifier = CASE.fixture.verifier();
    let bytes = bincode::serialize(&CASE.proof).unwrap();
    let mut unpacked = 0;
    for i in (0..bytes.len()).step_by(61) {
        let mut damaged = bytes.clone();
        damaged[i] = damaged[i].wrapping_add(1 + (i % 255) as u8);
        let Ok(proof) = bincode::deserialize::<StarkProof>(&damaged) else {
            continue;
        };
        assert!(!CASE.fixture.native_accepts(&proof, values), "byte {i}");
        if let Ok(parts) = verifier.unpack(&proof, values) {
            assert!(!CASE.circuit.accepts(&parts, values), "byte {i}");
        }
        unpacked += 1;
    }
    assert!(unpacked > 100, "{unpacked}");
}

#[test]
fn damaged_commitments() {
    for root in 0..ROOTS {
        refused("main", |proof| bump(&mut proof.commitments.main, root));
        refused("quotient", |proof| {
            bump(&mut proof.commitments.quotient_chunks, root)
        });
        refused("lookups", |proof| {
            bump(proof.commitments.permutation.as_mut().unwrap(), root)
        });
        for round in 0..CASE.parts.rounds.len() {
            refused("round", |proof| {
                bump(&mut proof.opening_proof.commit_phase_commits[round], root)
            });
        }
    }
    refused("no lookups", |proof| proof.commitments.permutation = None);
    refused("random", |proof| {
        proof.commitments.random = Some(proof.commitments.main.clone());
    });
    for found in [1, ROOTS / 2, 2 * ROOTS] {
        let other = |commitment: &mut MerkleCap<F, [F; 4]>| {
            let roots = commitment.roots().iter().cycle().take(found);
            *commitment = MerkleCap::new(roots.copied().collect());
        };
        another_length("main", found, |proof| other(&mut proof.commitments.main));
        another_length("quotient", found, |proof| {
            other(&mut proof.commitments.quotient_chunks)
        });
        another_length("lookups", found, |proof| {
            other(proof.commitments.permutation.as_mut().unwrap())
        });
        another_length("round", found, |proof| {
            other(&mut proof.opening_proof.commit_phase_commits[1])
        });
    }
    let elements = || (0..ROOTS).flat_map(|root| (0..4).map(move |element| (root, element)));
    for (root, element) in elements() {
        for i in 0..CASE.parts.caps.len() {
            refused_parts("root", |parts| parts.caps[i][root][element] += F::ONE);
        }
        for i in 0..CASE.parts.rounds.len() {
            refused_parts("round", |parts| {
                parts.rounds[i].cap[root][element] += F::ONE
            });
        }
    }
}

/// The queries look at no root but those above them; the transcript observes them all.
#[test]
fn a_root_above_no_query_is_not_free() {
    let verifier = CASE.fixture.verifier();
    let shape = verifier.shape();
    let mut challenger = Challenger::new(permutation());
    let challenges =
        derive_challenges(&mut challenger, shape, &CASE.parts, &CASE.public_values).unwrap();
    let below = shape.log_max_height - PARAMETERS.log_cap;
    let indices = challenges.indices.iter();
    let looked_at: Vec<usize> = indices.map(|index| index >> below).collect();
    let others: Vec<usize> = (0..ROOTS)
        .filter(|root| !looked_at.contains(root))
        .collect();
    assert!(!others.is_empty(), "three queries, four roots");
    for root in others {
        refused("main", |proof| bump(&mut proof.commitments.main, root));
        for i in 0..CASE.parts.caps.len() {
            refused_parts("cap", |parts| parts.caps[i][root][0] += F::ONE);
        }
        for i in 0..CASE.parts.rounds.len() {
            refused_parts("round", |parts| parts.rounds[i].cap[root][0] += F::ONE);
        }
    }
}

#[test]
fn damaged_claimed_values() {
    refused("local", |proof| {
        proof.opened_values.instances[3]
            .base_opened_values
            .trace_local[89] += EF::ONE;
    });
    refused("next", |proof| {
        let values = &mut proof.opened_values.instances[0].base_opened_values;
        values.trace_next.as_mut().unwrap()[1] += EF::ONE;
    });
    refused("next where none is read", |proof| {
        let values = &mut proof.opened_values.instances[1].base_opened_values;
        values.trace_next = Some(values.trace_local.clone());
    });
    refused("no next", |proof| {
        proof.opened_values.instances[0]
            .base_opened_values
            .trace_next = None;
    });
    refused("quotient", |proof| {
        proof.opened_values.instances[2]
            .base_opened_values
            .quotient_chunks[1][1] += EF::ONE;
    });
    refused("quotient chunks", |proof| {
        let values = &mut proof.opened_values.instances[2].base_opened_values;
        values.quotient_chunks.pop();
    });
    refused("preprocessed", |proof| {
        let values = &mut proof.opened_values.instances[2].base_opened_values;
        values.preprocessed.as_mut().unwrap().local[0] += EF::ONE;
    });
    refused("preprocessed next", |proof| {
        let values = &mut proof.opened_values.instances[2].base_opened_values;
        values.preprocessed.as_mut().unwrap().next.as_mut().unwrap()[0] += EF::ONE;
    });
    refused("no preprocessed", |proof| {
        proof.opened_values.instances[1]
            .base_opened_values
            .preprocessed = None;
    });
    refused("lookups", |proof| {
        proof.opened_values.instances[0].permutation_local[0] += EF::ONE;
    });
    refused("lookups next", |proof| {
        proof.opened_values.instances[0].permutation_next[1] += EF::ONE;
    });
    refused("lookups of a table without", |proof| {
        proof.opened_values.instances[3]
            .permutation_local
            .push(EF::ONE);
    });
    for (c, matrices) in CASE.parts.openings.iter().enumerate() {
        for (m, points) in matrices.iter().enumerate() {
            for p in 0..points.len() {
                refused_parts("claim", |parts| parts.openings[c][m][p][0][1] += F::ONE);
            }
        }
    }
}

#[test]
fn damaged_lookup_terminals() {
    refused("terminal", |proof| {
        let LookupTerminal(sum) = proof.lookup_terminals[1].as_mut().unwrap();
        *sum += EF::ONE;
    });
    refused("terminals that still cancel", |proof| {
        let LookupTerminal(sum) = proof.lookup_terminals[0].as_mut().unwrap();
        *sum += EF::ONE;
        let LookupTerminal(sum) = proof.lookup_terminals[1].as_mut().unwrap();
        *sum -= EF::ONE;
    });
    refused("no terminal", |proof| proof.lookup_terminals[0] = None);
    refused("terminal of a table without", |proof| {
        proof.lookup_terminals[3] = Some(LookupTerminal(EF::ZERO));
    });
    refused_parts("terminal", |parts| parts.terminals[2][0] += F::ONE);
}

#[test]
fn damaged_grinding_witnesses() {
    refused("lookup", |proof| {
        proof.lookup_pow_witness = proof.lookup_pow_witness.map(|witness| witness + F::ONE);
    });
    refused("no lookup", |proof| proof.lookup_pow_witness = None);
    refused("point", |proof| proof.ood_pow_witness += F::ONE);
    refused("batch", |proof| {
        proof.opening_proof.batch_pow_witness += F::ONE
    });
    refused("fold", |proof| {
        proof.opening_proof.commit_pow_witnesses[0] += F::ONE
    });
    refused("query", |proof| {
        proof.opening_proof.query_pow_witness += F::ONE
    });
    refused_parts("lookup", |parts| {
        *parts.lookup_witness.as_mut().unwrap() += F::ONE
    });
    refused_parts("point", |parts| {
        *parts.point_witness.as_mut().unwrap() += F::ONE
    });
    refused_parts("batch", |parts| {
        *parts.batch_witness.as_mut().unwrap() += F::ONE
    });
    refused_parts("query", |parts| {
        *parts.query_witness.as_mut().unwrap() += F::ONE
    });
    for i in 0..CASE.parts.rounds.len() {
        refused_parts("fold", |parts| {
            *parts.rounds[i].witness.as_mut().unwrap() += F::ONE;
        });
    }
}

#[test]
fn damaged_queries() {
    refused("row", |proof| {
        proof.opening_proof.input_openings[0].opened_values[0][3][7] += F::ONE;
    });
    refused("shorter row", |proof| {
        proof.opening_proof.input_openings[0].opened_values[0][3].pop();
    });
    refused("fewer rows", |proof| {
        proof.opening_proof.input_openings[0].opened_values[0].pop();
    });
    refused("siblings", |proof| {
        let paths = &mut proof.opening_proof.input_openings[1].opening_proof;
        paths.sibling_hashes[0][0] += F::ONE;
    });
    refused("fewer siblings", |proof| {
        proof.opening_proof.input_openings[1]
            .opening_proof
            .sibling_hashes
            .pop();
    });
    refused("more siblings", |proof| {
        let paths = &mut proof.opening_proof.commit_phase_openings[0].opening_proof;
        paths.sibling_hashes.push([F::ZERO; 4]);
    });
    refused("fold", |proof| {
        proof.opening_proof.commit_phase_openings[2].sibling_values[1][0] += EF::ONE;
    });
    refused("smaller group", |proof| {
        proof.opening_proof.commit_phase_openings[2].sibling_values[1].pop();
    });
    refused("fold siblings", |proof| {
        let paths = &mut proof.opening_proof.commit_phase_openings[0].opening_proof;
        paths.sibling_hashes[0][0] += F::ONE;
    });
    refused("fewer queries", |proof| {
        for opening in &mut proof.opening_proof.input_openings {
            opening.opened_values.pop();
        }
        for step in &mut proof.opening_proof.commit_phase_openings {
            step.sibling_values.pop();
        }
    });
    refused("no queries", |proof| {
        for opening in &mut proof.opening_proof.input_openings {
            opening.opened_values.clear();
        }
    });
    refused("fewer commitments", |proof| {
        proof.opening_proof.input_openings.pop();
    });
    refused("fewer opened rounds", |proof| {
        proof.opening_proof.commit_phase_openings.pop();
    });
    refused("final polynomial", |proof| {
        proof.opening_proof.final_poly[0] += EF::ONE
    });
    refused("longer final polynomial", |proof| {
        proof.opening_proof.final_poly.push(EF::ZERO);
    });
    refused("fewer rounds", |proof| {
        proof.opening_proof.commit_phase_commits.pop();
    });
    refused("fewer fold witnesses", |proof| {
        proof.opening_proof.commit_pow_witnesses.pop();
    });
    let queries = CASE.parts.queries.len();
    for q in 0..queries {
        let query = &CASE.parts.queries[q];
        for i in 0..query.inputs.len() {
            refused_parts("row", |parts| {
                parts.queries[q].inputs[i].rows.last_mut().unwrap()[0] += F::ONE;
            });
            refused_parts("sibling", |parts| {
                parts.queries[q].inputs[i].siblings[2][0] += F::ONE;
            });
        }
        for i in 0..query.folds.len() {
            for j in 0..query.folds[i].values.len() {
                refused_parts("fold", |parts| {
                    parts.queries[q].folds[i].values[j][0] += F::ONE;
                });
            }
            for j in 0..query.folds[i].siblings.len() {
                refused_parts("fold sibling", |parts| {
                    parts.queries[q].folds[i].siblings[j][0] += F::ONE;
                });
            }
        }
    }
}

#[test]
fn another_query_in_the_place_of_one() {
    refused_parts("swap", |parts| parts.queries.swap(0, 1));
}

#[test]
fn other_heights_and_tables() {
    refused("higher", |proof| proof.degree_bits[0] += 1);
    refused("lower", |proof| proof.degree_bits[1] -= 1);
    refused("absurd", |proof| proof.degree_bits[2] = usize::MAX);
    refused("fewer heights", |proof| {
        proof.degree_bits.pop();
    });
    refused("fewer tables", |proof| {
        proof.opened_values.instances.pop();
    });
    let mut chips = CHIPS;
    chips[3] = Toy::Wide { log_rows: 4 };
    let other = Fixture::new(&chips, PARAMETERS);
    let (proof, values) = other.prove(5);
    assert!(other.native_accepts(&proof, &values));
    let error = CASE.fixture.verifier().unpack(&proof, &values).unwrap_err();
    assert!(matches!(
        error,
        RecursionError::Height {
            table: 3,
            expected: 5,
            found: 4
        }
    ));
}

#[test]
fn other_public_values() {
    let Case {
        fixture,
        circuit,
        proof,
        public_values,
        parts,
    } = &*CASE;
    for i in 0..2 {
        let mut values = public_values.clone();
        values[0][i] += F::ONE;
        assert!(!fixture.native_accepts(proof, &values));
        assert!(!circuit.accepts(parts, &values));
    }
    let verifier = fixture.verifier();
    let unpacked = verifier.unpack(proof, &public_values[..3]);
    assert!(matches!(unpacked, Err(RecursionError::Length { .. })));
    let unpacked = verifier.unpack(proof, &vec![vec![]; 4]);
    assert!(matches!(unpacked, Err(RecursionError::Length { .. })));
}

#[test]
fn a_witness_for_grinding_that_is_not_asked_for() {
    let parameters = crate::config::StarkParameters {
        query_grinding: 0,
        ..PARAMETERS
    };
    let fixture = Fixture::new(&CHIPS, parameters);
    let (mut proof, values) = fixture.prove(5);
    let verifier = fixture.verifier();
    assert!(verifier.unpack(&proof, &values).is_ok());
    proof.opening_proof.query_pow_witness = F::ONE;
    assert!(!fixture.native_accepts(&proof, &values));
    let unpacked = verifier.unpack(&proof, &values);
    assert!(matches!(
        unpacked,
        Err(RecursionError::Grinding { bits: 0 })
    ));
}

#[test]
fn parts_of_another_shape_are_not_set() {
    let other = Fixture::new(&CHIPS[..3], PARAMETERS);
    let (proof, values) = other.prove(5);
    let parts = other.verifier().unpack(&proof, &values).unwrap();
    let mut witness = plonky2::iop::witness::PartialWitness::new();
    let set = CASE.circuit.proof.set_witness(&mut witness, &parts);
    assert!(matches!(set, Err(RecursionError::Length { .. })));
}
