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
pub mod range;
#[cfg(test)]
mod together;
pub mod transfer;
pub mod withdraw;

use deposit::DepositChip;
use fee::FeeChip;
use ledger::LedgerChip;
use range::RangeChip;
use transfer::TransferChip;
use withdraw::WithdrawChip;

/// The largest degree of a constraint. A chip whose own constraints have a lower one says so,
/// so that two messages of a bus share a column.
pub const MAX_CONSTRAINT_DEGREE: usize = 3;

/// Any chip, so that one STARK can prove all of them.
#[derive(Clone, Debug)]
pub enum Chip {
    /// Credits fees to the operator's vaults.
    Fee(FeeChip),
    /// The rule of a deposit.
    Deposit(DepositChip),
    /// The transactions in order.
    Ledger(LedgerChip),
    /// The 16-bit table.
    Range(RangeChip),
    /// The rule of a transfer.
    Transfer(TransferChip),
    /// The rule of a withdrawal.
    Withdraw(WithdrawChip),
}

impl Chip {
    /// The name of the chip's folder.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Deposit(_) => "deposit",
            Self::Fee(_) => "fee",
            Self::Ledger(_) => "ledger",
            Self::Range(_) => "range",
            Self::Transfer(_) => "transfer",
            Self::Withdraw(_) => "withdraw",
        }
    }

    fn base(&self) -> &dyn BaseAir<F> {
        match self {
            Self::Deposit(chip) => chip,
            Self::Fee(chip) => chip,
            Self::Ledger(chip) => chip,
            Self::Range(chip) => chip,
            Self::Transfer(chip) => chip,
            Self::Withdraw(chip) => chip,
        }
    }
}

// Everything is passed on: a default that is not would change what is proven.
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

    fn num_public_values(&self) -> usize {
        self.base().num_public_values()
    }

    fn max_constraint_degree(&self) -> Option<usize> {
        self.base().max_constraint_degree()
    }
}

impl<AB: ChipBuilder> Air<AB> for Chip {
    fn eval(&self, builder: &mut AB) {
        match self {
            Self::Deposit(chip) => chip.eval(builder),
            Self::Fee(chip) => chip.eval(builder),
            Self::Ledger(chip) => chip.eval(builder),
            Self::Range(chip) => chip.eval(builder),
            Self::Transfer(chip) => chip.eval(builder),
            Self::Withdraw(chip) => chip.eval(builder),
        }
    }
}
