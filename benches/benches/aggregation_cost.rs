//! What folding costs: rows by profile and arity, and with `PROFILE ARITY` as arguments the
//! times and sizes of building, caching, proving, compressing and verifying one aggregation.
//!
//! `cargo bench -p shardfold-benches --bench aggregation_cost [-- PROFILE ARITY]`

use anyhow::Context as _;
use plonky2::iop::witness::{PartialWitness, WitnessWrite as _};
use shardfold_aggregator::{
    AggregationCircuit, Child, Origin, aggregation_rows, common_degree_bits, encode_proof,
};
use shardfold_protocol::head::STATEMENT_ELEMENTS;
use shardfold_prover::cache::{CircuitCache, Fingerprint};
use shardfold_recursion::plonk::{self, Builder, CommonData, PlonkField, PlonkParameters};
use shardfold_recursion::tree::{common_data, finish_leaf, gate_set};
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
            let parameters = PlonkParameters::named(profile).context("no such profile")?;
            prove(&parameters, arity.parse()?)?;
        }
        _ => anyhow::bail!("expected no arguments, or PROFILE ARITY"),
    }
    Ok(())
}

fn rows() -> anyhow::Result<()> {
    for parameters in [
        PlonkParameters::PROVEN_100,
        PlonkParameters::CONJECTURED_100,
    ] {
        let gates = gate_set(&parameters);
        for degree_bits in 13..=17 {
            let common = common_data(&parameters, degree_bits, &gates);
            for arity in [1, 2, 3, 4, 5] {
                let rows =
                    *aggregation_rows(&common, LEAF_KEYS, arity, parameters.grinding)?.start();
                let fits = if rows <= common.degree() { "fits" } else { "-" };
                println!(
                    "{} 2^{degree_bits} arity {arity}: {rows} {fits}",
                    parameters.profile
                );
            }
        }
    }
    Ok(())
}

fn prove(parameters: &PlonkParameters, arity: usize) -> anyhow::Result<()> {
    let gates = gate_set(parameters);
    let degree_bits = common_degree_bits(parameters, &gates, 12, LEAF_KEYS, arity)?;
    println!("degree 2^{degree_bits}");
    let common = timed("common data", || {
        common_data(parameters, degree_bits, &gates)
    });
    let (leaf, statement) = timed("leaf: build", || leaf(&common))?;
    let mut witness = PartialWitness::new();
    witness.set_target_arr(&statement, &[PlonkField::default(); STATEMENT_ELEMENTS])?;
    let proof = timed("leaf: prove", || {
        plonk::prove(&leaf, parameters.grinding, witness)
    })?;

    let keys = vec![leaf.verifier_only.clone()];
    let aggregation = timed("aggregate: build", || {
        AggregationCircuit::build(&common, keys, arity, parameters.grinding)
    })?;
    let folder = std::env::temp_dir().join(format!("aggregation_cost-{}", std::process::id()));
    let cache = CircuitCache::new(&folder, Fingerprint::new(parameters, &[]));
    timed("aggregate: store", || {
        cache.store("aggregate", &aggregation)
    })?;
    let size = std::fs::metadata(cache.path("aggregate"))?.len();
    println!("fold on disk: {} MB", size / 1_000_000);
    let aggregation: AggregationCircuit = timed("aggregate: load", || cache.load("aggregate"))?;
    std::fs::remove_dir_all(&folder)?;

    let child = Child {
        origin: Origin::Leaf(0),
        proof: &proof,
    };
    let children = vec![child; arity];
    let root = timed("aggregate: prove", || aggregation.prove(&children))?;
    println!("proof: {} bytes", encode_proof(&root).len());
    timed("verify", || {
        plonk::verify(
            aggregation.key(),
            aggregation.common(),
            aggregation.grinding(),
            &root,
        )
    })?;
    Ok(())
}

/// A leaf that states anything whose heads are equal.
fn leaf(
    common: &CommonData,
) -> anyhow::Result<(
    plonk::Circuit,
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
