//! Traces of mainnet traffic, imported as transfers between vaults.
//!
//! A trace is a CSV file with a value movement a line; of its columns `kind`, `from`, `to`,
//! `asset_in` and `amount_in` are used.

mod import;
mod plan;

pub use import::{Import, Options};
pub use plan::{Holding, Plan, TransferPlan, VaultPlan};

use std::path::Path;

use num_bigint::BigUint;
use serde::Deserialize;
use thiserror::Error;

/// A 20-byte address of the base chain.
pub type Address = [u8; 20];

/// One transfer of the trace.
#[derive(Clone, Debug)]
pub struct Movement {
    /// Who pays.
    pub from: Address,
    /// Who is paid.
    pub to: Address,
    /// `eth` or the token contract's address, as written.
    pub asset: String,
    /// In the asset's smallest unit.
    pub amount: BigUint,
}

/// A trace, swaps left out.
#[derive(Clone, Debug)]
pub struct Trace {
    /// In the order of the file.
    pub transfers: Vec<Movement>,
    /// Swaps are not imported yet.
    pub swaps_skipped: usize,
}

/// Why a trace cannot be read.
#[derive(Debug, Error)]
pub enum TraceError {
    /// The file, or a line of it that is no CSV record of the columns; the source says which.
    #[error("the trace cannot be read: {0}")]
    Csv(#[from] csv::Error),
    /// A kind that does not exist.
    #[error("line {line}: the kind is `{found}`, expected `transfer` or `swap`")]
    Kind {
        /// The line, from 1.
        line: u64,
        /// What stands there.
        found: Box<str>,
    },
    /// Text that is no address.
    #[error("line {line}, column `{column}`: `{found}` is no address of 0x and 40 hex digits")]
    Address {
        /// The line, from 1.
        line: u64,
        /// The column's name.
        column: &'static str,
        /// What stands there.
        found: Box<str>,
    },
    /// Text that is no amount.
    #[error("line {line}, column `amount_in`: `{found}` is no integer")]
    Amount {
        /// The line, from 1.
        line: u64,
        /// What stands there.
        found: Box<str>,
    },
}

#[derive(Deserialize)]
struct Line {
    kind: Box<str>,
    from: Box<str>,
    to: Box<str>,
    asset_in: String,
    amount_in: Box<str>,
}

impl Trace {
    /// Reads a CSV trace.
    ///
    /// # Errors
    /// Those of the file, and the first line that is not understood.
    pub fn read(path: &Path) -> Result<Self, TraceError> {
        let mut reader = csv::Reader::from_path(path)?;
        let mut trace = Self {
            transfers: Vec::new(),
            swaps_skipped: 0,
        };
        // The first line names the columns.
        for (entry, line) in reader.deserialize::<Line>().zip(2..) {
            let entry = entry?;
            match &*entry.kind {
                "transfer" => trace.transfers.push(movement(entry, line)?),
                "swap" => trace.swaps_skipped += 1,
                _ => {
                    let found = entry.kind;
                    return Err(TraceError::Kind { line, found });
                }
            }
        }
        Ok(trace)
    }

    /// Cuts the transfers to a length, or repeats them from the first to the last until there
    /// are so many.
    pub fn resize(&mut self, length: usize) {
        let cycle = self.transfers.iter().cycle();
        self.transfers = cycle.take(length).cloned().collect();
    }
}

fn movement(entry: Line, line: u64) -> Result<Movement, TraceError> {
    Ok(Movement {
        from: address(entry.from, line, "from")?,
        to: address(entry.to, line, "to")?,
        asset: entry.asset_in,
        amount: entry.amount_in.parse().map_err(|_| TraceError::Amount {
            line,
            found: entry.amount_in,
        })?,
    })
}

/// Parses `0x` and 40 hex digits.
fn address(found: Box<str>, line: u64, column: &'static str) -> Result<Address, TraceError> {
    let mut bytes = [0; 20];
    let digits = found.strip_prefix("0x");
    match digits.map(|digits| hex::decode_to_slice(digits, &mut bytes)) {
        Some(Ok(())) => Ok(bytes),
        _ => Err(TraceError::Address {
            line,
            column,
            found,
        }),
    }
}
