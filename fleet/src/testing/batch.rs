//! Batches for tests.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use shardfold_contracts::set::standard;
use shardfold_executor::workload::{Pattern, Plan};
use shardfold_executor::{reexecute, sequential, shards};
use shardfold_protocol::field::F;
use shardfold_protocol::hash::ZERO_DIGEST;
use shardfold_protocol::head::{Head, Statement};
use shardfold_protocol::shape::Shape;
use shardfold_protocol::witness::ShardWitness;
use shardfold_prover::CircuitSet;
use shardfold_recursion::profile::Profile;

use crate::engine::Engine;
use crate::manifest::{Manifest, Published};
use crate::objects::ObjectName;

/// The circuits' key of a batch that is not proven.
pub const CIRCUITS: [u8; 32] = [7; 32];

/// Shards that follow one another, each of 3 transactions that are rejected: enough for a
/// tree of jobs, but not to prove. Another seed gives other shards.
pub fn outline(shards: usize, seed: u64) -> Vec<ShardWitness> {
    let head = |shard: usize| Head {
        tx_count: 1_000 * seed + 3 * shard as u64,
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
    (0..shards).map(witness).collect()
}

/// The name of an outline's shard.
pub fn name(shard: usize, seed: u64) -> ObjectName {
    ObjectName::of(format!("witness {shard} of {seed}").as_bytes())
}

/// The manifest of an [`outline`], for these circuits.
pub fn manifest_for(circuits: [u8; 32], shards: usize, seed: u64) -> Manifest {
    let outline = outline(shards, seed);
    let names = (0..shards).map(|shard| name(shard, seed));
    let shards: Vec<_> = names.zip(&outline).collect();
    Manifest::new(Profile::UnsoundTest, circuits, &shards).unwrap()
}

/// The manifest of an [`outline`].
pub fn manifest(shards: usize, seed: u64) -> Manifest {
    manifest_for(CIRCUITS, shards, seed)
}

/// The same with a settlement proof.
pub fn settled_manifest(shards: usize, seed: u64) -> Manifest {
    let published = Published::new(ObjectName::of(b"differences"), POINT);
    manifest(shards, seed).with_settlement(published).unwrap()
}

/// The point of what is published of a batch.
pub const POINT: [u64; 2] = [5, (1 << 63) - 1];

/// The circuits, built once for this checkout.
pub static ENGINE: LazyLock<Arc<Engine>> = LazyLock::new(|| {
    // Where the tests of the command keep theirs.
    let cache = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/tmp/circuits");
    let circuits = CircuitSet::new(standard(), Profile::UnsoundTest, Path::new(cache));
    Arc::new(Engine::new(circuits).unwrap())
});

/// Three shards that follow one another, to be proven.
pub static SHARDS: LazyLock<Vec<ShardWitness>> = LazyLock::new(|| {
    let plan = Plan {
        seed: 4,
        pattern: Pattern::Independent,
        vaults: 32,
        transactions: 8,
        keys: 4,
    };
    let mut workload = plan.build();
    let outcome = sequential::execute(standard(), &workload.state, &workload.batch).unwrap();
    let cut = shards::cut(
        standard(),
        &mut workload.state,
        &workload.batch,
        &outcome,
        &[Shape::TINY],
    );
    let shards = cut.unwrap();
    assert_eq!(shards.len(), 3);
    shards
});

/// What these shards publish.
pub fn differences(shards: &[ShardWitness]) -> Vec<F> {
    let published = shards
        .iter()
        .map(|shard| reexecute::published(standard(), shard).unwrap().differences);
    published.collect::<Vec<_>>().concat()
}
