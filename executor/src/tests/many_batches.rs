//! Generated batches that need no signing: so many of them that every order of threads occurs.

use rayon::{ThreadPool, ThreadPoolBuilder};
use shardfold_contracts::set::standard;
use shardfold_protocol::state::State;

use crate::outcome::Outcome;
use crate::workload::{Builder, Keys, Pattern, Plan, genesis};
use crate::{parallel, sequential};

/// Executes what was built in both ways, which must agree.
pub fn execute(state: &State, builder: Builder, pool: &ThreadPool) -> Outcome {
    let (batch, prepared) = builder.prepare();
    let expected = sequential::run(standard(), state, &batch, &prepared).unwrap();
    let found = pool.install(|| {
        parallel::Schedule::new(standard(), state, &batch)
            .unwrap()
            .run(&prepared)
    });
    assert!(found == expected, "{} transactions", prepared.len());
    expected
}

/// A batch of a pattern over so many vaults.
fn plan(seed: u64, vaults: u32, transactions: usize) -> Plan {
    Plan {
        seed,
        pattern: Pattern::ALL[seed as usize % Pattern::ALL.len()],
        vaults,
        transactions,
        keys: 3,
    }
}

pub fn pool(threads: usize) -> ThreadPool {
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap()
}

#[test]
fn a_thousand_batches_of_all_patterns_execute_alike() {
    let keys = Keys::new(1, 3);
    let states = [4, 9, 40].map(|vaults| (vaults, genesis(&keys, vaults)));
    let pools = [1, 2, 5].map(pool);
    let mut accepted = 0;
    for seed in 0..1_000 {
        let (vaults, state) = &states[seed as usize / 8 % 3];
        let mut builder = Builder::new(&keys, state);
        plan(seed, *vaults, 60).push_all(&mut builder);
        accepted += execute(state, builder, &pools[seed as usize % 3])
            .accepted
            .len();
    }
    assert!((50_000..60_000).contains(&accepted), "{accepted} accepted");
}

/// Batch after batch on one ledger.
#[test]
fn a_million_transactions_execute_alike() {
    const TRANSACTIONS: usize = 1 << 16;
    let keys = Keys::new(1, 3);
    let pool = pool(4);
    let mut executed = 0;
    for vaults in [60, 70_000] {
        let mut state = genesis(&keys, vaults);
        for pattern in 0..Pattern::ALL.len() as u64 {
            let mut builder = Builder::new(&keys, &state);
            plan(pattern, vaults, TRANSACTIONS).push_all(&mut builder);
            let outcome = execute(&state, builder, &pool);
            assert!(2 * outcome.accepted.len() > TRANSACTIONS, "{pattern}");
            executed += outcome.receipts.len();
            // Without shards, whose differences the next batch does not ask about.
            let (mut head, mut tree) = (*state.head(), state.tree().clone());
            for accepted in &outcome.accepted {
                head.extend(outcome.time, &accepted.entries);
            }
            tree.update(&outcome.changes);
            head.state_root = tree.root();
            state = State::from_parts(state.chain_id(), head, tree).unwrap();
        }
    }
    assert!(executed >= 1_000_000);
}
