//! Cheats of what the ledger was: kinds, counts, chains and the root.

use p3_field::PrimeCharacteristicRing;
use shardfold_contracts::layout::prefix;
use shardfold_protocol::field::F;
use shardfold_protocol::head::STATEMENT_ELEMENTS;

use super::*;
use crate::testing::{
    accepts, bus_refuses, cheats_of, checker_refuses, constraints_refuse, one_constraint_refuses,
    report, table_refuses,
};

/// The first `count` transactions of the mixed shard: transfer, deposit, withdrawal, transfer.
fn honest(count: usize) -> ChipTrace {
    table_of(mixed()[..count].to_vec(), 2)
}

fn padding() -> ChipTrace {
    table_of(vec![], 2)
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
    let one = table_of(mixed()[..1].to_vec(), 0);
    assert!(report(std::slice::from_ref(&one)).violations.is_empty());
    for value in values().after.transactions {
        let cheat = with_value(&one, value, F::ONE);
        assert_eq!(report(&[cheat]).violations.len(), 1);
    }
}

#[test]
fn no_element_of_the_statement_is_free_but_the_chain_id_and_differences() {
    // Those are the record chip's.
    let StatementValues { before, after, .. } = values();
    let others = [before.data, after.data].concat();
    for count in [1, 2, 3, 4] {
        let honest = honest(count);
        let report_of_honest = report(std::slice::from_ref(&honest));
        for value in 1..STATEMENT_ELEMENTS {
            let found = report(&[with_value(&honest, value, F::ONE)]);
            let is_free = found == report_of_honest;
            assert_eq!(is_free, others.contains(&value), "element {value}");
        }
    }
}

// Cheats that constraints refuse.

/// The last row of a full table with these selectors, and cells for which its rules hold all the
/// same. No prover makes such a proof, a cheating one might.
fn with_selectors(number: usize, flags: &[(usize, F)]) -> ChipTrace {
    let mut cheat = bare(number, flags);
    let is_mended = mend(&mut cheat, number, &[]) || mend_in(&mut cheat, number, &[], 6);
    let sums = rule_sums(&row(&cheat, number), &cheat.public_values);
    assert!(is_mended, "{flags:?} {sums:?}");
    end(&mut cheat);
    cheat
}

/// [`with_selectors`], but for the rules: those are not seen to.
pub(super) fn bare(number: usize, flags: &[(usize, F)]) -> ChipTrace {
    let mut cheat = match number {
        0 => padding(),
        _ => honest(4),
    };
    for column in layout().selector(0)..layout().carried_at() {
        *cheat.cell_mut(number, column) = F::ZERO;
    }
    for &(column, flag) in flags {
        *cheat.cell_mut(number, column) = flag;
    }
    let cells = row(&cheat, number);
    let steps = contracts()
        .steps()
        .iter()
        .zip(&cells[layout().selector(0)..]);
    let starts = steps.filter(|(step, _)| step.step.is_first);
    let starts = starts.map(|(_, &flag)| flag).sum::<F>();
    // Everything that is said of the head is as if the row did nothing but start transactions.
    let columns = prefix_columns();
    for later in number..height(&cheat) {
        let cells = row(&cheat, later);
        let count = cells[columns.queue_count.before];
        *cheat.cell_mut(later, columns.queue_count.after) = count;
        let count = cells[columns.withdrawal_count.before];
        *cheat.cell_mut(later, columns.withdrawal_count.after) = count;
        for chain in [columns.transactions, columns.queue, columns.withdrawals] {
            for (before, after) in chain.before.into_iter().zip(chain.after) {
                *cheat.cell_mut(later, after) = cells[before];
            }
        }
    }
    if number > 0 {
        let before = row(&cheat, number - 1)[columns.clock];
        *cheat.cell_mut(number, columns.clock) = before + starts;
    }
    end(&mut cheat);
    cheat
}

#[test]
fn two_kinds_at_once() {
    let transfer = selector(number("transfer"), 0);
    for other in [
        selector(number("withdraw"), 0),
        selector(number("kitchen"), 0),
    ] {
        checker_refuses(&[with_selectors(3, &[(transfer, F::ONE), (other, F::ONE)])]);
    }
}

#[test]
fn kinds_that_add_up() {
    // 2 and -1 add up to one step, with the messages of both; neither is a flag.
    let (transfer, withdraw) = (
        selector(number("transfer"), 0),
        selector(number("withdraw"), 0),
    );
    let flags = [(transfer, F::TWO), (withdraw, F::NEG_ONE)];
    let cheat = with_selectors(3, &flags);
    assert_eq!(report(std::slice::from_ref(&cheat)).violations.len(), 2);
    checker_refuses(&[cheat]);
    // The same cells, as if twice the step and once less.
    let cheat = honest(4).with_cell(3, transfer, F::TWO);
    checker_refuses(&[cheat.with_cell(3, withdraw, F::NEG_ONE)]);
}

/// A row of minus one such step and of two others: together one step. Only that each selector is
/// boolean stands against it.
fn minus_one(contract: usize, step: usize, number: usize, others: [(usize, usize); 2]) {
    let others = others.map(|(contract, step)| (selector(contract, step), F::ONE));
    let flags = [&[(selector(contract, step), F::NEG_ONE)][..], &others].concat();
    let cheat = with_selectors(number, &flags);
    let found = report(std::slice::from_ref(&cheat));
    assert_eq!(found.violations.len(), 1, "{contract} {step}: {found}");
    checker_refuses(&[cheat]);
}

#[test]
fn a_transaction_of_minus_one_transfer() {
    let others = [(number("deposit"), 0), (number("withdraw"), 0)];
    minus_one(number("transfer"), 0, 3, others);
}

#[test]
fn a_transaction_of_minus_one_deposit() {
    let others = [(number("transfer"), 0), (number("withdraw"), 0)];
    minus_one(number("deposit"), 0, 3, others);
}

#[test]
fn a_transaction_of_minus_one_withdrawal() {
    let others = [(number("transfer"), 0), (number("deposit"), 0)];
    minus_one(number("withdraw"), 0, 3, others);
}

#[test]
fn a_transaction_of_minus_one_exit() {
    let others = [(number("table_transfer"), 0), (number("toy_swap"), 0)];
    minus_one(number("exit"), 0, 3, others);
}

#[test]
fn a_transaction_of_minus_one_over_tables() {
    let (transfer, withdraw) = ((number("transfer"), 0), (number("withdraw"), 0));
    minus_one(number("table_transfer"), 0, 3, [transfer, withdraw]);
    minus_one(number("toy_swap"), 0, 3, [transfer, withdraw]);
}

#[test]
fn a_transaction_of_minus_one_other_step() {
    let others = [(number("transfer"), 0), (number("withdraw"), 0)];
    minus_one(number("kitchen"), 0, 3, others);
    // Steps that end a transaction: on the first row, where nothing comes before.
    let (last, serve) = ((number("relay"), 2), (number("kitchen"), 2));
    minus_one(last.0, last.1, 0, [(number("transfer"), 0), serve]);
    minus_one(serve.0, serve.1, 0, [(number("transfer"), 0), last]);
}

#[test]
fn a_shard_of_nothing() {
    one_constraint_refuses(&[padding()]);
    // Nor one that begins with padding.
    let mut cheat = padding();
    *cheat.cell_mut(3, selector(number("transfer"), 0)) = F::ONE;
    constraints_refuse(&[cheat]);
}

#[test]
fn a_gap_between_transactions() {
    // A transfer after padding. The other equations are made to hold.
    let [first, .., last] = [0, 1, 2, 3].map(|number| row(&honest(4), number));
    let padding = F::zero_vec(layout().width());
    let cheat = assemble(&[first, padding.clone(), padding, last], 2);
    one_constraint_refuses(&[cheat]);
}

#[test]
fn a_root_that_is_not_taken() {
    one_constraint_refuses(&[honest(4).with_cell(0, prefix::IS_FIRST, F::ZERO)]);
}

#[test]
fn a_root_that_is_taken_twice() {
    for row in 1..4 {
        one_constraint_refuses(&[honest(4).with_cell(row, prefix::IS_FIRST, F::ONE)]);
    }
}

#[test]
fn clocks_that_start_elsewhere() {
    let mut cheat = honest(4);
    for row in 0..4 {
        *cheat.cell_mut(row, prefix::CLOCK) += F::ONE;
    }
    end(&mut cheat);
    one_constraint_refuses(&[cheat]);
}

#[test]
fn a_clock_that_stands_still() {
    let mut cheat = honest(4);
    for row in 2..4 {
        *cheat.cell_mut(row, prefix::CLOCK) -= F::ONE;
    }
    end(&mut cheat);
    one_constraint_refuses(&[cheat]);
}

#[test]
fn statement_claims_one_more_transaction() {
    for count in 1..=4 {
        one_constraint_refuses(&[with_value(&honest(count), values().after.tx_count, F::ONE)]);
        one_constraint_refuses(&[with_value(&honest(count), values().before.tx_count, F::ONE)]);
    }
}

#[test]
fn statement_claims_one_more_deposit() {
    for count in 1..=4 {
        let after = values().after.queue_count;
        one_constraint_refuses(&[with_value(&honest(count), after, F::ONE)]);
    }
}

#[test]
fn a_deposit_count_from_another_head() {
    let before = values().before.queue_count;
    one_constraint_refuses(&[with_value(&honest(4), before, F::ONE)]);
}

#[test]
fn a_count_that_is_cut_between_rows() {
    // Row 3 is a transfer: it counts from elsewhere.
    let mut cheat = honest(4);
    *cheat.cell_mut(3, prefix::QUEUE_COUNT.before()) += F::ONE;
    *cheat.cell_mut(3, prefix::QUEUE_COUNT.after()) += F::ONE;
    end(&mut cheat);
    one_constraint_refuses(&[cheat]);
}

#[test]
fn a_transfer_that_counts_as_a_deposit() {
    let mut cheat = honest(4);
    *cheat.cell_mut(3, prefix::QUEUE_COUNT.after()) += F::ONE;
    end(&mut cheat);
    one_constraint_refuses(&[cheat]);
}

/// Row 3, a transfer, counts withdrawals otherwise, and the statement agrees with it.
fn with_count_of_withdrawals(changes: [F; 2]) -> ChipTrace {
    let (mut cheat, count) = (honest(4), prefix::WITHDRAWAL_COUNT);
    for (column, change) in [count.before(), count.after()].into_iter().zip(changes) {
        *cheat.cell_mut(3, column) += change;
    }
    end(&mut cheat);
    cheat
}

#[test]
fn a_count_of_withdrawals_from_another_head() {
    let before = values().before.withdrawal_count;
    one_constraint_refuses(&[with_value(&honest(4), before, F::ONE)]);
}

#[test]
fn a_count_of_withdrawals_that_is_cut_between_rows() {
    one_constraint_refuses(&[with_count_of_withdrawals([F::ONE, F::ONE])]);
}

#[test]
fn statement_claims_one_more_withdrawal() {
    for count in 1..=4 {
        let after = values().after.withdrawal_count;
        one_constraint_refuses(&[with_value(&honest(count), after, F::ONE)]);
    }
}

#[test]
fn a_transfer_that_counts_as_a_withdrawal() {
    one_constraint_refuses(&[with_count_of_withdrawals([F::ZERO, F::ONE])]);
}

/// The time passes in these limbs, on all rows and in the statement.
fn with_elapsed(limbs: [F; 2]) -> ChipTrace {
    let mut cheat = honest(4);
    for row in 0..4 {
        for (column, limb) in prefix::ELAPSED.into_iter().zip(limbs) {
            *cheat.cell_mut(row, column) = limb;
        }
    }
    let StatementValues { before, after, .. } = values();
    cheat.public_values[after.time] = cheat.public_values[before.time] + value_of(&limbs);
    cheat
}

#[test]
fn a_time_that_runs_back() {
    for position in 0..2 {
        let [low, high, ..] = in_limb(F::NEG_ONE, position);
        table_refuses("range", &[with_elapsed([low, high])]);
    }
}

#[test]
fn a_time_that_leaps() {
    let above = F::from_u32(1 << 16);
    table_refuses("range", &[with_elapsed([F::ZERO, above])]);
    // Nor may the lower limb hold what the upper one should.
    table_refuses("range", &[with_elapsed([above, F::ZERO])]);
}

#[test]
fn another_time_than_the_statements() {
    let StatementValues { before, after, .. } = values();
    for value in [before.time, after.time] {
        one_constraint_refuses(&[with_value(&honest(4), value, F::ONE)]);
    }
    for row in 0..4 {
        for column in prefix::ELAPSED {
            one_constraint_refuses(&[add(&honest(4), row, column, F::ONE)]);
        }
    }
}

#[test]
fn first_row_from_another_head() {
    let before = values().before;
    for chain in [before.transactions, before.queue, before.withdrawals] {
        for value in chain {
            one_constraint_refuses(&[with_value(&honest(4), value, F::ONE)]);
        }
    }
}

#[test]
fn last_row_to_another_head() {
    let after = values().after;
    for count in 1..=4 {
        for chain in [after.transactions, after.queue, after.withdrawals] {
            for value in chain {
                one_constraint_refuses(&[with_value(&honest(count), value, F::ONE)]);
            }
        }
    }
}

#[test]
fn a_last_transaction_that_the_statement_forgets() {
    // A full table: the statement ends at the head before its last row.
    let mut cheat = honest(4);
    let before = prefix::TRANSACTIONS.before();
    for (value, cell) in values().after.transactions.into_iter().zip(before) {
        cheat.public_values[value] = *cheat.cell_mut(3, cell);
    }
    constraints_refuse(&[cheat]);
}

#[test]
fn a_chain_that_moves_on_padding() {
    for chain in [prefix::TRANSACTIONS, prefix::QUEUE, prefix::WITHDRAWALS] {
        for cell in chain.after() {
            let mut cheat = add(&honest(1), 3, cell, F::ONE);
            end(&mut cheat);
            one_constraint_refuses(&[cheat]);
        }
    }
}

#[test]
fn a_chain_of_deposits_that_moves_on_a_transfer() {
    // Row 3 is a transfer.
    for chain in [prefix::QUEUE, prefix::WITHDRAWALS] {
        let mut cheat = add(&honest(4), 3, chain.after()[0], F::ONE);
        end(&mut cheat);
        one_constraint_refuses(&[cheat]);
    }
}

#[test]
fn a_chain_that_is_cut_between_rows() {
    // From row 2 on, a transfer and padding, the queue's chain is another.
    let mut cheat = honest(4);
    for row in 2..4 {
        *cheat.cell_mut(row, prefix::QUEUE.before()[0]) += F::ONE;
        *cheat.cell_mut(row, prefix::QUEUE.after()[0]) += F::ONE;
    }
    end(&mut cheat);
    one_constraint_refuses(&[cheat]);
}

#[test]
fn any_chain_that_is_cut_before_a_row_that_extends_it() {
    for (chain, row) in [
        (prefix::TRANSACTIONS, 2),
        (prefix::QUEUE, 1),
        (prefix::WITHDRAWALS, 2),
    ] {
        for cell in chain.before() {
            one_constraint_refuses(&[add(&honest(4), row, cell, F::ONE)]);
        }
    }
}

// Cheats that the other end of a bus refuses.

#[test]
fn a_chain_extended_by_something_else() {
    for (chain, number) in [
        (prefix::TRANSACTIONS, 3),
        (prefix::QUEUE, 1),
        (prefix::WITHDRAWALS, 2),
    ] {
        let first = chain.after()[0];
        let mut cheat = add(&honest(4), number, first, F::ONE);
        settle(&mut cheat, number, &[(number, first)]);
        table_refuses("hash", &[cheat]);
    }
}

#[test]
fn chain_not_extended() {
    // The last transaction, of a full table, is left out of the chain.
    let mut cheat = honest(4);
    let cells = row(&cheat, 3);
    let chain = prefix::TRANSACTIONS;
    for (after, before) in chain.after().into_iter().zip(chain.before()) {
        *cheat.cell_mut(3, after) = cells[before];
    }
    end(&mut cheat);
    table_refuses("hash", &[cheat]);
}

#[test]
fn a_chain_extended_twice() {
    let mut cheat = honest(4);
    let cells = row(&cheat, 3);
    let once = prefix::TRANSACTIONS.after().map(|column| cells[column]);
    let digest = super::columns::transfer().digest;
    let digest = digest
        .last()
        .expect("there are two")
        .map(|column| cells[column]);
    let twice = shardfold_protocol::hash::compress(&once, &digest);
    for (column, element) in prefix::TRANSACTIONS.after().into_iter().zip(twice) {
        *cheat.cell_mut(3, column) = element;
    }
    end(&mut cheat);
    table_refuses("hash", &[cheat]);
}

#[test]
fn roots_of_another_tree() {
    for value in [values().before.state_root[0], values().after.state_root[3]] {
        let cheat = with_value(&honest(4), value, F::ONE);
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
        cheats_of(a_transaction_of_minus_one_exit),
        cheats_of(a_transaction_of_minus_one_over_tables),
        cheats_of(a_transaction_of_minus_one_other_step),
        cheats_of(a_shard_of_nothing),
        cheats_of(a_gap_between_transactions),
        cheats_of(a_root_that_is_not_taken),
        cheats_of(a_root_that_is_taken_twice),
        cheats_of(clocks_that_start_elsewhere),
        cheats_of(a_clock_that_stands_still),
        cheats_of(statement_claims_one_more_transaction),
        cheats_of(statement_claims_one_more_deposit),
        cheats_of(a_deposit_count_from_another_head),
        cheats_of(a_count_that_is_cut_between_rows),
        cheats_of(a_transfer_that_counts_as_a_deposit),
        cheats_of(a_count_of_withdrawals_from_another_head),
        cheats_of(a_count_of_withdrawals_that_is_cut_between_rows),
        cheats_of(statement_claims_one_more_withdrawal),
        cheats_of(a_transfer_that_counts_as_a_withdrawal),
        cheats_of(a_time_that_runs_back),
        cheats_of(a_time_that_leaps),
        cheats_of(another_time_than_the_statements),
        cheats_of(first_row_from_another_head),
        cheats_of(last_row_to_another_head),
        cheats_of(a_last_transaction_that_the_statement_forgets),
        cheats_of(a_chain_that_moves_on_padding),
        cheats_of(a_chain_of_deposits_that_moves_on_a_transfer),
        cheats_of(a_chain_that_is_cut_between_rows),
        cheats_of(any_chain_that_is_cut_before_a_row_that_extends_it),
        cheats_of(a_chain_extended_by_something_else),
        cheats_of(chain_not_extended),
        cheats_of(a_chain_extended_twice),
        cheats_of(roots_of_another_tree),
    ]
    .concat()
}
