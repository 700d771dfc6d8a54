use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::transaction::Withdraw;

use super::WithdrawColumns;
use super::columns::WIDTH;
use crate::chips::fixture::*;
use crate::testing::{
    Cheat, ChipTrace, accepts, bus_refuses, cheats_of, one_constraint_refuses, rehash,
    table_refuses,
};
use shardfold_protocol::field::F;

fn columns() -> WithdrawColumns<usize> {
    WithdrawColumns::of(0..WIDTH)
}

fn honest(withdrawals: &[Withdraw]) -> ChipTrace {
    Shard::of(withdrawals.iter().map(|&w| signed_withdraw(w, 0)).collect()).withdraw
}

/// One withdrawal of 100 with a fee of 2 from Alice's vault.
fn one() -> ChipTrace {
    honest(&[withdraw(100, 2, ALICE_NONCE)])
}

fn with_change(mut trace: ChipTrace, row: usize, column: usize, change: F) -> ChipTrace {
    *trace.cell_mut(row, column) += change;
    trace
}

// Honest.

#[test]
fn withdrawals_with_and_without_fee_are_accepted() {
    accepts(&[one()]);
    accepts(&[honest(&[withdraw(100, 0, ALICE_NONCE)])]);
    accepts(&[honest(&[withdraw(999_998, 2, ALICE_NONCE)])]);
    accepts(&[honest(&[])]);
}

#[test]
fn a_full_table_is_accepted() {
    let full: Vec<_> = (0..4).map(|i| withdraw(5, i, ALICE_NONCE + i)).collect();
    accepts(&[honest(&full)]);
}

#[test]
fn no_cell_of_a_withdrawal_is_free() {
    no_cell_is_free(&one(), 0);
    no_cell_is_free(&honest(&[withdraw(0, 0, ALICE_NONCE)]), 0);
}

// Cheats that constraints refuse.

#[test]
fn a_sender_who_keeps_what_leaves() {
    let cell = columns().from.new_balance.limbs[0];
    one_constraint_refuses(&[with_change(one(), 0, cell, F::from_u8(100))]);
}

#[test]
fn a_padding_row_that_pays() {
    let mut cheat = one();
    *cheat.cell_mut(3, columns().fee.limbs[0]) = F::ONE;
    *cheat.cell_mut(3, columns().from.balance) = F::ONE;
    one_constraint_refuses(&[cheat]);
}

#[test]
fn a_row_that_counts_twice() {
    let cheat = honest(&[withdraw(100, 0, ALICE_NONCE)]);
    one_constraint_refuses(&[cheat.with_cell(0, columns().is_real, F::TWO)]);
}

// Cheats that the range chip refuses.

#[test]
fn overdraft_that_wraps() {
    let c = columns();
    let mut cheat = one();
    *cheat.cell_mut(0, c.amount.limbs[1]) = F::from_u16(100);
    let left = F::from_u32(1_000_000) - F::from_u32(100 + 2) - F::from_u32(100 << 16);
    for (cell, value) in c.from.new_balance.limbs.into_iter().zip([left, F::ZERO]) {
        *cheat.cell_mut(0, cell) = value;
    }
    table_refuses("range", &[cheat]);
}

#[test]
fn negative_amount() {
    let c = columns();
    let mut cheat = honest(&[withdraw(0, 0, ALICE_NONCE)]);
    *cheat.cell_mut(0, c.amount.limbs[0]) = F::NEG_ONE;
    *cheat.cell_mut(0, c.from.new_balance.limbs[0]) += F::ONE;
    table_refuses("range", &[cheat]);
}

#[test]
fn a_balance_with_one_limb_out_of_range() {
    for limbs in no_amounts() {
        let mut cheat = one();
        set_cells(&mut cheat, &columns().from.new_balance.limbs, &limbs);
        *cheat.cell_mut(0, columns().from.balance) = value_of(&limbs) + F::from_u8(102);
        table_refuses("range", &[cheat]);
    }
}

#[test]
fn an_amount_with_one_limb_out_of_range() {
    for limbs in no_amounts() {
        let mut cheat = one();
        set_cells(&mut cheat, &columns().amount.limbs, &limbs);
        *cheat.cell_mut(0, columns().from.balance) += value_of(&limbs) - F::from_u8(100);
        table_refuses("range", &[cheat]);
    }
}

#[test]
fn a_fee_with_one_limb_out_of_range() {
    for limbs in negative_fees() {
        let mut cheat = one();
        set_cells(&mut cheat, &columns().fee.limbs, &limbs);
        *cheat.cell_mut(0, columns().from.balance) += value_of(&limbs) - F::TWO;
        table_refuses("range", &[cheat]);
    }
}

#[test]
fn old_clock_in_the_future() {
    table_refuses(
        "range",
        &[one().with_cell(0, columns().from.access.old_clock, F::ONE)],
    );
}

// Cheats that the other end of a bus refuses.

#[test]
fn a_withdrawal_to_another_address() {
    let c = columns();
    for cell in c.address.into_iter().chain([c.base_chain]) {
        let cheat = with_change(one(), 0, cell, F::ONE);
        bus_refuses("hash", &[one()], &[cheat]);
    }
}

#[test]
fn a_digest_of_another_withdrawal() {
    let c = columns();
    for block in c.payload.into_iter().chain(c.digest) {
        let cheat = with_change(one(), 0, block[0], F::ONE);
        bus_refuses("hash", &[one()], &[cheat]);
    }
}

#[test]
fn a_withdrawal_of_another_chain() {
    let mut cheat = one();
    cheat.public_values[0] += F::ONE;
    bus_refuses("hash", &[one()], &[cheat]);
}

#[test]
fn a_hash_with_one_block_that_is_no_compression() {
    let c = columns();
    let blocks = [&c.payload[..], &c.digest].concat();
    for (position, block) in blocks.iter().enumerate() {
        let mut cheat = with_change(one(), 0, block[0], F::ONE);
        rehash(&mut cheat, 0, &blocks[position + 1..]);
        table_refuses("hash", &[cheat]);
    }
}

#[test]
fn a_record_that_was_written_at_another_time() {
    let cheat = one().with_cell(0, columns().from.access.old_clock, F::NEG_ONE);
    bus_refuses("state", &[one()], &[cheat]);
}

#[test]
fn a_sender_written_back_with_another_balance() {
    let c = columns();
    let cheat = with_change(one(), 0, c.fee.limbs[0], F::ONE);
    let cheat = with_change(cheat, 0, c.from.new_balance.limbs[0], F::NEG_ONE);
    bus_refuses("state", &[one()], &[cheat]);
}

#[test]
fn replayed_nonce() {
    let cheat = with_change(one(), 0, columns().from.nonce, F::NEG_ONE);
    bus_refuses("state", &[one()], &[cheat]);
}

#[test]
fn a_withdrawal_that_somebody_else_signed() {
    let cheat = with_change(one(), 0, columns().from.owner[0], F::ONE);
    bus_refuses("signature", &[one()], &[cheat]);
}

#[test]
fn a_withdrawal_that_the_ledger_does_not_have() {
    let cheat = with_change(one(), 0, columns().clock, F::ONE);
    bus_refuses("ledger", &[one()], &[cheat]);
}

#[test]
fn a_fee_to_another_vault() {
    let cheat = one().with_cell(0, columns().fee.vault, F::from_u32(BOB));
    bus_refuses("fee", &[one()], &[cheat]);
}

/// What these tests refuse.
pub fn cheats() -> Vec<Cheat> {
    [
        cheats_of(a_sender_who_keeps_what_leaves),
        cheats_of(a_padding_row_that_pays),
        cheats_of(a_row_that_counts_twice),
        cheats_of(overdraft_that_wraps),
        cheats_of(negative_amount),
        cheats_of(a_balance_with_one_limb_out_of_range),
        cheats_of(an_amount_with_one_limb_out_of_range),
        cheats_of(a_fee_with_one_limb_out_of_range),
        cheats_of(old_clock_in_the_future),
        cheats_of(a_withdrawal_to_another_address),
        cheats_of(a_digest_of_another_withdrawal),
        cheats_of(a_withdrawal_of_another_chain),
        cheats_of(a_hash_with_one_block_that_is_no_compression),
        cheats_of(a_record_that_was_written_at_another_time),
        cheats_of(a_sender_written_back_with_another_balance),
        cheats_of(replayed_nonce),
        cheats_of(a_withdrawal_that_somebody_else_signed),
        cheats_of(a_withdrawal_that_the_ledger_does_not_have),
        cheats_of(a_fee_to_another_vault),
    ]
    .concat()
}
