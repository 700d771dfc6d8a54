//! The chips: each a table with constraints over its rows, which talk over buses.

use std::borrow::Cow;

use p3_air::{Air, BaseAir};
use p3_matrix::dense::RowMajorMatrix;

use crate::bus::ChipBuilder;
use crate::config::F;

pub mod fixed_base;
pub mod fixed_table;
pub mod node;
pub mod poseidon2;
pub mod range;
pub mod record;
pub mod signature;
pub mod variable_base;
pub mod variable_table;

use fixed_base::FixedBaseChip;
use fixed_table::FixedTableChip;
use node::NodeChip;
use poseidon2::Poseidon2Chip;
use range::RangeChip;
use record::RecordChip;
use signature::SignatureChip;
use variable_base::VariableBaseChip;
use variable_table::VariableTableChip;

/// Any chip, so that one STARK can prove all of them.
#[derive(Clone, Debug)]
pub enum Chip {
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
}

impl Chip {
    /// The name of the chip's folder.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Record(_) => "record",
            Self::Node(_) => "node",
            Self::Poseidon2(_) => "poseidon2",
            Self::Range(_) => "range",
            Self::FixedBase(_) => "fixed_base",
            Self::FixedTable(_) => "fixed_table",
            Self::Signature(_) => "signature",
            Self::VariableBase(_) => "variable_base",
            Self::VariableTable(_) => "variable_table",
        }
    }

    fn base(&self) -> &dyn BaseAir<F> {
        match self {
            Self::Record(chip) => chip,
            Self::Node(chip) => chip,
            Self::Poseidon2(chip) => chip,
            Self::Range(chip) => chip,
            Self::FixedBase(chip) => chip,
            Self::FixedTable(chip) => chip,
            Self::Signature(chip) => chip,
            Self::VariableBase(chip) => chip,
            Self::VariableTable(chip) => chip,
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
            Self::Record(chip) => chip.eval(builder),
            Self::Node(chip) => chip.eval(builder),
            Self::Poseidon2(chip) => chip.eval(builder),
            Self::Range(chip) => chip.eval(builder),
            Self::FixedBase(chip) => chip.eval(builder),
            Self::FixedTable(chip) => chip.eval(builder),
            Self::Signature(chip) => chip.eval(builder),
            Self::VariableBase(chip) => chip.eval(builder),
            Self::VariableTable(chip) => chip.eval(builder),
        }
    }
}
