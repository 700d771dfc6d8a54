//! The body of a transaction as elements, in the order in which its contract reads them.

use core::ops::Deref;

use p3_field::PrimeCharacteristicRing;

use crate::field::F;

/// The most elements of a body.
pub const MAX_WORDS: usize = 16;

/// The elements of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    elements: [F; MAX_WORDS],
    length: usize,
}

impl Words {
    /// Returns the elements of these parts, one after the other; at most [`MAX_WORDS`].
    pub(super) fn new<const N: usize>(parts: [&[F]; N]) -> Self {
        let mut words = Self {
            elements: [F::ZERO; MAX_WORDS],
            length: 0,
        };
        for part in parts {
            let end = words.length + part.len();
            words.elements[words.length..end].copy_from_slice(part);
            words.length = end;
        }
        words
    }
}

impl Deref for Words {
    type Target = [F];

    fn deref(&self) -> &[F] {
        &self.elements[..self.length]
    }
}
