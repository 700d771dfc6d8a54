//! Between the two libraries' types of the one field, and between statements and public inputs.
// The verifier's path runs through here.
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

use p3_field::PrimeField64 as _;
use plonky2::field::types::{Field as _, PrimeField64 as _};
use shardfold_protocol::data::{EVALUATION_ELEMENTS, Evaluation, Settlement};
use shardfold_protocol::field::{F, canonical};
use shardfold_protocol::head::{HEAD_ELEMENTS, Head, STATEMENT_ELEMENTS, Statement};

use crate::plonk::PlonkField;

/// Returns the same element in plonky2's type.
#[must_use]
pub fn to_plonk(element: F) -> PlonkField {
    PlonkField::from_canonical_u64(element.as_canonical_u64())
}

/// Returns the same element in Plonky3's type.
pub fn from_plonk(element: PlonkField) -> F {
    // A canonical value is below the modulus that both libraries share.
    canonical(element.to_canonical_u64()).unwrap_or_default()
}

/// Returns a statement as the first public inputs of a proof.
#[must_use]
pub fn statement_to_plonk(statement: &Statement) -> [PlonkField; STATEMENT_ELEMENTS] {
    statement.elements().map(to_plonk)
}

/// Returns the statement that stands at the start of a proof's public inputs, or `None` if there
/// are too few of them. Every list of [`STATEMENT_ELEMENTS`] elements is a statement.
#[must_use]
pub fn statement_from_plonk(public_inputs: &[PlonkField]) -> Option<Statement> {
    let (&chain_id, heads) = public_inputs.split_first()?;
    let (before, rest) = heads.split_first_chunk()?;
    let (after, _) = rest.split_first_chunk()?;
    Some(Statement {
        chain_id: chain_id.to_canonical_u64(),
        before: head_from_plonk(before),
        after: head_from_plonk(after),
    })
}

/// Returns the settlement that stands at the start of a proof's public inputs, or `None` if there are
/// too few of them, or the halves of the value's words are none.
#[must_use]
pub fn settlement_from_plonk(public_inputs: &[PlonkField]) -> Option<Settlement> {
    let (statement, rest) = public_inputs.split_at_checked(STATEMENT_ELEMENTS)?;
    let elements: &[PlonkField; EVALUATION_ELEMENTS] = rest.first_chunk()?;
    Some(Settlement {
        statement: statement_from_plonk(statement)?,
        evaluation: Evaluation::from_elements(&elements.map(from_plonk))?,
    })
}

fn head_from_plonk(elements: &[PlonkField; HEAD_ELEMENTS]) -> Head {
    Head::from_elements(&elements.map(from_plonk))
}

#[cfg(test)]
mod tests {
    use super::*;
    use p3_field::PrimeCharacteristicRing as _;
    use shardfold_protocol::field::MODULUS;

    #[test]
    fn elements_survive_the_round_trip() {
        for value in [0, 1, 1 << 32, MODULUS - 1] {
            let element = F::from_u64(value);
            assert_eq!(to_plonk(element).to_canonical_u64(), value);
            assert_eq!(from_plonk(to_plonk(element)), element);
        }
        // plonky2 keeps unreduced values inside: they convert to the reduced one.
        assert_eq!(
            from_plonk(PlonkField::from_noncanonical_u64(MODULUS + 5)),
            F::from_u64(5)
        );
    }

    #[test]
    fn statements_survive_the_round_trip() {
        let elements: [PlonkField; STATEMENT_ELEMENTS] =
            core::array::from_fn(|i| PlonkField::from_canonical_usize(i * i + 1));
        let statement = statement_from_plonk(&elements).unwrap();
        assert_eq!(statement_to_plonk(&statement), elements);
        assert!(statement_from_plonk(&elements[..STATEMENT_ELEMENTS - 1]).is_none());
    }
}
