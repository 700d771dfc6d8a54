//! Many signatures checked at once.

use rand::SeedableRng;
use rand::rngs::{StdRng, SysRng};
use rayon::prelude::*;

use super::equation::{Equation, hold_each, hold_together};
use super::{PublicKey, Signature, challenge_scalar};
use crate::curve::{Encoding, LANES, elements, encode_many};
use crate::field::F;
use crate::hash::{Digest, Domain, hash_many};

/// A message and what is claimed to be its signature under a key.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    /// The key.
    pub public_key: PublicKey,
    /// The message.
    pub message: Digest,
    /// The signature.
    pub signature: Signature,
}

/// What is found out about a [`Claim`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// [`PublicKey::owner`] of the key.
    pub owner: Digest,
    /// Whether the signature is valid, as [`PublicKey::verify`] has it.
    pub is_valid: bool,
}

/// How many claims are checked with one sum: more would save few additions and leave the cache.
const CLAIMS_PER_SUM: usize = 1 << 14;

/// Below this many claims, a sum costs as much as checking each.
const FEWEST_PER_SUM: usize = 64;

/// A sum that failed is taken apart into this many.
const PARTS: usize = 4;

/// [`PublicKey::verify`] of each claim, on all threads.
///
/// A valid signature is always found valid; the probability that an invalid one is, in spite
/// of whoever chose the claims, is at most 2^-128 for each sum that is checked (see
/// `hold_together`), of which there are fewer than claims. Membership in the group is always
/// checked point by point, so there are no points of small order to cancel. Where sums fail
/// they are taken apart; where most would fail, each claim is checked alone.
#[must_use]
pub fn verify_many(claims: &[Claim]) -> Vec<Verdict> {
    let least = claims.len().div_ceil(CLAIMS_PER_SUM);
    let chunks = least.max(1).next_multiple_of(rayon::current_num_threads());
    let size = claims.len().div_ceil(chunks).max(FEWEST_PER_SUM);
    claims
        .par_chunks(size)
        .flat_map_iter(verify_chunk)
        .collect()
}

fn verify_chunk(claims: &[Claim]) -> Vec<Verdict> {
    let keys: Vec<_> = claims.iter().map(|claim| claim.public_key.0).collect();
    let commitments: Vec<_> = claims.iter().map(|claim| claim.signature.r).collect();
    let (keys, commitments) = (encode_many(&keys), encode_many(&commitments));
    let under_hash: Vec<[F; 5]> = keys.iter().map(|key| elements(&key.w)).collect();
    let owners = hash_many(Domain::Owner, &under_hash);
    let challenges = challenges(claims, &commitments, &owners);

    let is_possible = |i: &usize| keys[*i].is_in_group && commitments[*i].is_in_group;
    let possible: Vec<usize> = (0..claims.len()).filter(is_possible).collect();
    let equations: Vec<Equation> = possible
        .iter()
        .map(|i| Equation {
            public_key: claims[*i].public_key.0,
            challenge: challenges[*i],
            r: claims[*i].signature.r,
            s: claims[*i].signature.s,
        })
        .collect();
    let mut verdicts: Vec<Verdict> = owners
        .into_iter()
        .map(|owner| Verdict {
            owner,
            is_valid: false,
        })
        .collect();
    for (i, holds) in possible.into_iter().zip(which_hold(&equations)) {
        verdicts[i].is_valid = holds;
    }
    verdicts
}

/// The challenge of each claim.
fn challenges(claims: &[Claim], commitments: &[Encoding], owners: &[Digest]) -> Vec<u128> {
    let under_hash: Vec<_> = claims
        .iter()
        .zip(commitments)
        .zip(owners)
        .map(|((claim, r), owner)| super::under_challenge(&r.w, owner, &claim.message))
        .collect();
    let digests = hash_many(Domain::Challenge, &under_hash);
    digests.iter().map(challenge_scalar).collect()
}

/// Which equations hold.
fn which_hold(equations: &[Equation]) -> Vec<bool> {
    match StdRng::try_from_rng(&mut SysRng) {
        Ok(rng) => {
            let found = Vec::with_capacity(equations.len());
            let mut search = Search {
                rng,
                found,
                wrong: 0,
            };
            search.run(equations);
            search.found
        }
        // Without randomness no sum says anything.
        Err(_) => check_each(equations),
    }
}

fn check_each(equations: &[Equation]) -> Vec<bool> {
    equations.chunks(LANES).flat_map(hold_each).collect()
}

/// The search for wrong equations, from the first to the last.
struct Search {
    rng: StdRng,
    /// Which equations hold, of those seen so far.
    found: Vec<bool>,
    /// How many of them do not.
    wrong: usize,
}

impl Search {
    fn run(&mut self, equations: &[Equation]) {
        if equations.len() < FEWEST_PER_SUM {
            let found = check_each(equations);
            self.wrong += found.iter().filter(|holds| !**holds).count();
            self.found.extend(found);
        } else if self.is_worth_a_sum(equations.len()) && hold_together(equations, &mut self.rng) {
            self.found.resize(self.found.len() + equations.len(), true);
        } else {
            for part in equations.chunks(equations.len().div_ceil(PARTS)) {
                self.run(part);
            }
        }
    }

    /// Whether at most one wrong equation is to be expected among `count`, judging by those
    /// seen. So whoever plants wrong ones makes few sums fail before each is checked alone.
    fn is_worth_a_sum(&self, count: usize) -> bool {
        self.wrong * count <= self.found.len()
    }
}

#[cfg(test)]
mod tests;
