//! How values are written in files for people: digests and addresses as hexadecimal text, 64-bit
//! integers as decimal text. In binary files they are the plain bytes.

pub mod element;
pub mod integer;

/// The most characters that [`excerpt`] keeps.
const EXCERPT: usize = 48;

/// Returns the start of a text from outside, to be shown: short, and without characters that do
/// something to a terminal.
#[must_use]
pub fn excerpt(text: &str) -> String {
    excerpt_of(text, EXCERPT)
}

/// [`excerpt`] of so many characters.
#[must_use]
pub fn excerpt_of(text: &str, length: usize) -> String {
    let is_plain = |c: &char| matches!(c, '"' | '\'' | '\\');
    let mut shown = String::new();
    for c in text.chars().take(length) {
        if is_plain(&c) {
            shown.push(c);
        } else {
            shown.extend(c.escape_debug());
        }
    }
    if text.chars().nth(length).is_some() {
        shown.push('…');
    }
    shown
}

/// Digests: the four elements as 8 little-endian bytes each, 64 hexadecimal digits together.
pub mod digest {
    use p3_field::{PrimeCharacteristicRing, PrimeField64};
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
    use thiserror::Error;

    use crate::field::{F, MODULUS, canonical};
    use crate::hash::Digest;

    /// A digest that is hexadecimal text in files for people.
    #[derive(Serialize, Deserialize)]
    pub struct Text(#[serde(with = "self")] pub Digest);

    /// Why text stands for no digest.
    #[derive(Clone, Copy, Debug, PartialEq, Error)]
    pub enum DigestError {
        /// Not 64 hexadecimal digits.
        #[error("found text that is no digest: {0}; expected 64 hexadecimal digits")]
        Hex(#[from] hex::FromHexError),
        /// An integer that is no canonical field element.
        #[error("element {index} of a digest is {found:#018x}, expected one below {MODULUS:#018x}")]
        NonCanonical {
            /// Which of the four elements it is.
            index: usize,
            /// The integer found.
            found: u64,
        },
    }

    /// Returns the text of a digest.
    #[must_use]
    pub fn to_hex(digest: &Digest) -> String {
        hex::encode(
            digest
                .map(|element| element.as_canonical_u64().to_le_bytes())
                .as_flattened(),
        )
    }

    /// Returns the digest of a text.
    ///
    /// # Errors
    /// Text that is not 64 hexadecimal digits, or an element that is not below the modulus.
    pub fn from_hex(text: &str) -> Result<Digest, DigestError> {
        let mut bytes = [[0; 8]; 4];
        hex::decode_to_slice(text, bytes.as_flattened_mut())?;
        let mut digest = [F::ZERO; 4];
        for (index, (element, bytes)) in digest.iter_mut().zip(bytes).enumerate() {
            let found = u64::from_le_bytes(bytes);
            *element = canonical(found).ok_or(DigestError::NonCanonical { index, found })?;
        }
        Ok(digest)
    }

    /// For `#[serde(with)]`.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&to_hex(digest))
        } else {
            digest.serialize(serializer)
        }
    }

    /// For `#[serde(with)]`.
    ///
    /// # Errors
    /// Those of the deserializer, and of [`from_hex`]; a non-canonical element in any format.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        if deserializer.is_human_readable() {
            from_hex(&String::deserialize(deserializer)?).map_err(de::Error::custom)
        } else {
            Digest::deserialize(deserializer)
        }
    }
}

/// Lists of digests, each as [`digest`] says.
pub mod digests {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::digest::Text;
    use crate::hash::Digest;

    /// For `#[serde(with)]`.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(digests: &[Digest], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(digests.iter().copied().map(Text))
    }

    /// For `#[serde(with)]`.
    ///
    /// # Errors
    /// Those of the deserializer and of [`digest::deserialize`](super::digest::deserialize).
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Digest>, D::Error> {
        let digests = Vec::<Text>::deserialize(deserializer)?;
        Ok(digests.into_iter().map(|Text(digest)| digest).collect())
    }
}

/// Lists of elements, each as [`element`] says.
pub mod elements {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::element::Element;
    use crate::field::F;

    /// For `#[serde(with)]`.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(elements: &[F], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(elements.iter().copied().map(Element))
    }

    /// For `#[serde(with)]`.
    ///
    /// # Errors
    /// Those of the deserializer and of [`element::deserialize`](super::element::deserialize).
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<F>, D::Error> {
        let elements = Vec::<Element>::deserialize(deserializer)?;
        Ok(elements
            .into_iter()
            .map(|Element(element)| element)
            .collect())
    }
}
