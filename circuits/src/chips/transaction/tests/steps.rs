//! Cheats with the order of steps, and with what one hands to the next.

use p3_field::PrimeCharacteristicRing;
use rayon::prelude::*;
use shardfold_contracts::layout::prefix;
use shardfold_protocol::field::F;

use super::columns;
use super::*;
use crate::check::Leftover;
use crate::testing::{
    accepts, bus_refuses, cheats_of, constraints_refuse, one_constraint_refuses, report,
    table_refuses,
};

/// Rows of honest tables: a transfer, and the steps of a relay and of an order.
struct Rows {
    transfer: Vec<F>,
    first: Vec<F>,
    middle: Vec<F>,
    last: Vec<F>,
    order: Vec<F>,
    serve: Vec<F>,
}

fn rows() -> Rows {
    let transfer = table_of(vec![signed_transfer(to_bob(100, 2, ALICE_NONCE), 0)], 2);
    let relay = relayed();
    let order = table_of(vec![order(BOB, 12_345, DEPOSITS_BEFORE)], 2);
    Rows {
        transfer: row(&transfer, 0),
        first: row(&relay, 0),
        middle: row(&relay, 1),
        last: row(&relay, 2),
        order: row(&order, 0),
        serve: row(&order, 1),
    }
}

/// A relay of three steps.
fn relayed() -> ChipTrace {
    let two = relay(&[(BOB, 1, 100), (VACANT, 2, 7)], 2, ALICE_NONCE);
    table_of(vec![two], 2)
}

/// A relay of two steps.
fn short_relay() -> ChipTrace {
    table_of(vec![relay(&[(BOB, 1, 100)], 2, ALICE_NONCE)], 2)
}

// Honest.

#[test]
fn what_was_assembled_is_as_it_was() {
    let Rows {
        first,
        middle,
        last,
        order,
        serve,
        ..
    } = rows();
    let relay = assemble(&[first, middle, last], 2);
    assert_eq!(relay.trace, relayed().trace);
    accepts(&[relay]);
    accepts(&[assemble(&[order, serve], 1)]);
}

#[test]
fn a_first_step_is_handed_nothing_whatever_its_cells_say() {
    let honest = relayed();
    let before = report(std::slice::from_ref(&honest));
    for i in 0..layout().carried {
        let other = add(&honest, 0, layout().carried_at() + i, F::ONE);
        assert_eq!(report(&[other]), before, "element {i}");
    }
}

// Cheats that constraints refuse.

#[test]
fn a_step_left_out() {
    let Rows {
        transfer,
        first,
        middle,
        order,
        ..
    } = rows();
    // The end, with another transaction after it, and with padding.
    for steps in [vec![first.clone()], vec![first, middle], vec![order]] {
        let followed = [&steps[..], std::slice::from_ref(&transfer)].concat();
        one_constraint_refuses(&[assemble(&followed, 2)]);
        one_constraint_refuses(&[assemble(&steps, 2)]);
    }
}

#[test]
fn a_transaction_that_is_not_finished_on_the_last_row() {
    let Rows {
        transfer,
        first,
        middle,
        order,
        ..
    } = rows();
    one_constraint_refuses(&[assemble(&[first.clone(), middle], 1)]);
    for last in [first, order] {
        one_constraint_refuses(&[assemble(&[transfer.clone(), last], 1)]);
    }
}

#[test]
fn a_transaction_that_starts_in_the_middle() {
    let Rows {
        transfer,
        middle,
        last,
        serve,
        ..
    } = rows();
    for steps in [
        vec![middle.clone(), last.clone()],
        vec![last.clone()],
        vec![serve],
    ] {
        let after = [std::slice::from_ref(&transfer), &steps[..]].concat();
        one_constraint_refuses(&[assemble(&after, 2)]);
        constraints_refuse(&[assemble(&steps, 2)]);
    }
}

#[test]
fn a_step_repeated() {
    let Rows {
        first,
        middle,
        last,
        order,
        serve,
        ..
    } = rows();
    for steps in [
        vec![first.clone(), first.clone(), middle.clone(), last.clone()],
        vec![first, middle, last.clone(), last],
        vec![order.clone(), order, serve.clone()],
        vec![serve.clone(), serve],
    ] {
        constraints_refuse(&[assemble(&steps, 2)]);
    }
}

#[test]
fn a_step_of_another_contract() {
    let Rows {
        first,
        order,
        serve,
        last,
        ..
    } = rows();
    constraints_refuse(&[assemble(&[first, serve], 2)]);
    constraints_refuse(&[assemble(&[order, last], 2)]);
}

/// The row is refused as any other step.
fn refuses_other_selectors(honest: &ChipTrace, number: usize, said: &[Leftover]) {
    let Some(own) = number_of(&row(honest, number)) else {
        return;
    };
    for step in (0..layout().selectors).filter(|&step| step != own) {
        let mut cheat = honest.with_cell(number, layout().selector(own), F::ZERO);
        *cheat.cell_mut(number, layout().selector(step)) = F::ONE;
        let found = report(&[cheat]);
        // A contract of the same body, over other tables, says something else.
        let is_refused = !found.violations.is_empty() || found.leftovers != said;
        assert!(is_refused, "row {number} as step {step}");
    }
}

#[test]
fn every_row_as_another_step() {
    for (plays, log_height) in [
        (everything(), 4),
        (defi::in_turn(), 5),
        (lending::in_turn(), 4),
    ] {
        let honest = table_of(plays, log_height);
        let said = report(std::slice::from_ref(&honest)).leftovers;
        let rows = (0..height(&honest)).into_par_iter();
        rows.for_each(|number| refuses_other_selectors(&honest, number, &said));
    }
}

#[test]
fn a_row_that_says_another_steps_selector() {
    let honest = table_of(everything(), 4);
    let as_withdrawal = honest.with_cell(0, selector(number("transfer"), 0), F::ZERO);
    let cheat = as_withdrawal.with_cell(0, selector(number("withdraw"), 0), F::ONE);
    constraints_refuse(&[cheat]);
}

#[test]
fn two_steps_of_one_transaction_with_different_clocks() {
    let mut cheat = relayed();
    for number in 1..4 {
        *cheat.cell_mut(number, prefix::CLOCK) += F::ONE;
    }
    end(&mut cheat);
    one_constraint_refuses(&[cheat]);
}

#[test]
fn carried_cells_changed_between_rows() {
    // The digest enters only hashes.
    let honest = relayed();
    for i in (0..layout().carried).filter(|i| ![4, 5].contains(i)) {
        let mut cheat = add(&honest, 2, layout().carried_at() + i, F::ONE);
        assert!(mend(&mut cheat, 2, &[]));
        one_constraint_refuses(&[cheat]);
    }
    // Asset and sum of the payments: of the last step the vault and its balance.
    let (asset, sum) = (layout().carried_at() + 4, layout().carried_at() + 5);
    one_constraint_refuses(&[add(&honest, 2, asset, F::ONE)]);
    let cheat = add(&honest, 2, sum, F::NEG_ONE);
    one_constraint_refuses(&[add(&cheat, 2, columns::relay_last().payer.left[0], F::ONE)]);
}

// Cheats that a bus refuses.

#[test]
fn a_record_taken_by_two_steps_of_one_transaction() {
    // Both credits go to one vault: as it entered the shard, ...
    let (first, middle) = (columns::relay_first(), columns::relay_middle());
    let honest = relayed();
    let bobs = row(&honest, 0);
    let mut cheat = honest.with_cell(1, middle.to, F::from_u32(BOB));
    let (from, to) = (&first.receiver, &middle.receiver);
    let mut pairs = vec![
        (from.kind, to.kind),
        (from.asset, to.asset),
        (from.balance, to.balance),
        (from.nonce, to.nonce),
    ];
    pairs.extend(from.owner.into_iter().zip(to.owner));
    for (from, to) in pairs {
        *cheat.cell_mut(1, to) = bobs[from];
    }
    assert!(mend(&mut cheat, 1, &[]));
    settle(&mut cheat, 1, &[]);
    bus_refuses("state", &[honest], std::slice::from_ref(&cheat));
    // ... or as the first step left it: not earlier than the second one's clock.
    *cheat.cell_mut(1, to.gap) = F::NEG_ONE;
    table_refuses("range", &[cheat]);
}

#[test]
fn a_relay_that_pays_less_than_it_credits() {
    // The first step credits one more than it hands on: nothing but the row itself tells.
    let c = columns::relay_first();
    let cheat = add(&short_relay(), 0, c.receiver.sum[0], F::ONE);
    one_constraint_refuses(&[cheat]);
    // The middle hands on one less than there is.
    let c = columns::relay_middle();
    one_constraint_refuses(&[add(&relayed(), 1, c.sum[0], F::NEG_ONE)]);
}

#[test]
fn a_sum_of_payments_that_wraps() {
    let c = columns::relay_middle();
    let honest = relayed();
    for limbs in no_amounts() {
        let mut cheat = honest.clone();
        let before = value_of(&c.sum.map(|cell| row(&honest, 1)[cell]));
        for (cell, limb) in c.sum.into_iter().zip(limbs) {
            *cheat.cell_mut(1, cell) = limb;
        }
        // As if the step before had handed that sum on.
        let sum = layout().carried_at() + 5;
        let change = value_of(&limbs) - before;
        *cheat.cell_mut(1, sum) += change;
        let first = columns::relay_first();
        *cheat.cell_mut(0, first.amount[0]) += change;
        *cheat.cell_mut(0, first.receiver.balance) -= change;
        settle(&mut cheat, 0, &[]);
        *cheat.cell_mut(2, columns::relay_last().payer.balance) += change;
        table_refuses("range", &[cheat]);
    }
}

#[test]
fn a_digest_that_leaves_a_step_out() {
    // The last step signs a digest of which the middle is no part.
    let c = columns::relay_last();
    let honest = relayed();
    for cell in c.digest.last().expect("there are two") {
        let cheat = add(&honest, 2, *cell, F::ONE);
        bus_refuses("signature", std::slice::from_ref(&honest), &[cheat]);
    }
}

/// What these tests refuse.
pub fn cheats() -> Vec<Cheat> {
    [
        cheats_of(a_step_left_out),
        cheats_of(a_transaction_that_is_not_finished_on_the_last_row),
        cheats_of(a_transaction_that_starts_in_the_middle),
        cheats_of(a_step_repeated),
        cheats_of(a_step_of_another_contract),
        cheats_of(a_row_that_says_another_steps_selector),
        cheats_of(two_steps_of_one_transaction_with_different_clocks),
        cheats_of(carried_cells_changed_between_rows),
        cheats_of(a_record_taken_by_two_steps_of_one_transaction),
        cheats_of(a_relay_that_pays_less_than_it_credits),
        cheats_of(a_sum_of_payments_that_wraps),
        cheats_of(a_digest_that_leaves_a_step_out),
    ]
    .concat()
}
