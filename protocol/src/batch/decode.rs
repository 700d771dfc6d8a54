//! The binary form of a batch, read on all threads.
//!
//! Name, length of the body and tag alone say where each transaction starts. Points
//! are checked to be in the group many at once, in SIMD lanes. Whatever is wrong with the bytes,
//! [`decode`] only says that something is: the plain decoder then finds out what and where.

use std::sync::atomic::{AtomicBool, Ordering};

use bincode::Options;
use p3_field::PrimeCharacteristicRing;
use rayon::prelude::*;
use serde::Deserialize;

use super::Batch;
use crate::address::{ADDRESS_BYTES, Address};
use crate::curve::{AffinePoint, F5, Scalar, are_in_group};
use crate::field::{F, MODULUS};
use crate::head::Head;
use crate::signature::{PublicKey, Signature};
use crate::transaction::{Authorization, Kind, NAME_BYTES, Transaction};

/// Bytes of a public key, an exit address and a signature.
const AUTHORIZATION_BYTES: usize = 80 + ADDRESS_BYTES + 80 + 40;
/// Bytes of an element.
const WORD_BYTES: usize = 8;
/// How many transactions one task takes: some 100 µs of work.
const TASK: usize = 256;

/// What comes before the transactions.
#[derive(Deserialize)]
struct Start {
    #[serde(with = "crate::text::element")]
    chain_id: u64,
    before: Head,
    #[serde(with = "crate::text::integer")]
    time: u64,
    count: u64,
}

/// The batch that the plain decoder would read, `None` where it would fail.
pub(super) fn decode(payload: &[u8]) -> Option<Batch> {
    let mut rest = payload;
    let options = bincode::DefaultOptions::new().with_fixint_encoding();
    let Start {
        chain_id,
        before,
        time,
        count,
    } = options.deserialize_from(&mut rest).ok()?;
    let spans = spans(rest, count)?;
    let is_valid = AtomicBool::new(true);
    let transactions: Vec<Transaction> = spans
        .par_iter()
        .with_min_len(TASK)
        .map(|&span| {
            let mut fields = Fields::new(span);
            let transaction = fields.transaction();
            if !fields.is_valid || !fields.bytes.is_empty() {
                is_valid.store(false, Ordering::Relaxed);
            }
            transaction
        })
        .collect();
    let points_are_in_group = |transactions: &[Transaction]| {
        let points: Vec<_> = transactions.iter().flat_map(points).collect();
        are_in_group(&points).into_iter().all(|is_in| is_in)
    };
    let is_valid = is_valid.into_inner() && transactions.par_chunks(TASK).all(points_are_in_group);
    is_valid.then_some(Batch {
        chain_id,
        before,
        time,
        transactions,
    })
}

/// The bytes of each transaction; `None` if they are not exactly `count`.
fn spans(mut bytes: &[u8], count: u64) -> Option<Vec<&[u8]>> {
    let mut spans = Vec::new();
    while !bytes.is_empty() {
        let (span, rest) = bytes.split_at_checked(length(bytes)?)?;
        spans.push(span);
        bytes = rest;
    }
    (spans.len() as u64 == count).then_some(spans)
}

/// How long the first transaction of some bytes claims to be.
fn length(bytes: &[u8]) -> Option<usize> {
    let words = bytes.get(NAME_BYTES..)?.first_chunk()?;
    let words = usize::try_from(u64::from_le_bytes(*words)).ok()?;
    let tag_at = words.checked_mul(WORD_BYTES)?.checked_add(NAME_BYTES + 8)?;
    match bytes.get(tag_at)? {
        0 => Some(tag_at + 1),
        1 => Some(tag_at + 1 + AUTHORIZATION_BYTES),
        _ => None,
    }
}

/// The points of a transaction, whose equations hold where they are in the group.
fn points(transaction: &Transaction) -> impl Iterator<Item = AffinePoint> {
    let signed = transaction.authorization.iter();
    signed.flat_map(|signed| [signed.public_key.0, signed.signature.r])
}

/// Reads field after field. Of invalid bytes it makes anything, and notes it.
struct Fields<'a> {
    bytes: &'a [u8],
    is_valid: bool,
}

impl<'a> Fields<'a> {
    const fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            is_valid: true,
        }
    }

    fn transaction(&mut self) -> Transaction {
        let kind = Kind::from_bytes(self.array());
        let count = self.u64();
        let words = (0..count).map(|_| self.element()).collect();
        let authorization = match self.array() {
            [0] => None,
            _ => Some(Authorization {
                public_key: PublicKey(self.point()),
                exit_address: Address(self.array()),
                signature: Signature {
                    r: self.point(),
                    s: self.scalar(),
                },
            }),
        };
        Transaction {
            kind,
            words,
            authorization,
        }
    }

    /// A point that may not be in the group: x and w, of which y = -w x.
    fn point(&mut self) -> AffinePoint {
        let [x, w] = core::array::from_fn(|_| F5::new(core::array::from_fn(|_| self.element())));
        AffinePoint { x, y: -w * x }
    }

    fn scalar(&mut self) -> Scalar {
        let words = core::array::from_fn(|_| self.u64());
        Scalar::from_words(words).unwrap_or_else(|_| {
            self.is_valid = false;
            Scalar::ZERO
        })
    }

    fn element(&mut self) -> F {
        let word = self.u64();
        self.is_valid &= word < MODULUS;
        F::from_u64(word)
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let Some((array, rest)) = self.bytes.split_first_chunk() else {
            self.is_valid = false;
            return [0; N];
        };
        self.bytes = rest;
        *array
    }
}

#[cfg(test)]
mod tests;
