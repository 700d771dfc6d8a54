//! Constraints of a touched record.

use std::borrow::Cow;
use std::sync::LazyLock;

use p3_air::{Air, AirBuilder, BaseAir, WindowAccess};
use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::record::KIND_VAULT;

use super::columns::{RecordColumns, WIDTH};
use super::difference;
use crate::bus::{ChipBuilder, HashBus, NodeBus, NodeMessage, RangeBus, StateBus, StateMessage};
use shardfold_protocol::field::F;

/// The touched records. Public values: the chain of differences before and after the shard.
#[derive(Clone, Copy, Debug)]
pub struct RecordChip;

static PARITY: LazyLock<[Vec<F>; 1]> = LazyLock::new(|| [vec![F::ZERO, F::ONE]]);

impl BaseAir<F> for RecordChip {
    fn width(&self) -> usize {
        WIDTH
    }

    fn num_periodic_columns(&self) -> usize {
        PARITY.len()
    }

    fn periodic_columns(&self) -> Cow<'_, [Vec<F>]> {
        Cow::Borrowed(PARITY.as_slice())
    }

    fn main_next_row_columns(&self) -> Vec<usize> {
        let columns = RecordColumns::of(0..WIDTH);
        let [_, _, last_balance, last_nonce, ..] = columns.last;
        let record = [columns.index, columns.first[3], last_balance, last_nonce];
        let flags = [columns.is_changed, columns.is_vault];
        [&record[..], &flags, &columns.chain].concat()
    }

    fn max_constraint_degree(&self) -> Option<usize> {
        Some(3)
    }

    fn num_public_values(&self) -> usize {
        8
    }
}

impl<AB: ChipBuilder> Air<AB> for RecordChip {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = RecordColumns::of(main.current_slice().iter().copied());
        let next = RecordColumns::of(main.next_slice().iter().copied());
        let parity: AB::Expr = builder.periodic_values()[0].into();

        // A row is real or padding.
        builder.assert_bool(row.is_real);
        // Rows are even and odd by turns.
        builder.assert_eq(row.is_odd, parity);
        changes(builder, &row);
        keeps_identity(builder, &row);
        order(builder, &row, &next);
        difference::chain(builder, &row, &next);

        interact(builder, &row);
        difference::blocks(builder, &row, &next);
    }
}

/// A record is published exactly if its digest changes, and as a vault exactly if it is one before.
fn changes<AB: ChipBuilder>(builder: &mut AB, row: &RecordColumns<AB::Var>) {
    let unchanged = || AB::Expr::ONE - row.is_changed;
    // What is published is a record of the tree.
    builder.assert_zero((AB::Expr::ONE - row.is_real) * row.is_changed);
    // What is not published is as before.
    builder
        .when(unchanged())
        .assert_zeros::<4, AB::Expr>(core::array::from_fn(|i| row.new[i] - row.old[i]));
    // What is published as a vault is published, and a vault is there before.
    builder.assert_bool(row.is_vault);
    builder.assert_zero(unchanged() * row.is_vault);
    let other = row.first[0] - F::from_u64(KIND_VAULT);
    builder.assert_zero(other.clone() * row.is_vault);
    // What is published is not as before; if not as a vault, then none is there before.
    let differences = (0..4).map(|i| (row.new[i] - row.old[i]) * row.witness[i]);
    let difference = differences.fold(AB::Expr::ZERO, |sum, term| sum + term);
    builder.assert_eq(difference * (other + row.is_vault), row.is_changed);
}

/// A vault that is published as one keeps kind, asset and owner.
fn keeps_identity<AB: ChipBuilder>(builder: &mut AB, row: &RecordColumns<AB::Var>) {
    for i in [0, 1, 4, 5, 6, 7] {
        builder.assert_zero((row.last[i] - row.first[i]) * row.is_vault);
    }
}

/// The rows that are published come first, by strictly rising index.
fn order<AB: ChipBuilder>(
    builder: &mut AB,
    row: &RecordColumns<AB::Var>,
    next: &RecordColumns<AB::Var>,
) {
    let unchanged = AB::Expr::ONE - row.is_changed;
    builder
        .when_transition()
        .assert_zero(unchanged * next.is_changed);
    let [low, high] = row.gap;
    let gap = high * F::from_u32(1 << 16) + low;
    let rises = next.index - row.index - AB::Expr::ONE - gap;
    builder
        .when_transition()
        .assert_zero(rises * next.is_changed);
    for limb in row.gap {
        RangeBus::check(builder, limb.into(), row.is_changed.into());
    }
    // By so much the nonce of a vault grows.
    let increment = row.last[3] - row.first[3];
    RangeBus::check(builder, increment, row.is_vault.into());
}

fn interact<AB: ChipBuilder>(builder: &mut AB, row: &RecordColumns<AB::Var>) {
    let is_real: AB::Expr = row.is_real.into();
    let (first, last) = (row.first.map(Into::into), row.last.map(Into::into));
    let (old, new) = (row.old.map(Into::into), row.new.map(Into::into));

    HashBus::request(builder, row.first.map(Into::into), old, is_real.clone());
    HashBus::request(builder, row.last.map(Into::into), new, is_real.clone());

    let enters = StateMessage {
        index: row.index.into(),
        clock: AB::Expr::ZERO,
        record: first,
    };
    StateBus::send(builder, enters, is_real.clone());
    let leaves = StateMessage {
        index: row.index.into(),
        clock: row.last_clock.into(),
        record: last,
    };
    StateBus::receive(builder, leaves, is_real.clone());

    let leaf = NodeMessage {
        level: AB::Expr::ZERO,
        index: row.index.into(),
        old: row.old.map(Into::into),
        new: row.new.map(Into::into),
    };
    NodeBus::send(builder, leaf, is_real);
}
