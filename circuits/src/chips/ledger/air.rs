//! Constraints of the ledger.

use p3_air::{Air, AirBuilder, BaseAir, WindowAccess};
use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::head::STATEMENT_ELEMENTS;

use super::columns::{ChainColumns, HeadValues, LedgerColumns, StatementValues, WIDTH};
use crate::bus::{ChipBuilder, HashBus, LedgerBus, LedgerMessage, NodeBus, NodeMessage, RangeBus};
use crate::chips::node::DEPTH;
use crate::gadgets::amount;
use shardfold_protocol::field::F;

/// The transactions in order and the head that they move. Public values: the statement.
#[derive(Clone, Copy, Debug)]
pub struct LedgerChip;

impl BaseAir<F> for LedgerChip {
    fn width(&self) -> usize {
        WIDTH
    }

    fn max_constraint_degree(&self) -> Option<usize> {
        // More than is needed, so that two messages of a bus share one column.
        Some(3)
    }

    fn num_public_values(&self) -> usize {
        STATEMENT_ELEMENTS
    }
}

impl<AB: ChipBuilder> Air<AB> for LedgerChip {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = LedgerColumns::of(main.current_slice().iter().copied());
        let next = LedgerColumns::of(main.next_slice().iter().copied());
        let values: Vec<AB::Expr> = builder
            .public_values()
            .iter()
            .map(|&value| value.into())
            .collect();
        let StatementValues { before, after, .. } = StatementValues::of(values);

        kinds(builder, &row, &next);
        counts(builder, &row, &next, &before, &after);
        time(builder, &row, &before, &after);
        chains(builder, &row, &next, &before, &after);
        take_root(builder, &row, before, after);
        announce(builder, &row);
    }
}

/// 1 for a transaction, 0 for padding.
fn is_real<AB: ChipBuilder>(row: &LedgerColumns<AB::Var>) -> AB::Expr {
    let [(first, _), others @ ..] = row.flags();
    let others = others.into_iter();
    others.fold(first.into(), |sum, (flag, _)| sum + flag)
}

/// Each transaction has one kind, and they come before all padding.
fn kinds<AB: ChipBuilder>(
    builder: &mut AB,
    row: &LedgerColumns<AB::Var>,
    next: &LedgerColumns<AB::Var>,
) {
    let (here, there) = (is_real::<AB>(row), is_real::<AB>(next));
    // Each row has at most one kind.
    builder.assert_bools(row.flags().map(|(flag, _)| flag));
    builder.assert_bool(here.clone());
    // The first row is a transaction.
    builder.when_first_row().assert_one(here.clone());
    // After padding comes only padding.
    let padding = AB::Expr::ONE - here;
    builder.when_transition().assert_zero(padding * there);
    // The first row, and no other, says that it is.
    builder.when_first_row().assert_one(row.is_first);
    builder.when_transition().assert_zero(next.is_first);
}

/// Transactions, queue items and withdrawals are counted.
fn counts<AB: ChipBuilder>(
    builder: &mut AB,
    row: &LedgerColumns<AB::Var>,
    next: &LedgerColumns<AB::Var>,
    before: &HeadValues<AB::Expr>,
    after: &HeadValues<AB::Expr>,
) {
    // Clocks count transactions from 1; the statement's count grows by all of them.
    let next_clock = is_real::<AB>(row) + row.clock;
    builder.when_first_row().assert_one(row.clock);
    builder
        .when_transition()
        .assert_eq(next.clock, next_clock.clone());
    builder.when_last_row().assert_eq(
        after.tx_count.clone(),
        before.tx_count.clone() + next_clock - F::ONE,
    );
    // Queue items are counted from the statement's count to the statement's count.
    let counts = [row.queue_count, next.queue_count];
    let ends = [&before.queue_count, &after.queue_count];
    count(builder, counts, ends, row.is_deposit);
    // A deposit's position in the queue is how many items were taken before it.
    let position = AB::Expr::from(row.is_deposit) * row.queue_count;
    builder.assert_eq(row.queue_position, position);
    // So are withdrawals.
    let counts = [row.withdrawal_count, next.withdrawal_count];
    let ends = [&before.withdrawal_count, &after.withdrawal_count];
    count(builder, counts, ends, row.is_withdraw);
}

/// One count: from `ends[0]` to `ends[1]`, one more after each row that is `counted`.
fn count<AB: ChipBuilder>(
    builder: &mut AB,
    [row, next]: [AB::Var; 2],
    [first, last]: [&AB::Expr; 2],
    counted: AB::Var,
) {
    let next_count = row + counted;
    builder.when_first_row().assert_eq(row, first.clone());
    builder
        .when_transition()
        .assert_eq(next, next_count.clone());
    builder.when_last_row().assert_eq(last.clone(), next_count);
}

/// Time does not run back, and moves by less than 2^32 seconds.
fn time<AB: ChipBuilder>(
    builder: &mut AB,
    row: &LedgerColumns<AB::Var>,
    before: &HeadValues<AB::Expr>,
    after: &HeadValues<AB::Expr>,
) {
    let elapsed = amount::value::<AB>(&row.elapsed);
    builder.assert_eq(after.time.clone() - before.time.clone(), elapsed);
    for limb in row.elapsed {
        RangeBus::check(builder, limb.into(), row.is_first.into());
    }
}

/// Each chain leads from the statement's first head to its second.
fn chains<AB: ChipBuilder>(
    builder: &mut AB,
    row: &LedgerColumns<AB::Var>,
    next: &LedgerColumns<AB::Var>,
    before: &HeadValues<AB::Expr>,
    after: &HeadValues<AB::Expr>,
) {
    // Every transaction is chained.
    let links = [&row.transactions, &next.transactions];
    let ends = [&before.transactions, &after.transactions];
    chain(builder, links, ends, row.digest, is_real::<AB>(row));
    // The queue items are chained.
    let links = [&row.queue, &next.queue];
    let ends = [&before.queue, &after.queue];
    chain(builder, links, ends, row.payload, row.is_deposit.into());
    // The withdrawals are chained.
    let links = [&row.withdrawals, &next.withdrawals];
    let ends = [&before.withdrawals, &after.withdrawals];
    chain(builder, links, ends, row.payload, row.is_withdraw.into());
    // The differences of records are not chained yet.
    for (before, after) in before.data.iter().zip(&after.data) {
        builder
            .when_first_row()
            .assert_eq(before.clone(), after.clone());
    }
}

/// One chain: from `ends[0]` to `ends[1]`, extended by `entry` where `extends`, else kept.
fn chain<AB: ChipBuilder>(
    builder: &mut AB,
    [row, next]: [&ChainColumns<AB::Var>; 2],
    [first, last]: [&[AB::Expr; 4]; 2],
    entry: [AB::Var; 4],
    extends: AB::Expr,
) {
    for i in 0..4 {
        builder
            .when_first_row()
            .assert_eq(row.before[i], first[i].clone());
        builder
            .when_transition()
            .assert_eq(next.before[i], row.after[i]);
        builder
            .when_last_row()
            .assert_eq(last[i].clone(), row.after[i]);
        builder
            .when(AB::Expr::ONE - extends.clone())
            .assert_eq(row.after[i], row.before[i]);
    }
    let [a, b, c, d] = row.before.map(Into::into);
    let [e, f, g, h] = entry.map(Into::into);
    let after = row.after.map(Into::into);
    HashBus::request(builder, [a, b, c, d, e, f, g, h], after, extends);
}

/// The state tree's roots are the statement's.
fn take_root<AB: ChipBuilder>(
    builder: &mut AB,
    row: &LedgerColumns<AB::Var>,
    before: HeadValues<AB::Expr>,
    after: HeadValues<AB::Expr>,
) {
    let root = NodeMessage {
        level: AB::Expr::from_usize(DEPTH),
        index: AB::Expr::ZERO,
        old: before.state_root,
        new: after.state_root,
    };
    NodeBus::receive(builder, root, row.is_first.into());
}

/// One rule proves each transaction.
fn announce<AB: ChipBuilder>(builder: &mut AB, row: &LedgerColumns<AB::Var>) {
    let flags = row.flags().into_iter();
    let kind = flags.fold(AB::Expr::ZERO, |sum, (is, kind)| {
        sum + AB::Expr::from(is) * F::from_u8(kind as u8)
    });
    let message = LedgerMessage {
        clock: row.clock.into(),
        kind,
        digest: row.digest.map(Into::into),
        payload: row.payload.map(Into::into),
        queue_position: row.queue_position.into(),
    };
    LedgerBus::send(builder, message, is_real::<AB>(row));
}
