//! More than ten thousand mutated files through the library, in this process: nothing panics,
//! and no mutated proof verifies. A failure names the seed that repeats it.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use shardfold_aggregator::{ValidityProof, VerificationKey, verify};
use shardfold_contracts::set::standard;
use shardfold_executor::validate::validate;
use shardfold_executor::workload::{Pattern, Plan, Random};
use shardfold_executor::{parallel, reexecute, sequential, shards};
use shardfold_fleet::engine::Engine;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::files::{self, HEADER_BYTES, MAGIC};
use shardfold_protocol::shape::Shape;
use shardfold_protocol::state::{State, StateFile};
use shardfold_protocol::witness::ShardWitness;
use shardfold_prover::CircuitSet;
use shardfold_recursion::profile::Profile;

use crate::common::{Sandbox, cache, key};

/// Numbers that lengths, counts and field elements like least.
const EDGES: [u64; 8] = [
    0,
    1,
    (1 << 32) - 1,
    1 << 48,
    1 << 62,
    0xffff_ffff_0000_0000,
    0xffff_ffff_0000_0001,
    u64::MAX,
];

/// A file with one to three changes. In a binary file the header's length is mostly made to
/// fit again, so that the payload is looked at.
fn mutate(random: &mut Random, good: &[u8]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for _ in 0..=random.below(3) {
        change(random, &mut bytes);
    }
    if bytes.starts_with(&MAGIC) && bytes.len() >= HEADER_BYTES && random.below(4) > 0 {
        let length = (bytes.len() - HEADER_BYTES) as u64;
        bytes[12..HEADER_BYTES].copy_from_slice(&length.to_le_bytes());
    }
    bytes
}

fn change(random: &mut Random, bytes: &mut Vec<u8>) {
    let mut place = |length: usize| random.below(length as u64 + 1) as usize;
    let (at, other) = (place(bytes.len()), place(bytes.len()));
    let (first, end) = (at.min(other), at.max(other));
    match random.below(8) {
        0 => bytes.truncate(at),
        1 => {
            let piece = bytes[first..end.min(first + 64)].to_vec();
            bytes.splice(at..at, piece);
        }
        2 => {
            bytes.drain(first..end.min(first + 64));
        }
        3 => bytes.extend(random.bytes::<9>()),
        4 => {
            let number = EDGES[random.below(EDGES.len() as u64) as usize];
            let width = bytes.len().saturating_sub(at).min(8);
            bytes[at..at + width].copy_from_slice(&number.to_le_bytes()[..width]);
        }
        5 => {
            let piece = bytes[first..end.min(first + 40)].to_vec();
            let to = (random.below(bytes.len() as u64 + 1) as usize).min(bytes.len() - piece.len());
            bytes[to..to + piece.len()].copy_from_slice(&piece);
        }
        // Most changes are of one bit: they reach deepest.
        _ => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
    }
}

/// Feeds so many mutations of a file to a function and counts for how many it says true.
fn fuzz(seed: u64, rounds: u64, good: &[u8], accept: impl Fn(&[u8]) -> bool) -> u64 {
    let mut accepted = 0;
    for round in 0..rounds {
        let bytes = mutate(&mut Random::new(seed << 32 | round), good);
        if bytes == good {
            continue;
        }
        match catch_unwind(AssertUnwindSafe(|| accept(&bytes))) {
            Ok(result) => accepted += u64::from(result),
            Err(_) => panic!("seed {seed}, round {round} panicked"),
        }
    }
    accepted
}

/// A genesis and a batch of five transactions of all kinds.
fn workload() -> (StateFile, Batch) {
    let plan = Plan {
        seed: 3,
        pattern: Pattern::Mixed,
        vaults: 5,
        transactions: 5,
        keys: 5,
    };
    let workload = plan.build();
    (workload.state.to_file(), workload.batch)
}

/// Executes in both ways, which agree, and cuts shards whose witnesses hold.
fn run_batch(mut state: State, batch: &Batch) -> bool {
    let outcome = parallel::execute(standard(), &state, batch);
    assert_eq!(outcome, sequential::execute(standard(), &state, batch));
    let Ok(outcome) = outcome else {
        return false;
    };
    if !outcome.accepted.is_empty() {
        let witnesses = shards::cut(standard(), &mut state, batch, &outcome, &[Shape::TINY]);
        for witness in witnesses.expect("a batch that was executed can be cut") {
            assert_eq!(reexecute::reexecute(standard(), &witness), Ok(()));
        }
    }
    true
}

#[test]
fn mutated_batches() {
    let (state, batch) = workload();
    let state = State::try_from(&state).expect("a genesis");
    let run = |bytes: &[u8]| {
        files::from_bytes::<Batch>(bytes).is_ok_and(|batch| run_batch(state.clone(), &batch))
    };
    let binary = files::to_binary(&batch).expect("small");
    let executed = fuzz(1, 2_500, &binary, run);
    assert!(
        executed > 100,
        "only {executed} mutations came as far as the rules"
    );
    let json = files::to_json(&batch).expect("small");
    fuzz(2, 1_000, &json, run);
}

#[test]
fn mutated_states() {
    let (state, batch) = workload();
    // Without a head, so that other vaults are another state and not a mismatch.
    let genesis = StateFile {
        head: None,
        ..state.clone()
    };
    let run = |bytes: &[u8]| {
        let Ok(file) = files::from_bytes::<StateFile>(bytes) else {
            return false;
        };
        let Ok(state) = State::try_from(&file) else {
            return false;
        };
        let batch = Batch {
            chain_id: state.chain_id(),
            before: *state.head(),
            ..batch.clone()
        };
        run_batch(state, &batch)
    };
    let executed = fuzz(3, 1_500, &files::to_binary(&genesis).expect("small"), run);
    assert!(
        executed > 100,
        "only {executed} mutations came as far as the rules"
    );
    fuzz(4, 1_000, &files::to_binary(&state).expect("small"), run);
    fuzz(5, 500, &files::to_json(&state).expect("small"), run);
}

#[test]
fn mutated_witnesses() {
    let (state, batch) = workload();
    let mut state = State::try_from(&state).expect("a genesis");
    let outcome = parallel::execute(standard(), &state, &batch).expect("its own state");
    let witnesses =
        shards::cut(standard(), &mut state, &batch, &outcome, &[Shape::TINY]).expect("fits");
    let witness = &witnesses[0];
    let valid = |bytes: &[u8]| {
        files::from_bytes::<ShardWitness>(bytes).is_ok_and(|witness| {
            let well_formed = validate(standard(), &witness).is_ok();
            assert!(well_formed || reexecute::reexecute(standard(), &witness).is_err());
            well_formed
        })
    };
    assert!(valid(&files::to_binary(witness).expect("small")));
    fuzz(6, 2_500, &files::to_binary(witness).expect("small"), valid);
    fuzz(7, 300, &files::to_json(witness).expect("small"), valid);
}

/// What a run of the binary leaves behind.
struct Proven {
    proof: Vec<u8>,
    /// A shard's proof and an aggregation.
    parts: Vec<Vec<u8>>,
}

fn proven() -> &'static Proven {
    static PROVEN: OnceLock<Proven> = OnceLock::new();
    PROVEN.get_or_init(|| {
        let sandbox = Sandbox::with_batch(5);
        // The parts stay since the proof cannot be written; then they make one.
        sandbox.leave_parts();
        // Each starts with the number of its shape's key, aggregations with the largest one.
        let all = sandbox.parts("parts").into_iter();
        let all: Vec<_> = all.map(|part| sandbox.read(part)).collect();
        let parts = [0, u32::MAX].map(|origin: u32| {
            let is_of = |part: &&Vec<u8>| part.starts_with(&origin.to_le_bytes());
            all.iter().find(is_of).expect("a part of each kind").clone()
        });
        sandbox.prove("proof.bin", &["--work-dir", "parts"]);
        Proven {
            proof: sandbox.read("proof.bin"),
            parts: parts.into(),
        }
    })
}

#[test]
fn mutated_validity_proofs_are_refused() {
    let key = fs::read(key()).expect("the key");
    let key = VerificationKey::from_bytes(&key).expect("a key");
    let good = &proven().proof;
    let verifies = |bytes: &[u8]| {
        ValidityProof::from_bytes(bytes).is_ok_and(|proof| verify(&key, &proof).is_ok())
    };
    assert!(verifies(good));
    assert_eq!(fuzz(8, 2_000, good, verifies), 0);
    // Every length, and one flipped bit in every 16 bytes.
    let mut random = Random::new(9);
    for at in (0..good.len()).step_by(16) {
        assert!(!verifies(&good[..at]), "cut at byte {at}");
        let at = (at + random.below(16) as usize).min(good.len() - 1);
        let mut bytes = good.clone();
        bytes[at] ^= 1 << random.below(8);
        assert!(!verifies(&bytes), "flipped at byte {at}");
    }
}

#[test]
fn mutated_keys_verify_nothing() {
    let good = fs::read(key()).expect("the key");
    let proof = ValidityProof::from_bytes(&proven().proof).expect("a proof");
    let verifies = |bytes: &[u8]| {
        VerificationKey::from_bytes(bytes).is_ok_and(|key| verify(&key, &proof).is_ok())
    };
    assert!(verifies(&good));
    assert_eq!(fuzz(10, 1_500, &good, verifies), 0);
}

#[test]
fn mutated_parts_are_refused() {
    let circuits = CircuitSet::new(standard(), Profile::UnsoundTest, cache());
    let engine = Engine::new(circuits).expect("they are cached");
    let aggregator = engine.aggregator();
    for (seed, part) in (11..).zip(&proven().parts) {
        let admitted = |bytes: &[u8]| aggregator.decode(bytes).is_ok();
        assert!(admitted(part));
        assert_eq!(fuzz(seed, 750, part, admitted), 0);
    }
}
