//! What can be known of a transaction without the state: its hashes and who signed it. This
//! is nearly all of an executor's work, and all of it can be done in parallel.

use rayon::prelude::*;
use shardfold_contracts::Contracts;
use shardfold_contracts::readings::{Authority, PREPARED, Pending, Prepared};
use shardfold_protocol::field::F;
use shardfold_protocol::hash::{Digest, ZERO_DIGEST, hash, hash_all};
use shardfold_protocol::signature::{Claim, Verdict, verify_many};
use shardfold_protocol::transaction::Transaction;

/// Hashes one transaction and checks its signature, alone.
#[must_use]
pub fn prepare(contracts: &Contracts, transaction: &Transaction, chain_id: F) -> Prepared {
    let mut digests = vec![];
    while let Some(Pending { domain, message }) =
        contracts.next_hash(transaction, chain_id, &digests)
    {
        digests.push(hash(domain, &message));
    }
    let authority = claim(contracts, transaction, &digests).map_or(Authority::NONE, |claim| {
        let (key, exit) = (&claim.public_key, &claim.exit_address);
        Authority {
            owner: key.owner(chain_id, exit),
            has_signed: key.verify(chain_id, exit, &claim.message, &claim.signature),
        }
    });
    prepared(&digests, authority)
}

/// Transactions hashed together: what that takes stays in the second-level cache.
const TRANSACTIONS_PER_TASK: usize = 512;

/// [`prepare`] for each transaction, on all threads, with the signatures checked together
/// ([`verify_many`]).
#[must_use]
pub fn prepare_all(
    contracts: &Contracts,
    transactions: &[Transaction],
    chain_id: F,
) -> Vec<Prepared> {
    let (digests, claims): (Vec<Vec<Digest>>, Vec<Option<Claim>>) = transactions
        .par_chunks(TRANSACTIONS_PER_TASK)
        .flat_map_iter(|transactions| {
            let digests = digests_of(contracts, transactions, chain_id).into_iter();
            let pairs = transactions.iter().zip(digests);
            pairs.map(|(transaction, digests)| {
                let claim = claim(contracts, transaction, &digests);
                (digests, claim)
            })
        })
        .unzip();
    let signed: Vec<Claim> = claims.iter().flatten().copied().collect();
    let mut verdicts = verify_many(chain_id, &signed).into_iter();
    let all = digests.iter().zip(&claims);
    let all = all.map(|(digests, claim)| {
        let verdict = claim.and_then(|_| verdicts.next());
        prepared(digests, verdict.map_or(Authority::NONE, authority))
    });
    all.collect()
}

/// What is known of a transaction whose signature will be found to hold or not.
#[must_use]
pub fn prepared(digests: &[Digest], authority: Authority) -> Prepared {
    let digest = |i| digests.get(i).copied().unwrap_or(ZERO_DIGEST);
    Prepared {
        digests: core::array::from_fn::<_, PREPARED, _>(digest),
        authority,
    }
}

fn authority(verdict: Verdict) -> Authority {
    Authority {
        owner: verdict.owner,
        has_signed: verdict.is_valid,
    }
}

/// The digests of each transaction that follow from its body, as far as they are wanted: pass
/// after pass, those of one length together in the lanes of SIMD registers.
#[must_use]
pub fn digests_of(
    contracts: &Contracts,
    transactions: &[Transaction],
    chain_id: F,
) -> Vec<Vec<Digest>> {
    let mut digests: Vec<Vec<Digest>> = vec![vec![]; transactions.len()];
    let mut open: Vec<usize> = (0..transactions.len()).collect();
    while !open.is_empty() {
        let mut pending: Vec<(usize, Pending)> = vec![];
        for &position in &open {
            let known = &digests[position];
            let next = contracts.next_hash(&transactions[position], chain_id, known);
            pending.extend(next.map(|next| (position, next)));
        }
        open = pending.iter().map(|(position, _)| *position).collect();
        pending.sort_by_key(|(_, next)| next.message.len());
        for group in pending.chunk_by(|(_, a), (_, b)| a.message.len() == b.message.len()) {
            let messages = group
                .iter()
                .map(|(_, next)| (next.domain, &next.message[..]));
            let messages: Vec<_> = messages.collect();
            let hashed = hash_all(messages[0].1.len(), &messages);
            for ((position, _), digest) in group.iter().zip(hashed) {
                digests[*position].push(digest);
            }
        }
    }
    digests
}

/// What a transaction claims to be signed by; `None` of one that is not signed.
fn claim(contracts: &Contracts, transaction: &Transaction, digests: &[Digest]) -> Option<Claim> {
    let authorization = transaction.authorization?;
    let message = digests.get(contracts.signed_digest(transaction)?)?;
    Some(Claim {
        public_key: authorization.public_key,
        exit_address: authorization.exit_address,
        message: *message,
        signature: authorization.signature,
    })
}
