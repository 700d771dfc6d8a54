//! Affine arithmetic on y^2 = x (x^2 + a x + b) over the expressions of a constraint.
//!
//! The names follow the chord-and-tangent law: the line of some slope through two points of
//! the curve meets it in a third, whose negative is their sum.

use p3_field::{Algebra, Field, PrimeCharacteristicRing, batch_multiplicative_inverse};
use shardfold_protocol::curve::{A, AffinePoint, B, F5, elements};

use super::quintic::Quintic;
use crate::bus::Point;
use crate::error::TraceError;
use shardfold_protocol::field::F;

/// A point (x, y).
#[derive(Clone, Debug)]
pub struct PointExpr<E> {
    /// x.
    pub x: Quintic<E>,
    /// y.
    pub y: Quintic<E>,
}

impl<E: Algebra<F>> PointExpr<E> {
    /// Returns the point with these cells as coordinates.
    pub fn of<V: Into<E>>(x: [V; 5], y: [V; 5]) -> Self {
        Self {
            x: Quintic::of(x),
            y: Quintic::of(y),
        }
    }

    /// Returns a constant.
    #[must_use]
    pub fn constant(point: &AffinePoint) -> Self {
        Self {
            x: Quintic::constant(point.x),
            y: Quintic::constant(point.y),
        }
    }

    /// Ten expressions, as a bus wants them.
    #[must_use]
    pub fn to_message(self) -> Point<E> {
        let mut coefficients = self.x.0.into_iter().chain(self.y.0);
        core::array::from_fn(|_| coefficients.next().expect("two times five"))
    }

    /// Returns where the line of this slope through this point has its value at `x`: y - slope
    /// (x_this - x). The degree is the higher of y and slope plus x.
    #[must_use]
    pub fn line_at(&self, slope: Quintic<E>, x: Quintic<E>) -> Quintic<E> {
        self.y.clone() - slope * (self.x.clone() - x)
    }

    /// y of the sum whose x is `x`, slope that of the line through the summands: minus the
    /// line at `x`.
    #[must_use]
    pub fn sum_y(&self, slope: Quintic<E>, x: Quintic<E>) -> Quintic<E> {
        -self.line_at(slope, x)
    }

    /// Returns the numerator 3 x^2 + 2 a x + b of the tangent's slope; the denominator is 2 y.
    #[must_use]
    pub fn tangent_numerator(&self) -> Quintic<E> {
        let x = &self.x;
        let square = x.clone().square();
        // a = 2 is in the base field.
        let linear = x.clone().scale(&E::from(elements(&A.double())[0]));
        square.clone().double() + square + linear + Quintic::constant(B)
    }
}

/// The line of some slope through two points M and B, of which B has no column for y: it is where
/// the line is at x of B. Where x of both differ, the slope is that of the chord.
#[derive(Clone, Debug)]
pub struct Line<E> {
    /// M.
    pub multiple: PointExpr<E>,
    /// The slope.
    pub slope: Quintic<E>,
    /// B.
    pub base: PointExpr<E>,
}

impl<E: Algebra<F>> Line<E> {
    /// Returns the line with these cells: x and y of M, the slope, x of B.
    pub fn of<V: Into<E>>(x: [V; 5], y: [V; 5], slope: [V; 5], base_x: [V; 5]) -> Self {
        let multiple = PointExpr::of(x, y);
        let slope = Quintic::of(slope);
        let base_x = Quintic::of(base_x);
        let base = PointExpr {
            y: multiple.line_at(slope.clone(), base_x.clone()),
            x: base_x,
        };
        Self {
            multiple,
            slope,
            base,
        }
    }
}

/// x of the sum of points with x1 and x2, slope that of the line through them:
/// slope^2 - a - x1 - x2.
#[must_use]
pub fn sum_x<E: Algebra<F>>(slope: Quintic<E>, x1: Quintic<E>, x2: Quintic<E>) -> Quintic<E> {
    slope.square() - Quintic::constant(A) - x1 - x2
}

/// Returns the element one.
#[must_use]
pub fn one<E: Algebra<F>>() -> Quintic<E> {
    Quintic::constant(F5::ONE)
}

/// Returns the inverses of many elements at the price of one, for the slopes of a trace.
///
/// # Errors
///
/// [`TraceError::DegenerateAddition`] where one of them is zero: two points to be added have
/// the same x.
pub fn invert(denominators: &[F5]) -> Result<Vec<F5>, TraceError> {
    if denominators.iter().any(F5::is_zero) {
        return Err(TraceError::DegenerateAddition);
    }
    Ok(batch_multiplicative_inverse(denominators))
}

#[cfg(test)]
mod tests {
    use shardfold_protocol::curve::{GENERATOR, VARIABLE_BASE_OFFSET};

    use super::*;

    #[test]
    fn expressions_add_and_double_as_points_do() {
        let (p, q) = (*GENERATOR, *VARIABLE_BASE_OFFSET);
        let lift = PointExpr::<F>::constant;
        let constant = Quintic::<F>::constant;
        for (other, slope, sum) in [
            (q, p.add_slope(&q), p.add_affine(&q)),
            (p, p.double_slope(), p.double()),
        ] {
            let (slope, sum) = (slope.unwrap(), sum.unwrap());
            let x = sum_x(constant(slope), constant(p.x), constant(other.x));
            assert_eq!(x.0, elements(&sum.x));
            assert_eq!(lift(&p).sum_y(constant(slope), x).0, elements(&sum.y));
            let [px, py, slope, x] = [p.x, p.y, slope, other.x].map(|c| elements(&c));
            let line = Line::<F>::of(px, py, slope, x);
            assert_eq!(line.base.x.0, elements(&other.x));
            assert_eq!(line.base.y.0, elements(&other.y));
        }
        assert_eq!(invert(&[p.x, p.y]).unwrap(), [p.x.inverse(), p.y.inverse()]);
        let zero = invert(&[p.x, F5::ZERO]);
        assert_eq!(zero, Err(TraceError::DegenerateAddition));
        let numerator = lift(&p).tangent_numerator().0;
        assert_eq!(numerator, elements(&p.tangent_numerator()));
    }
}
