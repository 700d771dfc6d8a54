//! What the steps of a transaction do and cost, counted from their recorded rules.

use crate::readings::Bus;
use crate::recorded::RecordedStep;

/// What one transaction takes of a shape, its records apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Rows of the transaction table.
    pub steps: usize,
    /// Signatures.
    pub signatures: usize,
    /// Permutations.
    pub permutations: usize,
    /// Accesses of vaults that have a row of their own.
    pub vaults: usize,
    /// Exact divisions, equal ones too.
    pub divisions: usize,
}

impl core::ops::Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            steps: self.steps + other.steps,
            signatures: self.signatures + other.signatures,
            permutations: self.permutations + other.permutations,
            vaults: self.vaults + other.vaults,
            divisions: self.divisions + other.divisions,
        }
    }
}

/// What some steps do, one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    /// Elements of the body that they read.
    pub words: usize,
    /// What they take of a shape.
    pub cost: Cost,
    /// How many of their digests follow from the body, counted from the first.
    pub pure: usize,
    /// Which of their digests is signed.
    pub signed: Option<usize>,
    /// Records that they access, the fee vault's too.
    pub accesses: usize,
    /// Whether they take an item from the queue.
    pub queues: bool,
}

impl Facts {
    pub fn of<'a>(steps: impl Iterator<Item = &'a RecordedStep>) -> Self {
        let mut facts = Self {
            words: 0,
            cost: Cost::default(),
            pure: 0,
            signed: None,
            accesses: 0,
            queues: false,
        };
        let mut hashes = 0;
        for step in steps {
            facts.words += step.words;
            facts.accesses += step.accesses + usize::from(step.does.pays);
            facts.queues |= step.does.queues;
            facts.cost.steps += 1;
            facts.cost.permutations += step.permutations();
            facts.cost.signatures += usize::from(step.does.signs);
            facts.cost.vaults += step.count(Bus::Vault);
            facts.cost.divisions += step.count(Bus::MulDiv);
            let signed = step.signed_hash.map(|hash| hashes + hash);
            facts.signed = facts.signed.or(signed);
            for &is_pure in &step.pure_hashes {
                if is_pure && facts.pure == hashes {
                    facts.pure += 1;
                }
                hashes += 1;
            }
        }
        facts
    }
}
