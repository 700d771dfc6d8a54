//! A state in a folder of its own, and batches for it.

use std::path::Path;

use shardfold_contracts::FeePayment;
use shardfold_contracts::set::standard;
use shardfold_executor::outcome::Outcome;
use shardfold_executor::workload::{Builder, Keys, Random, genesis};
use shardfold_executor::{parallel, shards};
use shardfold_protocol::address::Address;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::record::Index;
use shardfold_protocol::shape::Shape;
use shardfold_protocol::state::State;
use shardfold_store::{Applied, BatchDigest, Counts, Store};
use tempfile::TempDir;

/// A ledger in memory and the same one in a folder.
pub struct Pair {
    pub folder: TempDir,
    pub state: State,
    keys: Keys,
    random: Random,
    vaults: u32,
}

impl Pair {
    pub fn new(vaults: u32) -> Self {
        let keys = Keys::new(5, 8);
        let state = genesis(&keys, vaults);
        let folder = TempDir::new().expect("a folder");
        Store::create(folder.path(), &state.to_file()).expect("an empty folder");
        Self {
            folder,
            state,
            keys,
            random: Random::new(u64::from(vaults)),
            vaults,
        }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn store(&self) -> Store {
        Store::open(self.path()).expect("a state")
    }

    /// Transfers, deposits and withdrawals for the state as it is in memory, some to new vaults
    /// anywhere, some not valid.
    pub fn batch(&mut self, transactions: usize) -> Batch {
        let random = &mut self.random;
        let mut builder = Builder::new(&self.keys, &self.state);
        for _ in 0..transactions {
            let count = u64::from(self.vaults) - 1;
            let from = random.below(count);
            let to = (from + 1 + random.below(count - 1)) % count;
            let fee = FeePayment {
                amount: random.below(3),
                vault: self.vaults - 1,
            };
            let (from, to) = (from as Index, to as Index);
            let anywhere = random.below(1 << 32) as Index;
            let amount = 1 + random.below(1000);
            let body = match random.below(8) {
                0 => builder.deposit(to, amount, fee),
                1 => builder.withdraw(from, amount, fee, Address([7; 20])),
                2 => builder.transfer(from, anywhere, amount, fee),
                3 => builder.transfer(anywhere, to, amount, fee),
                4 => builder.transfer(from, to, 1 << 50, fee),
                _ => builder.transfer(from, to, amount, fee),
            };
            builder.push(body);
        }
        builder.sign()
    }

    /// Executes a batch on the part of the state that the store gives for it, and moves the
    /// store and the state in memory on.
    pub fn apply(&mut self, store: &mut Store, batch: &Batch) -> (Outcome, Applied) {
        let mut part = store
            .view()
            .unwrap()
            .part_of(standard().indices(&batch.transactions))
            .unwrap();
        let outcome = parallel::execute(standard(), &part, batch).unwrap();
        assert_eq!(
            parallel::execute(standard(), &self.state, batch).unwrap(),
            outcome
        );
        move_on(&mut part, batch, &outcome);
        move_on(&mut self.state, batch, &outcome);
        let applied = apply_outcome(store, batch, &outcome, &part).unwrap();
        (outcome, applied)
    }
}

/// Moves a state to the end of a batch.
pub fn move_on(state: &mut State, batch: &Batch, outcome: &Outcome) {
    shards::apply(standard(), state, batch, outcome, &[Shape::SMALL]).unwrap();
}

pub fn apply_outcome(
    store: &mut Store,
    batch: &Batch,
    outcome: &Outcome,
    after: &State,
) -> Result<Applied, shardfold_store::StoreError> {
    let accepted = outcome.accepted.len() as u64;
    let counts = Counts {
        accepted,
        rejected: outcome.receipts.len() as u64 - accepted,
    };
    let changed: Vec<Index> = outcome.changes.iter().map(|&(index, _)| index).collect();
    let digest = BatchDigest::of(batch).unwrap();
    store.apply(digest, &batch.before, after, &changed, counts)
}
