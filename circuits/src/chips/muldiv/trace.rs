//! The trace of exact divisions.

use std::collections::BTreeMap;

use p3_field::{PrimeCharacteristicRing, PrimeField64};
use p3_matrix::dense::RowMajorMatrix;
use shardfold_contracts::readings::Division;

use super::columns::{LIMBS, MulDivColumns, WIDTH};
use crate::cells::write;
use crate::error::TraceError;
use crate::lookup_events::LookupEvents;
use shardfold_protocol::field::F;

/// Returns one row per different division; range checks are noted in `events`. A division without
/// a result has no row.
///
/// # Errors
///
/// More divisions than rows.
pub fn generate(
    divisions: &[Division],
    log_height: usize,
    events: &mut LookupEvents,
) -> Result<RowMajorMatrix<F>, TraceError> {
    let mut asked: BTreeMap<Division, u32> = BTreeMap::new();
    for division in divisions {
        *asked.entry(*division).or_default() += 1;
    }
    TraceError::check_rows("muldiv", asked.len(), log_height)?;
    let mut values = F::zero_vec(WIDTH << log_height);
    // Rows that nobody asks for divide nothing by one.
    let unused = Division {
        a: 0,
        b: 0,
        d: 1,
        is_up: false,
    };
    let rows = asked.into_iter().chain(core::iter::repeat((unused, 0)));
    for (row, (division, multiplicity)) in values.chunks_exact_mut(WIDTH).zip(rows) {
        fill(row, &division, multiplicity);
        note_ranges(row, events);
    }
    Ok(RowMajorMatrix::new(values, WIDTH))
}

/// The limbs of a number below 2^64.
fn limbs(number: u64) -> [F; LIMBS] {
    core::array::from_fn(|i| F::from_u16((number >> (16 * i)) as u16))
}

fn fill(row: &mut [F], division: &Division, multiplicity: u32) {
    let Some((quotient, remainder)) = division.result() else {
        return;
    };
    let Division { a, b, d, is_up } = *division;
    let row = MulDivColumns::of(row);
    write(row.a, limbs(a));
    write(row.b, limbs(b));
    write(row.d, limbs(d));
    write(row.quotient, limbs(quotient));
    write(row.remainder, limbs(remainder));
    write(row.lack, limbs(d - 1 - remainder));
    for (cells, carry) in row.carries.into_iter().zip(carries(division)) {
        let offset = (carry + (1 << 31)) as u64;
        let [low, high, ..] = limbs(offset);
        write(cells, [low, high]);
    }
    *row.up = F::from_bool(is_up);
    *row.multiplicity = F::from_u32(multiplicity);
}

/// What each half of the low 64 bits carries, for a division with a result: the limbs of the two
/// sides differ by less than 2^36, so that all fits.
fn carries(division: &Division) -> [i128; 2] {
    let Division { a, b, d, is_up } = *division;
    let (quotient, remainder) = division.result().unwrap_or_default();
    let limb = |number: u64, i: usize| i128::from((number >> (16 * i)) as u16);
    let part = |k: usize| {
        let products = (0..=k)
            .map(|i| limb(a, i) * limb(b, k - i) - limb(quotient, i) * limb(d, k - i))
            .sum::<i128>();
        let added = i128::from(is_up) * (limb(d, k) - i128::from(k == 0));
        products - limb(remainder, k) + added
    };
    let low = part(0) + (part(1) << 16);
    let carry = low >> 32;
    let above = part(2) + (part(3) << 16) + carry;
    [carry, above >> 32]
}

fn note_ranges(row: &[F], events: &mut LookupEvents) {
    let row = MulDivColumns::of(row);
    // Limbs are written as 16 bits.
    let limb = |value: &F| value.as_canonical_u64() as u16;
    events.range.extend(row.limbs().map(|value| limb(value)));
    let [a, b, d, quotient, remainder, lack] =
        [row.a, row.b, row.d, row.quotient, row.remainder, row.lack]
            .map(|limbs| limb(limbs[LIMBS - 1]));
    let tops = [3 + a + b + d, 4 * quotient, 4 * (remainder + lack)];
    events.range.extend(tops);
}
