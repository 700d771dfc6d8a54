//! Group elements in fractional coordinates: complete formulas without inversions.
//!
//! An element (x, y) is held as x = X/Z and x/y = U/T; the neutral one is X/Z = 1/0 and
//! U/T = 0/1. These are Pornin's (x, u) coordinates and formulas (ePrint 2022/274, section 4)
//! carried over from his representative P + N to P itself: there X and Z change places, b
//! moves from one to the other, and u changes its sign. They have no special cases inside the
//! group; on points outside of it they mean nothing. Everything here takes variable time.

use core::ops::{Add, Mul, Neg, Sub};
use std::sync::LazyLock;

use p3_field::{Field, PrimeCharacteristicRing, batch_multiplicative_inverse_general};

use super::affine::AffinePoint;
use super::field5::{F5, mul_b};
use super::packed::{LANES, PackedF5};
use super::scalar::Scalar;

/// The conventional generator: the group element whose encoding is w = 4.
pub static GENERATOR: LazyLock<AffinePoint> =
    LazyLock::new(|| AffinePoint::decode(F5::from_u8(4)).expect("4 encodes the generator"));

/// What coordinates are: an element of GF(p^5), or several of them in SIMD lanes.
pub trait Coordinate:
    Copy + Add<Output = Self> + Sub<Output = Self> + Neg<Output = Self> + Mul<Output = Self>
{
    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;

    /// The sum with itself.
    #[must_use]
    fn double(&self) -> Self;

    /// The square.
    #[must_use]
    fn square(&self) -> Self;

    /// The product with the curve's coefficient b.
    #[must_use]
    fn mul_b(&self) -> Self;
}

impl Coordinate for F5 {
    const ZERO: Self = <Self as PrimeCharacteristicRing>::ZERO;
    const ONE: Self = <Self as PrimeCharacteristicRing>::ONE;

    fn double(&self) -> Self {
        PrimeCharacteristicRing::double(self)
    }

    fn square(&self) -> Self {
        PrimeCharacteristicRing::square(self)
    }

    fn mul_b(&self) -> Self {
        mul_b(self)
    }
}

impl Coordinate for PackedF5 {
    const ZERO: Self = Self::ZERO;
    const ONE: Self = Self::ONE;

    #[inline]
    fn double(&self) -> Self {
        self.double()
    }

    #[inline]
    fn square(&self) -> Self {
        self.square()
    }

    #[inline]
    fn mul_b(&self) -> Self {
        self.mul_b()
    }
}

/// An element of the group, the neutral one included, in fractional coordinates.
#[derive(Clone, Copy, Debug)]
pub struct Point<C = F5> {
    x: C,
    z: C,
    u: C,
    t: C,
}

impl<C: Coordinate> Point<C> {
    /// The neutral element.
    pub const NEUTRAL: Self = Self {
        x: C::ONE,
        z: C::ZERO,
        u: C::ZERO,
        t: C::ONE,
    };

    /// Twice this element, in 4 multiplications and 5 squarings.
    #[inline]
    #[must_use]
    pub fn double(&self) -> Self {
        let xt = self.x * self.t;
        let xtt = xt * self.t;
        let xtu = xt * self.u;
        let w = xtt - (self.x + self.z.mul_b()).double() * self.u.square();
        let ww = w.square();
        let xtu_squared = xtu.square();
        let z = xtu_squared.double().double();
        Self {
            x: ww,
            z,
            u: (w + xtu).square() - xtu_squared - ww,
            t: xtt.square().double() - z - ww,
        }
    }

    /// Returns the element of affine coordinates.
    pub fn from_coordinates(x: C, y: C) -> Self {
        let z = C::ONE;
        Self { x, z, u: x, t: y }
    }

    /// Complete addition of the element with affine coordinates (x, y), in 9 multiplications.
    #[inline]
    pub fn add_coordinates(&self, x: C, y: C) -> Self {
        let xx = self.x * x;
        let uu = self.u * x;
        let tt = self.t * y;
        let xz = self.x + self.z * x;
        let ut = (self.u + self.t) * (x + y) - uu - tt;
        sum_of_products(xx, self.z, uu, tt, xz, ut)
    }

    /// Returns the multiple by an integer given by its digits of four bits, highest first. What a
    /// digit multiplies by is chosen from the multiples by 0 to 15.
    #[inline]
    pub fn mul_digits<D>(
        &self,
        mut digits: impl Iterator<Item = D>,
        choose: impl Fn(&[Self; 16], D) -> Self,
    ) -> Self {
        let mut multiples = [Self::NEUTRAL; 16];
        for i in 1..16 {
            multiples[i] = if i % 2 == 0 {
                multiples[i / 2].double()
            } else {
                multiples[i - 1] + *self
            };
        }
        let highest = digits.next();
        let start = highest.map_or(Self::NEUTRAL, |digit| choose(&multiples, digit));
        digits.fold(start, |sum, digit| {
            sum.double().double().double().double() + choose(&multiples, digit)
        })
    }

    /// Returns the difference of the cross products u1 t2 - u2 t1: zero when the elements are
    /// equal.
    pub fn difference(&self, other: &Self) -> C {
        self.u * other.t - other.u * self.t
    }
}

impl Point<PackedF5> {
    /// Returns the same element in each lane.
    pub fn broadcast(point: &Point) -> Self {
        let [x, z, u, t] = [point.x, point.z, point.u, point.t].map(PackedF5::from);
        Self { x, z, u, t }
    }

    /// In each lane, the element of that lane which stands at its index in a table.
    #[inline]
    pub fn select(table: &[Self], indices: &[usize; LANES]) -> Self {
        Self {
            x: PackedF5::from_fn(|lane| table[indices[lane]].x.lane(lane)),
            z: PackedF5::from_fn(|lane| table[indices[lane]].z.lane(lane)),
            u: PackedF5::from_fn(|lane| table[indices[lane]].u.lane(lane)),
            t: PackedF5::from_fn(|lane| table[indices[lane]].t.lane(lane)),
        }
    }
}

impl Point {
    /// Returns whether this is the neutral element.
    #[must_use]
    pub fn is_neutral(&self) -> bool {
        self.u.is_zero()
    }

    /// Returns the multiple by a scalar.
    #[must_use]
    pub fn mul(&self, scalar: &Scalar) -> Self {
        self.mul_words(&scalar.words())
    }

    /// Returns the multiple by a 128-bit integer.
    #[must_use]
    pub fn mul_u128(&self, factor: u128) -> Self {
        self.mul_words(&[factor as u64, (factor >> 64) as u64])
    }

    /// The multiple by an integer of 64-bit words, lowest first.
    fn mul_words(&self, words: &[u64]) -> Self {
        let digits_of = |word: &u64| {
            let word = *word;
            (0..16).rev().map(move |i| (word >> (4 * i)) as usize % 16)
        };
        let digits = words.iter().rev().flat_map(digits_of);
        self.mul_digits(digits, |multiples, digit| multiples[digit])
    }

    /// Returns the affine form; `None` of the neutral element.
    #[must_use]
    pub fn to_affine(&self) -> Option<AffinePoint> {
        batch_to_affine(&[*self]).map(|points| points[0])
    }
}

/// Returns the affine forms of many elements with one inversion; `None` if one of them is neutral.
///
/// On the calling thread alone: constants are made with it, and what initialises a `LazyLock`
/// must not use rayon. It would wait for workers that may be waiting for the constant.
#[must_use]
pub fn batch_to_affine(points: &[Point]) -> Option<Vec<AffinePoint>> {
    if points.iter().any(Point::is_neutral) {
        return None;
    }
    let denominators: Vec<F5> = points.iter().map(|p| p.z * p.u).collect();
    let mut inverses = F5::zero_vec(denominators.len());
    batch_multiplicative_inverse_general(&denominators, &mut inverses, |product| product.inverse());
    let affine = |(p, inverse): (&Point, F5)| {
        let factor = p.x * inverse;
        AffinePoint {
            x: factor * p.u,
            y: factor * p.t,
        }
    };
    Some(points.iter().zip(inverses).map(affine).collect())
}

impl From<AffinePoint> for Point {
    fn from(point: AffinePoint) -> Self {
        Self::from_coordinates(point.x, point.y)
    }
}

/// Complete addition, in 10 multiplications.
impl<C: Coordinate> Add for Point<C> {
    type Output = Self;

    #[inline]
    fn add(self, other: Self) -> Self {
        let xx = self.x * other.x;
        let zz = self.z * other.z;
        let uu = self.u * other.u;
        let tt = self.t * other.t;
        let xz = (self.x + self.z) * (other.x + other.z) - xx - zz;
        let ut = (self.u + self.t) * (other.u + other.t) - uu - tt;
        sum_of_products(xx, zz, uu, tt, xz, ut)
    }
}

/// Complete addition of an element in affine form, in 9 multiplications.
impl Add<AffinePoint> for Point {
    type Output = Self;

    fn add(self, other: AffinePoint) -> Self {
        self.add_coordinates(other.x, other.y)
    }
}

/// The sum of two elements from the products of their coordinates: X1 X2, Z1 Z2, U1 U2, T1 T2,
/// X1 Z2 + X2 Z1 and U1 T2 + U2 T1.
#[inline]
fn sum_of_products<C: Coordinate>(xx: C, zz: C, uu: C, tt: C, xz: C, ut: C) -> Point<C> {
    let b_zz = zz.mul_b();
    let plus = xx + b_zz;
    let left = tt * plus;
    let right = uu * (xz.mul_b() + plus).double();
    Point {
        x: left - right,
        z: (tt + uu.double()) * (xz + plus) - left,
        u: ut * (xx - b_zz),
        t: left + right,
    }
}

impl<C: Coordinate> Neg for Point<C> {
    type Output = Self;

    fn neg(self) -> Self {
        Self { u: -self.u, ..self }
    }
}

/// Two elements are equal when their y/x = T/U are.
impl PartialEq for Point {
    fn eq(&self, other: &Self) -> bool {
        self.difference(other).is_zero()
    }
}

impl Eq for Point {}
