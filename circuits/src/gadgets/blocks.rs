//! Tables made of equal blocks of rows, one block for each signature.

use p3_air::AirBuilder;
use p3_field::{Field, PrimeCharacteristicRing};

use crate::bus::ChipBuilder;
use shardfold_protocol::field::F;

/// Returns one on the last row of each block, zero elsewhere, of degree one.
///
/// Caller: `counter` equals a periodic column 0, 1, ..., length - 1, and `next` is the
/// counter of the next row, which after the table's last row is its first.
pub fn is_last<AB: ChipBuilder>(counter: AB::Var, next: AB::Var, length: usize) -> AB::Expr {
    (AB::Expr::ONE + counter.into() - next.into()) * F::from_usize(length).inverse()
}

/// Blocks are numbered `first`, `first` + 1, ...: the first row is in block `first`, and the number
/// grows by one after each last row of a block. Caller: `is_last` is as its name says.
pub fn constrain_places<AB: ChipBuilder>(
    builder: &mut AB,
    first: u32,
    position: AB::Var,
    next: AB::Var,
    is_last: AB::Expr,
) {
    builder
        .when_first_row()
        .assert_eq(position, AB::Expr::from_u32(first));
    builder
        .when_transition()
        .assert_eq(next, position.into() + is_last);
}
