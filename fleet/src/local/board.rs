//! What is proven, what is being proven, and what to do next.

use std::collections::BTreeMap;

use shardfold_aggregator::ProvenStatement;
use shardfold_circuits::fold::Origin;

/// Something to do.
pub enum Job {
    /// Prove a shard.
    Prove {
        /// Which.
        shard: usize,
    },
    /// Fold neighbours that are proven.
    Fold {
        /// The first shard covered.
        first: usize,
        /// The shard after the last one covered.
        end: usize,
        /// The proofs, in order.
        children: Vec<ProvenStatement>,
    },
}

impl Job {
    /// The shards that the result covers: first, and the one after the last.
    pub const fn range(&self) -> (usize, usize) {
        match self {
            Self::Prove { shard } => (*shard, *shard + 1),
            Self::Fold { first, end, .. } => (*first, *end),
        }
    }
}

/// A run of shards, proven or being worked on.
enum Segment {
    Busy {
        end: usize,
    },
    Done {
        end: usize,
        proven: Box<ProvenStatement>,
    },
}

impl Segment {
    const fn end(&self) -> usize {
        match self {
            Self::Busy { end } | Self::Done { end, .. } => *end,
        }
    }
}

/// The state of a run: segments by their first shard. Shards in no segment wait to be proven.
pub struct Board {
    shards: usize,
    arity: usize,
    segments: BTreeMap<usize, Segment>,
    abandoned: bool,
}

impl Board {
    /// A board of `shards` shards of which `proven` ranges are done; ranges do not overlap.
    pub fn new(
        shards: usize,
        arity: usize,
        proven: impl IntoIterator<Item = (usize, usize, ProvenStatement)>,
    ) -> Self {
        let segments = proven
            .into_iter()
            .map(|(first, end, proven)| {
                let proven = Box::new(proven);
                (first, Segment::Done { end, proven })
            })
            .collect();
        Self {
            shards,
            arity,
            segments,
            abandoned: false,
        }
    }

    /// The ranges that are in work or done.
    pub fn covered(&self) -> Vec<(usize, usize)> {
        self.segments
            .iter()
            .map(|(&first, segment)| (first, segment.end()))
            .collect()
    }

    /// The best next job, marked as being worked on: folds before shards, so that memory and
    /// disk hold little, and earlier before later.
    pub fn next_job(&mut self) -> Option<Job> {
        self.next_fold().or_else(|| self.next_shard())
    }

    fn next_fold(&mut self) -> Option<Job> {
        let first = *self
            .segments
            .iter()
            .find(|(first, _)| self.foldable(**first).1 >= 2)?
            .0;
        let (end, count) = self.foldable(first);
        let mut children = Vec::with_capacity(count);
        let mut at = first;
        while at < end {
            if let Some(Segment::Done { end, proven }) = self.segments.remove(&at) {
                children.push(*proven);
                at = end;
            } else {
                unreachable!("foldable counts only segments that are done");
            }
        }
        self.segments.insert(first, Segment::Busy { end });
        Some(Job::Fold {
            first,
            end,
            children,
        })
    }

    /// The end and number of proven neighbours from `first` on, as many as one fold takes.
    fn foldable(&self, first: usize) -> (usize, usize) {
        let mut at = first;
        let mut count = 0;
        while count < self.arity {
            match self.segments.get(&at) {
                Some(Segment::Done { end, .. }) => at = *end,
                _ => break,
            }
            count += 1;
        }
        (at, count)
    }

    fn next_shard(&mut self) -> Option<Job> {
        let mut shard = 0;
        for (&first, segment) in &self.segments {
            if shard < first {
                break;
            }
            shard = segment.end();
        }
        if shard >= self.shards {
            return None;
        }
        self.segments
            .insert(shard, Segment::Busy { end: shard + 1 });
        Some(Job::Prove { shard })
    }

    /// A job is done.
    pub fn put(&mut self, first: usize, end: usize, proven: ProvenStatement) {
        let proven = Box::new(proven);
        self.segments.insert(first, Segment::Done { end, proven });
    }

    /// A job failed: nobody takes another one.
    pub fn abandon(&mut self) {
        self.abandoned = true;
    }

    /// Whether nobody has anything left to do.
    pub fn is_over(&self) -> bool {
        self.abandoned || self.whole()
    }

    fn whole(&self) -> bool {
        matches!(self.segments.get(&0), Some(Segment::Done { end, .. }) if *end == self.shards)
    }

    /// The proof that covers everything, if it is there.
    pub fn take_whole(&mut self) -> Option<ProvenStatement> {
        if !self.whole() {
            return None;
        }
        match self.segments.remove(&0) {
            Some(Segment::Done { proven, .. }) => Some(*proven),
            _ => None,
        }
    }
}

/// Chooses ranges that do not overlap from `candidates`: the longest first, a fold before a
/// leaf, so that as little as possible is proven again.
pub fn choose(
    mut candidates: Vec<(usize, usize, ProvenStatement)>,
) -> Vec<(usize, usize, ProvenStatement)> {
    candidates.sort_by_key(|(first, end, proven)| {
        let is_leaf = matches!(proven.origin(), Origin::Leaf(_));
        (core::cmp::Reverse(end - first), *first, is_leaf)
    });
    let mut chosen: Vec<(usize, usize, ProvenStatement)> = Vec::new();
    for candidate in candidates {
        let overlaps = |other: &(usize, usize, ProvenStatement)| {
            candidate.0 < other.1 && other.0 < candidate.1
        };
        if !chosen.iter().any(overlaps) {
            chosen.push(candidate);
        }
    }
    chosen
}
