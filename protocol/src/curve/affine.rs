//! Group elements in affine form, as the chips hold them, and their wire format.

use core::ops::Neg;

use p3_field::{Field, PrimeCharacteristicRing, PrimeField64};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::encoding::{DecodeError, canonical_elements, words_from_hex, words_to_hex};
use super::field5::{A, B, F5, elements, is_nonzero_square, mul_b, sqrt};

/// A point (x, y) of the curve, neither infinity nor (0, 0); an element of the group when
/// [`is_in_group`](Self::is_in_group) holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AffinePoint {
    /// A nonzero square for every element of the group.
    pub x: F5,
    /// A root of x (x^2 + a x + b).
    pub y: F5,
}

impl AffinePoint {
    /// Returns whether y^2 = x (x^2 + a x + b).
    #[must_use]
    pub fn is_on_curve(&self) -> bool {
        self.y.square() == self.x * (self.x * (self.x + A) + B)
    }

    /// Returns whether this is an element of the group: on the curve, x a nonzero square.
    #[must_use]
    pub fn is_in_group(&self) -> bool {
        self.is_on_curve() && is_nonzero_square(&self.x)
    }

    /// Returns the encoding w = -y/x; zero, the neutral element's, where x is zero, which no
    /// element of the group has.
    pub fn encode(&self) -> F5 {
        -self.y * self.x.try_inverse().unwrap_or(F5::ZERO)
    }

    /// Returns the group element of an encoding; `None` of the neutral element's encoding, zero,
    /// and of a w that encodes nothing.
    #[must_use]
    pub fn decode(w: F5) -> Option<Self> {
        // The roots of x^2 - (w^2 - a) x + b; for w = 0 the discriminant is no square.
        let sum = w.square() - A;
        let discriminant = sum.square() - mul_b(&F5::from_u8(4));
        let difference = sqrt(&discriminant)?;
        let first = (sum + difference).halve();
        let x = if is_nonzero_square(&first) {
            first
        } else {
            first - difference
        };
        Some(Self { x, y: -w * x })
    }

    /// Returns the slope (y2 - y1) / (x2 - x1) of the chord through two points; `None` where their
    /// x are equal.
    #[must_use]
    pub fn add_slope(&self, other: &Self) -> Option<F5> {
        Some((other.y - self.y) * (other.x - self.x).try_inverse()?)
    }

    /// Returns the slope (3 x^2 + 2 a x + b) / (2 y) of the tangent; `None` where y is zero, which
    /// no element of the group has.
    #[must_use]
    pub fn double_slope(&self) -> Option<F5> {
        Some(self.tangent_numerator() * self.y.double().try_inverse()?)
    }

    /// Returns the numerator 3 x^2 + 2 a x + b of the tangent's slope, whose denominator is 2 y.
    pub fn tangent_numerator(&self) -> F5 {
        let xx = self.x.square();
        // 2 a = 4.
        xx.double() + xx + self.x.double().double() + B
    }

    /// Returns the sum of two points given the slope l of the line through them (the tangent's when
    /// they are equal): x3 = l^2 - a - x1 - x2, y3 = l (x1 - x3) - y1.
    pub fn add_with_slope(&self, other: &Self, slope: F5) -> Self {
        let x = slope.square() - A - self.x - other.x;
        Self {
            x,
            y: slope * (self.x - x) - self.y,
        }
    }

    /// Returns the sum of two points with different x; `None` where x is the same.
    #[must_use]
    pub fn add_affine(&self, other: &Self) -> Option<Self> {
        Some(self.add_with_slope(other, self.add_slope(other)?))
    }

    /// Twice this point; `None` where y is zero, which no element of the group has.
    #[must_use]
    pub fn double(&self) -> Option<Self> {
        Some(self.add_with_slope(self, self.double_slope()?))
    }

    /// Returns the wire format: the canonical coefficients of x, then those of w.
    #[must_use]
    pub fn to_words(&self) -> [u64; 10] {
        let (x, w) = (words(&self.x), words(&self.encode()));
        core::array::from_fn(|i| if i < 5 { x[i] } else { w[i - 5] })
    }

    /// Reads the wire format, without a square root: whatever comes back is in the group.
    ///
    /// # Errors
    /// An element at or above p, x zero or not a square, or w that does not belong to x.
    pub fn from_words(words: &[u64; 10]) -> Result<Self, DecodeError> {
        let [x0, x1, x2, x3, x4, w0, w1, w2, w3, w4] = *words;
        let (x_words, w_words) = ([x0, x1, x2, x3, x4], [w0, w1, w2, w3, w4]);
        let x = F5::new(canonical_elements(x_words, 0)?);
        let w = F5::new(canonical_elements(w_words, 5)?);
        if !is_nonzero_square(&x) {
            return Err(DecodeError::NotInGroup { found: x_words });
        }
        if !(x.square() + (A - w.square()) * x + B).is_zero() {
            return Err(DecodeError::NotOnCurve {
                x: x_words,
                found: w_words,
            });
        }
        Ok(Self { x, y: -w * x })
    }
}

/// The canonical coefficients of an element as integers.
fn words(value: &F5) -> [u64; 5] {
    elements(value).map(|c| c.as_canonical_u64())
}

impl Neg for AffinePoint {
    type Output = Self;

    fn neg(self) -> Self {
        Self {
            x: self.x,
            y: -self.y,
        }
    }
}

/// 80 bytes of little-endian words, in human-readable formats as hexadecimal text.
impl Serialize for AffinePoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&words_to_hex(&self.to_words()))
        } else {
            self.to_words().map(u64::to_le_bytes).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for AffinePoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = if deserializer.is_human_readable() {
            words_from_hex(&String::deserialize(deserializer)?).map_err(de::Error::custom)?
        } else {
            <[[u8; 8]; 10]>::deserialize(deserializer)?.map(u64::from_le_bytes)
        };
        Self::from_words(&words).map_err(de::Error::custom)
    }
}
