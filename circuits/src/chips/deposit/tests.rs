use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::transaction::{Deposit, Transaction};

use super::DepositColumns;
use super::columns::WIDTH;
use crate::chips::fixture::*;
use crate::testing::{
    Cheat, ChipTrace, accepts, bus_refuses, cheats_of, one_constraint_refuses, rehash,
    table_refuses,
};
use shardfold_protocol::field::F;

fn columns() -> DepositColumns<usize> {
    DepositColumns::of(0..WIDTH)
}

fn honest(deposits: &[Deposit]) -> ChipTrace {
    Shard::of(deposits.iter().map(|&d| Transaction::Deposit(d)).collect()).deposit
}

/// One deposit of 100 with a fee of 2 into Bob's vault.
fn one() -> ChipTrace {
    honest(&[deposit(BOB, 100, 2, DEPOSITS_BEFORE)])
}

fn opening() -> ChipTrace {
    honest(&[deposit(VACANT, 100, 2, DEPOSITS_BEFORE)])
}

fn with_change(mut trace: ChipTrace, row: usize, column: usize, change: F) -> ChipTrace {
    *trace.cell_mut(row, column) += change;
    trace
}

// Honest.

#[test]
fn deposits_that_add_and_that_open_are_accepted() {
    accepts(&[one()]);
    accepts(&[opening()]);
    accepts(&[honest(&[deposit(BOB, 0, 0, DEPOSITS_BEFORE)])]);
    accepts(&[honest(&[])]);
}

#[test]
fn a_full_table_is_accepted() {
    let full: Vec<_> = (0..4)
        .map(|i| {
            deposit(
                if i % 2 == 0 { VACANT } else { BOB },
                7,
                i,
                DEPOSITS_BEFORE + i,
            )
        })
        .collect();
    accepts(&[honest(&full)]);
}

#[test]
fn no_cell_of_a_deposit_is_free() {
    no_cell_is_free(&one(), 0);
    no_cell_is_free(&opening(), 0);
    no_cell_is_free(&honest(&[deposit(BOB, 0, 0, DEPOSITS_BEFORE)]), 0);
}

// Cheats that constraints refuse (the credit's are tested with the transfer).

#[test]
fn money_from_nothing() {
    let cell = columns().to.new_balance.limbs[0];
    one_constraint_refuses(&[with_change(one(), 0, cell, F::ONE)]);
}

#[test]
fn a_deposit_into_a_vault_of_another_asset() {
    let cell = columns().to.asset;
    one_constraint_refuses(&[with_change(one(), 0, cell, F::ONE)]);
}

#[test]
fn a_deposit_into_a_vault_of_another_owner() {
    for cell in columns().to.owner {
        one_constraint_refuses(&[with_change(one(), 0, cell, F::ONE)]);
    }
}

#[test]
fn opening_with_a_nonce() {
    let cell = columns().to.nonce;
    one_constraint_refuses(&[opening().with_cell(0, cell, F::ONE)]);
}

#[test]
fn opening_with_a_balance() {
    let c = columns();
    let cheat = with_change(opening(), 0, c.to.balance, F::ONE);
    one_constraint_refuses(&[with_change(cheat, 0, c.to.new_balance.limbs[0], F::ONE)]);
}

#[test]
fn a_receiver_of_another_kind() {
    // Twice a vault: all of it scaled, so that only the kind itself gives it away.
    let c = columns();
    let mut cheat = opening().with_cell(0, c.to.kind, F::TWO);
    let pairs = [(c.to.asset, c.asset)].into_iter();
    for (taken, named) in pairs.chain(c.to.owner.into_iter().zip(c.owner)) {
        *cheat.cell_mut(0, taken) = *cheat.cell_mut(0, named) * F::TWO;
    }
    one_constraint_refuses(&[cheat]);
}

#[test]
fn a_padding_row_that_pays() {
    let cell = columns().fee.limbs[0];
    one_constraint_refuses(&[one().with_cell(3, cell, F::ONE)]);
}

#[test]
fn a_row_that_counts_twice() {
    let cheat = honest(&[deposit(BOB, 100, 0, DEPOSITS_BEFORE)]);
    one_constraint_refuses(&[cheat.with_cell(0, columns().is_real, F::TWO)]);
}

// Cheats that the range chip refuses.

#[test]
fn negative_amount() {
    let c = columns();
    let mut cheat = honest(&[deposit(BOB, 0, 0, DEPOSITS_BEFORE)]);
    *cheat.cell_mut(0, c.amount.limbs[0]) = F::NEG_ONE;
    *cheat.cell_mut(0, c.to.new_balance.limbs[0]) -= F::ONE;
    table_refuses("range", &[cheat]);
}

#[test]
fn negative_fee() {
    // Nobody pays a deposit's fee within the shard: it would take from the fee vault.
    table_refuses(
        "range",
        &[one().with_cell(0, columns().fee.limbs[0], F::NEG_ONE)],
    );
}

#[test]
fn a_balance_that_wraps() {
    let c = columns();
    let mut cheat = one();
    *cheat.cell_mut(0, c.to.balance) = -F::from_u8(101);
    for (cell, value) in
        c.to.new_balance
            .limbs
            .into_iter()
            .zip([-F::ONE, F::ZERO, F::ZERO, F::ZERO])
    {
        *cheat.cell_mut(0, cell) = value;
    }
    table_refuses("range", &[cheat]);
}

#[test]
fn a_balance_with_one_limb_out_of_range() {
    for limbs in no_amounts() {
        let mut cheat = one();
        set_cells(&mut cheat, &columns().to.new_balance.limbs, &limbs);
        *cheat.cell_mut(0, columns().to.balance) = value_of(&limbs) - F::from_u8(100);
        table_refuses("range", &[cheat]);
    }
}

#[test]
fn an_amount_with_one_limb_out_of_range() {
    for limbs in no_amounts() {
        let mut cheat = one();
        set_cells(&mut cheat, &columns().amount.limbs, &limbs);
        *cheat.cell_mut(0, columns().to.balance) -= value_of(&limbs) - F::from_u8(100);
        table_refuses("range", &[cheat]);
    }
}

#[test]
fn a_fee_with_one_limb_out_of_range() {
    for limbs in negative_fees() {
        let mut cheat = one();
        set_cells(&mut cheat, &columns().fee.limbs, &limbs);
        table_refuses("range", &[cheat]);
    }
}

#[test]
fn old_clock_in_the_future() {
    table_refuses(
        "range",
        &[one().with_cell(0, columns().to.access.old_clock, F::ONE)],
    );
}

// Cheats that the other end of a bus refuses.

#[test]
fn a_deposit_out_of_its_turn() {
    // Payload and digest are those that the ledger has, of which only the hashes can tell.
    let cheat = with_change(one(), 0, columns().nonce, F::ONE);
    bus_refuses("ledger", &[one()], &[cheat]);
    // All of another deposit.
    let cheat = honest(&[deposit(BOB, 100, 2, DEPOSITS_BEFORE + 1)]);
    bus_refuses("ledger", &[one()], &[cheat]);
}

#[test]
fn a_deposit_that_the_ledger_does_not_have() {
    let c = columns();
    let [.., payload] = c.payload;
    let [digest] = c.digest;
    for cell in payload.into_iter().chain(digest).chain([c.clock]) {
        let cheat = with_change(one(), 0, cell, F::ONE);
        bus_refuses("ledger", &[one()], &[cheat]);
    }
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
    let cheat = one().with_cell(0, columns().to.access.old_clock, F::NEG_ONE);
    bus_refuses("state", &[one()], &[cheat]);
}

#[test]
fn a_record_that_lies_elsewhere() {
    let cheat = one().with_cell(0, columns().to.access.index, F::from_u32(VACANT));
    bus_refuses("state", &[one()], &[cheat]);
}

#[test]
fn a_receiver_written_back_with_another_balance() {
    let c = columns();
    let cheat = with_change(one(), 0, c.amount.limbs[0], F::ONE);
    let cheat = with_change(cheat, 0, c.to.new_balance.limbs[0], F::ONE);
    bus_refuses("state", &[one()], &[cheat]);
}

#[test]
fn a_deposit_that_the_queue_does_not_have() {
    // The payload of one deposit over the amount of another.
    let c = columns();
    let mut cheat = with_change(one(), 0, c.amount.limbs[0], F::ONE);
    *cheat.cell_mut(0, c.to.new_balance.limbs[0]) += F::ONE;
    bus_refuses("hash", &[one()], &[cheat]);
}

#[test]
fn a_digest_of_another_deposit() {
    let c = columns();
    for block in c.payload.into_iter().chain(c.digest) {
        let cheat = with_change(one(), 0, block[0], F::ONE);
        bus_refuses("hash", &[one()], &[cheat]);
    }
}

#[test]
fn a_deposit_of_another_chain() {
    let mut cheat = one();
    cheat.public_values[0] += F::ONE;
    bus_refuses("hash", &[one()], &[cheat]);
}

#[test]
fn a_balance_that_the_state_does_not_have() {
    let c = columns();
    let mut cheat = with_change(one(), 0, c.to.balance, F::ONE);
    *cheat.cell_mut(0, c.to.new_balance.limbs[0]) += F::ONE;
    bus_refuses("state", &[one()], &[cheat]);
}

#[test]
fn a_fee_to_another_vault() {
    let cheat = one().with_cell(0, columns().fee.vault, F::from_u32(BOB));
    bus_refuses("fee", &[one()], &[cheat]);
}

/// What these tests refuse.
pub fn cheats() -> Vec<Cheat> {
    [
        cheats_of(money_from_nothing),
        cheats_of(a_deposit_into_a_vault_of_another_asset),
        cheats_of(a_deposit_into_a_vault_of_another_owner),
        cheats_of(opening_with_a_nonce),
        cheats_of(opening_with_a_balance),
        cheats_of(a_receiver_of_another_kind),
        cheats_of(a_padding_row_that_pays),
        cheats_of(a_row_that_counts_twice),
        cheats_of(negative_amount),
        cheats_of(negative_fee),
        cheats_of(a_balance_that_wraps),
        cheats_of(a_balance_with_one_limb_out_of_range),
        cheats_of(an_amount_with_one_limb_out_of_range),
        cheats_of(a_fee_with_one_limb_out_of_range),
        cheats_of(old_clock_in_the_future),
        cheats_of(a_deposit_out_of_its_turn),
        cheats_of(a_deposit_that_the_ledger_does_not_have),
        cheats_of(a_hash_with_one_block_that_is_no_compression),
        cheats_of(a_record_that_was_written_at_another_time),
        cheats_of(a_record_that_lies_elsewhere),
        cheats_of(a_receiver_written_back_with_another_balance),
        cheats_of(a_deposit_that_the_queue_does_not_have),
        cheats_of(a_digest_of_another_deposit),
        cheats_of(a_deposit_of_another_chain),
        cheats_of(a_balance_that_the_state_does_not_have),
        cheats_of(a_fee_to_another_vault),
    ]
    .concat()
}
