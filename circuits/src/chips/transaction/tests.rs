//! Tests of the table: honest shards, and cheats by name. `tests/README.md` says which cheat of
//! the chips before it became which.

use std::collections::{BTreeMap, BTreeSet};

use p3_field::{Field, PrimeCharacteristicRing};
use shardfold_contracts::layout::prefix;
use shardfold_contracts::readings::Bus;
use shardfold_contracts::recorded::RecordedStep;
use shardfold_contracts::testing::{column, value};
use shardfold_protocol::field::F;
use shardfold_protocol::hash::compress_block;
use shardfold_protocol::head::STATEMENT_ELEMENTS;

use super::{StatementValues, TransactionColumns};
use crate::chips::fixture::*;
use crate::testing::{Cheat, ChipTrace};
use columns::layout;
pub use each::is_determined;
use random::Random;

mod agree;
mod bodies;
mod columns;
mod each;
mod exit;
mod kitchen;
mod limbs;
mod linear;
mod random;
mod selectors;
mod steps;
mod system;
mod table;
mod tables;
mod tamper;
mod vaults;

/// Columns that every row has.
fn prefix_columns() -> TransactionColumns<usize> {
    TransactionColumns::of(&layout(), 0..layout().width())
}

fn values() -> StatementValues<usize> {
    StatementValues::of(0..STATEMENT_ELEMENTS)
}

/// The selector's column of a step of a contract.
fn selector(contract: usize, step: usize) -> usize {
    layout().selector(contracts().first_step(contract) + step)
}

/// The table of these transactions, over `2^log_height` rows.
fn table_of(plays: Vec<Play>, log_height: usize) -> ChipTrace {
    let shard = Shard::with_log_height(plays, log_height);
    shard.expect("the fixture can be generated").transaction
}

fn row(chip: &ChipTrace, row: usize) -> Vec<F> {
    let width = chip.trace.width;
    chip.trace.values[row * width..(row + 1) * width].to_vec()
}

fn height(chip: &ChipTrace) -> usize {
    chip.trace.values.len() / chip.trace.width
}

/// Which step a row is; `None` for padding.
fn step_of(row: &[F]) -> Option<&'static RecordedStep> {
    let mut steps = contracts().steps().iter().enumerate();
    let step = steps.find(|(number, _)| row[layout().selector(*number)] == F::ONE);
    step.map(|(_, step)| step)
}

fn add(chip: &ChipTrace, row: usize, column: usize, change: F) -> ChipTrace {
    let mut copy = chip.clone();
    *copy.cell_mut(row, column) += change;
    copy
}

fn with_value(chip: &ChipTrace, value: usize, change: F) -> ChipTrace {
    let mut copy = chip.clone();
    copy.public_values[value] += change;
    copy
}

/// Makes all hold anew that follows from what rows say, from row `from` on: what is handed on, what
/// is hashed (but for the `frozen` digests, by row and first column), the chains, and the
/// statement's end of them. Cells that a rule ranges or compares stay as they are.
fn settle(chip: &mut ChipTrace, from: usize, frozen: &[(usize, usize)]) {
    let public_values = chip.public_values.clone();
    let height = height(chip);
    for number in from..height {
        let mut cells = row(chip, number);
        let withdrawals = prefix_columns().withdrawal_count;
        let more = cells[withdrawals.after] - cells[withdrawals.before];
        if number > 0 {
            cells[withdrawals.before] = row(chip, number - 1)[withdrawals.after];
            cells[withdrawals.after] = cells[withdrawals.before] + more;
            hand_on(&row(chip, number - 1), &mut cells, &public_values);
        }
        let chains = [prefix::TRANSACTIONS, prefix::QUEUE, prefix::WITHDRAWALS];
        let step = step_of(&cells);
        let extends = step.map_or([false; 3], |step| {
            [step.does.commits, step.does.queues, step.does.withdraws]
        });
        for (chain, extends) in chains.into_iter().zip(extends) {
            for (after, before) in chain.after().into_iter().zip(chain.before()) {
                if !extends {
                    cells[after] = cells[before];
                }
            }
        }
        for message in step.iter().flat_map(|step| &step.messages) {
            if message.bus == Bus::Hash {
                hash_anew(message, &mut cells, &public_values, |first| {
                    frozen.contains(&(number, first))
                });
            }
        }
        chip.trace.row_mut(number).copy_from_slice(&cells);
    }
    end(chip);
}

/// The statement ends where the table does.
fn end(chip: &mut ChipTrace) {
    let last = row(chip, height(chip) - 1);
    let (columns, after) = (prefix_columns(), values().after);
    let chains = [
        (columns.transactions, after.transactions),
        (columns.queue, after.queue),
        (columns.withdrawals, after.withdrawals),
    ];
    for (chain, values) in chains {
        for (column, value) in chain.after.into_iter().zip(values) {
            chip.public_values[value] = last[column];
        }
    }
    chip.public_values[after.queue_count] = last[columns.queue_count.after];
    chip.public_values[after.withdrawal_count] = last[columns.withdrawal_count.after];
    let tx_count = chip.public_values[values().before.tx_count];
    chip.public_values[after.tx_count] = tx_count + last[columns.clock];
}

fn hand_on(previous: &[F], cells: &mut [F], public_values: &[F]) {
    for chain in [prefix::TRANSACTIONS, prefix::QUEUE, prefix::WITHDRAWALS] {
        for (after, before) in chain.after().into_iter().zip(chain.before()) {
            cells[before] = previous[after];
        }
    }
    let Some(step) = step_of(previous).filter(|step| !step.next.is_empty()) else {
        return;
    };
    for (i, carried) in step.carried.iter().enumerate() {
        cells[layout().carried_at() + i] = value(carried, previous, public_values);
    }
}

fn hash_anew(
    message: &shardfold_contracts::readings::Message,
    cells: &mut [F],
    public_values: &[F],
    is_frozen: impl Fn(usize) -> bool,
) {
    let of = |field: usize, cells: &[F]| value(&message.fields[field], cells, public_values);
    let input = core::array::from_fn(|i| of(i, cells));
    let output = core::array::from_fn(|i| column(&message.fields[8 + i]).expect("a column"));
    let [first, ..]: [usize; 4] = output;
    let is_said = value(&message.count, cells, public_values) != F::ZERO;
    if is_frozen(first) {
        return;
    }
    let digest = if is_said {
        compress_block(&input)
    } else {
        core::array::from_fn(|i| input[i])
    };
    for (column, element) in output.into_iter().zip(digest) {
        cells[column] = element;
    }
}

/// A table of these rows, one after the other, then padding: with clocks, chains and what is
/// handed on as they follow from the rows.
fn assemble(rows: &[Vec<F>], log_height: usize) -> ChipTrace {
    let mut chip = table_of(
        vec![signed_transfer(to_bob(1, 0, ALICE_NONCE), 0)],
        log_height,
    );
    let start = row(&chip, 0);
    let (columns, width) = (prefix_columns(), layout().width());
    let around = [columns.queue_count, columns.withdrawal_count];
    let (mut clock, mut counts) = (F::ZERO, around.map(|around| start[around.before]));
    for number in 0..height(&chip) {
        let padding = F::zero_vec(width);
        let mut cells = rows.get(number).unwrap_or(&padding).clone();
        let step = step_of(&cells);
        clock += F::from_bool(step.is_some_and(|step| step.step.is_first));
        cells[columns.is_first] = F::from_bool(number == 0);
        cells[columns.clock] = clock;
        for (around, count) in around.into_iter().zip(&mut counts) {
            let more = cells[around.after] - cells[around.before];
            cells[around.before] = *count;
            *count += more;
            cells[around.after] = *count;
        }
        let same = prefix::ELAPSED[0]..prefix::WIDTH;
        cells[same.clone()].copy_from_slice(&start[same]);
        chip.trace.row_mut(number).copy_from_slice(&cells);
    }
    settle(&mut chip, 0, &[]);
    chip
}

/// The sums that the table's rules are, on one row.
fn rule_sums(cells: &[F], public_values: &[F]) -> Vec<F> {
    let steps = contracts().steps();
    let most = steps.iter().map(|step| step.zeros.len()).max().unwrap_or(0);
    let mut sums = F::zero_vec(most);
    for (number, step) in steps.iter().enumerate() {
        let selector = cells[layout().selector(number)];
        if selector != F::ZERO {
            for (sum, zero) in sums.iter_mut().zip(&step.zeros) {
                *sum += selector * value(zero, cells, public_values);
            }
        }
    }
    sums
}

/// Makes the rules of a row hold, by changing cells but none of `kept`. Says whether it could.
fn mend(chip: &mut ChipTrace, number: usize, kept: &[usize]) -> bool {
    mend_in(chip, number, kept, 1)
}

/// [`mend`] in at most so many rounds, each of which starts where the last one ended.
fn mend_in(chip: &mut ChipTrace, number: usize, kept: &[usize], rounds: u64) -> bool {
    let public_values = chip.public_values.clone();
    let found = row(chip, number);
    let own = layout().limbs_at()..layout().width();
    let columns = own.clone().chain([prefix::WITHDRAWAL_COUNT.after()]);
    let columns: Vec<_> = columns.filter(|column| !kept.contains(column)).collect();
    let mut nothing = found.clone();
    for column in own.filter(|column| !kept.contains(column)) {
        nothing[column] = F::ZERO;
    }
    // Sums are of degree 2: what is solved as if they were linear need not hold, so that other
    // columns are tried, and other cells to start from.
    (0..60).any(|attempt| {
        let mut cells = if attempt < 30 { &found } else { &nothing }.clone();
        let holds = (0..rounds).any(|_| {
            cells = mended(&cells, &columns, &public_values, attempt);
            let sums = rule_sums(&cells, &public_values);
            sums.iter().all(|&sum| sum == F::ZERO)
        });
        if holds {
            chip.trace.row_mut(number).copy_from_slice(&cells);
        }
        holds
    })
}

/// The cells changed in some of these columns so that the rules hold, were they linear.
fn mended(cells: &[F], columns: &[usize], public_values: &[F], attempt: u64) -> Vec<F> {
    let sums = rule_sums(cells, public_values);
    let slope = |&column: &usize| {
        let mut moved = cells.to_vec();
        moved[column] += F::ONE;
        let moved = rule_sums(&moved, public_values);
        let slope = moved.iter().zip(&sums).map(|(moved, sum)| *moved - *sum);
        (column, slope.collect::<Vec<F>>())
    };
    let mut slopes: Vec<_> = columns.iter().map(slope).collect();
    let touched = |slope: &[F]| slope.iter().filter(|&&rule| rule != F::ZERO).count();
    slopes.retain(|(_, slope)| touched(slope) > 0);
    // Those that touch one rule alone come first.
    slopes.sort_by_key(|(column, slope)| {
        let order = (*column as u64 + 1).wrapping_mul(0x9e37_79b9 + attempt * 0x1357_9bdf);
        (touched(slope), order % 1_009)
    });
    let mut mended = cells.to_vec();
    for (column, change) in solve(&slopes, &sums) {
        mended[column] -= change;
    }
    mended
}

/// Columns and their factors with which `sums` is a sum of slopes, as far as it is.
fn solve(slopes: &[(usize, Vec<F>)], sums: &[F]) -> Vec<(usize, F)> {
    // Each a combination of slopes, followed by its factors, and where it alone is not zero.
    let mut pivots: Vec<(usize, Vec<F>)> = vec![];
    let subtract = |from: &mut [F], (rule, pivot): &(usize, Vec<F>)| {
        let times = from[*rule];
        for (element, other) in from.iter_mut().zip(pivot) {
            *element -= times * *other;
        }
    };
    let rules = sums.len();
    for (position, (_, slope)) in slopes.iter().enumerate() {
        let mut new = [&slope[..], &F::zero_vec(slopes.len())].concat();
        new[rules + position] = F::ONE;
        for pivot in &pivots {
            subtract(&mut new, pivot);
        }
        let Some(rule) = new[..rules].iter().position(|&element| element != F::ZERO) else {
            continue;
        };
        let scale = new[rule].inverse();
        new.iter_mut().for_each(|element| *element *= scale);
        let new = (rule, new);
        for (_, pivot) in &mut pivots {
            subtract(pivot, &new);
        }
        pivots.push(new);
    }
    let mut rest = [sums, &F::zero_vec(slopes.len())].concat();
    for pivot in &pivots {
        subtract(&mut rest, pivot);
    }
    let factors = slopes.iter().zip(&rest[rules..]);
    let factors = factors.map(|((column, _), &factor)| (*column, -factor));
    factors.filter(|(_, factor)| *factor != F::ZERO).collect()
}

/// What these tests refuse.
pub fn cheats() -> Vec<Cheat> {
    [
        table::cheats(),
        steps::cheats(),
        limbs::cheats(),
        vaults::cheats(),
        bodies::cheats(),
        exit::cheats(),
        tables::cheats(),
        kitchen::cheats(),
        tamper::cheats(),
        selectors::cheats(),
        each::cheats(),
    ]
    .concat()
}

/// A message of a kind of step.
#[derive(Clone, Copy, Debug)]
pub struct MessageOf {
    /// The number of the step in the table.
    pub step: usize,
    /// The number of the message among those of the step.
    pub message: usize,
}

/// What each branch of each slot of the table says: by the number of the slot among the table's
/// messages, and that of the branch.
pub fn branches() -> BTreeMap<(usize, usize), MessageOf> {
    // The two limbs of time and the root come first.
    let (mut first, mut all) = (3, BTreeMap::new());
    for bus in Bus::ALL {
        let mut slots: Vec<usize> = vec![];
        for (step, recorded) in contracts().steps().iter().enumerate() {
            let messages = recorded.messages.iter().enumerate();
            let said = messages.filter(|(_, message)| message.bus == bus);
            for (slot, (message, _)) in said.enumerate() {
                slots.resize(slots.len().max(slot + 1), 0);
                all.insert((first + slot, slots[slot]), MessageOf { step, message });
                slots[slot] += 1;
            }
        }
        first += slots.len();
    }
    all
}

/// The number of the step that a row is.
fn number_of(cells: &[F]) -> Option<usize> {
    (0..layout().selectors).find(|&step| cells[layout().selector(step)] == F::ONE)
}

/// The steps of which a table has rows.
pub fn steps_in(chip: &ChipTrace) -> BTreeSet<usize> {
    let rows = 0..height(chip);
    rows.filter_map(|number| number_of(&row(chip, number)))
        .collect()
}

/// A table for each path through every contract, alone with a row of padding at least.
pub fn all_paths() -> Vec<ChipTrace> {
    tamper::paths(contracts())
}
