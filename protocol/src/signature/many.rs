//! Many signatures checked at once.

use rand::SeedableRng;
use rand::rngs::{StdRng, SysRng};
use rayon::prelude::*;

use super::equation::{Equation, hold_each, hold_together};
use super::{PublicKey, Signature, challenge_scalar, under_challenge, under_owner};
use crate::address::Address;
use crate::curve::{LANES, encode_many};
use crate::field::F;
use crate::hash::{Digest, Domain, hash_many};

/// A message and what is claimed to be its signature under a key.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    /// The key.
    pub public_key: PublicKey,
    /// Its exit address.
    pub exit_address: Address,
    /// The message.
    pub message: Digest,
    /// The signature.
    pub signature: Signature,
}

/// What is found out about a [`Claim`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// [`PublicKey::owner`] of the key and its exit address.
    pub owner: Digest,
    /// Whether the signature is valid, as [`PublicKey::verify`] has it.
    pub is_valid: bool,
}

/// The most claims checked with one sum: more would save few additions and leave the cache.
const MOST_PER_SUM: usize = 1 << 14;

/// Claims are not divided into sums of fewer than this for the sake of more threads: smaller
/// sums take more additions a claim, and a sum is worked out on all threads itself.
const LEAST_PER_SUM: usize = 1 << 11;

/// Below this many claims, a sum costs as much as checking each.
const WORTH_A_SUM: usize = 64;

/// A sum that failed is taken apart into this many.
const PARTS: usize = 4;

/// [`PublicKey::verify`] of each claim, on all threads.
///
/// A valid signature is always found valid. A sum with an invalid one passes with probability
/// at most 1/(2^128 - 1), for any choice of claims (see `hold_together`). A claim is in at most
/// five sums, so a given invalid one is found valid with probability at most 5/(2^128 - 1),
/// about 2^-125.7; `docs/security.md` has the bound for whole batches. Membership in the group is
/// always checked point by point, so there are no points of small order to cancel. Where sums
/// fail they are taken apart; where most would fail, each claim is checked alone.
#[must_use]
pub fn verify_many(chain_id: F, claims: &[Claim]) -> Vec<Verdict> {
    claims
        .par_chunks(claims_per_sum(claims.len(), rayon::current_num_threads()))
        .flat_map_iter(|claims| verify_chunk(chain_id, claims))
        .collect()
}

/// How many claims a sum gets: the sums are shared out evenly among the threads, with at most
/// [`MOST_PER_SUM`] claims each and at least [`LEAST_PER_SUM`].
fn claims_per_sum(claims: usize, threads: usize) -> usize {
    let sums = claims.div_ceil(MOST_PER_SUM).next_multiple_of(threads);
    claims.div_ceil(sums.max(1)).max(LEAST_PER_SUM)
}

/// Claims hashed together: what that takes stays in the second-level cache.
const CLAIMS_PER_HASH: usize = 512;

fn verify_chunk(chain_id: F, claims: &[Claim]) -> Vec<Verdict> {
    let (mut verdicts, equations): (Vec<Verdict>, Vec<Option<Equation>>) = claims
        .par_chunks(CLAIMS_PER_HASH)
        .flat_map_iter(|claims| equations(chain_id, claims))
        .unzip();
    let mut possible: Vec<Equation> = Vec::with_capacity(claims.len());
    possible.extend(equations.iter().flatten());
    let mut holds = which_hold(&possible).into_iter();
    for (verdict, equation) in verdicts.iter_mut().zip(&equations) {
        verdict.is_valid = equation.is_some() && holds.next().unwrap_or(false);
    }
    verdicts
}

/// The owner and the equation of each claim; no equation where a point is not in the group.
/// All are called invalid for now.
fn equations(chain_id: F, claims: &[Claim]) -> Vec<(Verdict, Option<Equation>)> {
    let keys: Vec<_> = claims.iter().map(|claim| claim.public_key.0).collect();
    let commitments: Vec<_> = claims.iter().map(|claim| claim.signature.r).collect();
    let (keys, commitments) = (encode_many(&keys), encode_many(&commitments));
    let under_hash = keys.iter().zip(claims);
    let under_hash: Vec<_> = under_hash
        .map(|(key, claim)| under_owner(chain_id, &key.w, &claim.exit_address))
        .collect();
    let owners = hash_many(Domain::Owner, &under_hash);
    let under_hash = |i: usize| {
        let (r, owner, message) = (&commitments[i].w, &owners[i], &claims[i].message);
        under_challenge(chain_id, r, owner, message)
    };
    let under_hash: Vec<_> = (0..claims.len()).map(under_hash).collect();
    let challenges = hash_many(Domain::Challenge, &under_hash);
    let of_claim = |(i, claim): (usize, &Claim)| {
        let verdict = Verdict {
            owner: owners[i],
            is_valid: false,
        };
        let equation = Equation {
            public_key: claim.public_key.0,
            challenge: challenge_scalar(&challenges[i]),
            r: claim.signature.r,
            s: claim.signature.s,
        };
        let is_possible = keys[i].is_in_group && commitments[i].is_in_group;
        (verdict, is_possible.then_some(equation))
    };
    claims.iter().enumerate().map(of_claim).collect()
}

/// Which equations hold.
fn which_hold(equations: &[Equation]) -> Vec<bool> {
    match StdRng::try_from_rng(&mut SysRng) {
        Ok(rng) => {
            let mut search = Search::new(rng, equations.len());
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
    /// How many equations the sums had, all sums together.
    summed: usize,
}

impl Search {
    fn new(rng: StdRng, equations: usize) -> Self {
        Self {
            rng,
            found: Vec::with_capacity(equations),
            wrong: 0,
            summed: 0,
        }
    }

    fn run(&mut self, equations: &[Equation]) {
        if equations.len() < WORTH_A_SUM {
            let found = check_each(equations);
            self.wrong += found.iter().filter(|holds| !**holds).count();
            self.found.extend(found);
        } else if self.is_worth_a_sum(equations.len()) && self.hold_together(equations) {
            self.found.resize(self.found.len() + equations.len(), true);
        } else {
            for part in equations.chunks(equations.len().div_ceil(PARTS)) {
                self.run(part);
            }
        }
    }

    fn hold_together(&mut self, equations: &[Equation]) -> bool {
        self.summed += equations.len();
        hold_together(equations, &mut self.rng)
    }

    /// Whether at most half a wrong equation is to be expected among `count`, judging by those
    /// seen. So a party that plants wrong ones makes few sums fail before each is checked alone.
    fn is_worth_a_sum(&self, count: usize) -> bool {
        2 * self.wrong * count <= self.found.len()
    }
}

#[cfg(test)]
mod tests;
