//! Arguments of the fleet's commands.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use shardfold_fleet::queue::model::Kind;

use super::{CacheArgs, CutArgs, DataMode, Profile, RunArgs, UnsoundArgs, parse_size, threads};

/// The commands of a fleet: batches proven by many workers.
#[derive(Subcommand, Debug)]
pub enum FleetCommand {
    /// Execute a batch, store its witnesses, and put its proof into the fleet's queue.
    Submit(SubmitArgs),
    /// Prove what is in the fleet's queue.
    Worker(WorkerArgs),
    /// Show the fleet, or one batch with its proof tree.
    Status(StatusArgs),
    /// Get the validity proof of a batch, and its settlement proof, checked.
    Fetch(FetchArgs),
    /// Try dead-lettered jobs again.
    Retry(RetryArgs),
    /// Give a batch up: no worker takes its jobs any more.
    Cancel(BatchArgs),
    /// Remove a proven or cancelled batch: its objects from the store, its rows from the
    /// database.
    #[command(alias = "forget")]
    Delete(BatchArgs),
    /// Tell why a job waits or failed: its attempts, workers, errors and inputs.
    Explain(ExplainArgs),
    /// Make the key of a worker, or show the public key of one that is there.
    WorkerKey(WorkerKeyArgs),
    /// Let a worker in.
    #[command(alias = "enrol")]
    Register(RegisterArgs),
    /// Shut a worker out: it gets no jobs, and no result of it is taken any more.
    #[command(alias = "dismiss")]
    Revoke(RevokeArgs),
    /// Serve a web page that shows the fleet.
    Dashboard(DashboardArgs),
}

/// Where the fleet is.
#[derive(Args, Clone, Default)]
pub struct FleetArgs {
    /// The fleet's database: sqlite://FILE or postgres://USER:PASSWORD@HOST/NAME, the password
    /// percent-encoded (# as %23); by default fleet.db in ~/.local/share/shardfold.
    #[arg(
        long,
        value_name = "URL",
        env = "SHARDFOLD_DATABASE",
        hide_env_values = true
    )]
    pub database: Option<String>,
    /// The fleet's object store: a folder, or a URL as s3://BUCKET/PREFIX; by default the
    /// folder objects in ~/.local/share/shardfold.
    #[arg(
        long,
        value_name = "URL",
        env = "SHARDFOLD_STORE",
        hide_env_values = true
    )]
    pub store: Option<String>,
    /// A TOML file with database, store and [worker]; by default shardfold.toml here, or else
    /// in ~/.config/shardfold, if it is there. Flags and environment go before it.
    #[arg(long, value_name = "FILE", env = "SHARDFOLD_CONFIG")]
    pub config: Option<PathBuf>,
}

/// Without the URLs, which may have passwords in them.
impl fmt::Debug for FleetArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FleetArgs")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// Arguments of `submit`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  shardfold submit run/batch.bin
  shardfold submit run/batch.bin --state ledger --profile conjectured-100
  shardfold submit run/batch.bin --settlement --data blobs --changes run/changes.bin
  shardfold fetch $(shardfold submit run/batch.bin) -o run/proof.bin --wait
Prints the batch's id. Submitting the same batch again changes nothing and prints the same id.")]
pub struct SubmitArgs {
    /// The batch file, binary or JSON.
    pub batch: PathBuf,
    /// How to run it.
    #[command(flatten)]
    pub run: RunArgs,
    /// What it is cut with.
    #[command(flatten)]
    pub cut: CutArgs,
    /// Make a settlement proof too, as `wrap` does.
    #[arg(long, requires = "changes")]
    pub settlement: bool,
    /// Write what the batch changes and owes to this file, which `settle` reads.
    #[arg(long, value_name = "FILE")]
    pub changes: Option<PathBuf>,
    /// Where what the batch changes will be published, as for `wrap`.
    #[arg(long, value_enum, value_name = "PLACE", requires = "settlement")]
    pub data: Option<DataMode>,
    /// Make the store although the database knows batches, whose objects are given up for lost.
    #[arg(long)]
    pub create_store: bool,
    /// The circuit cache.
    #[command(flatten)]
    pub cache: CacheArgs,
    /// Where the fleet is.
    #[command(flatten)]
    pub fleet: FleetArgs,
}

/// Arguments of `worker`. What is `None` is taken from the configuration file, or else has
/// the default that the help names.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  shardfold worker --key worker.key
  shardfold worker --key worker.key --jobs 2 --memory 12G --metrics 0.0.0.0:9464
  shardfold worker --key worker.key --kinds aggregate,finish --until-idle
The operator registers the key first: `shardfold worker-key` makes it, `shardfold register` lets it in.
On SIGTERM or ctrl-c no new job is taken, and those at hand have --drain seconds to end; what is
not ready by then is given back.")]
pub struct WorkerArgs {
    /// The worker's secret key, as `worker-key` writes it; needed here or in the configuration
    /// file.
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// At most so many jobs at once, as far as they fit into the memory; by default 1.
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// Only jobs of these kinds: shard, aggregate, finish, wrap; by default all.
    #[arg(long, value_name = "KIND,...", value_delimiter = ',', value_parser = parse_kind)]
    pub kinds: Vec<Kind>,
    /// How much memory may be used, as 8G or 500M; by default what the machine has free.
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub memory: Option<u64>,
    /// The security profile; by default proven-100.
    #[arg(long, value_enum)]
    pub profile: Option<Profile>,
    /// Whether it may be the unsound one.
    #[command(flatten)]
    pub unsound: UnsoundArgs,
    /// How many threads to use; by default $RAYON_NUM_THREADS, or else one for each core.
    #[arg(long, value_name = "N", value_parser = threads())]
    pub threads: Option<usize>,
    /// Serve /metrics, /healthz and /readyz on this address, as 127.0.0.1:9464; by default
    /// nowhere.
    #[arg(long, value_name = "ADDR")]
    pub metrics: Option<SocketAddr>,
    /// How long jobs at hand may go on after SIGTERM; by default 120.
    #[arg(long, value_name = "SECONDS")]
    pub drain: Option<u64>,
    /// How long a worker that is not heard of keeps its jobs.
    #[arg(long, value_name = "SECONDS", default_value_t = 20,
        value_parser = clap::value_parser!(u64).range(2..=3600))]
    pub lease: u64,
    /// How long the store may be unavailable to this worker before others get the job.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 180,
        hide = true,
        alias = "store-patience"
    )]
    pub store_retry: u64,
    /// End as soon as there is nothing left to prove.
    #[arg(long)]
    pub until_idle: bool,
    /// The circuit cache.
    #[command(flatten)]
    pub cache: CacheArgs,
    /// Where the fleet is.
    #[command(flatten)]
    pub fleet: FleetArgs,
}

/// Arguments of `status`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  shardfold status
  shardfold status 3f9a --watch
  shardfold status 3f9a --json")]
pub struct StatusArgs {
    /// The batch, by its id or the first digits of it; all batches and workers if omitted.
    #[arg(value_parser = parse_id)]
    pub batch: Option<String>,
    /// Show it anew each second, until the batch is done.
    #[arg(long)]
    pub watch: bool,
    /// Print one JSON object each time, a line each.
    #[arg(long)]
    pub json: bool,
    /// Where the fleet is.
    #[command(flatten)]
    pub fleet: FleetArgs,
}

/// Arguments of `fetch`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  shardfold fetch 3f9a -o proof.bin
  shardfold fetch 3f9a -o proof.bin --wait
  shardfold fetch 3f9a -o proof.bin --settlement settlement.bin
A proof is checked before it is written.")]
pub struct FetchArgs {
    /// The batch, by its id or the first digits of it.
    #[arg(value_parser = parse_id)]
    pub batch: String,
    /// Where the validity proof goes.
    #[arg(short, long, value_name = "PROOF")]
    pub output: PathBuf,
    /// Where the settlement proof goes, of a batch that was submitted with one.
    #[arg(long, value_name = "FILE")]
    pub settlement: Option<PathBuf>,
    /// Wait until the batch is proven; fails if it is cancelled.
    #[arg(long)]
    pub wait: bool,
    /// Print one JSON object as the last line of standard output.
    #[arg(long)]
    pub json: bool,
    /// The circuit cache, where the key is looked for if it is not built in.
    #[command(flatten)]
    pub cache: CacheArgs,
    /// Where the fleet is.
    #[command(flatten)]
    pub fleet: FleetArgs,
}

/// Arguments of `retry`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  shardfold retry 3f9a
  shardfold retry 3f9a c07d
The first one takes all dead-lettered jobs of the batch.")]
pub struct RetryArgs {
    /// The batch, by its id or the first digits of it.
    #[arg(value_parser = parse_id)]
    pub batch: String,
    /// The job, by its id or the first digits of it; all dead-lettered ones if omitted.
    #[arg(value_parser = parse_id)]
    pub job: Option<String>,
    /// Where the fleet is.
    #[command(flatten)]
    pub fleet: FleetArgs,
}

/// Arguments of `cancel` and `delete`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  shardfold cancel 3f9a
  shardfold delete 3f9a")]
pub struct BatchArgs {
    /// The batch, by its id or the first digits of it.
    #[arg(value_parser = parse_id)]
    pub batch: String,
    /// Where the fleet is.
    #[command(flatten)]
    pub fleet: FleetArgs,
}

/// Arguments of `explain`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  shardfold explain c07d")]
pub struct ExplainArgs {
    /// The job, by its id or the first digits of it, as `status BATCH` shows.
    #[arg(value_parser = parse_id)]
    pub job: String,
    /// Print one JSON object as the last line of standard output.
    #[arg(long)]
    pub json: bool,
    /// Where the fleet is.
    #[command(flatten)]
    pub fleet: FleetArgs,
}

/// Arguments of `worker-key`.
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  shardfold register alpha $(shardfold worker-key worker.key)
Prints the public key. A key that is there stays as it is.")]
pub struct WorkerKeyArgs {
    /// Where the secret key is, or goes.
    pub file: PathBuf,
}

/// Arguments of `register`.
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  shardfold register alpha 1f0c...
Registering the same key under the same name again changes nothing.")]
pub struct RegisterArgs {
    /// What the worker is called from now on.
    pub name: String,
    /// Its public key: 64 hexadecimal digits, as `worker-key` prints them.
    #[arg(value_name = "PUBLICKEY")]
    pub public_key: String,
    /// Where the fleet is.
    #[command(flatten)]
    pub fleet: FleetArgs,
}

/// Arguments of `revoke`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  shardfold revoke alpha")]
pub struct RevokeArgs {
    /// The worker's name.
    pub name: String,
    /// Where the fleet is.
    #[command(flatten)]
    pub fleet: FleetArgs,
}

/// Arguments of `dashboard`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  shardfold dashboard
  shardfold dashboard --listen 0.0.0.0:8420
It only shows, and asks nobody for a password: keep it behind something that does.")]
pub struct DashboardArgs {
    /// The address to serve on.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8420")]
    pub listen: SocketAddr,
    /// Where the fleet is.
    #[command(flatten)]
    pub fleet: FleetArgs,
}

/// The kind of job of this name.
///
/// # Errors
/// If there is none.
pub fn parse_kind(name: &str) -> Result<Kind, String> {
    // The old name of aggregation.
    let known = if name == "fold" { "aggregate" } else { name };
    Kind::named(known).ok_or_else(|| {
        let known = Kind::ALL.map(Kind::name).join(", ");
        format!("`{name}` is no kind of job; there are {known}")
    })
}

/// The id of a batch or job, or the first digits of it, in lower case.
fn parse_id(text: &str) -> Result<String, String> {
    let digits = (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    digits
        .then(|| text.to_ascii_lowercase())
        .ok_or_else(|| format!("`{text}` is no id: it has 1 to 64 hexadecimal digits"))
}

#[cfg(test)]
mod tests;
