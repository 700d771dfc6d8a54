//! The tree of jobs that makes a batch's proofs.

use sha2::{Digest as _, Sha256};

use super::Manifest;
use crate::memory;
use crate::objects::ObjectName;
use crate::queue::model::Kind;

/// A job of a batch's proof tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// SHA-256 over the circuits' key, the kind, and the inputs: witness or children's ids, of a
    /// wrap also what is published.
    pub id: [u8; 32],
    /// What it does.
    pub kind: Kind,
    /// The first shard covered.
    pub first: usize,
    /// The shard after the last one covered.
    pub end: usize,
    /// The capacity of the shard's shape in transactions; 0 for other kinds.
    pub size: u64,
    /// The memory that it takes, in bytes.
    pub memory: u64,
    /// A shard's witness, or the differences of a wrap.
    pub input: Option<ObjectName>,
    /// The job that uses the result.
    pub parent: Option<[u8; 32]>,
    /// How many jobs' results it uses.
    pub children: usize,
}

impl Manifest {
    /// Returns the jobs that prove the batch: shards in order, then the aggregates level by level,
    /// each over up to `arity` neighbours, then the finish, whose one key verifies batches of any
    /// size, and the wrap if a settlement proof is asked for. A proof that has no neighbour goes up
    /// as it is.
    #[must_use]
    pub fn jobs(&self, arity: usize) -> Vec<Job> {
        let mut jobs: Vec<Job> = self.leaves().collect();
        let mut level: Vec<usize> = (0..jobs.len()).collect();
        while level.len() > 1 {
            level = level
                .chunks(arity.max(2))
                .map(|group| match group {
                    &[alone] => alone,
                    children => self.join(&mut jobs, Kind::Aggregate, children),
                })
                .collect();
        }
        let finish = self.join(&mut jobs, Kind::Finish, &level);
        if self.published.is_some() {
            self.join(&mut jobs, Kind::Wrap, &[finish]);
        }
        jobs
    }

    fn leaves(&self) -> impl Iterator<Item = Job> {
        self.shards.iter().enumerate().map(|(first, shard)| Job {
            id: self.job_id(Kind::Shard, &[shard.witness.as_bytes()]),
            kind: Kind::Shard,
            first,
            end: first + 1,
            size: shard.shape.transactions() as u64,
            memory: memory::of_shard(self.known_profile(), &shard.shape),
            input: Some(shard.witness),
            parent: None,
            children: 0,
        })
    }

    /// Adds the job that uses the results of these ones; its place in the list.
    fn join(&self, jobs: &mut Vec<Job>, kind: Kind, children: &[usize]) -> usize {
        let of = |place: usize| jobs.get(place);
        let ids: Vec<[u8; 32]> = children
            .iter()
            .filter_map(|&child| Some(of(child)?.id))
            .collect();
        let mut inputs: Vec<&[u8]> = ids.iter().map(|id| id.as_slice()).collect();
        let published = self.published.filter(|_| kind == Kind::Wrap);
        let point = published.map(|published| published.point().map(u64::to_le_bytes));
        if let (Some(published), Some(point)) = (&published, &point) {
            inputs.extend([published.differences.as_bytes(), point.as_flattened()]);
        }
        let id = self.job_id(kind, &inputs);
        let first = children.first().and_then(|&child| of(child));
        let last = children.last().and_then(|&child| of(child));
        let job = Job {
            id,
            kind,
            first: first.map_or(0, |job| job.first),
            end: last.map_or(0, |job| job.end),
            size: 0,
            memory: match kind {
                Kind::Finish => memory::of_last(self.known_profile()),
                Kind::Wrap => memory::of_wrap(self.known_profile()),
                Kind::Shard | Kind::Aggregate => memory::of_aggregation(self.known_profile()),
            },
            input: published.map(|published| published.differences),
            parent: None,
            children: children.len(),
        };
        for &child in children {
            if let Some(child) = jobs.get_mut(child) {
                child.parent = Some(id);
            }
        }
        jobs.push(job);
        jobs.len() - 1
    }

    /// SHA-256 over what determines a job's result: the circuits, what it does, and its inputs.
    fn job_id(&self, kind: Kind, inputs: &[&[u8]]) -> [u8; 32] {
        let mut digest = Sha256::new();
        let mut add = |part: &[u8]| {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        };
        add(b"shardfold job 1");
        add(self.circuits.as_bytes());
        add(kind.name().as_bytes());
        for input in inputs {
            add(input);
        }
        digest.finalize().into()
    }
}
