//! Arguments of the commands about settlement on an EVM chain.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::chain::ChainArgs;
use super::{CacheArgs, Profile, UnsoundArgs, threads};

/// Where what a batch changes is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DataMode {
    /// In the transaction that settles it.
    Calldata,
    /// In blobs beside it.
    Blobs,
}

/// Arguments of `wrap`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  shardfold prove run/batch.bin -o run/proof.bin --changes run/changes.bin
  shardfold wrap run/proof.bin -o run/settlement.bin
  shardfold verify run/settlement.bin --min-security 100
The settlement proof states what the validity proof states, and what the batch changes as a
polynomial at a point that depends on where that is published, in a form that a contract on an EVM
chain verifies: its bytes after the file's header of 20 are what the contract gets.")]
pub struct WrapArgs {
    /// The validity proof.
    pub proof: PathBuf,
    /// What the batch changes, as `prove --changes` writes it; by default changes.bin beside the proof.
    #[arg(long, value_name = "FILE")]
    pub changes: Option<PathBuf>,
    /// Where the settlement proof goes.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Where what the batch changes will be published; by default in calldata, if there is room for it
    /// beside the proof, or else in blobs.
    #[arg(long, value_enum, value_name = "PLACE")]
    pub data: Option<DataMode>,
    /// The verification key of the validity proof; by default the one of its profile that is built
    /// in.
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Where the key of the settlement proof goes, from which the contract's verifier is made.
    #[arg(long, value_name = "FILE")]
    pub settlement_key: Option<PathBuf>,
    /// Where the circuits are kept.
    #[command(flatten)]
    pub cache: CacheArgs,
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

/// Arguments of `verifier`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  shardfold verifier -o verifier
  shardfold verifier --key settlement.key -o verifier
Create the contracts first.hex and second.hex, which hold data as their code, then verifier.hex with
their two addresses behind it, as its constructor takes them. What is deployed is right if its
dataHash() is the one printed here, and its code that of settlement/evm/artefacts/Verifier.json.")]
pub struct VerifierArgs {
    /// The settlement key; by default that of the profile which is built in.
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// The security profile of the key that is built in.
    #[arg(long, value_enum, default_value_t = Profile::Proven100, conflicts_with = "key")]
    pub profile: Profile,
    /// The folder for first.hex, second.hex and verifier.hex, made if it is not there.
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// Print one JSON object as the last line of standard output.
    #[arg(long)]
    pub json: bool,
    /// Whether the key may be of the unsound profile.
    #[command(flatten)]
    pub unsound: UnsoundArgs,
}

/// Arguments of `settle-call`.
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  shardfold settle-call run/settlement.bin --changes run/changes.bin
Prints the call of the contract's settle, in hexadecimal digits: the proof, what the batch owes, and
the differences of its records, or what opens the blobs that have them. Anything that signs and sends
transactions takes it from there.")]
pub struct SettleCallArgs {
    /// The settlement proof of the batch.
    pub proof: PathBuf,
    /// What the batch changes, as `prove --changes` writes it; by default changes.bin beside the proof.
    #[arg(long, value_name = "FILE")]
    pub changes: Option<PathBuf>,
    /// The checkpoint up to which the batch takes the queue, if it takes some items but not all.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub checkpoint: u64,
    /// The folder for the blobs, if the proof is of data in blobs: a file for each, named by its hash.
    #[arg(long, value_name = "DIR")]
    pub blobs: Option<PathBuf>,
    /// Print one JSON object as the last line of standard output.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `archive`.
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  shardfold archive --rpc URL --contract ADDRESS --beacon URL -o archive
Keeps what the chain says of a ledger, so that `rebuild` and `exit-drill` need nobody's help:
  archive/contract.json  all events of the contract, its code, and where it stands
  archive/blobs          what is published in blobs, a file for each, named by its hash
Nodes drop blobs after some eighteen days, and some drop old events: run it more often, into the same
folder, where events that are there already are not asked for again. What the nodes say is held against
the contract's own counts, head and queue before anything is replaced. A blob that the beacon node does
not give is warned about, and keeps no other from being fetched; the command ends badly if one is
missing in the end, after everything else was written.")]
pub struct ArchiveArgs {
    /// The contract and the nodes.
    #[command(flatten)]
    pub chain: ChainArgs,
    /// The URL of a beacon node that is asked for the blobs that are not in the archive yet.
    #[arg(long, value_name = "URL")]
    pub beacon: Option<String>,
    /// The archive: a folder, made if it is not there.
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// Print one JSON object as the last line of standard output.
    #[arg(long)]
    pub json: bool,
}

/// What was kept of a ledger.
#[derive(Args, Debug)]
pub struct KeptArgs {
    /// The archive: a folder, as `archive` keeps it.
    pub archive: PathBuf,
    /// The folder with the blobs of batches that are published in blobs, a file for each, named by its
    /// hash; by default blobs in the archive. They need not be believed.
    #[arg(long, value_name = "DIR")]
    pub blobs: Option<PathBuf>,
    /// The state that the ledger started from: a file.
    #[arg(long, value_name = "FILE")]
    pub genesis: PathBuf,
}

/// Arguments of `rebuild`.
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  shardfold archive --rpc URL --contract ADDRESS --beacon URL -o archive
  shardfold rebuild archive --genesis genesis.bin -o state.bin
Needs no network. Each batch is checked against its head, and the last head against the contract's: what
is believed is that the archive is of the contract that you mean.")]
pub struct RebuildArgs {
    /// What was kept of the ledger.
    #[command(flatten)]
    pub kept: KeptArgs,
    /// Where the state goes.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Print one JSON object as the last line of standard output.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `escape`.
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  shardfold state import state.bin --state ledger
  shardfold state prove 7 --state ledger -o record.bin
  shardfold escape record.bin --owner-key HEX --to ADDRESS
Prints the call, in hexadecimal digits, with which anybody takes the vault out of a frozen contract;
what it holds goes to ADDRESS, which is part of the vault's owner.")]
pub struct EscapeArgs {
    /// The proof of the vault's record at the last settled head, as `state prove` writes it.
    pub record: PathBuf,
    /// The owner's public key: five elements of 8 bytes, big-endian, in 80 hexadecimal digits.
    #[arg(long, value_name = "HEX")]
    pub owner_key: String,
    /// The owner's address on the base chain, 40 hexadecimal digits.
    #[arg(long, value_name = "ADDRESS")]
    pub to: String,
    /// Print one JSON object as the last line of standard output.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `exit-drill`.
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  shardfold archive --rpc URL --contract ADDRESS --beacon URL -o archive
  shardfold exit-drill archive --genesis genesis.bin --owner-key HEX --to ADDRESS -o drill
Asks nobody and needs no network. The calls pay the withdrawals to ADDRESS, deposits of the key that no
batch took, and its vaults, shares, positions and payouts; they are sent in the order of their numbers.
Who repays a position's debt pays it with the call, and after 30 days gets the collateral. Calls of an
earlier drill, also of one that was interrupted, have to be removed from DIR first.
They are written before the key is made, which takes minutes. What the logs say to have left has no call
and is named; so is what nobody can get out.
The archive's contract.json can be written by hand, of what nodes answer:
  { \"block\": 123, \"code\": { \"rollup\": { \"address\": \"0x...\", \"code\": \"0x...\" }, \"hashes\": ...,
    \"verifier\": ..., \"first\": ..., \"second\": ..., \"head_digest\": \"0x...\",
    \"queue_commitment\": \"0x...\" }, \"logs\": [...] }
with what eth_getLogs and eth_getCode answer; `hashes`, `verifier`, `headDigest` and `queueCommitment` are
what the rollup answers by these names, `first` and `second` what the verifier does.")]
pub struct ExitDrillArgs {
    /// What was kept of the ledger.
    #[command(flatten)]
    pub kept: KeptArgs,
    /// The security profile that the contract's verifier is of.
    #[arg(long, value_enum, default_value_t = Profile::Proven100)]
    pub profile: Profile,
    /// The owner's public key: five elements of 8 bytes, big-endian, in 80 hexadecimal digits.
    #[arg(long, value_name = "HEX")]
    pub owner_key: String,
    /// The owner's address on the base chain, 40 hexadecimal digits.
    #[arg(long, value_name = "ADDRESS")]
    pub to: String,
    /// The folder for state.bin, settlement.key, the circuits and the calls; made if it is not there.
    /// Circuits that are in it already are used again: an empty folder makes all anew.
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// Print one JSON object as the last line of standard output.
    #[arg(long)]
    pub json: bool,
    /// Whether the key may be of the unsound profile.
    #[command(flatten)]
    pub unsound: UnsoundArgs,
}
