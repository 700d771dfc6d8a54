//! Traces of mainnet traffic, imported as transfers between vaults.
//!
//! A trace is a CSV file with a value movement a line; of its columns `kind`, `from`, `to`,
//! `asset_in` and `amount_in` are used, and `timestamp` where it is there.

mod assets;
mod import;
mod plan;
mod read;

pub use assets::AssetPlan;
pub use import::{Import, Options};
pub use plan::{Holding, Plan, PlanError, TransferPlan, VaultPlan};
pub use read::{FieldError, TraceError};

use num_bigint::BigUint;
use shardfold_protocol::address::Address;

/// One transfer of the trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// Who pays.
    pub from: Address,
    /// Who is paid.
    pub to: Address,
    /// The token contract's address, 0x and 40 lower-case digits, or a name such as `eth`.
    pub asset: String,
    /// In the asset's smallest unit.
    pub amount: BigUint,
    /// When, in seconds, if the trace says.
    pub time: Option<u64>,
}

/// A trace without its swaps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// In the order of the file.
    pub transfers: Vec<Movement>,
    /// Swaps are not imported yet.
    pub swaps_skipped: usize,
}

impl Trace {
    /// Cuts the transfers to a length, or repeats them from the first to the last until there
    /// are so many.
    pub fn resize(&mut self, length: usize) {
        let cycle = self.transfers.iter().cycle();
        self.transfers = cycle.take(length).cloned().collect();
    }
}

#[cfg(test)]
mod tests;
