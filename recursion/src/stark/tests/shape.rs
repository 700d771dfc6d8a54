//! Shapes that no circuit is built for.

use super::airs::Toy;
use super::fixture::{CHIPS, Fixture, PARAMETERS};
use crate::config::StarkParameters;
use crate::stark::{ProofShape, RecursionError};

fn shape(log_rows: &[usize], parameters: StarkParameters) -> Result<ProofShape, RecursionError> {
    let fixture = Fixture::new(&CHIPS, PARAMETERS);
    ProofShape::new(&CHIPS, log_rows, &fixture.data.common, parameters)
}

fn log_rows() -> Vec<usize> {
    CHIPS.iter().map(Toy::log_rows).collect()
}

#[test]
fn preprocessed_columns_of_another_height_are_refused() {
    assert!(shape(&log_rows(), PARAMETERS).is_ok());
    let mut other = log_rows();
    other[1] += 1;
    let error = shape(&other, PARAMETERS).unwrap_err();
    assert!(matches!(
        error,
        RecursionError::Unsupported {
            found: 6,
            minimum: 7,
            ..
        }
    ));
}

#[test]
fn preprocessed_columns_under_another_cap_are_refused() {
    let one_root = StarkParameters {
        log_cap: 0,
        ..PARAMETERS
    };
    let error = shape(&log_rows(), one_root).unwrap_err();
    assert!(matches!(
        error,
        RecursionError::Length {
            part: "roots of the preprocessed commitment",
            expected: 1,
            found: 4,
        }
    ));
}

#[test]
fn a_periodic_column_longer_than_its_table_is_refused() {
    let mut other = log_rows();
    other[2] = 1;
    let error = shape(&other, PARAMETERS).unwrap_err();
    assert!(matches!(
        error,
        RecursionError::Period {
            table: 2,
            period: 4
        }
    ));
}

#[test]
fn tables_and_heights_must_be_as_many() {
    let error = shape(&log_rows()[1..], PARAMETERS).unwrap_err();
    assert!(matches!(
        error,
        RecursionError::Length {
            expected: 4,
            found: 3,
            ..
        }
    ));
}

#[test]
fn parameters_that_prove_nothing_are_refused() {
    let refused = |parameters| {
        let error = shape(&log_rows(), parameters).unwrap_err();
        assert!(matches!(error, RecursionError::Unsupported { .. }));
    };
    refused(StarkParameters {
        queries: 0,
        ..PARAMETERS
    });
    refused(StarkParameters {
        log_blowup: 0,
        ..PARAMETERS
    });
    refused(StarkParameters {
        max_log_arity: 0,
        ..PARAMETERS
    });
    // More bits than one sample gives in a form that is checked.
    refused(StarkParameters {
        query_grinding: 33,
        ..PARAMETERS
    });
    // A table that is shorter than the final polynomial is never folded in.
    refused(StarkParameters {
        log_final_poly_len: 4,
        ..PARAMETERS
    });
}
