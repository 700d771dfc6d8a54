//! The list of contracts, and the table that holds them.

use std::sync::{Arc, LazyLock};

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::amount::AMOUNT_LIMIT;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::{Digest, ZERO_DIGEST, hash};
use shardfold_protocol::record::{Index, KIND_VAULT, Record};
use shardfold_protocol::signature::SIGNATURE_PERMUTATIONS;
use shardfold_protocol::transaction::Transaction;
use thiserror::Error;

use crate::deposit::Deposit;
use crate::law::{CARRY, Contract, Law, Path, nothing};
use crate::layout::Layout;
use crate::machine::{Reject, Rule, reasons};
use crate::readings::{
    Access, Bus, Context, Effect, FeePaid, Outline, PREPARED, Pending, Prepared, Run,
};
use crate::recorded::{Fault, MAX_ACCESSES, RecordedStep, record};
use crate::transfer::Transfer;
use crate::withdraw::Withdraw;

/// The most columns of a table: what the recursion has room for (`docs/security.md`).
pub const MAX_COLUMNS: usize = 320;

/// Room enough to count cells in: each cell has a column of its own.
const ROOMY: Layout = Layout {
    selectors: 0,
    carried: CARRY,
    limbs: 1 << 16,
    shorts: 1 << 16,
    free: 1 << 16,
};

/// A list of contracts that makes no table.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SetError {
    /// A contract that breaks a rule of rules.
    #[error("contract `{contract}`: {fault}")]
    Contract {
        /// Its name.
        contract: &'static str,
        /// What it does.
        fault: Fault,
    },
    /// Two contracts of one name.
    #[error("found two contracts named `{name}`")]
    Name {
        /// The name.
        name: &'static str,
    },
    /// A contract with which the table is too wide.
    #[error(
        "contract `{contract}` needs a table of {found} columns, expected at most {MAX_COLUMNS}"
    )]
    Columns {
        /// Its name.
        contract: &'static str,
        /// The columns of the table with it.
        found: usize,
    },
    /// A contract that touches too much.
    #[error(
        "contract `{contract}` has {found} accesses in a step, expected at most {MAX_ACCESSES} in a transaction"
    )]
    Accesses {
        /// Its name.
        contract: &'static str,
        /// How many.
        found: usize,
    },
}

/// What one transaction takes of a shape, its records apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Rows of the transaction table.
    pub steps: usize,
    /// Signatures.
    pub signatures: usize,
    /// Permutations.
    pub permutations: usize,
}

impl core::ops::Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            steps: self.steps + other.steps,
            signatures: self.signatures + other.signatures,
            permutations: self.permutations + other.permutations,
        }
    }
}

/// A list of contracts: what a binary executes and proves. Another list makes other circuits.
#[derive(Clone)]
pub struct Contracts {
    list: Vec<Arc<dyn Contract>>,
    steps: Vec<RecordedStep>,
    /// The first step of each contract.
    first_steps: Vec<usize>,
    layout: Layout,
}

static STANDARD: LazyLock<Contracts> = LazyLock::new(|| {
    let none = Contracts::none();
    let standard = none
        .with(Transfer)
        .and_then(|set| set.with(Deposit))
        .and_then(|set| set.with(Withdraw));
    standard.expect("a test makes the standard list")
});

/// Returns the contracts of the standard build.
#[must_use]
pub fn standard() -> &'static Contracts {
    &STANDARD
}

impl core::fmt::Debug for Contracts {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let names: Vec<_> = self.list.iter().map(|law| law.name()).collect();
        f.debug_tuple("Contracts").field(&names).finish()
    }
}

impl Contracts {
    /// Returns the empty list.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            list: vec![],
            steps: vec![],
            first_steps: vec![],
            layout: Layout {
                selectors: 0,
                carried: 0,
                limbs: 0,
                shorts: 0,
                free: 0,
            },
        }
    }

    /// Returns the list with one contract more, at its end.
    ///
    /// # Errors
    /// The contract breaks a rule of rules, or does not fit the table.
    pub fn with(mut self, law: impl Law) -> Result<Self, SetError> {
        let name = Law::name(&law);
        if self.list.iter().any(|other| other.name() == name) {
            return Err(SetError::Name { name });
        }
        self.list.push(Arc::new(law));
        self.lay_out()?;
        Ok(self)
    }

    /// Records all contracts, first to count their cells, then in their places.
    fn lay_out(&mut self) -> Result<(), SetError> {
        let counted = self.record(ROOMY)?;
        let most = |of: fn(&RecordedStep) -> usize| counted.iter().map(of).max().unwrap_or(0);
        let has_followers = counted.iter().any(|step| !step.step.is_first);
        self.layout = Layout {
            selectors: counted.len(),
            carried: if has_followers { CARRY } else { 0 },
            limbs: most(|step| step.used.0),
            shorts: most(|step| step.used.1),
            free: most(|step| step.used.2),
        };
        let contract = self.list.last().map_or("", |law| law.name());
        let found = self.layout.width();
        if found > MAX_COLUMNS {
            return Err(SetError::Columns { contract, found });
        }
        let accesses = counted.iter().map(|step| step.accesses + 1);
        if let Some(found) = accesses.max().filter(|&found| found > MAX_ACCESSES) {
            return Err(SetError::Accesses { contract, found });
        }
        self.steps = self.record(self.layout)?;
        Ok(())
    }

    fn record(&mut self, layout: Layout) -> Result<Vec<RecordedStep>, SetError> {
        let mut steps = vec![];
        self.first_steps.clear();
        for (number, law) in self.list.iter().enumerate() {
            let contract = law.name();
            self.first_steps.push(steps.len());
            let recorded = record(number, steps.len(), &**law, layout)
                .map_err(|fault| SetError::Contract { contract, fault })?;
            steps.extend(recorded);
        }
        Ok(steps)
    }

    /// Returns the regions of the table.
    #[must_use]
    pub const fn layout(&self) -> Layout {
        self.layout
    }

    /// Returns the steps of all contracts, in the order of the table's selectors.
    #[must_use]
    pub fn steps(&self) -> &[RecordedStep] {
        &self.steps
    }

    /// Returns the contracts in order.
    pub fn list(&self) -> impl Iterator<Item = &dyn Contract> {
        self.list.iter().map(|law| &**law)
    }

    /// Returns the contract of a transaction, and its steps by their numbers in the table.
    ///
    /// # Errors
    /// A kind that is not in the list, or a body of a length that the kind does not have.
    pub fn path(&self, transaction: &Transaction, words: &[F]) -> Rule<(&dyn Contract, Path)> {
        self.path_of(transaction.contract(), words)
    }

    /// Returns a contract, and the steps of a transaction of it, by their numbers within it.
    ///
    /// # Errors
    /// As [`Self::path`].
    pub fn path_of(&self, number: usize, words: &[F]) -> Rule<(&dyn Contract, Path)> {
        let malformed = Reject {
            reason: &reasons::BODY,
            found: F::from_usize(words.len()),
            expected: F::ZERO,
        };
        let law = self.list.get(number).ok_or(malformed)?;
        let path = law.path(words.len()).ok_or(malformed)?;
        let first = self.first_steps[number];
        let is_well_formed = {
            let mut read = 0;
            let mut previous: Option<&RecordedStep> = None;
            let follows = path.steps().all(|step| {
                let step = self
                    .steps
                    .get(first + step)
                    .filter(|s| s.contract == number);
                let follows = step.is_some_and(|step| match previous {
                    None => step.step.is_first,
                    Some(previous) => previous.step.next.contains(&step.number),
                });
                read += step.map_or(0, |step| step.words);
                previous = step;
                follows
            });
            follows && previous.is_some_and(|last| last.next.is_empty()) && read == words.len()
        };
        if is_well_formed {
            Ok((&**law, path))
        } else {
            Err(malformed)
        }
    }

    /// Returns the number in the table of a contract's first step.
    #[must_use]
    pub fn first_step(&self, contract: usize) -> usize {
        self.first_steps[contract]
    }

    /// Returns the list with its recorded steps changed: for tests of what misses what is gone.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn with_steps(mut self, change: impl FnOnce(&mut [RecordedStep])) -> Self {
        change(&mut self.steps);
        self
    }

    fn steps_of(
        &self,
        transaction: &Transaction,
        path: Path,
    ) -> impl Iterator<Item = &RecordedStep> {
        let first = self.first_steps[transaction.contract()];
        path.steps().map(move |step| &self.steps[first + step])
    }

    /// Returns what a transaction takes of a shape, its records apart.
    #[must_use]
    pub fn cost(&self, transaction: &Transaction) -> Cost {
        let words = transaction.words();
        let mut cost = Cost::default();
        let Ok((_, path)) = self.path(transaction, &words) else {
            return cost;
        };
        for step in self.steps_of(transaction, path) {
            cost.steps += 1;
            cost.permutations += step.count(Bus::Hash);
            if step.does.signs {
                cost.signatures += 1;
                cost.permutations += SIGNATURE_PERMUTATIONS;
            }
        }
        cost
    }

    /// Returns whether transactions of this kind take an item from the queue.
    #[must_use]
    pub fn queues(&self, transaction: &Transaction) -> bool {
        let number = transaction.contract();
        let mut steps = self.steps.iter().filter(|step| step.contract == number);
        steps.any(|step| step.does.queues)
    }

    /// How many of a transaction's digests follow from its body, counted from the first, and which
    /// of them is signed.
    fn pure_digests(&self, transaction: &Transaction, path: Path) -> (usize, Option<usize>) {
        let (mut pure, mut hashes, mut signed) = (0, 0, None);
        for step in self.steps_of(transaction, path) {
            signed = signed.or(step.signed_hash.map(|hash| hashes + hash));
            for &is_pure in &step.pure_hashes {
                if is_pure && pure == hashes {
                    pure += 1;
                }
                hashes += 1;
            }
        }
        (pure, signed)
    }

    /// Adds what a transaction will touch, fee vault included, to a list.
    pub fn accesses(&self, transaction: &Transaction, accesses: &mut Vec<Access>) {
        self.outline(transaction, F::ZERO, &[], accesses);
    }

    fn outline(
        &self,
        transaction: &Transaction,
        chain_id: F,
        known: &[Digest],
        accesses: &mut Vec<Access>,
    ) -> Option<Pending> {
        let words = transaction.words();
        let (law, path) = self.path(transaction, &words).ok()?;
        let mut m = Outline::new(&words, chain_id, known, accesses);
        let mut carried = nothing();
        for step in path.steps() {
            carried = law.outline(step, &mut m, carried);
        }
        m.into_pending()
    }

    /// Returns the hash that a transaction asks for after the known ones, if it follows from the
    /// body alone, and whether the last known one is what must be signed.
    #[must_use]
    pub fn next_hash(
        &self,
        transaction: &Transaction,
        chain_id: F,
        known: &[Digest],
    ) -> Option<Pending> {
        let words = transaction.words();
        let (_, path) = self.path(transaction, &words).ok()?;
        let (pure, signed) = self.pure_digests(transaction, path);
        let wanted = signed
            .map_or(0, |signed| signed + 1)
            .max(PREPARED)
            .min(pure);
        if known.len() >= wanted {
            return None;
        }
        self.outline(transaction, chain_id, known, &mut Vec::new())
    }

    /// Returns what a signature of the transaction must sign; zeros for a kind that is not signed.
    pub fn message_to_sign(&self, transaction: &Transaction, chain_id: F) -> Digest {
        let mut digests = vec![];
        while let Some(Pending { domain, message }) =
            self.next_hash(transaction, chain_id, &digests)
        {
            digests.push(hash(domain, &message));
        }
        let signed = self.signed_digest(transaction);
        let digest = signed.and_then(|signed| digests.get(signed).copied());
        digest.unwrap_or(ZERO_DIGEST)
    }

    /// Returns which of a transaction's digests is signed, if one is.
    #[must_use]
    pub fn signed_digest(&self, transaction: &Transaction) -> Option<usize> {
        let (_, path) = self.path(transaction, &transaction.words()).ok()?;
        self.pure_digests(transaction, path).1
    }

    /// Runs a transaction on the records that `read` gives; what it does is left in `effect`.
    ///
    /// # Errors
    /// The first check that fails; `effect` then holds nothing of use.
    pub fn run(
        &self,
        transaction: &Transaction,
        prepared: &Prepared,
        context: &Context,
        read: &dyn Fn(Index) -> Record,
        effect: &mut Effect,
    ) -> Rule<()> {
        effect.clear();
        let words = transaction.words();
        let (law, path) = self.path(transaction, &words)?;
        let (pure, _) = self.pure_digests(transaction, path);
        let mut m = Run::new(&words, context, (prepared, pure), read, effect);
        let mut carried = nothing();
        for step in path.steps() {
            carried = law.run(step, &mut m, carried)?;
        }
        check_fee(effect, read)
    }
}

/// The fee vault can take the fee, as it stands after the transaction's writes.
fn check_fee(effect: &Effect, read: &dyn Fn(Index) -> Record) -> Rule<()> {
    let Some(FeePaid {
        vault,
        asset,
        amount,
    }) = effect.fee
    else {
        return Ok(());
    };
    let written = effect.writes.iter().find(|(index, _)| *index == vault);
    let record = written.map_or_else(|| read(vault), |(_, record)| *record);
    let [kind, its_asset, balance, ..] = record.0;
    let fail = |reason, found, expected| {
        Err(Reject {
            reason,
            found,
            expected,
        })
    };
    if kind != F::from_u64(KIND_VAULT) {
        let index = F::from_u32(vault);
        return fail(&reasons::FEE_VAULT_MISSING, index, F::ONE);
    }
    if its_asset != asset {
        return fail(&reasons::FEE_VAULT_ASSET, its_asset, asset);
    }
    let sum = balance + F::from_u64(amount);
    if p3_field::PrimeField64::as_canonical_u64(&sum) >= AMOUNT_LIMIT {
        return fail(&reasons::FEE_VAULT_BALANCE, sum, F::from_u64(AMOUNT_LIMIT));
    }
    Ok(())
}
