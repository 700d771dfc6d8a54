//! Whole proofs: valid ones are accepted, and each kind of damage is refused.

use std::sync::LazyLock;

use p3_field::PrimeCharacteristicRing;

use super::fixture::{CHIPS, Fixture, PARAMETERS, VerifierCircuit};
use crate::config::{F, StarkParameters, StarkProof};
use crate::recursion::ProofParts;

struct Case {
    fixture: Fixture,
    circuit: VerifierCircuit,
    proof: StarkProof,
    public_values: Vec<Vec<F>>,
    parts: ProofParts<F>,
}

impl Case {
    fn new(fixture: Fixture) -> Self {
        let circuit = fixture.circuit();
        let (proof, public_values) = fixture.prove(5);
        let parts = fixture.verifier().unpack(&proof, &public_values).unwrap();
        Self {
            fixture,
            circuit,
            proof,
            public_values,
            parts,
        }
    }
}

static CASE: LazyLock<Case> = LazyLock::new(|| Case::new(Fixture::new(&CHIPS, PARAMETERS)));

fn accepted_by_both(parameters: StarkParameters) {
    let case = Case::new(Fixture::new(&CHIPS, parameters));
    assert!(
        case.fixture
            .native_accepts(&case.proof, &case.public_values)
    );
    assert!(case.circuit.accepts(&case.parts, &case.public_values));
}

#[test]
fn a_valid_proof_is_accepted() {
    let Case {
        fixture,
        circuit,
        proof,
        public_values,
        parts,
    } = &*CASE;
    assert!(fixture.native_accepts(proof, public_values));
    assert!(circuit.accepts(parts, public_values));
}

#[test]
fn valid_proofs_are_accepted_at_other_parameters() {
    accepted_by_both(StarkParameters {
        max_log_arity: 1,
        ..PARAMETERS
    });
    accepted_by_both(StarkParameters {
        log_blowup: 3,
        max_log_arity: 2,
        log_final_poly_len: 2,
        query_grinding: 0,
        fold_grinding: 0,
        batch_grinding: 0,
        point_grinding: 0,
        lookup_grinding: 0,
        ..PARAMETERS
    });
}
