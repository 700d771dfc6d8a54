//! Reproducible batches for tests and benchmarks: the same seed gives the same bytes.

mod builder;
pub mod defi;
mod forge;
mod pattern;
mod random;
pub mod trace;

pub use builder::{Body, Builder, Keys};
pub use forge::forge;
pub use pattern::{Pattern, Plan};
pub use random::{Random, Zipf};

use shardfold_protocol::batch::Batch;
use shardfold_protocol::record::{Asset, Index};
use shardfold_protocol::state::{State, StateFile, VaultEntry};

/// The asset of the vaults of a workload.
pub const ASSET: Asset = 7;
/// The chain of a workload.
pub const CHAIN_ID: u64 = 1_001;
/// What each vault holds at first.
pub const BALANCE: u64 = 1 << 40;

/// A state and a batch for it.
#[derive(Clone, Debug)]
pub struct Workload {
    /// A genesis.
    pub state: State,
    /// Starts at the genesis.
    pub batch: Batch,
}

/// Returns a genesis of vaults at indices 0, 1, ... with [`BALANCE`] of [`ASSET`] each; vault i
/// belongs to key i modulo the number of keys.
///
/// # Panics
/// Never: these vaults are well formed.
#[must_use]
pub fn genesis(keys: &Keys, vaults: u32) -> State {
    let entry = |index: Index| VaultEntry {
        index,
        owner: keys.owner(index as usize),
        asset: ASSET,
        balance: BALANCE,
        nonce: 0,
    };
    let vaults = (0..vaults).map(entry).collect();
    State::try_from(&StateFile {
        chain_id: CHAIN_ID,
        head: None,
        vaults,
        records: vec![],
    })
    .expect("ascending vaults with small balances")
}
