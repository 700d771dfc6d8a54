//! A transaction: which contract it is of, what it says, and who authorises it. What it means
//! is the contract's.

pub mod form;
mod json;

pub use form::{Field, FieldForm, Form};

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::field::{F, MODULUS};
use crate::signature::{PublicKey, Signature};

use p3_field::PrimeCharacteristicRing;

/// The most bytes of a contract's name.
pub const NAME_BYTES: usize = 16;

/// The name of a contract: at most 16 bytes, filled up with zeros.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Kind([u8; NAME_BYTES]);

impl Kind {
    /// Returns the kind of this name.
    ///
    /// # Panics
    /// With a name that [`Self::named`] does not take: for names that are written in programs.
    #[must_use]
    pub const fn new(name: &str) -> Self {
        match Self::named(name) {
            Some(kind) => kind,
            None => panic!("a name has 1 to 16 of a to z, digits and underscores"),
        }
    }

    /// Returns the kind of this name, if it has 1 to 16 of `a` to `z`, digits and underscores.
    #[must_use]
    pub const fn named(name: &str) -> Option<Self> {
        let name = name.as_bytes();
        if name.is_empty() || name.len() > NAME_BYTES {
            return None;
        }
        let mut bytes = [0; NAME_BYTES];
        let mut i = 0;
        while i < name.len() {
            if !matches!(name[i], b'a'..=b'z' | b'0'..=b'9' | b'_') {
                return None;
            }
            bytes[i] = name[i];
            i += 1;
        }
        Some(Self(bytes))
    }

    /// Returns the kind of these bytes, which come from a file and may be no name.
    pub(crate) const fn from_bytes(bytes: [u8; NAME_BYTES]) -> Self {
        Self(bytes)
    }

    /// Returns the name. Bytes from outside that are no name are shown as such.
    #[must_use]
    pub fn name(&self) -> String {
        let end = self.0.iter().position(|&byte| byte == 0);
        let name = &self.0[..end.unwrap_or(NAME_BYTES)];
        name.escape_ascii().to_string()
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

/// The key, with its exit address, and the signature that authorise a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authorization {
    /// The key that owns, together with the exit address, what is spent.
    pub public_key: PublicKey,
    /// Where what is owned may leave to without the operator.
    pub exit_address: Address,
    /// Over what the contract says is signed.
    pub signature: Signature,
}

/// One transaction of a batch: in JSON an object whose only member is named for the contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Transaction {
    /// Which contract.
    pub kind: Kind,
    /// What it says, in the order in which the contract reads it.
    #[serde(with = "crate::text::elements")]
    pub words: Vec<F>,
    /// Who authorises it; `None` of one that nobody signs.
    pub authorization: Option<Authorization>,
}

impl Transaction {
    /// Returns a transaction that nobody has signed.
    #[must_use]
    pub const fn unsigned(kind: Kind, words: Vec<F>) -> Self {
        Self {
            kind,
            words,
            authorization: None,
        }
    }
}

/// Returns an integer of a body as an element. One that is no element stands for the highest,
/// which no contract accepts where integers are counted.
pub fn word(value: u64) -> F {
    F::from_u64(value.min(MODULUS - 1))
}
