//! Arguments of `import`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::CutArgs;

/// Arguments of `import`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  shardfold import examples/block-12459406/trace.csv -o run --fee 10
  shardfold import --scenario examples/scenarios/exchange.toml -o run
Of a trace every amount is read exactly or refused with its line. An asset whose movements are 2^60
or more together is scaled by a power of ten; what rounding takes is reported, and kept in
DIR/assets.csv. Swaps go through a pool for each pair, which is opened and funded; swaps that do not
say what they are for (columns asset_out, min_out) are skipped and counted. A trace with the columns
reserve0 and reserve1 is one of swaps in pools with just these reserves
(examples/uniswap-v2-swaps/trace.csv).
A scenario is played as it is read: each statement is accepted or refused as it says, or nothing
is written. It makes a batch for each time, DIR/batch-1.bin and so on, or DIR/batch.bin if there is
one, and DIR/names.csv, which says what lies where. Where shards end is part of the head at which
the next batch starts: give `execute` and `prove` the same --profile and --shape.")]
pub struct ImportArgs {
    /// The trace: CSV with kind, from, to, asset_in, amount_in, and timestamp, asset_out, min_out or
    /// not; or swaps with the reserves of their pools.
    #[arg(required_unless_present = "scenario", conflicts_with = "scenario")]
    pub trace: Option<PathBuf>,
    /// A scenario in words (TOML) in place of a trace.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["fee", "time", "deposits", "limit"]
    )]
    pub scenario: Option<PathBuf>,
    /// The folder for genesis.bin, the batches and the table of names; made if it is not there.
    #[arg(short, long, visible_alias = "out", value_name = "DIR")]
    pub output: PathBuf,
    /// Keys are derived from this seed and each address, or each person's number.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The fee of each transfer and swap, in the scaled unit of the asset paid.
    #[arg(long, default_value_t = 10)]
    pub fee: u64,
    /// The chain to which the transactions are bound.
    #[arg(long, default_value_t = 1)]
    pub chain_id: u64,
    /// The time of the batch, in seconds; by default the trace's last timestamp, or 1 second
    /// if it has none.
    #[arg(long, value_name = "SECONDS")]
    pub time: Option<u64>,
    /// Start from an empty state and fund the vaults by deposits.
    #[arg(long)]
    pub deposits: bool,
    /// Take only the first N transfers and swaps.
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// How the batches of a scenario are cut; a trace makes only one.
    #[command(flatten)]
    pub cut: CutArgs,
    /// The form of batch files.
    #[arg(long, value_enum, default_value_t = Format::Binary)]
    pub format: Format,
}

/// Forms of a batch file.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Small: batch.bin.
    Binary,
    /// For people: batch.json.
    Json,
}
