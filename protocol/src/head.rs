//! Ledger heads and the statement that a proof makes about two of them.

use core::ops::Range;

use p3_field::{PrimeCharacteristicRing, PrimeField64};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::field::{F, MODULUS};
use crate::hash::{Digest, ZERO_DIGEST, compress};

/// The state of the ledger between two transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Root of the state tree.
    #[serde(with = "crate::text::digest")]
    pub state_root: Digest,
    /// How many transactions led here since genesis.
    #[serde(with = "crate::text::element")]
    pub tx_count: u64,
    /// The time of the last batch, in seconds, below [`TIME_LIMIT`]; 0 at genesis.
    #[serde(with = "crate::text::element")]
    pub time: u64,
    /// How many items were taken from the base chain's queue since genesis.
    #[serde(with = "crate::text::element")]
    pub queue_count: u64,
    /// Hash chain over the items taken from the base chain's queue.
    #[serde(with = "crate::text::digest")]
    pub queue_commitment: Digest,
    /// How many withdrawals the base chain owes since genesis.
    #[serde(with = "crate::text::element")]
    pub withdrawal_count: u64,
    /// Hash chain over the withdrawals owed to the base chain.
    #[serde(with = "crate::text::digest")]
    pub withdrawal_commitment: Digest,
    /// Hash chain over the differences of records.
    #[serde(with = "crate::text::digest")]
    pub data_commitment: Digest,
    /// Hash chain over every transaction in order.
    #[serde(with = "crate::text::digest")]
    pub tx_commitment: Digest,
}

/// Times are below this: 2^40 seconds.
pub const TIME_LIMIT: u64 = 1 << 40;

/// From one head to the next, time moves by less than this: 2^32 seconds.
pub const LEAP_LIMIT: u64 = 1 << 32;

/// A number of a statement that is too large. The elements of a statement with a count or a chain
/// id that is no canonical field element would be those of another statement too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("found a {name} of {found}, expected one below {limit}")]
pub struct OutOfBounds {
    /// Name of the number.
    pub name: &'static str,
    /// The integer found.
    pub found: u64,
    /// It should be below this: the field's modulus, or [`TIME_LIMIT`].
    pub limit: u64,
}

/// Refuses an integer that is not below a limit.
fn check_below(limit: u64, name: &'static str, found: u64) -> Result<(), OutOfBounds> {
    if found >= limit {
        return Err(OutOfBounds { name, found, limit });
    }
    Ok(())
}

/// A time that cannot follow another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TimeError {
    /// A time before that of the head.
    #[error("found time {found}, expected {expected} or later: time does not run back")]
    RunsBack {
        /// The time found.
        found: u64,
        /// The time of the head before.
        expected: u64,
    },
    /// A time too long after that of the head.
    #[error("found time {found}, expected one below {limit}, 2^32 seconds after the head's")]
    Leaps {
        /// The time found.
        found: u64,
        /// It should be below this.
        limit: u64,
    },
    /// A time that no head has.
    #[error("found time {found}, expected one below {TIME_LIMIT}, 2^40 seconds")]
    TooLate {
        /// The time found.
        found: u64,
    },
}

/// Checks that a batch of time `after` may follow a head of time `before`.
///
/// # Errors
/// A time that runs back, leaps, or is out of bounds.
pub const fn check_time(before: u64, after: u64) -> Result<(), TimeError> {
    if after >= TIME_LIMIT {
        return Err(TimeError::TooLate { found: after });
    }
    let (found, limit) = (after, before.saturating_add(LEAP_LIMIT));
    if found < before {
        let expected = before;
        return Err(TimeError::RunsBack { found, expected });
    }
    if found >= limit {
        return Err(TimeError::Leaps { found, limit });
    }
    Ok(())
}

/// What a transaction adds to a head's chains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entries {
    /// Its digest.
    pub transaction: Digest,
    /// The item that it takes from the base chain's queue.
    pub queued: Option<Digest>,
    /// What the base chain owes by it.
    pub withdrawn: Option<Digest>,
}

/// Elements of a head when it is public input of a proof.
pub const HEAD_ELEMENTS: usize = 24;
/// Which of them is the time.
pub const TIME_ELEMENT: usize = 5;
/// Which of them are the commitment to differences.
pub const DATA_ELEMENTS: Range<usize> = 16..20;

impl Head {
    /// Returns the head of a ledger that has seen no transaction.
    #[must_use]
    pub const fn genesis(state_root: Digest) -> Self {
        Self {
            state_root,
            tx_count: 0,
            time: 0,
            queue_count: 0,
            queue_commitment: ZERO_DIGEST,
            withdrawal_count: 0,
            withdrawal_commitment: ZERO_DIGEST,
            data_commitment: ZERO_DIGEST,
            tx_commitment: ZERO_DIGEST,
        }
    }

    /// Extends counts and chains by one transaction of a batch of this time; the state root and the
    /// chain of differences, which move by the shard, stay as they are.
    pub fn extend(&mut self, time: u64, entries: &Entries) {
        self.time = time;
        self.tx_count += 1;
        self.tx_commitment = extend_chain(&self.tx_commitment, &entries.transaction);
        if let Some(item) = &entries.queued {
            self.queue_count += 1;
            self.queue_commitment = extend_chain(&self.queue_commitment, item);
        }
        if let Some(owed) = &entries.withdrawn {
            self.withdrawal_count += 1;
            self.withdrawal_commitment = extend_chain(&self.withdrawal_commitment, owed);
        }
    }

    /// Checks that the counts are canonical field elements and the time is below 2^40.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check(&self) -> Result<(), OutOfBounds> {
        check_below(MODULUS, "transaction count", self.tx_count)?;
        check_below(TIME_LIMIT, "time", self.time)?;
        check_below(MODULUS, "queue count", self.queue_count)?;
        check_below(MODULUS, "withdrawal count", self.withdrawal_count)
    }

    /// Inverts [`elements`](Self::elements).
    pub fn from_elements(elements: &[F; HEAD_ELEMENTS]) -> Self {
        let &[a, b, c, d, tx_count, time, queue_count, ref rest @ ..] = elements;
        let &[e, f, g, h, withdrawal_count, ref rest @ ..] = rest;
        let &[i, j, k, l, m, n, o, p, q, r, s, t] = rest;
        Self {
            state_root: [a, b, c, d],
            tx_count: tx_count.as_canonical_u64(),
            time: time.as_canonical_u64(),
            queue_count: queue_count.as_canonical_u64(),
            queue_commitment: [e, f, g, h],
            withdrawal_count: withdrawal_count.as_canonical_u64(),
            withdrawal_commitment: [i, j, k, l],
            data_commitment: [m, n, o, p],
            tx_commitment: [q, r, s, t],
        }
    }

    /// Returns the head as field elements, in the order of its fields.
    pub fn elements(&self) -> [F; HEAD_ELEMENTS] {
        let mut out = [F::ZERO; HEAD_ELEMENTS];
        out[..4].copy_from_slice(&self.state_root);
        out[4] = F::from_u64(self.tx_count);
        out[TIME_ELEMENT] = F::from_u64(self.time);
        out[6] = F::from_u64(self.queue_count);
        out[7..11].copy_from_slice(&self.queue_commitment);
        out[11] = F::from_u64(self.withdrawal_count);
        out[12..16].copy_from_slice(&self.withdrawal_commitment);
        out[DATA_ELEMENTS].copy_from_slice(&self.data_commitment);
        out[20..].copy_from_slice(&self.tx_commitment);
        out
    }
}

/// Extends one of the hash chains: hashes the commitment so far and the next entry.
pub fn extend_chain(commitment: &Digest, entry: &Digest) -> Digest {
    compress(commitment, entry)
}

/// What a proof says: valid, signed transactions of this chain lead from one head to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// The chain that the transactions are bound to.
    #[serde(with = "crate::text::element")]
    pub chain_id: u64,
    /// The head before the first transaction.
    pub before: Head,
    /// The head after the last transaction.
    pub after: Head,
}

/// Elements of a statement when it is public input of a proof.
pub const STATEMENT_ELEMENTS: usize = 1 + 2 * HEAD_ELEMENTS;

impl Statement {
    /// Checks that chain id and counts are canonical field elements, so that no other statement
    /// has the same elements, and that times are below 2^40.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check(&self) -> Result<(), OutOfBounds> {
        check_below(MODULUS, "chain id", self.chain_id)?;
        self.before.check()?;
        self.after.check()
    }

    /// Returns the statement as field elements: chain id, head before, head after.
    pub fn elements(&self) -> [F; STATEMENT_ELEMENTS] {
        let mut out = [F::ZERO; STATEMENT_ELEMENTS];
        out[0] = F::from_u64(self.chain_id);
        out[1..=HEAD_ELEMENTS].copy_from_slice(&self.before.elements());
        out[1 + HEAD_ELEMENTS..].copy_from_slice(&self.after.elements());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stands_still_or_moves_by_less_than_a_leap() {
        for before in [0, 5, TIME_LIMIT - LEAP_LIMIT] {
            for step in [0, 1, LEAP_LIMIT - 1] {
                assert_eq!(check_time(before, before + step), Ok(()));
            }
            let found = before + LEAP_LIMIT;
            let expected = match found {
                TIME_LIMIT => TimeError::TooLate { found },
                _ => TimeError::Leaps {
                    found,
                    limit: found,
                },
            };
            assert_eq!(check_time(before, found), Err(expected));
        }
        let expected = 7;
        let back = TimeError::RunsBack { found: 6, expected };
        assert_eq!(check_time(7, 6), Err(back));
        let found = u64::MAX;
        assert_eq!(check_time(found, found), Err(TimeError::TooLate { found }));
    }
}
