//! Integers modulo the order n of the group.

use core::cmp::Ordering;
use core::ops::{Add, Mul, Neg, Sub};

use p3_field::PrimeField64;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::field::{F, MODULUS};

use super::encoding::{DecodeError, words_from_hex, words_to_hex};
use super::parameters::{ORDER, WINDOW_BITS, WINDOWS};

/// An integer below n.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scalar {
    /// 64-bit words, lowest first.
    words: [u64; 5],
}

impl Scalar {
    /// Zero.
    pub const ZERO: Self = Self { words: [0; 5] };
    /// One.
    pub const ONE: Self = Self {
        words: [1, 0, 0, 0, 0],
    };

    /// Returns the scalar of 64-bit words, lowest first.
    ///
    /// # Errors
    /// [`DecodeError::ScalarOutOfRange`] at or above n.
    pub fn from_words(words: [u64; 5]) -> Result<Self, DecodeError> {
        match words.iter().rev().cmp(ORDER.iter().rev()) {
            Ordering::Less => Ok(Self { words }),
            _ => Err(DecodeError::ScalarOutOfRange { found: words }),
        }
    }

    /// Returns the 64-bit words, lowest first.
    #[must_use]
    pub const fn words(&self) -> [u64; 5] {
        self.words
    }

    /// Returns the scalar of 40 little-endian bytes.
    ///
    /// # Errors
    /// [`DecodeError::ScalarOutOfRange`] at or above n.
    pub fn from_bytes(bytes: [u8; 40]) -> Result<Self, DecodeError> {
        let mut words = [[0; 8]; 5];
        words.as_flattened_mut().copy_from_slice(&bytes);
        Self::from_words(words.map(u64::from_le_bytes))
    }

    /// 40 little-endian bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 40] {
        let mut bytes = [0; 40];
        bytes.copy_from_slice(self.words.map(u64::to_le_bytes).as_flattened());
        bytes
    }

    /// Returns the scalar of eight uniform field elements, read as digits in base p and reduced:
    /// less than 2^-190 away from uniform.
    #[must_use]
    pub fn from_uniform(digits: &[F; 8]) -> Self {
        let mut number = [0_u64; 10];
        for digit in digits.iter().rev() {
            let mut carry = digit.as_canonical_u64();
            for word in &mut number {
                (*word, carry) = word.carrying_mul(MODULUS, carry);
            }
        }
        Self::reduce(&number)
    }

    /// Returns an integer of ten 64-bit words, lowest first, modulo n.
    #[must_use]
    pub fn reduce(number: &[u64; 10]) -> Self {
        let (low, high) = number.split_at(5);
        let half = |words: &[u64]| core::array::from_fn(|i| words[i]);
        let low = montgomery(&half(low), &R);
        low + montgomery(&half(high), &R_SQUARED)
    }

    /// `self` or `self - n`, whichever is below n; `self` is below 2 n.
    fn subtract_order(self) -> Self {
        let (words, borrow) = sub_words(&self.words, &ORDER);
        if borrow { self } else { Self { words } }
    }

    /// Window `index` of [`WINDOWS`], lowest first: bits `10 * index .. 10 * index + 10`.
    ///
    /// # Panics
    /// For an index beyond the last window.
    #[must_use]
    pub fn window(&self, index: usize) -> u16 {
        assert!(index < WINDOWS, "window {index} of {WINDOWS}");
        let (word, shift) = (index * WINDOW_BITS / 64, index * WINDOW_BITS % 64);
        let next = self.words.get(word + 1).copied().unwrap_or(0);
        let bits = (u128::from(next) << 64 | u128::from(self.words[word])) >> shift;
        bits as u16 % (1 << WINDOW_BITS)
    }
}

/// 2^320 modulo n.
const R: [u64; 5] = [
    0x2fe0_4cd2_d6e8_003e,
    0x2eef_478c_51b6_bec6,
    0x0000_0032_608f_f38c,
    0x0000_001d_ffff_ffd3,
    0x0000_0004_ffff_fff1,
];

/// 2^640 modulo n.
const R_SQUARED: [u64; 5] = [
    0xa010_01dc_e33d_c739,
    0x6c32_28d3_3f62_accf,
    0xd1d7_96cc_91cf_8525,
    0xaadf_ff5d_1574_c1d8,
    0x4aca_13b2_8ca2_51f5,
];

/// -1/n modulo 2^64.
const MINUS_INVERSE: u64 = 0xd78b_ef72_057b_7bdf;

/// `left * right / 2^320` modulo n, for any `left` and for `right` below n, word by word
/// (Montgomery, "Modular multiplication without trial division", 1985).
fn montgomery(left: &[u64; 5], right: &[u64; 5]) -> Scalar {
    // Below right + n < 2^320 after each step.
    let mut sum = [0; 5];
    for word in left {
        let (low, mut carry) = word.carrying_mul_add(right[0], sum[0], 0);
        let factor = low.wrapping_mul(MINUS_INVERSE);
        let (_, mut order_carry) = factor.carrying_mul_add(ORDER[0], low, 0);
        for i in 1..5 {
            let product;
            (product, carry) = word.carrying_mul_add(right[i], sum[i], carry);
            (sum[i - 1], order_carry) = factor.carrying_mul_add(ORDER[i], product, order_carry);
        }
        sum[4] = carry + order_carry;
    }
    Scalar { words: sum }.subtract_order()
}

/// `left + right` and the carry out of the highest word.
fn add_words(left: &[u64; 5], right: &[u64; 5]) -> ([u64; 5], bool) {
    let mut carry = false;
    let sum = core::array::from_fn(|i| {
        let word;
        (word, carry) = left[i].carrying_add(right[i], carry);
        word
    });
    (sum, carry)
}

/// `left - right` and the borrow out of the highest word.
fn sub_words(left: &[u64; 5], right: &[u64; 5]) -> ([u64; 5], bool) {
    let mut borrow = false;
    let difference = core::array::from_fn(|i| {
        let word;
        (word, borrow) = left[i].borrowing_sub(right[i], borrow);
        word
    });
    (difference, borrow)
}

impl From<u128> for Scalar {
    fn from(value: u128) -> Self {
        Self {
            words: [value as u64, (value >> 64) as u64, 0, 0, 0],
        }
    }
}

impl Add for Scalar {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        // 2 n is below 2^320, so the sum has no carry.
        let (words, _) = add_words(&self.words, &other.words);
        Self { words }.subtract_order()
    }
}

impl Sub for Scalar {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        let (difference, borrow) = sub_words(&self.words, &other.words);
        let words = if borrow {
            add_words(&difference, &ORDER).0
        } else {
            difference
        };
        Self { words }
    }
}

impl Neg for Scalar {
    type Output = Self;

    fn neg(self) -> Self {
        Self::ZERO - self
    }
}

impl Mul for Scalar {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let quotient = montgomery(&self.words, &other.words);
        montgomery(&quotient.words, &R_SQUARED)
    }
}

/// 40 little-endian bytes, in human-readable formats as hexadecimal text.
impl Serialize for Scalar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&words_to_hex(&self.words))
        } else {
            self.words.map(u64::to_le_bytes).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = if deserializer.is_human_readable() {
            words_from_hex(&String::deserialize(deserializer)?).map_err(de::Error::custom)?
        } else {
            <[[u8; 8]; 5]>::deserialize(deserializer)?.map(u64::from_le_bytes)
        };
        Self::from_words(words).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
