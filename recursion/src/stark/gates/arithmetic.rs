//! One arithmetic for the three ways in which plonky2 evaluates a gate, so that the constraints
//! of a gate are written once.

use core::marker::PhantomData;

use plonky2::field::extension::Extendable;
use plonky2::field::packed::PackedField;
use plonky2::field::types::Field;
use plonky2::iop::ext_target::ExtensionTarget;
use plonky2::plonk::circuit_builder::CircuitBuilder;

use crate::stark::Word;
use crate::stark::parts::Pair;

/// What a gate's constraints are evaluated in: values, packed values or targets.
pub(crate) trait Arithmetic {
    type Value: Copy;
    fn add(&mut self, x: Self::Value, y: Self::Value) -> Self::Value;
    fn sub(&mut self, x: Self::Value, y: Self::Value) -> Self::Value;
    fn mul(&mut self, x: Self::Value, y: Self::Value) -> Self::Value;
    fn add_constant(&mut self, x: Self::Value, c: u64) -> Self::Value;
    /// `c * x + y`.
    fn mul_constant_add(&mut self, c: u64, x: Self::Value, y: Self::Value) -> Self::Value;

    /// The sum of two elements of the extension field.
    #[inline(always)]
    fn add_pairs(&mut self, x: Pair<Self::Value>, y: Pair<Self::Value>) -> Pair<Self::Value> {
        [self.add(x[0], y[0]), self.add(x[1], y[1])]
    }

    /// The difference of two elements of the extension field.
    #[inline(always)]
    fn sub_pairs(&mut self, x: Pair<Self::Value>, y: Pair<Self::Value>) -> Pair<Self::Value> {
        [self.sub(x[0], y[0]), self.sub(x[1], y[1])]
    }

    /// The product of two elements of the extension field, X^2 = 7.
    #[inline(always)]
    fn mul_pairs(&mut self, x: Pair<Self::Value>, y: Pair<Self::Value>) -> Pair<Self::Value> {
        let low = self.mul(x[0], y[0]);
        let high = self.mul(x[1], y[1]);
        let cross = self.mul(x[1], y[0]);
        let other = self.mul(x[0], y[1]);
        [self.mul_constant_add(7, high, low), self.add(other, cross)]
    }

    /// The product of an element of the base field and one of the extension.
    #[inline(always)]
    fn scale_pair(&mut self, x: Self::Value, y: Pair<Self::Value>) -> Pair<Self::Value> {
        [self.mul(x, y[0]), self.mul(x, y[1])]
    }

    /// `c x + y` in the extension field.
    #[inline(always)]
    fn mul_constant_add_pairs(
        &mut self,
        c: u64,
        x: Pair<Self::Value>,
        y: Pair<Self::Value>,
    ) -> Pair<Self::Value> {
        core::array::from_fn(|i| self.mul_constant_add(c, x[i], y[i]))
    }
}

/// Arithmetic of field elements, of packs of them and of their extensions.
pub(super) struct Values<P>(PhantomData<P>);

impl<P> Default for Values<P> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<P: PackedField> Arithmetic for Values<P> {
    type Value = P;

    #[inline(always)]
    fn add(&mut self, x: P, y: P) -> P {
        x + y
    }

    #[inline(always)]
    fn sub(&mut self, x: P, y: P) -> P {
        x - y
    }

    #[inline(always)]
    fn mul(&mut self, x: P, y: P) -> P {
        x * y
    }

    #[inline(always)]
    fn add_constant(&mut self, x: P, c: u64) -> P {
        x + P::Scalar::from_canonical_u64(c)
    }

    #[inline(always)]
    fn mul_constant_add(&mut self, c: u64, x: P, y: P) -> P {
        match c {
            1 => x + y,
            2 => x + x + y,
            _ => x * P::Scalar::from_canonical_u64(c) + y,
        }
    }
}

/// Arithmetic of extension targets, for the circuit that verifies the gate.
pub(super) struct Targets<'a, const D: usize>(pub &'a mut CircuitBuilder<Word, D>)
where
    Word: Extendable<D>;

impl<const D: usize> Arithmetic for Targets<'_, D>
where
    Word: Extendable<D>,
{
    type Value = ExtensionTarget<D>;

    fn add(&mut self, x: Self::Value, y: Self::Value) -> Self::Value {
        self.0.add_extension(x, y)
    }

    fn sub(&mut self, x: Self::Value, y: Self::Value) -> Self::Value {
        self.0.sub_extension(x, y)
    }

    fn mul(&mut self, x: Self::Value, y: Self::Value) -> Self::Value {
        self.0.mul_extension(x, y)
    }

    fn add_constant(&mut self, x: Self::Value, c: u64) -> Self::Value {
        let c = Word::from_canonical_u64(c);
        self.0.add_const_extension(x, c)
    }

    fn mul_constant_add(&mut self, c: u64, x: Self::Value, y: Self::Value) -> Self::Value {
        self.0
            .mul_const_add_extension(Word::from_canonical_u64(c), x, y)
    }
}
