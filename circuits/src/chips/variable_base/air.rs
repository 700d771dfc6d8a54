//! Constraints of the ladder e·P.

use std::borrow::Cow;
use std::sync::LazyLock;

use p3_air::{Air, AirBuilder, BaseAir, WindowAccess};
use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::curve::{DIGIT_SIZE, DIGITS};

use super::columns::{VariableBaseColumns, WIDTH};
use crate::bus::{ChipBuilder, VariableBaseBus, VariableBaseMessage, VariableTableBus};
use crate::gadgets::blocks::constrain_places;
use crate::gadgets::curve::{PointExpr, one, sum_x};
use crate::gadgets::quintic::Quintic;
use shardfold_protocol::field::F;

/// Ladders of 32 rows, each the product of a key with a challenge.
#[derive(Clone, Copy, Debug)]
pub struct VariableBaseChip {
    /// The position of the signature that the table's first ladder serves.
    pub first: u32,
}

/// Rows of half a challenge.
const HALF: usize = DIGITS / 2;

/// Rows of the upper 32 bits of half a challenge.
const UPPER: usize = HALF / 2;

/// Which rows of a ladder are special.
struct Periodic<T> {
    /// Row 31: the ladder is complete.
    last: T,
    /// Row 15: the high half is complete.
    middle: T,
    /// Rows 7 and 23: the upper 32 bits of a half are complete.
    upper: T,
    /// Rows 8 to 14 and 24 to 30: the lower 32 bits of a half are on their way.
    lower: T,
}

static PERIODIC: LazyLock<[Vec<F>; 4]> = LazyLock::new(|| {
    let rows = |length: usize, special: &dyn Fn(usize) -> bool| {
        (0..length).map(|row| F::from_bool(special(row))).collect()
    };
    [
        rows(DIGITS, &|row| row == DIGITS - 1),
        rows(DIGITS, &|row| row == HALF - 1),
        rows(HALF, &|row| row == UPPER - 1),
        rows(HALF, &|row| (UPPER..HALF - 1).contains(&row)),
    ]
});

impl BaseAir<F> for VariableBaseChip {
    fn width(&self) -> usize {
        WIDTH
    }

    fn num_periodic_columns(&self) -> usize {
        PERIODIC.len()
    }

    fn periodic_columns(&self) -> Cow<'_, [Vec<F>]> {
        Cow::Borrowed(PERIODIC.as_slice())
    }
}

impl<AB: ChipBuilder> Air<AB> for VariableBaseChip {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = VariableBaseColumns::of(main.current_slice().iter().copied());
        let next = VariableBaseColumns::of(main.next_slice().iter().copied());
        let values = builder.periodic_values();
        let periodic = Periodic::<AB::Expr> {
            last: values[0].into(),
            middle: values[1].into(),
            upper: values[2].into(),
            lower: values[3].into(),
        };

        // 1. The last row of each ladder is marked.
        builder.assert_eq(row.is_last, periodic.last.clone());
        // 2. Ladders are numbered by their position.
        let is_last = row.is_last.into();
        constrain_places(builder, self.first, row.position, next.position, is_last);

        constrain_halves(builder, &row, &next, periodic);
        let eightfold = constrain_doublings(builder, &row);
        let addend = constrain_step(builder, &row, &next, &eightfold);
        interact(builder, &row, &next, addend);
    }
}

/// e as two canonical halves.
fn constrain_halves<AB: ChipBuilder>(
    builder: &mut AB,
    row: &VariableBaseColumns<AB::Var>,
    next: &VariableBaseColumns<AB::Var>,
    periodic: Periodic<AB::Expr>,
) {
    let Periodic {
        last,
        middle,
        upper,
        lower,
    } = periodic;
    // 3. high is zero until the high half is complete, and keeps it until the ladder ends.
    let keeps = AB::Expr::ONE - last.clone() - middle.clone();
    builder.assert_eq(next.high, keeps * row.high + middle.clone() * row.scalar);

    // 4. upper takes the scalar after the upper 32 bits of each half and keeps it.
    builder.when(upper).assert_eq(next.upper, row.scalar);
    builder.when(lower).assert_eq(next.upper, row.upper);

    // 5. A half u·2^32 + l is canonical: some t has (2^32 - 1 - u) t = l, so l = 0 when u
    // is 2^32 - 1.
    let two_32 = F::from_u64(1 << 32);
    let u = row.upper.into() - row.high.into() * two_32;
    let l = row.scalar.into() - row.upper.into() * two_32;
    let room = AB::Expr::from(two_32 - F::ONE) - u;
    builder.when(middle + last).assert_eq(room * next.upper, l);
}

/// 6. Each doubling's slope is the tangent's, and x follows from it. Returns D = 8 acc.
fn constrain_doublings<AB: ChipBuilder>(
    builder: &mut AB,
    row: &VariableBaseColumns<AB::Var>,
) -> PointExpr<AB::Expr> {
    let acc = PointExpr::of(row.x, row.y);
    row.doublings.iter().fold(acc, |point, doubling| {
        let slope = Quintic::<AB::Expr>::of(doubling.slope);
        let tangent = slope.clone() * point.y.clone().double();
        builder.assert_zeros((tangent - point.tangent_numerator()).0);
        let x = Quintic::of(doubling.x);
        let doubled_x = sum_x(slope.clone(), point.x.clone(), point.x.clone());
        builder.assert_zeros((x.clone() - doubled_x).0);
        let y = point.sum_y(slope, x.clone());
        PointExpr { x, y }
    })
}

/// From D = 8 acc to the next acc = (D + M) + D, or to M where a ladder starts. Returns M.
fn constrain_step<AB: ChipBuilder>(
    builder: &mut AB,
    row: &VariableBaseColumns<AB::Var>,
    next: &VariableBaseColumns<AB::Var>,
    eightfold: &PointExpr<AB::Expr>,
) -> PointExpr<AB::Expr> {
    let after = PointExpr::<AB::Expr>::of(next.x, next.y);
    let addend_x = Quintic::of(row.addend_x);
    let sum_slope = Quintic::of(row.sum_slope);
    let addend = PointExpr {
        y: eightfold.line_at(sum_slope.clone(), addend_x.clone()),
        x: addend_x,
    };

    // 7. D and M have different x.
    let difference = eightfold.x.clone() - addend.x.clone();
    builder.assert_zeros((difference * Quintic::of(row.inverse) - one()).0);

    // 8. S = D + M, and (sum_slope + step_slope) (x_D - x_S) = 2 y_D.
    let step_slope = Quintic::of(row.step_slope);
    let x_s = sum_x(sum_slope.clone(), eightfold.x.clone(), addend.x.clone());
    let slopes = sum_slope + step_slope.clone();
    let height = slopes * (eightfold.x.clone() - x_s.clone());
    builder.assert_zeros((height - eightfold.y.clone().double()).0);

    // 9. Within a ladder the next acc is D + S.
    let x = sum_x(step_slope.clone(), eightfold.x.clone(), x_s);
    let y = eightfold.sum_y(step_slope, after.x.clone());
    let mut within = builder.when(AB::Expr::ONE - row.is_last.into());
    within.assert_zeros((after.x.clone() - x).0);
    within.assert_zeros((after.y.clone() - y).0);

    // 10. After a ladder's last row the next ladder starts with M itself.
    let mut after_last = builder.when(row.is_last);
    after_last.assert_zeros((after.x - addend.x.clone()).0);
    after_last.assert_zeros((after.y - addend.y.clone()).0);
    addend
}

/// M is the multiple for the next row's digit; the last acc is the product.
fn interact<AB: ChipBuilder>(
    builder: &mut AB,
    row: &VariableBaseColumns<AB::Var>,
    next: &VariableBaseColumns<AB::Var>,
    addend: PointExpr<AB::Expr>,
) {
    // On a ladder's last row the next row's digit is the first of its ladder.
    let within = AB::Expr::ONE - row.is_last.into();
    let shifted = within * row.scalar * F::from_usize(DIGIT_SIZE);
    let digit = next.scalar.into() - shifted;
    VariableTableBus::lookup(builder, next.position.into(), digit, addend.to_message());

    let high: AB::Expr = row.high.into();
    let low = row.scalar.into() - high.clone() * F::from_u64(1 << 32).square();
    let message = VariableBaseMessage {
        position: row.position.into(),
        scalar: [low, high],
        product: PointExpr::of(row.x, row.y).to_message(),
    };
    VariableBaseBus::provide(builder, message, row.is_last.into());
}
