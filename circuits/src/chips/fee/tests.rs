use p3_field::PrimeCharacteristicRing;
use shardfold_contracts::FeePayment;
use shardfold_protocol::shape::FEE_CLOCK;

use super::FeeColumns;
use super::columns::WIDTH;
use crate::chips::fixture::*;
use crate::testing::{
    Cheat, ChipTrace, accepts, bus_refuses, cheats_of, one_constraint_refuses, report,
    table_refuses,
};
use shardfold_protocol::field::F;

fn columns() -> FeeColumns<usize> {
    FeeColumns::of(0..WIDTH)
}

/// Fees of 2 and 5 to the operator and of 3 to Bob's vault.
fn honest() -> ChipTrace {
    let mut to_bobs = deposit(VACANT, 1, 3, DEPOSITS_BEFORE);
    to_bobs.fee = FeePayment {
        amount: 3,
        vault: BOB,
    };
    let shard = Shard::of(vec![
        signed_transfer(to_bob(1, 2, ALICE_NONCE), 0),
        deposited(to_bobs),
        signed_transfer(to_bob(1, 5, ALICE_NONCE + 1), 0),
    ]);
    shard.fee
}

/// The operator's row: vaults come by ascending index.
const OPERATORS_ROW: usize = 1;

fn with_change(mut trace: ChipTrace, row: usize, column: usize, change: F) -> ChipTrace {
    *trace.cell_mut(row, column) += change;
    trace
}

// Honest.

#[test]
fn fees_are_added_up_per_vault() {
    let trace = honest();
    let total = |row: usize| trace.trace.values[row * WIDTH + columns().total];
    assert_eq!([0, 1, 2, 3].map(total), [3, 7, 0, 0].map(F::from_u32));
    // Bob's vault was last written by the second transfer, the operator's never.
    let old = |row: usize| trace.trace.values[row * WIDTH + columns().vault.old_clock];
    assert_eq!([0, 1].map(old), [3, 0].map(F::from_u32));
    accepts(&[trace]);
}

#[test]
fn a_shard_without_fees_is_accepted() {
    accepts(&[Shard::of(vec![]).fee]);
}

#[test]
fn no_cell_of_a_fee_vault_is_free() {
    no_cell_is_free(&honest(), 0);
    no_cell_is_free(&honest(), OPERATORS_ROW);
}

#[test]
fn a_row_that_collects_nothing_changes_nothing() {
    let c = columns();
    let mut trace = honest();
    let total = *trace.cell_mut(OPERATORS_ROW, c.total);
    *trace.cell_mut(OPERATORS_ROW, c.total) = F::ZERO;
    *trace.cell_mut(OPERATORS_ROW, c.new_balance.limbs[0]) -= total;
    let found = report(&[trace]);
    assert!(found.violations.is_empty(), "{found}");
    let operator = F::from_u32(OPERATOR);
    let messages = found.leftovers.iter();
    let messages = messages.filter(|left| left.bus == "state" && left.fields[0] == operator);
    let records: Vec<_> = messages.map(|left| &left.fields[2..]).collect();
    assert_eq!(records.len(), 2);
    assert_eq!(
        records[0], records[1],
        "the record is written back as it was"
    );
}

// Cheats that constraints refuse.

#[test]
fn money_from_nothing() {
    let cell = columns().new_balance.limbs[0];
    one_constraint_refuses(&[with_change(honest(), 0, cell, F::ONE)]);
}

#[test]
fn a_padding_row_that_collects() {
    let c = columns();
    let cheat = honest().with_cell(3, c.total, F::ONE);
    one_constraint_refuses(&[cheat.with_cell(3, c.new_balance.limbs[0], F::ONE)]);
}

#[test]
fn a_row_that_counts_twice() {
    let c = columns();
    let mut cheat = honest();
    let total = *cheat.cell_mut(0, c.total);
    *cheat.cell_mut(0, c.is_real) = F::TWO;
    *cheat.cell_mut(0, c.total) = F::ZERO;
    *cheat.cell_mut(0, c.new_balance.limbs[0]) -= total;
    one_constraint_refuses(&[cheat]);
}

// Cheats that the range chip refuses.

#[test]
fn a_balance_that_wraps() {
    let c = columns();
    let cheat = honest().with_cell(0, c.balance, -F::from_u8(4));
    let mut cheat = cheat.with_cell(0, c.new_balance.limbs[0], F::NEG_ONE);
    *cheat.cell_mut(0, c.new_balance.limbs[1]) = F::ZERO;
    table_refuses("range", &[cheat]);
}

#[test]
fn a_balance_with_one_limb_out_of_range() {
    let c = columns();
    for limbs in no_amounts() {
        let mut cheat = honest();
        set_cells(&mut cheat, &c.new_balance.limbs, &limbs);
        *cheat.cell_mut(0, c.balance) = value_of(&limbs) - *cheat.cell_mut(0, c.total);
        table_refuses("range", &[cheat]);
    }
}

#[test]
fn old_clock_in_the_future() {
    let cell = columns().vault.old_clock;
    table_refuses(
        "range",
        &[honest().with_cell(0, cell, F::from_u32(FEE_CLOCK))],
    );
}

#[test]
fn an_old_clock_below_zero() {
    let cell = columns().vault.old_clock;
    let old = F::from_u32(FEE_CLOCK) - F::ONE - F::from_u32(1 << 16);
    table_refuses("range", &[honest().with_cell(0, cell, old)]);
}

// Cheats that the other end of a bus refuses.

#[test]
fn fees_that_nobody_paid() {
    let c = columns();
    let cheat = with_change(honest(), 0, c.total, F::ONE);
    let cheat = with_change(cheat, 0, c.new_balance.limbs[0], F::ONE);
    bus_refuses("fee", &[honest()], &[cheat]);
}

#[test]
fn fees_that_are_not_credited() {
    let c = columns();
    let cheat = with_change(honest(), 0, c.total, F::NEG_ONE);
    let cheat = with_change(cheat, 0, c.new_balance.limbs[0], F::NEG_ONE);
    bus_refuses("state", &[honest()], &[cheat]);
}

#[test]
fn a_fee_vault_that_was_written_at_another_time() {
    let cheat = with_change(honest(), 0, columns().vault.old_clock, F::NEG_ONE);
    bus_refuses("state", &[honest()], &[cheat]);
}

#[test]
fn fees_of_another_asset() {
    let cheat = with_change(honest(), 0, columns().asset, F::ONE);
    bus_refuses("fee", &[honest()], std::slice::from_ref(&cheat));
    bus_refuses("state", &[honest()], &[cheat]);
}

#[test]
fn a_fee_vault_that_changes_hands() {
    let cheat = with_change(honest(), 0, columns().owner[0], F::ONE);
    bus_refuses("state", &[honest()], &[cheat]);
}

/// What these tests refuse.
pub fn cheats() -> Vec<Cheat> {
    [
        cheats_of(money_from_nothing),
        cheats_of(a_padding_row_that_collects),
        cheats_of(a_row_that_counts_twice),
        cheats_of(a_balance_that_wraps),
        cheats_of(a_balance_with_one_limb_out_of_range),
        cheats_of(old_clock_in_the_future),
        cheats_of(an_old_clock_below_zero),
        cheats_of(fees_that_nobody_paid),
        cheats_of(fees_that_are_not_credited),
        cheats_of(a_fee_vault_that_was_written_at_another_time),
        cheats_of(fees_of_another_asset),
        cheats_of(a_fee_vault_that_changes_hands),
    ]
    .concat()
}
