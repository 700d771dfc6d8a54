//! The reference: the same number of Poseidon permutations in plonky2 alone.
#![allow(missing_docs)] // criterion writes functions without them

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use shardfold_benches::Reference;

fn plonky2_alone(criterion: &mut Criterion) {
    let log_rows = 14;
    let reference = Reference::new(log_rows);
    let mut group = criterion.benchmark_group("reference");
    group.sample_size(10);
    group.throughput(Throughput::Elements(
        Reference::permutations(log_rows) as u64
    ));
    group.bench_function("plonky2_poseidon_rows_2^14", |bencher| {
        bencher.iter(|| reference.prove(1, log_rows));
    });
    group.finish();
}

criterion_group!(benches, plonky2_alone);
criterion_main!(benches);
