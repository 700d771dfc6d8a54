//! The differences of a batch as the coefficients of one polynomial over the scalar field of
//! BLS12-381, which a base chain holds against what was published: in blobs or in calldata.
//!
//! A block of four elements has 256 bits, a coefficient [`COEFFICIENT_BITS`] of them: so that each
//! is below the order of that field, and is the number that it seems to be.
//! Coefficients come in groups of [`GROUP`]. The first [`GROUP_BLOCKS`] are blocks without their two
//! top bits, the last one has these bits, those of the first block lowest.
//! Coefficient `j` stands at `x^(COEFFICIENTS - 1 - j)`; what is not there is zero.

use p3_field::{PrimeCharacteristicRing, PrimeField64};
use thiserror::Error;

use crate::field::{F, canonical};
use crate::hash::Digest;
use crate::head::{STATEMENT_ELEMENTS, Statement, extend_chain};

/// Bits of a coefficient: the order of the field is a little less than 2^255.
pub const COEFFICIENT_BITS: u32 = 254;
/// Coefficients of a group.
pub const GROUP: usize = 32;
/// Blocks of a group.
pub const GROUP_BLOCKS: usize = GROUP - 1;
/// log2 of [`COEFFICIENTS`].
pub const LOG_COEFFICIENTS: usize = 15;
/// Coefficients of the polynomial: those of eight blobs.
pub const COEFFICIENTS: usize = 1 << LOG_COEFFICIENTS;
/// The most blocks of differences that one settlement publishes.
pub const MOST_BLOCKS: usize = COEFFICIENTS / GROUP * GROUP_BLOCKS;
/// Elements of a block.
const BLOCK: usize = 4;
/// Bits of a word of a coefficient.
const WORD_BITS: u32 = u64::BITS;
/// Bits of the top word that a coefficient has.
const TOP_BITS: u32 = COEFFICIENT_BITS - 3 * WORD_BITS;
/// Bits of the top word that it has not.
pub const SPILL_BITS: u32 = WORD_BITS - TOP_BITS;

/// The order of the field: four words, the lowest first.
pub const ORDER: [u64; 4] = [
    0xffff_ffff_0000_0001,
    0x53bd_a402_fffe_5bfe,
    0x3339_d808_09a1_d805,
    0x73ed_a753_299d_7d48,
];
/// Limbs of 16 bits of an element of the field.
pub const VALUE_LIMBS: usize = 16;
/// Limbs of 16 bits of a point.
pub const POINT_LIMBS: usize = 8;

/// An integer below 2^254: four words, the lowest first.
pub type Coefficient = [u64; 4];

/// More differences than one settlement publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "found {found} blocks of differences, expected at most {MOST_BLOCKS}: settle fewer \
     transactions at a time"
)]
pub struct TooMuchData {
    /// How many blocks there are.
    pub found: usize,
}

/// Returns the coefficients of some differences, whole groups.
///
/// # Errors
/// More than [`MOST_BLOCKS`] blocks.
pub fn coefficients(differences: &[F]) -> Result<Vec<Coefficient>, TooMuchData> {
    let (blocks, _) = differences.as_chunks::<BLOCK>();
    if blocks.len() > MOST_BLOCKS {
        let found = blocks.len();
        return Err(TooMuchData { found });
    }
    let groups = blocks.chunks(GROUP_BLOCKS).map(group);
    Ok(groups.flatten().collect())
}

/// The coefficients of a group, of which blocks may be missing at the end.
fn group(blocks: &[[F; BLOCK]]) -> [Coefficient; GROUP] {
    let mut coefficients = [Coefficient::default(); GROUP];
    let mut spilt = 0;
    for (i, (block, coefficient)) in blocks.iter().zip(&mut coefficients).enumerate() {
        let [a, b, c, d] = block.map(|element| element.as_canonical_u64());
        *coefficient = [a, b, c, d & ((1 << TOP_BITS) - 1)];
        spilt |= d >> TOP_BITS << (SPILL_BITS * i as u32);
    }
    coefficients[GROUP_BLOCKS] = [spilt, 0, 0, 0];
    coefficients
}

/// Why coefficients are not those of differences.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DataError {
    /// More coefficients than the polynomial has.
    #[error("found {found} coefficients, expected at most {COEFFICIENTS}")]
    Length {
        /// How many there are.
        found: usize,
    },
    /// A coefficient that is no block, and not the top bits of blocks.
    #[error("coefficient {position} is {}, which differences do not have", hex(.found))]
    Coefficient {
        /// Which one.
        position: usize,
        /// What is there.
        found: Coefficient,
    },
    /// Differences that lead elsewhere.
    #[error("the data do not lead from the data commitment before the batch to the one after it")]
    Chain,
}

fn hex(words: &Coefficient) -> String {
    let [a, b, c, d] = words;
    format!("{d:#x}{c:016x}{b:016x}{a:016x}")
}

/// Returns the differences of which these are the coefficients, and which lead from one
/// `data_commitment` to another. Coefficients that are zero may be missing at the end.
///
/// # Errors
/// Coefficients of no differences, or of others.
pub fn differences(
    coefficients: &[Coefficient],
    before: &Digest,
    after: &Digest,
) -> Result<Vec<F>, DataError> {
    let found = coefficients.len();
    if found > COEFFICIENTS {
        return Err(DataError::Length { found });
    }
    let groups = coefficients.chunks(GROUP).enumerate();
    let blocks: Vec<[F; BLOCK]> = groups
        .map(|(i, group)| blocks(i * GROUP, group))
        .collect::<Result<Vec<_>, _>>()?
        .concat();
    // What says how many blocks there are is the chain: the last of them may be zeros too.
    let zero = [F::ZERO; BLOCK];
    let least = blocks.iter().rposition(|block| *block != zero);
    let least = least.map_or(0, |last| last + 1);
    let mut chain = *before;
    for block in &blocks[..least] {
        chain = extend_chain(&chain, block);
    }
    for count in least..=MOST_BLOCKS {
        if chain == *after {
            let mut elements = blocks[..least].concat();
            elements.resize(BLOCK * count, F::ZERO);
            return Ok(elements);
        }
        chain = extend_chain(&chain, &zero);
    }
    Err(DataError::Chain)
}

/// The blocks of a group whose first coefficient is the `start`-th.
fn blocks(start: usize, group: &[Coefficient]) -> Result<Vec<[F; BLOCK]>, DataError> {
    let wrong = |i: usize| DataError::Coefficient {
        position: start + i,
        found: group[i],
    };
    let spilt = match group.get(GROUP_BLOCKS) {
        Some(&[spilt, 0, 0, 0]) if spilt >> (SPILL_BITS * GROUP_BLOCKS as u32) == 0 => spilt,
        Some(_) => return Err(wrong(GROUP_BLOCKS)),
        None => 0,
    };
    let blocks = group.iter().take(GROUP_BLOCKS).enumerate();
    blocks
        .map(|(i, &[a, b, c, d])| {
            if d >> TOP_BITS != 0 {
                return Err(wrong(i));
            }
            let top = spilt >> (SPILL_BITS * i as u32) & ((1 << SPILL_BITS) - 1);
            let [a, b, c, d] = [a, b, c, d | top << TOP_BITS].map(canonical);
            let block = || Some([a?, b?, c?, d?]);
            block().ok_or_else(|| wrong(i))
        })
        .collect()
}

/// Elements of an [`Evaluation`].
pub const EVALUATION_ELEMENTS: usize = 2 + VALUE_ELEMENTS;
/// Elements of an evaluation's value.
const VALUE_ELEMENTS: usize = 8;
/// What each word of a point is below: twice as much could be p or more.
pub const POINT_LIMIT: u64 = 1 << 63;

/// The polynomial of a batch's differences at one point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evaluation {
    /// `x = point 0 + 2^64 point 1`, both below [`POINT_LIMIT`].
    pub point: [u64; 2],
    /// The value: four words, the lowest first, below the order of the scalar field.
    pub value: [u64; 4],
}

impl Evaluation {
    /// Returns it as elements: the point, and the halves of the value's words, the lowest first.
    pub fn elements(&self) -> [F; EVALUATION_ELEMENTS] {
        let [a, b] = self.point;
        let mut elements = [F::ZERO; EVALUATION_ELEMENTS];
        let halves = self.value.into_iter().flat_map(|word| {
            let low = word & u64::from(u32::MAX);
            [low, word >> u32::BITS]
        });
        for (element, word) in elements.iter_mut().zip([a, b].into_iter().chain(halves)) {
            *element = F::from_u64(word);
        }
        elements
    }

    /// Inverts [`elements`](Self::elements); `None` if a half of a word has more than 32 bits.
    #[must_use]
    pub fn from_elements(elements: &[F; EVALUATION_ELEMENTS]) -> Option<Self> {
        let [a, b, halves @ ..] = elements.map(|element| element.as_canonical_u64());
        let mut value = [0; 4];
        for (word, &[low, high]) in value.iter_mut().zip(halves.as_chunks().0) {
            let (low, high) = (u32::try_from(low).ok()?, u32::try_from(high).ok()?);
            *word = u64::from(low) | u64::from(high) << u32::BITS;
        }
        let point = [a, b];
        Some(Self { point, value })
    }
}

/// Elements of a [`DataStatement`].
pub const DATA_STATEMENT_ELEMENTS: usize = 8 + EVALUATION_ELEMENTS;

/// What a proof of data says: differences that lead from one data commitment to another are, as a
/// polynomial, so much at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataStatement {
    /// The commitment to differences before them.
    pub before: Digest,
    /// The commitment after them.
    pub after: Digest,
    /// The polynomial at the point.
    pub evaluation: Evaluation,
}

impl DataStatement {
    /// Returns it as elements: both commitments, then the evaluation.
    pub fn elements(&self) -> [F; DATA_STATEMENT_ELEMENTS] {
        let mut elements = [F::ZERO; DATA_STATEMENT_ELEMENTS];
        let ends = self.before.into_iter().chain(self.after);
        for (element, value) in elements
            .iter_mut()
            .zip(ends.chain(self.evaluation.elements()))
        {
            *element = value;
        }
        elements
    }
}

/// Elements of a [`Settlement`].
pub const SETTLEMENT_ELEMENTS: usize = STATEMENT_ELEMENTS + EVALUATION_ELEMENTS;

/// What a settlement proof says: what the validity proof says, and what the polynomial of the
/// differences between its two heads is at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// What the validity proof says.
    pub statement: Statement,
    /// The polynomial of the differences at the point that the base chain chose.
    pub evaluation: Evaluation,
}

impl Settlement {
    /// Returns it as elements: the statement, then the evaluation.
    pub fn elements(&self) -> [F; SETTLEMENT_ELEMENTS] {
        let (statement, evaluation) = (self.statement.elements(), self.evaluation.elements());
        let mut elements = [F::ZERO; SETTLEMENT_ELEMENTS];
        for (element, value) in elements
            .iter_mut()
            .zip(statement.into_iter().chain(evaluation))
        {
            *element = value;
        }
        elements
    }
}

#[cfg(test)]
mod tests;
