//! The command line.

mod chain;
mod cost;
mod cut;
mod fleet;
mod import;
mod quote;
mod settlement;
mod state;

pub use chain::*;
pub use cost::*;
pub use cut::*;
pub use fleet::*;
pub use import::*;
pub use quote::*;
pub use settlement::*;
pub use state::*;

use std::path::PathBuf;

use clap::builder::{FalseyValueParser, RangedU64ValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::threads::MAX_THREADS;

const EXAMPLES: &str = "\
Examples:
  shardfold import trace.csv -o run        mainnet traffic to run/genesis.bin and run/batch.bin
  shardfold import --scenario a.toml -o run
  shardfold execute run/batch.bin          run the batch, print receipts and the new head
  shardfold cost run/batch.bin             say what proving it takes, without proving
  shardfold prove run/batch.bin -o run/proof.bin
  shardfold verify run/proof.bin --min-security 100

Standard output is `-` as the name of an output, standard input as that of an input.

Exit codes:
  0  done
  1  invalid: a proof, a file or a batch is wrong, and the same again fails again
  2  usage: the command line asks for what cannot be
  3  cannot: a file, the network, space, a thread or a permission is missing";

/// Proves batches of transactions: executed in parallel, cut into shards, each proven by a
/// STARK, aggregated by plonky2 into one validity proof.
#[derive(Parser, Debug)]
#[command(name = "shardfold", version, about, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Log what happens inside (repeat for more); RUST_LOG overrides.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// How the log is written.
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

/// How the log is written, on standard error.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object for each event, a line each; an error that ends the command is one too.
    Json,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Turn real traffic, or a scenario in words, into a genesis state and signed batches.
    #[command(alias = "replay")]
    Import(ImportArgs),
    /// Run a batch without proving it.
    Execute(ExecuteArgs),
    /// Prove a batch: one validity proof for all of it.
    Prove(ProveArgs),
    /// Say what proving a batch takes, without proving it: shards, cells by contract, seconds, money.
    Cost(CostArgs),
    /// Check a validity proof, or a settlement proof, and print its statement.
    Verify(VerifyArgs),
    /// Turn a validity proof into a settlement proof, which a contract on an EVM chain verifies.
    Wrap(WrapArgs),
    /// Write the contracts that verify settlement proofs on a chain, made from their key.
    Verifier(VerifierArgs),
    /// Print the call that settles a proven batch on its contract.
    SettleCall(SettleCallArgs),
    /// Settle a proven batch on its contract, once.
    Settle(SettleArgs),
    /// Make a batch of what waits in the contract's queue.
    Deposits(DepositsArgs),
    /// Play the whole circle on a chain of this machine: pay in, trade, prove, settle, leave.
    Devnet(DevnetArgs),
    /// Keep what a chain says of a ledger: events, code, blobs.
    Archive(ArchiveArgs),
    /// Make the ledger's state from what its contract has published, and nothing else.
    Rebuild(RebuildArgs),
    /// Print the call that takes a vault out of a frozen contract.
    Escape(EscapeArgs),
    /// Rehearse the way out by oneself: state, key and verifier made anew and compared, the calls.
    ExitDrill(ExitDrillArgs),
    /// Keep the ledger in a database: import, export, look up and prove records, check.
    #[command(subcommand)]
    State(StateCommand),
    /// Say what a swap would give, pool by pool, without making it.
    Quote(QuoteArgs),
    /// Batches proven by many workers.
    #[command(flatten)]
    Fleet(FleetCommand),
    /// Print what a file of this system holds.
    Inspect(InspectArgs),
    /// Print the parameters of a security profile and the bits that they give.
    Params(ParamsArgs),
    /// Build the circuits of a profile ahead of time and keep them in the cache.
    Setup(SetupArgs),
    /// Write the verification key of a profile, or its settlement key, to a file.
    Key(KeyArgs),
    /// Print a completion script for a shell.
    #[command(
        after_help = "Example:\n  shardfold completions bash > /etc/bash_completion.d/shardfold"
    )]
    Completions {
        /// The shell.
        shell: Shell,
    },
}

impl Command {
    /// How many threads it should compute with, if that is asked for.
    pub fn threads(&self) -> Option<usize> {
        match self {
            Self::Execute(args) => args.run.threads,
            Self::Prove(args) => args.run.threads,
            Self::Cost(args) => args.threads,
            Self::Wrap(args) => args.threads,
            Self::Fleet(FleetCommand::Submit(args)) => args.run.threads,
            Self::Fleet(FleetCommand::Worker(args)) => args.threads,
            _ => None,
        }
    }
}

/// The state that a batch starts from, and how to run.
#[derive(Args, Debug)]
pub struct RunArgs {
    /// The state that the batch starts from: a file, or the folder of a state database, to
    /// which the batch is then applied; by default genesis.bin beside the batch.
    #[arg(long, value_name = "FILE|DIR")]
    pub state: Option<PathBuf>,
    /// How many threads to use; by default $RAYON_NUM_THREADS, or else one for each core.
    #[arg(long, value_name = "N", value_parser = threads())]
    pub threads: Option<usize>,
    /// Print one JSON object for each batch on standard output, a line each.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `execute`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  shardfold execute run/batch.bin
  shardfold execute run/batch.bin --state-out run/next.bin --receipts run/receipts.json
  shardfold execute run/batch.bin --state ledger
The last one applies the batch to the state database in the folder ledger: wholly, or not at
all if anything goes wrong. Running it again finds the batch applied and does nothing.
The head after a batch commits to where its shards end: name the profile, and the shape if any,
with which it is proven.")]
pub struct ExecuteArgs {
    /// The batch file, binary or JSON.
    pub batch: PathBuf,
    /// How to run it.
    #[command(flatten)]
    pub run: RunArgs,
    /// What it is cut with.
    #[command(flatten)]
    pub cut: CutArgs,
    /// Use the plain sequential executor.
    #[arg(long)]
    pub sequential: bool,
    /// Write the state after the batch to this file; not with a state database, which has
    /// `shardfold state export`.
    #[arg(long, value_name = "FILE")]
    pub state_out: Option<PathBuf>,
    /// Write every receipt to this file, as JSON: what each transaction gave to each vault, and what
    /// it moved in all.
    #[arg(long, value_name = "FILE")]
    pub receipts: Option<PathBuf>,
    /// Write what the batch changes and owes to this file, for `wrap` and `settle`.
    #[arg(long, value_name = "FILE")]
    pub changes: Option<PathBuf>,
}

/// Arguments of `prove`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  shardfold prove run/batch.bin -o run/proof.bin
  shardfold prove run/batch.bin -o run/proof.bin --profile conjectured-100 --memory 8G --json
  shardfold prove day1.bin day2.bin --state ledger -o proofs
  shardfold prove run/batch.bin -o run/proof.bin --settlement run/settlement.bin \
    --changes run/changes.bin
An interrupted run continues from the proofs in PROOF.partial/. With the folder of a state
database as --state, each batch is applied to it before it is proven, its shard witnesses
kept in PROOF.partial/ until the proof is there; of several batches the next one is executed
while one is proven.")]
pub struct ProveArgs {
    /// The batch file, binary or JSON. Several in order need a state database as --state.
    #[arg(required = true, value_name = "BATCH")]
    pub batches: Vec<PathBuf>,
    /// How to run.
    #[command(flatten)]
    pub run: RunArgs,
    /// Where the validity proof goes. For several batches a folder, for BATCH.proof each.
    #[arg(short, long, value_name = "PROOF")]
    pub output: PathBuf,
    /// Where a settlement proof goes, which is made after the validity proof as `wrap` does: of one
    /// batch.
    #[arg(long, value_name = "FILE", requires = "changes")]
    pub settlement: Option<PathBuf>,
    /// Where what the batch changes and owes goes, which `wrap` and `settle` read: of one batch.
    #[arg(long, value_name = "FILE")]
    pub changes: Option<PathBuf>,
    /// Where what the batch changes will be published, as for `wrap`.
    #[arg(long, value_enum, value_name = "PLACE", requires = "settlement")]
    pub data: Option<DataMode>,
    /// What it is cut with.
    #[command(flatten)]
    pub cut: CutArgs,
    /// How much memory may be used, as 8G or 500M; by default what the machine has free.
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub memory: Option<u64>,
    /// What a core costs.
    #[command(flatten)]
    pub price: PriceArgs,
    /// Where witnesses and proofs of parts are kept until the whole is done; by default
    /// PROOF.partial, or BATCH.proof.partial here where PROOF is no file.
    #[arg(long, value_name = "DIR")]
    pub work_dir: Option<PathBuf>,
    /// The circuit cache.
    #[command(flatten)]
    pub cache: CacheArgs,
}

/// Where built circuits are kept.
#[derive(Args, Clone, Debug)]
pub struct CacheArgs {
    /// The folder of built circuits; by default $SHARDFOLD_CACHE, or else ~/.cache/shardfold.
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
}

/// Arguments of `verify`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  shardfold verify run/proof.bin --min-security 100
  shardfold verify run/proof.bin --key verifier.key --trust-key ID --json
A key file only names its profile, whatever its circuit checks. So security is claimed for the
keys that are built in, and for those whose id --trust-key names: `shardfold key` prints the id
of a key that it makes.")]
pub struct VerifyArgs {
    /// The validity proof, or the settlement proof.
    pub proof: PathBuf,
    /// The verification key, or the settlement key; by default the one of the proof's profile that is built in.
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// The id of a key that you know to be that of the circuits of its profile: 64 hexadecimal
    /// digits. May be repeated.
    #[arg(long, value_name = "ID", requires = "key", value_parser = parse_key_id)]
    pub trust_key: Vec<[u8; 32]>,
    /// Refuse a proof with fewer proven bits, or under a key that is not known.
    #[arg(long, value_name = "BITS")]
    pub min_security: Option<u32>,
    /// Print one JSON object as the last line of standard output.
    #[arg(long)]
    pub json: bool,
    /// Whether the key may be of the unsound profile.
    #[command(flatten)]
    pub unsound: UnsoundArgs,
}

/// Arguments of `inspect`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  shardfold inspect run/batch.bin")]
pub struct InspectArgs {
    /// A batch, state, witness, record proof, validity proof or verification key.
    pub file: PathBuf,
    /// Print one JSON object as the last line of standard output.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `params`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  shardfold params --profile proven-100")]
pub struct ParamsArgs {
    /// The security profile; all of them if omitted.
    #[arg(long, value_enum)]
    pub profile: Option<Profile>,
    /// Print one JSON object as the last line of standard output.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `setup`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  shardfold setup --profile conjectured-100")]
pub struct SetupArgs {
    /// The security profile.
    #[arg(long, value_enum, default_value_t = Profile::Proven100)]
    pub profile: Profile,
    /// Whether it may be the unsound one.
    #[command(flatten)]
    pub unsound: UnsoundArgs,
    /// Then remove the circuits of other builds from the cache.
    #[arg(long)]
    pub prune: bool,
    /// The circuit cache.
    #[command(flatten)]
    pub cache: CacheArgs,
}

/// Arguments of `key`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  shardfold key -o verifier.key --profile proven-100
  shardfold key --settlement -o settlement.key")]
pub struct KeyArgs {
    /// Where the key goes.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Write the key of settlement proofs instead, which stands upon that of validity proofs.
    #[arg(long)]
    pub settlement: bool,
    /// The security profile.
    #[arg(long, value_enum, default_value_t = Profile::Proven100)]
    pub profile: Profile,
    /// Whether it may be the unsound one.
    #[command(flatten)]
    pub unsound: UnsoundArgs,
    /// The circuit cache.
    #[command(flatten)]
    pub cache: CacheArgs,
}

/// The leave to use `unsound-test`, whose proofs prove nothing.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct UnsoundArgs {
    /// Allow the profile for tests, whose proofs prove nothing.
    #[arg(
        long,
        env = "SHARDFOLD_ALLOW_UNSOUND",
        value_parser = FalseyValueParser::new(),
        hide = true
    )]
    pub allow_unsound: bool,
}

/// Security profiles.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// At least 100 proven bits in both layers.
    #[value(name = "proven-100")]
    Proven100,
    /// At least 100 conjectured bits in both layers.
    #[value(name = "conjectured-100")]
    Conjectured100,
    /// Proves nothing: for tests.
    #[value(name = "unsound-test", hide = true)]
    UnsoundTest,
}

fn threads() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=MAX_THREADS as u64)
}

/// Parses a size in bytes with an optional K, M, G or T (powers of 1024).
pub fn parse_size(text: &str) -> Result<u64, String> {
    let text = text
        .trim()
        .trim_end_matches(['B', 'b'])
        .trim_end_matches('i');
    let (digits, shift) = match text.char_indices().last() {
        Some((at, 'K' | 'k')) => (&text[..at], 10),
        Some((at, 'M' | 'm')) => (&text[..at], 20),
        Some((at, 'G' | 'g')) => (&text[..at], 30),
        Some((at, 'T' | 't')) => (&text[..at], 40),
        _ => (text, 0),
    };
    let number: u64 = digits
        .parse()
        .map_err(|_| format!("`{text}` is no size; write 8G or 500M"))?;
    number
        .checked_mul(1 << shift)
        .ok_or_else(|| format!("`{text}` is too large"))
}

/// Parses the id of a verification key.
fn parse_key_id(text: &str) -> Result<[u8; 32], String> {
    let mut id = [0; 32];
    match hex::decode_to_slice(text, &mut id) {
        Ok(()) => Ok(id),
        Err(error) => Err(format!("{error}; an id has 64 hexadecimal digits")),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_id_of_a_key_has_64_digits() {
        assert_eq!(parse_key_id(&"0F".repeat(32)), Ok([15; 32]));
        for wrong in ["", "0f", &"0f".repeat(33), &"0g".repeat(32)] {
            let error = parse_key_id(wrong).unwrap_err();
            assert!(
                error.ends_with("an id has 64 hexadecimal digits"),
                "{error}"
            );
        }
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(parse_size("8G"), Ok(8 << 30));
        assert_eq!(parse_size("500MiB"), Ok(500 << 20));
        assert_eq!(parse_size("12"), Ok(12));
        assert!(parse_size("lots").is_err());
        assert!(parse_size("99999999999T").is_err());
    }
}
