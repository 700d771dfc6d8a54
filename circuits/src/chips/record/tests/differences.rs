//! What is published, and how it could be told otherwise.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::difference::{INCREMENT, WHOLE};
use shardfold_protocol::hash::{Digest, ZERO_DIGEST, compress_block, concat};
use shardfold_protocol::record::{Index, Record, Vault};

use super::super::columns::WIDTH;
use super::super::{TouchedRecord, generate};
use super::{DATA, columns, settle, trace_of};
use crate::chips::fixture::in_limb;
use crate::error::TraceError;
use crate::lookup_events::LookupEvents;
use crate::testing::{
    Cheat, ChipTrace, accepts, cheats_of, constraints_refuse, one_constraint_refuses,
    only_these_refuse, table_refuses,
};
use shardfold_protocol::field::F;

const LOG_HEIGHT: usize = 3;
/// The rows of [`honest`]: what is published of each.
const OPENED: usize = 0;
const VAULT: usize = 1;
const EVEN_VAULT: usize = 2;
const POOL: usize = 3;
const LAST: usize = 4;
const UNCHANGED: usize = 5;

fn vault(balance: u64, nonce: u64) -> Record {
    Record::from(Vault {
        owner: [5, 6, 7, 8].map(F::from_u64),
        asset: 4,
        balance,
        nonce,
    })
}

fn pool(seed: u64) -> Record {
    Record([9, 10, seed, seed + 1, 13, 14, 15, 16].map(F::from_u64))
}

fn touched(index: Index, first: Record, last: Record) -> TouchedRecord {
    let last_clock = 3;
    TouchedRecord {
        index,
        first,
        last,
        last_clock,
    }
}

fn records() -> Vec<TouchedRecord> {
    vec![
        touched(3, Record::EMPTY, vault(100, 0)),
        touched(4, vault(3, 3), vault(3, 3)),
        touched(5, vault(7, 1), vault(9, 1)),
        touched(6, Record::EMPTY, Record::EMPTY),
        touched(70_000, vault(7, 1), vault(5, 2)),
        touched(0x9000_0000, pool(30), pool(40)),
        touched(0xffff_fffe, vault(7, 1), vault(7, 0xffff + 1)),
    ]
}

/// Both kinds of what is published at even and odd rows, and the last block half empty.
fn honest() -> ChipTrace {
    trace_of(&records(), LOG_HEIGHT)
}

/// Where a link of the chain ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Half,
    Own,
    Next,
}

/// One link that is not as it should be.
#[derive(Clone, Copy)]
enum How {
    /// This element of what is hashed is another one.
    Hashes(usize, F),
    /// This element of where it ends is one more.
    PlusOne(usize),
}

type Twist = (usize, End, How);

/// Makes the chain anew, from a start and over what the other cells say, with one link twisted.
fn chained(mut trace: ChipTrace, start: Digest, twist: Option<Twist>) -> ChipTrace {
    let height = trace.trace.values.len() / WIDTH;
    let columns = columns();
    let mut chain = start;
    for row in 0..height {
        let [half, own, next] = links(&mut trace, row, chain, twist);
        for (cells, values) in [
            (columns.chain, chain),
            (columns.half, half),
            (columns.own, own),
        ] {
            for (cell, value) in cells.into_iter().zip(values) {
                *trace.cell_mut(row, cell) = value;
            }
        }
        chain = next;
        trace.public_values[4..].copy_from_slice(&own);
    }
    trace
}

/// Where the links of a row end.
fn links(trace: &mut ChipTrace, row: usize, chain: Digest, twist: Option<Twist>) -> [Digest; 3] {
    let columns = columns();
    let following = first_pair(trace, (row + 1) % (trace.trace.values.len() / WIDTH));
    let mut cell = |column| *trace.cell_mut(row, column);
    let last = columns.last.map(&mut cell);
    let [is_odd, is_changed, is_vault] =
        [columns.is_odd, columns.is_changed, columns.is_vault].map(&mut cell);
    let mark = cell(columns.index) + F::from_u64(WHOLE);
    let even = [mark, F::ZERO, last[0], last[1]];
    let blocks = match is_odd == F::ONE {
        true => [[0, 1, 2, 3], [4, 5, 6, 7]].map(|block| block.map(|i| last[i])),
        false => [even, [last[2], last[3], last[4], last[5]]],
    };
    let own_pair = vault_pair(trace, row);
    let rest = [0, 1].map(|i| last[6 + i] + (own_pair[i] - last[6 + i]) * is_vault);
    let shared = [rest[0], rest[1], following[0], following[1]];
    let twisted = |end: End, mut digest: Digest, input: Option<[F; 8]>| {
        let twist = twist.filter(|&(at, of, _)| at == row && of == end);
        if let Some(mut input) = input {
            if let Some((_, _, How::Hashes(element, value))) = twist {
                input[element] = value;
            }
            digest = compress_block(&input);
        }
        if let Some((_, _, How::PlusOne(element))) = twist {
            digest[element] += F::ONE;
        }
        digest
    };
    let is_whole = is_changed == F::ONE && is_vault == F::ZERO;
    let said = |is_said: bool, chain: &Digest, block| is_said.then(|| concat(chain, block));
    let half = twisted(End::Half, ZERO_DIGEST, said(is_whole, &chain, &blocks[0]));
    let before = if is_whole { half } else { chain };
    let own = twisted(End::Own, before, said(is_whole, &before, &blocks[1]));
    let shares = is_odd == F::ZERO && is_changed == F::ONE;
    let next = twisted(End::Next, own, said(shares, &own, &shared));
    [half, own, next]
}

fn vault_pair(trace: &mut ChipTrace, row: usize) -> [F; 2] {
    let columns = columns();
    let mut cell = |column| *trace.cell_mut(row, column);
    let increment = cell(columns.last[3]) - cell(columns.first[3]);
    let index = cell(columns.index) + increment * F::from_u64(INCREMENT);
    [index, cell(columns.last[2])]
}

fn first_pair(trace: &mut ChipTrace, row: usize) -> [F; 2] {
    let columns = columns();
    let [first, balance] = vault_pair(trace, row);
    let mut cell = |column| *trace.cell_mut(row, column);
    let mark = cell(columns.index) + F::from_u64(WHOLE);
    let (is_changed, is_vault) = (cell(columns.is_changed), cell(columns.is_vault));
    let first = (first - mark) * is_vault + mark * is_changed;
    [first, balance * is_vault]
}

/// Some cells of a row are others, and the rest of the trace plays along.
fn with(row: usize, cells: &[(usize, F)]) -> ChipTrace {
    let mut trace = honest();
    for &(column, value) in cells {
        *trace.cell_mut(row, column) = value;
    }
    if *trace.cell_mut(row, columns().is_changed) == F::ONE {
        settle(&mut trace, row);
    }
    chained(trace, DATA, None)
}

fn twisted(row: usize, end: End, how: How) -> ChipTrace {
    chained(honest(), DATA, Some((row, end, how)))
}

// Honest.

#[test]
fn what_is_published_is_what_the_encoding_says() {
    accepts(&[honest()]);
    // The last value is that of `difference`.
    assert_eq!(chained(honest(), DATA, None).trace, honest().trace);
    let values = honest().public_values;
    assert_eq!(chained(honest(), DATA, None).public_values, values);
}

#[test]
fn shards_that_publish_other_numbers_of_records_hold() {
    let mut records = records();
    while let Some(record) = records.pop() {
        accepts(&[trace_of(&records, LOG_HEIGHT)]);
        accepts(&[trace_of(&[record], 1)]);
    }
    // A full table of which everything is published.
    let all = [1, 2, 3, 4].map(|index| touched(index, vault(1, 0), vault(2, 0)));
    accepts(&[trace_of(&all, 2)]);
    let all = [1, 2].map(|index| touched(index, pool(1), pool(2)));
    accepts(&[trace_of(&all, 1)]);
}

#[test]
fn nothing_published_leaves_the_chain() {
    let unchanged = trace_of(&[touched(1, vault(1, 1), vault(1, 1))], 1);
    accepts(std::slice::from_ref(&unchanged));
    assert_eq!(unchanged.public_values[4..], DATA);
}

#[test]
fn what_cannot_be_published_is_an_error() {
    let mut other = vault(1, 1);
    other.0[5] += F::ONE;
    for last in [other, pool(1), vault(1, 0), vault(1, 0x1_0001)] {
        let records = [touched(1, vault(1, 1), last)];
        let result = generate(&records, &DATA, 1, &mut LookupEvents::default());
        assert!(matches!(result, Err(TraceError::Unpublishable(_))));
    }
}

#[test]
fn an_index_that_rises_by_the_most_fits_its_limbs() {
    let ends = [0, Index::MAX].map(|index| touched(index, vault(1, 1), vault(2, 1)));
    accepts(&[trace_of(&ends, 1)]);
}

// Cheats.

#[test]
fn an_unpublished_change() {
    let columns = columns();
    let [a, b, c, d] = columns.witness;
    let cells = [columns.is_changed, columns.is_vault, a, b, c, d];
    constraints_refuse(&[with(LAST, &cells.map(|cell| (cell, F::ZERO)))]);
    // Each element of the digest counts.
    for (new, old) in columns.new.into_iter().zip(columns.old) {
        let old = *honest().cell_mut(UNCHANGED, old);
        one_constraint_refuses(&[with(UNCHANGED, &[(new, old + F::ONE)])]);
    }
}

#[test]
fn a_publication_of_an_unchanged_record() {
    let columns = columns();
    let mut trace = honest();
    for row in [EVEN_VAULT, POOL] {
        let cells = columns.last.into_iter().zip(columns.first);
        for (to, from) in cells.chain(columns.new.into_iter().zip(columns.old)) {
            *trace.cell_mut(row, to) = *trace.cell_mut(row, from);
        }
    }
    one_constraint_refuses(&[chained(trace, DATA, None)]);
}

#[test]
fn a_publication_of_what_is_not_in_the_tree() {
    one_constraint_refuses(&[with(LAST, &[(columns().is_real, F::ZERO)])]);
}

#[test]
fn a_record_published_whole_as_a_vault() {
    let is_vault = columns().is_vault;
    one_constraint_refuses(&[with(POOL, &[(is_vault, F::ONE)])]);
    // And the reverse.
    one_constraint_refuses(&[with(VAULT, &[(is_vault, F::ZERO)])]);
    one_constraint_refuses(&[with(EVEN_VAULT, &[(is_vault, F::ZERO)])]);
}

#[test]
fn a_record_published_as_half_a_vault() {
    one_constraint_refuses(&[with(VAULT, &[(columns().is_vault, F::TWO)])]);
    // Without being published.
    one_constraint_refuses(&[with(UNCHANGED, &[(columns().is_vault, F::ONE)])]);
}

#[test]
fn a_vault_that_becomes_anothers() {
    for element in [0, 1, 4, 5, 6, 7] {
        let column = columns().last[element];
        let value = *honest().cell_mut(VAULT, column);
        one_constraint_refuses(&[with(VAULT, &[(column, value + F::ONE)])]);
    }
}

#[test]
fn a_nonce_that_grows_by_too_much() {
    let columns = columns();
    let nonce = *honest().cell_mut(LAST, columns.last[3]);
    table_refuses("range", &[with(LAST, &[(columns.last[3], nonce + F::ONE)])]);
    let nonce = *honest().cell_mut(LAST, columns.first[3]);
    table_refuses("range", &[with(LAST, &[(columns.last[3], nonce - F::ONE)])]);
}

/// The rows of two records, so far apart, in the wrong order; with the gap in one limb or another.
fn descending(apart: u32, gap: Option<usize>) -> ChipTrace {
    let columns = columns();
    let mut trace = honest();
    let index = *trace.cell_mut(EVEN_VAULT, columns.index);
    let lower = index - F::from_u32(apart);
    *trace.cell_mut(POOL, columns.index) = lower;
    if let Some(position) = gap {
        let limbs = in_limb(lower - index - F::ONE, position);
        for (cell, limb) in columns.gap.into_iter().zip(limbs) {
            *trace.cell_mut(EVEN_VAULT, cell) = limb;
        }
    }
    // From there on as it should be.
    let next = *trace.cell_mut(LAST, columns.index);
    for (cell, limb) in columns.gap.into_iter().zip(limbs(next - lower - F::ONE)) {
        *trace.cell_mut(POOL, cell) = limb;
    }
    chained(trace, DATA, None)
}

fn limbs(value: F) -> [F; 2] {
    let value = p3_field::PrimeField64::as_canonical_u64(&value);
    [value & 0xffff, value >> 16].map(F::from_u64)
}

#[test]
fn an_order_that_is_swapped() {
    one_constraint_refuses(&[descending(9, None)]);
    for position in [0, 1] {
        table_refuses("range", &[descending(9, Some(position))]);
    }
}

#[test]
fn an_index_twice() {
    for position in [0, 1] {
        table_refuses("range", &[descending(0, Some(position))]);
    }
}

#[test]
fn a_published_record_after_an_unchanged_one() {
    let columns = columns();
    let mut trace = honest();
    let width = WIDTH;
    for column in 0..width {
        let [a, b] = [LAST, UNCHANGED].map(|row| *trace.cell_mut(row, column));
        *trace.cell_mut(LAST, column) = b;
        *trace.cell_mut(UNCHANGED, column) = a;
    }
    for row in [LAST, UNCHANGED] {
        *trace.cell_mut(row, columns.is_odd) = F::from_bool(row % 2 == 1);
    }
    let [before, after] = [LAST, UNCHANGED].map(|row| *trace.cell_mut(row, columns.index));
    let gap = columns.gap.into_iter().zip(limbs(after - before - F::ONE));
    for (cell, limb) in gap {
        *trace.cell_mut(LAST, cell) = limb;
    }
    one_constraint_refuses(&[chained(trace, DATA, None)]);
}

#[test]
fn another_balance_and_any_other_element() {
    // A vault's balance, at the start of a block and at its end, by itself and in the chain.
    for row in [OPENED, EVEN_VAULT, LAST] {
        for element in 0..8 {
            let cheat = twisted(row, End::Next, How::Hashes(element, F::from_u64(77)));
            table_refuses("hash", &[cheat]);
        }
    }
    for (row, end) in [
        (OPENED, End::Half),
        (OPENED, End::Own),
        (POOL, End::Half),
        (POOL, End::Own),
    ] {
        for element in 0..8 {
            // After the mark of an even row there is a zero.
            let is_zero = (row, element) == (OPENED, 5) && end == End::Half;
            let value = if is_zero { F::ONE } else { F::ZERO };
            let is_there = honest_input(row, end)[element] != value;
            if is_there {
                table_refuses("hash", &[twisted(row, end, How::Hashes(element, value))]);
            }
        }
    }
    for element in 0..8 {
        if honest_input(EVEN_VAULT, End::Next)[element] != F::ZERO {
            let cheat = twisted(EVEN_VAULT, End::Next, How::Hashes(element, F::ZERO));
            table_refuses("hash", &[cheat]);
        }
    }
}

/// What a link of the honest rows hashes.
fn honest_input(row: usize, end: End) -> [F; 8] {
    let columns = columns();
    let mut trace = honest();
    let [from, to] = match end {
        End::Half => [columns.chain, columns.half],
        End::Own => [columns.half, columns.own],
        End::Next => [columns.own, columns.chain],
    };
    let from = from.map(|column| *trace.cell_mut(row, column));
    let at = if end == End::Next { row + 1 } else { row };
    let to = to.map(|column| *trace.cell_mut(at, column));
    let mut asked = LookupEvents::default();
    generate(&records(), &DATA, LOG_HEIGHT, &mut asked).unwrap();
    let mut asked = asked.hashes.into_iter();
    let is_it = |input: &[F; 8]| input[..4] == from && compress_block(input) == to;
    asked.find(is_it).expect("the link is hashed")
}

#[test]
fn a_link_that_is_none() {
    for (row, end) in [
        (OPENED, End::Half),
        (OPENED, End::Own),
        (OPENED, End::Next),
        (POOL, End::Half),
        (POOL, End::Own),
        (LAST, End::Next),
    ] {
        table_refuses("hash", &[twisted(row, end, How::PlusOne(0))]);
    }
}

#[test]
fn padding_that_is_missing() {
    for element in [6, 7] {
        let cheat = twisted(LAST, End::Next, How::Hashes(element, F::from_u64(9)));
        table_refuses("hash", &[cheat]);
    }
}

#[test]
fn a_half_block_that_is_left_out() {
    let mut trace = honest();
    let columns = columns();
    for row in LAST + 1..1 << LOG_HEIGHT {
        for i in 0..4 {
            let left = *trace.cell_mut(LAST, columns.own[i]);
            *trace.cell_mut(row, columns.chain[i]) = left;
            *trace.cell_mut(row, columns.own[i]) = left;
            trace.public_values[4 + i] = left;
        }
    }
    table_refuses("hash", &[trace]);
}

#[test]
fn a_chain_that_a_vault_moves_alone() {
    for element in 0..4 {
        for row in [VAULT, EVEN_VAULT, UNCHANGED] {
            one_constraint_refuses(&[twisted(row, End::Own, How::PlusOne(element))]);
        }
    }
}

#[test]
fn a_chain_that_moves_between_rows() {
    for element in 0..4 {
        for row in [VAULT, POOL, UNCHANGED] {
            one_constraint_refuses(&[twisted(row, End::Next, How::PlusOne(element))]);
        }
    }
}

#[test]
fn a_chain_from_another_head() {
    for element in 0..4 {
        let mut start = DATA;
        start[element] += F::ONE;
        one_constraint_refuses(&[chained(honest(), start, None)]);
    }
}

#[test]
fn a_chain_to_another_head() {
    for element in 0..4 {
        let mut trace = honest();
        trace.public_values[4 + element] += F::ONE;
        one_constraint_refuses(&[trace]);
    }
}

#[test]
fn a_block_split_that_is_shifted() {
    let mut trace = honest();
    for row in 0..1 << LOG_HEIGHT {
        let cell = trace.cell_mut(row, columns().is_odd);
        *cell = F::ONE - *cell;
    }
    only_these_refuse(&[chained(trace, DATA, None)], "record", 1..2);
    // From some row on, so that a block is left out.
    let mut trace = honest();
    *trace.cell_mut(LAST, columns().is_odd) = F::ONE;
    only_these_refuse(&[chained(trace, DATA, None)], "record", 1..2);
}

/// What these tests refuse.
pub fn cheats() -> Vec<Cheat> {
    [
        cheats_of(an_unpublished_change),
        cheats_of(a_publication_of_an_unchanged_record),
        cheats_of(a_publication_of_what_is_not_in_the_tree),
        cheats_of(a_record_published_whole_as_a_vault),
        cheats_of(a_record_published_as_half_a_vault),
        cheats_of(a_vault_that_becomes_anothers),
        cheats_of(a_nonce_that_grows_by_too_much),
        cheats_of(an_order_that_is_swapped),
        cheats_of(an_index_twice),
        cheats_of(a_published_record_after_an_unchanged_one),
        cheats_of(another_balance_and_any_other_element),
        cheats_of(a_link_that_is_none),
        cheats_of(padding_that_is_missing),
        cheats_of(a_half_block_that_is_left_out),
        cheats_of(a_chain_that_a_vault_moves_alone),
        cheats_of(a_chain_that_moves_between_rows),
        cheats_of(a_chain_from_another_head),
        cheats_of(a_chain_to_another_head),
        cheats_of(a_block_split_that_is_shifted),
    ]
    .concat()
}
