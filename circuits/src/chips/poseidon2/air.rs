//! Constraints of a compression.

use p3_air::{Air, BaseAir, WindowAccess};
use p3_field::Dup;

use super::columns::{Poseidon2Columns, WIDTH};
use super::rounds::{Registers, permute};
use crate::bus::{ChipBuilder, HashBus};
use shardfold_protocol::field::F;

/// The compressions of a shard.
#[derive(Clone, Copy, Debug)]
pub struct Poseidon2Chip;

impl BaseAir<F> for Poseidon2Chip {
    fn width(&self) -> usize {
        WIDTH
    }

    fn main_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
}

/// Asserts that a column holds its value.
struct Constrain<'a, AB>(&'a mut AB);

impl<AB: ChipBuilder> Registers<AB::Var> for Constrain<'_, AB> {
    type Value = AB::Expr;

    fn hold(&mut self, column: AB::Var, value: AB::Expr) -> AB::Expr {
        self.0.assert_eq(column, value);
        column.into()
    }

    fn constant(&self, constant: F) -> AB::Expr {
        constant.into()
    }
}

impl<AB: ChipBuilder> Air<AB> for Poseidon2Chip {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = Poseidon2Columns::of(main.current_slice().iter().copied());
        let input: [AB::Expr; 8] = row.input.map(Into::into);

        // The registers follow from the input, round by round.
        let permuted = permute(&mut Constrain(builder), &row, input.clone());

        // The input is fed forward.
        let output = core::array::from_fn(|i| permuted[i].dup() + input[i].dup());
        HashBus::provide(builder, input, output, row.multiplicity.into());
    }
}
