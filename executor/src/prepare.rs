//! What can be known of a transaction without the state: its hashes and who signed it. This
//! is nearly all of an executor's work, and all of it can be done in parallel.

use rayon::prelude::*;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::{Digest, ZERO_DIGEST};
use shardfold_protocol::signature::{Claim, Verdict, verify_many};
use shardfold_protocol::transaction::{Digests, Signed, Transaction, digests_of};

/// Who authorises a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authority {
    /// The owner digest of the public key; zero for a deposit, which has none.
    pub owner: Digest,
    /// Whether this key signed the transaction.
    pub has_signed: bool,
}

impl Authority {
    /// Of a deposit: the base chain's queue authorises it.
    pub const NONE: Self = Self {
        owner: ZERO_DIGEST,
        has_signed: false,
    };
}

impl From<Verdict> for Authority {
    fn from(verdict: Verdict) -> Self {
        Self {
            owner: verdict.owner,
            has_signed: verdict.is_valid,
        }
    }
}

/// What the rules need of a transaction besides its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// Its hashes.
    pub digests: Digests,
    /// Who signed it.
    pub authority: Authority,
}

/// Hashes one transaction and checks its signature.
#[must_use]
pub fn prepare(transaction: &Transaction, chain_id: F) -> Prepared {
    let digests = transaction.digests(chain_id);
    Prepared {
        digests,
        authority: authority(transaction, &digests),
    }
}

/// Transactions prepared together: as many signatures as one sum takes, and what is held in
/// between stays small.
const TRANSACTIONS_PER_CHUNK: usize = 1 << 14;

/// Transactions hashed together: what that takes stays in the second-level cache.
const TRANSACTIONS_PER_TASK: usize = 512;

/// [`prepare`] for each transaction, on all threads, with the signatures checked together
/// ([`verify_many`]).
#[must_use]
pub fn prepare_all(transactions: &[Transaction], chain_id: F) -> Vec<Prepared> {
    transactions
        .par_chunks(TRANSACTIONS_PER_CHUNK)
        .flat_map_iter(|transactions| prepare_chunk(transactions, chain_id))
        .collect()
}

fn prepare_chunk(transactions: &[Transaction], chain_id: F) -> Vec<Prepared> {
    let hash = |transactions: &[Transaction]| -> Vec<(Digests, Option<Claim>)> {
        let digests = digests_of(transactions, chain_id).into_iter();
        let pairs = transactions.iter().zip(digests);
        pairs
            .map(|(transaction, digests)| (digests, claim(transaction, &digests.transaction)))
            .collect()
    };
    let (digests, claims): (Vec<Digests>, Vec<Option<Claim>>) = transactions
        .par_chunks(TRANSACTIONS_PER_TASK)
        .flat_map_iter(hash)
        .unzip();
    let signed: Vec<Claim> = claims.iter().flatten().copied().collect();
    let mut verdicts = verify_many(&signed).into_iter();
    let prepared = |(digests, claim): (Digests, &Option<Claim>)| Prepared {
        digests,
        authority: claim
            .and_then(|_| verdicts.next())
            .map_or(Authority::NONE, Authority::from),
    };
    digests.into_iter().zip(&claims).map(prepared).collect()
}

/// What a transaction claims to be signed by; `None` of a deposit, which is not signed.
fn claim(transaction: &Transaction, message: &Digest) -> Option<Claim> {
    let (public_key, signature) = match transaction {
        Transaction::Transfer(signed) => (signed.public_key, signed.signature),
        Transaction::Deposit(_) => return None,
        Transaction::Withdraw(signed) => (signed.public_key, signed.signature),
    };
    Some(Claim {
        public_key,
        message: *message,
        signature,
    })
}

fn authority(transaction: &Transaction, digests: &Digests) -> Authority {
    match transaction {
        Transaction::Transfer(signed) => signer(signed, &digests.transaction),
        Transaction::Deposit(_) => Authority::NONE,
        Transaction::Withdraw(signed) => signer(signed, &digests.transaction),
    }
}

fn signer<T>(signed: &Signed<T>, digest: &Digest) -> Authority {
    Authority {
        owner: signed.public_key.owner(),
        has_signed: signed.public_key.verify(digest, &signed.signature),
    }
}
