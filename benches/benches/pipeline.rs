//! Shard circuit, fold and whole batches, in proofs and transactions a second.
//!
//! Without more ado a smoke test over tiny shards with parameters that prove nothing: its
//! figures say little. With `SHARDFOLD_BENCH_FULL=1` the real profiles, whose circuits are
//! built once (minutes) and then come from the cache of the command line.

use std::ops::ControlFlow;
use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput};
use shardfold_benches::run::{Pipeline, silent};
use shardfold_benches::workload;
use shardfold_contracts::set::standard;
use shardfold_protocol::shape::Shape;
use shardfold_prover::shard_traces;
use shardfold_recursion::profile::Profile;

fn pipeline(criterion: &mut Criterion) {
    if std::env::var_os("SHARDFOLD_BENCH_FULL").is_none() {
        bench(criterion, Profile::UnsoundTest, Shape::TINY).expect("tiny shards are proven");
        return;
    }
    for profile in [Profile::Conjectured100, Profile::Proven100] {
        for shape in [Shape::SMALL, Shape::MEDIUM] {
            bench(criterion, profile, shape).expect("the executor's shards are proven");
        }
    }
}

/// Two shards of a shape: the circuit of the first, the aggregation of both, and all of it.
fn bench(criterion: &mut Criterion, profile: Profile, shape: Shape) -> anyhow::Result<()> {
    let mut witnesses = workload::witnesses(workload::mixed(2 * shape.transactions()), &[shape])?;
    witnesses.truncate(2);
    let pipeline = Pipeline::load(profile, &witnesses)?;
    let engine = &pipeline.engine;
    let circuits = engine.circuits();

    let stark = circuits.stark(&shape)?;
    let circuit = circuits.shard(&shape)?;
    let mut proven = Vec::new();
    let mut first = None;
    for witness in &witnesses {
        let proof = stark.prove(shard_traces(standard(), witness)?)?;
        proven.push(engine.prove(witness, |_, _| ControlFlow::Continue(()))?);
        first.get_or_insert((proof, witness.statement));
    }

    let name = format!("{}_{}", profile.name(), shape.transactions());
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10);
    group.sampling_mode(SamplingMode::Flat);
    group.warm_up_time(Duration::from_millis(1));
    group.throughput(Throughput::Elements(1));
    if let Some((proof, statement)) = &first {
        group.bench_function("shard_circuit_proofs", |bencher| {
            bencher.iter(|| circuit.prove(stark, proof, statement));
        });
    }
    group.bench_function("fold_proofs", |bencher| {
        bencher.iter(|| engine.aggregate(&proven))
    });
    group.throughput(Throughput::Elements(workload::transactions(&witnesses)));
    group.bench_function("end_to_end_transactions", |bencher| {
        bencher.iter(|| {
            pipeline
                .prove(&witnesses, 1, Box::new(silent))
                .expect("the shards are proven")
        });
    });
    group.finish();
    Ok(())
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    pipeline(&mut criterion);
    criterion.final_summary();
}
