//! The trace of the polynomial of differences.

use num_bigint::BigUint;
use p3_field::{Field, PrimeCharacteristicRing, PrimeField64};
use p3_matrix::dense::RowMajorMatrix;
use shardfold_protocol::data::{
    Coefficient, Evaluation, GROUP, GROUP_BLOCKS, ORDER, POINT_LIMBS, SPILL_BITS, VALUE_LIMBS,
    coefficients,
};
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Digest;

use super::columns::{CARRIES, DataColumns, WIDTH};
use super::horner::{CARRY_OFFSET, limbs};
use crate::cells::write;
use crate::error::TraceError;
use crate::lookup_events::LookupEvents;

/// A polynomial of differences, evaluated.
#[derive(Debug)]
pub struct Evaluated {
    /// The rows.
    pub trace: RowMajorMatrix<F>,
    /// The commitment to differences after them.
    pub after: Digest,
    /// The polynomial at the point.
    pub evaluation: Evaluation,
}

/// Returns the rows of the polynomial that some differences give, whole blocks, on a chain and at a
/// point; what they ask for is noted in `events`.
///
/// # Errors
/// More differences than the rows have room for.
pub fn generate(
    differences: &[F],
    before: &Digest,
    point: [u64; 2],
    log_height: usize,
    events: &mut LookupEvents,
) -> Result<Evaluated, TraceError> {
    let coefficients = coefficients(differences)?;
    TraceError::check_rows("data", coefficients.len(), log_height)?;
    let (blocks, _) = differences.as_chunks::<4>();
    let mut values = F::zero_vec(WIDTH << log_height);
    let mut chain = *before;
    let mut spilt = 0;
    let mut horner = Horner::new(point);
    for (row, cells) in values.chunks_exact_mut(WIDTH).enumerate() {
        let columns = DataColumns::of(cells);
        let (group, place) = (row / GROUP, row % GROUP);
        let is_spill = place == GROUP_BLOCKS;
        let block = blocks
            .get(group * GROUP_BLOCKS + place)
            .filter(|_| !is_spill);
        *columns.is_spill = F::from_bool(is_spill);
        // The last row of the last group with a block comes after it.
        *columns.is_active = F::from_bool(match is_spill {
            true => (group + 1) * GROUP_BLOCKS < blocks.len(),
            false => block.is_some(),
        });
        *columns.is_real = F::from_bool(block.is_some());
        write(columns.chain, chain);
        *columns.spilt = F::from_u64(spilt);
        let coefficient = coefficients.get(row).copied().unwrap_or_default();
        write_limbs(columns.limbs, limbs(&coefficient), events);
        events.range.push((coefficient[3] >> 48) as u16 * 4);
        write(columns.witness, witness(block, spilt, is_spill));
        if is_spill {
            spilt = 0;
        }
        if let Some(block) = block {
            let top = block[3].as_canonical_u64() >> (u64::BITS - SPILL_BITS);
            write(columns.top, [top & 1, top >> 1].map(F::from_u64));
            spilt |= top << (SPILL_BITS as usize * place);
            let [a, b, c, d] = chain;
            let [e, f, g, h] = *block;
            chain = events.compress(&[a, b, c, d, e, f, g, h]);
        }
        let step = horner.step(&coefficient);
        write_limbs(columns.value, limbs(&step.value), events);
        write_limbs(columns.quotient, step.quotient, events);
        for (i, carry) in step.carries.into_iter().enumerate() {
            let (low, high) = (carry as u16, (carry >> 16) as u16);
            *columns.carry_low[i] = F::from_u16(low);
            *columns.carry_high[i] = F::from_u16(high);
            events.range.extend([low, high]);
        }
    }
    Ok(Evaluated {
        trace: RowMajorMatrix::new(values, WIDTH),
        after: chain,
        evaluation: Evaluation {
            point,
            value: words(&horner.value),
        },
    })
}

fn write_limbs<const N: usize>(cells: [&mut F; N], limbs: [u16; N], events: &mut LookupEvents) {
    events.range.extend(limbs);
    write(cells, limbs.map(F::from_u16));
}

/// What shows that the high halves of a row's elements are not 2^32 - 1; anything where they are.
fn witness(block: Option<&[F; 4]>, spilt: u64, is_spill: bool) -> [F; 4] {
    let elements = match (block, is_spill) {
        (Some(block), _) => block.map(|element| element.as_canonical_u64()),
        (None, true) => [spilt, 0, 0, 0],
        (None, false) => [0; 4],
    };
    elements.map(|element| {
        let rest = u64::from(u32::MAX) - (element >> u32::BITS);
        F::from_u64(rest).try_inverse().unwrap_or_default()
    })
}

/// Horner's rule, coefficient by coefficient.
struct Horner {
    order: BigUint,
    order_limbs: [u16; VALUE_LIMBS],
    point: BigUint,
    point_limbs: [u16; POINT_LIMBS],
    /// Up to the last coefficient.
    value: BigUint,
}

/// One step of it.
struct Step {
    value: [u64; 4],
    quotient: [u16; POINT_LIMBS],
    /// What is handed on, plus the offset.
    carries: [u32; CARRIES],
}

impl Horner {
    fn new(point: [u64; 2]) -> Self {
        Self {
            order: integer(&ORDER),
            order_limbs: limbs(&ORDER),
            point: integer(&point),
            point_limbs: core::array::from_fn(|i| (point[i / 4] >> (16 * (i % 4))) as u16),
            value: BigUint::ZERO,
        }
    }

    fn step(&mut self, coefficient: &Coefficient) -> Step {
        let before = limbs(&words(&self.value));
        let sum = &self.value * &self.point + integer(coefficient);
        let quotient = words(&(&sum / &self.order));
        self.value = sum % &self.order;
        let value = words(&self.value);
        let quotient = core::array::from_fn(|i| limbs(&quotient)[i]);
        let coefficient = limbs(coefficient);
        let carries = self.carries(&before, &coefficient, &quotient, &limbs(&value));
        Step {
            value,
            quotient,
            carries,
        }
    }

    /// The sums of the equation, two limbs at a time.
    fn carries(
        &self,
        before: &[u16; VALUE_LIMBS],
        coefficient: &[u16; VALUE_LIMBS],
        quotient: &[u16; POINT_LIMBS],
        value: &[u16; VALUE_LIMBS],
    ) -> [u32; CARRIES] {
        let mut sums = [0_i64; VALUE_LIMBS + POINT_LIMBS];
        for i in 0..VALUE_LIMBS {
            sums[i] += i64::from(coefficient[i]) - i64::from(value[i]);
            for j in 0..POINT_LIMBS {
                let product = |a: u16, b: u16| i64::from(a) * i64::from(b);
                sums[i + j] += product(before[i], self.point_limbs[j]);
                sums[i + j] -= product(self.order_limbs[i], quotient[j]);
            }
        }
        let mut carry = 0;
        core::array::from_fn(|i| {
            carry = (sums[2 * i] + (sums[2 * i + 1] << 16) + carry) >> 32;
            // Below 2^22: see the module of the constraints.
            (carry + i64::from(CARRY_OFFSET)) as u32
        })
    }
}

fn integer(words: &[u64]) -> BigUint {
    let halves = words
        .iter()
        .flat_map(|&word| [word as u32, (word >> 32) as u32]);
    BigUint::new(halves.collect())
}

/// The words of an integer below 2^256.
fn words(integer: &BigUint) -> [u64; 4] {
    let mut digits = integer.iter_u64_digits();
    core::array::from_fn(|_| digits.next().unwrap_or_default())
}
