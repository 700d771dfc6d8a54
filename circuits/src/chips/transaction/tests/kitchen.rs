//! Cheats of each primitive, in the contract that uses all of them.

use p3_field::{Field, PrimeCharacteristicRing, PrimeField64};
use shardfold_contracts::layout::prefix;
use shardfold_protocol::field::F;

use super::columns;
use super::*;
use crate::testing::{
    accepts, bus_refuses, cheats_of, one_constraint_refuses, report, table_refuses,
};

const COOK: Cook = Cook {
    numbers: [70_000, 1_234],
    factor: 3,
    is_owed: true,
    fee: 6,
    nonce: ALICE_NONCE,
};

fn honest(what: Cook) -> ChipTrace {
    table_of(vec![cook(what)], 1)
}

fn same() -> ChipTrace {
    let numbers = [1_234, 1_234];
    honest(Cook { numbers, ..COOK })
}

fn less() -> ChipTrace {
    let numbers = [1_233, 1_234];
    honest(Cook { numbers, ..COOK })
}

fn not_owed() -> ChipTrace {
    honest(Cook {
        is_owed: false,
        ..COOK
    })
}

/// Sets one cell, and mends what else depends on it but none of `kept`.
fn with(chip: &ChipTrace, changes: &[(usize, F)]) -> ChipTrace {
    let mut cheat = chip.clone();
    for &(column, value) in changes {
        *cheat.cell_mut(0, column) = value;
    }
    cheat
}

// Honest.

#[test]
fn more_less_and_the_same_are_accepted() {
    for chip in [honest(COOK), same(), less(), not_owed()] {
        accepts(&[chip]);
    }
}

// Cheats that constraints refuse.

#[test]
fn a_factor_of_zero() {
    let c = columns::cook();
    let none = [(c.factor, F::ZERO), (c.product, F::ZERO)];
    one_constraint_refuses(&[with(&honest(COOK), &none)]);
}

#[test]
fn a_choice_that_is_neither_yes_nor_no() {
    // It counts twice, and the chain is kept.
    let mut cheat = honest(COOK);
    *cheat.cell_mut(0, columns::cook().choice) = F::TWO;
    let count = prefix::WITHDRAWAL_COUNT;
    for (row, column) in [(0, count.after()), (1, count.before()), (1, count.after())] {
        *cheat.cell_mut(row, column) += F::ONE;
    }
    let cells = row(&cheat, 0);
    let chain = prefix::WITHDRAWALS;
    for (after, before) in chain.after().into_iter().zip(chain.before()) {
        for row in 0..2 {
            *cheat.cell_mut(row, after) = cells[before];
        }
        *cheat.cell_mut(1, before) = cells[before];
    }
    end(&mut cheat);
    one_constraint_refuses(&[cheat]);
}

#[test]
fn a_time_that_is_not_so_far_away() {
    let cell = columns::cook().until_limbs[0];
    one_constraint_refuses(&[add(&honest(COOK), 0, cell, F::ONE)]);
}

#[test]
fn a_comparison_that_is_neither_yes_nor_no() {
    let c = columns::cook();
    let [a, b] = COOK.numbers.map(F::from_u64);
    let difference = F::TWO * (a - b + a - b + F::ONE) - (a - b) - F::ONE;
    let mut cheat = with(&honest(COOK), &[(c.is_more, F::TWO)]);
    for (cell, limb) in c.difference_limbs.into_iter().zip(in_limb(difference, 0)) {
        *cheat.cell_mut(0, cell) = limb;
    }
    *cheat.cell_mut(0, c.difference) = F::TWO * (a - b);
    *cheat.cell_mut(0, c.product) = F::from_u64(COOK.factor) * F::TWO * (a - b);
    one_constraint_refuses(&[cheat]);
}

#[test]
fn a_comparison_with_another_difference() {
    let cell = columns::cook().difference_limbs[0];
    one_constraint_refuses(&[add(&honest(COOK), 0, cell, F::ONE)]);
}

#[test]
fn what_is_not_the_same_passed_off_as_neither() {
    let c = columns::cook();
    one_constraint_refuses(&[with(&honest(COOK), &[(c.difference_inverse, F::ZERO)])]);
}

#[test]
fn what_is_not_the_same_passed_off_as_the_same() {
    let c = columns::cook();
    let cells = [(c.difference_inverse, F::ZERO), (c.is_same, F::ONE)];
    one_constraint_refuses(&[with(&honest(COOK), &cells)]);
}

#[test]
fn an_inverse_of_nothing() {
    let c = columns::cook();
    one_constraint_refuses(&[with(&same(), &[(c.difference_inverse, F::TWO)])]);
}

#[test]
fn a_product_that_is_none() {
    let c = columns::cook();
    let factor = F::from_u64(COOK.factor);
    let cheat = add(&honest(COOK), 0, c.difference, F::ONE);
    one_constraint_refuses(&[add(&cheat, 0, c.product, factor)]);
    one_constraint_refuses(&[add(&honest(COOK), 0, c.product, F::ONE)]);
}

#[test]
fn a_shelf_of_another_asset() {
    let cell = columns::cook().shelf[0];
    one_constraint_refuses(&[add(&honest(COOK), 0, cell, F::ONE)]);
}

#[test]
fn a_pot_that_is_a_vault() {
    let cell = columns::cook().pot[0];
    one_constraint_refuses(&[honest(COOK).with_cell(0, cell, F::ONE)]);
}

#[test]
fn a_withdrawal_that_is_not_counted() {
    // Nor in the statement.
    for mut cheat in [
        honest(COOK),
        table_of(vec![signed_withdraw(withdraw(100, 2, ALICE_NONCE), 0)], 1),
    ] {
        let before = row(&cheat, 0)[prefix::WITHDRAWAL_COUNT.before()];
        *cheat.cell_mut(0, prefix::WITHDRAWAL_COUNT.after()) = before;
        *cheat.cell_mut(1, prefix::WITHDRAWAL_COUNT.before()) = before;
        *cheat.cell_mut(1, prefix::WITHDRAWAL_COUNT.after()) = before;
        end(&mut cheat);
        one_constraint_refuses(&[cheat]);
    }
}

#[test]
fn a_chain_of_withdrawals_that_moves_for_nothing() {
    for i in 0..4 {
        let mut cheat = add(&not_owed(), 0, prefix::WITHDRAWALS.after()[i], F::ONE);
        settle_later(&mut cheat);
        one_constraint_refuses(&[cheat]);
    }
}

/// Row 1, which is padding, keeps what row 0 says.
fn settle_later(cheat: &mut ChipTrace) {
    settle(cheat, 1, &[]);
}

// Cheats that a table refuses.

#[test]
fn less_passed_off_as_more() {
    let c = columns::cook();
    // The difference is negative, whichever limb holds it, or all of them.
    let wrapped = F::NEG_ONE.as_canonical_u64();
    let whole = [0, 16, 32, 48].map(|shift| F::from_u16((wrapped >> shift) as u16));
    for limbs in [0, 1, 2, 3]
        .map(|i| in_limb(F::NEG_ONE, i))
        .into_iter()
        .chain([whole])
    {
        let mut cheat = less();
        let cells = [
            (c.is_more, F::ONE),
            (c.difference, F::NEG_ONE),
            (c.product, -F::from_u64(COOK.factor)),
        ];
        for (cell, value) in cells {
            *cheat.cell_mut(0, cell) = value;
        }
        for (cell, limb) in c.difference_limbs.into_iter().zip(limbs) {
            *cheat.cell_mut(0, cell) = limb;
        }
        table_refuses("range", &[cheat]);
    }
}

#[test]
fn a_number_of_2_to_the_40() {
    // What follows from it is all in range: only the width of its top limb tells.
    let c = columns::cook();
    let (one, half) = (1 << 40, 1 << 39);
    for (numbers, is_more) in [([one, half], true), ([half, one], false)] {
        let [a, b] = numbers.map(F::from_u64);
        let mut cheat = honest(COOK);
        let limbs =
            |number: u64| [0, 16, 32, 48].map(|shift| F::from_u64(number >> shift & 0xffff));
        for (columns, number) in c.numbers.into_iter().zip(numbers) {
            for (cell, limb) in columns.into_iter().zip(limbs(number)) {
                *cheat.cell_mut(0, cell) = limb;
            }
        }
        let distance = if is_more { half } else { half - 1 };
        for (cell, limb) in c.difference_limbs.into_iter().zip(limbs(distance)) {
            *cheat.cell_mut(0, cell) = limb;
        }
        let difference = if is_more { a - b } else { F::ZERO };
        let cells = [
            (c.is_more, F::from_bool(is_more)),
            (c.difference_inverse, (a - b).inverse()),
            (c.difference, difference),
            (c.product, difference * F::from_u64(COOK.factor)),
        ];
        let mut cheat = with(&cheat, &cells);
        *cheat.cell_mut(0, c.payer.balance) += a - F::from_u64(COOK.numbers[0]);
        table_refuses("range", &[cheat]);
    }
}

#[test]
fn more_passed_off_as_less() {
    let c = columns::cook();
    for chip in [honest(COOK), same()] {
        let [a, b] = c
            .numbers
            .map(|limbs| value_of(&limbs.map(|cell| row(&chip, 0)[cell])));
        let mut cheat = chip.clone();
        for cell in [c.is_more, c.difference, c.product] {
            *cheat.cell_mut(0, cell) = F::ZERO;
        }
        let limbs = in_limb(b - a - F::ONE, 0);
        for (cell, limb) in c.difference_limbs.into_iter().zip(limbs) {
            *cheat.cell_mut(0, cell) = limb;
        }
        table_refuses("range", &[cheat]);
    }
}

#[test]
fn a_time_that_is_past() {
    let c = columns::cook();
    let mut cheat = honest(COOK).with_cell(0, c.until, F::from_u64(NOW) - F::ONE);
    let limbs = in_limb(F::NEG_ONE, 0);
    for (cell, limb) in c.until_limbs.into_iter().zip(limbs) {
        *cheat.cell_mut(0, cell) = limb;
    }
    table_refuses("range", &[cheat]);
}

#[test]
fn a_time_too_far_away() {
    // 2^20 seconds: the upper limb has 5 bits, not 4.
    let c = columns::cook();
    let mut cheat = honest(COOK).with_cell(0, c.until, F::from_u64(NOW + (1 << 20)));
    for (cell, limb) in c.until_limbs.into_iter().zip([0, 1 << 4]) {
        *cheat.cell_mut(0, cell) = F::from_u32(limb);
    }
    table_refuses("range", &[cheat]);
}

#[test]
fn a_time_of_another_batch() {
    let now = shardfold_contracts::layout::public::NOW;
    let found = report(&[with_value(&honest(COOK), now, F::ONE)]);
    assert!(!found.violations.is_empty());
}

#[test]
fn a_withdrawal_that_is_owed_and_not_chained() {
    let mut cheat = honest(COOK);
    let cells = row(&cheat, 0);
    let chain = prefix::WITHDRAWALS;
    for (after, before) in chain.after().into_iter().zip(chain.before()) {
        *cheat.cell_mut(0, after) = cells[before];
    }
    settle_later(&mut cheat);
    table_refuses("hash", &[cheat]);
}

// Cheats that the other end of a bus refuses.

#[test]
fn a_shelf_that_the_state_has_not() {
    for cell in columns::cook().shelf.into_iter().skip(1) {
        let cheat = add(&honest(COOK), 0, cell, F::ONE);
        bus_refuses("state", &[honest(COOK)], &[cheat]);
    }
}

#[test]
fn a_pot_that_the_state_has_not() {
    for cell in columns::cook().pot.into_iter().skip(1) {
        let cheat = add(&honest(COOK), 0, cell, F::ONE);
        bus_refuses("state", &[honest(COOK)], &[cheat]);
    }
}

#[test]
fn a_pot_with_another_content() {
    // The factor is another one: nothing of the pot as it was tells.
    let c = columns::cook();
    let cells = row(&honest(COOK), 0);
    let factor = cells[c.factor] + F::ONE;
    let changes = [
        (c.factor, factor),
        (c.inverse, factor.inverse()),
        (c.product, factor * cells[c.difference]),
    ];
    let cheat = with(&honest(COOK), &changes);
    bus_refuses("state", &[honest(COOK)], &[cheat]);
}

/// What these tests refuse.
pub fn cheats() -> Vec<Cheat> {
    [
        cheats_of(a_factor_of_zero),
        cheats_of(a_choice_that_is_neither_yes_nor_no),
        cheats_of(a_time_that_is_not_so_far_away),
        cheats_of(a_comparison_that_is_neither_yes_nor_no),
        cheats_of(a_comparison_with_another_difference),
        cheats_of(what_is_not_the_same_passed_off_as_neither),
        cheats_of(what_is_not_the_same_passed_off_as_the_same),
        cheats_of(an_inverse_of_nothing),
        cheats_of(a_product_that_is_none),
        cheats_of(a_shelf_of_another_asset),
        cheats_of(a_pot_that_is_a_vault),
        cheats_of(a_withdrawal_that_is_not_counted),
        cheats_of(a_chain_of_withdrawals_that_moves_for_nothing),
        cheats_of(less_passed_off_as_more),
        cheats_of(a_number_of_2_to_the_40),
        cheats_of(more_passed_off_as_less),
        cheats_of(a_time_that_is_past),
        cheats_of(a_time_too_far_away),
        cheats_of(a_withdrawal_that_is_owed_and_not_chained),
        cheats_of(a_shelf_that_the_state_has_not),
        cheats_of(a_pot_that_the_state_has_not),
        cheats_of(a_pot_with_another_content),
    ]
    .concat()
}
