//! Cheats with what rows ask of the tables of vaults and divisions.

use p3_field::{Field, PrimeCharacteristicRing, PrimeField64};
use shardfold_contracts::readings::Division;
use shardfold_protocol::field::F;

use super::columns;
use super::*;
use crate::testing::{bus_refuses, cheats_of, one_constraint_refuses, table_refuses};

/// A transfer of 30 over tables.
fn transfer() -> ChipTrace {
    table_of(
        vec![by_tables(number("table_transfer"), 30, ALICE_NONCE)],
        1,
    )
}

/// An exchange of so much.
fn exchange(amount: u64) -> ChipTrace {
    table_of(vec![by_tables(number("toy_swap"), amount, ALICE_NONCE)], 1)
}

const AMOUNT: u64 = 40_000;
/// What the pool holds of what is bought; see `shardfold_contracts::testing::pool`.
const BOUGHT: u64 = 10_000_000;
/// What it holds of what is paid.
const HELD: u64 = 3_000_000;

/// On the bus of vaults something else is said than by the honest row.
fn vault_refuses(honest: &ChipTrace, changes: &[(usize, F)]) {
    let mut cheat = honest.clone();
    for &(column, value) in changes {
        *cheat.cell_mut(0, column) = value;
    }
    settle(&mut cheat, 0, &[]);
    bus_refuses("vault", std::slice::from_ref(honest), &[cheat]);
}

/// One of a row's cells, and one more than it holds.
fn more(chip: &ChipTrace, column: usize) -> (usize, F) {
    (column, row(chip, 0)[column] + F::ONE)
}

/// What is bought for `effective`.
fn bought(effective: u64) -> u64 {
    let division = Division {
        a: effective,
        b: BOUGHT,
        d: HELD + effective,
        is_up: true,
    };
    division.result().expect("it is in bounds").0
}

/// An exchange of [`AMOUNT`] in which everything follows from `effective` and `out`.
fn exchanged(effective: u64, out: u64) -> ChipTrace {
    let c = columns::swap();
    let product = AMOUNT * out;
    let root = product.isqrt();
    let [first, second] = [root, root + 1].map(|divisor| F::from_u64(product / divisor));
    let above = first - F::from_u64(root);
    let limbs = [0, 16, 32, 48].map(|shift| F::from_u64(root >> shift & 0xffff));
    let numbers = [
        (c.effective, F::from_u64(effective)),
        (c.out, F::from_u64(out)),
        (c.quotients[0], first),
        (c.quotients[1], second),
        (c.product, above * (above - F::ONE)),
    ];
    let mut chip = exchange(AMOUNT);
    for (column, value) in c.root.into_iter().zip(limbs).chain(numbers) {
        *chip.cell_mut(0, column) = value;
    }
    chip
}

/// What is effective of [`AMOUNT`].
const EFFECTIVE: u64 = AMOUNT * 997 / 1_000;

// Honest.

#[test]
fn what_follows_is_as_it_was() {
    let chip = exchanged(EFFECTIVE, bought(EFFECTIVE));
    assert_eq!(chip.trace, exchange(AMOUNT).trace);
}

// Cheats that the table of vaults refuses.

#[test]
fn a_payment_out_of_another_place() {
    let c = columns::by_tables();
    for chip in [transfer(), exchange(AMOUNT)] {
        vault_refuses(&chip, &[more(&chip, c.from)]);
    }
}

#[test]
fn a_payment_of_another_nonce() {
    let c = columns::by_tables();
    for chip in [transfer(), exchange(AMOUNT)] {
        vault_refuses(&chip, &[more(&chip, c.nonce)]);
    }
}

#[test]
fn a_payment_of_another_owner() {
    let c = columns::by_tables();
    for chip in [transfer(), exchange(AMOUNT)] {
        for column in c.owner {
            vault_refuses(&chip, &[more(&chip, column)]);
        }
    }
}

#[test]
fn a_payment_of_another_amount() {
    // One more is paid as a fee.
    let c = columns::by_tables();
    for chip in [transfer(), exchange(AMOUNT)] {
        vault_refuses(&chip, &[more(&chip, c.fee[0])]);
    }
}

#[test]
fn a_payment_of_another_asset() {
    let c = columns::by_tables();
    for chip in [transfer(), exchange(AMOUNT)] {
        vault_refuses(&chip, &[more(&chip, c.asset)]);
    }
}

#[test]
fn a_credit_at_another_place() {
    let c = columns::by_tables();
    for chip in [transfer(), exchange(AMOUNT)] {
        let elsewhere = F::from_u32(VACANT);
        let inverse = (elsewhere - F::from_u32(u32::MAX)).inverse();
        vault_refuses(&chip, &[(c.to, elsewhere), (c.inverse, inverse)]);
    }
}

#[test]
fn a_credit_of_another_owner() {
    let c = columns::by_tables();
    for chip in [transfer(), exchange(AMOUNT)] {
        for column in c.to_owner {
            vault_refuses(&chip, &[more(&chip, column)]);
        }
    }
}

#[test]
fn a_credit_of_another_amount() {
    // One more moves and one less is paid as a fee: the payer is the same.
    let c = columns::by_tables();
    let chip = transfer();
    let fee = row(&chip, 0)[c.fee[0]] - F::ONE;
    vault_refuses(&chip, &[more(&chip, c.amount[0]), (c.fee[0], fee)]);
    // Another mean, whatever the divisions say.
    let honest = exchange(AMOUNT);
    let cheat = exchanged(EFFECTIVE, bought(EFFECTIVE) + 1_000);
    bus_refuses("vault", &[honest], &[cheat]);
}

// Cheats that the table of divisions refuses.

#[test]
fn a_quotient_that_is_none() {
    // Each time what follows is as it follows: one division alone is not in the table.
    let wrong = EFFECTIVE + 1;
    table_refuses("muldiv", &[exchanged(wrong, bought(wrong))]);
    for out in [bought(EFFECTIVE) - 1, bought(EFFECTIVE) + 1] {
        table_refuses("muldiv", &[exchanged(EFFECTIVE, out)]);
    }
}

#[test]
fn a_root_by_a_quotient_that_is_none() {
    let (c, honest) = (columns::swap(), exchange(AMOUNT));
    let cells = row(&honest, 0);
    let root = value_of(&c.root.map(|column| cells[column]));
    // What it may be above the root, and below.
    for above in [F::ZERO, F::ONE, F::TWO] {
        if root + above != cells[c.quotients[0]] {
            let cheat = honest.with_cell(0, c.quotients[0], root + above);
            let product = above * (above - F::ONE);
            table_refuses("muldiv", &[cheat.with_cell(0, c.product, product)]);
        }
    }
    for below in [F::ZERO, F::ONE] {
        if root - below != cells[c.quotients[1]] {
            let cheat = honest.with_cell(0, c.quotients[1], root - below);
            table_refuses("muldiv", &[cheat]);
        }
    }
}

// Cheats that constraints refuse.

/// An exchange whose root is claimed to be another number, with true quotients.
fn with_root(chip: &ChipTrace, amount: u64, root: u64) -> ChipTrace {
    let c = columns::swap();
    let product = amount * row(chip, 0)[c.out].as_canonical_u64();
    let [first, second] = [root, root + 1].map(|divisor| F::from_u64(product / divisor));
    let above = first - F::from_u64(root);
    let mut cheat = chip.clone();
    let limbs = [0, 16, 32, 48].map(|shift| F::from_u64(root >> shift & 0xffff));
    let numbers = [
        (c.quotients[0], first),
        (c.quotients[1], second),
        (c.product, above * (above - F::ONE)),
    ];
    for (column, value) in c.root.into_iter().zip(limbs).chain(numbers) {
        *cheat.cell_mut(0, column) = value;
    }
    cheat
}

/// An amount for which a square is taken the root of, less one; and that square's root.
fn one_less_than_a_square() -> (u64, u64) {
    let mut found = (1..AMOUNT).filter_map(|amount| {
        let effective = amount * 997 / 1_000;
        let square = amount * bought(effective) + 1;
        let root = square.isqrt();
        (effective > 0 && root * root == square).then_some((amount, root))
    });
    found.next().expect("there is such an amount")
}

#[test]
fn a_root_that_is_too_large() {
    // Passed off as that of the square: only what is above the root tells.
    let (amount, root) = one_less_than_a_square();
    one_constraint_refuses(&[with_root(&exchange(amount), amount, root)]);
}

#[test]
fn a_root_that_is_too_small() {
    // Where one less has a quotient of at most two more: only what is below the next integer tells.
    let amounts = 1..AMOUNT;
    let mut found = amounts.filter_map(|amount| {
        let effective = amount * 997 / 1_000;
        let product = amount * bought(effective);
        let root = product.isqrt();
        (effective > 0 && root > 1 && product / (root - 1) <= root + 1).then_some((amount, root))
    });
    let (amount, root) = found.next().expect("there is such an amount");
    one_constraint_refuses(&[with_root(&exchange(amount), amount, root - 1)]);
}

#[test]
fn a_product_of_the_root_that_is_none() {
    // The quotient is two above the root: any product serves the other rule.
    let (amount, _) = one_less_than_a_square();
    let cheat = add(&exchange(amount), 0, columns::swap().product, F::ONE);
    one_constraint_refuses(&[cheat]);
}

/// What these tests refuse.
pub fn cheats() -> Vec<Cheat> {
    [
        cheats_of(a_payment_out_of_another_place),
        cheats_of(a_payment_of_another_nonce),
        cheats_of(a_payment_of_another_owner),
        cheats_of(a_payment_of_another_amount),
        cheats_of(a_payment_of_another_asset),
        cheats_of(a_credit_at_another_place),
        cheats_of(a_credit_of_another_owner),
        cheats_of(a_credit_of_another_amount),
        cheats_of(a_quotient_that_is_none),
        cheats_of(a_root_by_a_quotient_that_is_none),
        cheats_of(a_root_that_is_too_large),
        cheats_of(a_root_that_is_too_small),
        cheats_of(a_product_of_the_root_that_is_none),
    ]
    .concat()
}
