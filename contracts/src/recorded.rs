//! A contract recorded: the constraints of each step as data, and what can be said of them once
//! and for all.

use p3_air::symbolic::{BaseEntry, BaseLeaf, SymbolicExpr};
use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::signature::SIGNATURE_PERMUTATIONS;
use thiserror::Error;

use crate::law::{Carried, Contract, Step};
use crate::layout::{Cursor, Layout};
use crate::machine::Reason;
use crate::readings::{Bus, Constrain, Expr, Message};
use bound::check_bound;

mod bound;
#[cfg(test)]
mod tests;

/// The most accesses of one transaction, fees included.
pub const MAX_ACCESSES: usize = 16;

/// One kind of step of the table.
#[derive(Clone, Debug)]
pub struct RecordedStep {
    /// Which contract of the list it belongs to.
    pub contract: usize,
    /// Its number within the contract.
    pub number: usize,
    /// The step as its author declares it.
    pub step: Step,
    /// Which steps of the table may follow; none if it ends the transaction.
    pub next: Vec<usize>,
    /// Each is zero on a row of this step.
    pub zeros: Vec<Expr>,
    /// What a row of this step says.
    pub messages: Vec<Message>,
    /// What it hands to the next step.
    pub carried: Carried<Expr>,
    /// How many elements of the body it reads.
    pub words: usize,
    /// What it does besides.
    pub does: Does,
    /// Limbs, short limbs and free cells.
    pub used: (usize, usize, usize),
    /// What its checks say if they fail.
    pub reasons: Vec<&'static Reason>,
    /// For each hash that it asks for, whether it needs no record.
    pub pure_hashes: Vec<bool>,
    /// Which of its hashes is signed.
    pub signed_hash: Option<usize>,
    /// Records that it takes, the fee vault apart.
    pub accesses: usize,
}

/// What a step does to the head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Does {
    /// It says what the transaction's digest is.
    pub commits: bool,
    /// It requires a signature.
    pub signs: bool,
    /// It takes an item from the queue.
    pub queues: bool,
    /// It may withdraw.
    pub withdraws: bool,
    /// It pays a fee.
    pub pays: bool,
}

impl RecordedStep {
    /// Returns how many permutations a row of the step takes: those that it asks for, and those of its
    /// signature.
    #[must_use]
    pub fn permutations(&self) -> usize {
        let of_signature = if self.does.signs {
            SIGNATURE_PERMUTATIONS
        } else {
            0
        };
        self.count(Bus::Hash) + of_signature
    }

    /// Returns how many messages the step has on a bus.
    #[must_use]
    pub fn count(&self, bus: Bus) -> usize {
        let messages = self.messages.iter();
        messages.filter(|message| message.bus == bus).count()
    }
}

/// What a contract must not do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// A constraint that is too high a power.
    #[error(
        "constraint {constraint} has degree {found}, expected at most 2: name the product by `product`"
    )]
    Degree {
        /// Which constraint of the step, from 0.
        constraint: usize,
        /// Its degree.
        found: usize,
    },
    /// A message of which a field or the count is a product.
    #[error(
        "a field or the count of message {message} has degree {found}, expected at most 1: name the product by `product`"
    )]
    FieldDegree {
        /// Which message of the step, from 0.
        message: usize,
        /// Its degree.
        found: usize,
    },
    /// What is handed on is a product.
    #[error(
        "carried element {element} has degree {found}, expected at most 1: name the product by `product`"
    )]
    CarriedDegree {
        /// Which element, from 0.
        element: usize,
        /// Its degree.
        found: usize,
    },
    /// A record that is taken and not written, or the reverse.
    #[error("takes {takes} records and writes {writes}, expected as many")]
    Unwritten {
        /// Records taken.
        takes: usize,
        /// Records written.
        writes: usize,
    },
    /// A part of the body that is not bound.
    #[error(
        "element {word} of its body does not enter the transaction's digest: whoever proves could choose it"
    )]
    Unbound {
        /// The column of the element, in the order of reading.
        word: usize,
    },
    /// A digest that is used nowhere.
    #[error("the digest of hash {hash} is not used: what it binds is not bound to the transaction")]
    UnusedHash {
        /// Which hash of the step, from 0.
        hash: usize,
    },
    /// A step that does twice what a row can do once.
    #[error("does {what} {found} times, expected at most once in a step")]
    Repeated {
        /// What.
        what: &'static str,
        /// How often.
        found: usize,
    },
    /// An access whose place or gain is read from a record.
    #[error(
        "access {access} depends on a record: expected a place and a gain that follow from the body alone"
    )]
    AccessDependsOnState {
        /// Which access of the step, from 0.
        access: usize,
    },
    /// A signature over a hash that needs a record.
    #[error("signs a digest that depends on a record or is no hash of the step")]
    SignedDependsOnState,
    /// A list of steps that leads nowhere.
    #[error("its step {step} has successors that are first steps, or that do not exist")]
    Steps {
        /// The step.
        step: usize,
    },
    /// Transactions with no digest, or with two.
    #[error(
        "expected that either each first step or each last one says what the transaction's digest is, and no other step does"
    )]
    Commit,
    /// Fees that could be paid twice.
    #[error("expected that at most one step pays a fee, and that it is a first or a last one")]
    Fees,
}

/// The columns of a row that an expression uses, or `None` if it uses none but these.
fn uses(expression: &Expr, visit: &mut impl FnMut(Option<usize>)) {
    match expression {
        SymbolicExpr::Leaf(BaseLeaf::Variable(variable)) => visit(match variable.entry {
            BaseEntry::Main { .. } => Some(variable.index),
            _ => None,
        }),
        SymbolicExpr::Leaf(_) => {}
        SymbolicExpr::Neg { x, .. } => uses(x, visit),
        SymbolicExpr::Add { x, y, .. }
        | SymbolicExpr::Sub { x, y, .. }
        | SymbolicExpr::Mul { x, y, .. } => {
            uses(x, visit);
            uses(y, visit);
        }
    }
}

/// Whether an expression uses no other columns than those allowed.
fn uses_only(expression: &Expr, is_allowed: impl Fn(usize) -> bool) -> bool {
    let mut only = true;
    uses(expression, &mut |column| {
        only &= column.is_some_and(&is_allowed)
    });
    only
}

fn uses_column(expression: &Expr, column: usize) -> bool {
    let mut found = false;
    uses(expression, &mut |used| found |= used == Some(column));
    found
}

/// Records the steps of a contract, number `contract` of the list, whose first step is number
/// `first` of the table's.
pub(crate) fn record(
    contract: usize,
    first: usize,
    law: &dyn Contract,
    layout: Layout,
) -> Result<Vec<RecordedStep>, Fault> {
    let declared = law.steps();
    let mut steps = Vec::with_capacity(declared.len());
    let mut recorded = Vec::with_capacity(declared.len());
    for (number, &step) in declared.iter().enumerate() {
        let is_follower = |&next: &usize| declared.get(next).is_some_and(|next| !next.is_first);
        if !step.next.iter().all(is_follower) {
            return Err(Fault::Steps { step: number });
        }
        let mut m = Constrain::new(Cursor::new(layout));
        let carried = carried_cells(layout, step.is_first);
        let carried = law.constrain(number, &mut m, carried);
        check_degrees(&m, &carried)?;
        check_uses(&m)?;
        recorded.push((m.clone(), carried.clone()));
        let state = PureCells::new(&m, layout);
        steps.push(RecordedStep {
            contract,
            number,
            step,
            next: step.next.iter().map(|next| first + next).collect(),
            pure_hashes: state.pure_hashes(&m),
            signed_hash: state.signed_hash(&m)?,
            words: m.words,
            does: Does {
                commits: !m.commits.is_empty(),
                signs: m.commits.iter().any(|(_, is_signed)| *is_signed),
                queues: !m.queued.is_empty(),
                withdraws: !m.withdrawn.is_empty(),
                pays: !m.fees.is_empty(),
            },
            used: m.used(),
            accesses: m.accesses.len(),
            zeros: m.zeros,
            messages: m.messages,
            reasons: m.reasons,
            carried,
        });
    }
    check_paths(&steps)?;
    check_bound(declared, &recorded, layout)?;
    Ok(steps)
}

/// Returns what a first step gets, or the cells of another one.
fn carried_cells(layout: Layout, is_first: bool) -> Carried<Expr> {
    use p3_air::symbolic::SymbolicVariable;
    core::array::from_fn(|i| {
        if is_first {
            return Expr::ZERO;
        }
        let column = layout.carried_at() + i;
        SymbolicVariable::new(BaseEntry::Main { offset: 0 }, column).into()
    })
}

fn check_degrees(m: &Constrain, carried: &Carried<Expr>) -> Result<(), Fault> {
    for (constraint, zero) in m.zeros.iter().enumerate() {
        let found = zero.degree_multiple();
        if found > 2 {
            return Err(Fault::Degree { constraint, found });
        }
    }
    for (number, message) in m.messages.iter().enumerate() {
        let fields = message.fields.iter().chain([&message.count]);
        let found = fields.map(Expr::degree_multiple).max().unwrap_or_default();
        if found > 1 {
            return Err(Fault::FieldDegree {
                message: number,
                found,
            });
        }
    }
    for (element, carried) in carried.iter().enumerate() {
        let found = carried.degree_multiple();
        if found > 1 {
            return Err(Fault::CarriedDegree { element, found });
        }
    }
    Ok(())
}

/// What is taken is written, and nothing is done twice that a row can do once.
fn check_uses(m: &Constrain) -> Result<(), Fault> {
    let (takes, writes) = (m.accesses.len(), m.writes);
    if takes != writes {
        return Err(Fault::Unwritten { takes, writes });
    }
    let once = [
        ("the transaction's digest", m.commits.len()),
        ("an item of the queue", m.queued.len()),
        ("a withdrawal", m.withdrawn.len()),
        ("a fee", m.fees.len()),
    ];
    match once.into_iter().find(|(_, found)| *found > 1) {
        Some((what, found)) => Err(Fault::Repeated { what, found }),
        None => Ok(()),
    }
}

/// The cells that follow from the body alone.
struct PureCells {
    columns: Vec<usize>,
    layout: Layout,
}

impl PureCells {
    fn new(m: &Constrain, layout: Layout) -> Self {
        let columns = m.word_columns.clone();
        Self { columns, layout }
    }

    /// What was carried counts as pure: the steps before are checked likewise.
    fn is_pure(&self, expression: &Expr) -> bool {
        let carried = self.layout.carried_at()..self.layout.limbs_at();
        uses_only(expression, |column| {
            self.columns.contains(&column) || carried.contains(&column)
        })
    }

    fn pure_hashes(&self, m: &Constrain) -> Vec<bool> {
        let mut pure = Self {
            columns: self.columns.clone(),
            layout: self.layout,
        };
        let mut flags = vec![];
        for call in &m.hashes {
            let is_pure = call.message.iter().all(|element| pure.is_pure(element));
            flags.push(is_pure);
            if is_pure {
                for element in &call.digest {
                    uses(element, &mut |column| pure.columns.extend(column));
                }
            }
        }
        flags
    }

    fn signed_hash(&self, m: &Constrain) -> Result<Option<usize>, Fault> {
        for (access, call) in m.accesses.iter().chain(&m.fees).enumerate() {
            let gain = call.gain.iter();
            if !gain
                .chain([&call.index])
                .all(|expression| self.is_pure(expression))
            {
                return Err(Fault::AccessDependsOnState { access });
            }
        }
        let Some((digest, _)) = m.commits.iter().find(|(_, is_signed)| *is_signed) else {
            return Ok(None);
        };
        let flags = self.pure_hashes(m);
        let is_signed = |call: &crate::readings::HashCall| {
            let mut pairs = call.digest.iter().zip(digest);
            pairs.all(|(a, b)| column_of(a).is_some() && column_of(a) == column_of(b))
        };
        let position = m.hashes.iter().position(is_signed);
        let position = position.filter(|&position| flags[..=position].iter().all(|pure| *pure));
        position.map(Some).ok_or(Fault::SignedDependsOnState)
    }
}

/// The column that an expression is.
fn column_of(expression: &Expr) -> Option<usize> {
    match expression {
        SymbolicExpr::Leaf(BaseLeaf::Variable(variable)) => match variable.entry {
            BaseEntry::Main { .. } => Some(variable.index),
            _ => None,
        },
        _ => None,
    }
}

/// Each transaction has one digest, and at most one fee.
fn check_paths(steps: &[RecordedStep]) -> Result<(), Fault> {
    let is_first = |step: &RecordedStep| step.step.is_first;
    let is_last = |step: &RecordedStep| step.next.is_empty();
    let commit_where =
        |is: &dyn Fn(&RecordedStep) -> bool| steps.iter().all(|step| step.does.commits == is(step));
    if !commit_where(&is_first) && !commit_where(&is_last) {
        return Err(Fault::Commit);
    }
    let mut paying = steps.iter().filter(|step| step.does.pays);
    let (one, more) = (paying.next(), paying.count());
    let is_at_an_end = one.is_none_or(|step| is_first(step) || is_last(step));
    if more > 0 || !is_at_an_end {
        return Err(Fault::Fees);
    }
    Ok(())
}
