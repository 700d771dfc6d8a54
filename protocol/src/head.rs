//! Ledger heads and the statement that a proof makes about two of them.

use p3_field::PrimeCharacteristicRing;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::field::{F, MODULUS};
use crate::hash::{Digest, ZERO_DIGEST, compress};

/// The state of the ledger between two transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Root of the state tree.
    #[serde(with = "crate::text::digest")]
    pub state_root: Digest,
    /// How many transactions led here since genesis.
    #[serde(with = "crate::text::element")]
    pub tx_count: u64,
    /// How many deposits were taken from the base chain's queue since genesis.
    #[serde(with = "crate::text::element")]
    pub deposit_count: u64,
    /// Hash chain over every transaction in order.
    #[serde(with = "crate::text::digest")]
    pub tx_commitment: Digest,
    /// Hash chain over the deposits taken from the base chain's queue.
    #[serde(with = "crate::text::digest")]
    pub deposit_commitment: Digest,
    /// Hash chain over the withdrawals owed to the base chain.
    #[serde(with = "crate::text::digest")]
    pub withdrawal_commitment: Digest,
}

/// A count or a chain id that is no canonical field element: the elements of a statement would
/// be those of another statement too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("found a {name} of {found}, expected one below {MODULUS}")]
pub struct NonCanonical {
    /// Name of the number.
    pub name: &'static str,
    /// The integer found, not below the field's modulus.
    pub found: u64,
}

/// Refuses an integer that is not below the field's order.
fn check_element(name: &'static str, found: u64) -> Result<(), NonCanonical> {
    if found >= MODULUS {
        return Err(NonCanonical { name, found });
    }
    Ok(())
}

/// What a transaction adds to a head's chains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entries {
    /// Its digest.
    pub transaction: Digest,
    /// The item that it takes from the base chain's queue.
    pub queued: Option<Digest>,
    /// What the base chain owes by it.
    pub withdrawn: Option<Digest>,
}

/// Elements of a head when it is public input of a proof.
pub const HEAD_ELEMENTS: usize = 18;

impl Head {
    /// Returns the head of a ledger that has seen no transaction.
    #[must_use]
    pub const fn genesis(state_root: Digest) -> Self {
        Self {
            state_root,
            tx_count: 0,
            deposit_count: 0,
            tx_commitment: ZERO_DIGEST,
            deposit_commitment: ZERO_DIGEST,
            withdrawal_commitment: ZERO_DIGEST,
        }
    }

    /// Extends counts and chains by one transaction; the state root stays as it is.
    pub fn extend(&mut self, entries: &Entries) {
        self.tx_count += 1;
        self.tx_commitment = extend_chain(&self.tx_commitment, &entries.transaction);
        if let Some(item) = &entries.queued {
            self.deposit_count += 1;
            self.deposit_commitment = extend_chain(&self.deposit_commitment, item);
        }
        if let Some(owed) = &entries.withdrawn {
            self.withdrawal_commitment = extend_chain(&self.withdrawal_commitment, owed);
        }
    }

    /// Checks that the counts are canonical field elements.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check(&self) -> Result<(), NonCanonical> {
        check_element("transaction count", self.tx_count)?;
        check_element("deposit count", self.deposit_count)
    }

    /// Returns the head as field elements: state root, transaction count, deposit count, and the
    /// commitments to transactions, deposits and withdrawals.
    pub fn elements(&self) -> [F; HEAD_ELEMENTS] {
        let mut out = [F::ZERO; HEAD_ELEMENTS];
        out[..4].copy_from_slice(&self.state_root);
        out[4] = F::from_u64(self.tx_count);
        out[5] = F::from_u64(self.deposit_count);
        out[6..10].copy_from_slice(&self.tx_commitment);
        out[10..14].copy_from_slice(&self.deposit_commitment);
        out[14..].copy_from_slice(&self.withdrawal_commitment);
        out
    }
}

/// Extends one of the three hash chains: hashes the commitment so far and the next entry.
pub fn extend_chain(commitment: &Digest, entry: &Digest) -> Digest {
    compress(commitment, entry)
}

/// What a proof says: valid, signed transactions of this chain lead from one head to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// The chain that the transactions are bound to.
    #[serde(with = "crate::text::element")]
    pub chain_id: u64,
    /// The head before the first transaction.
    pub before: Head,
    /// The head after the last transaction.
    pub after: Head,
}

/// Elements of a statement when it is public input of a proof.
pub const STATEMENT_ELEMENTS: usize = 1 + 2 * HEAD_ELEMENTS;

impl Statement {
    /// Checks that chain id and counts are canonical field elements, so that no other statement
    /// has the same elements.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check(&self) -> Result<(), NonCanonical> {
        check_element("chain id", self.chain_id)?;
        self.before.check()?;
        self.after.check()
    }

    /// Returns the statement as field elements: chain id, head before, head after.
    pub fn elements(&self) -> [F; STATEMENT_ELEMENTS] {
        let mut out = [F::ZERO; STATEMENT_ELEMENTS];
        out[0] = F::from_u64(self.chain_id);
        out[1..=HEAD_ELEMENTS].copy_from_slice(&self.before.elements());
        out[1 + HEAD_ELEMENTS..].copy_from_slice(&self.after.elements());
        out
    }
}
