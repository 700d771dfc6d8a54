//! The list of contracts, and the table that holds them.

mod error;
mod facts;
mod fees;
mod standard;

pub use error::SetError;
pub use facts::Cost;
pub use standard::standard;

use std::sync::Arc;

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::{Digest, ZERO_DIGEST, hash};
use shardfold_protocol::record::{Index, Record};
use shardfold_protocol::signature::Account;
use shardfold_protocol::transaction::{Form, Kind, Transaction, form};

use self::facts::Facts;
use self::fees::check_fee;
use crate::law::{Body, CARRY, Contract, Law, MAX_STEPS, Path, nothing};
use crate::layout::{Layout, MAX_COLUMNS};
use crate::machine::{Reject, Rule, reasons};
use crate::readings::Bus;
use crate::readings::{Access, Context, Effect, Outline, PREPARED, Pending, Prepared, Run};
use crate::recorded::{MAX_ACCESSES, RecordedStep, record};

/// Room enough to count cells in: each cell has a column of its own.
const ROOMY: Layout = Layout {
    selectors: 0,
    carried: CARRY,
    limbs: 1 << 16,
    shorts: 1 << 16,
    free: 1 << 16,
};

/// A list of contracts: what a binary executes and proves. Another list makes other circuits.
#[derive(Clone)]
pub struct Contracts {
    list: Vec<Arc<dyn Contract>>,
    kinds: Vec<Kind>,
    steps: Vec<RecordedStep>,
    /// The first step of each contract.
    first_steps: Vec<usize>,
    /// The paths of each contract, by the elements of a body.
    paths: Vec<Vec<(Path, Facts)>>,
    layout: Layout,
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
            kinds: vec![],
            steps: vec![],
            first_steps: vec![],
            paths: vec![],
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
    pub fn with(self, law: impl Law) -> Result<Self, SetError> {
        self.followed_by(law)?.laid_out()
    }

    /// [`Self::with`] without a table, which [`Self::laid_out`] makes for all: of many contracts each
    /// is then recorded for one table, not for that of each list on the way.
    fn followed_by(mut self, law: impl Law) -> Result<Self, SetError> {
        let name = Law::name(&law);
        if self.list.iter().any(|other| other.name() == name) {
            return Err(SetError::Name { name });
        }
        let kind = Kind::named(name).ok_or(SetError::NoName { name })?;
        self.list.push(Arc::new(law));
        self.kinds.push(kind);
        Ok(self)
    }

    /// Returns the list with its table; now its bodies are known by name.
    fn laid_out(mut self) -> Result<Self, SetError> {
        self.lay_out()?;
        for (number, (law, &kind)) in self.list.iter().zip(&self.kinds).enumerate() {
            let mut own = self.steps.iter().filter(|step| step.contract == number);
            form::register(Form {
                kind,
                fields: law.fields(),
                is_signed: own.any(|step| step.does.signs),
            });
        }
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
        self.paths = (0..self.list.len())
            .map(|number| self.paths_of(number))
            .collect();
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

    /// Returns whether a step speaks on a bus: a table that serves no step is left out.
    #[must_use]
    pub fn speaks(&self, bus: Bus) -> bool {
        self.steps.iter().any(|step| step.count(bus) > 0)
    }

    /// Returns the contracts in order.
    pub fn list(&self) -> impl Iterator<Item = &dyn Contract> {
        self.list.iter().map(|law| &**law)
    }

    /// Returns the number of a kind in the list.
    fn number_of(&self, kind: Kind) -> Option<usize> {
        self.kinds.iter().position(|known| *known == kind)
    }

    /// Returns the contract of a transaction, the number in the table of its contract's first step,
    /// and the steps that it takes.
    ///
    /// # Errors
    /// A kind that is not in the list, or a body of a length that the kind does not have.
    pub fn path(&self, transaction: &Transaction) -> Rule<Plan<'_>> {
        self.plan(self.number(transaction)?, &transaction.words)
    }

    /// Returns the number of a transaction's contract in the list.
    ///
    /// # Errors
    /// A kind that is not in the list.
    pub fn number(&self, transaction: &Transaction) -> Rule<usize> {
        let number = self.number_of(transaction.kind);
        number.ok_or(Reject {
            reason: &reasons::KIND,
            found: F::ZERO,
            expected: F::ZERO,
        })
    }

    /// Returns what a contract, by its number, does with a body.
    ///
    /// # Errors
    /// A body of a length that the kind does not have.
    pub fn plan(&self, number: usize, words: &[F]) -> Rule<Plan<'_>> {
        let malformed = Reject {
            reason: &reasons::BODY,
            found: F::from_usize(words.len()),
            expected: F::ZERO,
        };
        let law = &**self.list.get(number).ok_or(malformed)?;
        let first = self.first_steps[number];
        let mut paths = self.paths[number].iter();
        let &(path, facts) = paths
            .find(|(_, facts)| facts.words == words.len())
            .ok_or(malformed)?;
        Ok(Plan {
            law,
            first,
            path,
            facts,
        })
    }

    /// The paths of a contract's bodies, of all lengths that there can be.
    fn paths_of(&self, number: usize) -> Vec<(Path, Facts)> {
        let law = &*self.list[number];
        let own = self.steps.iter().filter(|step| step.contract == number);
        let longest = own.map(|step| step.words).max().unwrap_or(0) * MAX_STEPS;
        let path = |words| {
            let path = law.path(words)?;
            Some((path, self.facts_of(number, path, words)?))
        };
        (0..=longest).filter_map(path).collect()
    }

    /// What these steps do; `None` if they are not the contract's, do not follow each other, do not
    /// read the whole body, or access too many records.
    fn facts_of(&self, number: usize, path: Path, words: usize) -> Option<Facts> {
        let mut previous: Option<&RecordedStep> = None;
        let mut steps = vec![];
        for step in path.steps() {
            let step = self.steps.get(self.first_steps[number] + step)?;
            let follows = match previous {
                None => step.step.is_first,
                Some(previous) => previous.step.next.contains(&step.number),
            };
            if step.contract != number || !follows {
                return None;
            }
            steps.push(step);
            previous = Some(step);
        }
        let facts = Facts::of(steps.into_iter());
        let ends = previous.is_some_and(|last| last.next.is_empty());
        let fits = facts.words == words && facts.accesses <= MAX_ACCESSES;
        (ends && fits).then_some(facts)
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

    /// Returns what a transaction takes of a shape, its records apart.
    #[must_use]
    pub fn cost(&self, transaction: &Transaction) -> Cost {
        let plan = self.path(transaction);
        plan.map_or(Cost::default(), |plan| plan.facts.cost)
    }

    /// Returns whether a transaction takes an item from the queue.
    #[must_use]
    pub fn queues(&self, transaction: &Transaction) -> bool {
        let plan = self.path(transaction);
        plan.is_ok_and(|plan| plan.facts.queues)
    }

    /// Adds what a transaction will touch, fee vault included, to a list.
    pub fn accesses(&self, transaction: &Transaction, accesses: &mut Vec<Access>) {
        self.outline(transaction, F::ZERO, &[], accesses);
    }

    /// Returns the indices of all records that these transactions may touch, in their order.
    #[must_use]
    pub fn indices(&self, transactions: &[Transaction]) -> Vec<Index> {
        let mut accesses = vec![];
        for transaction in transactions {
            self.accesses(transaction, &mut accesses);
        }
        accesses.iter().map(|access| access.index).collect()
    }

    fn outline(
        &self,
        transaction: &Transaction,
        chain_id: F,
        known: &[Digest],
        accesses: &mut Vec<Access>,
    ) -> Option<Pending> {
        let Plan { law, path, .. } = self.path(transaction).ok()?;
        let mut m = Outline::new(&transaction.words, chain_id, known, accesses);
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
        let Facts { pure, signed, .. } = self.path(transaction).ok()?.facts;
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

    /// Returns the transaction of a body, signed by an account; not signed if its kind is not.
    pub fn sign<B: Body>(&self, account: &Account, chain_id: F, body: &B) -> Transaction {
        let mut transaction = body.unsigned();
        if self.signed_digest(&transaction).is_some() {
            let message = self.message_to_sign(&transaction, chain_id);
            let signature = account.sign(chain_id, &message);
            transaction.authorization = Some(account.authorization(signature));
        }
        transaction
    }

    /// Returns which of a transaction's digests is signed, if one is.
    #[must_use]
    pub fn signed_digest(&self, transaction: &Transaction) -> Option<usize> {
        self.path(transaction).ok()?.facts.signed
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
        let plan = self.path(transaction)?;
        let Plan {
            law, path, facts, ..
        } = plan;
        let known = (prepared, facts.pure);
        let mut m = Run::new(&transaction.words, context, known, read, effect);
        let mut carried = nothing();
        for step in path.steps() {
            carried = law.run(step, &mut m, carried)?;
        }
        check_fee(effect, read)
    }
}

/// What a transaction's contract does with it.
pub struct Plan<'a> {
    /// The contract.
    pub law: &'a dyn Contract,
    /// The number in the table of the contract's first step.
    pub first: usize,
    /// Its steps, by their numbers within the contract.
    pub path: Path,
    facts: Facts,
}
