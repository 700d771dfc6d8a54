//! Arguments of the commands that talk to a chain.

use shardfold_submitter::waiting::GROUP;
use std::path::PathBuf;

use clap::Args;

use super::{Profile, UnsoundArgs};

/// Which contract, and through which nodes.
#[derive(Args, Debug)]
pub struct ChainArgs {
    /// The contract's address, 40 hexadecimal digits.
    #[arg(long, value_name = "ADDRESS")]
    pub contract: String,
    /// The URL of a node. May be repeated: the next one is asked where one does not answer.
    #[arg(
        long,
        value_name = "URL",
        env = "SHARDFOLD_RPC",
        value_delimiter = ',',
        hide_env_values = true,
        required = true
    )]
    pub rpc: Vec<String>,
}

/// Arguments of `settle`.
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  shardfold settle run/settlement.bin --contract ADDRESS --rpc URL --key settler.key
Before anything is spent, all that the contract would refuse is found out: head, verifier, queue,
time, size, gas, balance, and whether the settler may settle; then a node tries the call out. What is
signed is in the journal before it is sent, so that after a crash the same command goes on with the
same transaction. A batch that is settled already is no error. Where the proof has its data in blobs,
they go beside the transaction and into the folder of --blobs: keep them, since nodes do not.")]
pub struct SettleArgs {
    /// The settlement proof of a batch.
    pub proof: PathBuf,
    /// What the batch changes, as `prove --changes` writes it; by default changes.bin beside the proof.
    #[arg(long, value_name = "FILE")]
    pub changes: Option<PathBuf>,
    /// The contract and the nodes.
    #[command(flatten)]
    pub chain: ChainArgs,
    /// The file with the settler's key, 64 hexadecimal digits, which nobody else may read; by default
    /// $SHARDFOLD_SETTLER_KEY is the key itself.
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// The settlement key of the proof; by default the one of its profile that is built in.
    #[arg(long, value_name = "FILE")]
    pub settlement_key: Option<PathBuf>,
    /// The checkpoint up to which the batch takes the queue; by default it is looked for where one is
    /// needed.
    #[arg(long, value_name = "N")]
    pub checkpoint: Option<u64>,
    /// How many blocks must follow the one of the settlement.
    #[arg(long, value_name = "BLOCKS", default_value_t = 12)]
    pub depth: u64,
    /// Where the journal is; by default PROOF.journal.
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
    /// The folder for the blobs, if the proof is of data in blobs: a file for each, named by its hash; by
    /// default blobs beside the proof.
    #[arg(long, value_name = "DIR")]
    pub blobs: Option<PathBuf>,
    /// The most that a unit of gas may cost, in units of 10^9 wei.
    #[arg(long, value_name = "GWEI", default_value_t = 200)]
    pub max_fee: u64,
    /// The most that a unit of blob gas may cost, in units of 10^9 wei; a blob takes 131,072.
    #[arg(long, value_name = "GWEI", default_value_t = 200)]
    pub max_blob_fee: u64,
    /// After so many seconds a transaction that is not mined is sent with a higher fee.
    #[arg(long, value_name = "SECONDS", default_value_t = 180)]
    pub patience: u64,
    /// Whether the key may be of the unsound profile.
    #[command(flatten)]
    pub unsound: UnsoundArgs,
    /// Print one JSON object as the last line of standard output.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `deposits`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  shardfold deposits --contract ADDRESS --rpc URL --state ledger -o run/batch.bin
  shardfold deposits --into orders.bin --contract ADDRESS --rpc URL --state ledger -o run/batch.bin
Reads what waits in the contract's queue, deposits and forced exits, as far as it is deep enough, and
checks it against the contract. The batch takes it in order and ends where `settle` can settle it;
the transactions of --into follow. A deposit goes to its owner's vault of the asset, or to the first
index after all records, or an empty one before them.")]
pub struct DepositsArgs {
    /// The contract and the nodes.
    #[command(flatten)]
    pub chain: ChainArgs,
    /// The ledger before the batch: a state file, or the folder of a state database.
    #[arg(long, value_name = "FILE|DIR")]
    pub state: PathBuf,
    /// Where the batch goes: JSON if its name ends with .json, binary otherwise.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// A batch on the same state, whose transactions follow, and whose time is the new one's.
    #[arg(long, value_name = "BATCH")]
    pub into: Option<PathBuf>,
    /// How many blocks must follow the one of an item.
    #[arg(long, value_name = "BLOCKS", default_value_t = 12)]
    pub depth: u64,
    /// How many items to take at most: by default as many as lie between two ends of a batch, which fit
    /// one settlement.
    #[arg(long, value_name = "COUNT", default_value_t = GROUP)]
    pub max_items: u64,
    /// A vault of the operator, for the fees in its asset. May be repeated: one for each asset. Other
    /// fees go to the depositor.
    #[arg(long, value_name = "INDEX")]
    pub fee_vault: Vec<u32>,
    /// Print one JSON object as the last line of standard output.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `devnet`.
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  shardfold devnet -o devnet
Starts a chain on this machine (`anvil`), puts the contracts on it, and lets five people pay in, trade,
lend and leave: two batches, of which the second has a transaction of every kind, each proven, wrapped
and settled by the commands that an operator uses. At the end everybody's balance is accounted for, to
the unit. With the default profile it takes some minutes, and one or two more where circuits are not
in the cache.")]
pub struct DevnetArgs {
    /// The folder for everything that is made; it must not be there yet, or be empty.
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// The program `anvil`; by default $SHARDFOLD_ANVIL, or else the one on the path.
    #[arg(long, value_name = "FILE")]
    pub anvil: Option<PathBuf>,
    /// The security profile of the proofs.
    #[arg(long, value_enum, default_value_t = Profile::Proven100)]
    pub profile: Profile,
    /// Whether it may be the unsound one.
    #[command(flatten)]
    pub unsound: UnsoundArgs,
}
