//! A plonky2 gate for one Poseidon2 permutation of width 12, with Plonky3's constants.
//!
//! The permutation under the STARK's commitments and transcript (Poseidon2, ePrint 2023/323)
//! is one row of the verifier circuit. The wires follow plonky2's own `PoseidonGate`: 12 inputs,
//! 12 outputs, a flag that swaps the first two digests (for Merkle paths), 4 helpers for the
//! swap, and the input of each S-box except those of the first round: exactly 135.

use p3_field::PrimeField64;
use p3_goldilocks::{
    GOLDILOCKS_POSEIDON2_HALF_FULL_ROUNDS as HALF_FULL_ROUNDS,
    GOLDILOCKS_POSEIDON2_PARTIAL_ROUNDS_12 as PARTIAL_ROUNDS,
    GOLDILOCKS_POSEIDON2_RC_12_EXTERNAL_FINAL as FINAL_CONSTANTS,
    GOLDILOCKS_POSEIDON2_RC_12_EXTERNAL_INITIAL as INITIAL_CONSTANTS,
    GOLDILOCKS_POSEIDON2_RC_12_INTERNAL as PARTIAL_CONSTANTS,
    MATRIX_DIAG_12_GOLDILOCKS as DIAGONAL,
};
use plonky2::field::extension::Extendable;
use plonky2::field::packed::PackedField;
use plonky2::gates::gate::Gate;
use plonky2::gates::packed_util::PackedEvaluableBase;
use plonky2::gates::util::StridedConstraintConsumer;
use plonky2::iop::ext_target::ExtensionTarget;
use plonky2::iop::generator::{GeneratedValues, SimpleGenerator, WitnessGeneratorRef};
use plonky2::iop::target::Target;
use plonky2::iop::wire::Wire;
use plonky2::iop::witness::{PartitionWitness, Witness, WitnessWrite};
use plonky2::plonk::circuit_builder::CircuitBuilder;
use plonky2::plonk::circuit_data::CommonCircuitData;
use plonky2::plonk::vars::{
    EvaluationTargets, EvaluationVars, EvaluationVarsBase, EvaluationVarsBaseBatch,
    EvaluationVarsBasePacked,
};
use plonky2::util::serialization::{Buffer, IoResult, Read, Write};

use super::arithmetic::{Arithmetic, Targets, Values};
use crate::stark::Word;

/// Elements of the state.
pub const WIDTH: usize = 12;
/// Elements of a digest; the swap exchanges the first two digests of the input.
const DIGEST: usize = 4;

const START_DELTA: usize = 2 * WIDTH + 1;
const START_INITIAL: usize = START_DELTA + DIGEST;
const START_PARTIAL: usize = START_INITIAL + WIDTH * (HALF_FULL_ROUNDS - 1);
const START_FINAL: usize = START_PARTIAL + PARTIAL_ROUNDS;
const END: usize = START_FINAL + WIDTH * HALF_FULL_ROUNDS;

/// One permutation; see the module's documentation.
#[derive(Clone, Copy, Debug, Default)]
pub struct Poseidon2Gate;

impl Poseidon2Gate {
    /// The wire of the swap flag, which the gate constrains to be 0 or 1.
    pub const SWAP: usize = 2 * WIDTH;

    /// Returns the wire of element `i` of the input, before the swap.
    #[must_use]
    pub const fn input(i: usize) -> usize {
        i
    }

    /// Returns the wire of element `i` of the output.
    #[must_use]
    pub const fn output(i: usize) -> usize {
        WIDTH + i
    }

    /// The wire that holds `swap * (input[i + 4] - input[i])`.
    const fn delta(i: usize) -> usize {
        START_DELTA + i
    }
}

/// `x^7`.
#[inline(always)]
fn sbox<A: Arithmetic>(a: &mut A, x: A::Value) -> A::Value {
    let x2 = a.mul(x, x);
    let x3 = a.mul(x2, x);
    let x4 = a.mul(x2, x2);
    a.mul(x3, x4)
}

/// The external matrix: circ(2, 3, 1, 1) on each four elements, then circ(2 I, I, I) over them
/// (ePrint 2023/323, section 5.1).
#[inline(always)]
fn external_layer<A: Arithmetic>(a: &mut A, state: &mut [A::Value; WIDTH]) {
    for i in (0..WIDTH).step_by(4) {
        let x = [state[i], state[i + 1], state[i + 2], state[i + 3]];
        let t01 = a.add(x[0], x[1]);
        let t23 = a.add(x[2], x[3]);
        let all = a.add(t01, t23);
        let all_1 = a.add(all, x[1]);
        let all_3 = a.add(all, x[3]);
        state[i] = a.add(all_1, t01);
        state[i + 1] = a.mul_constant_add(2, x[2], all_1);
        state[i + 2] = a.add(all_3, t23);
        state[i + 3] = a.mul_constant_add(2, x[0], all_3);
    }
    for i in 0..4 {
        let pair = a.add(state[i], state[i + 4]);
        let sum = a.add(pair, state[i + 8]);
        for j in (i..WIDTH).step_by(4) {
            state[j] = a.add(state[j], sum);
        }
    }
}

/// The internal matrix: all ones plus a diagonal.
#[inline(always)]
fn internal_layer<A: Arithmetic>(a: &mut A, state: &mut [A::Value; WIDTH]) {
    let mut sum = state[0];
    for &x in &state[1..] {
        sum = a.add(sum, x);
    }
    for (x, d) in state.iter_mut().zip(DIAGONAL) {
        *x = a.mul_constant_add(d.as_canonical_u64(), *x, sum);
    }
}

/// The permutation. Before each S-box that has a wire, `checkpoint` gets the wire and the
/// value computed for it, and returns the value to go on with.
#[inline(always)]
fn permute<A: Arithmetic>(
    a: &mut A,
    state: &mut [A::Value; WIDTH],
    mut checkpoint: impl FnMut(&mut A, usize, A::Value) -> A::Value,
) {
    external_layer(a, state);
    for (round, constants) in INITIAL_CONSTANTS.iter().enumerate() {
        for i in 0..WIDTH {
            state[i] = a.add_constant(state[i], constants[i].as_canonical_u64());
            if round != 0 {
                state[i] = checkpoint(a, START_INITIAL + WIDTH * (round - 1) + i, state[i]);
            }
            state[i] = sbox(a, state[i]);
        }
        external_layer(a, state);
    }
    for (round, constant) in PARTIAL_CONSTANTS.iter().enumerate() {
        state[0] = a.add_constant(state[0], constant.as_canonical_u64());
        state[0] = checkpoint(a, START_PARTIAL + round, state[0]);
        state[0] = sbox(a, state[0]);
        internal_layer(a, state);
    }
    for (round, constants) in FINAL_CONSTANTS.iter().enumerate() {
        for i in 0..WIDTH {
            state[i] = a.add_constant(state[i], constants[i].as_canonical_u64());
            state[i] = checkpoint(a, START_FINAL + WIDTH * round + i, state[i]);
            state[i] = sbox(a, state[i]);
        }
        external_layer(a, state);
    }
}

/// Evaluates all constraints of the gate, in order, on the wires of one row.
#[inline(always)]
pub(crate) fn constraints<A: Arithmetic>(
    a: &mut A,
    wire: impl Fn(usize) -> A::Value,
    mut emit: impl FnMut(A::Value),
) {
    // The swap flag is 0 or 1.
    let swap = wire(Poseidon2Gate::SWAP);
    let square = a.mul(swap, swap);
    emit(a.sub(square, swap));

    // delta = swap * (right - left), and the state is the input, swapped if the flag is 1.
    let mut state: [A::Value; WIDTH] = core::array::from_fn(|i| wire(Poseidon2Gate::input(i)));
    for i in 0..DIGEST {
        let delta = wire(Poseidon2Gate::delta(i));
        let difference = a.sub(state[i + DIGEST], state[i]);
        let product = a.mul(swap, difference);
        emit(a.sub(product, delta));
        state[i] = a.add(state[i], delta);
        state[i + DIGEST] = a.sub(state[i + DIGEST], delta);
    }

    // Each S-box's input is what the layers before it give.
    permute(a, &mut state, |a, column, value| {
        let committed = wire(column);
        emit(a.sub(value, committed));
        committed
    });

    // The output is the state after the last layer.
    for (i, &value) in state.iter().enumerate() {
        emit(a.sub(value, wire(Poseidon2Gate::output(i))));
    }
}

impl<const D: usize> Gate<Word, D> for Poseidon2Gate
where
    Word: Extendable<D>,
{
    fn id(&self) -> String {
        format!("{self:?}<WIDTH={WIDTH}>")
    }

    fn serialize(&self, _dst: &mut Vec<u8>, _common: &CommonCircuitData<Word, D>) -> IoResult<()> {
        Ok(())
    }

    fn deserialize(_src: &mut Buffer, _common: &CommonCircuitData<Word, D>) -> IoResult<Self> {
        Ok(Self)
    }

    fn eval_unfiltered(
        &self,
        vars: EvaluationVars<Word, D>,
    ) -> Vec<<Word as Extendable<D>>::Extension> {
        let mut result = Vec::with_capacity(Gate::<Word, D>::num_constraints(self));
        constraints(
            &mut Values::default(),
            |column| vars.local_wires[column],
            |value| result.push(value),
        );
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
        builder: &mut CircuitBuilder<Word, D>,
        vars: EvaluationTargets<D>,
    ) -> Vec<ExtensionTarget<D>> {
        let mut result = Vec::with_capacity(Gate::<Word, D>::num_constraints(self));
        constraints(
            &mut Targets(builder),
            |column| vars.local_wires[column],
            |value| result.push(value),
        );
        result
    }

    fn generators(&self, row: usize, _constants: &[Word]) -> Vec<WitnessGeneratorRef<Word, D>> {
        vec![WitnessGeneratorRef::new(
            SimpleGenerator::<Word, D>::adapter(Poseidon2Generator { row }),
        )]
    }

    fn num_wires(&self) -> usize {
        END
    }

    fn num_constants(&self) -> usize {
        0
    }

    fn degree(&self) -> usize {
        7
    }

    fn num_constraints(&self) -> usize {
        1 + DIGEST + WIDTH * (2 * HALF_FULL_ROUNDS - 1) + PARTIAL_ROUNDS + WIDTH
    }
}

impl<const D: usize> PackedEvaluableBase<Word, D> for Poseidon2Gate
where
    Word: Extendable<D>,
{
    fn eval_unfiltered_base_packed<P: PackedField<Scalar = Word>>(
        &self,
        vars: EvaluationVarsBasePacked<P>,
        mut yield_constr: StridedConstraintConsumer<P>,
    ) {
        constraints(
            &mut Values::default(),
            |column| vars.local_wires[column],
            |value| yield_constr.one(value),
        );
    }
}

/// Fills the wires of one [`Poseidon2Gate`] from its input and its flag.
#[derive(Clone, Debug, Default)]
pub struct Poseidon2Generator {
    row: usize,
}

impl<const D: usize> SimpleGenerator<Word, D> for Poseidon2Generator
where
    Word: Extendable<D>,
{
    fn id(&self) -> String {
        "Poseidon2Generator".to_string()
    }

    fn dependencies(&self) -> Vec<Target> {
        (0..WIDTH)
            .map(Poseidon2Gate::input)
            .chain([Poseidon2Gate::SWAP])
            .map(|column| Target::wire(self.row, column))
            .collect()
    }

    fn run_once(
        &self,
        witness: &PartitionWitness<Word>,
        out: &mut GeneratedValues<Word>,
    ) -> anyhow::Result<()> {
        let row = self.row;
        let wire = |column| Wire { row, column };
        let mut state: [Word; WIDTH] =
            core::array::from_fn(|i| witness.get_wire(wire(Poseidon2Gate::input(i))));
        let swap = witness.get_wire(wire(Poseidon2Gate::SWAP));
        for i in 0..DIGEST {
            let delta = swap * (state[i + DIGEST] - state[i]);
            out.set_wire(wire(Poseidon2Gate::delta(i)), delta)?;
            state[i] += delta;
            state[i + DIGEST] -= delta;
        }
        let mut result = Ok(());
        permute(
            &mut Values::default(),
            &mut state,
            |_, column, value: Word| {
                let set = out.set_wire(wire(column), value);
                if result.is_ok() {
                    result = set;
                }
                value
            },
        );
        result?;
        for (i, &value) in state.iter().enumerate() {
            out.set_wire(wire(Poseidon2Gate::output(i)), value)?;
        }
        Ok(())
    }

    fn serialize(&self, dst: &mut Vec<u8>, _common: &CommonCircuitData<Word, D>) -> IoResult<()> {
        dst.write_usize(self.row)
    }

    fn deserialize(src: &mut Buffer, _common: &CommonCircuitData<Word, D>) -> IoResult<Self> {
        Ok(Self {
            row: src.read_usize()?,
        })
    }
}
