//! What buyer, seller and arbiter have agreed on, and the record that holds the money.

use std::slice::from_ref;

use p3_field::PrimeCharacteristicRing;
use shardfold_contracts::machine::Use;
use shardfold_contracts::{Machine, Part, Rule, Taken};
use shardfold_protocol::field::F;
use shardfold_protocol::hash::{Digest, Domain};
use shardfold_protocol::record::Index;
use shardfold_protocol::transaction::word;

/// The kind of an escrow's record: `[kind, asset, amount, 0, terms 4]`. Kinds below 1,000 are
/// Shardfold's.
pub const ESCROW: u32 = 1_000;
/// The deadline is below 2^40, as the ledger's time is.
pub(crate) const TIME_BITS: u32 = 40;

/// Why an escrow is refused.
pub mod reasons {
    use shardfold_contracts::Reason;

    /// Something is at the index of a new escrow.
    pub static TAKEN: Reason = Reason::new(
        "escrow-taken",
        "found {found} in a record where the escrow should be opened, expected an empty leaf",
    );
    /// No escrow is where one should be.
    pub static MISSING: Reason = Reason::new(
        "escrow-missing",
        "found a record of kind {found}, expected an escrow, which is of kind {expected}",
    );
    /// An escrow that holds nothing any more.
    pub static CLOSED: Reason = Reason::new(
        "escrow-closed",
        "found an escrow that holds nothing any more",
    );
    /// The parties have agreed on something else.
    pub static TERMS: Reason = Reason::new(
        "escrow-terms",
        "found an escrow with other terms (digest element {found}), expected {expected}",
    );
    /// A deadline that no ledger reaches.
    pub static DEADLINE: Reason = Reason::new(
        "escrow-deadline",
        "found a deadline of {found}, expected one below 2^40",
    );
    /// A refund before the deadline.
    pub static EARLY: Reason = Reason::new(
        "escrow-early",
        "found a refund before the deadline of its terms",
    );
}

/// What the parties agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The vault that has paid, and gets the money back after the deadline.
    pub payer: Index,
    /// Whose it is.
    pub payer_owner: Digest,
    /// The vault that gets the money when the arbiter releases it.
    pub payee: Index,
    /// Whose it is, or will be.
    pub payee_owner: Digest,
    /// Who may release the money.
    pub arbiter: Digest,
    /// In seconds, from when on anybody may return the money.
    pub deadline: u64,
}

impl Terms {
    /// Returns the terms as elements, in the order in which [`read`] takes them.
    pub(crate) fn words(&self) -> Vec<F> {
        [
            &[F::from_u32(self.payer)][..],
            &self.payer_owner,
            &[F::from_u32(self.payee)],
            &self.payee_owner,
            &self.arbiter,
            &[word(self.deadline)],
        ]
        .concat()
    }
}

/// The terms in a rule.
pub(crate) struct TermsOf<E> {
    pub payer: E,
    pub payer_owner: [E; 4],
    pub payee: E,
    pub payee_owner: [E; 4],
    pub arbiter: [E; 4],
    pub deadline: E,
}

/// Reads the terms from a body.
pub(crate) fn read<M: Machine>(m: &mut M) -> Rule<TermsOf<M::E>> {
    Ok(TermsOf {
        payer: m.word(),
        payer_owner: m.words(),
        payee: m.word(),
        payee_owner: m.words(),
        arbiter: m.words(),
        deadline: m.integer(TIME_BITS, &reasons::DEADLINE)?,
    })
}

/// What a message of the escrow is: the first element under its hash.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    Terms = 1,
    Open = 2,
    Release = 3,
    Refund = 4,
}

/// Hashes a message of the escrow.
pub(crate) fn hash<M: Machine>(m: &mut M, what: What, message: &[M::E]) -> [M::E; 4] {
    // The kind of the record keeps it apart from other contracts of one's own.
    let tag = F::from_u32(ESCROW) + F::from_u64((what as u64) << 32);
    let message = [&[M::E::from(tag)], message].concat();
    m.hash(Domain::Own, &message)
}

/// Hashes the terms.
pub(crate) fn digest<M: Machine>(m: &mut M, terms: &TermsOf<M::E>) -> [M::E; 4] {
    let message = [
        &[terms.payer.clone()][..],
        &terms.payer_owner,
        from_ref(&terms.payee),
        &terms.payee_owner,
        &terms.arbiter,
        from_ref(&terms.deadline),
    ]
    .concat();
    hash(m, What::Terms, &message)
}

/// The escrow as it is taken to be closed.
pub(crate) struct Held<E> {
    taken: Taken<E>,
    record: [E; 8],
}

impl<E: Clone> Held<E> {
    /// What is held.
    pub fn asset(&self) -> E {
        self.record[1].clone()
    }

    /// How much.
    pub fn amount(&self) -> E {
        self.record[2].clone()
    }
}

/// Takes the escrow with these terms.
pub(crate) fn take<M: Machine>(m: &mut M, at: &M::E, terms: &[M::E; 4]) -> Rule<Held<M::E>> {
    let kind = M::E::from(F::from_u32(ESCROW));
    let [t0, t1, t2, t3] = terms.clone();
    let is = |term| Part::Is(term, &reasons::TERMS);
    let record = [
        Part::Is(kind, &reasons::MISSING),
        Part::Any,
        Part::Any,
        Part::Is(M::E::ZERO, &reasons::MISSING),
        is(t0),
        is(t1),
        is(t2),
        is(t3),
    ];
    let (taken, record) = m.take(at, Use::Write, record)?;
    m.nonzero(record[2].clone(), &reasons::CLOSED)?;
    Ok(Held { taken, record })
}

/// Leaves nothing in the escrow: its record stays, so that nobody can open it again.
pub(crate) fn empty<M: Machine>(m: &mut M, held: Held<M::E>) {
    let Held { taken, record } = held;
    let [kind, asset, _, zero, t0, t1, t2, t3] = record;
    m.write(taken, [kind, asset, M::E::ZERO, zero, t0, t1, t2, t3]);
}
