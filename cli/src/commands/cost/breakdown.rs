//! What the shards of a batch take: rows and cells, counted without proving.
//!
//! A cell is one committed to by the STARK: of a row the main columns, those of the buses and of
//! the quotient. Rows are counted as shards are cut: divisions without sharing, permutations
//! shared by the signatures of one owner only and as if every touched record changed, so that a table may have a few more rows of padding.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use anyhow::{Context, Result};
use serde::Serialize;
use shardfold_circuits::chips::Chip;
use shardfold_contracts::Contracts;
use shardfold_contracts::set::Cost;
use shardfold_contracts::usage::{Resource, Usage};
use shardfold_protocol::curve::{DIGIT_SIZE, DIGITS, WINDOWS};
use shardfold_protocol::shape::Shape;
use shardfold_protocol::signature::OWNER_PERMUTATIONS;
use shardfold_protocol::witness::ShardWitness;
use shardfold_prover::{CircuitSet, ShardStark};

/// Where the cells of a batch are.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Breakdown {
    /// Its shards in order.
    pub shards: Vec<Shard>,
    /// The contracts that have transactions in it, in the order of the list.
    pub contracts: Vec<Contract>,
    /// What belongs to no transaction.
    pub shared: Shared,
    /// All cells of all shards.
    pub cells: u64,
}

/// A shard.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shard {
    /// Its shape.
    pub shape: Shape,
    /// By how much its STARK extends each column.
    pub blowup: usize,
    /// Transactions in it.
    pub transactions: usize,
    /// How full it is.
    pub used: Used,
    /// Cells of all its tables.
    pub cells: u64,
}

/// How much of a shape a shard takes, by resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Used {
    /// Steps of transactions.
    pub steps: Room,
    /// Signatures.
    pub signatures: Room,
    /// Touched records.
    pub records: Room,
    /// Distinct vaults that earn fees.
    pub fee_vaults: Room,
    /// Touched inner nodes of the state tree.
    pub nodes: Room,
    /// Permutations.
    pub permutations: Room,
    /// Accesses of vaults that have a row of their own.
    pub vaults: Room,
    /// Exact divisions.
    pub divisions: Room,
}

impl Used {
    /// Returns all of it by name.
    pub const fn named(&self) -> [(&'static str, Room); 8] {
        [
            ("steps", self.steps),
            ("signatures", self.signatures),
            ("records", self.records),
            ("fee vaults", self.fee_vaults),
            ("nodes", self.nodes),
            ("permutations", self.permutations),
            ("vaults", self.vaults),
            ("divisions", self.divisions),
        ]
    }

    fn new(shape: &Shape, usage: &Usage) -> Self {
        let mut used = Self::default();
        for (resource, taken, limit) in usage.counts(shape) {
            let room = match resource {
                Resource::Steps => &mut used.steps,
                Resource::Signatures => &mut used.signatures,
                Resource::Records => &mut used.records,
                Resource::FeeVaults => &mut used.fee_vaults,
                Resource::Nodes => &mut used.nodes,
                Resource::Permutations => &mut used.permutations,
                Resource::Vaults => &mut used.vaults,
                Resource::Divisions => &mut used.divisions,
            };
            *room = Room { used: taken, limit };
        }
        used
    }
}

/// How much of a resource is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Room {
    /// How much the transactions take.
    pub used: usize,
    /// How much the shape has.
    pub limit: usize,
}

/// The transactions of one contract.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contract {
    /// Its name.
    pub name: &'static str,
    /// How many there are.
    pub transactions: u64,
    /// What one takes, on average: those of one contract may have several lengths.
    pub cells_each: f64,
    /// What they take together.
    pub cells: u64,
}

/// Cells that belong to no transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Shared {
    /// Of touched records, with their permutations.
    pub records: u64,
    /// Of touched inner nodes, with their permutations.
    pub nodes: u64,
    /// Of the vaults that earn fees.
    pub fee_vaults: u64,
    /// Permutations of those who sign.
    pub owners: u64,
    /// Of tables that are the same in every shard.
    pub fixed: u64,
    /// Of rows that nothing uses.
    pub padding: u64,
}

impl Breakdown {
    /// Counts the shards of a batch.
    pub fn new(circuits: &CircuitSet, shards: &[ShardWitness]) -> Result<Self> {
        let contracts = circuits.contracts();
        let mut counter = Counter::new(contracts);
        let mut known = HashMap::new();
        for witness in shards {
            let tables = match known.entry(witness.shape) {
                Entry::Occupied(tables) => *tables.get(),
                Entry::Vacant(place) => *place.insert(Tables::of(circuits.stark(&witness.shape)?)),
            };
            counter.add(witness, &tables)?;
        }
        Ok(counter.finish())
    }

    /// Returns how many transactions there are.
    pub fn transactions(&self) -> u64 {
        self.contracts.iter().map(|own| own.transactions).sum()
    }
}

/// Cells of the tables of one shape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    /// By how much each column is extended.
    pub blowup: usize,
    /// Of all tables.
    pub all: u64,
    /// Of those that are the same in every shard.
    fixed: u64,
    // Of the rows that one of each has, whatever the table.
    step: u64,
    signature: u64,
    permutation: u64,
    vault: u64,
    division: u64,
    record: u64,
    node: u64,
    fee_vault: u64,
}

impl Tables {
    /// Counts the tables of a STARK.
    pub fn of(stark: &ShardStark) -> Self {
        let mut tables = Self {
            blowup: 1 << stark.stark().parameters().log_blowup,
            ..Self::default()
        };
        let heights = stark.stark().log_heights().iter();
        let widths = stark.stark().widths().into_iter().zip(heights);
        let mut before = "";
        for (chip, (width, &log_height)) in stark.stark().chips().iter().zip(widths) {
            let row = width.total() as u64;
            tables.all += row << log_height;
            // The second table of a chip has rows of the same width.
            if chip.name() == before {
                continue;
            }
            before = chip.name();
            match chip {
                Chip::Transaction(_) => tables.step += row,
                Chip::Signature(_) => tables.signature += row,
                Chip::VariableTable(_) => tables.signature += row * DIGIT_SIZE as u64,
                Chip::VariableBase(_) => tables.signature += row * DIGITS as u64,
                Chip::FixedBase(_) => tables.signature += row * WINDOWS as u64,
                Chip::Poseidon2(_) => tables.permutation += row,
                Chip::Vault(_) => tables.vault += row,
                Chip::MulDiv(_) => tables.division += row,
                Chip::Record(_) => tables.record += row,
                Chip::Node(_) => tables.node += row,
                Chip::Fee(_) => tables.fee_vault += row,
                // In no shard.
                Chip::Data(_) => {}
                Chip::FixedTable(_) | Chip::Range(_) => tables.fixed += row << log_height,
            }
        }
        tables
    }

    fn of_transaction(&self, cost: Cost) -> u64 {
        self.step * cost.steps as u64
            + self.signature * cost.signatures as u64
            + self.permutation * cost.permutations as u64
            + self.vault * cost.vaults as u64
            + self.division * cost.divisions as u64
    }
}

/// The count, shard by shard.
struct Counter {
    contracts: &'static Contracts,
    shards: Vec<Shard>,
    /// Transactions and their cells, by the contract's number in the list.
    own: Vec<(u64, u64)>,
    shared: Shared,
}

impl Counter {
    fn new(contracts: &'static Contracts) -> Self {
        Self {
            contracts,
            shards: vec![],
            own: vec![(0, 0); contracts.list().count()],
            shared: Shared::default(),
        }
    }

    fn add(&mut self, witness: &ShardWitness, tables: &Tables) -> Result<()> {
        let usage = usage(self.contracts, witness)?;
        let (mut cost, mut used) = (Cost::default(), 0);
        for transaction in &witness.transactions {
            let own = self.contracts.cost(transaction);
            let cells = tables.of_transaction(own);
            let number = self.contracts.number(transaction)?;
            let (count, sum) = &mut self.own[number];
            (*count, *sum) = (*count + 1, *sum + cells);
            (cost, used) = (cost + own, used + cells);
        }
        let room = Used::new(&witness.shape, &usage);
        let of_nodes = 2 * room.nodes.used;
        let of_owners = OWNER_PERMUTATIONS * usage.owners();
        let of_records = room.permutations.used - cost.permutations - of_nodes - of_owners;
        let shared = Shared {
            records: tables.record * room.records.used as u64
                + tables.permutation * of_records as u64,
            nodes: tables.node * room.nodes.used as u64 + tables.permutation * of_nodes as u64,
            fee_vaults: tables.fee_vault * room.fee_vaults.used as u64,
            owners: tables.permutation * of_owners as u64,
            fixed: tables.fixed,
            padding: 0,
        };
        used += shared.sum();
        let padding = tables.all.checked_sub(used);
        let padding = padding.context("a shard has more rows than its shape")?;
        self.shared.add(Shared { padding, ..shared });
        self.shards.push(Shard {
            shape: witness.shape,
            blowup: tables.blowup,
            transactions: witness.transactions.len(),
            used: room,
            cells: tables.all,
        });
        Ok(())
    }

    fn finish(self) -> Breakdown {
        let contracts = self.contracts.list().zip(self.own);
        let contracts = contracts.filter(|(_, (transactions, _))| *transactions > 0);
        let contracts = contracts.map(|(law, (transactions, cells))| Contract {
            name: law.name(),
            transactions,
            cells_each: cells as f64 / transactions as f64,
            cells,
        });
        Breakdown {
            contracts: contracts.collect(),
            shared: self.shared,
            cells: self.shards.iter().map(|shard| shard.cells).sum(),
            shards: self.shards,
        }
    }
}

impl Shared {
    fn add(&mut self, other: Self) {
        self.records += other.records;
        self.nodes += other.nodes;
        self.fee_vaults += other.fee_vaults;
        self.owners += other.owners;
        self.fixed += other.fixed;
        self.padding += other.padding;
    }

    fn sum(&self) -> u64 {
        self.records + self.nodes + self.fee_vaults + self.owners + self.fixed + self.padding
    }
}

/// The count that the shard was cut by.
fn usage(contracts: &Contracts, witness: &ShardWitness) -> Result<Usage> {
    let records = &witness.records;
    let is_vault = |index| {
        let found = records.binary_search_by_key(&index, |(index, _)| *index);
        found.is_ok_and(|place| records[place].1.is_vault())
    };
    let mut usage = Usage::default();
    for transaction in &witness.transactions {
        usage.add(contracts, transaction, is_vault, &[witness.shape])?;
    }
    Ok(usage)
}

#[cfg(test)]
mod tests;
