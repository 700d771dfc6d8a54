use p3_field::{Field, PrimeCharacteristicRing};
use shardfold_protocol::head::STATEMENT_ELEMENTS;

use super::columns::WIDTH;
use super::{LedgerColumns, StatementValues};
use crate::chips::fixture::*;
use crate::error::TraceError;
use crate::testing::{
    Cheat, ChipTrace, accepts, bus_refuses, cheats_of, constraints_refuse, one_constraint_refuses,
    report, table_refuses,
};
use shardfold_protocol::field::F;

fn columns() -> LedgerColumns<usize> {
    LedgerColumns::of(0..WIDTH)
}

fn values() -> StatementValues<usize> {
    StatementValues::of(0..STATEMENT_ELEMENTS)
}

/// The first `count` transactions of the mixed shard: transfer, deposit, withdrawal, transfer.
fn honest(count: usize) -> ChipTrace {
    Shard::of(mixed()[..count].to_vec()).ledger
}

fn with_value(mut trace: ChipTrace, value: usize, change: F) -> ChipTrace {
    trace.public_values[value] += change;
    trace
}

fn with_change(mut trace: ChipTrace, row: usize, column: usize, change: F) -> ChipTrace {
    *trace.cell_mut(row, column) += change;
    trace
}

// Honest.

#[test]
fn every_filling_of_the_table_is_accepted() {
    for count in 1..=4 {
        accepts(&[honest(count)]);
    }
}

#[test]
fn a_table_of_one_row_holds_and_is_bound_to_its_statement() {
    let one = Shard::with_log_height(mixed()[..1].to_vec(), 0).unwrap();
    assert!(
        report(std::slice::from_ref(&one.ledger))
            .violations
            .is_empty()
    );
    for value in values().after.transactions {
        let cheat = with_value(one.ledger.clone(), value, F::ONE);
        assert_eq!(report(&[cheat]).violations.len(), 1);
    }
}

#[test]
fn no_cell_of_the_ledger_is_free() {
    for row in 0..4 {
        no_cell_is_free(&honest(4), row);
    }
}

#[test]
fn no_element_of_the_statement_is_free_but_the_chain_id() {
    for count in [1, 2, 3, 4] {
        let honest = honest(count);
        let before = report(std::slice::from_ref(&honest));
        for value in 1..STATEMENT_ELEMENTS {
            let found = report(&[with_value(honest.clone(), value, F::ONE)]);
            assert_ne!(found, before, "element {value} is free");
        }
    }
}

#[test]
fn every_flag_is_in_the_list_of_flags() {
    let c = columns();
    let listed: Vec<usize> = c.flags().iter().map(|(flag, _)| *flag).collect();
    let between: Vec<usize> = (c.is_first + 1..c.clock).collect();
    assert_eq!(listed, between);
}

// Cheats that constraints refuse.

#[test]
fn two_kinds_at_once() {
    // The last row is a transfer and a withdrawal, is counted twice and chained nowhere.
    let c = columns();
    let mut cheat = honest(4).with_cell(3, c.is_withdraw, F::ONE);
    for i in 0..4 {
        let before = *cheat.cell_mut(3, c.transactions.before[i]);
        *cheat.cell_mut(3, c.transactions.after[i]) = before;
        cheat.public_values[values().after.transactions[i]] = before;
    }
    let cheat = with_value(cheat, values().after.withdrawal_count, F::ONE);
    one_constraint_refuses(&[with_value(cheat, values().after.tx_count, F::ONE)]);
}

#[test]
fn kinds_that_add_up() {
    // 2 and -1 add up to one transaction; neither is a flag.
    let cheat = honest(4).with_cell(3, columns().is_transfer, F::TWO);
    let cheat = cheat.with_cell(3, columns().is_withdraw, F::NEG_ONE);
    let cheat = with_value(cheat, values().after.withdrawal_count, F::NEG_ONE);
    assert_eq!(report(std::slice::from_ref(&cheat)).violations.len(), 2);
    constraints_refuse(&[cheat]);

    // A deposit that counts twice, and minus one transfer.
    let c = columns();
    let mut cheat = honest(4).with_cell(3, c.is_deposit, F::TWO);
    *cheat.cell_mut(3, c.is_transfer) = F::NEG_ONE;
    *cheat.cell_mut(3, c.queue_position) = *cheat.cell_mut(3, c.queue_count) * F::TWO;
    let cheat = with_value(cheat, values().after.queue_count, F::TWO);
    assert_eq!(report(std::slice::from_ref(&cheat)).violations.len(), 2);
    constraints_refuse(&[cheat]);
}

/// The last row of a full table with two kinds of weight 1 and one of weight -1: together
/// one transaction. Only that each flag is boolean stands against it.
fn with_flags(is_transfer: F, is_deposit: F, is_withdraw: F) -> ChipTrace {
    let c = columns();
    let mut cheat = honest(4).with_cell(3, c.is_transfer, is_transfer);
    *cheat.cell_mut(3, c.is_deposit) = is_deposit;
    *cheat.cell_mut(3, c.is_withdraw) = is_withdraw;
    *cheat.cell_mut(3, c.queue_position) = is_deposit * *cheat.cell_mut(3, c.queue_count);
    let cheat = with_value(cheat, values().after.withdrawal_count, is_withdraw);
    with_value(cheat, values().after.queue_count, is_deposit)
}

#[test]
fn a_transaction_of_minus_one_transfer() {
    one_constraint_refuses(&[with_flags(F::NEG_ONE, F::ONE, F::ONE)]);
}

#[test]
fn a_transaction_of_minus_one_deposit() {
    one_constraint_refuses(&[with_flags(F::ONE, F::NEG_ONE, F::ONE)]);
}

#[test]
fn a_transaction_of_minus_one_withdrawal() {
    one_constraint_refuses(&[with_flags(F::ONE, F::ONE, F::NEG_ONE)]);
}

#[test]
fn a_shard_of_nothing() {
    let mut cheat = Shard::of(vec![]).ledger;
    one_constraint_refuses(&[cheat.clone()]);
    // Nor one that begins with padding.
    cheat = with_change(cheat, 3, columns().is_transfer, F::ONE);
    constraints_refuse(&[cheat]);
}

#[test]
fn a_gap_between_transactions() {
    // A transfer after padding. The other equations are made to hold.
    let c = columns();
    let mut cheat = honest(1);
    *cheat.cell_mut(3, c.is_transfer) = F::ONE;
    let cheat = with_value(cheat, values().after.tx_count, F::ONE);
    one_constraint_refuses(&[cheat]);
}

#[test]
fn a_root_that_is_not_taken() {
    let cheat = honest(4).with_cell(0, columns().is_first, F::ZERO);
    one_constraint_refuses(&[cheat]);
}

#[test]
fn a_root_that_is_taken_twice() {
    for row in 1..4 {
        one_constraint_refuses(&[honest(4).with_cell(row, columns().is_first, F::ONE)]);
    }
}

#[test]
fn clocks_that_start_elsewhere() {
    let mut cheat = honest(4);
    for row in 0..4 {
        *cheat.cell_mut(row, columns().clock) += F::ONE;
    }
    one_constraint_refuses(&[with_value(cheat, values().after.tx_count, F::ONE)]);
}

#[test]
fn a_clock_that_stands_still() {
    let mut cheat = honest(4);
    for row in 2..4 {
        *cheat.cell_mut(row, columns().clock) -= F::ONE;
    }
    one_constraint_refuses(&[with_value(cheat, values().after.tx_count, F::NEG_ONE)]);
}

#[test]
fn statement_claims_one_more_transaction() {
    for count in 1..=4 {
        let more = with_value(honest(count), values().after.tx_count, F::ONE);
        one_constraint_refuses(&[more]);
        let fewer = with_value(honest(count), values().before.tx_count, F::ONE);
        one_constraint_refuses(&[fewer]);
    }
}

#[test]
fn skipped_deposit() {
    // The second transaction is a deposit that is not counted.
    let mut cheat = honest(4);
    for row in 2..4 {
        *cheat.cell_mut(row, columns().queue_count) -= F::ONE;
    }
    let cheat = with_value(cheat, values().after.queue_count, F::NEG_ONE);
    one_constraint_refuses(&[cheat]);
}

#[test]
fn statement_claims_one_more_deposit() {
    for count in 1..=4 {
        let cheat = with_value(honest(count), values().after.queue_count, F::ONE);
        one_constraint_refuses(&[cheat]);
    }
}

#[test]
fn a_deposit_count_from_another_head() {
    let cheat = with_value(honest(4), values().before.queue_count, F::ONE);
    one_constraint_refuses(&[cheat]);
}

#[test]
fn a_deposit_out_of_its_turn() {
    for row in 0..4 {
        let cheat = with_change(honest(4), row, columns().queue_position, F::ONE);
        one_constraint_refuses(&[cheat]);
    }
}

#[test]
fn a_withdrawal_that_is_not_counted() {
    // The third transaction is a withdrawal.
    let mut cheat = honest(4);
    *cheat.cell_mut(3, columns().withdrawal_count) -= F::ONE;
    let cheat = with_value(cheat, values().after.withdrawal_count, F::NEG_ONE);
    one_constraint_refuses(&[cheat]);
}

#[test]
fn statement_claims_one_more_withdrawal() {
    for count in 1..=4 {
        let cheat = with_value(honest(count), values().after.withdrawal_count, F::ONE);
        one_constraint_refuses(&[cheat]);
    }
}

#[test]
fn a_withdrawal_count_from_another_head() {
    let cheat = with_value(honest(4), values().before.withdrawal_count, F::ONE);
    one_constraint_refuses(&[cheat]);
}

#[test]
fn a_time_that_is_not_what_has_passed() {
    for value in [values().before.time, values().after.time] {
        one_constraint_refuses(&[with_value(honest(4), value, F::ONE)]);
    }
}

/// The honest shard with other limbs of the time that passed, and the time after that they
/// make.
fn with_elapsed(limbs: [F; 2]) -> ChipTrace {
    let mut cheat = honest(4);
    for row in 0..4 {
        for (cell, limb) in columns().elapsed.into_iter().zip(limbs) {
            *cheat.cell_mut(row, cell) = limb;
        }
    }
    let before = cheat.public_values[values().before.time];
    cheat.public_values[values().after.time] = before + value_of(&limbs);
    cheat
}

#[test]
fn a_time_that_runs_back() {
    // By one second, in either limb.
    let unit = F::from_u32(1 << 16);
    for limbs in [[F::NEG_ONE, F::ZERO], [F::ZERO, -unit.inverse()]] {
        table_refuses("range", &[with_elapsed(limbs)]);
    }
}

#[test]
fn a_time_that_leaps_by_2_to_the_32() {
    let limb = F::from_u32(1 << 16);
    table_refuses("range", &[with_elapsed([F::ZERO, limb])]);
    table_refuses("range", &[with_elapsed([limb.square(), F::ZERO])]);
}

#[test]
fn differences_that_no_record_has() {
    for head in [values().before, values().after] {
        for value in head.data {
            one_constraint_refuses(&[with_value(honest(4), value, F::ONE)]);
        }
    }
}

#[test]
fn a_time_that_does_not_follow_has_no_trace() {
    for step in [u64::MAX, 1 << 32] {
        let mut witness = witness(mixed());
        let before = witness.statement.before.time;
        witness.statement.after.time = before.wrapping_add(step);
        let found = Shard::play(witness, 2).unwrap_err();
        let (value, bits) = (step, 32);
        assert_eq!(found, TraceError::OutOfRange { value, bits });
    }
}

#[test]
fn first_row_from_another_head() {
    let before = values().before;
    for chain in [before.transactions, before.queue, before.withdrawals] {
        for value in chain {
            one_constraint_refuses(&[with_value(honest(4), value, F::ONE)]);
        }
    }
}

#[test]
fn last_row_to_another_head() {
    let after = values().after;
    for count in 1..=4 {
        for chain in [after.transactions, after.queue, after.withdrawals] {
            for value in chain {
                one_constraint_refuses(&[with_value(honest(count), value, F::ONE)]);
            }
        }
    }
}

#[test]
fn a_last_transaction_that_the_statement_forgets() {
    // A full table: the statement ends at the head before its last row.
    let c = columns();
    let mut cheat = honest(4);
    for (value, cell) in values()
        .after
        .transactions
        .into_iter()
        .zip(c.transactions.before)
    {
        cheat.public_values[value] = *cheat.cell_mut(3, cell);
    }
    constraints_refuse(&[cheat]);
}

#[test]
fn a_chain_that_moves_on_padding() {
    let c = columns();
    for (chain, after) in [
        (c.transactions, values().after.transactions),
        (c.queue, values().after.queue),
        (c.withdrawals, values().after.withdrawals),
    ] {
        for (cell, value) in chain.after.into_iter().zip(after) {
            let cheat = with_change(honest(1), 3, cell, F::ONE);
            one_constraint_refuses(&[with_value(cheat, value, F::ONE)]);
        }
    }
}

#[test]
fn a_chain_of_deposits_that_moves_on_a_transfer() {
    // Row 3 is a transfer.
    let c = columns();
    for (chain, after) in [
        (c.queue, values().after.queue),
        (c.withdrawals, values().after.withdrawals),
    ] {
        let cheat = with_change(honest(4), 3, chain.after[0], F::ONE);
        one_constraint_refuses(&[with_value(cheat, after[0], F::ONE)]);
    }
}

#[test]
fn a_chain_that_is_cut_between_rows() {
    let c = columns();
    // From row 2 on, a transfer and padding, the deposits' chain is another.
    let mut cheat = honest(4);
    for row in 2..4 {
        *cheat.cell_mut(row, c.queue.before[0]) += F::ONE;
        *cheat.cell_mut(row, c.queue.after[0]) += F::ONE;
    }
    let cheat = with_value(cheat, values().after.queue[0], F::ONE);
    one_constraint_refuses(&[cheat]);
}

#[test]
fn any_chain_that_is_cut_before_a_row_that_extends_it() {
    let c = columns();
    for (chain, row) in [(c.transactions, 2), (c.queue, 1), (c.withdrawals, 2)] {
        for cell in chain.before {
            one_constraint_refuses(&[with_change(honest(4), row, cell, F::ONE)]);
        }
    }
}

// Cheats that the other end of a bus refuses.

#[test]
fn a_chain_extended_by_something_else() {
    let c = columns();
    let after = values().after;
    for (chain, values, row) in [
        (c.transactions, after.transactions, 3),
        (c.queue, after.queue, 1),
        (c.withdrawals, after.withdrawals, 2),
    ] {
        let mut cheat = with_change(honest(4), row, chain.after[0], F::ONE);
        for later in row + 1..4 {
            *cheat.cell_mut(later, chain.before[0]) += F::ONE;
            *cheat.cell_mut(later, chain.after[0]) += F::ONE;
        }
        table_refuses("hash", &[with_value(cheat, values[0], F::ONE)]);
    }
}

#[test]
fn chain_not_extended() {
    // The last transaction, of a full table, is left out of the chain.
    let c = columns();
    let mut cheat = honest(4);
    for i in 0..4 {
        let before = *cheat.cell_mut(3, c.transactions.before[i]);
        *cheat.cell_mut(3, c.transactions.after[i]) = before;
        cheat.public_values[values().after.transactions[i]] = before;
    }
    bus_refuses("hash", &[honest(4)], &[cheat]);
}

#[test]
fn a_transaction_that_no_rule_proves() {
    let cheat = with_change(honest(4), 0, columns().digest[0], F::ONE);
    bus_refuses("ledger", &[honest(4)], &[cheat]);
}

#[test]
fn a_withdrawal_of_another_payload() {
    let cheat = with_change(honest(3), 2, columns().payload[0], F::ONE);
    bus_refuses("ledger", &[honest(3)], &[cheat]);
}

#[test]
fn a_kind_that_no_rule_proved() {
    let c = columns();
    let cheat = honest(1);
    let cheat = with_change(cheat, 0, c.is_transfer, F::NEG_ONE);
    let mut cheat = with_change(cheat, 0, c.is_withdraw, F::ONE);
    for row in 1..4 {
        *cheat.cell_mut(row, c.withdrawal_count) += F::ONE;
    }
    let cheat = with_value(cheat, values().after.withdrawal_count, F::ONE);
    bus_refuses("ledger", &[honest(1)], &[cheat]);
}

#[test]
fn roots_of_another_tree() {
    for value in [values().before.state_root[0], values().after.state_root[3]] {
        let cheat = with_value(honest(4), value, F::ONE);
        bus_refuses("node", &[honest(4)], &[cheat]);
    }
}

/// What these tests refuse.
pub fn cheats() -> Vec<Cheat> {
    [
        cheats_of(two_kinds_at_once),
        cheats_of(kinds_that_add_up),
        cheats_of(a_transaction_of_minus_one_transfer),
        cheats_of(a_transaction_of_minus_one_deposit),
        cheats_of(a_transaction_of_minus_one_withdrawal),
        cheats_of(a_shard_of_nothing),
        cheats_of(a_gap_between_transactions),
        cheats_of(a_root_that_is_not_taken),
        cheats_of(a_root_that_is_taken_twice),
        cheats_of(clocks_that_start_elsewhere),
        cheats_of(a_clock_that_stands_still),
        cheats_of(statement_claims_one_more_transaction),
        cheats_of(skipped_deposit),
        cheats_of(statement_claims_one_more_deposit),
        cheats_of(a_deposit_count_from_another_head),
        cheats_of(a_deposit_out_of_its_turn),
        cheats_of(a_withdrawal_that_is_not_counted),
        cheats_of(statement_claims_one_more_withdrawal),
        cheats_of(a_withdrawal_count_from_another_head),
        cheats_of(a_time_that_is_not_what_has_passed),
        cheats_of(a_time_that_runs_back),
        cheats_of(a_time_that_leaps_by_2_to_the_32),
        cheats_of(differences_that_no_record_has),
        cheats_of(first_row_from_another_head),
        cheats_of(last_row_to_another_head),
        cheats_of(a_last_transaction_that_the_statement_forgets),
        cheats_of(a_chain_that_moves_on_padding),
        cheats_of(a_chain_of_deposits_that_moves_on_a_transfer),
        cheats_of(a_chain_that_is_cut_between_rows),
        cheats_of(any_chain_that_is_cut_before_a_row_that_extends_it),
        cheats_of(a_chain_extended_by_something_else),
        cheats_of(chain_not_extended),
        cheats_of(a_transaction_that_no_rule_proves),
        cheats_of(a_withdrawal_of_another_payload),
        cheats_of(a_kind_that_no_rule_proved),
        cheats_of(roots_of_another_tree),
    ]
    .concat()
}
