//! Cheats with what a transaction says: amounts, fees, places, hashes and signatures.

use p3_field::PrimeCharacteristicRing;
use shardfold_contracts::layout::prefix;
use shardfold_contracts::testing::column;
use shardfold_protocol::field::F;

use super::columns;
use super::*;
use crate::testing::{
    accepts, bus_refuses, cheats_of, one_constraint_refuses, report, table_refuses,
};

/// One transfer of 100 with a fee of 2 to Bob.
fn transfer() -> ChipTrace {
    table_of(vec![signed_transfer(to_bob(100, 2, ALICE_NONCE), 0)], 2)
}

/// One deposit of 100 with a fee of 2 into Bob's vault.
fn a_deposit() -> ChipTrace {
    table_of(vec![deposited(deposit(BOB, 100, 2, DEPOSITS_BEFORE))], 2)
}

/// One withdrawal of 100 with a fee of 2 from Alice's vault.
fn withdrawal() -> ChipTrace {
    table_of(vec![signed_withdraw(withdraw(100, 2, ALICE_NONCE), 0)], 2)
}

/// Every path through every contract, ending in its last row of a full table.
fn paths() -> Vec<ChipTrace> {
    let transfers =
        |count: u64| (0..count).map(|i| signed_transfer(to_bob(1, 0, ALICE_NONCE + i), 0));
    let after = |count: u64, last: Play| {
        let plays = transfers(count).chain([last]).collect();
        table_of(plays, 2)
    };
    let mut all = vec![
        after(3, signed_transfer(to_bob(30, 1, ALICE_NONCE + 3), 0)),
        after(3, deposited(deposit(BOB, 250, 3, DEPOSITS_BEFORE))),
        after(3, signed_withdraw(withdraw(70, 2, ALICE_NONCE + 3), 0)),
        after(2, relay(&[(BOB, 1, 100)], 4, ALICE_NONCE + 2)),
        after(
            1,
            relay(&[(BOB, 1, 100), (VACANT, 2, 7)], 4, ALICE_NONCE + 1),
        ),
        after(0, long_relay(ALICE_NONCE)),
        after(3, cooked(ALICE_NONCE + 3)),
        after(2, order(BOB, 12_345, DEPOSITS_BEFORE)),
        after(3, exit(BOB, 1, DEPOSITS_BEFORE)),
        after(3, by_tables(number("table_transfer"), 30, ALICE_NONCE + 3)),
        after(3, by_tables(number("toy_swap"), 40_000, ALICE_NONCE + 3)),
    ];
    // Those of the exchange, of payouts and of lending, as many rows as they have.
    let others = [defi::paths(), lending::paths()].concat();
    all.extend(others.into_iter().map(|play| {
        let plan = contracts().plan(play.contract, &play.words);
        let rows = plan.expect("it is a path").path.len();
        table_of(vec![play], rows.next_power_of_two().ilog2() as usize)
    }));
    all
}

fn set(chip: &mut ChipTrace, columns: &[usize], values: &[F]) {
    for (&column, &value) in columns.iter().zip(values) {
        *chip.cell_mut(0, column) = value;
    }
}

// Honest.

#[test]
fn every_path_is_accepted_in_a_full_table() {
    // The prover wants four rows.
    for chip in paths().into_iter().filter(|chip| height(chip) > 2) {
        accepts(&[chip]);
    }
}

#[test]
fn everything_or_nothing_can_be_paid() {
    for (amount, fee) in [(999_998, 2), (0, 0)] {
        let plays = [
            signed_transfer(to_bob(amount, fee, ALICE_NONCE), 0),
            signed_withdraw(withdraw(amount, fee, ALICE_NONCE), 0),
            deposited(deposit(BOB, amount, fee, DEPOSITS_BEFORE)),
        ];
        for play in plays {
            accepts(&[table_of(vec![play], 2)]);
        }
    }
}

#[test]
fn what_was_settled_is_as_it_was() {
    for chip in paths() {
        let mut settled = chip.clone();
        settle(&mut settled, 0, &[]);
        assert_eq!(settled.trace, chip.trace);
        assert_eq!(settled.public_values, chip.public_values);
    }
}

// Cheats that the range chip refuses.

#[test]
fn an_amount_with_one_limb_out_of_range() {
    for limbs in no_amounts() {
        let (c, mut cheat) = (columns::transfer(), transfer());
        let change = value_of(&limbs) - F::from_u8(100);
        set(&mut cheat, &c.amount, &limbs);
        *cheat.cell_mut(0, c.payer.balance) += change;
        *cheat.cell_mut(0, c.receiver.balance) -= change;
        table_refuses("range", &[cheat]);

        let (c, mut cheat) = (columns::deposit(), a_deposit());
        set(&mut cheat, &c.amount, &limbs);
        *cheat.cell_mut(0, c.receiver.balance) -= change;
        table_refuses("range", &[cheat]);

        let (c, mut cheat) = (columns::withdraw(), withdrawal());
        set(&mut cheat, &c.amount, &limbs);
        *cheat.cell_mut(0, c.payer.balance) += change;
        table_refuses("range", &[cheat]);
    }
}

#[test]
fn negative_amount() {
    let five = F::from_u8(5);
    let (c, mut cheat) = (columns::transfer(), transfer());
    set(&mut cheat, &c.amount, &in_limb(-five, 0));
    *cheat.cell_mut(0, c.payer.balance) -= five + F::from_u8(100);
    *cheat.cell_mut(0, c.receiver.balance) += five + F::from_u8(100);
    table_refuses("range", &[cheat]);
    let (c, mut cheat) = (columns::withdraw(), withdrawal());
    set(&mut cheat, &c.amount, &in_limb(-five, 0));
    *cheat.cell_mut(0, c.payer.balance) -= five + F::from_u8(100);
    table_refuses("range", &[cheat]);
}

#[test]
fn an_amount_of_2_to_the_62() {
    let (c, mut cheat) = (columns::transfer(), transfer());
    let limbs = [0, 0, 0, 1 << 14].map(F::from_u32);
    let change = value_of(&limbs) - F::from_u8(100);
    set(&mut cheat, &c.amount, &limbs);
    *cheat.cell_mut(0, c.payer.balance) += change;
    *cheat.cell_mut(0, c.receiver.balance) -= change;
    table_refuses("range", &[cheat]);
}

#[test]
fn a_fee_with_one_limb_out_of_range() {
    for limbs in negative_fees() {
        let (c, mut cheat) = (columns::transfer(), transfer());
        set(&mut cheat, &c.fee, &limbs);
        *cheat.cell_mut(0, c.payer.balance) += value_of(&limbs) - F::TWO;
        table_refuses("range", &[cheat]);
        // Nobody pays a deposit's fee within the shard: it would take from the fee vault.
        let mut cheat = a_deposit();
        set(&mut cheat, &columns::deposit().fee, &limbs);
        table_refuses("range", &[cheat]);
        let (c, mut cheat) = (columns::withdraw(), withdrawal());
        set(&mut cheat, &c.fee, &limbs);
        *cheat.cell_mut(0, c.payer.balance) += value_of(&limbs) - F::TWO;
        table_refuses("range", &[cheat]);
    }
}

#[test]
fn negative_fee() {
    let (c, mut cheat) = (columns::transfer(), transfer());
    let five = F::from_u8(5);
    *cheat.cell_mut(0, c.fee[0]) = -five;
    *cheat.cell_mut(0, c.payer.balance) -= five + F::TWO;
    table_refuses("range", &[cheat]);
    table_refuses(
        "range",
        &[a_deposit().with_cell(0, columns::deposit().fee[0], F::NEG_ONE)],
    );
}

#[test]
fn a_fee_of_2_to_the_46() {
    let (c, mut cheat) = (columns::transfer(), transfer());
    *cheat.cell_mut(0, c.fee[2]) = F::from_u32(1 << 14);
    *cheat.cell_mut(0, c.payer.balance) += F::from_u64(1 << 46);
    table_refuses("range", &[cheat]);
}

#[test]
fn an_asset_that_the_base_chain_has_not() {
    // 2^32 + 3: the upper limb has 17 bits.
    let above = F::from_u32(1 << 16);
    let mut cheat = withdrawal();
    *cheat.cell_mut(0, columns::withdraw().asset[1]) += above;
    table_refuses("range", &[cheat]);
    let (c, mut cheat) = (columns::deposit(), a_deposit());
    *cheat.cell_mut(0, c.asset[1]) += above;
    *cheat.cell_mut(0, c.receiver.asset) += F::from_u64(1 << 32);
    table_refuses("range", &[cheat]);
}

// Cheats that constraints refuse.

#[test]
fn a_transfer_to_the_highest_index() {
    let (c, mut cheat) = (columns::transfer(), transfer());
    *cheat.cell_mut(0, c.to) = F::from_u32(u32::MAX);
    one_constraint_refuses(&[cheat]);
}

#[test]
fn a_deposit_out_of_its_turn() {
    let cheat = add(&a_deposit(), 0, columns::deposit().position, F::ONE);
    one_constraint_refuses(&[cheat]);
    let item = table_of(vec![order(BOB, 12_345, DEPOSITS_BEFORE)], 2);
    one_constraint_refuses(&[add(&item, 0, columns::order().position, F::ONE)]);
}

#[test]
fn skipped_deposit() {
    // An item is taken from the queue and not counted.
    let after = prefix::QUEUE_COUNT.after();
    let item = table_of(vec![order(BOB, 12_345, DEPOSITS_BEFORE)], 2);
    for mut cheat in [a_deposit(), item] {
        for number in 0..4 {
            if number > 0 {
                *cheat.cell_mut(number, prefix::QUEUE_COUNT.before()) -= F::ONE;
            }
            *cheat.cell_mut(number, after) -= F::ONE;
        }
        end(&mut cheat);
        one_constraint_refuses(&[cheat]);
    }
}

// Cheats that the other end of a bus refuses.

#[test]
fn a_transfer_to_itself() {
    let c = columns::transfer();
    let honest = transfer();
    // Both sides take the record as it entered the shard.
    let mut at_once = honest.with_cell(0, c.to, F::from_u32(ALICE));
    for (cell, element) in c.receiver.owner.into_iter().zip(owner(0)) {
        *at_once.cell_mut(0, cell) = element;
    }
    assert!(mend(&mut at_once, 0, &[c.to]));
    let found = report(std::slice::from_ref(&at_once));
    let entered = [F::from_u32(ALICE), F::ZERO];
    let entries = found.leftovers.iter();
    let taken = entries.filter(|left| left.bus == "state" && left.fields[..2] == entered);
    assert_eq!(taken.map(|left| left.net).sum::<F>(), -F::TWO);
    bus_refuses("state", &[honest], std::slice::from_ref(&at_once));
    // One side after the other: what the first wrote is not earlier than the second's clock.
    let in_turn = at_once.with_cell(0, c.receiver.gap, F::NEG_ONE);
    table_refuses("range", &[in_turn]);
}

#[test]
fn replayed_nonce() {
    // The same signed body again: the message says the nonce that the body names.
    let twice = [100, 100].into_iter().enumerate();
    let plays =
        twice.map(|(i, amount)| signed_transfer(to_bob(amount, 2, ALICE_NONCE + i as u64), 0));
    let honest = table_of(plays.collect(), 2);
    let again = row(&honest, 0);
    let mut cheat = assemble(&[again.clone(), again], 2);
    // The record as the first one left it, but for the nonce.
    let gap = F::ZERO;
    *cheat.cell_mut(1, columns::transfer().payer.gap) = gap;
    bus_refuses("state", &[honest], &[cheat]);

    let cheat = add(&withdrawal(), 0, columns::withdraw().nonce, F::NEG_ONE);
    bus_refuses("state", &[withdrawal()], &[cheat]);
}

#[test]
fn a_record_that_is_empty_pays() {
    // All of an empty leaf but its kind, which the message says is a vault's.
    let honest = table_of(vec![signed_transfer(to_bob(0, 0, ALICE_NONCE), 0)], 2);
    let c = columns::transfer();
    let mut cheat = honest.with_cell(0, c.from, F::from_u32(VACANT));
    set(&mut cheat, &c.payer.owner, &[F::ZERO; 4]);
    set(&mut cheat, &c.payer.left, &[F::ZERO; 4]);
    *cheat.cell_mut(0, c.payer.balance) = F::ZERO;
    *cheat.cell_mut(0, c.nonce) = F::ZERO;
    bus_refuses("state", &[honest], &[cheat]);
}

#[test]
fn a_record_that_lies_elsewhere() {
    let elsewhere = F::from_u32(VACANT);
    let c = columns::transfer();
    let honest = transfer();
    let from = honest.with_cell(0, c.from, elsewhere);
    let mut to = honest.with_cell(0, c.to, elsewhere);
    *to.cell_mut(0, c.inverse) = (elsewhere - F::from_u32(u32::MAX)).inverse();
    for cheat in [from, to] {
        bus_refuses("state", std::slice::from_ref(&honest), &[cheat]);
    }
    let cheat = a_deposit().with_cell(0, columns::deposit().to, elsewhere);
    bus_refuses("state", &[a_deposit()], &[cheat]);
    let cheat = withdrawal().with_cell(0, columns::withdraw().from, elsewhere);
    bus_refuses("state", &[withdrawal()], &[cheat]);
}

#[test]
fn a_sender_written_back_with_another_balance() {
    // One more is paid as a fee: what is taken is the same.
    let c = columns::transfer();
    let cheat = add(&transfer(), 0, c.fee[0], F::ONE);
    let cheat = add(&cheat, 0, c.payer.left[0], F::NEG_ONE);
    bus_refuses("state", &[transfer()], &[cheat]);
    let c = columns::withdraw();
    let cheat = add(&withdrawal(), 0, c.fee[0], F::ONE);
    let cheat = add(&cheat, 0, c.payer.left[0], F::NEG_ONE);
    bus_refuses("state", &[withdrawal()], &[cheat]);
    // A relay's last step, and the kitchen's.
    let relay = table_of(vec![relay(&[(BOB, 1, 100)], 2, ALICE_NONCE)], 2);
    let c = columns::relay_last();
    let cheat = add(&relay, 1, c.fee[0], F::ONE);
    let cheat = add(&cheat, 1, c.payer.left[0], F::NEG_ONE);
    bus_refuses("state", &[relay], &[cheat]);
    let honest = table_of(vec![cooked(ALICE_NONCE)], 2);
    let c = columns::cook();
    let cheat = add(&honest, 0, c.fee[0], F::ONE);
    let cheat = add(&cheat, 0, c.payer.left[0], F::NEG_ONE);
    bus_refuses("state", &[honest], &[cheat]);
}

#[test]
fn a_receiver_written_back_with_another_balance() {
    // One more moves and one less is paid as a fee: the sender is the same.
    let c = columns::transfer();
    let cheat = add(&transfer(), 0, c.fee[0], F::NEG_ONE);
    let cheat = add(&cheat, 0, c.amount[0], F::ONE);
    let cheat = add(&cheat, 0, c.receiver.sum[0], F::ONE);
    bus_refuses("state", &[transfer()], &[cheat]);
    let c = columns::deposit();
    let cheat = add(&a_deposit(), 0, c.amount[0], F::ONE);
    let cheat = add(&cheat, 0, c.receiver.sum[0], F::ONE);
    bus_refuses("state", &[a_deposit()], &[cheat]);
    // A relay's first step.
    let two = relay(&[(BOB, 1, 100), (VACANT, 2, 7)], 2, ALICE_NONCE);
    let honest = table_of(vec![two], 2);
    let c = columns::relay_first();
    let mut cheat = add(&honest, 0, c.amount[0], F::ONE);
    *cheat.cell_mut(0, c.receiver.sum[0]) += F::ONE;
    settle(&mut cheat, 0, &[]);
    *cheat.cell_mut(1, columns::relay_middle().sum[0]) += F::ONE;
    *cheat.cell_mut(2, columns::relay_last().fee[0]) -= F::ONE;
    bus_refuses("state", std::slice::from_ref(&honest), &[cheat]);
    // The one in its middle.
    let c = columns::relay_middle();
    let mut cheat = add(&honest, 1, c.amount[0], F::ONE);
    *cheat.cell_mut(1, c.receiver.sum[0]) += F::ONE;
    *cheat.cell_mut(1, c.sum[0]) += F::ONE;
    settle(&mut cheat, 1, &[]);
    *cheat.cell_mut(2, columns::relay_last().fee[0]) -= F::ONE;
    bus_refuses("state", &[honest], &[cheat]);
    // What a queue's item credits.
    let honest = table_of(vec![order(BOB, 12_345, DEPOSITS_BEFORE)], 2);
    let mut cheat = add(&honest, 0, columns::order().amount[0], F::ONE);
    settle(&mut cheat, 0, &[]);
    *cheat.cell_mut(1, columns::serve().sum[0]) += F::ONE;
    bus_refuses("state", &[honest], &[cheat]);
}

#[test]
fn a_fee_to_another_vault() {
    for (honest, cell) in [
        (transfer(), columns::transfer().fee_vault),
        (a_deposit(), columns::deposit().fee_vault),
        (withdrawal(), columns::withdraw().fee_vault),
    ] {
        let cheat = honest.with_cell(0, cell, F::from_u32(BOB));
        bus_refuses("fee", &[honest], &[cheat]);
    }
}

#[test]
fn a_digest_of_another_transaction() {
    let (transfer_columns, c) = (columns::transfer(), columns::deposit());
    let w = columns::withdraw();
    let of_deposit = [c.item, c.digest].concat();
    let of_withdrawal = [w.owed, w.digest].concat();
    for (honest, digests) in [
        (transfer(), transfer_columns.digest),
        (a_deposit(), of_deposit),
        (withdrawal(), of_withdrawal),
    ] {
        for [cell, ..] in digests {
            let cheat = add(&honest, 0, cell, F::ONE);
            bus_refuses("hash", std::slice::from_ref(&honest), &[cheat]);
        }
    }
}

#[test]
fn a_withdrawal_to_another_address() {
    for cell in columns::withdraw().target {
        let cheat = add(&withdrawal(), 0, cell, F::ONE);
        bus_refuses("hash", &[withdrawal()], &[cheat]);
    }
}

#[test]
fn a_deposit_that_the_queue_does_not_have() {
    // The digest of one item over the amount of another.
    let c = columns::deposit();
    let cheat = add(&a_deposit(), 0, c.amount[0], F::ONE);
    let cheat = add(&cheat, 0, c.receiver.sum[0], F::ONE);
    bus_refuses("hash", &[a_deposit()], &[cheat]);
}

#[test]
fn a_transaction_of_another_chain() {
    for honest in [transfer(), a_deposit(), withdrawal()] {
        let cheat = with_value(&honest, values().chain_id, F::ONE);
        bus_refuses("hash", &[honest], &[cheat]);
    }
}

#[test]
fn an_unsigned_transfer() {
    // Nobody signed anything, as in a shard of deposits.
    bus_refuses("signature", &[a_deposit()], &[transfer()]);
    // The owner signed something else.
    let digests = columns::transfer().digest;
    let digest = digests.last().expect("there are two");
    for &cell in digest {
        let cheat = add(&transfer(), 0, cell, F::ONE);
        bus_refuses("signature", &[transfer()], &[cheat]);
    }
}

#[test]
fn a_hash_with_one_block_that_is_no_compression() {
    for honest in paths() {
        let rows = (0..height(&honest)).map(|number| (number, row(&honest, number)));
        for (number, cells) in rows {
            let messages = step_of(&cells).into_iter().flat_map(|step| &step.messages);
            let hashes = messages.filter(|message| message.bus == Bus::Hash);
            for message in hashes {
                let first = column(&message.fields[8]).expect("a digest is cells");
                let mut cheat = add(&honest, number, first, F::ONE);
                settle(&mut cheat, number, &[(number, first)]);
                if !report(std::slice::from_ref(&cheat)).violations.is_empty() {
                    // A rule compares this digest: `each.rs` has another cheat for it.
                    continue;
                }
                table_refuses("hash", &[cheat]);
            }
        }
    }
}

/// What these tests refuse.
pub fn cheats() -> Vec<Cheat> {
    [
        cheats_of(an_amount_with_one_limb_out_of_range),
        cheats_of(negative_amount),
        cheats_of(an_amount_of_2_to_the_62),
        cheats_of(a_fee_with_one_limb_out_of_range),
        cheats_of(negative_fee),
        cheats_of(a_fee_of_2_to_the_46),
        cheats_of(an_asset_that_the_base_chain_has_not),
        cheats_of(a_transfer_to_the_highest_index),
        cheats_of(a_deposit_out_of_its_turn),
        cheats_of(skipped_deposit),
        cheats_of(a_transfer_to_itself),
        cheats_of(replayed_nonce),
        cheats_of(a_record_that_is_empty_pays),
        cheats_of(a_record_that_lies_elsewhere),
        cheats_of(a_sender_written_back_with_another_balance),
        cheats_of(a_receiver_written_back_with_another_balance),
        cheats_of(a_fee_to_another_vault),
        cheats_of(a_digest_of_another_transaction),
        cheats_of(a_withdrawal_to_another_address),
        cheats_of(a_deposit_that_the_queue_does_not_have),
        cheats_of(a_transaction_of_another_chain),
        cheats_of(an_unsigned_transfer),
        cheats_of(a_hash_with_one_block_that_is_no_compression),
    ]
    .concat()
}
