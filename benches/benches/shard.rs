//! One shard up to its STARK: traces and STARK, in transactions a second, and the
//! permutations that a STARK proves a second against plonky2 alone.

use std::cell::LazyCell;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, SamplingMode, Throughput};
use p3_field::PrimeCharacteristicRing;
use shardfold_benches::{PermutationStark, Reference, workload};
use shardfold_circuits::chips::{fee, node, poseidon2, range, record, signature, transaction};
use shardfold_circuits::error::TraceError;
use shardfold_circuits::lookup_events::LookupEvents;
use shardfold_contracts::set::standard;
use shardfold_protocol::shape::Shape;
use shardfold_protocol::witness::ShardWitness;
use shardfold_prover::{ShardStark, Traces, shard_traces, signature_requests};
use shardfold_recursion::config::{F, StarkParameters, StarkProof};
use shardfold_recursion::profile::Profile;

const SHAPES: [(&str, Shape); 2] = [("small", Shape::SMALL), ("medium", Shape::MEDIUM)];

/// A group whose benchmarks take up to minutes.
fn slow_group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10);
    group.sampling_mode(SamplingMode::Flat);
    group.warm_up_time(Duration::from_millis(1));
    group
}

/// The traces of a shard, chip by chip where they are made chip by chip.
fn traces(criterion: &mut Criterion) {
    for (name, shape) in SHAPES {
        let witness = workload::shard(shape).expect("the workload makes a shard");
        let mut group = slow_group(criterion, &format!("traces_{name}"));
        group.throughput(Throughput::Elements(witness.transactions.len() as u64));
        bench_traces(&mut group, &witness).expect("the executor's witnesses give traces");
        group.finish();
    }
}

fn bench_traces(
    group: &mut BenchmarkGroup<'_, WallTime>,
    witness: &ShardWitness,
) -> Result<(), TraceError> {
    let shape = &witness.shape;
    let log_transactions = shape.log_transactions as usize;
    let transactions = || transaction::generate(standard(), witness, log_transactions);
    let rows = transactions()?;
    let signatures = signature_requests(witness, &rows.signatures);
    let chain_id = F::from_u64(witness.statement.chain_id);
    let log_records = shape.log_records as usize;
    let data = &witness.statement.before.data_commitment;

    // What the serving chips are asked for, as in a whole shard.
    let mut asked = rows.events.clone();
    let ladders = [shape.transactions()];
    signature::generate(
        &signatures,
        chain_id,
        log_transactions,
        &ladders,
        &mut asked,
    )?;
    fee::generate(&rows.fees, log_transactions, &mut asked)?;
    let (_, leaves) = record::generate(&rows.records, data, log_records, &mut asked)?;
    let log_nodes = shape.log_nodes as usize;
    node::generate(&leaves, &witness.siblings, log_nodes, &mut asked)?;

    group.bench_function("transaction", |bencher| bencher.iter(transactions));
    group.bench_function("signature_chips", |bencher| {
        bencher.iter(|| {
            signature::generate(
                &signatures,
                chain_id,
                log_transactions,
                &ladders,
                &mut LookupEvents::default(),
            )
        });
    });
    group.bench_function("fee", |bencher| {
        bencher.iter(|| fee::generate(&rows.fees, log_transactions, &mut LookupEvents::default()));
    });
    group.bench_function("record", |bencher| {
        bencher.iter(|| {
            record::generate(
                &rows.records,
                data,
                log_records,
                &mut LookupEvents::default(),
            )
        });
    });
    group.bench_function("node", |bencher| {
        let siblings = &witness.siblings;
        bencher.iter(|| node::generate(&leaves, siblings, log_nodes, &mut LookupEvents::default()));
    });
    group.bench_function("poseidon2", |bencher| {
        let log_permutations = shape.log_permutations as usize;
        bencher.iter(|| poseidon2::generate(&asked.hashes, log_permutations));
    });
    group.bench_function("range", |bencher| {
        bencher.iter(|| range::generate(&asked.range));
    });
    group.bench_function("all", |bencher| {
        bencher.iter(|| shard_traces(standard(), witness))
    });
    Ok(())
}

/// The STARK of a shard with the parameters of the profile for 100 conjectured bits: proven
/// from its traces, and verified natively.
fn shard_stark(criterion: &mut Criterion) {
    let mut group = slow_group(criterion, "shard_stark");
    for (name, shape) in SHAPES {
        let witness = workload::shard(shape).expect("the workload makes a shard");
        // Proven only if one of the two benchmarks is asked for.
        let shard = LazyCell::new(|| prepare(&witness).expect("the executor's shards are proven"));
        group.throughput(Throughput::Elements(witness.transactions.len() as u64));
        group.bench_function(format!("prove_{name}"), |bencher| {
            bencher.iter_batched(
                || shard.traces.clone(),
                |traces| shard.stark.prove(traces),
                BatchSize::PerIteration,
            );
        });
        group.bench_function(format!("verify_{name}"), |bencher| {
            bencher.iter(|| shard.stark.verify(&shard.proof, &witness.statement));
        });
    }
    group.finish();
}

/// A shard and its STARK, which verifies.
struct Shard {
    stark: ShardStark,
    traces: Traces,
    proof: StarkProof,
}

fn prepare(witness: &ShardWitness) -> anyhow::Result<Shard> {
    let shape = witness.shape;
    let stark = ShardStark::new(standard(), shape, Profile::Conjectured100.stark(&shape))?;
    let traces = shard_traces(standard(), witness)?;
    let proof = stark.prove(traces.clone())?;
    stark.verify(&proof, &witness.statement)?;
    Ok(Shard {
        stark,
        traces,
        proof,
    })
}

/// The same number of permutations, witness included, in plonky2 alone and in a STARK of the
/// `poseidon2` chip alone, both for about 100 conjectured bits: the STARK with the parameters
/// of large shards, and with the blow-up of plonky2's configuration, those of small ones.
fn permutations_proven(criterion: &mut Criterion) {
    let mut group = slow_group(criterion, "permutations_proven");
    let log_rows = 14;
    // Built only if it is asked for, as are the STARKs.
    let reference = LazyCell::new(|| Reference::new(log_rows));
    group.throughput(Throughput::Elements(
        Reference::permutations(log_rows) as u64
    ));
    group.bench_function(format!("plonky2_alone_2^{log_rows}"), |bencher| {
        bencher.iter(|| reference.prove(1, log_rows));
    });
    for (log_rows, shape) in [
        (log_rows, Shape::SMALL),
        (log_rows, Shape::MEDIUM),
        (Shape::MEDIUM.log_permutations, Shape::MEDIUM),
    ] {
        let parameters = Profile::Conjectured100.stark(&shape);
        let stark = LazyCell::new(|| prepare_permutations(log_rows, &parameters));
        let name = format!("stark_blowup_{}_2^{log_rows}", 1 << parameters.log_blowup);
        group.throughput(Throughput::Elements(1 << log_rows));
        group.bench_function(name, |bencher| bencher.iter(|| stark.prove()));
    }
    group.finish();
}

/// A STARK whose proof verifies.
fn prepare_permutations(log_rows: u32, parameters: &StarkParameters) -> PermutationStark {
    let stark = PermutationStark::new(log_rows, parameters).expect("the chip has a STARK");
    let proof = stark.prove().expect("the permutations can be proven");
    stark.verify(&proof).expect("the proof verifies");
    stark
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    traces(&mut criterion);
    permutations_proven(&mut criterion);
    shard_stark(&mut criterion);
    criterion.final_summary();
}
