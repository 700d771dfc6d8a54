//! Batches that follow each other, made without the command.

use shardfold_contracts::FeePayment;
use shardfold_contracts::set::standard;
use shardfold_executor::workload::{Builder, Keys, Random, genesis};
use shardfold_executor::{parallel, shards, workload};
use shardfold_protocol::files;
use shardfold_protocol::head::Head;
use shardfold_protocol::record::Index;
use shardfold_recursion::profile::Profile;

use crate::common::Sandbox;

/// A folder with genesis.bin and batches 0.bin, 1.bin, ..., and the heads before, between and
/// after them.
pub struct Chain {
    pub sandbox: Sandbox,
    pub heads: Vec<Head>,
}

impl Chain {
    /// So many batches of so many transfers between so many vaults, cut as by default.
    pub fn new(batches: usize, transfers: usize, vaults: u32) -> Self {
        Self::cut_for(Profile::Proven100, batches, transfers, vaults)
    }

    /// The same, cut for a profile.
    pub fn cut_for(profile: Profile, batches: usize, transfers: usize, vaults: u32) -> Self {
        let sandbox = Sandbox::new();
        let keys = Keys::new(3, 16);
        let mut state = genesis(&keys, vaults);
        let mut random = Random::new(8);
        let mut heads = vec![*state.head()];
        let binary = files::to_binary(&state.to_file()).expect("a small state");
        sandbox.write("genesis.bin", &binary);
        for number in 0..batches {
            let mut builder = Builder::new(&keys, &state);
            for _ in 0..transfers {
                let from = random.below(u64::from(vaults)) as Index;
                let fee = FeePayment {
                    amount: 1,
                    vault: 0,
                };
                builder.push(builder.transfer(from, (from + 7) % vaults, 5, fee));
            }
            let batch = builder.sign();
            let outcome = parallel::execute(standard(), &state, &batch).expect("it fits the state");
            assert_eq!(outcome.accepted.len(), transfers);
            shards::apply(standard(), &mut state, &batch, &outcome, profile.shapes())
                .expect("its shards can be cut");
            heads.push(*state.head());
            let binary = files::to_binary(&batch).expect("a small batch");
            sandbox.write(Self::batch(number), &binary);
        }
        assert_eq!(workload::CHAIN_ID, state.chain_id());
        Self { sandbox, heads }
    }

    /// The name of a batch.
    pub fn batch(number: usize) -> String {
        format!("{number}.bin")
    }

    /// Imports the genesis into a new folder.
    pub fn import(&self, folder: &str) {
        let arguments = ["state", "import", "genesis.bin", "--state", folder];
        self.sandbox.ok(&arguments);
    }
}
