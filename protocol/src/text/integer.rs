//! 64-bit integers: decimal text. Many JSON tools keep a number as a double, which is exact
//! below 2^53 only. A JSON number is read as well, if it is an integer.

use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::excerpt;

/// An integer that is written and read as this module says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Integer(#[serde(with = "self")] pub u64);

/// For `#[serde(with)]`.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        serializer.collect_str(value)
    } else {
        serializer.serialize_u64(*value)
    }
}

/// For `#[serde(with)]`.
///
/// # Errors
/// Those of the deserializer; text other than decimal digits, a number with a sign, a point or
/// an exponent, an integer of 2^64 or more.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    if deserializer.is_human_readable() {
        deserializer.deserialize_any(TextOrNumber)
    } else {
        u64::deserialize(deserializer)
    }
}

struct TextOrNumber;

impl de::Visitor<'_> for TextOrNumber {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "an integer below 2^64 as decimal text or as a number without point and exponent",
        )
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<u64, E> {
        Ok(value)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<u64, E> {
        // The parser would take a plus sign as well.
        let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit());
        let value = is_decimal.then(|| text.parse().ok()).flatten();
        value.ok_or_else(|| E::invalid_value(de::Unexpected::Str(&excerpt(text)), &self))
    }
}
