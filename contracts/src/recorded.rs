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
use pure::{PureCells, carried_from_bodies};

mod bound;
mod pure;
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
    /// signature but for the owner's, which are shared.
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
    #[error(
        "its step {step} has successors that are first steps or do not exist, or none is first"
    )]
    Steps {
        /// The step.
        step: usize,
    },
    /// Transactions with no digest, or with two.
    #[error(
        "expected that either each first step or each last one says what the transaction's digest is, and no other step does"
    )]
    Commit,
    /// What could be done twice in a transaction.
    #[error("expected that each step that {what} is a first one, or each a last one")]
    Ends {
        /// What.
        what: &'static str,
    },
    /// A rule that rejects by itself, not by a primitive.
    #[error(
        "its step {step} rejects without a primitive: the circuit would not know why, and miss all that follows"
    )]
    Rejects {
        /// The step.
        step: usize,
    },
    /// An integer of no bits, or of too many.
    #[error("proves an integer of {found} bits, expected 1 to 62")]
    Bits {
        /// The bits.
        found: u32,
    },
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
        let carried = law
            .constrain(number, &mut m, carried)
            .map_err(|_| Fault::Rejects { step: number })?;
        check_degrees(&m, &carried)?;
        check_uses(&m)?;
        recorded.push((m.clone(), carried.clone()));
        steps.push(RecordedStep {
            contract,
            number,
            step,
            next: step.next.iter().map(|next| first + next).collect(),
            pure_hashes: vec![],
            signed_hash: None,
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
    let pure = carried_from_bodies(declared, &recorded, layout);
    for ((step, (m, _)), carried) in steps.iter_mut().zip(&recorded).zip(pure) {
        let cells = PureCells::new(m, layout, &carried);
        step.pure_hashes = cells.hashes.clone();
        step.signed_hash = cells.signed_hash(m)?;
    }
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
    if let Some(found) = m.bad_bits {
        return Err(Fault::Bits { found });
    }
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

/// What is asked of a step.
type Question = fn(&RecordedStep) -> bool;

/// Each transaction has one digest, and at most one fee, item of the queue and withdrawal: a path has
/// one first step and one last.
fn check_paths(steps: &[RecordedStep]) -> Result<(), Fault> {
    let is_first = |step: &RecordedStep| step.step.is_first;
    let is_last = |step: &RecordedStep| step.next.is_empty();
    if !steps.iter().any(is_first) {
        return Err(Fault::Steps { step: 0 });
    }
    let commit_where =
        |is: &dyn Fn(&RecordedStep) -> bool| steps.iter().all(|step| step.does.commits == is(step));
    if !commit_where(&is_first) && !commit_where(&is_last) {
        return Err(Fault::Commit);
    }
    let at_one_end = |does: Question| {
        let mut those = steps.iter().filter(|step| does(step));
        those.clone().all(is_first) || those.all(is_last)
    };
    let once: [(&str, Question); 3] = [
        ("pays a fee", |step| step.does.pays),
        ("takes an item of the queue", |step| step.does.queues),
        ("withdraws", |step| step.does.withdraws),
    ];
    match once.into_iter().find(|(_, does)| !at_one_end(*does)) {
        Some((what, _)) => Err(Fault::Ends { what }),
        None => Ok(()),
    }
}
