//! Batches that only have the form of a batch.

use anyhow::Result;
use shardfold_fleet::manifest::Manifest;
use shardfold_fleet::objects::ObjectName;
use shardfold_protocol::hash::ZERO_DIGEST;
use shardfold_protocol::head::{Head, Statement};
use shardfold_protocol::shape::Shape;
use shardfold_protocol::witness::ShardWitness;
use shardfold_recursion::profile::Profile;

/// The circuits' key of batches that are not proven.
pub const CIRCUITS: [u8; 32] = [7; 32];

/// Returns a batch whose shards follow one another and cannot be proven; another seed makes another
/// batch.
///
/// # Errors
/// If there is no shard.
pub fn outline(shards: usize, seed: u64) -> Result<Manifest> {
    let head = |shard: usize| Head {
        tx_count: (seed << 32) + shard as u64,
        ..Head::genesis(ZERO_DIGEST)
    };
    let witness = |shard| ShardWitness {
        shape: Shape::TINY,
        statement: Statement {
            chain_id: 1,
            before: head(shard),
            after: head(shard + 1),
        },
        transactions: Vec::new(),
        records: Vec::new(),
        siblings: Vec::new(),
    };
    let witnesses: Vec<_> = (0..shards).map(witness).collect();
    let named: Vec<_> = witnesses
        .iter()
        .zip(0_u64..)
        .map(|(witness, shard)| {
            (
                ObjectName::of(&[seed, shard].map(u64::to_le_bytes).concat()),
                witness,
            )
        })
        .collect();
    Ok(Manifest::new(Profile::UnsoundTest, CIRCUITS, &named)?)
}
