//! Cheats of `vaults::pay` and `vaults::credit`, in every step that uses one of them.

use p3_field::{PrimeCharacteristicRing, PrimeField64};
use shardfold_contracts::transfer::Transfer;
use shardfold_protocol::field::F;
use shardfold_protocol::record::Index;

use super::columns::{self, Payer, Receiver};
use super::*;
use crate::testing::{bus_refuses, cheats_of, one_constraint_refuses, table_refuses};

/// An honest table, a row of it, and where the row's vault lies.
struct At<T> {
    chip: ChipTrace,
    row: usize,
    cells: T,
}

fn at<T>(plays: Vec<Play>, row: usize, cells: T) -> At<T> {
    let chip = table_of(plays, 2);
    At { chip, row, cells }
}

/// Every step that pays, each a payment of some amount with a fee.
fn payers() -> Vec<At<Payer>> {
    let relay = relay(&[(BOB, 1, 100)], 2, ALICE_NONCE);
    vec![
        at(
            vec![signed_transfer(to_bob(100, 2, ALICE_NONCE), 0)],
            0,
            columns::transfer().payer,
        ),
        at(
            vec![signed_withdraw(withdraw(100, 2, ALICE_NONCE), 0)],
            0,
            columns::withdraw().payer,
        ),
        at(vec![relay], 1, columns::relay_last().payer),
        at(vec![cooked(ALICE_NONCE)], 0, columns::cook().payer),
    ]
}

/// Every step that credits a vault, which lies at `to`.
fn receivers(to: Index) -> Vec<At<Receiver>> {
    let transfer = Transfer {
        to,
        ..to_bob(100, 2, ALICE_NONCE)
    };
    let item = deposit(to, 100, 2, DEPOSITS_BEFORE);
    let first = relay(&[(to, 1, 100)], 2, ALICE_NONCE);
    let second = relay(&[(OPERATOR, 2, 100), (to, 1, 100)], 2, ALICE_NONCE);
    vec![
        at(
            vec![signed_transfer(transfer, 0)],
            0,
            columns::transfer().receiver,
        ),
        at(vec![deposited(item)], 0, columns::deposit().receiver),
        at(vec![first], 0, columns::relay_first().receiver),
        at(vec![second], 1, columns::relay_middle().receiver),
        at(vec![order(to, 100, DEPOSITS_BEFORE)], 1, columns::serve()),
    ]
}

fn set(chip: &mut ChipTrace, row: usize, columns: &[usize], values: &[F]) {
    for (&column, &value) in columns.iter().zip(values) {
        *chip.cell_mut(row, column) = value;
    }
}

// Cheats that constraints refuse.

#[test]
fn money_from_nothing() {
    for at in receivers(BOB) {
        one_constraint_refuses(&[add(&at.chip, at.row, at.cells.sum[0], F::ONE)]);
    }
}

#[test]
fn a_sender_who_keeps_the_fee() {
    for at in payers() {
        one_constraint_refuses(&[add(&at.chip, at.row, at.cells.left[0], F::TWO)]);
    }
}

#[test]
fn another_asset() {
    for at in receivers(BOB) {
        one_constraint_refuses(&[add(&at.chip, at.row, at.cells.asset, F::ONE)]);
    }
}

#[test]
fn another_owner_receives() {
    for at in receivers(BOB) {
        for cell in at.cells.owner {
            one_constraint_refuses(&[add(&at.chip, at.row, cell, F::ONE)]);
        }
    }
}

#[test]
fn opening_with_a_nonce() {
    for at in receivers(VACANT) {
        one_constraint_refuses(&[at.chip.with_cell(at.row, at.cells.nonce, F::ONE)]);
    }
}

#[test]
fn opening_with_a_balance() {
    for at in receivers(VACANT) {
        let cheat = add(&at.chip, at.row, at.cells.balance, F::ONE);
        one_constraint_refuses(&[add(&cheat, at.row, at.cells.sum[0], F::ONE)]);
    }
}

#[test]
fn opening_over_a_record_with_an_owner_or_an_asset() {
    for at in receivers(VACANT) {
        for cell in at.cells.owner.into_iter().chain([at.cells.asset]) {
            one_constraint_refuses(&[at.chip.with_cell(at.row, cell, F::ONE)]);
        }
    }
}

#[test]
fn a_receiver_of_another_kind() {
    // Twice a vault: all of it scaled, so that only the kind itself gives it away.
    for (at, vault) in receivers(VACANT).into_iter().zip(receivers(BOB)) {
        let mut cheat = at.chip.with_cell(at.row, at.cells.kind, F::TWO);
        for cell in at.cells.owner.into_iter().chain([at.cells.asset]) {
            let named = row(&vault.chip, vault.row)[cell];
            *cheat.cell_mut(at.row, cell) = named * F::TWO;
        }
        one_constraint_refuses(&[cheat]);
    }
}

// Cheats that the range chip refuses.

#[test]
fn an_overdraft_in_any_limb() {
    for at in payers() {
        for position in 0..4 {
            let mut cheat = at.chip.clone();
            let left = -F::from_u32(2_000_000);
            set(&mut cheat, at.row, &at.cells.left, &in_limb(left, position));
            let before = value_of(&at.cells.left.map(|cell| row(&at.chip, at.row)[cell]));
            *cheat.cell_mut(at.row, at.cells.balance) += left - before;
            table_refuses("range", &[cheat]);
        }
    }
}

#[test]
fn overdraft_that_wraps() {
    // The number that is left in limbs: the top one has 16 bits, not 14.
    for at in payers() {
        let mut cheat = at.chip.clone();
        let left = -F::from_u32(2_000_000);
        let number = left.as_canonical_u64();
        let limbs = [0, 16, 32, 48].map(|shift| F::from_u16((number >> shift) as u16));
        set(&mut cheat, at.row, &at.cells.left, &limbs);
        let before = value_of(&at.cells.left.map(|cell| row(&at.chip, at.row)[cell]));
        *cheat.cell_mut(at.row, at.cells.balance) += left - before;
        table_refuses("range", &[cheat]);
    }
}

#[test]
fn a_senders_balance_with_one_limb_out_of_range() {
    for at in payers() {
        let before = value_of(&at.cells.left.map(|cell| row(&at.chip, at.row)[cell]));
        for limbs in no_amounts() {
            let mut cheat = at.chip.clone();
            set(&mut cheat, at.row, &at.cells.left, &limbs);
            *cheat.cell_mut(at.row, at.cells.balance) += value_of(&limbs) - before;
            table_refuses("range", &[cheat]);
        }
    }
}

#[test]
fn a_receivers_balance_with_one_limb_out_of_range() {
    for at in receivers(BOB) {
        let before = value_of(&at.cells.sum.map(|cell| row(&at.chip, at.row)[cell]));
        for limbs in no_amounts() {
            let mut cheat = at.chip.clone();
            set(&mut cheat, at.row, &at.cells.sum, &limbs);
            *cheat.cell_mut(at.row, at.cells.balance) += value_of(&limbs) - before;
            table_refuses("range", &[cheat]);
        }
    }
}

#[test]
fn a_balance_of_2_to_the_62() {
    for at in receivers(BOB) {
        let before = value_of(&at.cells.sum.map(|cell| row(&at.chip, at.row)[cell]));
        let mut cheat = at.chip.clone();
        let limbs = [0, 0, 0, 1 << 14].map(F::from_u32);
        set(&mut cheat, at.row, &at.cells.sum, &limbs);
        *cheat.cell_mut(at.row, at.cells.balance) += value_of(&limbs) - before;
        table_refuses("range", &[cheat]);
    }
}

#[test]
fn a_balance_that_wraps() {
    for at in receivers(BOB) {
        let before = value_of(&at.cells.sum.map(|cell| row(&at.chip, at.row)[cell]));
        let mut cheat = at.chip.clone();
        let limbs = in_limb(F::NEG_ONE, 0);
        set(&mut cheat, at.row, &at.cells.sum, &limbs);
        *cheat.cell_mut(at.row, at.cells.balance) += F::NEG_ONE - before;
        table_refuses("range", &[cheat]);
    }
}

fn gaps() -> Vec<At<usize>> {
    let gap_of_payer = |at: At<Payer>| At {
        chip: at.chip,
        row: at.row,
        cells: at.cells.gap,
    };
    let gap_of_receiver = |at: At<Receiver>| At {
        chip: at.chip,
        row: at.row,
        cells: at.cells.gap,
    };
    let payers = payers().into_iter().map(gap_of_payer);
    let others = [columns::cook().shelf_gap, columns::cook().pot_gap];
    let others = others.map(|gap| at(vec![cooked(ALICE_NONCE)], 0, gap));
    let receivers = receivers(BOB).into_iter().map(gap_of_receiver);
    payers.chain(others).chain(receivers).collect()
}

#[test]
fn old_clock_in_the_future() {
    for at in gaps() {
        // The record as this transaction itself left it, or a later one.
        for gap in [F::NEG_ONE, -F::TWO] {
            table_refuses("range", &[at.chip.with_cell(at.row, at.cells, gap)]);
        }
    }
}

// Cheats that the other end of a bus refuses.

#[test]
fn a_record_that_was_written_at_another_time() {
    for at in gaps() {
        let cheat = add(&at.chip, at.row, at.cells, F::ONE);
        bus_refuses("state", &[at.chip], &[cheat]);
    }
}

#[test]
fn a_balance_that_the_state_does_not_have() {
    for at in payers() {
        let cheat = add(&at.chip, at.row, at.cells.balance, F::ONE);
        let cheat = add(&cheat, at.row, at.cells.left[0], F::ONE);
        bus_refuses("state", &[at.chip], &[cheat]);
    }
    for at in receivers(BOB) {
        let cheat = add(&at.chip, at.row, at.cells.balance, F::ONE);
        let cheat = add(&cheat, at.row, at.cells.sum[0], F::ONE);
        bus_refuses("state", &[at.chip], &[cheat]);
    }
}

#[test]
fn a_payment_that_somebody_else_signed() {
    for at in payers() {
        for cell in at.cells.owner {
            let cheat = add(&at.chip, at.row, cell, F::ONE);
            bus_refuses("signature", std::slice::from_ref(&at.chip), &[cheat]);
        }
    }
}

/// What these tests refuse.
pub fn cheats() -> Vec<Cheat> {
    [
        cheats_of(money_from_nothing),
        cheats_of(a_sender_who_keeps_the_fee),
        cheats_of(another_asset),
        cheats_of(another_owner_receives),
        cheats_of(opening_with_a_nonce),
        cheats_of(opening_with_a_balance),
        cheats_of(opening_over_a_record_with_an_owner_or_an_asset),
        cheats_of(a_receiver_of_another_kind),
        cheats_of(an_overdraft_in_any_limb),
        cheats_of(overdraft_that_wraps),
        cheats_of(a_senders_balance_with_one_limb_out_of_range),
        cheats_of(a_receivers_balance_with_one_limb_out_of_range),
        cheats_of(a_balance_of_2_to_the_62),
        cheats_of(a_balance_that_wraps),
        cheats_of(old_clock_in_the_future),
        cheats_of(a_record_that_was_written_at_another_time),
        cheats_of(a_balance_that_the_state_does_not_have),
        cheats_of(a_payment_that_somebody_else_signed),
    ]
    .concat()
}
