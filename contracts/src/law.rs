//! What an author writes, and what the readers hold.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::field::F;
use shardfold_protocol::record::Index;
use shardfold_protocol::transaction::{Field, Kind, Transaction};

use crate::machine::{Machine, Rule};
use crate::readings::{Constrain, Expr, Fill, Outline, Run};
use crate::total::Total;

/// How many elements a step hands to the next one.
pub const CARRY: usize = 12;
/// The most steps of a transaction.
pub const MAX_STEPS: usize = 16;

/// What a step hands to the next one.
pub type Carried<E> = [E; CARRY];

/// Returns what a last step hands on.
pub fn nothing<E: PrimeCharacteristicRing>() -> Carried<E> {
    core::array::from_fn(|_| E::ZERO)
}

/// Returns these elements as what a step hands on, with zeros after them.
pub fn carry<E: PrimeCharacteristicRing, const N: usize>(handed: [E; N]) -> Carried<E> {
    const { assert!(N <= CARRY) }
    let mut handed = handed.into_iter();
    core::array::from_fn(|_| handed.next().unwrap_or(E::ZERO))
}

/// One kind of step of a contract: one row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// What reports call it.
    pub name: &'static str,
    /// Whether it starts a transaction; then it never follows another step.
    pub is_first: bool,
    /// Which steps of the contract may follow; none if it ends the transaction.
    pub next: &'static [usize],
}

/// The steps of one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    steps: [u8; MAX_STEPS],
    length: u8,
}

impl Path {
    /// The path of a contract with one step.
    pub const ONE: Self = Self {
        steps: [0; MAX_STEPS],
        length: 1,
    };

    /// Returns the path of these steps; `None` for more than [`MAX_STEPS`].
    #[must_use]
    pub fn new(path: &[usize]) -> Option<Self> {
        let mut steps = [0; MAX_STEPS];
        for (i, &step) in path.iter().enumerate() {
            *steps.get_mut(i)? = u8::try_from(step).ok()?;
        }
        let length = u8::try_from(path.len()).ok()?;
        Some(Self { steps, length })
    }

    /// Returns the steps in order.
    pub fn steps(self) -> impl Iterator<Item = usize> {
        let steps = self.steps.into_iter().take(usize::from(self.length));
        steps.map(usize::from)
    }

    /// Returns how many steps there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.length as usize
    }

    /// Returns whether there is no step.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }
}

/// A contract as its author writes it.
pub trait Law: Send + Sync + 'static {
    /// The name in files and reports.
    fn name(&self) -> &'static str;

    /// Its steps: one for most.
    fn steps(&self) -> &'static [Step] {
        &[Step {
            name: "only",
            is_first: true,
            next: &[],
        }]
    }

    /// The parts of a body that every transaction has, in order: how it is written in JSON. By default
    /// none: all elements are numbers of a list.
    fn fields(&self) -> &'static [Field] {
        &[]
    }

    /// What its transactions move, by name, for people. By default nothing has a name.
    fn totals(&self) -> &'static [Total] {
        &[]
    }

    /// The steps of a transaction whose body has so many elements; `None` if none has. The steps read
    /// as many elements together, which is checked.
    fn path(&self, _words: usize) -> Option<Path> {
        Some(Path::ONE)
    }

    /// The rule of a step, given what the step before handed on (zeros for the first one). Returns
    /// what it hands on.
    ///
    /// # Errors
    /// The first check that fails.
    fn step<M: Machine>(
        &self,
        step: usize,
        m: &mut M,
        carried: Carried<M::E>,
    ) -> Rule<Carried<M::E>>;
}

/// A contract as the readers hold it: the readings of one rule. Each [`Law`] is one.
pub trait Contract: Send + Sync {
    /// See [`Law::name`].
    fn name(&self) -> &'static str;
    /// See [`Law::steps`].
    fn steps(&self) -> &'static [Step];
    /// See [`Law::fields`].
    fn fields(&self) -> &'static [Field];
    /// See [`Law::totals`].
    fn totals(&self) -> &'static [Total];
    /// See [`Law::path`].
    fn path(&self, words: usize) -> Option<Path>;
    /// The step on numbers.
    ///
    /// # Errors
    /// The first check that fails.
    fn run(&self, step: usize, m: &mut Run<'_>, carried: Carried<F>) -> Rule<Carried<F>>;
    /// The step as a row.
    ///
    /// # Errors
    /// The first check that fails.
    fn fill(&self, step: usize, m: &mut Fill<'_, '_>, carried: Carried<F>) -> Rule<Carried<F>>;
    /// The step without the state.
    fn outline(&self, step: usize, m: &mut Outline<'_>, carried: Carried<F>) -> Carried<F>;
    /// The step as constraints.
    ///
    /// # Errors
    /// What the rule itself rejects: in this reading no primitive does.
    fn constrain(
        &self,
        step: usize,
        m: &mut Constrain,
        carried: Carried<Expr>,
    ) -> Rule<Carried<Expr>>;
}

impl<L: Law> Contract for L {
    fn name(&self) -> &'static str {
        Law::name(self)
    }

    fn steps(&self) -> &'static [Step] {
        Law::steps(self)
    }

    fn fields(&self) -> &'static [Field] {
        Law::fields(self)
    }

    fn totals(&self) -> &'static [Total] {
        Law::totals(self)
    }

    fn path(&self, words: usize) -> Option<Path> {
        Law::path(self, words)
    }

    fn run(&self, step: usize, m: &mut Run<'_>, carried: Carried<F>) -> Rule<Carried<F>> {
        self.step(step, m, carried)
    }

    fn fill(&self, step: usize, m: &mut Fill<'_, '_>, carried: Carried<F>) -> Rule<Carried<F>> {
        self.step(step, m, carried)
    }

    fn outline(&self, step: usize, m: &mut Outline<'_>, carried: Carried<F>) -> Carried<F> {
        // Nothing is checked in this reading.
        self.step(step, m, carried).unwrap_or_else(|_| nothing())
    }

    fn constrain(
        &self,
        step: usize,
        m: &mut Constrain,
        carried: Carried<Expr>,
    ) -> Rule<Carried<Expr>> {
        self.step(step, m, carried)
    }
}

/// What a transaction of some contract says, before it is elements.
pub trait Body {
    /// Which contract.
    const KIND: Kind;

    /// Returns the body's elements in the order in which the contract reads them.
    fn words(&self) -> Vec<F>;

    /// Returns the transaction that nobody has signed.
    fn unsigned(&self) -> Transaction {
        Transaction::unsigned(Self::KIND, self.words())
    }
}

/// What the operator earns and where it goes. With no fee the vault is not touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeePayment {
    /// In the asset that the contract says, below 2^46.
    pub amount: u64,
    /// A vault of this asset.
    pub vault: Index,
}
