//! How bodies are written in files for people: the names of their elements. A program tells this
//! list what its contracts' bodies look like, when it makes its list of contracts; binary files do
//! without.

use std::sync::{PoisonError, RwLock};

use super::Kind;

/// How one or more elements of a body are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldForm {
    /// An integer below 2^32, such as the index of a record, as a number.
    Small,
    /// An element of the field, as decimal text.
    Number,
    /// Four elements, as 64 hexadecimal digits.
    Digest,
    /// Three elements: an address of the base chain, as 40 hexadecimal digits.
    Address,
    /// As many entries as the other fields leave elements for, each of so many elements: a list of
    /// decimal texts, or of lists of them if an entry has more than one. A form has one list at most.
    List(usize),
}

impl FieldForm {
    /// Returns how many elements there are at least.
    #[must_use]
    pub const fn elements(self) -> usize {
        match self {
            Self::List(_) => 0,
            Self::Small | Self::Number => 1,
            Self::Digest => 4,
            Self::Address => 3,
        }
    }
}

/// A named part of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The member's name.
    pub name: &'static str,
    /// How it is written.
    pub form: FieldForm,
}

impl Field {
    /// Returns a field.
    #[must_use]
    pub const fn new(name: &'static str, form: FieldForm) -> Self {
        Self { name, form }
    }
}

/// The body of a contract's transactions. Elements beyond the fields are written as `more`, a list
/// of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// Which contract.
    pub kind: Kind,
    /// The parts that every body has, in order; none is named `more`, nor as a part of the
    /// authorization.
    pub fields: &'static [Field],
    /// Whether it is signed.
    pub is_signed: bool,
}

impl Form {
    /// Returns the fields, with the elements of each in a body of so many.
    pub fn lengths(&self, words: usize) -> impl Iterator<Item = (Field, usize)> {
        let fixed: usize = self.fields.iter().map(|field| field.form.elements()).sum();
        let rest = words.saturating_sub(fixed);
        self.fields.iter().map(move |field| match field.form {
            FieldForm::List(entry) => (*field, rest - rest % entry.max(1)),
            form => (*field, form.elements()),
        })
    }
}

static FORMS: RwLock<Vec<Form>> = RwLock::new(Vec::new());

/// Adds a form, or replaces that of the same contract.
pub fn register(form: Form) {
    let mut forms = FORMS.write().unwrap_or_else(PoisonError::into_inner);
    match forms.iter_mut().find(|known| known.kind == form.kind) {
        Some(known) => *known = form,
        None => forms.push(form),
    }
}

/// Returns the form of a contract's bodies.
#[must_use]
pub fn of(kind: Kind) -> Option<Form> {
    let forms = FORMS.read().unwrap_or_else(PoisonError::into_inner);
    forms.iter().find(|form| form.kind == kind).copied()
}

/// Returns the form of this name.
pub(super) fn named(name: &str) -> Option<Form> {
    let forms = FORMS.read().unwrap_or_else(PoisonError::into_inner);
    forms.iter().find(|form| form.kind.name() == name).copied()
}

/// Returns the names of all contracts whose bodies are known.
pub(super) fn names() -> String {
    let forms = FORMS.read().unwrap_or_else(PoisonError::into_inner);
    let names: Vec<_> = forms.iter().map(|form| form.kind.name()).collect();
    names.join(", ")
}
