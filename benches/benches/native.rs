//! What runs outside proofs: permutations, signatures, the state tree, the executor. With
//! `RAYON_NUM_THREADS=1` the times are those of one core.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput};
use p3_field::{Field, PackedValue as _, PrimeCharacteristicRing};
use p3_goldilocks::default_goldilocks_poseidon2_12;
use p3_symmetric::Permutation as _;
use shardfold_benches::workload;
use shardfold_contracts::readings::Authority;
use shardfold_contracts::set::standard;
use shardfold_contracts::transfer::Transfer;
use shardfold_contracts::{Body as _, FeePayment};
use shardfold_executor::outcome::{Accepted, Outcome};
use shardfold_executor::prepare::{digests_of, prepare_all, prepared};
use shardfold_executor::shards::Shards;
use shardfold_executor::workload::{ASSET, Keys, Random, genesis};
use shardfold_executor::{parallel, sequential, shards};
use shardfold_protocol::batch::Batch;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::{Digest, compress_block, compress_many};
use shardfold_protocol::head::Entries;
use shardfold_protocol::record::{Index, Record, Vault};
use shardfold_protocol::shape::Shape;
use shardfold_protocol::signature::{Account, Claim, verify_many};
use shardfold_protocol::state::State;
use shardfold_protocol::tree::StateTree;
use shardfold_recursion::permutation::permutation;

/// The chain of signatures.
const CHAIN: F = F::TWO;

/// Compressions, that is Poseidon2 permutations of width 8, a second.
fn compression(criterion: &mut Criterion) {
    let blocks: Vec<[F; 8]> = (0..1_u64 << 16)
        .map(|row| core::array::from_fn(|i| F::from_u64(8 * row + i as u64)))
        .collect();
    // As many as `compress_many` does on the calling thread.
    let few = &blocks[..512];
    let mut group = criterion.benchmark_group("permutation");
    group.throughput(Throughput::Elements(few.len() as u64));
    group.bench_function("scalar", |bencher| {
        bencher.iter(|| few.iter().map(compress_block).collect::<Vec<_>>());
    });
    group.bench_function("packed", |bencher| bencher.iter(|| compress_many(few)));
    group.throughput(Throughput::Elements(blocks.len() as u64));
    group.bench_function("packed_all_threads", |bencher| {
        bencher.iter(|| compress_many(&blocks));
    });
    group.finish();
}

/// Permutations of width 12, which commitments and transcripts are made of, in the lanes of one
/// register: ours, and Plonky3's in turn.
fn permutation_12(criterion: &mut Criterion) {
    type Packed = <F as Field>::Packing;
    let state: [Packed; 12] = core::array::from_fn(|i| Packed::from(F::from_usize(i)));
    let mut group = criterion.benchmark_group("permutation_12");
    group.throughput(Throughput::Elements(Packed::WIDTH as u64));
    let (ours, plonky3) = (permutation(), default_goldilocks_poseidon2_12());
    group.bench_function("ours", |bencher| {
        bencher.iter(|| ours.permute(black_box(state)));
    });
    group.bench_function("plonky3", |bencher| {
        bencher.iter(|| plonky3.permute(black_box(state)));
    });
    group.finish();
}

/// Signatures made and checked a second: one by one, and many at once with some forged.
fn signature(criterion: &mut Criterion) {
    let claims: Vec<Claim> = (0..16_384).map(claim).collect();
    let Claim {
        public_key,
        exit_address,
        message,
        signature,
    } = claims[0];
    assert!(public_key.verify(CHAIN, &exit_address, &message, &signature));
    let account = Account::from_index(1, 0);
    let mut group = criterion.benchmark_group("signature");
    group.throughput(Throughput::Elements(1));
    group.bench_function("sign", |bencher| {
        bencher.iter(|| account.sign(CHAIN, &message))
    });
    group.bench_function("verify", |bencher| {
        bencher.iter(|| public_key.verify(CHAIN, &exit_address, &message, &signature));
    });
    group.sample_size(10);
    group.throughput(Throughput::Elements(claims.len() as u64));
    group.bench_function("verify_16384", |bencher| {
        bencher.iter(|| verify_many(CHAIN, &claims))
    });
    let count = 10_000;
    group.throughput(Throughput::Elements(count as u64));
    for forged in [0, 1, 100, count] {
        let mut claims = claims[..count].to_vec();
        for i in 0..forged {
            claims[i * (count / forged)].message[0] += F::ONE;
        }
        let valid = verify_many(CHAIN, &claims)
            .iter()
            .filter(|verdict| verdict.is_valid)
            .count();
        assert_eq!(valid, count - forged);
        group.bench_function(format!("verify_10000_with_{forged}_forged"), |bencher| {
            bencher.iter(|| verify_many(CHAIN, &claims));
        });
    }
    group.finish();
}

/// A valid signature of its own key's owner digest.
fn claim(index: u64) -> Claim {
    let account = Account::from_index(1, index);
    let message = account.owner(CHAIN);
    Claim {
        public_key: account.public_key(),
        exit_address: account.exit_address,
        message,
        signature: account.sign(CHAIN, &message),
    }
}

/// Transfers hashed and their signatures checked, a second.
fn preparation(criterion: &mut Criterion) {
    let count = 16_384;
    let batch = workload::transfers(count).batch;
    let chain_id = F::from_u64(batch.chain_id);
    let mut group = criterion.benchmark_group("preparation");
    group.sample_size(10);
    group.throughput(Throughput::Elements(count as u64));
    group.bench_function("16384_transfers", |bencher| {
        bencher.iter(|| prepare_all(standard(), &batch.transactions, chain_id));
    });
    group.finish();
}

fn vault(owner: Digest, balance: u64) -> Record {
    let (asset, nonce) = (ASSET, 0);
    Vault {
        owner,
        asset,
        balance,
        nonce,
    }
    .into()
}

/// Records put in place a second, with all nodes above them.
fn tree(criterion: &mut Criterion) {
    let (records, changes) = (1_u32 << 20, 1_u32 << 13);
    let owner = Account::from_index(1, 1).owner(CHAIN);
    let all: Vec<(Index, Record)> = (0..records)
        .map(|i| (i, vault(owner, u64::from(i))))
        .collect();
    let mut group = criterion.benchmark_group("tree_build");
    group.sample_size(10);
    group.throughput(Throughput::Elements(u64::from(records)));
    group.bench_function("2^20", |bencher| {
        bencher.iter_with_large_drop(|| StateTree::from_records(&all));
    });
    group.finish();

    // An odd multiple takes each index once and scatters them.
    let scattered = |balance| -> Vec<(Index, Record)> {
        (0..changes)
            .map(|i| (i.wrapping_mul(0x9e37_79b1) % records, vault(owner, balance)))
            .collect()
    };
    let mut tree = StateTree::from_records(&all);
    // Every update changes every record.
    let mut updates = [scattered(1), scattered(2)].into_iter().cycle();
    let mut group = criterion.benchmark_group("tree_update");
    group.sample_size(20);
    group.throughput(Throughput::Elements(u64::from(changes)));
    group.bench_function("8192_of_2^20", |bencher| {
        bencher.iter_batched_ref(
            || updates.next().unwrap_or_default(),
            |changes| tree.update(changes),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

/// 131,072 transfers between random vaults of 2^20, all accepted. Nothing is signed: who
/// authorises is taken as given.
fn scattered_transfers() -> (State, Batch, Outcome) {
    let (count, vaults) = (1_u64 << 17, 1_u32 << 20);
    let (keys, mut random) = (Keys::new(1, 1), Random::new(1));
    let state = genesis(&keys, vaults);
    let (account, owner) = (keys.get(0), keys.owner(0));
    let signature = account.sign(F::from_u64(state.chain_id()), &owner);
    let mut nonces = vec![0; vaults as usize];
    let mut transfer = |_| {
        let from = random.below(u64::from(vaults)) as Index;
        let to = (from + 1 + random.below(u64::from(vaults) - 1) as Index) % vaults;
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
                vault: vaults - 1,
            },
            nonce,
        };
        let mut transaction = body.unsigned();
        transaction.authorization = Some(account.authorization(signature));
        transaction
    };
    let transactions: Vec<_> = (0..count).map(&mut transfer).collect();
    let chain_id = F::from_u64(state.chain_id());
    let digests = digests_of(standard(), &transactions, chain_id);
    let authority = Authority {
        owner,
        has_signed: true,
    };
    let accepted = digests
        .into_iter()
        .zip(0..)
        .map(|(digests, position)| Accepted {
            position,
            prepared: prepared(&digests, authority),
            entries: Entries {
                transaction: digests[0],
                ..Entries::default()
            },
        });
    let outcome = Outcome {
        accepted: accepted.collect(),
        ..Outcome::default()
    };
    let batch = Batch {
        chain_id: state.chain_id(),
        before: *state.head(),
        time: state.head().time + 1,
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
                let shards = Shards::new(standard(), state, &batch, &outcome, &[Shape::LARGE]);
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

/// Transactions executed a second, and cut into shards a second.
fn executor(criterion: &mut Criterion) {
    let count = 4_096;
    let workload = workload::transfers(count);
    let (state, batch) = (&workload.state, &workload.batch);
    let outcome = parallel::execute(standard(), state, batch).expect("the workload runs");
    assert_eq!(outcome.accepted.len(), count);
    let mut group = criterion.benchmark_group("executor");
    group.sample_size(10);
    group.throughput(Throughput::Elements(count as u64));
    group.bench_function("sequential_4096_transfers", |bencher| {
        bencher.iter(|| sequential::execute(standard(), state, batch));
    });
    group.bench_function("parallel_4096_transfers", |bencher| {
        bencher.iter(|| parallel::execute(standard(), state, batch));
    });
    group.bench_function("cut_4096_transfers", |bencher| {
        bencher.iter_batched_ref(
            || state.clone(),
            |state| shards::cut(standard(), state, batch, &outcome, &[Shape::MEDIUM]),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    compression(&mut criterion);
    permutation_12(&mut criterion);
    signature(&mut criterion);
    preparation(&mut criterion);
    tree(&mut criterion);
    executor(&mut criterion);
    cut(&mut criterion);
    criterion.final_summary();
}
