//! The ledger as a whole: the state tree and its head.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::amount::AMOUNT_LIMIT;
use crate::bounds::{self, BoundsError};
use crate::difference::{self, Unpublishable, encode, extend_data};
use crate::field::{F, MODULUS};
use crate::files::{FileContent, FileKind};
use crate::hash::{Digest, ZERO_DIGEST};
use crate::head::{Entries, Head, OutOfBounds};
use crate::record::{Asset, Index, Record, Vault};
use crate::text::digest::to_hex;
use crate::tree::{Opening, Records, StateTree};

/// Everything that is known of a ledger between two transactions. The head's state root is
/// always that of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    chain_id: u64,
    head: Head,
    tree: StateTree,
}

/// A state as a file. Without a head it is a genesis: a ledger that has seen no transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateFile {
    /// The chain that transactions must be bound to, below the field's order.
    #[serde(with = "crate::text::element")]
    pub chain_id: u64,
    /// Where the ledger stands; `None` at genesis.
    pub head: Option<Head>,
    /// Every vault, by ascending index.
    pub vaults: Vec<VaultEntry>,
    /// Every other record, by ascending index: of other kinds, or a vault of shares. None if a JSON
    /// file does not have it.
    #[serde(default)]
    pub records: Vec<RecordEntry>,
}

/// A record of a [`StateFile`] that is no vault of an asset of the base chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordEntry {
    /// Where it lies in the state tree.
    pub index: Index,
    /// What it holds.
    pub record: Record,
}

/// One vault of a [`StateFile`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultEntry {
    /// Where it lies in the state tree.
    pub index: Index,
    /// Digest of the public key that may spend.
    #[serde(with = "crate::text::digest")]
    pub owner: Digest,
    /// What is held.
    pub asset: Asset,
    /// How much is held, below 2^62.
    #[serde(with = "crate::text::integer")]
    pub balance: u64,
    /// How many transactions the owner has signed for this vault, below 2^62.
    #[serde(with = "crate::text::integer")]
    pub nonce: u64,
}

impl FileContent for StateFile {
    const KIND: FileKind = FileKind::State;
    const VERSION: u16 = 3;
    /// About 36 million vaults in binary, 10 million in JSON.
    const MAX_BYTES: u64 = 1 << 31;
}

/// Why a file holds no state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StateError {
    /// A chain id that is no canonical field element.
    #[error("found chain id {found}, expected one below {MODULUS}")]
    ChainId {
        /// The chain id found.
        found: u64,
    },
    /// A head's count that is no canonical field element, or a time out of bounds.
    #[error("the head is none: {0}")]
    Head(#[from] OutOfBounds),
    /// Vaults or other records that are not by ascending index, or an index that is repeated.
    #[error(
        "vault or record {position} of the file has index {found}, expected one above {previous}"
    )]
    Order {
        /// Position in the list of vaults.
        position: usize,
        /// The index of the vault at this position.
        found: Index,
        /// The index of the vault before it.
        previous: Index,
    },
    /// A record that should be among the vaults, or that is nothing.
    #[error("found an empty leaf or a vault among the other records, at index {index}")]
    NoOther {
        /// The index of the record.
        index: Index,
    },
    /// A record at the index of a vault.
    #[error("found a vault and another record at index {index}")]
    Twice {
        /// The index.
        index: Index,
    },
    /// An asset that no rule could compare.
    #[error("the vault at index {index} holds asset {found}, expected one below 2^62")]
    Asset {
        /// The index of the vault.
        index: Index,
        /// The asset of the vault.
        found: u64,
    },
    /// A number of another record that is out of bounds.
    #[error(transparent)]
    Bounds(#[from] BoundsError),
    /// A balance that is too large.
    #[error("the vault at index {index} holds {found}, expected less than 2^62")]
    Balance {
        /// The index of the vault.
        index: Index,
        /// The balance of the vault.
        found: u64,
    },
    /// A nonce that could wrap.
    #[error("the vault at index {index} has nonce {found}, expected one below 2^62")]
    Nonce {
        /// The index of the vault.
        index: Index,
        /// The nonce of the vault.
        found: u64,
    },
    /// Vaults that are not those of the head.
    #[error(
        "found vaults with state root {}, expected the head's {}",
        to_hex(found),
        to_hex(expected)
    )]
    Root {
        /// The root of the vaults' tree.
        found: Digest,
        /// The state root of the head.
        expected: Digest,
    },
}

impl State {
    /// Returns the state of a head and its tree, whole or partial.
    ///
    /// # Errors
    /// A chain id or a head out of bounds, or another root than the head's.
    pub fn from_parts(chain_id: u64, head: Head, tree: StateTree) -> Result<Self, StateError> {
        check_elements(chain_id, &head)?;
        let (found, expected) = (tree.root(), head.state_root);
        if found != expected {
            return Err(StateError::Root { found, expected });
        }
        Ok(Self {
            chain_id,
            head,
            tree,
        })
    }

    /// Returns the chain that transactions must be bound to.
    #[must_use]
    pub const fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// Returns where the ledger stands.
    #[must_use]
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// Returns all records.
    #[must_use]
    pub const fn tree(&self) -> &StateTree {
        &self.tree
    }

    /// Puts records in place and returns the tree's root, with which the head must be brought in
    /// line.
    pub(crate) fn set_records(&mut self, changes: &[(Index, Record)]) -> Digest {
        self.tree.update(changes);
        self.tree.root()
    }

    /// Puts the head in place that has the tree's root.
    pub(crate) fn set_head(&mut self, head: Head) {
        debug_assert_eq!(self.tree.root(), head.state_root);
        self.head = head;
    }

    /// Moves on by a shard: some transactions of a batch of this time, given with their hashes in
    /// order, that change records.
    ///
    /// # Errors
    /// A record whose change cannot be published; the state is as before then.
    pub fn advance<'a>(
        &mut self,
        time: u64,
        transactions: impl Iterator<Item = &'a Entries> + Send,
        changes: &[(Index, Record)],
    ) -> Result<(), Unpublishable> {
        let differences = self.differences(changes)?;
        let Self { head, tree, .. } = self;
        // The chains of a head are the one thing here that cannot be split among threads.
        rayon::join(
            || tree.update(changes),
            || extend(head, time, transactions, &differences),
        );
        self.head.state_root = self.tree.root();
        Ok(())
    }

    /// [`Self::advance`], with the opening of the changed records and, beside the hashing,
    /// something that needs no more than the records as they are afterwards.
    ///
    /// # Errors
    /// As [`Self::advance`].
    pub fn advance_and<'a, R: Send>(
        &mut self,
        time: u64,
        transactions: impl Iterator<Item = &'a Entries> + Send,
        changes: &[(Index, Record)],
        meanwhile: impl FnOnce(&Records) -> R + Send,
    ) -> Result<(Opening, R), Unpublishable> {
        let differences = self.differences(changes)?;
        let Self { head, tree, .. } = self;
        let (results, ()) = rayon::join(
            || tree.replace(changes, meanwhile),
            || extend(head, time, transactions, &differences),
        );
        self.head.state_root = self.tree.root();
        Ok(results)
    }

    /// What a shard publishes that changes these records, encoded.
    fn differences(&self, changes: &[(Index, Record)]) -> Result<Vec<F>, Unpublishable> {
        let records = changes.iter();
        let records = records.map(|&(index, after)| (index, self.tree.get(index), after));
        Ok(encode(&difference::changes(records)?))
    }

    /// Returns the state as a file.
    #[must_use]
    pub fn to_file(&self) -> StateFile {
        let mut file = StateFile {
            chain_id: self.chain_id,
            head: Some(self.head),
            vaults: vec![],
            records: vec![],
        };
        for (index, record) in self.tree.records() {
            file.push(index, record);
        }
        file
    }
}

/// Checks the chain id and the integers of a head.
fn check_elements(chain_id: u64, head: &Head) -> Result<(), StateError> {
    if chain_id >= MODULUS {
        return Err(StateError::ChainId { found: chain_id });
    }
    Ok(head.check()?)
}

fn extend<'a>(
    head: &mut Head,
    time: u64,
    transactions: impl Iterator<Item = &'a Entries>,
    differences: &[F],
) {
    for entries in transactions {
        head.extend(time, entries);
    }
    head.data_commitment = extend_data(&head.data_commitment, differences);
}

impl TryFrom<&StateFile> for State {
    type Error = StateError;

    fn try_from(file: &StateFile) -> Result<Self, StateError> {
        file.check()?;
        let records: Vec<_> = file.all_records().collect();
        let tree = StateTree::from_records(&records);
        let head = file.head.unwrap_or_else(|| Head::genesis(tree.root()));
        Self::from_parts(file.chain_id, head, tree)
    }
}

impl VaultEntry {
    /// Returns the entry of a record, if it is a vault.
    #[must_use]
    pub fn of(index: Index, record: &Record) -> Option<Self> {
        let Vault {
            owner,
            asset,
            balance,
            nonce,
        } = record.vault()?;
        Some(Self {
            index,
            owner,
            asset,
            balance,
            nonce,
        })
    }

    /// Returns the vault as a record.
    #[must_use]
    pub fn record(&self) -> Record {
        let Self {
            owner,
            asset,
            balance,
            nonce,
            ..
        } = *self;
        Vault {
            owner,
            asset,
            balance,
            nonce,
        }
        .into()
    }
}

impl StateFile {
    /// Adds a record, whose index is above those of all others.
    pub fn push(&mut self, index: Index, record: Record) {
        match VaultEntry::of(index, &record) {
            Some(vault) => self.vaults.push(vault),
            None => self.records.push(RecordEntry { index, record }),
        }
    }

    /// Returns every record, by ascending index if vaults and others are so.
    pub fn all_records(&self) -> impl Iterator<Item = (Index, Record)> {
        let mut vaults = self
            .vaults
            .iter()
            .map(|vault| (vault.index, vault.record()));
        let mut others = self.records.iter().map(|entry| (entry.index, entry.record));
        let (mut vault, mut other) = (vaults.next(), others.next());
        core::iter::from_fn(move || match (vault, other) {
            (Some((index, _)), Some((of_other, _))) if of_other < index => {
                core::mem::replace(&mut other, others.next())
            }
            (Some(_), _) => core::mem::replace(&mut vault, vaults.next()),
            (None, _) => core::mem::replace(&mut other, others.next()),
        })
    }

    /// Checks everything but the state root, for which all vaults must be hashed.
    ///
    /// # Errors
    /// A chain id or a head out of bounds, indices that do not ascend,
    /// a vault's asset, balance or nonce that is too large.
    pub fn check(&self) -> Result<(), StateError> {
        let head = self.head.unwrap_or_else(|| Head::genesis(ZERO_DIGEST));
        check_elements(self.chain_id, &head)?;
        check_order(self.vaults.iter().map(|vault| vault.index))?;
        check_order(self.records.iter().map(|entry| entry.index))?;
        self.check_others()?;
        self.vaults.iter().try_for_each(|vault| {
            let numbers = [vault.asset, vault.balance, vault.nonce];
            check_vault(vault.index, numbers)
        })
    }

    /// The other records are no vaults, and their numbers in bounds.
    fn check_others(&self) -> Result<(), StateError> {
        for &RecordEntry { index, record } in &self.records {
            if record.is_empty() || VaultEntry::of(index, &record).is_some() {
                return Err(StateError::NoOther { index });
            }
            let is_there = self
                .vaults
                .binary_search_by_key(&index, |vault| vault.index);
            if is_there.is_ok() {
                return Err(StateError::Twice { index });
            }
            bounds::check(index, &record)?;
        }
        Ok(())
    }
}

/// Asset, balance and nonce of a vault are in bounds: rules rely on it.
fn check_vault(index: Index, numbers: [u64; 3]) -> Result<(), StateError> {
    match numbers {
        [found, ..] if found >= AMOUNT_LIMIT => Err(StateError::Asset { index, found }),
        [_, found, _] if found >= AMOUNT_LIMIT => Err(StateError::Balance { index, found }),
        [.., found] if found >= AMOUNT_LIMIT => Err(StateError::Nonce { index, found }),
        _ => Ok(()),
    }
}

/// Indices ascend.
fn check_order(indices: impl Iterator<Item = Index>) -> Result<(), StateError> {
    let mut previous: Option<Index> = None;
    for (position, found) in indices.enumerate() {
        if let Some(previous) = previous.replace(found)
            && found <= previous
        {
            return Err(StateError::Order {
                position,
                found,
                previous,
            });
        }
    }
    Ok(())
}
