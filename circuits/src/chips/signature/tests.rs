use std::ops::Range;

use p3_field::{Field, PrimeCharacteristicRing};
use p3_matrix::Matrix;
use shardfold_protocol::curve::{A, AffinePoint, B, F5, Scalar, elements, sqrt};
use shardfold_protocol::hash::{Digest, compress_block};
use shardfold_protocol::signature::{Account, PublicKey};

use super::SignatureChip;
use super::columns::{SignatureColumns, WIDTH};
use super::trace::{SignatureRequest, SignatureTraces, fill_element, generate};
use crate::cells::write;
use crate::chips::Chip;
use crate::chips::fixed_base::{self, FixedBaseChip};
use crate::chips::fixed_table::{self, FixedTableChip};
use crate::chips::variable_base::VariableBaseChip;
use crate::chips::variable_table::VariableTableChip;
use crate::error::TraceError;
use crate::lookup_events::LookupEvents;
use crate::testing::{
    COEFFICIENTS, Cheat, ChipTrace, accepts, beside, bus_refuses, cheats_of, constraints_refuse,
    cost, nth, only_these_refuse, rehash, report, table_refuses, unit,
};
use shardfold_protocol::field::F;

mod forgeries;

// The numbers of the constraints, in the order of the README.
const IS_REAL: Range<usize> = 0..1;
const PLACES: Range<usize> = 1..3;
const KEY_ENCODING: Range<usize> = 3..8;
const KEY_SQUARE: Range<usize> = 8..13;
const NONCE_ENCODING: Range<usize> = 13..18;
const NONCE_SQUARE: Range<usize> = 18..23;
const DISTINCT: Range<usize> = 23..28;
const SLOPE: Range<usize> = 28..33;
const SUM: Range<usize> = 33..38;
const LADDERS: Range<usize> = 38..40;

const CHAIN: F = F::TWO;
const LOG_TRANSACTIONS: usize = 2;
/// Ladders for every row, in one table.
const ALL_LADDERS: [usize; 1] = [1 << LOG_TRANSACTIONS];
/// Ladders for the real rows alone, in two tables.
const FEW_LADDERS: [usize; 2] = [2, 1];
/// Three signatures are real, the last row is padding.
const REAL: usize = 3;
/// The row that is tampered with, and the padding.
const ROW: usize = 1;
const PADDING: usize = 3;

fn message(index: u64) -> Digest {
    core::array::from_fn(|i| F::from_u64(100 * index + i as u64))
}

fn sign(key: u64, message: Digest) -> SignatureRequest {
    let account = Account::from_index(3, key);
    SignatureRequest {
        key: account.public_key(),
        exit_address: account.exit_address,
        signature: account.sign(CHAIN, &message),
        message,
    }
}

/// The owner that a request is confirmed for.
fn owner(request: &SignatureRequest) -> Digest {
    request.key.owner(CHAIN, &request.exit_address)
}

fn signatures() -> Vec<SignatureRequest> {
    (0..REAL as u64).map(|i| sign(i, message(i))).collect()
}

/// Those of all rows, the padding's too.
fn all_signatures() -> Vec<SignatureRequest> {
    let account = Account::from_index(0, 0);
    let padding = SignatureRequest {
        key: account.public_key(),
        exit_address: account.exit_address,
        signature: account.sign(F::ZERO, &[F::ZERO; 4]),
        message: [F::ZERO; 4],
    };
    [signatures(), vec![padding]].concat()
}

fn chips(signatures: &[SignatureRequest]) -> Vec<ChipTrace> {
    chips_with(signatures, &ALL_LADDERS)
}

/// The chips with so many ladders in each table of them.
fn chips_with(signatures: &[SignatureRequest], ladders: &[usize]) -> Vec<ChipTrace> {
    let SignatureTraces {
        signature,
        variable_table,
        variable_base,
        fixed_base,
        fixed_table,
    } = generate(
        signatures,
        CHAIN,
        LOG_TRANSACTIONS,
        ladders,
        &mut LookupEvents::default(),
    )
    .unwrap();
    let mut chips = vec![
        ChipTrace::with_public_values(Chip::Signature(SignatureChip), signature, vec![CHAIN]),
        ChipTrace::new(Chip::VariableTable(VariableTableChip), variable_table),
    ];
    let mut first = 0;
    for (trace, count) in variable_base.into_iter().zip(ladders) {
        let chip = Chip::VariableBase(VariableBaseChip { first });
        chips.push(ChipTrace::new(chip, trace));
        first += *count as u32;
    }
    let fixed_base = fixed_base.into_iter();
    chips.extend(fixed_base.map(|trace| ChipTrace::new(Chip::FixedBase(FixedBaseChip), trace)));
    chips.push(ChipTrace::new(
        Chip::FixedTable(FixedTableChip),
        fixed_table,
    ));
    chips
}

fn honest() -> ChipTrace {
    chips(&signatures()).swap_remove(0)
}

fn columns() -> SignatureColumns<usize> {
    SignatureColumns::of(0..WIDTH)
}

fn refused_by(trace: ChipTrace, constraints: Range<usize>) {
    only_these_refuse(&[trace], "signature", constraints);
}

/// The honest trace with one row rewritten.
fn with_row(row: usize, tamper: impl Fn(SignatureColumns<&mut F>)) -> ChipTrace {
    let mut trace = honest();
    tamper(SignatureColumns::of(trace.trace.row_mut(row)));
    trace
}

/// All five chips, the signature chip's row rewritten.
fn all_with_row(row: usize, tamper: impl Fn(SignatureColumns<&mut F>)) -> Vec<ChipTrace> {
    let mut chips = chips(&signatures());
    tamper(SignatureColumns::of(chips[0].trace.row_mut(row)));
    chips
}

/// R and E' of a row.
fn summands(row: usize) -> (AffinePoint, AffinePoint) {
    let trace = honest();
    let cells = SignatureColumns::of(trace.trace.row_slice(row).unwrap().to_vec());
    let product = AffinePoint {
        x: F5::new(cells.product_x),
        y: F5::new(cells.product_y),
    };
    (signatures()[row].signature.r, product)
}

/// Writes R + E' along a line of some slope.
fn write_sum(row: SignatureColumns<&mut F>, nonce: &AffinePoint, end: &AffinePoint, slope: F5) {
    write(row.slope, elements(&slope));
    write(row.sum_y, elements(&end.add_with_slope(nonce, slope).y));
}

// Honest.

#[test]
fn signatures_are_proven_by_five_chips() {
    let chips = chips(&signatures());
    let left = report(&chips).leftovers;
    let owners = left.iter().filter(|left| left.bus == "signature");
    let expected: Vec<Vec<F>> = signatures()
        .iter()
        .map(|s| [owner(s), s.message].concat())
        .collect();
    let mut found: Vec<Vec<F>> = owners.map(|left| left.fields.clone()).collect();
    found.sort_by_key(|fields| expected.iter().position(|e| e == fields));
    assert_eq!(found, expected);
    assert!(left.iter().all(|l| l.bus == "signature" || l.bus == "hash"));
    accepts(&chips);
}

#[test]
fn the_hashes_of_real_signatures_are_asked_for() {
    let mut events = LookupEvents::default();
    generate(
        &signatures(),
        CHAIN,
        LOG_TRANSACTIONS,
        &ALL_LADDERS,
        &mut events,
    )
    .unwrap();
    let mut noted: Vec<Vec<F>> = events
        .hashes
        .iter()
        .map(|input| [&input[..], &compress_block(input)].concat())
        .collect();
    noted.sort();
    let left = report(&[honest()]).leftovers;
    let asked = left.iter().filter(|left| left.bus == "hash");
    let mut asked: Vec<Vec<F>> = asked.map(|left| left.fields.clone()).collect();
    asked.sort();
    assert_eq!(noted.len(), 5 * REAL);
    assert_eq!(noted, asked);
}

#[test]
fn a_shard_without_signatures_is_proven() {
    accepts(&chips(&[]));
}

#[test]
fn padding_beyond_the_ladders_is_proven() {
    for count in 0..=REAL {
        let signatures = &signatures()[..count];
        let chips = chips_with(signatures, &FEW_LADDERS);
        let left = report(&chips).leftovers;
        let confirmed = left.iter().filter(|left| left.bus == "signature");
        assert_eq!(confirmed.count(), count);
        assert!(left.iter().all(|l| l.bus == "signature" || l.bus == "hash"));
        accepts(&chips);
    }
}

#[test]
fn the_cost_is_as_planned() {
    let cost = cost(&Chip::Signature(SignatureChip), LOG_TRANSACTIONS);
    assert_eq!((cost.main, cost.permutation, cost.degree), (85, 8, 3));
}

// What has no trace.

#[test]
fn a_signature_of_another_message_has_no_trace() {
    let mut signatures = signatures();
    signatures[2].message = message(7);
    let result = generate(
        &signatures,
        CHAIN,
        LOG_TRANSACTIONS,
        &ALL_LADDERS,
        &mut LookupEvents::default(),
    );
    let expected = TraceError::InvalidSignature { index: 2 };
    assert_eq!(result.unwrap_err(), expected);
}

#[test]
fn a_key_outside_the_group_has_no_trace() {
    let mut signatures = signatures();
    signatures[ROW].key = PublicKey(plus_n(&signatures[ROW].key.0));
    let result = generate(
        &signatures,
        CHAIN,
        LOG_TRANSACTIONS,
        &ALL_LADDERS,
        &mut LookupEvents::default(),
    );
    let expected = TraceError::InvalidSignature { index: ROW };
    assert_eq!(result.unwrap_err(), expected);
}

#[test]
fn more_signatures_than_rows_have_no_trace() {
    let signatures = [signatures(), signatures()].concat();
    let result = generate(
        &signatures,
        CHAIN,
        LOG_TRANSACTIONS,
        &ALL_LADDERS,
        &mut LookupEvents::default(),
    );
    assert!(matches!(
        result.unwrap_err(),
        TraceError::TooManyRows { rows: 6, .. }
    ));
}

#[test]
fn more_signatures_than_ladders_have_no_trace() {
    let result = generate(
        &signatures(),
        CHAIN,
        LOG_TRANSACTIONS,
        &[1, 1],
        &mut LookupEvents::default(),
    );
    let expected = TraceError::TooManyRows {
        chip: "signature",
        rows: REAL,
        capacity: 2,
    };
    assert_eq!(result.unwrap_err(), expected);
}

// Cheats with a row's own constraints.

#[test]
fn ladders_that_are_asked_for_twice() {
    let cheat = with_row(PADDING, |row| *row.has_ladders = F::TWO);
    refused_by(cheat, nth(LADDERS, 0));
}

#[test]
fn a_signature_without_ladders() {
    let cheat = with_row(ROW, |row| *row.has_ladders = F::ZERO);
    refused_by(cheat, nth(LADDERS, 1));
}

#[test]
fn ladders_that_there_are_not() {
    // Nobody has multiplied for the last row.
    let honest = chips_with(&signatures(), &FEW_LADDERS);
    let mut mutated = honest.clone();
    let row = SignatureColumns::of(mutated[0].trace.row_mut(PADDING));
    *row.has_ladders = F::ONE;
    bus_refuses("variable_base", &honest, &mutated);
    bus_refuses("fixed_base", &honest, &mutated);
}

#[test]
fn a_signature_confirmed_twice() {
    refused_by(with_row(ROW, |row| *row.is_real = F::TWO), IS_REAL);
}

#[test]
fn two_signatures_at_one_place() {
    refused_by(with_row(ROW, |row| *row.position = F::ZERO), PLACES);
}

#[test]
fn places_that_are_numbered_from_one() {
    let mut trace = honest();
    for row in 0..1 << LOG_TRANSACTIONS {
        *trace.cell_mut(row, columns().position) += F::ONE;
    }
    refused_by(trace, nth(PLACES, 0));
}

/// P + (0, 0): on the curve, outside the group, with the opposite of P's encoding.
fn plus_n(point: &AffinePoint) -> AffinePoint {
    let inverse = point.x.inverse();
    AffinePoint {
        x: B * inverse,
        y: -B * point.y * inverse.square(),
    }
}

#[test]
fn a_key_outside_the_group() {
    // The other x of the same encoding; it is no square, so there is no root to give.
    let cheat = with_row(ROW, |row| {
        let key = -plus_n(&signatures()[ROW].key.0);
        fill_element(row.key, &key, &F5::ONE);
    });
    refused_by(cheat, KEY_SQUARE);
}

#[test]
fn an_encoding_of_another_key() {
    let cheat = with_row(ROW, |row| {
        write(row.key.w, elements(&signatures()[0].key.0.encode()));
    });
    refused_by(cheat, KEY_ENCODING);
}

#[test]
fn a_commitment_outside_the_group() {
    let (nonce, end) = summands(ROW);
    let outside = -plus_n(&nonce);
    let cheat = with_row(ROW, |mut row| {
        fill_element(reborrow(&mut row.nonce), &outside, &F5::ONE);
        reborrow_array(&mut row.inverse, (outside.x - end.x).inverse());
        write_sum(row, &outside, &end, outside.add_slope(&end).unwrap());
    });
    refused_by(cheat, NONCE_SQUARE);
}

#[test]
fn an_encoding_of_another_commitment() {
    // y_R is made of w, so the line goes through (x, -w x), which is not on the curve.
    let (nonce, end) = summands(ROW);
    let w = signatures()[0].signature.r.encode();
    let off_curve = AffinePoint {
        x: nonce.x,
        y: -w * nonce.x,
    };
    let cheat = with_row(ROW, |mut row| {
        reborrow_array(&mut row.nonce.w, w);
        write_sum(row, &off_curve, &end, off_curve.add_slope(&end).unwrap());
    });
    refused_by(cheat, NONCE_ENCODING);
}

/// A square root of what is left of `value` when some multiple of `unit` is taken away.
fn root_beside(value: F5, unit: F5) -> F5 {
    let mut multiples = (1..).map(|times| value - unit * F5::from_u32(times));
    multiples.find_map(|value| sqrt(&value)).unwrap()
}

/// An encoding for which the equation of x fails in one coefficient.
fn encoding_beside(x: F5, number: usize) -> F5 {
    let inverse = x.inverse();
    root_beside(x + A + B * inverse, unit(number) * inverse)
}

#[test]
fn an_encoding_that_fails_in_one_coefficient() {
    for i in 0..COEFFICIENTS {
        let w = encoding_beside(signatures()[ROW].key.0.x, i);
        let cheat = with_row(ROW, |row| write(row.key.w, elements(&w)));
        refused_by(cheat, nth(KEY_ENCODING, i));

        let (nonce, end) = summands(ROW);
        let w = encoding_beside(nonce.x, i);
        let off_curve = AffinePoint {
            x: nonce.x,
            y: -w * nonce.x,
        };
        let slope = off_curve.add_slope(&end).unwrap();
        let cheat = with_row(ROW, |mut row| {
            reborrow_array(&mut row.nonce.w, w);
            write_sum(row, &off_curve, &end, slope);
        });
        refused_by(cheat, nth(NONCE_ENCODING, i));
    }
}

#[test]
fn a_root_whose_square_fails_in_one_coefficient() {
    for i in 0..COEFFICIENTS {
        let root = root_beside(signatures()[ROW].key.0.x, unit(i));
        let cheat = with_row(ROW, |row| write(row.key.root, elements(&root)));
        refused_by(cheat, nth(KEY_SQUARE, i));
        let root = root_beside(summands(ROW).0.x, unit(i));
        let cheat = with_row(ROW, |row| write(row.nonce.root, elements(&root)));
        refused_by(cheat, nth(NONCE_SQUARE, i));
    }
}

#[test]
fn an_inverse_that_is_none() {
    let (nonce, end) = summands(ROW);
    for i in 0..COEFFICIENTS {
        let inverse = (F5::ONE + unit(i)) / (nonce.x - end.x);
        let cheat = with_row(ROW, |mut row| reborrow_array(&mut row.inverse, inverse));
        refused_by(cheat, nth(DISTINCT, i));
    }
}

#[test]
fn a_line_that_misses_in_one_coefficient() {
    let (nonce, end) = summands(ROW);
    for i in 0..COEFFICIENTS {
        let slope = nonce.add_slope(&end).unwrap() + unit(i) / (nonce.x - end.x);
        let cheat = with_row(ROW, |row| write_sum(row, &nonce, &end, slope));
        refused_by(cheat, nth(SLOPE, i));
    }
}

#[test]
fn a_sum_whose_y_fails_in_one_coefficient() {
    for (i, column) in columns().sum_y.into_iter().enumerate() {
        let mut cheat = honest();
        *cheat.cell_mut(ROW, column) += F::ONE;
        refused_by(cheat, nth(SUM, i));
    }
}

fn reborrow<'a>(element: &'a mut super::Element<&mut F>) -> super::Element<&'a mut F> {
    super::Element {
        w: element.w.each_mut().map(|cell| &mut **cell),
        x: element.x.each_mut().map(|cell| &mut **cell),
        root: element.root.each_mut().map(|cell| &mut **cell),
    }
}

fn reborrow_array(cells: &mut [&mut F; 5], value: F5) {
    write(cells.each_mut().map(|cell| &mut **cell), elements(&value));
}

#[test]
fn an_addition_of_equal_points_with_a_free_slope() {
    let (nonce, _) = summands(ROW);
    let cheat = with_row(ROW, |mut row| {
        reborrow_array(&mut row.product_x, nonce.x);
        reborrow_array(&mut row.product_y, nonce.y);
        reborrow_array(&mut row.inverse, F5::ZERO);
        write_sum(row, &nonce, &nonce, F5::from_u8(5));
    });
    refused_by(cheat, DISTINCT);
}

#[test]
fn an_addition_along_another_line() {
    let (nonce, end) = summands(ROW);
    let slope = nonce.add_slope(&end).unwrap() + F5::ONE;
    let cheat = with_row(ROW, |row| write_sum(row, &nonce, &end, slope));
    refused_by(cheat, SLOPE);
}

#[test]
fn a_sum_with_another_y() {
    let cheat = with_row(ROW, |row| {
        for cell in row.sum_y {
            *cell = -*cell;
        }
    });
    refused_by(cheat, SUM);
}

// Cheats that the other chips refuse.

#[test]
fn the_challenge_of_another_message() {
    let mut other = signatures();
    other[ROW] = sign(ROW as u64, message(7));
    let mut mutated = chips(&other);
    let claimed = SignatureColumns::of(mutated[0].trace.row_mut(ROW));
    write(claimed.message, message(ROW as u64));
    bus_refuses("hash", &chips(&signatures()), &mutated);
}

#[test]
fn a_hash_with_one_block_that_is_no_compression() {
    let c = columns();
    let digests = [&[c.owner_block, c.owner][..], &c.challenge].concat();
    for (position, digest) in digests.iter().enumerate() {
        let mut cheat = honest();
        *cheat.cell_mut(ROW, digest[0]) += F::ONE;
        rehash(&mut cheat, ROW, &digests[position + 1..]);
        table_refuses("hash", &[cheat]);
    }
}

#[test]
fn an_owner_or_a_message_that_nobody_asked_for() {
    for column in columns().owner.into_iter().chain(columns().message) {
        let mut cheat = honest();
        *cheat.cell_mut(ROW, column) += F::ONE;
        bus_refuses("signature", &[honest()], &[cheat]);
    }
}

#[test]
fn a_commitment_without_its_scalar() {
    let (nonce, end) = (signatures()[0].signature.r, summands(ROW).1);
    let root = sqrt(&nonce.x).unwrap();
    let cheat = with_row(ROW, |mut row| {
        fill_element(reborrow(&mut row.nonce), &nonce, &root);
        reborrow_array(&mut row.inverse, (nonce.x - end.x).inverse());
        write_sum(row, &nonce, &end, nonce.add_slope(&end).unwrap());
    });
    bus_refuses("fixed_base", &[honest()], &[cheat]);
}

#[test]
fn a_product_with_another_x_or_y() {
    let (nonce, end) = summands(ROW);
    for i in 0..2 * COEFFICIENTS {
        let end = beside(&end, i);
        let cheat = with_row(ROW, |mut row| {
            reborrow_array(&mut row.product_x, end.x);
            reborrow_array(&mut row.product_y, end.y);
            reborrow_array(&mut row.inverse, (nonce.x - end.x).inverse());
            write_sum(row, &nonce, &end, nonce.add_slope(&end).unwrap());
        });
        bus_refuses("variable_base", &[honest()], &[cheat]);
    }
}

#[test]
fn someone_elses_key() {
    let mut other = signatures();
    other[ROW] = sign(9, message(ROW as u64));
    let mut mutated = chips(&other);
    let claimed = SignatureColumns::of(mutated[0].trace.row_mut(ROW));
    write(claimed.owner, owner(&signatures()[ROW]));
    bus_refuses("hash", &chips(&signatures()), &mutated);
}

#[test]
fn the_owner_of_the_same_key_with_another_exit_address() {
    let victim = signatures()[ROW];
    let mut other = signatures();
    let exit_address = Account::from_index(3, 9).exit_address;
    let (key, message) = (Account::from_index(3, ROW as u64).key, victim.message);
    other[ROW].exit_address = exit_address;
    other[ROW].signature = key.sign(CHAIN, &exit_address, &message);
    assert_ne!(owner(&other[ROW]), owner(&victim));
    let mut mutated = chips(&other);
    let claimed = SignatureColumns::of(mutated[0].trace.row_mut(ROW));
    write(claimed.owner, owner(&victim));
    bus_refuses("hash", &chips(&signatures()), &mutated);
}

#[test]
fn one_element_of_another_exit_address() {
    for column in columns().exit_address {
        let mut cheat = honest();
        *cheat.cell_mut(ROW, column) += F::ONE;
        bus_refuses("hash", &[honest()], &[cheat]);
    }
}

#[test]
fn a_signature_of_another_chain() {
    let mut cheat = honest();
    cheat.public_values[0] += F::ONE;
    bus_refuses("hash", &[honest()], &[cheat]);
}

#[test]
fn a_challenge_of_the_provers_choice() {
    // On padding nobody asks for the hashes, so there the challenge is free; once the row
    // confirms a signature it is not.
    let mutated = all_with_row(PADDING, |row| *row.is_real = F::ONE);
    let report = report(&mutated);
    assert!(report.violations.is_empty(), "{report}");
    let padding = |bus: &str| {
        let touches = report.leftovers.iter().filter(|left| left.bus == bus);
        touches
            .filter(|left| left.touches[0].row == PADDING)
            .count()
    };
    assert_eq!((padding("hash"), padding("signature")), (5, 1));
}

#[test]
fn the_multiples_of_another_key() {
    let other = signatures()[0].key.0;
    let root = sqrt(&other.x).unwrap();
    let mutated = all_with_row(PADDING, |row| fill_element(row.key, &other, &root));
    bus_refuses("base", &chips(&signatures()), &mutated);
}

#[test]
fn a_product_with_another_challenge() {
    for half in 0..2 {
        let mutated = all_with_row(PADDING, |row| {
            let [.., last] = row.challenge;
            *last.into_iter().nth(half).unwrap() += F::ONE;
        });
        bus_refuses("variable_base", &chips(&signatures()), &mutated);
    }
}

#[test]
fn a_signature_that_does_not_verify() {
    // s + 1 instead of s: both ladders are right, their ends do not meet.
    let mut scalars: Vec<Scalar> = all_signatures().iter().map(|s| s.signature.s).collect();
    scalars[ROW] = scalars[ROW] + Scalar::ONE;
    let honest = chips(&signatures());
    let mut mutated = honest.clone();
    mutated[3].trace = fixed_base::generate(&scalars).unwrap().0;
    mutated[4].trace = fixed_table::generate(&scalars);
    bus_refuses("fixed_base", &honest, &mutated);
}

#[test]
fn a_ladder_of_another_signature() {
    let mut mutated = chips(&signatures());
    for column in columns().product_x.into_iter().chain(columns().product_y) {
        let other = mutated[0].trace.row_slice(0).unwrap()[column];
        *mutated[0].cell_mut(ROW, column) = other;
    }
    constraints_refuse(&mutated);
}

/// What these tests refuse.
pub fn cheats() -> Vec<Cheat> {
    [
        cheats_of(a_signature_confirmed_twice),
        cheats_of(two_signatures_at_one_place),
        cheats_of(places_that_are_numbered_from_one),
        cheats_of(ladders_that_are_asked_for_twice),
        cheats_of(a_signature_without_ladders),
        cheats_of(ladders_that_there_are_not),
        cheats_of(a_key_outside_the_group),
        cheats_of(an_encoding_of_another_key),
        cheats_of(a_commitment_outside_the_group),
        cheats_of(an_encoding_of_another_commitment),
        cheats_of(an_encoding_that_fails_in_one_coefficient),
        cheats_of(a_root_whose_square_fails_in_one_coefficient),
        cheats_of(an_inverse_that_is_none),
        cheats_of(a_line_that_misses_in_one_coefficient),
        cheats_of(a_sum_whose_y_fails_in_one_coefficient),
        cheats_of(an_addition_of_equal_points_with_a_free_slope),
        cheats_of(an_addition_along_another_line),
        cheats_of(a_sum_with_another_y),
        cheats_of(the_challenge_of_another_message),
        cheats_of(a_hash_with_one_block_that_is_no_compression),
        cheats_of(an_owner_or_a_message_that_nobody_asked_for),
        cheats_of(a_commitment_without_its_scalar),
        cheats_of(a_product_with_another_x_or_y),
        cheats_of(someone_elses_key),
        cheats_of(the_owner_of_the_same_key_with_another_exit_address),
        cheats_of(one_element_of_another_exit_address),
        cheats_of(a_signature_of_another_chain),
        cheats_of(the_multiples_of_another_key),
        cheats_of(a_product_with_another_challenge),
        cheats_of(a_signature_that_does_not_verify),
        cheats_of(a_ladder_of_another_signature),
        forgeries::cheats(),
    ]
    .concat()
}
