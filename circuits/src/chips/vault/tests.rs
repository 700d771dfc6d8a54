use p3_field::PrimeCharacteristicRing;
use shardfold_contracts::readings::VaultNote;

use super::columns::WIDTH;
use super::{VaultChip, VaultColumns, generate};
use crate::chips::Chip;
use crate::chips::fixture::{no_amounts, no_cell_is_free, value_of};
use crate::lookup_events::LookupEvents;
use crate::testing::{
    Cheat, ChipTrace, accepts, bus_refuses, cheats_of, cost, one_constraint_refuses, report,
    table_refuses,
};
use shardfold_protocol::field::F;

/// The rows of the honest trace: a vault that pays and signs, one that receives, one that is
/// opened, and padding.
const PAYS: usize = 0;
const RECEIVES: usize = 1;
const OPENED: usize = 2;
const PADDING: usize = 3;

const OWNERS: [[u64; 4]; 3] = [[11, 12, 13, 14], [21, 22, 23, 24], [31, 32, 33, 34]];

fn columns() -> VaultColumns<usize> {
    VaultColumns::of(0..WIDTH)
}

fn fields<const N: usize>(values: [u64; N]) -> [F; N] {
    values.map(F::from_u64)
}

/// At clock 5, of asset 3.
fn note(index: u32, owner: [u64; 4], before: [u64; 8], delta: F) -> VaultNote {
    VaultNote {
        clock: F::from_u8(5),
        old_clock: 2,
        index: F::from_u32(index),
        asset: F::from_u8(3),
        owner: fields(owner),
        delta,
        signs: false,
        may_open: false,
        before: fields(before),
    }
}

fn vault([o0, o1, o2, o3]: [u64; 4], balance: u64, nonce: u64) -> [u64; 8] {
    [1, 3, balance, nonce, o0, o1, o2, o3]
}

/// Whoever pays has this nonce.
fn honest_at(nonce: u64) -> ChipTrace {
    let [payer, receiver, new] = OWNERS;
    let pays = VaultNote {
        signs: true,
        ..note(10, payer, vault(payer, 100, nonce), -F::from_u8(40))
    };
    let receives = note(11, receiver, vault(receiver, 1 << 40, 9), F::from_u8(30));
    let opened = VaultNote {
        may_open: true,
        old_clock: 0,
        ..note(12, new, [0; 8], F::from_u8(10))
    };
    let notes = [pays, receives, opened];
    let trace = generate(&notes, 2, &mut LookupEvents::default()).unwrap();
    ChipTrace::new(Chip::Vault(VaultChip), trace)
}

fn honest() -> ChipTrace {
    honest_at(7)
}

fn with_change(mut trace: ChipTrace, row: usize, column: usize, change: F) -> ChipTrace {
    *trace.cell_mut(row, column) += change;
    trace
}

fn with_cells(mut trace: ChipTrace, row: usize, cells: &[(usize, u64)]) -> ChipTrace {
    for &(column, value) in cells {
        *trace.cell_mut(row, column) = F::from_u64(value);
    }
    trace
}

// Honest.

#[test]
fn vaults_are_changed_and_opened() {
    let report = report(&[honest()]);
    assert!(report.violations.is_empty(), "{report}");
    let said = |bus: &str| {
        let leftovers = report.leftovers.iter().filter(|left| left.bus == bus);
        let said = leftovers.map(|left| (left.fields.clone(), left.net));
        said.collect::<Vec<_>>()
    };
    let vaults = said("vault");
    let expected = |index: u64, owner: [u64; 4], delta: F, rest: [u64; 3]| {
        let place = fields([5, index, 3]).into_iter();
        let end = fields(rest).into_iter();
        let fields = place.chain(fields(owner)).chain([delta]).chain(end);
        (fields.collect::<Vec<_>>(), F::NEG_ONE)
    };
    let [payer, receiver, new] = OWNERS;
    let expected = [
        expected(10, payer, -F::from_u8(40), [1, 7, 0]),
        expected(11, receiver, F::from_u8(30), [0, 0, 0]),
        expected(12, new, F::from_u8(10), [0, 0, 1]),
    ];
    assert_eq!(vaults, expected);
    let states = said("state");
    let record = |index: u64, clock: u64, record: [u64; 8], net: F| {
        let place = fields([index, clock]).into_iter();
        (place.chain(fields(record)).collect::<Vec<_>>(), net)
    };
    let expected = [
        record(10, 2, vault(payer, 100, 7), F::NEG_ONE),
        record(10, 5, vault(payer, 60, 8), F::ONE),
        record(11, 2, vault(receiver, 1 << 40, 9), F::NEG_ONE),
        record(11, 5, vault(receiver, (1 << 40) + 30, 9), F::ONE),
        record(12, 0, [0; 8], F::NEG_ONE),
        record(12, 5, vault(new, 10, 0), F::ONE),
    ];
    assert_eq!(states, expected);
    accepts(&[honest()]);
}

#[test]
fn no_cell_of_an_access_is_free() {
    for row in [PAYS, RECEIVES, OPENED] {
        no_cell_is_free(&honest(), row);
    }
}

#[test]
fn accesses_of_a_whole_shard_may_be_none() {
    let trace = generate(&[], 2, &mut LookupEvents::default()).unwrap();
    let trace = ChipTrace::new(Chip::Vault(VaultChip), trace);
    assert!(report(std::slice::from_ref(&trace)).is_clean());
    accepts(&[trace]);
}

#[test]
fn padding_says_nothing() {
    let mut trace = honest();
    for column in 1..WIDTH {
        *trace.cell_mut(PADDING, column) = F::ZERO;
    }
    let expected = report(&[trace.clone()]);
    assert!(expected.violations.is_empty());
    // Whatever a vault's row would say, padding does not.
    let row: Vec<F> = trace.trace.row_mut(PAYS).to_vec();
    trace.trace.row_mut(PADDING).copy_from_slice(&row);
    *trace.cell_mut(PADDING, columns().is_real) = F::ZERO;
    assert_eq!(report(&[trace]), expected);
}

#[test]
fn costs_what_the_design_says() {
    let cost = cost(&Chip::Vault(VaultChip), 13);
    assert_eq!((cost.main, cost.permutation, cost.degree), (18, 7, 3));
}

// Cheats that constraints refuse.

#[test]
fn opened_where_it_is_not_allowed() {
    one_constraint_refuses(&[honest().with_cell(OPENED, columns().may_open, F::ZERO)]);
}

/// Whoever opens a vault would be asked for no signature that its owner gave.
#[test]
fn nothing_that_signs() {
    one_constraint_refuses(&[honest().with_cell(OPENED, columns().signs, F::ONE)]);
}

#[test]
fn nothing_with_a_balance() {
    let c = columns();
    let cheat = with_cells(honest(), OPENED, &[(c.balance, 5)]);
    one_constraint_refuses(&[cheat]);
}

#[test]
fn nothing_with_a_nonce() {
    let cheat = with_cells(honest(), OPENED, &[(columns().nonce, 5)]);
    one_constraint_refuses(&[cheat]);
}

/// Another kind of record would be taken for a vault.
#[test]
fn what_is_neither_a_vault_nor_nothing() {
    let c = columns();
    one_constraint_refuses(&[with_cells(honest(), OPENED, &[(c.kind, 2)])]);
}

#[test]
fn a_row_that_counts_twice() {
    let c = columns();
    one_constraint_refuses(&[with_cells(honest(), RECEIVES, &[(c.is_real, 2)])]);
}

// Cheats that the range chip refuses.

#[test]
fn a_balance_out_of_range() {
    let c = columns();
    for limbs in no_amounts() {
        let mut cheat = honest();
        for (cell, limb) in c.new_balance.limbs.into_iter().zip(limbs) {
            *cheat.cell_mut(PAYS, cell) = limb;
        }
        // What it loses is what was asked.
        *cheat.cell_mut(PAYS, c.balance) = value_of(&limbs) + F::from_u8(40);
        table_refuses("range", &[cheat]);
    }
}

#[test]
fn more_is_paid_than_there_is() {
    let c = columns();
    let cheat = honest().with_cell(PAYS, c.balance, F::from_u8(35));
    let mut cheat = cheat.with_cell(PAYS, c.new_balance.limbs[0], -F::from_u8(5));
    for limb in 1..4 {
        *cheat.cell_mut(PAYS, c.new_balance.limbs[limb]) = F::ZERO;
    }
    table_refuses("range", &[cheat]);
}

#[test]
fn taken_at_no_earlier_clock() {
    let c = columns();
    for old in [5, 6] {
        let cheat = with_cells(honest(), RECEIVES, &[(c.vault.old_clock, old)]);
        table_refuses("range", &[cheat]);
    }
    let long_ago = F::from_u8(4) - F::from_u32(1 << 16);
    let cheat = honest().with_cell(RECEIVES, c.vault.old_clock, long_ago);
    table_refuses("range", &[cheat]);
}

// Cheats that the other end of a bus refuses.

/// Each differs from what was asked in one field.
#[test]
fn an_access_that_was_not_asked_for() {
    let c = columns();
    let [o0, o1, o2, o3] = c.owner;
    let mut cells = vec![c.clock, c.vault.index, c.asset, o0, o1, o2, o3];
    // What it gains.
    cells.push(c.new_balance.limbs[0]);
    // It may be opened.
    cells.push(c.may_open);
    for cell in cells {
        let cheat = with_change(honest(), RECEIVES, cell, F::ONE);
        bus_refuses("vault", &[honest()], &[cheat]);
    }
}

#[test]
fn another_nonce_than_what_was_signed() {
    let cheat = with_change(honest(), PAYS, columns().nonce, F::ONE);
    bus_refuses("vault", &[honest()], &[cheat]);
}

/// What was signed could be used again.
#[test]
fn a_nonce_that_is_not_used_up() {
    let cheat = honest_at(0).with_cell(PAYS, columns().signs, F::ZERO);
    bus_refuses("vault", &[honest_at(0)], &[cheat]);
}

/// What its owner signed for the vault would be refused.
#[test]
fn a_nonce_that_grows_where_nobody_signs() {
    let cheat = with_cells(honest(), RECEIVES, &[(columns().nonce, 0)]);
    let honest = cheat.clone();
    let cheat = cheat.with_cell(RECEIVES, columns().signs, F::ONE);
    bus_refuses("vault", &[honest], &[cheat]);
}

#[test]
fn an_access_that_is_left_out() {
    let cheat = honest().with_cell(PAYS, columns().is_real, F::ZERO);
    bus_refuses("vault", &[honest()], &[cheat]);
}

#[test]
fn an_access_that_is_served_twice() {
    let mut cheat = honest();
    let row: Vec<F> = cheat.trace.row_mut(RECEIVES).to_vec();
    cheat.trace.row_mut(PADDING).copy_from_slice(&row);
    bus_refuses("vault", &[honest()], &[cheat]);
}

/// What is there already would be lost.
#[test]
fn a_vault_that_is_opened_over_another() {
    let c = columns();
    let allowed = with_cells(honest(), RECEIVES, &[(c.may_open, 1)]);
    let cleared = [(c.kind, 0), (c.balance, 0), (c.nonce, 0)];
    let mut cheat = with_cells(allowed.clone(), RECEIVES, &cleared);
    for (limb, value) in c.new_balance.limbs.into_iter().zip([30, 0, 0, 0]) {
        *cheat.cell_mut(RECEIVES, limb) = F::from_u8(value);
    }
    bus_refuses("state", &[allowed], &[cheat]);
}

#[test]
fn money_that_was_not_there() {
    let c = columns();
    let cheat = with_change(honest(), PAYS, c.balance, F::ONE);
    let cheat = with_change(cheat, PAYS, c.new_balance.limbs[0], F::ONE);
    bus_refuses("state", &[honest()], &[cheat]);
}

/// A nonce that nobody signs for is the record's.
#[test]
fn another_nonce_than_the_vault_has() {
    let cheat = with_change(honest(), RECEIVES, columns().nonce, F::ONE);
    bus_refuses("state", &[honest()], &[cheat]);
}

#[test]
fn a_vault_as_it_was_at_another_time() {
    let cheat = with_change(honest(), RECEIVES, columns().vault.old_clock, F::ONE);
    bus_refuses("state", &[honest()], &[cheat]);
}

/// The asset, the owner and the place of a vault are those of its record.
#[test]
fn another_vault_than_the_record() {
    let c = columns();
    let [o0, o1, o2, o3] = c.owner;
    for cell in [c.vault.index, c.asset, o0, o1, o2, o3] {
        let cheat = with_change(honest(), PAYS, cell, F::ONE);
        bus_refuses("state", &[honest()], &[cheat]);
    }
}

#[test]
fn a_vault_that_is_written_as_something_else() {
    let c = columns();
    for cell in [c.clock, c.new_balance.limbs[0]] {
        let cheat = with_change(honest(), PAYS, cell, F::ONE);
        bus_refuses("state", &[honest()], &[cheat]);
    }
    let cheat = honest_at(0).with_cell(PAYS, c.signs, F::ZERO);
    bus_refuses("state", &[honest_at(0)], &[cheat]);
    // What is opened was nothing before, whatever it is.
    let [o0, o1, o2, o3] = c.owner;
    for cell in [c.asset, o0, o1, o2, o3] {
        let cheat = with_change(honest(), OPENED, cell, F::ONE);
        bus_refuses("state", &[honest()], &[cheat]);
    }
}

/// What these tests refuse.
pub fn cheats() -> Vec<Cheat> {
    [
        cheats_of(opened_where_it_is_not_allowed),
        cheats_of(nothing_that_signs),
        cheats_of(nothing_with_a_balance),
        cheats_of(nothing_with_a_nonce),
        cheats_of(what_is_neither_a_vault_nor_nothing),
        cheats_of(a_row_that_counts_twice),
        cheats_of(a_balance_out_of_range),
        cheats_of(more_is_paid_than_there_is),
        cheats_of(taken_at_no_earlier_clock),
        cheats_of(an_access_that_was_not_asked_for),
        cheats_of(another_nonce_than_what_was_signed),
        cheats_of(a_nonce_that_is_not_used_up),
        cheats_of(a_nonce_that_grows_where_nobody_signs),
        cheats_of(an_access_that_is_left_out),
        cheats_of(an_access_that_is_served_twice),
        cheats_of(a_vault_that_is_opened_over_another),
        cheats_of(money_that_was_not_there),
        cheats_of(another_nonce_than_the_vault_has),
        cheats_of(a_vault_as_it_was_at_another_time),
        cheats_of(another_vault_than_the_record),
        cheats_of(a_vault_that_is_written_as_something_else),
    ]
    .concat()
}
