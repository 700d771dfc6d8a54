//! Arguments of `wrap`.

use std::path::PathBuf;

use clap::Args;

use super::{UnsoundArgs, threads};

/// Arguments of `wrap`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  shardfold wrap run/proof.bin -o run/settlement.bin
  shardfold verify run/settlement.bin --min-security 100
The settlement proof states what the validity proof states, in a form that a contract on an EVM
chain verifies: its bytes after the file's header of 20 are what the contract gets.")]
pub struct WrapArgs {
    /// The validity proof.
    pub proof: PathBuf,
    /// Where the settlement proof goes.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// The verification key of the validity proof; by default the one of its profile that is built
    /// in.
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Where the key of the settlement proof goes, from which the contract's verifier is made.
    #[arg(long, value_name = "FILE")]
    pub settlement_key: Option<PathBuf>,
    /// How many threads to use; by default $RAYON_NUM_THREADS, or else one for each core.
    #[arg(long, value_name = "N", value_parser = threads())]
    pub threads: Option<usize>,
    /// Print one JSON object as the last line of standard output.
    #[arg(long)]
    pub json: bool,
    /// Whether the key may be of the unsound profile.
    #[command(flatten)]
    pub unsound: UnsoundArgs,
}
