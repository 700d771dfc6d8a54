//! What can be known of a transaction without the state: its hashes and who signed it. This
//! is nearly all of an executor's work, and all of it can be done in parallel.

use rayon::prelude::*;
use shardfold_protocol::address::Address;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::{Digest, ZERO_DIGEST};
use shardfold_protocol::signature::{Claim, PublicKey, Signature, Verdict, verify_many};
use shardfold_protocol::transaction::{Digests, Transaction, digests_of};

/// Who authorises a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authority {
    /// The owner digest of public key and exit address; zero for a deposit, which has none.
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

/// Hashes one transaction and checks its signature, alone.
#[must_use]
pub fn prepare(transaction: &Transaction, chain_id: F) -> Prepared {
    let digests = transaction.digests(chain_id);
    let of_signer = |(key, exit, signature): (&PublicKey, &Address, &Signature)| Authority {
        owner: key.owner(chain_id, exit),
        has_signed: key.verify(chain_id, exit, &digests.transaction, signature),
    };
    Prepared {
        digests,
        authority: transaction.signed_by().map_or(Authority::NONE, of_signer),
    }
}

/// Transactions hashed together: what that takes stays in the second-level cache.
const TRANSACTIONS_PER_TASK: usize = 512;

/// [`prepare`] for each transaction, on all threads, with the signatures checked together
/// ([`verify_many`]).
#[must_use]
pub fn prepare_all(transactions: &[Transaction], chain_id: F) -> Vec<Prepared> {
    let (digests, claims): (Vec<Digests>, Vec<Option<Claim>>) = transactions
        .par_chunks(TRANSACTIONS_PER_TASK)
        .flat_map_iter(|transactions| {
            let digests = digests_of(transactions, chain_id).into_iter();
            let pairs = transactions.iter().zip(digests);
            pairs.map(|(transaction, digests)| (digests, claim(transaction, &digests.transaction)))
        })
        .unzip();
    let signed: Vec<Claim> = claims.iter().flatten().copied().collect();
    let mut verdicts = verify_many(chain_id, &signed).into_iter();
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
    let (public_key, exit_address, signature) = transaction.signed_by()?;
    Some(Claim {
        public_key: *public_key,
        exit_address: *exit_address,
        message: *message,
        signature: *signature,
    })
}
