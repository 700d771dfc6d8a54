//! The chips: each a table with constraints over its rows, which talk over buses.

use std::borrow::Cow;

use p3_air::{Air, BaseAir};
use p3_matrix::dense::RowMajorMatrix;
use shardfold_contracts::Contracts;
use shardfold_contracts::readings::Bus;
use shardfold_protocol::curve::{DIGIT_SIZE, DIGITS, WINDOWS};
use shardfold_protocol::data::LOG_COEFFICIENTS;
use shardfold_protocol::shape::Shape;

use crate::bus::ChipBuilder;
use shardfold_protocol::field::F;

pub mod data;
pub mod fee;
pub mod fixed_base;
pub mod fixed_table;
pub mod muldiv;
pub mod node;
pub mod poseidon2;
pub mod range;
pub mod record;
pub mod signature;
pub mod transaction;
pub mod variable_base;
pub mod variable_table;
pub mod vault;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod removals;
#[cfg(test)]
mod together;

use data::DataChip;
use fee::FeeChip;
use fixed_base::FixedBaseChip;
use fixed_table::FixedTableChip;
use muldiv::MulDivChip;
use node::NodeChip;
use poseidon2::Poseidon2Chip;
use range::RangeChip;
use record::RecordChip;
use signature::SignatureChip;
use transaction::TransactionChip;
use variable_base::VariableBaseChip;
use variable_table::VariableTableChip;
use vault::VaultChip;

/// Any chip, so that one STARK can prove all of them.
#[derive(Clone, Debug)]
pub enum Chip {
    /// The transactions in order, by the rules of their contracts.
    Transaction(TransactionChip),
    /// The credit of fees to the operator's vaults.
    Fee(FeeChip),
    /// Accesses of vaults by contracts.
    Vault(VaultChip),
    /// Exact divisions.
    MulDiv(MulDivChip),
    /// Touched records.
    Record(RecordChip),
    /// Touched inner nodes of the state tree.
    Node(NodeChip),
    /// Compressions.
    Poseidon2(Poseidon2Chip),
    /// The 16-bit table.
    Range(RangeChip),
    /// The ladder s·G.
    FixedBase(FixedBaseChip),
    /// The multiples of the generator.
    FixedTable(FixedTableChip),
    /// The signatures.
    Signature(SignatureChip),
    /// The ladder e·P.
    VariableBase(VariableBaseChip),
    /// The multiples of the keys.
    VariableTable(VariableTableChip),
    /// The polynomial of a batch's differences: not of a shard.
    Data(DataChip),
}

impl Chip {
    /// Returns the tables of shards of a shape for a list of contracts, in their order: the chip of
    /// each, and log2 of its rows. Where a chip has two, they follow one another.
    #[must_use]
    pub fn tables(contracts: &'static Contracts, shape: &Shape) -> Vec<(Self, usize)> {
        let mut tables = vec![];
        for chip in Self::all(contracts) {
            let log_height = chip.log_height(shape);
            match chip {
                Self::VariableBase(_) | Self::FixedBase(_) => {
                    let rows_each = log_height - shape.log_transactions as usize;
                    let (log_first, log_second) = shape.log_ladders();
                    tables.push((chip.clone(), log_first as usize + rows_each));
                    tables.extend(log_second.map(|log_second| {
                        let second = chip.second(1 << log_first);
                        (second, log_second as usize + rows_each)
                    }));
                }
                other => tables.push((other, log_height)),
            }
        }
        tables
    }

    /// Returns the chip of a second table of ladders, where the first has so many.
    fn second(self, first: u32) -> Self {
        match self {
            Self::VariableBase(_) => Self::VariableBase(VariableBaseChip { first }),
            other => other,
        }
    }

    /// Returns every chip of a list of contracts once, in the order of a shard's tables. The tables
    /// that no contract of the list speaks to are left out.
    fn all(contracts: &'static Contracts) -> Vec<Self> {
        let mut chips = vec![Self::Transaction(TransactionChip { contracts })];
        if contracts.speaks(Bus::Vault) {
            chips.push(Self::Vault(VaultChip));
        }
        if contracts.speaks(Bus::MulDiv) {
            chips.push(Self::MulDiv(MulDivChip));
        }
        chips.extend([
            Self::Fee(FeeChip),
            Self::Signature(SignatureChip),
            Self::VariableTable(VariableTableChip),
            Self::VariableBase(VariableBaseChip { first: 0 }),
            Self::FixedBase(FixedBaseChip),
            Self::Record(RecordChip),
            Self::Node(NodeChip),
            Self::Poseidon2(Poseidon2Chip),
            Self::FixedTable(FixedTableChip),
            Self::Range(RangeChip),
        ]);
        chips
    }

    /// Returns the chips of the proof that holds a batch's differences against what is published of
    /// them, with log2 of their rows.
    #[must_use]
    pub const fn of_data() -> [(Self, usize); 3] {
        [
            (Self::Data(DataChip), LOG_COEFFICIENTS),
            (Self::Poseidon2(Poseidon2Chip), LOG_COEFFICIENTS),
            (Self::Range(RangeChip), range::LOG_RANGE),
        ]
    }

    /// Returns log2 of the chip's rows in shards of a shape; of ladders, were all of them in one table.
    const fn log_height(&self, shape: &Shape) -> usize {
        let transactions = shape.log_transactions as usize;
        match self {
            Self::Transaction(_) | Self::Fee(_) | Self::Signature(_) => transactions,
            Self::VariableTable(_) => transactions + DIGIT_SIZE.ilog2() as usize,
            Self::VariableBase(_) => transactions + DIGITS.ilog2() as usize,
            Self::FixedBase(_) => transactions + WINDOWS.ilog2() as usize,
            Self::Vault(_) => shape.log_vaults as usize,
            Self::MulDiv(_) => shape.log_divisions as usize,
            Self::Record(_) => shape.log_records as usize,
            Self::Node(_) => shape.log_nodes as usize,
            Self::Poseidon2(_) => shape.log_permutations as usize,
            Self::FixedTable(_) => fixed_table::LOG_HEIGHT,
            Self::Range(_) => range::LOG_RANGE,
            Self::Data(_) => LOG_COEFFICIENTS,
        }
    }

    /// Returns the name of the chip's folder.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Transaction(_) => "transaction",
            Self::Fee(_) => "fee",
            Self::Vault(_) => "vault",
            Self::MulDiv(_) => "muldiv",
            Self::Record(_) => "record",
            Self::Node(_) => "node",
            Self::Poseidon2(_) => "poseidon2",
            Self::Range(_) => "range",
            Self::FixedBase(_) => "fixed_base",
            Self::FixedTable(_) => "fixed_table",
            Self::Signature(_) => "signature",
            Self::VariableBase(_) => "variable_base",
            Self::VariableTable(_) => "variable_table",
            Self::Data(_) => "data",
        }
    }

    fn base(&self) -> &dyn BaseAir<F> {
        match self {
            Self::Transaction(chip) => chip,
            Self::Fee(chip) => chip,
            Self::Vault(chip) => chip,
            Self::MulDiv(chip) => chip,
            Self::Record(chip) => chip,
            Self::Node(chip) => chip,
            Self::Poseidon2(chip) => chip,
            Self::Range(chip) => chip,
            Self::FixedBase(chip) => chip,
            Self::FixedTable(chip) => chip,
            Self::Signature(chip) => chip,
            Self::VariableBase(chip) => chip,
            Self::VariableTable(chip) => chip,
            Self::Data(chip) => chip,
        }
    }
}

// Everything that some chip overrides is passed on: the default would prove something else.
impl BaseAir<F> for Chip {
    fn width(&self) -> usize {
        self.base().width()
    }

    fn preprocessed_trace(&self) -> Option<RowMajorMatrix<F>> {
        self.base().preprocessed_trace()
    }

    fn preprocessed_width(&self) -> usize {
        self.base().preprocessed_width()
    }

    fn num_periodic_columns(&self) -> usize {
        self.base().num_periodic_columns()
    }

    fn periodic_columns(&self) -> Cow<'_, [Vec<F>]> {
        self.base().periodic_columns()
    }

    fn main_next_row_columns(&self) -> Vec<usize> {
        self.base().main_next_row_columns()
    }

    fn preprocessed_next_row_columns(&self) -> Vec<usize> {
        self.base().preprocessed_next_row_columns()
    }

    fn max_constraint_degree(&self) -> Option<usize> {
        self.base().max_constraint_degree()
    }

    fn num_public_values(&self) -> usize {
        self.base().num_public_values()
    }
}

impl<AB: ChipBuilder> Air<AB> for Chip {
    fn eval(&self, builder: &mut AB) {
        match self {
            Self::Transaction(chip) => chip.eval(builder),
            Self::Fee(chip) => chip.eval(builder),
            Self::Vault(chip) => chip.eval(builder),
            Self::MulDiv(chip) => chip.eval(builder),
            Self::Record(chip) => chip.eval(builder),
            Self::Node(chip) => chip.eval(builder),
            Self::Poseidon2(chip) => chip.eval(builder),
            Self::Range(chip) => chip.eval(builder),
            Self::FixedBase(chip) => chip.eval(builder),
            Self::FixedTable(chip) => chip.eval(builder),
            Self::Signature(chip) => chip.eval(builder),
            Self::VariableBase(chip) => chip.eval(builder),
            Self::VariableTable(chip) => chip.eval(builder),
            Self::Data(chip) => chip.eval(builder),
        }
    }
}
