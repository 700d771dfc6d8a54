//! The rounds of Poseidon2, described once for constraints and trace.

use p3_field::{Dup, PrimeCharacteristicRing};
use p3_goldilocks::{
    GOLDILOCKS_POSEIDON2_RC_8_EXTERNAL_FINAL, GOLDILOCKS_POSEIDON2_RC_8_EXTERNAL_INITIAL,
    GOLDILOCKS_POSEIDON2_RC_8_INTERNAL, GenericPoseidon2LinearLayersGoldilocks as Layers,
};
use p3_poseidon2::GenericPoseidon2LinearLayers;

use super::columns::{FullRound, Poseidon2Columns};
use shardfold_protocol::field::F;

/// What happens at a column whose value is given by an expression: a constraint is asserted,
/// or a trace is filled.
pub trait Registers<C> {
    /// Field elements, or expressions over them.
    type Value: PrimeCharacteristicRing;

    /// The column holds this value; gives the column back as a value of degree 1.
    fn hold(&mut self, column: C, value: Self::Value) -> Self::Value;

    /// A constant of a round.
    fn constant(&self, constant: F) -> Self::Value;
}

/// Runs the permutation over `input` through the registers of a row; gives its first four
/// elements.
pub fn permute<C: Copy, R: Registers<C>>(
    registers: &mut R,
    row: &Poseidon2Columns<C>,
    input: [R::Value; 8],
) -> [R::Value; 4] {
    let mut state = input;
    Layers::external_linear_layer(&mut state);
    for (round, constants) in row
        .beginning
        .iter()
        .zip(&GOLDILOCKS_POSEIDON2_RC_8_EXTERNAL_INITIAL)
    {
        state = full_round(registers, round, state, constants);
    }
    for (round, &constant) in row.partial.iter().zip(&GOLDILOCKS_POSEIDON2_RC_8_INTERNAL) {
        let [first, ..] = &mut state;
        let output = sbox(registers, round.cube, first.dup(), constant);
        *first = registers.hold(round.post_sbox, output);
        Layers::internal_linear_layer(&mut state);
    }
    let [early @ .., last] = &GOLDILOCKS_POSEIDON2_RC_8_EXTERNAL_FINAL;
    for (round, constants) in row.ending.iter().zip(early) {
        state = full_round(registers, round, state, constants);
    }
    full_round(registers, &row.last, state, last)
}

/// S-boxes and linear layer; holds and gives the first `KEPT` elements.
fn full_round<C: Copy, R: Registers<C>, const KEPT: usize>(
    registers: &mut R,
    round: &FullRound<C, KEPT>,
    state: [R::Value; 8],
    constants: &[F; 8],
) -> [R::Value; KEPT] {
    let mut state: [R::Value; 8] =
        core::array::from_fn(|i| sbox(registers, round.cube[i], state[i].dup(), constants[i]));
    Layers::external_linear_layer(&mut state);
    core::array::from_fn(|i| registers.hold(round.post[i], state[i].dup()))
}

/// (x + constant)^7, with its cube in a register.
fn sbox<C: Copy, R: Registers<C>>(
    registers: &mut R,
    cube: C,
    x: R::Value,
    constant: F,
) -> R::Value {
    let x = x + registers.constant(constant);
    let cube = registers.hold(cube, x.cube());
    cube.square() * x
}
