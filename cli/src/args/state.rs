//! Arguments of `state`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use shardfold_protocol::record::Index;

/// What to do with a state database: a folder with the ledger between batches.
#[derive(Subcommand, Debug)]
#[command(after_help = "\
Example:
  shardfold state import run/genesis.bin --state ledger
  shardfold execute run/batch.bin --state ledger
  shardfold state get 0 1 2 --state ledger")]
pub enum StateCommand {
    /// Make a database of a genesis or a snapshot.
    Import(StateImportArgs),
    /// Write a snapshot, from which a database can be made elsewhere.
    Export(ExportArgs),
    /// Print the records at some indices.
    Get(GetArgs),
    /// Prove a record: its path in the state tree, up to the state root of the head.
    Prove(ProveRecordArgs),
    /// Check a record proof, or hash the whole database anew.
    Check(CheckArgs),
    /// Print the batches that led to the head.
    History(HistoryArgs),
}

/// Which database, and for whom to print.
#[derive(Args, Debug)]
pub struct DatabaseArgs {
    /// The folder of the state database.
    #[arg(long, value_name = "DIR")]
    pub state: PathBuf,
    /// Print one JSON object as the last line of standard output.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `state import`.
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  shardfold state import run/genesis.bin --state ledger
An import that is interrupted leaves state.redb.partial in the folder: remove it and start again.")]
pub struct StateImportArgs {
    /// A state file, binary or JSON: a genesis, or what `export` has written.
    pub file: PathBuf,
    /// The folder, made if it is not there; it must be empty.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// Arguments of `state export`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  shardfold state export --state ledger -o snapshot.bin")]
pub struct ExportArgs {
    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Where the state file goes: JSON if its name ends with .json, binary otherwise.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

/// Arguments of `state get`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  shardfold state get 0 1 2 --state ledger")]
pub struct GetArgs {
    /// Where the records lie.
    #[arg(required = true, value_name = "INDEX")]
    pub indices: Vec<Index>,
    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// Arguments of `state prove`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  shardfold state prove 7 --state ledger
  shardfold state prove 7 --state ledger -o vault7.json
An empty record can be proven too.")]
pub struct ProveRecordArgs {
    /// Where the record lies.
    pub index: Index,
    /// The folder of the state database.
    #[arg(long, value_name = "DIR")]
    pub state: PathBuf,
    /// Where the proof goes, as JSON; by default to standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Arguments of `state check`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  shardfold state check --state ledger
  shardfold state check --proof vault7.json --state ledger
  shardfold state check --proof vault7.json --head next.bin
The first one reads and hashes everything. The second one accepts a proof for the head of the
database or any earlier one in its history.")]
pub struct CheckArgs {
    /// A record proof, as `state prove` writes it.
    #[arg(long, value_name = "FILE")]
    pub proof: Option<PathBuf>,
    /// A state or batch file, whose head (where the batch starts) the proof must be for.
    #[arg(
        long,
        value_name = "FILE",
        requires = "proof",
        conflicts_with = "state"
    )]
    pub head: Option<PathBuf>,
    /// The folder of the state database.
    #[arg(long, value_name = "DIR", required_unless_present = "head")]
    pub state: Option<PathBuf>,
    /// Print one JSON object as the last line of standard output.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `state history`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  shardfold state history --state ledger")]
pub struct HistoryArgs {
    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
}
