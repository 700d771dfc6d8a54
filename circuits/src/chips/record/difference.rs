//! The chain of differences: a changed vault is one pair of elements, any other changed record five,
//! two pairs are a block. Both numbers are odd, so that what an even row publishes begins a block and
//! what an odd row publishes ends one.

use p3_air::AirBuilder;
use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::difference::{INCREMENT, WHOLE};
use shardfold_protocol::field::F;

use super::columns::RecordColumns;
use crate::bus::{ChipBuilder, HashBus};

type Row<AB> = RecordColumns<<AB as AirBuilder>::Var>;

/// The chain leads from the first public value to the second.
pub(super) fn chain<AB: ChipBuilder>(builder: &mut AB, row: &Row<AB>, next: &Row<AB>) {
    let values: Vec<AB::Expr> = builder.public_values().iter().map(|&v| v.into()).collect();
    let (before, after) = values.split_at(4);
    // A vault's pair is in no block of its row alone, and what is unchanged is in none.
    let keeps = AB::Expr::ONE - is_whole::<AB>(row);
    // Nor does the row share a block with the next one.
    let ends = AB::Expr::ONE - shares::<AB>(row);
    for i in 0..4 {
        builder
            .when(keeps.clone())
            .assert_eq(row.own[i], row.chain[i]);
        builder
            .when_transition()
            .assert_zero((next.chain[i] - row.own[i]) * ends.clone());
        builder
            .when_first_row()
            .assert_eq(row.chain[i], before[i].clone());
        // The last row is an odd one.
        builder
            .when_last_row()
            .assert_eq(row.own[i], after[i].clone());
    }
}

/// Each block is a link of the chain.
pub(super) fn blocks<AB: ChipBuilder>(builder: &mut AB, row: &Row<AB>, next: &Row<AB>) {
    let is_whole = is_whole::<AB>(row);
    let (mark, zero) = (row.index + F::from_u64(WHOLE), AB::Expr::ZERO);
    let [r0, r1, r2, r3, r4, r5, r6, r7] = row.last.map(Into::<AB::Expr>::into);
    // After an even row's mark its record comes; an odd row's mark ends the row before's block.
    let by_parity = |even: [&AB::Expr; 4], odd: [&AB::Expr; 4]| {
        core::array::from_fn(|i| even[i].clone() + (odd[i].clone() - even[i].clone()) * row.is_odd)
    };
    let first = by_parity([&mark, &zero, &r0, &r1], [&r0, &r1, &r2, &r3]);
    let second = by_parity([&r2, &r3, &r4, &r5], [&r4, &r5, &r6, &r7]);
    link(builder, row.chain, first, row.half, is_whole.clone());
    link(builder, row.half, second, row.own, is_whole);

    // What an even row still has, and what the next one begins with: zeros if that is unchanged.
    let vault = vault_pair::<AB>(row);
    let rest = |i: usize| (vault[i].clone() - row.last[6 + i]) * row.is_vault + row.last[6 + i];
    let [third, fourth] = first_pair::<AB>(next);
    let shared = [rest(0), rest(1), third, fourth];
    link(builder, row.own, shared, next.chain, shares::<AB>(row));
}

/// One block, which leads from one chain to the next.
fn link<AB: ChipBuilder>(
    builder: &mut AB,
    before: [AB::Var; 4],
    block: [AB::Expr; 4],
    after: [AB::Var; 4],
    is_said: AB::Expr,
) {
    let [a, b, c, d] = before.map(Into::into);
    let [e, f, g, h] = block;
    let input = [a, b, c, d, e, f, g, h];
    HashBus::request(builder, input, after.map(Into::into), is_said);
}

/// Whether the record is published whole.
fn is_whole<AB: ChipBuilder>(row: &Row<AB>) -> AB::Expr {
    row.is_changed - row.is_vault
}

/// Whether a block begins in the row that ends in the next one.
fn shares<AB: ChipBuilder>(row: &Row<AB>) -> AB::Expr {
    (AB::Expr::ONE - row.is_odd) * row.is_changed
}

/// The pair of a vault: index with the increment of its nonce, and balance.
fn vault_pair<AB: ChipBuilder>(row: &Row<AB>) -> [AB::Expr; 2] {
    let increment = row.last[3] - row.first[3];
    let index = increment * F::from_u64(INCREMENT) + row.index;
    [index, row.last[2].into()]
}

/// The first pair of what is published: that of a vault, a mark, or zeros for nothing.
fn first_pair<AB: ChipBuilder>(row: &Row<AB>) -> [AB::Expr; 2] {
    let [vault, balance] = vault_pair::<AB>(row);
    let mark = row.index + F::from_u64(WHOLE);
    let first = (vault - mark.clone()) * row.is_vault + mark * row.is_changed;
    [first, balance * row.is_vault]
}
