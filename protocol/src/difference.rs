//! The differences of records: what a shard publishes of the records that it changes, so that
//! whoever has the state before has the state after.
//!
//! Pairs of elements, by ascending index: a vault that has changed is one pair, [index + 2^32
//! nonce increment, balance]; any other record is [index + 2^48, 0] and its eight elements, five
//! pairs. Two pairs make one compression onto the chain of a head's `data_commitment`; where a
//! shard has an odd number of them, a pair of zeros comes last. No vault that has changed is taken
//! for it: only that at index 0 can look like it, and it comes first in its shard, where a block
//! starts.

use std::collections::BTreeMap;

use p3_field::{PrimeCharacteristicRing, PrimeField64};
use thiserror::Error;

use crate::amount::AMOUNT_LIMIT;
use crate::field::F;
use crate::hash::Digest;
use crate::head::extend_chain;
use crate::record::{Index, RECORD_ELEMENTS, Record};

/// Bits of a nonce's increment in a shard. A vault is signed for by a step at most once, and a shard
/// has fewer than 2^16 steps, so no shard needs to end for it.
const INCREMENT_BITS: u32 = 16;
/// By what the increment is multiplied in the first element of a vault's pair.
pub const INCREMENT: u64 = 1 << u32::BITS;
/// What marks a record that is published whole, in the first element of its first pair.
pub const WHOLE: u64 = 1 << (u32::BITS + INCREMENT_BITS);
/// Elements of a block.
pub const BLOCK: usize = 4;

/// What became of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is a vault as before, of the same asset and owner.
    Vault {
        /// By how much its nonce has grown.
        increment: u16,
        /// Its balance, below 2^62.
        balance: u64,
    },
    /// It was no vault before, and is this now.
    Record(Record),
}

/// Why no difference leads from one record to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ChangeError {
    /// A vault of another kind, asset or owner than before.
    #[error("found a vault that became {found:?}, expected one of the same asset and owner")]
    Vault {
        /// What it became.
        found: Record,
    },
    /// A nonce that has grown by too much.
    #[error("found a nonce that went from {before} to {after}, expected less than 2^16 more")]
    Nonce {
        /// The nonce before.
        before: u64,
        /// The nonce after.
        after: u64,
    },
    /// A balance out of bounds.
    #[error("found a balance of {found}, expected less than 2^62")]
    Balance {
        /// The balance found.
        found: u64,
    },
    /// A difference of a vault where none is.
    #[error("found the difference of a vault for a record that is none: {found:?}")]
    NoVault {
        /// The record before.
        found: Record,
    },
}

impl Change {
    /// Returns what leads from one record to another; `None` if they are equal.
    ///
    /// # Errors
    /// Records of which no rule makes one of the other.
    pub fn between(before: &Record, after: &Record) -> Result<Option<Self>, ChangeError> {
        if before == after {
            return Ok(None);
        }
        let (Record(first), Record(last)) = (before, after);
        let [kind, asset, _, nonce, owner @ ..] = first;
        if !before.is_vault() {
            return Ok(Some(Self::Record(*after)));
        }
        let [new_kind, new_asset, balance, new_nonce, new_owner @ ..] = last;
        if (kind, asset, owner) != (new_kind, new_asset, new_owner) {
            return Err(ChangeError::Vault { found: *after });
        }
        let increment = (*new_nonce - *nonce).as_canonical_u64();
        let increment = increment.try_into().map_err(|_| ChangeError::Nonce {
            before: nonce.as_canonical_u64(),
            after: new_nonce.as_canonical_u64(),
        })?;
        let balance = check_balance(balance.as_canonical_u64())?;
        Ok(Some(Self::Vault { increment, balance }))
    }

    /// Returns the pair that says which record it is: of a vault all, of any other record the mark,
    /// after which its elements come.
    pub fn first_pair(&self, index: Index) -> [F; 2] {
        let index = u64::from(index);
        let pair = match *self {
            Self::Vault { increment, balance } => {
                [index | u64::from(increment) << u32::BITS, balance]
            }
            Self::Record(_) => [index | WHOLE, 0],
        };
        pair.map(F::from_u64)
    }

    /// Returns how many pairs publish the change of a record that is a vault before, or none.
    #[must_use]
    pub const fn pairs(is_vault: bool) -> usize {
        if is_vault { 1 } else { 1 + RECORD_ELEMENTS / 2 }
    }

    /// Returns the record after the change.
    ///
    /// # Errors
    /// The difference of a vault where none is.
    pub fn apply(&self, before: &Record) -> Result<Record, ChangeError> {
        match *self {
            Self::Record(after) => Ok(after),
            Self::Vault { increment, balance } => {
                let [kind, asset, _, nonce, a, b, c, d] = before.0;
                if !before.is_vault() {
                    return Err(ChangeError::NoVault { found: *before });
                }
                let nonce = nonce + F::from_u16(increment);
                let balance = F::from_u64(balance);
                Ok(Record([kind, asset, balance, nonce, a, b, c, d]))
            }
        }
    }
}

/// A record that became what no difference says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the record at index {index} cannot be published: {source}")]
pub struct Unpublishable {
    /// Where it lies.
    pub index: Index,
    /// What is wrong with it.
    pub source: ChangeError,
}

/// Returns what became of some records, each with its index, as before and as after; those that
/// are as before are left out. Of an index that is repeated the last one counts.
///
/// # Errors
/// The first of which no rule makes what it became.
pub fn changes(
    records: impl IntoIterator<Item = (Index, Record, Record)>,
) -> Result<BTreeMap<Index, Change>, Unpublishable> {
    let mut changes = BTreeMap::new();
    for (index, before, after) in records {
        let change = Change::between(&before, &after);
        match change.map_err(|source| Unpublishable { index, source })? {
            Some(change) => changes.insert(index, change),
            None => changes.remove(&index),
        };
    }
    Ok(changes)
}

const fn check_balance(found: u64) -> Result<u64, ChangeError> {
    if found >= AMOUNT_LIMIT {
        return Err(ChangeError::Balance { found });
    }
    Ok(found)
}

/// Returns the elements of a shard's differences: whole blocks.
#[must_use]
pub fn encode(changes: &BTreeMap<Index, Change>) -> Vec<F> {
    let mut elements = Vec::new();
    for (&index, change) in changes {
        elements.extend(change.first_pair(index));
        if let Change::Record(Record(record)) = change {
            elements.extend(record);
        }
    }
    elements.resize(elements.len().next_multiple_of(BLOCK), F::ZERO);
    elements
}

/// Why elements are no differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// A block that is not whole.
    #[error("found {found} elements of differences, expected a multiple of 4")]
    Length {
        /// How many elements there are.
        found: usize,
    },
    /// A first element of something else.
    #[error("element {position} of the differences is {found:#x}, expected an index with a mark")]
    Mark {
        /// Where it is.
        position: usize,
        /// The element found.
        found: u64,
    },
    /// Something beside the mark of a record that is published whole.
    #[error("element {position} of the differences is {found}, expected 0 after a mark of 2^48")]
    AfterMark {
        /// Where it is.
        position: usize,
        /// The element found.
        found: u64,
    },
    /// A record that ends with the elements.
    #[error("found the end of the differences in the record at element {position}")]
    Truncated {
        /// Where the record starts.
        position: usize,
    },
    /// A balance out of bounds.
    #[error("element {position} of the differences is no balance: {source}")]
    Balance {
        /// Where it is.
        position: usize,
        /// What is wrong with it.
        source: ChangeError,
    },
}

/// Returns the differences of one or more shards, one shard after the other, in their order.
///
/// # Errors
/// Elements that [`encode`] gives of no shards.
pub fn decode(elements: &[F]) -> Result<Vec<(Index, Change)>, DecodeError> {
    let found = elements.len();
    if !found.is_multiple_of(BLOCK) {
        return Err(DecodeError::Length { found });
    }
    let mut changes = Vec::new();
    let mut position = 0;
    while let Some(&[first, second]) = elements.get(position..position + 2) {
        let (first, second) = (first.as_canonical_u64(), second.as_canonical_u64());
        // The index is the low half, the mark the rest.
        let (index, mark) = (first as Index, first >> u32::BITS);
        let start = position;
        position += 2;
        if (first, second) == (0, 0) && !start.is_multiple_of(BLOCK) {
            continue;
        }
        if let Ok(increment) = u16::try_from(mark) {
            let balance = check_balance(second).map_err(|source| DecodeError::Balance {
                position: start + 1,
                source,
            })?;
            changes.push((index, Change::Vault { increment, balance }));
        } else if mark == WHOLE >> u32::BITS {
            check_after_mark(start + 1, second)?;
            let rest = elements.get(position..).unwrap_or_default();
            let truncated = DecodeError::Truncated { position: start };
            let record: &[F; RECORD_ELEMENTS] = rest.first_chunk().ok_or(truncated)?;
            changes.push((index, Change::Record(Record(*record))));
            position += RECORD_ELEMENTS;
        } else {
            let (position, found) = (start, first);
            return Err(DecodeError::Mark { position, found });
        }
    }
    Ok(changes)
}

const fn check_after_mark(position: usize, found: u64) -> Result<(), DecodeError> {
    if found != 0 {
        return Err(DecodeError::AfterMark { position, found });
    }
    Ok(())
}

/// Extends the chain of a head's `data_commitment` by the differences of a shard, encoded.
pub fn extend_data(commitment: &Digest, elements: &[F]) -> Digest {
    let (blocks, _) = elements.as_chunks::<BLOCK>();
    blocks.iter().fold(*commitment, |commitment, block| {
        extend_chain(&commitment, block)
    })
}

#[cfg(test)]
mod tests;
