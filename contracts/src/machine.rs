//! What a rule is written over.
//!
//! A rule is a function over [`Machine`]. The executor reads it on numbers, the prover reads it
//! to fill a row, the circuit reads it as constraints. Each primitive says what it promises;
//! that its constraints keep the promise is shown once, in `readings/README.md`.

use core::fmt;

use p3_field::{Algebra, PrimeField64};
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Domain;

/// Why a rule rejects: a name, and a sentence with `{found}` and `{expected}` in it.
#[derive(Debug)]
pub struct Reason {
    name: &'static str,
    sentence: &'static str,
}

impl Reason {
    /// Returns a reason of this name, which no other one of the contract has.
    #[must_use]
    pub const fn new(name: &'static str, sentence: &'static str) -> Self {
        Self { name, sentence }
    }

    /// Returns the name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl PartialEq for Reason {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Reason {}

/// The first check of a rule that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Which check.
    pub reason: &'static Reason,
    /// What was there.
    pub found: F,
    /// What should have been there; the bound where the check is one of a range.
    pub expected: F,
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The upper half of the field stands for negative numbers.
        let number = |value: F| match (-value).as_canonical_u64() {
            negative if negative < 1 << 63 && value.as_canonical_u64() >= 1 << 63 => {
                format!("-{negative}")
            }
            _ => value.as_canonical_u64().to_string(),
        };
        let sentence = self.reason.sentence;
        let sentence = sentence.replace("{found}", &number(self.found));
        f.write_str(&sentence.replace("{expected}", &number(self.expected)))
    }
}

impl core::error::Error for Reject {}

/// What a rule gives, or why it rejects.
pub type Rule<T> = Result<T, Reject>;

/// One element of a record that is taken.
#[derive(Clone, Debug)]
pub enum Part<E> {
    /// Whatever is there: a new cell.
    Any,
    /// This value, or the rule rejects: no cell, for the message of the bus binds it.
    Is(E, &'static Reason),
}

/// A record that was taken and must be written back: neither copied nor made elsewhere.
#[derive(Debug)]
#[must_use = "what is taken must be written"]
pub struct Taken<E> {
    pub(crate) index: E,
}

/// A record that was taken, and what it holds.
pub type Found<E> = (Taken<E>, [E; 8]);

/// How a record is used, besides being read: what the executor schedules by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use<E> {
    /// It is changed, and what is written depends on the balance at most by adding to it.
    Write,
    /// It is changed, and its balance is used whole: fees that are still owed to it must have been
    /// added before.
    Whole,
    /// Its balance grows by this amount, and nothing else of it is used but kind, asset and owner:
    /// such gains commute. Only [`crate::vaults::credit`] promises it.
    Gain(E),
}

/// Whose vault is wanted.
#[derive(Clone, Debug)]
pub enum Owner<E> {
    /// Anybody's: a vault is there, and its owner is what is found.
    Any,
    /// This owner's: a vault is there.
    Is([E; 4]),
    /// This owner's; where nothing is, a vault of this owner is opened.
    Opens([E; 4]),
}

/// How a vault is used.
#[derive(Clone, Debug)]
pub enum VaultUse<E> {
    /// It is the vault of whoever signs, at this nonce, which grows by one. Caller: the owner of
    /// the vault has signed.
    Signs(E),
    /// Its balance changes.
    Changes,
    /// Its balance grows by an amount below 2^62 that follows from the body alone: such gains
    /// commute.
    Gains,
}

/// One access of a vault that has a row of its own.
#[derive(Clone, Debug)]
pub struct VaultAccess<E> {
    /// Where it lies.
    pub index: E,
    /// What it holds.
    pub asset: E,
    /// Whose it is.
    pub owner: Owner<E>,
    /// What it gains. Caller: it stands for an integer above -2^63 and below 2^63, and below zero
    /// only if the owner agrees: by a signature, or as the rule says.
    pub delta: E,
    /// How it is used.
    pub how: VaultUse<E>,
}

/// What an access of a vault says if it fails.
#[derive(Clone, Copy, Debug)]
pub struct VaultReasons {
    /// No vault is there, and none may be opened.
    pub kind: &'static Reason,
    /// It holds another asset.
    pub asset: &'static Reason,
    /// It is another owner's.
    pub owner: &'static Reason,
    /// It has another nonce.
    pub nonce: &'static Reason,
    /// It would hold less than nothing, or too much.
    pub balance: &'static Reason,
}

/// The primitives of a rule, over elements of the field or expressions that stand for them.
pub trait Machine {
    /// An element of the field, or an expression over the cells of one row.
    type E: Algebra<F>;

    /// Returns the next element of the transaction's body. It must reach a [`Self::hash`].
    fn word(&mut self) -> Self::E;

    /// Returns the next element of the body, proven to be an integer below `2^bits`.
    ///
    /// # Errors
    /// It is not.
    fn integer(&mut self, bits: u32, otherwise: &'static Reason) -> Rule<Self::E>;

    /// Returns the next `N` elements of the body.
    fn words<const N: usize>(&mut self) -> [Self::E; N] {
        core::array::from_fn(|_| self.word())
    }

    /// Proves that `value` is an integer below `2^bits`, for at most 62 bits.
    ///
    /// # Errors
    /// It is not.
    fn range(&mut self, value: &Self::E, bits: u32, otherwise: &'static Reason) -> Rule<()>;

    /// Proves that two elements are equal.
    ///
    /// # Errors
    /// They are not.
    fn equal(&mut self, found: Self::E, expected: Self::E, otherwise: &'static Reason) -> Rule<()>;

    /// Proves that a value is not zero.
    ///
    /// # Errors
    /// It is.
    fn nonzero(&mut self, value: Self::E, otherwise: &'static Reason) -> Rule<()>;

    /// Proves that a value is 0 or 1.
    ///
    /// # Errors
    /// It is another one.
    fn flag(&mut self, value: &Self::E, otherwise: &'static Reason) -> Rule<()>;

    /// Returns 1 if the value is zero, else 0.
    fn is_zero(&mut self, value: Self::E) -> Self::E;

    /// Returns 1 if `a >= b`, else 0. Caller: both are integers below `2^bits`, at most 62 bits.
    fn at_least(&mut self, a: &Self::E, b: &Self::E, bits: u32) -> Self::E;

    /// Returns the product of two elements, as one cell: of degree 1 again.
    fn product(&mut self, a: &Self::E, b: &Self::E) -> Self::E;

    /// Returns `a b / d`, rounded up or down. Caller: `a` and `b` are integers below 2^62, `d` is
    /// one of at most 2^62.
    ///
    /// # Errors
    /// `d`, which is found, is zero, or the quotient is 2^62 or more.
    fn mul_div(
        &mut self,
        a: &Self::E,
        b: &Self::E,
        d: &Self::E,
        round_up: bool,
        otherwise: &'static Reason,
    ) -> Rule<Self::E>;

    /// Returns the square root of `a b`, rounded down. Caller: both are integers below 2^62.
    ///
    /// # Errors
    /// One of them is zero.
    fn sqrt(&mut self, a: &Self::E, b: &Self::E, otherwise: &'static Reason) -> Rule<Self::E>;

    /// Changes the balance of a vault, which has a row of its own for it; returns the owner. A
    /// transaction takes no record twice.
    ///
    /// # Errors
    /// No such vault, a balance below zero or of 2^62 or more, or as [`Self::take`].
    fn vault(
        &mut self,
        access: VaultAccess<Self::E>,
        otherwise: &'static VaultReasons,
    ) -> Rule<[Self::E; 4]>;

    /// Takes the record at an index as it was last written; what is taken must be written back in
    /// the same step. A transaction takes no record twice.
    ///
    /// # Errors
    /// A part that is not as it should be, an index of 2^32 or more, or a record that this
    /// transaction has taken already.
    fn take(
        &mut self,
        index: &Self::E,
        how: Use<Self::E>,
        record: [Part<Self::E>; 8],
    ) -> Rule<Found<Self::E>>;

    /// Writes a record back.
    fn write(&mut self, taken: Taken<Self::E>, record: [Self::E; 8]);

    /// Takes a record and leaves it as it is.
    ///
    /// # Errors
    /// As [`Self::take`].
    fn read(&mut self, index: &Self::E, record: [Part<Self::E>; 8]) -> Rule<[Self::E; 8]>;

    /// Returns the digest of `[chain id, message]`.
    fn hash(&mut self, domain: Domain, message: &[Self::E]) -> [Self::E; 4];

    /// The owner has signed the digest, which is the transaction's.
    ///
    /// # Errors
    /// The transaction's key is another owner's, or its signature does not hold.
    fn signed(&mut self, owner: &[Self::E; 4], digest: &[Self::E; 4]) -> Rule<()>;

    /// Nobody signs: the rule itself says who may do this. The digest is the transaction's.
    fn unsigned(&mut self, digest: &[Self::E; 4]);

    /// Returns how many items were taken from the base chain's queue before this transaction.
    fn queue_position(&mut self) -> Self::E;

    /// Takes the item from the base chain's queue. Caller: [`Self::queue_position`] is in it.
    fn queued(&mut self, item: &[Self::E; 4]);

    /// The base chain owes what has this digest, if `is_owed` (0 or 1, which the caller proves) is 1.
    fn withdrawn(&mut self, owed: &[Self::E; 4], is_owed: Self::E);

    /// Returns the time of the batch, in seconds.
    fn now(&mut self) -> Self::E;

    /// Reads fee and fee vault from the body and pays the fee, in this asset; returns both. Whoever
    /// pays it is the rule's to say. At most once in a transaction.
    ///
    /// # Errors
    /// The fee is 2^46 or more.
    fn fee(&mut self, asset: &Self::E) -> Rule<(Self::E, Self::E)>;
}

/// Reasons of the primitives themselves.
pub mod reasons {
    use super::Reason;

    /// A fee out of bounds.
    pub static FEE: Reason = Reason::new("fee", "found a fee of {found}, expected less than 2^46");
    /// An index that no leaf has.
    pub static INDEX: Reason = Reason::new("index", "found index {found}, expected one below 2^32");
    /// A record that is used twice.
    pub static TWICE: Reason = Reason::new(
        "twice",
        "found index {found} twice in one transaction, expected it once",
    );
    /// A key that is not the owner's.
    pub static OWNER: Reason = Reason::new(
        "owner",
        "found the key of another owner (digest {found}...), expected that of the owner {expected}...",
    );
    /// A signature that does not hold.
    pub static SIGNATURE: Reason = Reason::new(
        "signature",
        "found a signature that is not of this transaction under its public key",
    );
    /// A kind that is not in the list.
    pub static KIND: Reason = Reason::new(
        "kind",
        "found a kind of transaction that this build does not have",
    );
    /// A body of another length.
    pub static BODY: Reason = Reason::new(
        "body",
        "found a body of {found} elements, which this kind does not have",
    );
    /// A fee for a vault that does not exist.
    pub static FEE_VAULT_MISSING: Reason = Reason::new(
        "fee-vault-missing",
        "found no vault at the fee vault's index {found}",
    );
    /// A fee for a vault of another asset.
    pub static FEE_VAULT_ASSET: Reason = Reason::new(
        "fee-vault-asset",
        "found asset {found} in the fee vault, expected {expected}",
    );
    /// A fee vault that would hold too much.
    pub static FEE_VAULT_BALANCE: Reason = Reason::new(
        "fee-vault-balance",
        "found that the fee vault would hold {found}, expected less than 2^62",
    );
}
