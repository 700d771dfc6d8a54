//! Arguments of `quote`.

use std::path::PathBuf;

use clap::Args;
use shardfold_protocol::record::{Asset, Index};

/// Arguments of `quote`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  shardfold quote --state ledger --pools 40 --asset-in 0 --amount-in 5000000000
  shardfold quote --state run/genesis.bin --pools 40,41 --asset-in 0 --amount-out 100000000
The amounts are in the smallest units. The answer is what a swap would give as the next
transaction, at the state's head; a swap before it changes it, which is what a swap's limit is for.")]
pub struct QuoteArgs {
    /// The state: a file, or the folder of a state database.
    #[arg(long, value_name = "FILE|DIR")]
    pub state: PathBuf,
    /// Where the pools lie that are passed, in order: one to three.
    #[arg(long, value_name = "INDEX", value_delimiter = ',', required = true)]
    pub pools: Vec<Index>,
    /// What is paid.
    #[arg(long, value_name = "ASSET")]
    pub asset_in: Asset,
    /// How much is paid, exactly.
    #[arg(
        long,
        value_name = "N",
        required_unless_present = "amount_out",
        conflicts_with = "amount_out"
    )]
    pub amount_in: Option<u64>,
    /// How much is received, exactly.
    #[arg(long, value_name = "N")]
    pub amount_out: Option<u64>,
    /// Print one JSON object as the last line of standard output.
    #[arg(long)]
    pub json: bool,
}
