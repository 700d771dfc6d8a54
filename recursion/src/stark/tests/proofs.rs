//! Valid proofs: accepted natively, by the circuit, and by a plonky2 proof of it.

use plonky2::field::types::Field;
use plonky2::iop::witness::{PartialWitness, WitnessWrite};
use plonky2::plonk::circuit_data::{CircuitConfig, CircuitData};

use super::airs::Toy;
use super::fixture::{CHIPS, Case, Circuit, Fixture, PARAMETERS, satisfies};
use crate::config::StarkParameters;
use crate::plonk::PlonkConfig;
use crate::serializers::{Gates, Generators};
use crate::stark::{Builder, Word};

fn accepted_by_both(chips: &[Toy], parameters: StarkParameters) -> Case {
    let case = Case::new(Fixture::new(chips, parameters));
    assert!(
        case.fixture
            .native_accepts(&case.proof, &case.public_values)
    );
    assert!(case.circuit.accepts(&case.parts, &case.public_values));
    case
}

#[test]
fn a_valid_proof_is_accepted() {
    let case = accepted_by_both(&CHIPS, PARAMETERS);
    // One circuit takes any proof of its shape.
    let (proof, public_values) = case.fixture.prove(11);
    let verifier = case.fixture.verifier();
    let parts = verifier.unpack(&proof, &public_values).unwrap();
    assert!(case.circuit.accepts(&parts, &public_values));
    assert!(!case.circuit.accepts(&parts, &case.public_values));
}

#[test]
fn valid_proofs_are_accepted_at_other_parameters() {
    let binary_with_one_root = StarkParameters {
        log_blowup: 1,
        max_log_arity: 1,
        log_cap: 0,
        ..PARAMETERS
    };
    accepted_by_both(&CHIPS, binary_with_one_root);
    let last_round_as_low_as_a_cap_of_sixteen = StarkParameters {
        log_final_poly_len: 2,
        log_cap: 4,
        ..PARAMETERS
    };
    accepted_by_both(&CHIPS, last_round_as_low_as_a_cap_of_sixteen);
    let no_grinding = StarkParameters {
        log_blowup: 3,
        max_log_arity: 2,
        log_final_poly_len: 2,
        log_cap: 3,
        query_grinding: 0,
        fold_grinding: 0,
        batch_grinding: 0,
        point_grinding: 0,
        lookup_grinding: 0,
        ..PARAMETERS
    };
    accepted_by_both(&CHIPS, no_grinding);
}

#[test]
fn a_batch_without_lookups_or_preprocessed_columns_is_accepted() {
    let chips = [Toy::Wide { log_rows: 4 }, Toy::Wide { log_rows: 6 }];
    accepted_by_both(&chips, PARAMETERS);
    // Folds once by 4 and once by 16.
    let wider = StarkParameters {
        max_log_arity: 5,
        ..PARAMETERS
    };
    accepted_by_both(&chips, wider);
}

#[test]
fn a_circuit_from_disk_proves_what_the_verifier_accepts() {
    let case = accepted_by_both(&CHIPS, PARAMETERS);
    let bytes = case.circuit.circuit.to_bytes(&Gates, &Generators).unwrap();
    let circuit: Circuit =
        CircuitData::<_, PlonkConfig, 2>::from_bytes(&bytes, &Gates, &Generators).unwrap();
    let inputs = case.circuit.witness(&case.parts, &case.public_values);
    let proof = circuit.prove(inputs).unwrap();
    let public: Vec<_> = case.public_values.iter().flatten().copied().collect();
    let expected: Vec<_> = public.into_iter().map(crate::stark::word).collect();
    assert_eq!(proof.public_inputs, expected);
    case.circuit.circuit.verify(proof.clone()).unwrap();

    // And so does a circuit that verifies the circuit's proof.
    let mut builder = Builder::new(CircuitConfig::standard_recursion_config());
    let target = builder.add_virtual_proof_with_pis(&circuit.common);
    let key = builder.constant_verifier_data(&circuit.verifier_only);
    builder.verify_proof::<PlonkConfig>(&target, &key, &circuit.common);
    println!(
        "a proof of 2^{} rows takes {} rows",
        circuit.common.degree_bits(),
        builder.num_gates()
    );
    let outer = builder.build();
    let accepts = |proof: &_| {
        let mut inputs = PartialWitness::new();
        inputs.set_proof_with_pis_target(&target, proof).unwrap();
        satisfies(&outer, inputs)
    };
    assert!(accepts(&proof));
    let mut other = proof;
    other.public_inputs[0] += Word::ONE;
    assert!(!accepts(&other));
}
