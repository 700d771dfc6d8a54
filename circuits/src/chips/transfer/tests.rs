use p3_field::{PrimeCharacteristicRing, PrimeField64};
use shardfold_protocol::transaction::Transfer;

use super::columns::WIDTH;
use super::{TransferChip, TransferColumns, generate};
use crate::chips::Chip;
use crate::chips::fixture::*;
use crate::lookup_events::LookupEvents;
use crate::testing::{
    Cheat, ChipTrace, accepts, bus_refuses, cheats_of, one_constraint_refuses, rehash, report,
    table_refuses,
};
use crate::witness_rows::TransferRow;
use shardfold_protocol::field::F;

fn columns() -> TransferColumns<usize> {
    TransferColumns::of(0..WIDTH)
}

fn shard(transfers: &[Transfer]) -> Shard {
    Shard::of(transfers.iter().map(|&t| signed_transfer(t, 0)).collect())
}

/// Transfers signed by Alice, over a table of four rows.
fn honest(transfers: &[Transfer]) -> ChipTrace {
    shard(transfers).transfer
}

/// One transfer of 100 with a fee of 2 to Bob.
fn one() -> ChipTrace {
    honest(&[to_bob(100, 2, ALICE_NONCE)])
}

fn opening(nonce: u64) -> Transfer {
    Transfer {
        to: VACANT,
        ..to_bob(100, 2, nonce)
    }
}

fn of_steps(steps: &[TransferRow]) -> ChipTrace {
    let id = F::from_u64(CHAIN_ID);
    let trace = generate(steps, id, 2, &mut LookupEvents::default()).unwrap();
    ChipTrace::with_public_values(Chip::Transfer(TransferChip), trace, vec![id])
}

// Honest.

#[test]
fn a_transfer_to_a_vault_is_accepted() {
    accepts(&[one()]);
    accepts(&[honest(&[to_bob(100, 0, ALICE_NONCE)])]);
}

#[test]
fn a_transfer_that_opens_a_vault_is_accepted() {
    accepts(&[honest(&[opening(ALICE_NONCE)])]);
}

#[test]
fn a_transfer_of_everything_or_nothing_is_accepted() {
    accepts(&[honest(&[to_bob(999_998, 2, ALICE_NONCE)])]);
    accepts(&[honest(&[to_bob(0, 0, ALICE_NONCE)])]);
}

#[test]
fn a_full_table_on_one_vault_is_accepted_with_clocks_that_chain() {
    let full = honest(&[
        to_bob(100, 2, ALICE_NONCE),
        opening(ALICE_NONCE + 1),
        opening(ALICE_NONCE + 2),
        to_bob(1, 0, ALICE_NONCE + 3),
    ]);
    let old_clock = |row: usize, column: usize| full.trace.values[row * WIDTH + column];
    let of_sender = |row| old_clock(row, columns().from.access.old_clock);
    let of_receiver = |row| old_clock(row, columns().to.access.old_clock);
    assert_eq!([0, 1, 2, 3].map(of_sender), [0, 1, 2, 3].map(F::from_u32));
    assert_eq!([0, 1, 2, 3].map(of_receiver), [0, 0, 2, 1].map(F::from_u32));
    accepts(&[full]);
}

#[test]
fn no_transfers_are_accepted() {
    accepts(&[honest(&[])]);
}

#[test]
fn no_cell_of_a_transfer_is_free() {
    no_cell_is_free(&one(), 0);
    no_cell_is_free(&honest(&[opening(ALICE_NONCE)]), 0);
    no_cell_is_free(&honest(&[to_bob(0, 0, ALICE_NONCE)]), 0);
}

// Cheats that constraints refuse.

#[test]
fn money_from_nothing() {
    let mut cheat = one();
    *cheat.cell_mut(0, columns().to.new_balance.limbs[0]) += F::ONE;
    one_constraint_refuses(&[cheat]);
}

#[test]
fn a_sender_who_keeps_the_fee() {
    let mut cheat = one();
    *cheat.cell_mut(0, columns().from.new_balance.limbs[0]) += F::TWO;
    one_constraint_refuses(&[cheat]);
}

#[test]
fn another_asset() {
    let other = F::from_u32(OTHER_ASSET);
    one_constraint_refuses(&[one().with_cell(0, columns().to.asset, other)]);
}

#[test]
fn another_owner_receives() {
    for cell in columns().to.owner {
        one_constraint_refuses(&[one().with_cell(0, cell, F::ONE)]);
    }
}

#[test]
fn opening_with_a_nonce() {
    let opening = honest(&[opening(ALICE_NONCE)]);
    one_constraint_refuses(&[opening.with_cell(0, columns().to.nonce, F::ONE)]);
}

#[test]
fn opening_with_a_balance() {
    let mut cheat = honest(&[opening(ALICE_NONCE)]);
    *cheat.cell_mut(0, columns().to.balance) += F::ONE;
    *cheat.cell_mut(0, columns().to.new_balance.limbs[0]) += F::ONE;
    one_constraint_refuses(&[cheat]);
}

#[test]
fn opening_over_a_record_with_an_owner_or_an_asset() {
    let opening = honest(&[opening(ALICE_NONCE)]);
    for cell in columns().to.owner.into_iter().chain([columns().to.asset]) {
        one_constraint_refuses(&[opening.with_cell(0, cell, F::ONE)]);
    }
}

#[test]
fn a_receiver_of_another_kind() {
    // Twice a vault: all of it scaled, so that only the kind itself gives it away.
    let c = columns();
    let mut cheat = honest(&[opening(ALICE_NONCE)]);
    *cheat.cell_mut(0, c.to.kind) = F::TWO;
    for (taken, named) in [(c.to.asset, c.from.asset)]
        .into_iter()
        .chain(c.to.owner.into_iter().zip(c.to_owner))
    {
        *cheat.cell_mut(0, taken) = *cheat.cell_mut(0, named) * F::TWO;
    }
    one_constraint_refuses(&[cheat]);
}

#[test]
fn a_padding_row_that_pays() {
    // The fee's own vault would gain it, and nobody's would lose it.
    let mut cheat = one();
    *cheat.cell_mut(3, columns().fee.limbs[0]) = F::ONE;
    *cheat.cell_mut(3, columns().from.balance) = F::ONE;
    one_constraint_refuses(&[cheat]);
}

#[test]
fn a_row_that_counts_twice() {
    // Without a fee and with an amount of zero, so that nothing else depends on the flag.
    let cheat = honest(&[to_bob(0, 0, ALICE_NONCE)]);
    one_constraint_refuses(&[cheat.with_cell(0, columns().is_real, F::TWO)]);
}

// Cheats that the range chip refuses.

#[test]
fn overdraft_that_wraps() {
    let Shard { rows, .. } = shard(&[to_bob(100, 0, ALICE_NONCE)]);
    let mut step = rows.transfers[0];
    step.body.amount = 3_000_000;
    step.from.new_balance = 0;
    step.to.new_balance = 4_000_000;
    let mut cheat = of_steps(&[step]);
    let wrapped = -F::from_u32(2_000_000);
    *cheat.cell_mut(0, columns().from.new_balance.limbs[0]) = wrapped;
    table_refuses("range", &[cheat.clone()]);

    // The same number in limbs: the top one has 16 bits, not 14.
    let value = wrapped.as_canonical_u64();
    let limbs = [0, 16, 32, 48].map(|shift| F::from_u16((value >> shift) as u16));
    set_cells(&mut cheat, &columns().from.new_balance.limbs, &limbs);
    table_refuses("range", &[cheat]);
}

#[test]
fn an_overdraft_in_any_limb() {
    let Shard { rows, .. } = shard(&[to_bob(100, 0, ALICE_NONCE)]);
    let mut step = rows.transfers[0];
    step.body.amount = 3_000_000;
    step.from.new_balance = 0;
    step.to.new_balance = 4_000_000;
    for position in 0..4 {
        let mut cheat = of_steps(&[step]);
        let limbs = in_limb(-F::from_u32(2_000_000), position);
        set_cells(&mut cheat, &columns().from.new_balance.limbs, &limbs);
        table_refuses("range", &[cheat]);
    }
}

#[test]
fn a_top_limb_that_is_a_quarter() {
    // 4 * limb is in range, the limb itself is not; all other limbs are zero.
    let [.., quarter, _] = no_amounts();
    let mut cheat = one();
    set_cells(&mut cheat, &columns().from.new_balance.limbs, &quarter);
    *cheat.cell_mut(0, columns().from.balance) = value_of(&quarter) + F::from_u8(102);
    table_refuses("range", &[cheat]);
}

#[test]
fn a_senders_balance_with_one_limb_out_of_range() {
    for limbs in no_amounts() {
        let mut cheat = one();
        set_cells(&mut cheat, &columns().from.new_balance.limbs, &limbs);
        *cheat.cell_mut(0, columns().from.balance) = value_of(&limbs) + F::from_u8(102);
        table_refuses("range", &[cheat]);
    }
}

#[test]
fn a_receivers_balance_with_one_limb_out_of_range() {
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
        let change = value_of(&limbs) - F::from_u8(100);
        set_cells(&mut cheat, &columns().amount.limbs, &limbs);
        *cheat.cell_mut(0, columns().from.balance) += change;
        *cheat.cell_mut(0, columns().to.balance) -= change;
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
fn negative_amount() {
    let Shard { rows, .. } = shard(&[to_bob(0, 0, ALICE_NONCE)]);
    let mut step = rows.transfers[0];
    step.from.new_balance += 5;
    step.to.new_balance -= 5;
    let mut cheat = of_steps(&[step]);
    *cheat.cell_mut(0, columns().amount.limbs[0]) = -F::from_u8(5);
    table_refuses("range", &[cheat]);
}

#[test]
fn negative_fee() {
    let Shard { rows, .. } = shard(&[to_bob(0, 0, ALICE_NONCE)]);
    let mut step = rows.transfers[0];
    step.from.new_balance += 5;
    let mut cheat = of_steps(&[step]);
    *cheat.cell_mut(0, columns().fee.limbs[0]) = -F::from_u8(5);
    table_refuses("range", &[cheat]);
}

#[test]
fn a_fee_of_2_to_the_48() {
    let mut cheat = honest(&[to_bob(0, 0, ALICE_NONCE)]);
    *cheat.cell_mut(0, columns().fee.limbs[2]) = F::from_u32(1 << 16);
    *cheat.cell_mut(0, columns().from.balance) += F::from_u64(1 << 48);
    table_refuses("range", &[cheat]);
}

#[test]
fn an_amount_of_2_to_the_62() {
    let mut cheat = honest(&[to_bob(0, 0, ALICE_NONCE)]);
    let limit = F::from_u64(1 << 62);
    *cheat.cell_mut(0, columns().amount.limbs[3]) = F::from_u32(1 << 14);
    *cheat.cell_mut(0, columns().from.balance) += limit;
    *cheat.cell_mut(0, columns().to.balance) -= limit;
    table_refuses("range", &[cheat]);
}

#[test]
fn a_balance_of_2_to_the_62() {
    let mut cheat = one();
    let limbs = [0, 0, 0, 1 << 14].map(F::from_u32);
    set_cells(&mut cheat, &columns().to.new_balance.limbs, &limbs);
    *cheat.cell_mut(0, columns().to.balance) = F::from_u64((1 << 62) - 100);
    table_refuses("range", &[cheat]);
}

#[test]
fn old_clock_in_the_future() {
    for cell in [
        columns().from.access.old_clock,
        columns().to.access.old_clock,
    ] {
        for clock in [1, 2] {
            table_refuses("range", &[one().with_cell(0, cell, F::from_u32(clock))]);
        }
    }
}

// Cheats that the other end of a bus refuses.

#[test]
fn a_transfer_to_itself() {
    let Shard { rows, .. } = shard(&[to_bob(100, 0, ALICE_NONCE)]);
    let mut step = rows.transfers[0];
    step.body.to = ALICE;
    step.body.to_owner = owner(0);
    step.to = step.from;
    step.to.new_balance = 1_000_100;
    let at_once = of_steps(&[step]);

    // Both sides take the record as it entered the shard. It entered once: of a record's
    // messages at clock 0 the record chip sends one (docs/buses.md), and two are taken.
    let found = report(std::slice::from_ref(&at_once));
    let entered = [F::from_u32(ALICE), F::ZERO];
    let entries = found.leftovers.iter();
    let taken = entries.filter(|left| left.bus == "state" && left.fields[..2] == entered);
    assert_eq!(taken.map(|left| left.net).sum::<F>(), -F::TWO);
    bus_refuses("state", &[one()], std::slice::from_ref(&at_once));

    // One side after the other: what the first wrote is not earlier than the second's clock.
    let c = columns();
    let mut in_turn = at_once.with_cell(0, c.to.access.old_clock, F::ONE);
    *in_turn.cell_mut(0, c.to.balance) = F::from_u32(999_900);
    *in_turn.cell_mut(0, c.to.nonce) += F::ONE;
    let limbs = [1_000_000 % (1 << 16), 1_000_000 >> 16, 0, 0].map(F::from_u32);
    set_cells(&mut in_turn, &c.to.new_balance.limbs, &limbs);
    table_refuses("range", &[in_turn]);
}

#[test]
fn replayed_nonce() {
    let two = [to_bob(100, 2, ALICE_NONCE), to_bob(100, 2, ALICE_NONCE + 1)];
    let mut cheat = shard(&two).rows.transfers;
    // The same signed body again, over the nonce that it names.
    cheat[1].body = two[0];
    cheat[1].from.before.0[3] = F::from_u64(ALICE_NONCE);
    bus_refuses("state", &[honest(&two)], &[of_steps(&cheat)]);
}

#[test]
fn a_balance_that_the_state_does_not_have() {
    let mut cheat = shard(&[to_bob(100, 2, ALICE_NONCE)]).rows.transfers;
    cheat[0].from.before.0[2] += F::ONE;
    cheat[0].from.new_balance += 1;
    bus_refuses("state", &[one()], &[of_steps(&cheat)]);
}

#[test]
fn a_record_that_is_empty_pays() {
    // All of an empty leaf but its kind, which the message says is a vault's.
    let mut cheat = shard(&[to_bob(0, 0, 0)]).rows.transfers;
    cheat[0].body.from = VACANT;
    cheat[0].body.asset = 0;
    cheat[0].from.index = VACANT;
    cheat[0].from.before.0 = F::zero_vec(8).try_into().unwrap();
    cheat[0].from.new_balance = 0;
    cheat[0].to.before.0[1] = F::ZERO;
    bus_refuses("state", &[one()], &[of_steps(&cheat)]);
}

#[test]
fn a_transfer_that_the_ledger_does_not_have() {
    let mut cheat = one();
    *cheat.cell_mut(0, columns().clock) = F::TWO;
    bus_refuses("ledger", &[one()], &[cheat]);
    bus_refuses("ledger", &[one()], &[honest(&[])]);
}

#[test]
fn a_digest_of_another_transfer() {
    for block in columns().blocks {
        let mut cheat = one();
        *cheat.cell_mut(0, block[0]) += F::ONE;
        bus_refuses("hash", &[one()], &[cheat]);
    }
}

#[test]
fn a_transfer_of_another_chain() {
    let mut cheat = one();
    cheat.public_values[0] += F::ONE;
    bus_refuses("hash", &[one()], &[cheat]);
}

#[test]
fn a_transfer_that_somebody_else_signed() {
    for cell in columns().from.owner {
        let mut cheat = one();
        *cheat.cell_mut(0, cell) += F::ONE;
        bus_refuses("signature", &[one()], &[cheat]);
    }
}

#[test]
fn a_signature_of_another_transfer() {
    let [.., digest] = columns().blocks;
    for cell in digest {
        let mut cheat = one();
        *cheat.cell_mut(0, cell) += F::ONE;
        bus_refuses("signature", &[one()], std::slice::from_ref(&cheat));
        bus_refuses("ledger", &[one()], &[cheat]);
    }
}

#[test]
fn a_hash_with_one_block_that_is_no_compression() {
    let blocks = columns().blocks;
    for (position, block) in blocks.iter().enumerate() {
        let mut cheat = one();
        *cheat.cell_mut(0, block[0]) += F::ONE;
        rehash(&mut cheat, 0, &blocks[position + 1..]);
        table_refuses("hash", &[cheat]);
    }
}

#[test]
fn a_record_that_was_written_at_another_time() {
    for access in [columns().from.access, columns().to.access] {
        let cheat = one().with_cell(0, access.old_clock, F::NEG_ONE);
        bus_refuses("state", &[one()], &[cheat]);
    }
}

#[test]
fn a_record_that_lies_elsewhere() {
    for access in [columns().from.access, columns().to.access] {
        let cheat = one().with_cell(0, access.index, F::from_u32(VACANT));
        bus_refuses("state", &[one()], &[cheat]);
    }
}

#[test]
fn a_sender_written_back_with_another_balance() {
    // One more is paid as a fee: what is taken is the same.
    let c = columns();
    let mut cheat = one();
    *cheat.cell_mut(0, c.fee.limbs[0]) += F::ONE;
    *cheat.cell_mut(0, c.from.new_balance.limbs[0]) -= F::ONE;
    bus_refuses("state", &[one()], &[cheat]);
}

#[test]
fn a_receiver_written_back_with_another_balance() {
    // One more moves and one less is paid as a fee: the sender is the same.
    let c = columns();
    let mut cheat = one();
    *cheat.cell_mut(0, c.fee.limbs[0]) -= F::ONE;
    *cheat.cell_mut(0, c.amount.limbs[0]) += F::ONE;
    *cheat.cell_mut(0, c.to.new_balance.limbs[0]) += F::ONE;
    bus_refuses("state", &[one()], &[cheat]);
}

#[test]
fn a_fee_to_another_vault() {
    let mut cheat = one();
    *cheat.cell_mut(0, columns().fee.vault) = F::from_u32(BOB);
    bus_refuses("fee", &[one()], &[cheat]);
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
        cheats_of(a_padding_row_that_pays),
        cheats_of(a_row_that_counts_twice),
        cheats_of(overdraft_that_wraps),
        cheats_of(an_overdraft_in_any_limb),
        cheats_of(a_top_limb_that_is_a_quarter),
        cheats_of(a_senders_balance_with_one_limb_out_of_range),
        cheats_of(a_receivers_balance_with_one_limb_out_of_range),
        cheats_of(an_amount_with_one_limb_out_of_range),
        cheats_of(a_fee_with_one_limb_out_of_range),
        cheats_of(negative_amount),
        cheats_of(negative_fee),
        cheats_of(a_fee_of_2_to_the_48),
        cheats_of(an_amount_of_2_to_the_62),
        cheats_of(a_balance_of_2_to_the_62),
        cheats_of(old_clock_in_the_future),
        cheats_of(a_transfer_to_itself),
        cheats_of(replayed_nonce),
        cheats_of(a_balance_that_the_state_does_not_have),
        cheats_of(a_record_that_is_empty_pays),
        cheats_of(a_transfer_that_the_ledger_does_not_have),
        cheats_of(a_digest_of_another_transfer),
        cheats_of(a_transfer_of_another_chain),
        cheats_of(a_transfer_that_somebody_else_signed),
        cheats_of(a_signature_of_another_transfer),
        cheats_of(a_hash_with_one_block_that_is_no_compression),
        cheats_of(a_record_that_was_written_at_another_time),
        cheats_of(a_record_that_lies_elsewhere),
        cheats_of(a_sender_written_back_with_another_balance),
        cheats_of(a_receiver_written_back_with_another_balance),
        cheats_of(a_fee_to_another_vault),
    ]
    .concat()
}
