//! Integers that are canonical field elements, as counts and chain ids: as [`integer`] writes
//! them, and refused in any form unless they are below the field's order.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::integer;
use crate::field::{F, MODULUS, canonical};
use p3_field::PrimeField64;

/// A field element that is written and read as this module says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element(pub F);

impl Serialize for Element {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(&self.0.as_canonical_u64(), serializer)
    }
}

impl<'de> Deserialize<'de> for Element {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        element(integer::deserialize(deserializer)?).map(Self)
    }
}

/// For `#[serde(with)]`.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    integer::serialize(value, serializer)
}

/// For `#[serde(with)]`.
///
/// # Errors
/// Those of [`integer::deserialize`]; an integer that is not below the field's order.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let value = integer::deserialize(deserializer)?;
    element(value).map(|_| value)
}

fn element<E: de::Error>(found: u64) -> Result<F, E> {
    canonical(found).ok_or_else(|| {
        E::custom(format_args!(
            "found the integer {found}, expected one below {MODULUS}"
        ))
    })
}
