//! Constraints of the transaction table.

use p3_air::{Air, AirBuilder, BaseAir, WindowAccess};
use p3_field::PrimeCharacteristicRing;
use shardfold_contracts::Contracts;
use shardfold_contracts::layout::{LIMB_BITS, SHORT_SCALE};
use shardfold_contracts::readings::Bus;
use shardfold_contracts::recorded::RecordedStep;
use shardfold_protocol::field::F;
use shardfold_protocol::head::STATEMENT_ELEMENTS;

use super::columns::{Around, ChainAround, HeadValues, StatementValues, TransactionColumns};
use crate::bus::{Branch, ChipBuilder, NodeBus, NodeMessage, RangeBus, say_exclusively};
use crate::chips::node::DEPTH;

/// The transactions in order, one row a step, and the head that they move. Public values: the
/// statement.
#[derive(Clone, Copy, Debug)]
pub struct TransactionChip {
    /// Whose steps there are.
    pub contracts: &'static Contracts,
}

impl BaseAir<F> for TransactionChip {
    fn width(&self) -> usize {
        self.contracts.layout().width()
    }

    fn max_constraint_degree(&self) -> Option<usize> {
        Some(3)
    }

    fn num_public_values(&self) -> usize {
        STATEMENT_ELEMENTS
    }
}

type Row<AB> = TransactionColumns<<AB as AirBuilder>::Var>;
type Values<AB> = HeadValues<<AB as AirBuilder>::Expr>;

impl<AB: ChipBuilder> Air<AB> for TransactionChip {
    fn eval(&self, builder: &mut AB) {
        let (steps, layout) = (self.contracts.steps(), self.contracts.layout());
        let main = builder.main();
        let row = TransactionColumns::of(&layout, main.current_slice().iter().copied());
        let next = TransactionColumns::of(&layout, main.next_slice().iter().copied());
        let values: Vec<AB::Expr> = builder
            .public_values()
            .iter()
            .map(|&value| value.into())
            .collect();
        let StatementValues { before, after, .. } = StatementValues::of(values);

        selectors(builder, steps, &row, &next);
        sequence(builder, steps, &row, &next);
        counts(builder, steps, [&row, &next], [&before, &after]);
        time(builder, &row, &before, &after);
        chains(builder, steps, [&row, &next], [&before, &after]);
        handed_on(builder, steps, &row, &next);
        rules(builder, steps, &row);

        take_root(builder, &row, before, after);
        messages(builder, steps, &row);
        limbs(builder, &row);
    }
}

/// The sum of the selectors of some steps.
fn selected<AB: ChipBuilder>(
    steps: &[RecordedStep],
    row: &Row<AB>,
    is: impl Fn(&RecordedStep) -> bool,
) -> AB::Expr {
    let pairs = steps
        .iter()
        .zip(&row.selectors)
        .filter(|(step, _)| is(step));
    pairs.fold(AB::Expr::ZERO, |sum, (_, &selector)| sum + selector)
}

fn is_real<AB: ChipBuilder>(steps: &[RecordedStep], row: &Row<AB>) -> AB::Expr {
    selected::<AB>(steps, row, |_| true)
}

fn starts<AB: ChipBuilder>(steps: &[RecordedStep], row: &Row<AB>) -> AB::Expr {
    selected::<AB>(steps, row, |step| step.step.is_first)
}

/// Each row is one step or padding, and padding comes last.
fn selectors<AB: ChipBuilder>(
    builder: &mut AB,
    steps: &[RecordedStep],
    row: &Row<AB>,
    next: &Row<AB>,
) {
    let (here, there) = (is_real::<AB>(steps, row), is_real::<AB>(steps, next));
    // Each row is at most one step.
    for &selector in &row.selectors {
        builder.assert_bool(selector);
    }
    builder.assert_bool(here.clone());
    // The first row starts a transaction.
    builder
        .when_first_row()
        .assert_one(starts::<AB>(steps, row));
    // After padding comes only padding.
    let padding = AB::Expr::ONE - here;
    builder.when_transition().assert_zero(padding * there);
    // The first row, and no other, says that it is.
    builder.when_first_row().assert_one(row.is_first);
    builder.when_transition().assert_zero(next.is_first);
}

/// Steps follow each other as their contract says.
fn sequence<AB: ChipBuilder>(
    builder: &mut AB,
    steps: &[RecordedStep],
    row: &Row<AB>,
    next: &Row<AB>,
) {
    for (number, step) in steps.iter().enumerate() {
        // A step that does not end its transaction is followed by one that may follow.
        if !step.next.is_empty() {
            let mut followers = step.next.iter();
            let followed = followers.by_ref().fold(AB::Expr::ZERO, |sum, &next_step| {
                sum + next.selectors[next_step]
            });
            let missing = AB::Expr::ONE - followed;
            builder
                .when_transition()
                .assert_zero(missing * row.selectors[number]);
            builder.when_last_row().assert_zero(row.selectors[number]);
        }
        // A step that does not start a transaction comes after one that it may follow.
        if !step.step.is_first {
            let leads = |other: &RecordedStep| other.next.contains(&number);
            let missing = AB::Expr::ONE - selected::<AB>(steps, row, leads);
            builder
                .when_transition()
                .assert_zero(missing * next.selectors[number]);
        }
    }
}

/// Transactions, items of the queue and withdrawals are counted.
fn counts<AB: ChipBuilder>(
    builder: &mut AB,
    steps: &[RecordedStep],
    [row, next]: [&Row<AB>; 2],
    [before, after]: [&Values<AB>; 2],
) {
    // All steps of a transaction have its number as their clock; the statement's count grows by all.
    builder.when_first_row().assert_one(row.clock);
    let next_clock = starts::<AB>(steps, next) + row.clock;
    builder.when_transition().assert_eq(next.clock, next_clock);
    builder
        .when_last_row()
        .assert_eq(after.tx_count.clone(), before.tx_count.clone() + row.clock);
    // A step that takes no item of the queue leaves its count.
    let keeps = AB::Expr::ONE - selected::<AB>(steps, row, |step| step.does.queues);
    let ends = [&before.queue_count, &after.queue_count];
    count(builder, [row.queue_count, next.queue_count], ends, keeps);
    // Nor does one that cannot withdraw change the count of withdrawals.
    let keeps = AB::Expr::ONE - selected::<AB>(steps, row, |step| step.does.withdraws);
    let ends = [&before.withdrawal_count, &after.withdrawal_count];
    let counts = [row.withdrawal_count, next.withdrawal_count];
    count(builder, counts, ends, keeps);
}

/// Time does not run back, and moves by less than 2^32 seconds.
fn time<AB: ChipBuilder>(builder: &mut AB, row: &Row<AB>, before: &Values<AB>, after: &Values<AB>) {
    let [low, high] = row.elapsed;
    let elapsed = high * F::from_u32(1 << LIMB_BITS) + low;
    builder.assert_eq(after.time.clone() - before.time.clone(), elapsed);
    for limb in row.elapsed {
        RangeBus::check(builder, limb.into(), row.is_first.into());
    }
}

/// One count: from `ends[0]` to `ends[1]`, the same after a row as before where `keeps` is 1.
fn count<AB: ChipBuilder>(
    builder: &mut AB,
    [row, next]: [Around<AB::Var>; 2],
    [first, last]: [&AB::Expr; 2],
    keeps: AB::Expr,
) {
    builder
        .when_first_row()
        .assert_eq(row.before, first.clone());
    builder.when_transition().assert_eq(next.before, row.after);
    builder.when_last_row().assert_eq(last.clone(), row.after);
    builder.when(keeps).assert_eq(row.after, row.before);
}

/// Each chain leads from the statement's first head to its second.
fn chains<AB: ChipBuilder>(
    builder: &mut AB,
    steps: &[RecordedStep],
    [row, next]: [&Row<AB>; 2],
    [before, after]: [&Values<AB>; 2],
) {
    // A step that adds nothing leaves the chain; the rules of the others say what it is after.
    let keeps = |does: fn(&RecordedStep) -> bool| AB::Expr::ONE - selected::<AB>(steps, row, does);
    let links = [row.transactions, next.transactions];
    let ends = [&before.transactions, &after.transactions];
    chain(builder, links, ends, keeps(|step| step.does.commits));
    let links = [row.queue, next.queue];
    let ends = [&before.queue, &after.queue];
    chain(builder, links, ends, keeps(|step| step.does.queues));
    let links = [row.withdrawals, next.withdrawals];
    let ends = [&before.withdrawals, &after.withdrawals];
    chain(builder, links, ends, keeps(|step| step.does.withdraws));
}

/// One chain: from `ends[0]` to `ends[1]`, the same after a row as before where `keeps` is 1.
fn chain<AB: ChipBuilder>(
    builder: &mut AB,
    [row, next]: [ChainAround<AB::Var>; 2],
    [first, last]: [&[AB::Expr; 4]; 2],
    keeps: AB::Expr,
) {
    for i in 0..4 {
        let (before, after) = (row.before[i], row.after[i]);
        builder.when_first_row().assert_eq(before, first[i].clone());
        builder.when_transition().assert_eq(next.before[i], after);
        builder.when_last_row().assert_eq(last[i].clone(), after);
        builder.when(keeps.clone()).assert_eq(after, before);
    }
}

/// What a step hands on is what the next row was handed.
fn handed_on<AB: ChipBuilder>(
    builder: &mut AB,
    steps: &[RecordedStep],
    row: &Row<AB>,
    next: &Row<AB>,
) {
    for (i, &carried) in next.carried.iter().enumerate() {
        let mut difference = AB::Expr::ZERO;
        let pairs = steps.iter().zip(&row.selectors);
        for (step, &selector) in pairs.filter(|(step, _)| !step.next.is_empty()) {
            difference += (step.carried[i].resolve(builder) - carried) * selector;
        }
        builder.when_transition().assert_zero(difference);
    }
}

/// Each row keeps the rules of its step: constraint i of the table is that of whichever step it is.
fn rules<AB: ChipBuilder>(builder: &mut AB, steps: &[RecordedStep], row: &Row<AB>) {
    let most = steps.iter().map(|step| step.zeros.len()).max();
    for i in 0..most.unwrap_or_default() {
        let mut sum = AB::Expr::ZERO;
        for (step, &selector) in steps.iter().zip(&row.selectors) {
            if let Some(zero) = step.zeros.get(i) {
                sum += zero.resolve(builder) * selector;
            }
        }
        builder.assert_zero(sum);
    }
}

/// The state tree's roots are the statement's.
fn take_root<AB: ChipBuilder>(
    builder: &mut AB,
    row: &Row<AB>,
    before: Values<AB>,
    after: Values<AB>,
) {
    let root = NodeMessage {
        level: AB::Expr::from_usize(DEPTH),
        index: AB::Expr::ZERO,
        old: before.state_root,
        new: after.state_root,
    };
    NodeBus::receive(builder, root, row.is_first.into());
}

/// Each row says what its step says: message j on a bus is that of whichever step it is.
fn messages<AB: ChipBuilder>(builder: &mut AB, steps: &[RecordedStep], row: &Row<AB>) {
    for bus in Bus::ALL {
        let slots = steps.iter().map(|step| step.count(bus)).max();
        for slot in 0..slots.unwrap_or_default() {
            let mut branches = vec![];
            for (step, &selector) in steps.iter().zip(&row.selectors) {
                let mut said = step.messages.iter().filter(|message| message.bus == bus);
                if let Some(message) = said.nth(slot) {
                    branches.push(Branch {
                        flag: selector.into(),
                        count: message.count.resolve(builder),
                        fields: resolve_all(builder, &message.fields),
                    });
                }
            }
            say_exclusively(builder, bus, branches);
        }
    }
}

fn resolve_all<AB: ChipBuilder>(
    builder: &AB,
    fields: &[shardfold_contracts::readings::Expr],
) -> Vec<AB::Expr> {
    fields.iter().map(|field| field.resolve(builder)).collect()
}

/// Every limb is one, used or not.
fn limbs<AB: ChipBuilder>(builder: &mut AB, row: &Row<AB>) {
    for &limb in &row.limbs {
        RangeBus::check(builder, limb.into(), AB::Expr::ONE);
    }
    for &short in &row.shorts {
        RangeBus::check(builder, short.into(), AB::Expr::ONE);
        // A quarter of a 16-bit value that is itself of 16 bits has 14 bits.
        RangeBus::check(builder, short * F::from_u32(SHORT_SCALE), AB::Expr::ONE);
    }
}
