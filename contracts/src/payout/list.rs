//! The list of a payout: a chain of hashes from its end.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::{Digest, Domain, ZERO_DIGEST, hash};
use shardfold_protocol::record::Index;
use shardfold_protocol::transaction::word;

use crate::machine::Machine;

/// Who is paid how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The receiver's vault, which exists.
    pub to: Index,
    /// How much it gets, below 2^62.
    pub amount: u64,
}

/// Returns the digest of each rest of a list: of all entries first, of none (zeros) last.
#[must_use]
pub fn list_of(chain_id: F, entries: &[Entry]) -> Vec<Digest> {
    let mut rests = vec![ZERO_DIGEST];
    let mut rest = ZERO_DIGEST;
    for entry in entries.iter().rev() {
        let [a, b, c, d] = rest;
        let message = [
            chain_id,
            a,
            b,
            c,
            d,
            F::from_u32(entry.to),
            word(entry.amount),
        ];
        rest = hash(Domain::PayoutEntry, &message);
        rests.push(rest);
    }
    rests.reverse();
    rests
}

/// The digest of a list with one entry more in front.
#[inline(always)]
pub(super) fn prepend<M: Machine>(
    m: &mut M,
    rest: [M::E; 4],
    to: &M::E,
    amount: &M::E,
) -> [M::E; 4] {
    let [a, b, c, d] = rest;
    m.hash(
        Domain::PayoutEntry,
        &[a, b, c, d, to.clone(), amount.clone()],
    )
}
