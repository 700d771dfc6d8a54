//! How much of a shape a run of transactions takes: the one count that the executor cuts by
//! and that the reader of a witness checks.

use std::collections::BTreeSet;

use thiserror::Error;

use crate::record::Index;
use crate::shape::Shape;
use crate::transaction::Transaction;
use crate::tree::{DEPTH, nodes_apart};

/// What a shape limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Transactions.
    Transactions,
    /// Touched records, fee vaults included.
    Records,
    /// Distinct vaults that earn fees.
    FeeVaults,
    /// Touched inner nodes of the state tree.
    Nodes,
    /// Permutations, counted without sharing.
    Permutations,
}

/// A run of transactions needs more than a shape has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("found {found} {resource:?}, the shape has room for {limit}")]
pub struct ShapeExceeded {
    /// Of what.
    pub resource: Resource,
    /// How many are needed.
    pub found: usize,
    /// How many there can be.
    pub limit: usize,
}

/// The count for a run of transactions.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    transactions: usize,
    records: BTreeSet<Index>,
    fee_vaults: BTreeSet<Index>,
    nodes: usize,
    /// Those of the transactions alone.
    transaction_permutations: usize,
}

impl Usage {
    /// Every record that is touched, fee vaults included, by ascending index.
    #[must_use]
    pub const fn records(&self) -> &BTreeSet<Index> {
        &self.records
    }

    /// Every vault that earns a fee, by ascending index.
    #[must_use]
    pub const fn fee_vaults(&self) -> &BTreeSet<Index> {
        &self.fee_vaults
    }

    /// How many transactions were added.
    #[must_use]
    pub const fn transactions(&self) -> usize {
        self.transactions
    }

    /// How many inner nodes lie above the records.
    #[must_use]
    pub const fn nodes(&self) -> usize {
        self.nodes
    }

    /// How many permutations the proof takes.
    #[must_use]
    pub fn permutations(&self) -> usize {
        self.transaction_permutations + 2 * (self.records.len() + self.nodes)
    }

    /// Adds one transaction if the run with it still fits.
    ///
    /// # Errors
    /// The first limit that would be exceeded; nothing was added then.
    pub fn add(&mut self, transaction: &Transaction, shape: &Shape) -> Result<(), ShapeExceeded> {
        let fee_vault = transaction.fee_vault();
        let new: Vec<Index> = (transaction.touched().chain(fee_vault))
            .filter(|&index| self.insert(index))
            .collect();
        let new_fee_vault = fee_vault.filter(|&index| self.fee_vaults.insert(index));
        self.transactions += 1;
        self.transaction_permutations += transaction.kind().permutations();
        self.fits(shape).inspect_err(|_| {
            self.transactions -= 1;
            self.transaction_permutations -= transaction.kind().permutations();
            if let Some(index) = new_fee_vault {
                self.fee_vaults.remove(&index);
            }
            for index in new {
                self.records.remove(&index);
                self.nodes -= self.nodes_for(index);
            }
        })
    }

    /// Whether a shape has room for all of it.
    ///
    /// # Errors
    /// The first limit that is exceeded.
    pub fn fits(&self, shape: &Shape) -> Result<(), ShapeExceeded> {
        let counts = [
            (
                Resource::Transactions,
                self.transactions,
                shape.transactions(),
            ),
            (Resource::Records, self.records.len(), shape.records()),
            (
                Resource::FeeVaults,
                self.fee_vaults.len(),
                shape.fee_vaults(),
            ),
            (Resource::Nodes, self.nodes, shape.nodes()),
            (
                Resource::Permutations,
                self.permutations(),
                shape.permutations(),
            ),
        ];
        match counts.into_iter().find(|(_, found, limit)| found > limit) {
            None => Ok(()),
            Some((resource, found, limit)) => Err(ShapeExceeded {
                resource,
                found,
                limit,
            }),
        }
    }

    /// Adds a record and the nodes above it that were not yet touched; `false` if the record
    /// was there already.
    fn insert(&mut self, index: Index) -> bool {
        let nodes = self.nodes_for(index);
        let is_new = self.records.insert(index);
        self.nodes += if is_new { nodes } else { 0 };
        is_new
    }

    /// How many nodes above a leaf are above no record: a path is shared longest with that of
    /// a neighbour.
    fn nodes_for(&self, index: Index) -> usize {
        let before = self.records.range(..index).next_back();
        let after = self.records.range(index..).next();
        let apart = [before, after]
            .into_iter()
            .flatten()
            .map(|&other| nodes_apart(index, other));
        apart.min().unwrap_or(DEPTH)
    }
}
