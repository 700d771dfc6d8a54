//! A gate for the folding steps of the low-degree test.
//!
//! One operation takes the group of values that a round folds and checks that the value folded
//! so far stands in it where the query's index says, then gives the value at beta of the
//! polynomial that has the group's values on its coset.

use p3_field::{Field as _, PrimeCharacteristicRing, PrimeField64, TwoAdicField};
use p3_util::reverse_bits_len;
use plonky2::field::extension::Extendable;
use plonky2::field::packed::PackedField;
use plonky2::field::types::Field;
use plonky2::gates::gate::Gate;
use plonky2::gates::packed_util::PackedEvaluableBase;
use plonky2::gates::util::StridedConstraintConsumer;
use plonky2::iop::ext_target::ExtensionTarget;
use plonky2::iop::generator::{GeneratedValues, SimpleGenerator, WitnessGeneratorRef};
use plonky2::iop::target::Target;
use plonky2::iop::wire::Wire;
use plonky2::iop::witness::{PartitionWitness, Witness, WitnessWrite};
use plonky2::plonk::circuit_data::CommonCircuitData;
use plonky2::plonk::vars::{
    EvaluationTargets, EvaluationVars, EvaluationVarsBase, EvaluationVarsBaseBatch,
    EvaluationVarsBasePacked,
};
use plonky2::util::serialization::{Buffer, IoResult, Read, Write};

use super::arithmetic::{Arithmetic, Targets, Values};
use crate::config::F;
use crate::stark::parts::Pair;
use crate::stark::{Builder, D, Word};

/// Routed wires of plonky2's standard recursion config.
const ROUTED_WIRES: usize = 80;

/// Folding steps of one arity, as many as fit a row.
///
/// Wires of an operation: the values of the group, in the bit-reversed order of their points;
/// the bits of the position in it, lowest first; the value folded so far; beta; the query's
/// point; the output. The caller must constrain the bits to be 0 or 1 and the point not to be
/// zero, which a product of roots of unity never is. And without routing, beta over the first point of the group and its
/// repeated squares.
#[derive(Clone, Copy, Debug)]
pub struct FoldGate {
    /// log2 of the values of a group: 1 to 5.
    pub log_arity: usize,
}

impl FoldGate {
    const fn arity(self) -> usize {
        1 << self.log_arity
    }

    /// Routed wires of an operation.
    const fn routed(self) -> usize {
        2 * self.arity() + self.log_arity + 7
    }

    /// Operations of a row.
    const fn operations(self) -> usize {
        ROUTED_WIRES / self.routed()
    }

    /// The first wire of coefficient 0 of value `j`.
    pub(in crate::stark) const fn value(self, operation: usize, j: usize) -> usize {
        operation * self.routed() + 2 * j
    }

    /// Bit `i` of the position.
    pub(in crate::stark) const fn bit(self, operation: usize, i: usize) -> usize {
        self.value(operation, self.arity()) + i
    }

    /// The value folded so far: two wires.
    pub(in crate::stark) const fn folded(self, operation: usize) -> usize {
        self.bit(operation, self.log_arity)
    }

    /// Beta: two wires.
    pub(in crate::stark) const fn beta(self, operation: usize) -> usize {
        self.folded(operation) + 2
    }

    /// The point of the value folded so far, an element of the subgroup.
    pub(in crate::stark) const fn point(self, operation: usize) -> usize {
        self.beta(operation) + 2
    }

    /// The output: two wires.
    pub(in crate::stark) const fn output(self, operation: usize) -> usize {
        self.point(operation) + 1
    }

    /// Beta over the group's first point, to the power 2^k: two wires.
    const fn ratio(self, operation: usize, k: usize) -> usize {
        self.operations() * self.routed() + 2 * (operation * self.log_arity + k)
    }
}

/// The inverse of p3-field's root of unity of order `2^log_order`.
fn inverse_root(log_order: usize) -> F {
    F::two_adic_generator(log_order).inverse()
}

/// The first point of the group: the query's point less its position's part, which is the
/// product over the set bits i of a root of order 2^(i + 1).
#[inline(always)]
fn first_point<A: Arithmetic>(a: &mut A, point: A::Value, bits: &[A::Value]) -> A::Value {
    let mut first = point;
    for (i, &bit) in bits.iter().enumerate() {
        let scale = inverse_root(i + 1) - F::ONE;
        let product = a.mul(first, bit);
        first = a.mul_constant_add(scale.as_canonical_u64(), product, first);
    }
    first
}

/// The value at these bits.
#[inline(always)]
fn select<A: Arithmetic>(
    a: &mut A,
    mut values: Vec<Pair<A::Value>>,
    bits: &[A::Value],
) -> Pair<A::Value> {
    for &bit in bits {
        values = values
            .chunks_exact(2)
            .map(|pair| {
                let difference = a.sub_pairs(pair[1], pair[0]);
                let step = a.scale_pair(bit, difference);
                a.add_pairs(pair[0], step)
            })
            .collect();
    }
    values[0]
}

/// `2^log_arity` times the value at beta, given beta over the first point and its squares.
///
/// Interpolation by halving: with values u, v at y and -y, `(u + v) / 2 + (u - v) beta / (2 y)`
/// is the value at y^2 of the even part plus beta times the odd part, and the polynomial's
/// value at beta is that one's at beta^2. The divisions by two are left to the end.
#[inline(always)]
fn interpolate<A: Arithmetic>(
    a: &mut A,
    mut values: Vec<Pair<A::Value>>,
    ratios: &[Pair<A::Value>],
) -> Pair<A::Value> {
    for (k, &ratio) in ratios.iter().enumerate() {
        let log_size = ratios.len() - k;
        let root = inverse_root(log_size);
        values = values
            .chunks_exact(2)
            .enumerate()
            .map(|(j, pair)| {
                let power = root.exp_u64(reverse_bits_len(j, log_size - 1) as u64);
                let sum = a.add_pairs(pair[0], pair[1]);
                let difference = a.sub_pairs(pair[0], pair[1]);
                let product = a.mul_pairs(ratio, difference);
                a.mul_constant_add_pairs(power.as_canonical_u64(), product, sum)
            })
            .collect();
    }
    values[0]
}

/// All constraints of a row, in order.
#[inline(always)]
fn constraints<A: Arithmetic>(
    gate: FoldGate,
    a: &mut A,
    wire: impl Fn(usize) -> A::Value,
    mut emit: impl FnMut(A::Value),
) {
    let pair = |column: usize| [wire(column), wire(column + 1)];
    for operation in 0..gate.operations() {
        let values: Vec<_> = (0..gate.arity())
            .map(|j| pair(gate.value(operation, j)))
            .collect();
        let bits: Vec<_> = (0..gate.log_arity)
            .map(|i| wire(gate.bit(operation, i)))
            .collect();
        let ratios: Vec<_> = (0..gate.log_arity)
            .map(|k| pair(gate.ratio(operation, k)))
            .collect();

        // The value folded so far is the one at the position.
        let selected = select(a, values.clone(), &bits);
        let folded = pair(gate.folded(operation));
        a.sub_pairs(selected, folded)
            .into_iter()
            .for_each(&mut emit);

        // The ratio times the first point is beta, and each next ratio is the square.
        let first = first_point(a, wire(gate.point(operation)), &bits);
        let beta = a.scale_pair(first, ratios[0]);
        let expected = pair(gate.beta(operation));
        a.sub_pairs(beta, expected).into_iter().for_each(&mut emit);
        for two in ratios.windows(2) {
            let square = a.mul_pairs(two[0], two[0]);
            a.sub_pairs(square, two[1]).into_iter().for_each(&mut emit);
        }

        // The output is the polynomial's value at beta.
        let value = interpolate(a, values, &ratios);
        let output = pair(gate.output(operation));
        let minus_arity = F::ORDER_U64 - gate.arity() as u64;
        a.mul_constant_add_pairs(minus_arity, output, value)
            .into_iter()
            .for_each(&mut emit);
    }
}

impl Gate<Word, D> for FoldGate {
    fn id(&self) -> String {
        format!("{self:?}")
    }

    fn serialize(&self, dst: &mut Vec<u8>, _common: &CommonCircuitData<Word, D>) -> IoResult<()> {
        dst.write_usize(self.log_arity)
    }

    fn deserialize(src: &mut Buffer, _common: &CommonCircuitData<Word, D>) -> IoResult<Self> {
        let log_arity = src.read_usize()?;
        Ok(Self { log_arity })
    }

    fn eval_unfiltered(
        &self,
        vars: EvaluationVars<Word, D>,
    ) -> Vec<<Word as Extendable<D>>::Extension> {
        let mut result = Vec::with_capacity(self.num_constraints());
        let wire = |column| vars.local_wires[column];
        constraints(*self, &mut Values::default(), wire, |value| {
            result.push(value)
        });
        result
    }

    fn eval_unfiltered_base_one(
        &self,
        _vars: EvaluationVarsBase<Word>,
        _yield_constr: StridedConstraintConsumer<Word>,
    ) {
        unreachable!("eval_unfiltered_base_batch replaces it")
    }

    fn eval_unfiltered_base_batch(&self, vars: EvaluationVarsBaseBatch<Word>) -> Vec<Word> {
        self.eval_unfiltered_base_batch_packed(vars)
    }

    fn eval_unfiltered_circuit(
        &self,
        builder: &mut Builder,
        vars: EvaluationTargets<D>,
    ) -> Vec<ExtensionTarget<D>> {
        let mut result = Vec::with_capacity(self.num_constraints());
        let wire = |column| vars.local_wires[column];
        constraints(*self, &mut Targets(builder), wire, |value| {
            result.push(value)
        });
        result
    }

    fn generators(&self, row: usize, _constants: &[Word]) -> Vec<WitnessGeneratorRef<Word, D>> {
        (0..self.operations())
            .map(|operation| {
                let generator = FoldGenerator {
                    log_arity: self.log_arity,
                    row,
                    operation,
                };
                WitnessGeneratorRef::new(generator.adapter())
            })
            .collect()
    }

    fn num_wires(&self) -> usize {
        self.ratio(self.operations(), 0)
    }

    fn num_constants(&self) -> usize {
        0
    }

    fn degree(&self) -> usize {
        self.log_arity + 2
    }

    fn num_constraints(&self) -> usize {
        self.operations() * 2 * (self.log_arity + 2)
    }
}

impl PackedEvaluableBase<Word, D> for FoldGate {
    fn eval_unfiltered_base_packed<P: PackedField<Scalar = Word>>(
        &self,
        vars: EvaluationVarsBasePacked<P>,
        mut yield_constr: StridedConstraintConsumer<P>,
    ) {
        let wire = |column| vars.local_wires[column];
        constraints(*self, &mut Values::default(), wire, |value| {
            yield_constr.one(value);
        });
    }
}

/// Fills the wires of one operation of a [`FoldGate`].
#[derive(Clone, Debug, Default)]
pub struct FoldGenerator {
    log_arity: usize,
    row: usize,
    operation: usize,
}

impl SimpleGenerator<Word, D> for FoldGenerator {
    fn id(&self) -> String {
        "FoldGenerator".to_string()
    }

    fn dependencies(&self) -> Vec<Target> {
        let gate = FoldGate {
            log_arity: self.log_arity,
        };
        // All routed wires but the value folded so far, which the constraints compare.
        let start = gate.value(self.operation, 0);
        (start..gate.folded(self.operation))
            .chain(gate.beta(self.operation)..gate.output(self.operation))
            .map(|column| Target::wire(self.row, column))
            .collect()
    }

    fn run_once(
        &self,
        witness: &PartitionWitness<Word>,
        out: &mut GeneratedValues<Word>,
    ) -> anyhow::Result<()> {
        let gate = FoldGate {
            log_arity: self.log_arity,
        };
        let (row, operation) = (self.row, self.operation);
        let wire = |column| Wire { row, column };
        let get = |column| witness.get_wire(wire(column));
        let pair = |column| [get(column), get(column + 1)];
        let mut set = |column, pair: Pair<Word>| -> anyhow::Result<()> {
            out.set_wire(wire(column), pair[0])?;
            out.set_wire(wire(column + 1), pair[1])
        };

        let a = &mut Values::<Word>::default();
        let bits: Vec<_> = (0..gate.log_arity)
            .map(|i| get(gate.bit(operation, i)))
            .collect();
        let first = first_point(a, get(gate.point(operation)), &bits);
        let inverse = first.try_inverse();
        let inverse = inverse.ok_or_else(|| anyhow::anyhow!("the query's point is zero"))?;
        let mut ratio = a.scale_pair(inverse, pair(gate.beta(operation)));
        let mut ratios = Vec::with_capacity(gate.log_arity);
        for k in 0..gate.log_arity {
            set(gate.ratio(operation, k), ratio)?;
            ratios.push(ratio);
            ratio = a.mul_pairs(ratio, ratio);
        }
        let values = (0..gate.arity()).map(|j| pair(gate.value(operation, j)));
        let value = interpolate(a, values.collect(), &ratios);
        let inverse = Word::from_canonical_usize(gate.arity()).inverse();
        set(gate.output(operation), a.scale_pair(inverse, value))
    }

    fn serialize(&self, dst: &mut Vec<u8>, _common: &CommonCircuitData<Word, D>) -> IoResult<()> {
        dst.write_usize(self.log_arity)?;
        dst.write_usize(self.row)?;
        dst.write_usize(self.operation)
    }

    fn deserialize(src: &mut Buffer, _common: &CommonCircuitData<Word, D>) -> IoResult<Self> {
        Ok(Self {
            log_arity: src.read_usize()?,
            row: src.read_usize()?,
            operation: src.read_usize()?,
        })
    }
}
