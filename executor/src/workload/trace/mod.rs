//! Traces of mainnet traffic, imported as transfers between vaults and swaps in pools.
//!
//! A trace is a CSV file with a value movement a line; of its columns `kind`, `from`, `to`,
//! `asset_in` and `amount_in` are used, and `timestamp`, `asset_out` and `min_out` where they are
//! there. A file of swaps with the reserves of their pools is a [`PoolTrace`].

mod assets;
mod import;
mod plan;
mod pool_import;
mod pools;
mod read;
mod reserves;

pub use assets::AssetPlan;
pub use import::{Import, Options};
pub use plan::{Action, Holding, Plan, PlanError, SwapPlan, TransferPlan, VaultPlan};
pub use pool_import::{PoolImport, ScaledSwap};
pub use pools::PoolPlan;
pub use read::{FieldError, TraceError};
pub use reserves::{PoolSwap, PoolTrace};

use num_bigint::BigUint;
use shardfold_protocol::address::Address;

/// One transfer or swap of the trace.
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
    /// What it is swapped for; `None` for a transfer.
    pub swap: Option<SwapOf>,
}

/// What a swap is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwapOf {
    /// What is received.
    pub asset: String,
    /// The least that is, in the asset's smallest unit.
    pub least: BigUint,
}

/// A trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// Transfers and swaps in the order of the file.
    pub movements: Vec<Movement>,
    /// Swaps of a file that does not say what they are for.
    pub swaps_skipped: usize,
}

impl Trace {
    /// Cuts the trace to a length, or repeats it from the first to the last movement until there
    /// are so many.
    pub fn resize(&mut self, length: usize) {
        let cycle = self.movements.iter().cycle();
        self.movements = cycle.take(length).cloned().collect();
    }
}

#[cfg(test)]
mod tests;
