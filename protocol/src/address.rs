//! Addresses on a base chain.

use p3_field::{PrimeCharacteristicRing, PrimeField64};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::field::F;

/// Bytes of an address.
pub const ADDRESS_BYTES: usize = 20;

/// An address on a base chain. In files for people it is 40 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub [u8; ADDRESS_BYTES]);

impl Address {
    /// Returns the address as three elements of 7, 7 and 6 bytes, little-endian.
    pub fn elements(&self) -> [F; 3] {
        let element = |bytes: &[u8]| {
            let mut padded = [0; 8];
            padded[..bytes.len()].copy_from_slice(bytes);
            F::from_u64(u64::from_le_bytes(padded))
        };
        let Self(bytes) = self;
        [
            element(&bytes[..7]),
            element(&bytes[7..14]),
            element(&bytes[14..]),
        ]
    }

    /// Returns the address of these elements, if there is one.
    #[must_use]
    pub fn from_elements(elements: [F; 3]) -> Option<Self> {
        let mut bytes = [0; ADDRESS_BYTES];
        for (element, place) in elements.into_iter().zip(bytes.chunks_mut(7)) {
            let element = element.as_canonical_u64().to_le_bytes();
            let (low, high) = element.split_at(place.len());
            place.copy_from_slice(low);
            if high.iter().any(|&byte| byte != 0) {
                return None;
            }
        }
        Some(Self(bytes))
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(bytes) = self;
        if serializer.is_human_readable() {
            serializer.serialize_str(&hex::encode(bytes))
        } else {
            bytes.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return <[u8; ADDRESS_BYTES]>::deserialize(deserializer).map(Self);
        }
        let mut bytes = [0; ADDRESS_BYTES];
        hex::decode_to_slice(String::deserialize(deserializer)?, &mut bytes).map_err(|error| {
            de::Error::custom(format_args!(
                "found text that is no address: {error}; expected 40 hexadecimal digits"
            ))
        })?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_its_place_in_the_elements() {
        for place in 0..ADDRESS_BYTES {
            let mut bytes = [0; ADDRESS_BYTES];
            bytes[place] = 0xab;
            let mut expected = [F::ZERO; 3];
            expected[place / 7] = F::from_u64(0xab << (8 * (place % 7)));
            assert_eq!(Address(bytes).elements(), expected, "byte {place}");
            assert_eq!(Address::from_elements(expected), Some(Address(bytes)));
            // An element with more bytes is of no address.
            let mut longer = expected;
            longer[2] += F::from_u64(1 << 48);
            assert_eq!(Address::from_elements(longer), None);
        }
    }
}
