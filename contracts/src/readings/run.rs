//! On numbers: what a transaction does to the records that it reads, or why it is rejected.

use p3_field::{PrimeCharacteristicRing, PrimeField64};
use shardfold_protocol::amount::{AMOUNT_BITS, AMOUNT_LIMIT, FEE_BITS};
use shardfold_protocol::field::F;
use shardfold_protocol::hash::{Digest, Domain, ZERO_DIGEST, hash};
use shardfold_protocol::head::Entries;
use shardfold_protocol::record::{Index, Record};

use super::division::{Division, root};
use crate::machine::{
    Machine, Owner, Part, Reason, Reject, Rule, Taken, Use, VaultAccess, VaultReasons, VaultUse,
    reasons,
};

/// How many digests of a transaction are prepared at most; a rule with more computes the others.
pub const PREPARED: usize = 2;

/// What is the same for all transactions of a batch, but for the queue's count.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// The chain that transactions are bound to.
    pub chain_id: F,
    /// The time of the batch, in seconds.
    pub time: u64,
    /// Items taken from the base chain's queue before the transaction.
    pub queue_count: u64,
}

/// Who authorises a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authority {
    /// The owner digest of the transaction's key; zero for one that nobody signs.
    pub owner: Digest,
    /// Whether this key signed the transaction.
    pub has_signed: bool,
}

impl Authority {
    /// Of a transaction that nobody signs.
    pub const NONE: Self = Self {
        owner: ZERO_DIGEST,
        has_signed: false,
    };
}

/// What is known of a transaction before the state is: its first hashes, and who signed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// The first digests that its rule asks for, zeros where it asks for fewer.
    pub digests: [Digest; PREPARED],
    /// Who signed it.
    pub authority: Authority,
}

/// A fee that a transaction pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeePaid {
    /// The vault that earns it.
    pub vault: Index,
    /// Of which asset.
    pub asset: F,
    /// How much, not zero.
    pub amount: u64,
}

/// What a valid transaction does. The fee is apart: it may be added at once or later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// The records that it writes, the fee vault's apart.
    pub writes: Vec<(Index, Record)>,
    /// The indices that it takes, written or not.
    pub taken: Vec<Index>,
    /// The fee, if it pays one.
    pub fee: Option<FeePaid>,
    /// What enters the head's chains.
    pub entries: Entries,
}

impl Effect {
    /// Forgets everything, but keeps the memory.
    pub fn clear(&mut self) {
        self.writes.clear();
        self.taken.clear();
        self.fee = None;
        self.entries = Entries::default();
    }
}

/// A rule on numbers.
pub struct Run<'a> {
    words: &'a [F],
    context: &'a Context,
    /// Of the transaction; its digests come from here as far as they are prepared.
    prepared: &'a Prepared,
    prepared_count: usize,
    hashes: usize,
    read: &'a dyn Fn(Index) -> Record,
    effect: &'a mut Effect,
    /// Whether a failed check is passed over: for tests of what constraints refuse.
    is_lenient: bool,
}

impl<'a> Run<'a> {
    /// Starts a transaction with this body; `effect` is empty, `prepared_count` of the prepared
    /// digests are known, and `read` gives records as they are.
    pub fn new(
        words: &'a [F],
        context: &'a Context,
        (prepared, prepared_count): (&'a Prepared, usize),
        read: &'a dyn Fn(Index) -> Record,
        effect: &'a mut Effect,
    ) -> Self {
        Self {
            words,
            context,
            prepared,
            prepared_count: prepared_count.min(PREPARED),
            hashes: 0,
            read,
            effect,
            is_lenient: false,
        }
    }

    /// Goes on after checks that fail.
    pub const fn make_lenient(&mut self) {
        self.is_lenient = true;
    }

    pub(super) const fn chain_id(&self) -> F {
        self.context.chain_id
    }

    #[inline(always)]
    fn check(&self, holds: bool, reason: &'static Reason, found: F, expected: F) -> Rule<()> {
        if holds || self.is_lenient {
            Ok(())
        } else {
            Err(Reject {
                reason,
                found,
                expected,
            })
        }
    }

    /// Takes a record that this transaction has not taken yet.
    #[inline(always)]
    fn take_once(&mut self, index: &F) -> Rule<[F; 8]> {
        let at = Index::try_from(index.as_canonical_u64());
        self.check(at.is_ok(), &reasons::INDEX, *index, F::ZERO)?;
        let at = at.unwrap_or_default();
        let is_new = !self.effect.taken.contains(&at);
        self.check(is_new, &reasons::TWICE, *index, F::ZERO)?;
        self.effect.taken.push(at);
        Ok((self.read)(at).0)
    }

    /// Changes the balance of a vault; returns its owner and the record as it was taken.
    #[inline(always)]
    pub(super) fn access_vault(
        &mut self,
        access: &VaultAccess<F>,
        otherwise: &'static VaultReasons,
    ) -> Rule<([F; 4], [F; 8])> {
        let found = self.take_once(&access.index)?;
        let [kind, asset, balance, nonce, its_owner @ ..] = found;
        let may_open = matches!(access.owner, Owner::Opens(_));
        let signs = matches!(access.how, VaultUse::Signs(_));
        let is_vault = kind == F::ONE;
        let is_opened = Record(found).is_empty() && may_open && !signs;
        self.check(is_vault || is_opened, otherwise.kind, kind, F::ONE)?;
        let holds = is_opened || asset == access.asset;
        self.check(holds, otherwise.asset, asset, access.asset)?;
        let owner = match access.owner {
            Owner::Any => its_owner,
            Owner::Is(owner) | Owner::Opens(owner) => owner,
        };
        for (found, wanted) in its_owner.iter().zip(&owner) {
            let holds = is_opened || found == wanted;
            self.check(holds, otherwise.owner, *found, *wanted)?;
        }
        let mut new_nonce = nonce;
        if let VaultUse::Signs(wanted) = access.how {
            self.check(nonce == wanted, otherwise.nonce, nonce, wanted)?;
            new_nonce += F::ONE;
        }
        let sum = balance + access.delta;
        self.range(&sum, AMOUNT_BITS, otherwise.balance)?;
        let [o0, o1, o2, o3] = owner;
        let written = [F::ONE, access.asset, sum, new_nonce, o0, o1, o2, o3];
        self.write(
            Taken {
                index: access.index,
            },
            written,
        );
        Ok((owner, found))
    }

    /// The digest that the transaction's chain takes.
    #[inline(always)]
    fn commit(&mut self, digest: &[F; 4]) {
        self.effect.entries.transaction = *digest;
    }
}

impl Machine for Run<'_> {
    type E = F;

    #[inline(always)]
    fn word(&mut self) -> F {
        // Bodies have the length of their path: this is never short.
        let Some((&first, rest)) = self.words.split_first() else {
            return F::ZERO;
        };
        self.words = rest;
        first
    }

    #[inline(always)]
    fn integer(&mut self, bits: u32, otherwise: &'static Reason) -> Rule<F> {
        let value = self.word();
        self.range(&value, bits, otherwise)?;
        Ok(value)
    }

    #[inline(always)]
    fn range(&mut self, value: &F, bits: u32, otherwise: &'static Reason) -> Rule<()> {
        let holds = value.as_canonical_u64() >> bits == 0;
        self.check(holds, otherwise, *value, F::from_u64(1 << bits))
    }

    #[inline(always)]
    fn equal(&mut self, found: F, expected: F, otherwise: &'static Reason) -> Rule<()> {
        self.check(found == expected, otherwise, found, expected)
    }

    #[inline(always)]
    fn nonzero(&mut self, value: F, otherwise: &'static Reason) -> Rule<()> {
        self.check(value != F::ZERO, otherwise, value, F::ONE)
    }

    #[inline(always)]
    fn flag(&mut self, value: &F, otherwise: &'static Reason) -> Rule<()> {
        let holds = value.as_canonical_u64() < 2;
        self.check(holds, otherwise, *value, F::ONE)
    }

    #[inline(always)]
    fn is_zero(&mut self, value: F) -> F {
        F::from_bool(value == F::ZERO)
    }

    #[inline(always)]
    fn at_least(&mut self, a: &F, b: &F, _bits: u32) -> F {
        F::from_bool(a.as_canonical_u64() >= b.as_canonical_u64())
    }

    #[inline(always)]
    fn product(&mut self, a: &F, b: &F) -> F {
        *a * *b
    }

    #[inline(always)]
    fn mul_div(
        &mut self,
        a: &F,
        b: &F,
        d: &F,
        round_up: bool,
        otherwise: &'static Reason,
    ) -> Rule<F> {
        let result = Division::of(a, b, d, round_up).result();
        let limit = F::from_u64(AMOUNT_LIMIT);
        self.check(result.is_some(), otherwise, *d, limit)?;
        Ok(result.map_or(F::ZERO, |(quotient, _)| F::from_u64(quotient)))
    }

    #[inline(always)]
    fn sqrt(&mut self, a: &F, b: &F, otherwise: &'static Reason) -> Rule<F> {
        let root = root(a, b);
        // It is zero where a factor is.
        let above = self.mul_div(a, b, &root, false, otherwise);
        above.map(|_| root)
    }

    #[inline(always)]
    fn vault(&mut self, access: VaultAccess<F>, otherwise: &'static VaultReasons) -> Rule<[F; 4]> {
        Ok(self.access_vault(&access, otherwise)?.0)
    }

    #[inline(always)]
    fn take(&mut self, index: &F, _how: Use<F>, record: [Part<F>; 8]) -> Rule<(Taken<F>, [F; 8])> {
        let mut found = self.take_once(index)?;
        for (part, found) in record.iter().zip(&mut found) {
            if let Part::Is(expected, reason) = part {
                self.check(found == expected, reason, *found, *expected)?;
                // The same but after a check that was passed over.
                *found = *expected;
            }
        }
        Ok((Taken { index: *index }, found))
    }

    #[inline(always)]
    fn write(&mut self, taken: Taken<F>, record: [F; 8]) {
        let index = Index::try_from(taken.index.as_canonical_u64()).unwrap_or_default();
        self.effect.writes.push((index, Record(record)));
    }

    #[inline(always)]
    fn read(&mut self, index: &F, record: [Part<F>; 8]) -> Rule<[F; 8]> {
        Ok(self.take(index, Use::Write, record)?.1)
    }

    #[inline(always)]
    fn hash(&mut self, domain: Domain, message: &[F]) -> [F; 4] {
        let call = self.hashes;
        self.hashes += 1;
        if call < self.prepared_count {
            return self.prepared.digests[call];
        }
        hash(domain, &[&[self.context.chain_id], message].concat())
    }

    #[inline(always)]
    fn signed(&mut self, owner: &[F; 4], digest: &[F; 4]) -> Rule<()> {
        let Authority {
            owner: signer,
            has_signed,
        } = self.prepared.authority;
        self.check(signer == *owner, &reasons::OWNER, signer[0], owner[0])?;
        self.check(has_signed, &reasons::SIGNATURE, F::ZERO, F::ONE)?;
        self.commit(digest);
        Ok(())
    }

    #[inline(always)]
    fn unsigned(&mut self, digest: &[F; 4]) {
        self.commit(digest);
    }

    #[inline(always)]
    fn queue_position(&mut self) -> F {
        F::from_u64(self.context.queue_count)
    }

    #[inline(always)]
    fn queued(&mut self, item: &[F; 4]) {
        self.effect.entries.queued = Some(*item);
    }

    #[inline(always)]
    fn withdrawn(&mut self, owed: &[F; 4], is_owed: F) {
        if is_owed == F::ONE {
            self.effect.entries.withdrawn = Some(*owed);
        }
    }

    #[inline(always)]
    fn now(&mut self) -> F {
        F::from_u64(self.context.time)
    }

    #[inline(always)]
    fn fee(&mut self, asset: &F) -> Rule<(F, F)> {
        let fee = self.integer(FEE_BITS, &reasons::FEE)?;
        let vault = self.word();
        if fee != F::ZERO {
            let at = Index::try_from(vault.as_canonical_u64());
            self.check(at.is_ok(), &reasons::INDEX, vault, F::ZERO)?;
            self.effect.fee = Some(FeePaid {
                vault: at.unwrap_or_default(),
                asset: *asset,
                amount: fee.as_canonical_u64(),
            });
        }
        Ok((fee, vault))
    }
}
