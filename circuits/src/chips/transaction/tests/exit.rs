//! Cheats of a forced exit: nobody can choose whether and what it pays, and the item is consumed.

use p3_field::{Field, PrimeCharacteristicRing, PrimeField64};
use shardfold_contracts::layout::prefix;
use shardfold_protocol::amount::AMOUNT_LIMIT;
use shardfold_protocol::field::F;
use shardfold_protocol::record::Index;

use super::columns::{self, Exit, IsZero};
use super::*;
use crate::testing::{accepts, bus_refuses, cheats_of, one_constraint_refuses, table_refuses};

/// The highest asset of the base chain.
const LAST_BASE_ASSET: F = F::new(u32::MAX as u64);
/// How many conditions there are for a payment.
const CONDITIONS: F = F::new(7);

/// One exit out of a vault, for which a key asks.
fn asked(index: Index, asking: u64) -> ChipTrace {
    table_of(vec![exit(index, asking, DEPOSITS_BEFORE)], 1)
}

/// What Bob asks for his own vault: all conditions are met.
fn paid() -> ChipTrace {
    asked(BOB, 1)
}

/// What somebody else asks for Bob's vault.
fn not_paid() -> ChipTrace {
    asked(BOB, 0)
}

/// What a row claims.
struct Claims {
    is_vault: F,
    is_owner: [F; 4],
    is_base: F,
    is_empty: F,
    /// Whether it pays; `None`: as follows from the others.
    pays: Option<F>,
}

/// Sets a flag, and the inverse with which most of its rules hold.
fn claim(chip: &mut ChipTrace, cells: IsZero, value: F, flag: F) {
    let inverse = value.try_inverse().unwrap_or(F::ZERO);
    *chip.cell_mut(0, cells.flag) = flag;
    *chip.cell_mut(0, cells.inverse) = inverse * (F::ONE - flag);
}

/// The exit with claims that are changed, and everything else as it follows from them.
fn claiming(chip: &ChipTrace, change: impl FnOnce(&mut Claims)) -> ChipTrace {
    let c: Exit = columns::exit();
    let cells = row(chip, 0);
    let (kind, asset, balance) = (cells[c.kind], cells[c.asset], cells[c.balance]);
    let pairs = c.owner_found.into_iter().zip(c.owner);
    let differences: Vec<F> = pairs
        .map(|(found, asked)| cells[found] - cells[asked])
        .collect();
    let base = kind != F::ONE || asset.as_canonical_u64() <= LAST_BASE_ASSET.as_canonical_u64();
    let mut claims = Claims {
        is_vault: F::from_bool(kind == F::ONE),
        is_owner: core::array::from_fn(|i| F::from_bool(differences[i] == F::ZERO)),
        is_base: F::from_bool(base),
        is_empty: F::from_bool(balance == F::ZERO),
        pays: None,
    };
    change(&mut claims);

    let mut chip = chip.clone();
    claim(&mut chip, c.is_vault, kind - F::ONE, claims.is_vault);
    for (i, cells) in c.is_owner.into_iter().enumerate() {
        claim(&mut chip, cells, differences[i], claims.is_owner[i]);
    }
    let vault_asset = claims.is_vault * asset;
    *chip.cell_mut(0, c.vault_asset) = vault_asset;
    *chip.cell_mut(0, c.is_base) = claims.is_base;
    let above = LAST_BASE_ASSET - vault_asset;
    let below = -above - F::ONE;
    place(&mut chip, claims.is_base * (above - below) + below, 0);
    claim(&mut chip, c.is_empty, balance, claims.is_empty);

    let owners: F = claims.is_owner.into_iter().sum();
    let met = claims.is_vault + owners + claims.is_base + F::ONE - claims.is_empty;
    let pays = claims.pays.unwrap_or(F::from_bool(met == CONDITIONS));
    claim(&mut chip, c.pays, met - CONDITIONS, pays);
    *chip.cell_mut(0, c.paid) = pays * balance;
    let before = cells[prefix::WITHDRAWAL_COUNT.before()];
    *chip.cell_mut(0, prefix::WITHDRAWAL_COUNT.after()) = before + pays;
    settle(&mut chip, 0, &[]);
    chip
}

/// Writes how far the asset is from the bound: a number below 2^62 in limbs, another one in the
/// limb at this position alone.
fn place(chip: &mut ChipTrace, distance: F, position: usize) {
    let number = distance.as_canonical_u64();
    let limbs = if number < AMOUNT_LIMIT {
        [0, 16, 32, 48].map(|shift| F::from_u64(number >> shift & 0xffff))
    } else {
        in_limb(distance, position)
    };
    for (cell, limb) in columns::exit().distance.into_iter().zip(limbs) {
        *chip.cell_mut(0, cell) = limb;
    }
}

/// An exit with another balance of its vault, or other elements of it or of the item.
fn with(chip: &ChipTrace, cells: &[(usize, F)]) -> ChipTrace {
    let mut chip = chip.clone();
    for &(column, value) in cells {
        *chip.cell_mut(0, column) = value;
    }
    chip
}

/// Bob's vault, but of these an element is another one than he asks for.
fn of_another_owner(element: usize) -> ChipTrace {
    let asked = columns::exit().owner[element];
    add(&paid(), 0, asked, F::ONE)
}

/// Bob's vault with nothing in it.
fn empty() -> ChipTrace {
    with(&paid(), &[(columns::exit().balance, F::ZERO)])
}

/// Bob's record of another kind.
fn pot() -> ChipTrace {
    with(&paid(), &[(columns::exit().kind, F::from_u8(9))])
}

/// All for which nothing is paid: one condition is not met, or none of them.
fn none_paid() -> Vec<ChipTrace> {
    let others = (0..4).map(of_another_owner);
    let more = [
        not_paid(),
        asked(SHARES, 1),
        asked(VACANT, 1),
        empty(),
        pot(),
    ];
    others.chain(more).collect()
}

// Honest.

#[test]
fn what_is_claimed_truly_is_as_it_was() {
    for chip in [paid(), not_paid(), asked(SHARES, 1), asked(VACANT, 1)] {
        let claimed = claiming(&chip, |_| {});
        assert_eq!(claimed.trace, chip.trace);
        assert_eq!(claimed.public_values, chip.public_values);
    }
}

#[test]
fn whoever_is_not_paid_is_accepted() {
    for chip in none_paid() {
        let claimed = claiming(&chip, |_| {});
        assert_eq!(row(&claimed, 0)[columns::exit().paid], F::ZERO);
        accepts(&[claimed]);
    }
    assert_eq!(
        row(&paid(), 0)[columns::exit().paid],
        F::from_u32(1_000_000)
    );
    accepts(&[paid()]);
}

// The right vault, and no payment.

#[test]
fn no_payment_since_the_vault_is_passed_off_as_none() {
    one_constraint_refuses(&[claiming(&paid(), |claims| claims.is_vault = F::ZERO)]);
}

#[test]
fn no_payment_since_the_owner_is_passed_off_as_another_one() {
    for i in 0..4 {
        one_constraint_refuses(&[claiming(&paid(), |claims| claims.is_owner[i] = F::ZERO)]);
    }
}

#[test]
fn no_payment_since_the_asset_is_passed_off_as_shares() {
    let cheat = claiming(&paid(), |claims| claims.is_base = F::ZERO);
    let distance = F::from_u64(ASSET) - LAST_BASE_ASSET - F::ONE;
    for position in 0..4 {
        let mut cheat = cheat.clone();
        place(&mut cheat, distance, position);
        table_refuses("range", &[cheat]);
    }
}

#[test]
fn no_payment_since_the_vault_is_passed_off_as_empty() {
    one_constraint_refuses(&[claiming(&paid(), |claims| claims.is_empty = F::ONE)]);
}

#[test]
fn no_payment_though_all_conditions_are_met() {
    one_constraint_refuses(&[claiming(&paid(), |claims| claims.pays = Some(F::ZERO))]);
}

#[test]
fn part_of_the_balance_paid() {
    let mut cheat = add(&paid(), 0, columns::exit().paid, F::NEG_ONE);
    settle(&mut cheat, 0, &[]);
    one_constraint_refuses(&[cheat]);
}

// A payment that is not due.

#[test]
fn a_payment_to_another_owner() {
    for i in 0..4 {
        let chip = of_another_owner(i);
        one_constraint_refuses(&[claiming(&chip, |claims| claims.is_owner[i] = F::ONE)]);
    }
}

#[test]
fn a_payment_of_shares() {
    let cheat = claiming(&asked(SHARES, 1), |claims| claims.is_base = F::ONE);
    for position in 0..4 {
        let mut cheat = cheat.clone();
        place(&mut cheat, F::NEG_ONE, position);
        table_refuses("range", &[cheat]);
    }
}

#[test]
fn a_payment_out_of_an_empty_vault() {
    one_constraint_refuses(&[claiming(&empty(), |claims| claims.is_empty = F::ZERO)]);
}

#[test]
fn a_payment_out_of_another_kind_of_record() {
    one_constraint_refuses(&[claiming(&pot(), |claims| claims.is_vault = F::ONE)]);
}

#[test]
fn a_payment_though_a_condition_is_not_met() {
    for chip in none_paid() {
        one_constraint_refuses(&[claiming(&chip, |claims| claims.pays = Some(F::ONE))]);
    }
}

#[test]
fn a_condition_that_counts_twice() {
    // In place of an owner or of a balance that is missing.
    let others = (0..4).map(of_another_owner);
    for chip in others.chain([empty()]) {
        let cheat = claiming(&chip, |claims| claims.is_base = F::TWO);
        assert_eq!(row(&cheat, 0)[columns::exit().pays.flag], F::ONE);
        one_constraint_refuses(&[cheat]);
    }
}

// Withdrawals.

#[test]
fn a_withdrawal_chained_though_nothing_is_owed() {
    for column in prefix::WITHDRAWALS.after() {
        let mut cheat = add(&not_paid(), 0, column, F::ONE);
        settle(&mut cheat, 1, &[]);
        one_constraint_refuses(&[cheat]);
    }
}

#[test]
fn a_withdrawal_counted_though_nothing_is_owed() {
    let mut cheat = add(&not_paid(), 0, prefix::WITHDRAWAL_COUNT.after(), F::ONE);
    settle(&mut cheat, 1, &[]);
    one_constraint_refuses(&[cheat]);
}

#[test]
fn an_exit_that_is_owed_and_not_counted() {
    let mut cheat = add(&paid(), 0, prefix::WITHDRAWAL_COUNT.after(), F::NEG_ONE);
    settle(&mut cheat, 1, &[]);
    one_constraint_refuses(&[cheat]);
}

#[test]
fn an_exit_that_is_owed_and_not_chained() {
    let mut cheat = paid();
    let chain = prefix::WITHDRAWALS;
    for (after, before) in chain.after().into_iter().zip(chain.before()) {
        *cheat.cell_mut(0, after) = row(&paid(), 0)[before];
    }
    settle(&mut cheat, 1, &[]);
    table_refuses("hash", &[cheat]);
}

// The item.

#[test]
fn an_exit_that_is_not_consumed() {
    for chip in [paid(), not_paid()] {
        // It is not counted, ...
        let count = prefix::QUEUE_COUNT;
        let mut cheat = chip.clone();
        for (row, column) in [(0, count.after()), (1, count.before()), (1, count.after())] {
            *cheat.cell_mut(row, column) -= F::ONE;
        }
        end(&mut cheat);
        one_constraint_refuses(&[cheat]);
        // ... or not chained.
        let (mut cheat, chain) = (chip.clone(), prefix::QUEUE);
        for (after, before) in chain.after().into_iter().zip(chain.before()) {
            *cheat.cell_mut(0, after) = row(&chip, 0)[before];
        }
        settle(&mut cheat, 1, &[]);
        table_refuses("hash", &[cheat]);
    }
}

#[test]
fn an_exit_out_of_its_turn() {
    let mut cheat = add(&paid(), 0, columns::exit().position, F::ONE);
    settle(&mut cheat, 0, &[]);
    one_constraint_refuses(&[cheat]);
}

#[test]
fn an_exit_to_another_address() {
    // What is owed is as the cells say, the item as the queue has it.
    let c = columns::exit();
    let frozen: Vec<_> = c.item.iter().map(|[first, ..]| (0, *first)).collect();
    for column in c.target {
        let mut cheat = add(&paid(), 0, column, F::ONE);
        settle(&mut cheat, 0, &frozen);
        table_refuses("hash", &[cheat]);
    }
}

#[test]
fn an_exit_that_another_owner_asked_for() {
    // The same vault, and the state says what it says to whoever is paid.
    bus_refuses("state", &[paid()], &[not_paid()]);
    bus_refuses("state", &[not_paid()], &[paid()]);
}

/// What these tests refuse.
pub fn cheats() -> Vec<Cheat> {
    [
        cheats_of(no_payment_since_the_vault_is_passed_off_as_none),
        cheats_of(no_payment_since_the_owner_is_passed_off_as_another_one),
        cheats_of(no_payment_since_the_asset_is_passed_off_as_shares),
        cheats_of(no_payment_since_the_vault_is_passed_off_as_empty),
        cheats_of(no_payment_though_all_conditions_are_met),
        cheats_of(part_of_the_balance_paid),
        cheats_of(a_payment_to_another_owner),
        cheats_of(a_payment_of_shares),
        cheats_of(a_payment_out_of_an_empty_vault),
        cheats_of(a_payment_out_of_another_kind_of_record),
        cheats_of(a_payment_though_a_condition_is_not_met),
        cheats_of(a_condition_that_counts_twice),
        cheats_of(a_withdrawal_chained_though_nothing_is_owed),
        cheats_of(a_withdrawal_counted_though_nothing_is_owed),
        cheats_of(an_exit_that_is_owed_and_not_counted),
        cheats_of(an_exit_that_is_owed_and_not_chained),
        cheats_of(an_exit_that_is_not_consumed),
        cheats_of(an_exit_out_of_its_turn),
        cheats_of(an_exit_to_another_address),
        cheats_of(an_exit_that_another_owner_asked_for),
    ]
    .concat()
}
