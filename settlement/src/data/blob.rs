//! Coefficients as a blob of EIP-4844: the values of their polynomial at the roots of unity.
//!
//! As everywhere the last of all coefficients is that of `x^0`. The values stand in the order of the
//! roots' exponents with their bits reversed.

use ark_bls12_381::Fr;
use ark_ff::AdditiveGroup as _;
use ark_poly::{EvaluationDomain as _, Radix2EvaluationDomain};

use super::{BLOB_COEFFICIENTS, COEFFICIENT_BYTES, bytes, element};

/// Returns the blob of up to [`BLOB_COEFFICIENTS`] coefficients; those that are missing are zero.
pub(super) fn write(coefficients: &[Fr]) -> Vec<u8> {
    let mut powers = coefficients.to_vec();
    powers.resize(BLOB_COEFFICIENTS, Fr::ZERO);
    powers.reverse();
    let values = domain().map(|domain| domain.fft(&powers));
    // The field has the roots: there are values.
    let values = in_blob_order(&values.unwrap_or_default());
    values.iter().flat_map(bytes).collect()
}

/// Returns the coefficients of a blob: as many as it has values.
pub(super) fn read(blob: &[u8]) -> Vec<Fr> {
    let (values, _) = blob.as_chunks::<COEFFICIENT_BYTES>();
    let values: Vec<_> = values.iter().map(element).collect();
    let powers = domain().map(|domain| domain.ifft(&in_blob_order(&values)));
    let mut coefficients = powers.unwrap_or_default();
    coefficients.reverse();
    coefficients
}

/// The roots of unity, so many as a blob has values.
fn domain() -> Option<Radix2EvaluationDomain<Fr>> {
    Radix2EvaluationDomain::new(BLOB_COEFFICIENTS)
}

/// Values in the order of their places with reversed bits; done twice, as they were.
fn in_blob_order(values: &[Fr]) -> Vec<Fr> {
    let unused = usize::BITS - BLOB_COEFFICIENTS.ilog2();
    let place = |i: usize| i.reverse_bits() >> unused;
    let values = (0..values.len()).filter_map(|i| values.get(place(i)).copied());
    values.collect()
}
