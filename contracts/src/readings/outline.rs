//! Without the state: which records a transaction will touch, and what it hashes first.
//!
//! That neither depends on records is checked when a contract is recorded (`recorded.rs`), so
//! zeros stand for what is read.

use p3_field::{Field, PrimeCharacteristicRing, PrimeField64};
use shardfold_protocol::amount::{AMOUNT_LIMIT, FEE_LIMIT};
use shardfold_protocol::field::F;
use shardfold_protocol::hash::{Digest, Domain, ZERO_DIGEST};
use shardfold_protocol::record::Index;

use crate::machine::{
    Machine, Owner, Part, Reason, Rule, Taken, Use, VaultAccess, VaultReasons, VaultUse,
};

/// What an access does with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Changes it.
    Write,
    /// Changes it, and uses its balance whole.
    Whole,
    /// Leaves it as it is.
    Read,
    /// Adds so much to its balance; zero if it is out of bounds, so that no vault ever gets it.
    Gain(u64),
    /// Adds so much of a fee to its balance, not zero.
    Fee(u64),
}

/// One access of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// Where the record lies.
    pub index: Index,
    /// What is done with it.
    pub mode: Mode,
}

/// A hash that a transaction asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// What it is for.
    pub domain: Domain,
    /// Chain id and message.
    pub message: Vec<F>,
}

/// A rule without the state.
pub struct Outline<'a> {
    words: &'a [F],
    chain_id: F,
    /// The digests of the first hashes that are asked for.
    known: &'a [Digest],
    hashes: usize,
    /// The first hash that is not among them.
    pending: Option<Pending>,
    accesses: &'a mut Vec<Access>,
}

impl<'a> Outline<'a> {
    /// Starts a transaction with this body; accesses are added to the list.
    pub const fn new(
        words: &'a [F],
        chain_id: F,
        known: &'a [Digest],
        accesses: &'a mut Vec<Access>,
    ) -> Self {
        Self {
            words,
            chain_id,
            known,
            hashes: 0,
            pending: None,
            accesses,
        }
    }

    /// Returns the first hash whose digest was not given.
    #[must_use]
    pub fn into_pending(self) -> Option<Pending> {
        self.pending
    }

    fn note(&mut self, index: F, mode: Mode) {
        // Another index is rejected before it is read: see `Run::take`.
        if let Ok(index) = Index::try_from(index.as_canonical_u64()) {
            self.accesses.push(Access { index, mode });
        }
    }
}

fn bounded(amount: F, limit: u64) -> u64 {
    let amount = amount.as_canonical_u64();
    if amount < limit { amount } else { 0 }
}

impl Machine for Outline<'_> {
    type E = F;

    #[inline(always)]
    fn word(&mut self) -> F {
        let Some((&first, rest)) = self.words.split_first() else {
            return F::ZERO;
        };
        self.words = rest;
        first
    }

    fn integer(&mut self, _: u32, _: &'static Reason) -> Rule<F> {
        Ok(self.word())
    }

    fn range(&mut self, _: &F, _: u32, _: &'static Reason) -> Rule<()> {
        Ok(())
    }

    fn equal(&mut self, _: F, _: F, _: &'static Reason) -> Rule<()> {
        Ok(())
    }

    fn nonzero(&mut self, _: F, _: &'static Reason) -> Rule<()> {
        Ok(())
    }

    fn flag(&mut self, _: &F, _: &'static Reason) -> Rule<()> {
        Ok(())
    }

    fn is_zero(&mut self, value: F) -> F {
        F::from_bool(value.is_zero())
    }

    fn at_least(&mut self, a: &F, b: &F, _: u32) -> F {
        F::from_bool(a.as_canonical_u64() >= b.as_canonical_u64())
    }

    fn product(&mut self, a: &F, b: &F) -> F {
        *a * *b
    }

    /// What follows from it is never needed before the state is.
    fn mul_div(&mut self, _: &F, _: &F, _: &F, _: bool, _: &'static Reason) -> Rule<F> {
        Ok(F::ZERO)
    }

    fn sqrt(&mut self, _: &F, _: &F, _: &'static Reason) -> Rule<F> {
        Ok(F::ZERO)
    }

    fn vault(&mut self, access: VaultAccess<F>, _: &'static VaultReasons) -> Rule<[F; 4]> {
        let mode = match access.how {
            VaultUse::Signs(_) | VaultUse::Changes => Mode::Write,
            VaultUse::Gains => Mode::Gain(bounded(access.delta, AMOUNT_LIMIT)),
        };
        self.note(access.index, mode);
        Ok(match access.owner {
            Owner::Any => [F::ZERO; 4],
            Owner::Is(owner) | Owner::Opens(owner) => owner,
        })
    }

    fn take(&mut self, index: &F, how: Use<F>, record: [Part<F>; 8]) -> Rule<(Taken<F>, [F; 8])> {
        let mode = match how {
            Use::Write => Mode::Write,
            Use::Whole => Mode::Whole,
            Use::Gain(amount) => Mode::Gain(bounded(amount, AMOUNT_LIMIT)),
        };
        self.note(*index, mode);
        let found = record.map(|part| match part {
            Part::Any => F::ZERO,
            Part::Is(expected, _) => expected,
        });
        Ok((Taken { index: *index }, found))
    }

    fn write(&mut self, _: Taken<F>, _: [F; 8]) {}

    fn read(&mut self, index: &F, record: [Part<F>; 8]) -> Rule<[F; 8]> {
        self.note(*index, Mode::Read);
        Ok(record.map(|part| match part {
            Part::Any => F::ZERO,
            Part::Is(expected, _) => expected,
        }))
    }

    fn hash(&mut self, domain: Domain, message: &[F]) -> [F; 4] {
        let call = self.hashes;
        self.hashes += 1;
        if let Some(digest) = self.known.get(call) {
            return *digest;
        }
        if self.pending.is_none() {
            let message = [&[self.chain_id], message].concat();
            self.pending = Some(Pending { domain, message });
        }
        ZERO_DIGEST
    }

    fn signed(&mut self, _: &[F; 4], _: &[F; 4]) -> Rule<()> {
        Ok(())
    }

    fn unsigned(&mut self, _: &[F; 4]) {}

    fn queue_position(&mut self) -> F {
        F::ZERO
    }

    fn queued(&mut self, _: &[F; 4]) {}

    fn withdrawn(&mut self, _: &[F; 4], _: F) {}

    fn now(&mut self) -> F {
        F::ZERO
    }

    fn fee(&mut self, _: &F) -> Rule<(F, F)> {
        let (fee, vault) = (self.word(), self.word());
        // A fee out of bounds is rejected; a fee of nothing touches no vault.
        if fee != F::ZERO {
            self.note(vault, Mode::Fee(bounded(fee, FEE_LIMIT)));
        }
        Ok((fee, vault))
    }
}
