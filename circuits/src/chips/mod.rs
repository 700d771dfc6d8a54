//! The chips: each a table with constraints over its rows, which talk over buses.

use std::borrow::Cow;

use p3_air::{Air, BaseAir};
use p3_matrix::dense::RowMajorMatrix;

use crate::bus::ChipBuilder;
use crate::config::F;

pub mod deposit;
pub mod fee;
#[cfg(test)]
mod fixture;
pub mod ledger;
pub mod node;
pub mod poseidon2;
pub mod range;
pub mod record;
#[cfg(test)]
mod together;
pub mod transfer;
pub mod withdraw;

use deposit::DepositChip;
use fee::FeeChip;
use ledger::LedgerChip;
use node::NodeChip;
use poseidon2::Poseidon2Chip;
use range::RangeChip;
use record::RecordChip;
use transfer::TransferChip;
use withdraw::WithdrawChip;

/// Any chip, so that one STARK can prove all of them.
#[derive(Clone, Debug)]
pub enum Chip {
    /// The transactions in order.
    Ledger(LedgerChip),
    /// The rule of a transfer.
    Transfer(TransferChip),
    /// The rule of a deposit.
    Deposit(DepositChip),
    /// The rule of a withdrawal.
    Withdraw(WithdrawChip),
    /// The credit of fees to the operator's vaults.
    Fee(FeeChip),
    /// Touched records.
    Record(RecordChip),
    /// Touched inner nodes of the state tree.
    Node(NodeChip),
    /// Compressions.
    Poseidon2(Poseidon2Chip),
    /// The 16-bit table.
    Range(RangeChip),
}

impl Chip {
    /// The name of the chip's folder.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ledger(_) => "ledger",
            Self::Transfer(_) => "transfer",
            Self::Deposit(_) => "deposit",
            Self::Withdraw(_) => "withdraw",
            Self::Fee(_) => "fee",
            Self::Record(_) => "record",
            Self::Node(_) => "node",
            Self::Poseidon2(_) => "poseidon2",
            Self::Range(_) => "range",
        }
    }

    fn base(&self) -> &dyn BaseAir<F> {
        match self {
            Self::Ledger(chip) => chip,
            Self::Transfer(chip) => chip,
            Self::Deposit(chip) => chip,
            Self::Withdraw(chip) => chip,
            Self::Fee(chip) => chip,
            Self::Record(chip) => chip,
            Self::Node(chip) => chip,
            Self::Poseidon2(chip) => chip,
            Self::Range(chip) => chip,
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
            Self::Ledger(chip) => chip.eval(builder),
            Self::Transfer(chip) => chip.eval(builder),
            Self::Deposit(chip) => chip.eval(builder),
            Self::Withdraw(chip) => chip.eval(builder),
            Self::Fee(chip) => chip.eval(builder),
            Self::Record(chip) => chip.eval(builder),
            Self::Node(chip) => chip.eval(builder),
            Self::Poseidon2(chip) => chip.eval(builder),
            Self::Range(chip) => chip.eval(builder),
        }
    }
}
