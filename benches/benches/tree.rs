//! The state tree and the cutting of shards, large. With `RAYON_NUM_THREADS=1` the times are
//! those of one core.

use criterion::{BatchSize, Criterion, Throughput};
use p3_field::PrimeCharacteristicRing;
use shardfold_executor::outcome::{Accepted, Outcome};
use shardfold_executor::prepare::{Authority, Prepared};
use shardfold_executor::shards::Shards;
use shardfold_executor::workload::{ASSET, Keys, Random, genesis};
use shardfold_protocol::batch::Batch;
use shardfold_protocol::field::F;
use shardfold_protocol::record::{Index, Record};
use shardfold_protocol::shape::Shape;
use shardfold_protocol::state::State;
use shardfold_protocol::transaction::{
    FeePayment, Kind, Signed, Transaction, Transfer, digests_of,
};
use shardfold_protocol::tree::StateTree;

/// Vaults of the state.
const VAULTS: u32 = 1 << 20;

/// Records put into an empty tree a second.
fn build(criterion: &mut Criterion) {
    let records = genesis(&Keys::new(1, 1), VAULTS).tree().records();
    let mut group = criterion.benchmark_group("tree_build");
    group.sample_size(10);
    group.throughput(Throughput::Elements(u64::from(VAULTS)));
    group.bench_function("2^20", |bencher| {
        bencher.iter_with_large_drop(|| StateTree::from_records(&records));
    });
    group.finish();
}

/// 131,072 transfers between random vaults, all accepted. Nothing is signed: who
/// authorises is taken as given.
fn scattered_transfers() -> (State, Batch, Outcome) {
    let (keys, mut random) = (Keys::new(1, 1), Random::new(1));
    let state = genesis(&keys, VAULTS);
    let key = keys.get(0);
    let (public_key, owner) = (key.public_key(), key.owner());
    let signature = key.sign(&owner);
    let mut nonces = vec![0; VAULTS as usize];
    let mut transfer = |_| {
        let from = random.below(u64::from(VAULTS)) as Index;
        let to = (from + 1 + random.below(u64::from(VAULTS) - 1) as Index) % VAULTS;
        let nonce = nonces[from as usize];
        nonces[from as usize] += 1;
        let body = Transfer {
            from,
            to,
            to_owner: owner,
            asset: ASSET,
            amount: 1,
            fee: FeePayment {
                amount: 1,
                vault: VAULTS - 1,
            },
            nonce,
        };
        Transaction::Transfer(Signed {
            body,
            public_key,
            signature,
        })
    };
    let transactions: Vec<_> = (0..1_u64 << 17).map(&mut transfer).collect();
    let digests = digests_of(&transactions, F::from_u64(state.chain_id()));
    let authority = Authority {
        owner,
        has_signed: true,
    };
    let accepted = digests
        .into_iter()
        .zip(0..)
        .map(|(digests, position)| Accepted {
            position,
            kind: Kind::Transfer,
            prepared: Prepared { digests, authority },
        });
    let outcome = Outcome {
        accepted: accepted.collect(),
        ..Outcome::default()
    };
    let batch = Batch {
        chain_id: state.chain_id(),
        before: *state.head(),
        transactions,
    };
    (state, batch, outcome)
}

/// Transactions a second from receipts to the witnesses of all shards.
fn cut(criterion: &mut Criterion) {
    let (state, batch, outcome) = scattered_transfers();
    let mut group = criterion.benchmark_group("cut");
    group.sample_size(10);
    group.throughput(Throughput::Elements(batch.transactions.len() as u64));
    group.bench_function("131072_scattered_over_2^20", |bencher| {
        bencher.iter_batched_ref(
            || state.clone(),
            |state| {
                let shards = Shards::new(state, &batch, &outcome, &[Shape::LARGE]);
                let shards = shards.expect("the shape is within bounds");
                shards
                    .map(|shard| shard.expect("the transfers are valid").siblings.len())
                    .sum::<usize>()
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

/// Transactions a second from receipts to the state after them, without shards.
fn commit(criterion: &mut Criterion) {
    let (state, batch, mut outcome) = scattered_transfers();
    let mut after = state.clone();
    Shards::new(&mut after, &batch, &outcome, &[Shape::LARGE])
        .expect("the shape is within bounds")
        .for_each(|shard| assert!(shard.is_ok()));
    let is_changed = |&(index, record): &(Index, Record)| record != state.tree().get(index);
    outcome.changes = after.tree().records();
    outcome.changes.retain(is_changed);
    let mut group = criterion.benchmark_group("commit");
    group.sample_size(10);
    group.throughput(Throughput::Elements(batch.transactions.len() as u64));
    group.bench_function("131072_scattered_over_2^20", |bencher| {
        bencher.iter_batched_ref(
            || state.clone(),
            |state| outcome.commit(state),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    build(&mut criterion);
    cut(&mut criterion);
    commit(&mut criterion);
    criterion.final_summary();
}
