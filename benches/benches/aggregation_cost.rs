//! What folding costs: rows by profile and arity, and with `PROFILE ARITY` as arguments the
//! times and sizes of building, caching, proving and verifying one aggregation, and a last proof.
//!
//! `cargo bench -p shardfold-benches --bench aggregation_cost [-- PROFILE ARITY]`

use anyhow::Context as _;
use plonky2::iop::witness::{PartialWitness, WitnessWrite as _};
use shardfold_aggregator::{
    AggregationCircuit, Child, LastCircuit, Origin, TreeForm, aggregation_rows, common_degree_bits,
    encode_proof,
};
use shardfold_protocol::head::STATEMENT_ELEMENTS;
use shardfold_prover::cache::{CircuitCache, Fingerprint};
use shardfold_recursion::plonk::{Builder, CommonData, PlonkField, prove};
use shardfold_recursion::profile::Profile;
use shardfold_recursion::tree::{finish_leaf, gate_set};
use std::time::Instant;

/// Leaf keys assumed: three shapes of shards.
const LEAF_KEYS: usize = 3;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    match arguments.as_slice() {
        [] => rows()?,
        [profile, arity] => {
            let profile = Profile::named(profile).context("no such profile")?;
            measure(profile, arity.parse()?)?;
        }
        _ => anyhow::bail!("expected no arguments, or PROFILE ARITY"),
    }
    Ok(())
}

fn rows() -> anyhow::Result<()> {
    for profile in [Profile::Proven100, Profile::Conjectured100] {
        for degree_bits in 13..=17 {
            let form = TreeForm::new(&profile.plonk(), degree_bits);
            for arity in 1..=8 {
                let rows = *aggregation_rows(&form, LEAF_KEYS, arity)?.start();
                let fits = if rows <= form.common.degree() {
                    "fits"
                } else {
                    "-"
                };
                println!(
                    "{} 2^{degree_bits} arity {arity}: {rows} {fits}",
                    profile.name()
                );
            }
        }
    }
    Ok(())
}

fn measure(profile: Profile, arity: usize) -> anyhow::Result<()> {
    let parameters = profile.plonk();
    let gates = gate_set(&parameters);
    let degree_bits = common_degree_bits(&parameters, &gates, 12, LEAF_KEYS, arity)?;
    println!("degree 2^{degree_bits}");
    let form = timed("common data", || TreeForm::new(&parameters, degree_bits));
    let (leaf, statement) = timed("leaf: build", || leaf(&form.common))?;
    let mut witness = PartialWitness::new();
    witness.set_target_arr(&statement, &[PlonkField::default(); STATEMENT_ELEMENTS])?;
    let proof = timed("leaf: prove", || prove(&leaf, form.grinding, witness))?;

    let keys = vec![leaf.verifier_only.clone()];
    let aggregation = timed("aggregate: build", || {
        AggregationCircuit::build(&form, keys, arity)
    })?;
    let folder = std::env::temp_dir().join(format!("aggregation_cost-{}", std::process::id()));
    let cache = CircuitCache::new(&folder, Fingerprint::new(&parameters, &[]));
    timed("aggregate: store", || {
        cache.store("aggregate", &aggregation)
    })?;
    let size = std::fs::metadata(cache.path("aggregate"))?.len();
    println!("aggregation circuit on disk: {} MB", size / 1_000_000);
    let aggregation: AggregationCircuit = timed("aggregate: load", || cache.load("aggregate"))?;
    std::fs::remove_dir_all(&folder)?;

    let child = Child {
        origin: Origin::Leaf(0),
        proof: &proof,
    };
    let root = timed("aggregate: prove", || {
        aggregation.prove(&vec![child; arity])
    })?;
    println!("proof: {} bytes", encode_proof(&root).len());
    let keys = aggregation.keys().clone();
    let root = Child {
        origin: Origin::Aggregation,
        proof: &root,
    };
    timed("verify", || keys.check(0, &root))?;
    let last = timed("last: build", || LastCircuit::build(profile, keys))?;
    let proof = timed("last: prove", || last.prove(&root))?;
    println!("last proof: {} bytes", encode_proof(&proof).len());
    Ok(())
}

/// A leaf that states anything whose heads are equal.
fn leaf(
    common: &CommonData,
) -> anyhow::Result<(
    shardfold_recursion::plonk::Circuit,
    [plonky2::iop::target::Target; STATEMENT_ELEMENTS],
)> {
    let mut builder = Builder::new(common.config.clone());
    let statement = builder.add_virtual_target_arr();
    Ok((finish_leaf(builder, &statement, common)?, statement))
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    println!("{what}: {:.3} s", start.elapsed().as_secs_f64());
    result
}
