//! What can be seen of a fleet: batches, their proof trees, workers, attempts.

use serde::Serialize;

/// Milliseconds since 1970 by the database's clock.
pub type Millis = i64;

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Proves one shard.
    Shard,
    /// Joins neighbouring proofs.
    Aggregate,
    /// Makes the validity proof of the root and checks it.
    Finish,
    /// Makes the settlement proof of the validity proof.
    Wrap,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Shard, Self::Aggregate, Self::Finish, Self::Wrap];

    /// Returns the name in the database, in metrics and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shard => "shard",
            Self::Aggregate => "aggregate",
            Self::Finish => "finish",
            Self::Wrap => "wrap",
        }
    }

    /// Returns the kind of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobState {
    /// Proofs that it joins are missing.
    Waiting,
    /// Any worker may take it.
    Queued,
    /// A worker holds it.
    Running,
    /// Its result is accepted.
    Done,
    /// Too many attempts failed: it waits for the operator.
    DeadLettered,
    /// Its batch was cancelled.
    Cancelled,
}

impl JobState {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Waiting,
        Self::Queued,
        Self::Running,
        Self::Done,
        Self::DeadLettered,
        Self::Cancelled,
    ];

    /// Returns the name in the database and in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::DeadLettered => "dead-lettered",
            Self::Cancelled => "cancelled",
        }
    }

    /// Returns the state of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Where a batch stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BatchState {
    /// Jobs of it are not done.
    Open,
    /// Its validity proof is there, and the settlement proof if it was asked for.
    Proven,
    /// The operator cancelled it.
    Cancelled,
}

impl BatchState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Open, Self::Proven, Self::Cancelled];

    /// Returns the name in the database and in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Proven => "proven",
            Self::Cancelled => "cancelled",
        }
    }

    /// Returns the state of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A batch without its jobs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BatchView {
    /// The manifest's SHA-256, 64 hexadecimal digits.
    pub id: String,
    /// SHA-256 of the batch in its binary form, 64 hexadecimal digits.
    pub source: String,
    /// The name of the file that was submitted.
    pub label: String,
    /// The security profile.
    pub profile: String,
    /// The verification key of its circuits.
    pub circuits: String,
    /// Where it stands.
    pub state: BatchState,
    /// Shards in it.
    pub shards: u64,
    /// Accepted transactions in it.
    pub transactions: u64,
    /// How many attempts of one job may fail or be lost before it is dead-lettered.
    pub max_failures: u64,
    /// When it was submitted.
    pub submitted: Millis,
    /// When it was proven or cancelled.
    pub finished: Option<Millis>,
    /// The validity proof's object.
    pub proof: Option<String>,
    /// How many jobs are in each state, in the order of [`JobState::ALL`].
    pub jobs: [u64; JobState::ALL.len()],
}

/// A job.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JobView {
    /// Its batch.
    pub batch: String,
    /// SHA-256 over kind, circuits and inputs, 64 hexadecimal digits.
    pub id: String,
    /// What it does.
    pub kind: Kind,
    /// The first shard that the result covers.
    pub first: u64,
    /// The shard after the last one covered.
    pub end: u64,
    /// The capacity of the shard's shape in transactions; 0 for other kinds.
    pub size: u64,
    /// The memory that it takes, in bytes.
    pub memory: u64,
    /// The job that uses the result; none for the last one.
    pub parent: Option<String>,
    /// The input's object: a shard's witness, the differences of a wrap; all kinds but shards use
    /// the results of the jobs that have this one as parent.
    pub input: Option<String>,
    /// Where it stands.
    pub state: JobState,
    /// Attempts so far.
    pub attempt: u64,
    /// Attempts that failed or were lost, since the operator last retried it.
    pub failures: u64,
    /// The worker process that holds it or has done it.
    pub instance: Option<String>,
    /// When the present or last attempt started.
    pub started: Option<Millis>,
    /// When the next attempt may start, if it must wait.
    pub not_before: Option<Millis>,
    /// When its worker loses it unless it is heard of, while it is running.
    pub lease: Option<Millis>,
    /// When its worker loses it in any case, while it is running.
    pub deadline: Option<Millis>,
    /// The result's object.
    pub result: Option<String>,
    /// How long the attempt took that did it, in milliseconds.
    pub took: Option<Millis>,
    /// When it was done.
    pub finished: Option<Millis>,
}

/// An attempt at a job.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AttemptView {
    /// Its batch.
    pub batch: String,
    /// Its job.
    pub job: String,
    /// Its number, from 1.
    pub attempt: u64,
    /// The worker process.
    pub instance: String,
    /// When it started.
    pub started: Millis,
    /// When it ended.
    pub ended: Option<Millis>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Why, if not well.
    pub reason: Option<String>,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Its result was accepted.
    Done,
    /// The worker gave up on it, with a reason.
    Failed,
    /// The worker was not heard of until its lease ran out.
    Lost,
    /// The worker was heard of, but the deadline passed.
    Overdue,
    /// The worker gave it back untouched, because it was asked to stop.
    Released,
    /// The user of its result found it false.
    Invalidated,
    /// The job was done or cancelled by someone else meanwhile.
    Superseded,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Done,
        Self::Failed,
        Self::Lost,
        Self::Overdue,
        Self::Released,
        Self::Invalidated,
        Self::Superseded,
    ];

    /// Returns the name in the database and in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Lost => "lost",
            Self::Overdue => "overdue",
            Self::Released => "released",
            Self::Invalidated => "invalidated",
            Self::Superseded => "superseded",
        }
    }

    /// Returns the outcome of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}

/// A registered worker key.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WorkerView {
    /// Its name.
    pub name: String,
    /// Its Ed25519 public key, 64 hexadecimal digits.
    pub public_key: String,
    /// When it was registered.
    pub registered: Millis,
    /// When the operator revoked it.
    pub revoked: Option<Millis>,
    /// Results of it that were invalidated.
    pub strikes: u64,
}

/// A worker process.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InstanceView {
    /// Its name: the worker's, and a number drawn at its start.
    pub id: String,
    /// The worker whose key it holds.
    pub worker: String,
    /// The machine that it says it runs on.
    pub host: String,
    /// The security profile that it proves for.
    pub profile: String,
    /// The verification key of its circuits.
    pub circuits: String,
    /// The kinds of jobs that it takes.
    pub kinds: Vec<Kind>,
    /// How many jobs it takes at once.
    pub slots: u64,
    /// The memory that its jobs may take, in bytes.
    pub memory: u64,
    /// When it started.
    pub started: Millis,
    /// When it was last heard of.
    pub seen: Millis,
    /// When it left, if it said so.
    pub left: Option<Millis>,
    /// Whether it has not left and was heard of within the last minute.
    pub alive: bool,
    /// Jobs that it holds.
    pub busy: u64,
    /// Jobs that it has done.
    pub done: u64,
    /// Attempts of it that failed, were lost, overdue or invalidated.
    pub failed: u64,
}

/// How long a kind of job took lately.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Timing {
    /// The circuits' verification key.
    pub circuits: String,
    /// What the jobs did.
    pub kind: Kind,
    /// The capacity of the shard's shape in transactions; 0 for other kinds.
    pub size: u64,
    /// How many of the last jobs were looked at.
    pub count: u64,
    /// Their mean, in milliseconds.
    pub mean: f64,
    /// The longest, in milliseconds.
    pub longest: Millis,
}

/// Everything at one moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FleetView {
    /// The moment.
    pub now: Millis,
    /// Batches, the latest first, as many as were asked for.
    pub batches: Vec<BatchView>,
    /// Registered workers.
    pub workers: Vec<WorkerView>,
    /// Worker processes that are there, or left within the last hour.
    pub instances: Vec<InstanceView>,
    /// How long jobs took lately.
    pub timings: Vec<Timing>,
    /// How many jobs there are of each kind and state.
    pub counts: Vec<(Kind, JobState, u64)>,
    /// How many batches there are in each state, in the order of [`BatchState::ALL`].
    pub batch_counts: [u64; BatchState::ALL.len()],
    /// Since when the job waits that has been ready the longest.
    pub oldest_queued: Option<Millis>,
    /// Attempts that went wrong lately, the latest first.
    pub failures: Vec<AttemptView>,
    /// Transactions in batches proven within the last hour.
    pub proven_last_hour: u64,
    /// Jobs done within the last hour, by kind.
    pub done_last_hour: Vec<(Kind, u64)>,
}

/// One batch with its proof tree.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TreeView {
    /// The moment.
    pub now: Millis,
    /// The batch.
    pub batch: BatchView,
    /// Its jobs: shards in order, then aggregations from the leaves up, then the finish, then
    /// the wrap if there is one.
    pub jobs: Vec<JobView>,
    /// When it will be proven at the present rate, in milliseconds from now; none if no
    /// worker works on it or nothing like it was measured yet.
    pub left: Option<Millis>,
}
