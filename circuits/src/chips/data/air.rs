//! Constraints of the polynomial of differences.

use std::borrow::Cow;
use std::sync::LazyLock;

use p3_air::{Air, AirBuilder, BaseAir, WindowAccess};
use p3_field::{Dup, PrimeCharacteristicRing};
use shardfold_protocol::data::{GROUP, GROUP_BLOCKS, POINT_LIMBS, SPILL_BITS};
use shardfold_protocol::field::F;

use super::columns::{DataColumns, WIDTH};
use super::horner;
use crate::bus::{ChipBuilder, HashBus, RangeBus};
use crate::gadgets::amount;

/// Number of public values: the commitment to differences before and after, the limbs of the
/// point, the halves of the value's words.
pub const PUBLIC_VALUES: usize = 4 + 4 + POINT_LIMBS + 8;

/// The differences of a batch as a polynomial, and its value at a point.
#[derive(Clone, Copy, Debug)]
pub struct DataChip;

/// Whether a row is a group's last; by what the top bits of a block are multiplied.
static PERIODIC: LazyLock<[Vec<F>; 2]> = LazyLock::new(|| {
    let is_spill = |i: usize| F::from_bool(i == GROUP_BLOCKS);
    let weight = |i: usize| match i {
        GROUP_BLOCKS => F::ZERO,
        _ => F::from_u64(1 << (SPILL_BITS as usize * i)),
    };
    [
        (0..GROUP).map(is_spill).collect(),
        (0..GROUP).map(weight).collect(),
    ]
});

impl BaseAir<F> for DataChip {
    fn width(&self) -> usize {
        WIDTH
    }

    fn num_periodic_columns(&self) -> usize {
        PERIODIC.len()
    }

    fn periodic_columns(&self) -> Cow<'_, [Vec<F>]> {
        Cow::Borrowed(PERIODIC.as_slice())
    }

    fn main_next_row_columns(&self) -> Vec<usize> {
        let columns = DataColumns::of(0..WIDTH);
        [
            &[columns.is_active, columns.spilt],
            &columns.chain[..],
            &columns.limbs,
            &columns.value,
            &columns.quotient,
            &columns.carry_low,
            &columns.carry_high,
        ]
        .concat()
    }

    fn max_constraint_degree(&self) -> Option<usize> {
        Some(3)
    }

    fn num_public_values(&self) -> usize {
        PUBLIC_VALUES
    }
}

/// A row and the one after it.
type Row<AB> = DataColumns<<AB as AirBuilder>::Var>;

/// The public values, named.
struct Ends<E> {
    before: Vec<E>,
    after: Vec<E>,
    point: Vec<E>,
    value: Vec<E>,
}

impl<E> Ends<E> {
    fn of(values: impl IntoIterator<Item = E>) -> Self {
        let mut values = values.into_iter();
        let mut take = |count| values.by_ref().take(count).collect();
        Self {
            before: take(4),
            after: take(4),
            point: take(POINT_LIMBS),
            value: take(8),
        }
    }
}

impl<AB: ChipBuilder> Air<AB> for DataChip {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = DataColumns::of(main.current_slice().iter().copied());
        let next = DataColumns::of(main.next_slice().iter().copied());
        let periodic = builder.periodic_values();
        let [is_spill, weight] = [periodic[0].into(), periodic[1].into()];
        let ends = Ends::of(
            builder
                .public_values()
                .iter()
                .map(|&value| value.into())
                .collect::<Vec<AB::Expr>>(),
        );

        flags(builder, &row, &next, is_spill);
        canonical(builder, &row);
        contents(builder, &row);
        spills(builder, &row, &next, weight);
        chain(builder, &row, &next, &ends);
        value(builder, &row, &ends);
        horner::step(builder, &row, &next, &ends.point);

        link(builder, &row, &next);
        ranges(builder, &row);
        horner::check(builder, &row);
    }
}

/// Blocks come first, but for the last row of each group.
fn flags<AB: ChipBuilder>(builder: &mut AB, row: &Row<AB>, next: &Row<AB>, is_spill: AB::Expr) {
    builder.assert_eq(row.is_spill, is_spill);
    builder.assert_bool(row.is_active);
    builder
        .when_transition()
        .assert_zero((AB::Expr::ONE - row.is_active) * next.is_active);
    let is_block = AB::Expr::ONE - row.is_spill;
    builder.assert_eq(row.is_real, is_block * row.is_active);
    builder.assert_bool(row.top[0]);
    builder.assert_bool(row.top[1]);
}

/// The top bits of the block, as a number.
fn top<AB: ChipBuilder>(row: &Row<AB>) -> AB::Expr {
    row.top[0] + row.top[1] * F::TWO
}

/// What the limbs of the block's last element have above them.
fn above<AB: ChipBuilder>(row: &Row<AB>, element: usize, unit: u64) -> AB::Expr {
    match element {
        3 => top::<AB>(row) * F::from_u64(unit),
        _ => AB::Expr::ZERO,
    }
}

/// An element of the block.
fn element<AB: ChipBuilder>(row: &Row<AB>, element: usize) -> AB::Expr {
    let limbs = &row.limbs[4 * element..][..4];
    amount::value::<AB>(limbs) + above::<AB>(row, element, 1 << 62)
}

/// The limbs of each element are those of an integer below p: if its high half is 2^32 - 1, its low
/// half is 0.
fn canonical<AB: ChipBuilder>(builder: &mut AB, row: &Row<AB>) {
    for (i, &witness) in row.witness.iter().enumerate() {
        let limbs = &row.limbs[4 * i..][..4];
        let low = amount::value::<AB>(&limbs[..2]);
        let high = amount::value::<AB>(&limbs[2..]) + above::<AB>(row, i, 1 << 30);
        let rest = AB::Expr::from(F::from_u32(u32::MAX)) - high;
        builder.assert_zero(low * (AB::Expr::ONE - rest * witness));
    }
}

/// A row that is no block is zero, but for the top bits in a group's last.
fn contents<AB: ChipBuilder>(builder: &mut AB, row: &Row<AB>) {
    let is_unused = AB::Expr::ONE - row.is_real;
    for i in 1..4 {
        builder.assert_zero(is_unused.dup() * element::<AB>(row, i));
    }
    let first = element::<AB>(row, 0);
    builder.assert_zero(is_unused * first - row.is_spill * row.spilt);
}

/// The top bits of a group's blocks add up to its last coefficient.
fn spills<AB: ChipBuilder>(builder: &mut AB, row: &Row<AB>, next: &Row<AB>, weight: AB::Expr) {
    builder.when_first_row().assert_zero(row.spilt);
    let kept = row.spilt - row.is_spill * row.spilt;
    builder
        .when_transition()
        .assert_eq(next.spilt, kept + weight * top::<AB>(row));
}

/// The chain leads from one commitment to the other, by a link for each block.
fn chain<AB: ChipBuilder>(builder: &mut AB, row: &Row<AB>, next: &Row<AB>, ends: &Ends<AB::Expr>) {
    let stays = AB::Expr::ONE - row.is_real;
    for i in 0..4 {
        builder
            .when_first_row()
            .assert_eq(row.chain[i], ends.before[i].dup());
        builder
            .when_transition()
            .assert_zero(stays.dup() * (next.chain[i] - row.chain[i]));
        // The last row is the last of a group, and no block.
        builder
            .when_last_row()
            .assert_eq(row.chain[i], ends.after[i].dup());
    }
}

/// The value starts as the first coefficient, and ends as what is stated.
fn value<AB: ChipBuilder>(builder: &mut AB, row: &Row<AB>, ends: &Ends<AB::Expr>) {
    for (&value, &limb) in row.value.iter().zip(&row.limbs) {
        builder.when_first_row().assert_eq(value, limb);
    }
    for (limbs, half) in row.value.as_chunks::<2>().0.iter().zip(&ends.value) {
        builder
            .when_last_row()
            .assert_eq(amount::value::<AB>(limbs), half.dup());
    }
}

/// Each block is a link of the chain.
fn link<AB: ChipBuilder>(builder: &mut AB, row: &Row<AB>, next: &Row<AB>) {
    let [a, b, c, d] = row.chain.map(Into::into);
    let [e, f, g, h] = core::array::from_fn(|i| element::<AB>(row, i));
    let input = [a, b, c, d, e, f, g, h];
    HashBus::request(
        builder,
        input,
        next.chain.map(Into::into),
        row.is_real.into(),
    );
}

/// The coefficient is of 16-bit limbs, and below 2^254.
fn ranges<AB: ChipBuilder>(builder: &mut AB, row: &Row<AB>) {
    amount::check_limbs(builder, &row.limbs, AB::Expr::ONE);
    let highest: AB::Expr = row.limbs[row.limbs.len() - 1].into();
    RangeBus::check(builder, highest * F::from_u8(4), AB::Expr::ONE);
}
