//! The proof tree in one process: shards are proven side by side within a memory budget,
//! neighbours are folded as soon as both are there, and what is proven is kept on disk, so
//! that an interrupted run continues with what is missing.

mod board;
mod store;

use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use shardfold_aggregator::{
    AggregateError, Aggregator, ProvenStatement, ValidityProof, VerifyError, verify,
};
use shardfold_circuits::fold::Origin;
use shardfold_circuits::shard::{CircuitSet, SetError};
use shardfold_protocol::head::{Head, Statement};
use shardfold_protocol::shape::Shape;
use shardfold_protocol::witness::ShardWitness;
use shardfold_prover::{ProveError, Stage, prove_shard};

use board::{Board, Job};
use store::Store;
pub use store::StoreError;

/// How to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Jobs at the same time; each uses all threads of the pool where it can.
    pub jobs: usize,
    /// Where proofs of parts are kept until the whole is done.
    pub work_dir: PathBuf,
}

/// What happens on the way.
#[derive(Clone, Debug)]
pub enum Event {
    /// A proof from an earlier run covers these shards.
    Resumed {
        /// The first shard covered.
        first: usize,
        /// The shard after the last one covered.
        end: usize,
    },
    /// A file in the work folder is no proof of this batch; it is left alone.
    Ignored {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A shard is being proven.
    ShardStarted {
        /// Which.
        shard: usize,
    },
    /// A stage of a shard is done.
    ShardStage {
        /// Which shard.
        shard: usize,
        /// The stage.
        stage: Stage,
        /// How long it took.
        took: Duration,
    },
    /// A shard is proven.
    ShardDone {
        /// Which.
        shard: usize,
    },
    /// Neighbours are being folded.
    FoldStarted {
        /// The first shard covered.
        first: usize,
        /// The shard after the last one covered.
        end: usize,
    },
    /// Neighbours are folded.
    FoldDone {
        /// The first shard covered.
        first: usize,
        /// The shard after the last one covered.
        end: usize,
        /// How long it took.
        took: Duration,
    },
}

/// Who hears of events, from any thread.
pub type Observer<'a> = dyn Fn(Event) + Sync + 'a;

/// Why a batch could not be proven.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// There is nothing to prove.
    #[error("the batch has no valid transaction, so there is nothing to prove")]
    Empty,
    /// A shard could not be proven.
    #[error("shard {shard}: {source}")]
    Shard {
        /// Which.
        shard: usize,
        /// Why.
        source: ProveError,
    },
    /// Proofs could not be folded.
    #[error(transparent)]
    Fold(#[from] AggregateError),
    /// The circuits are not to be had.
    #[error(transparent)]
    Circuits(#[from] SetError),
    /// The finished proof does not verify.
    #[error("the finished proof does not verify: {0}")]
    SelfCheck(#[from] VerifyError),
    /// The finished proof states something else than the batch.
    #[error("the finished proof states {found:?}, expected {expected:?}")]
    OtherStatement {
        /// What it states.
        found: Box<Statement>,
        /// What the batch says.
        expected: Box<Statement>,
    },
    /// The work folder cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A job's thread died.
    #[error("a proving thread died; its message is above")]
    Panicked,
}

/// Proves shards that follow one another, and folds them into one checked validity proof.
///
/// # Errors
/// If a witness does not prove its statement, or the work folder cannot be written.
pub fn prove_batch(
    circuits: &CircuitSet,
    aggregator: &Aggregator,
    shards: &[ShardWitness],
    options: &Options,
    observer: &Observer<'_>,
) -> Result<ValidityProof, LocalError> {
    let (Some(first), Some(last)) = (shards.first(), shards.last()) else {
        return Err(LocalError::Empty);
    };
    let heads = heads(shards);
    let store = Store::open(&options.work_dir)?;
    let found = store.load(aggregator, first.statement.chain_id, &heads, observer);
    let run = Run {
        circuits,
        aggregator,
        shards,
        store: &store,
        observer,
        board: Mutex::new(Board::new(shards.len(), aggregator.arity(), found)),
        changed: Condvar::new(),
    };
    for (first, end) in run.lock().covered() {
        observer(Event::Resumed { first, end });
    }
    let proven = run.run(options.jobs.max(1))?;
    let proof = aggregator.finish(&run.root(proven)?)?;
    let stated = verify(aggregator.verification_key(), &proof)?;
    let expected = Statement {
        chain_id: first.statement.chain_id,
        before: first.statement.before,
        after: last.statement.after,
    };
    if stated != expected {
        return Err(LocalError::OtherStatement {
            found: Box::new(stated),
            expected: Box::new(expected),
        });
    }
    Ok(proof)
}

/// The memory that proving a shard of this shape takes at its peak, in bytes: what its STARK
/// holds at once, about 30 bytes for each cell at blow-up 2 as measured
/// on `mainnet.csv`, 40 to leave room, and the circuits.
#[must_use]
pub fn job_memory(shape: &Shape) -> u64 {
    const BYTES_PER_CELL: u64 = 40;
    const CIRCUIT_BYTES: u64 = 2 << 30;
    // Cells of a transaction's own rows, and of a permutation or a node.
    let cells = 4_700 * shape.transactions() + 185 * shape.permutations() + 40 * shape.nodes();
    CIRCUIT_BYTES + BYTES_PER_CELL * cells as u64
}

/// Removes this batch's proofs of parts after the whole is safe, and the work folder if there
/// are no others.
///
/// # Errors
/// If a file cannot be removed.
pub fn clean_up(work_dir: &Path, shards: &[ShardWitness]) -> Result<(), StoreError> {
    let chain_id = shards.first().map_or(0, |shard| shard.statement.chain_id);
    Store::remove(work_dir, chain_id, &heads(shards))
}

/// Where the ledger stands before the first shard and after each.
fn heads(shards: &[ShardWitness]) -> Vec<Head> {
    let first = shards.first().map(|shard| shard.statement.before);
    let after = shards.iter().map(|shard| shard.statement.after);
    first.into_iter().chain(after).collect()
}

/// One run: the board of what is done, and everything that a job needs.
struct Run<'a> {
    circuits: &'a CircuitSet,
    aggregator: &'a Aggregator,
    shards: &'a [ShardWitness],
    store: &'a Store,
    observer: &'a Observer<'a>,
    board: Mutex<Board>,
    changed: Condvar,
}

impl Run<'_> {
    /// Works with so many threads until one proof covers everything or a job fails.
    fn run(&self, jobs: usize) -> Result<ProvenStatement, LocalError> {
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..jobs.min(self.shards.len()))
                .map(|_| scope.spawn(|| self.work()))
                .collect();
            let results: Vec<_> = workers.into_iter().map(|worker| worker.join()).collect();
            for result in results {
                result.map_err(|_| LocalError::Panicked)??;
            }
            self.lock().take_whole().ok_or(LocalError::Panicked)
        })
    }

    fn lock(&self) -> MutexGuard<'_, Board> {
        // A thread that panicked has not left the board half changed: it is changed only by
        // methods that do not panic.
        self.board.lock().unwrap_or_else(|error| error.into_inner())
    }

    /// Takes jobs until there are none left.
    fn work(&self) -> Result<(), LocalError> {
        // Whoever ends, by whatever way, wakes the others.
        let _wake = Wake(self);
        while let Some(job) = self.next_job() {
            let (first, end) = job.range();
            match self.do_job(job) {
                Ok(proven) => self.lock().put(first, end, proven),
                Err(error) => {
                    self.lock().abandon();
                    return Err(error);
                }
            }
            self.changed.notify_all();
        }
        Ok(())
    }

    /// The next job; waits while others work on what it needs. `None` when all is done.
    fn next_job(&self) -> Option<Job> {
        let mut board = self.lock();
        loop {
            if board.is_over() {
                return None;
            }
            if let Some(job) = board.next_job() {
                return Some(job);
            }
            board = self
                .changed
                .wait(board)
                .unwrap_or_else(|error| error.into_inner());
        }
    }

    fn do_job(&self, job: Job) -> Result<ProvenStatement, LocalError> {
        let proven = match job {
            Job::Prove { shard } => self.prove(shard)?,
            Job::Fold {
                first,
                end,
                children,
            } => {
                (self.observer)(Event::FoldStarted { first, end });
                let start = Instant::now();
                let folded = self.aggregator.fold(&children)?;
                let took = start.elapsed();
                (self.observer)(Event::FoldDone { first, end, took });
                folded
            }
        };
        self.store.save(&proven)?;
        Ok(proven)
    }

    /// The root of the tree: a single shard's proof is folded alone, so that one key verifies
    /// batches of any size.
    fn root(&self, proven: ProvenStatement) -> Result<ProvenStatement, LocalError> {
        match proven.origin() {
            Origin::Fold => Ok(proven),
            Origin::Leaf(_) => self.do_job(Job::Fold {
                first: 0,
                end: self.shards.len(),
                children: vec![proven],
            }),
        }
    }

    fn prove(&self, shard: usize) -> Result<ProvenStatement, LocalError> {
        (self.observer)(Event::ShardStarted { shard });
        let witness = &self.shards[shard];
        let observe = |stage, took| (self.observer)(Event::ShardStage { shard, stage, took });
        let proof = prove_shard(self.circuits, witness, observe)
            .map_err(|source| LocalError::Shard { shard, source })?;
        let key = self.circuits.position(&witness.shape)?;
        let proven = self.aggregator.admit(Origin::Leaf(key), proof)?;
        (self.observer)(Event::ShardDone { shard });
        Ok(proven)
    }
}

/// Wakes every waiting thread when dropped; ends the run if its thread panics.
struct Wake<'a>(&'a Run<'a>);

impl Drop for Wake<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lock().abandon();
        }
        self.0.changed.notify_all();
    }
}
