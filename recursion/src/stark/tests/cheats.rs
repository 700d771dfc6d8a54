//! Proofs of false statements, made by a prover that follows the protocol: the openings are
//! right, so the constraints and the lookups alone refuse them.

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;

use super::fixture::{CHIPS, Fixture, PARAMETERS, VerifierCircuit};
use crate::config::F;

/// Tampers with the traces of the counter, the small numbers, the cubes and the wide table.
fn refused(
    fixture: &Fixture,
    circuit: &VerifierCircuit,
    name: &str,
    tamper: impl FnOnce(&mut [RowMajorMatrix<F>]),
) {
    let (proof, values) = fixture.prove_with(5, tamper);
    assert!(!fixture.native_accepts(&proof, &values), "{name}");
    let parts = fixture.verifier().unpack(&proof, &values);
    let parts = parts.expect("the openings are right");
    assert!(!circuit.accepts(&parts, &values), "{name}");
}

#[test]
fn false_statements_are_refused_by_the_constraints() {
    let fixture = Fixture::new(&CHIPS, PARAMETERS);
    let circuit = fixture.circuit();
    let cell = |name: &str, table: usize, i: usize| {
        refused(&fixture, &circuit, name, |traces| {
            traces[table].values[i] += F::ONE
        });
    };
    // The counter has 2 columns and 8 rows.
    cell("the first row is not the first public value", 0, 0);
    cell("a step of the counter in the middle", 0, 6);
    cell("the last row is not the last public value", 0, 14);
    cell("a cube in the counter", 0, 5);
    cell("a multiplicity: the lookups do not cancel", 1, 10);
    // The cubes have 5 columns and 32 rows.
    cell("a multiplicity of a cube", 2, 5 * 6 + 1);
    cell("a product with the periodic column", 2, 5 * 7 + 2);
    cell("a column that is no permutation", 2, 5 * 8 + 3);
    cell("a product with the next preprocessed row", 2, 5 * 9 + 4);
    cell("a wide row", 3, 90 * 3 + 88);
    // On the last row the step to the next one is free.
    let free = |traces: &mut [RowMajorMatrix<F>]| traces[2].values[5 * 31 + 4] += F::ONE;
    let (proof, values) = fixture.prove_with(5, free);
    assert!(fixture.native_accepts(&proof, &values));
    let parts = fixture.verifier().unpack(&proof, &values).unwrap();
    assert!(circuit.accepts(&parts, &values));
}

#[test]
fn lookups_that_cancel_between_other_buses_only_are_refused() {
    let fixture = Fixture::new(&CHIPS, PARAMETERS);
    let circuit = fixture.circuit();
    // One number is asked for once less on the bus of the small ones and another once more.
    refused(&fixture, &circuit, "small", |traces| {
        traces[1].values[6] -= F::ONE;
        traces[1].values[7] += F::ONE;
    });
    // A cube is given out once more, a small number once less: the counts cancel, the messages
    // do not.
    refused(&fixture, &circuit, "two buses", |traces| {
        traces[1].values[6] -= F::ONE;
        traces[2].values[5 * 6 + 1] += F::ONE;
    });
}
