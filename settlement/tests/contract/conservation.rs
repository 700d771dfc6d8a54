//! Whatever is done, the contract holds what it owes: to the wei.

use alloy_primitives::U256;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use revm::primitives::hardfork::SpecId;
use shardfold_contracts::transfer::Transfer;
use shardfold_protocol::record::Index;
use shardfold_protocol::transaction::Transaction;
use shardfold_settlement::interface::IRollup::{
    checkpointCall, claimCall, collectCall, earnedCall, potCall, queueCall,
};

use crate::common::world::{COIN, FREE, Item, OPERATOR, World, account, coin, owner, signed, user};
use crate::freeze::{escape_of, freeze};
use crate::reclaim::reclaim_of;

/// Users 1 to 6, each with a vault at the index of their number.
const USERS: u8 = 6;

/// A world, what is owed in it, and where the queue may be cut.
struct Run {
    world: World,
    rng: StdRng,
    claims: Vec<(u64, claimCall)>,
    /// Places of checkpoints, by how many items they have.
    checkpoints: Vec<usize>,
}

impl Run {
    fn new(seed: u64, fork: SpecId) -> Self {
        let mut world = World::new(fork);
        for i in 1..=USERS {
            world.deposit(i, 1_000, 0);
        }
        let taken = (0..USERS).map(|i| world.taking(i.into(), Index::from(i) + 1));
        let taken = taken.collect();
        world.settle(taken);
        let checkpoints = world.ask(&queueCall {}).checkpoints as usize;
        Self {
            world,
            rng: StdRng::seed_from_u64(seed),
            claims: vec![],
            checkpoints: vec![0; checkpoints],
        }
    }

    fn user(&mut self) -> u8 {
        self.rng.random_range(1..=USERS)
    }

    /// What the vaults of a state hold together.
    fn in_vaults(&self) -> u64 {
        let records = self.world.state.tree().records();
        records
            .iter()
            .filter_map(|(_, record)| record.vault())
            .map(|vault| vault.balance)
            .sum()
    }

    /// What waits in the queue, with fees.
    fn waiting(&self) -> u64 {
        let taken = self.world.state.head().queue_count as usize;
        let paid = |item: &Item| match *item {
            Item::Deposit { amount, fee, .. } => amount + fee,
            Item::Exit { .. } => 0,
        };
        self.world.items[taken..].iter().map(paid).sum()
    }

    /// The contract holds what vaults hold, what is owed, what waits and what items cost.
    #[track_caller]
    fn check(&mut self) {
        let owed: u64 = self.claims.iter().map(|(amount, _)| amount).sum();
        let units = self.in_vaults() + owed + self.waiting();
        let earned = self.world.ask(&earnedCall { settler: OPERATOR });
        let expected = coin(units) + self.world.ask(&potCall {}) + earned;
        assert_eq!(self.world.chain.balance(self.world.rollup), expected);
    }

    /// Notes checkpoints that were made meanwhile, each of the items before the last action.
    fn note(&mut self, items: usize) {
        let made = self.world.ask(&queueCall {}).checkpoints as usize;
        self.checkpoints.resize(made, items);
    }

    fn step(&mut self) {
        let (i, items) = (self.user(), self.world.items.len());
        match self.rng.random_range(0..10) {
            0..3 => {
                let (amount, fee) = (self.rng.random_range(0..500), self.rng.random_range(0..20));
                self.world.deposit(i, amount, fee);
            }
            3..5 => {
                // Of one's own vault or another's.
                let index = self.user();
                self.world.request_exit(i, index.into());
            }
            5..8 => self.settle(),
            8 => {
                // Too soon, or nothing new: then there is none.
                let _ = self.world.call(user(i), &checkpointCall {});
            }
            _ if !self.claims.is_empty() => {
                let claim = self.rng.random_range(0..self.claims.len());
                let (amount, call) = self.claims.swap_remove(claim);
                self.world
                    .call(user(i), &call)
                    .unwrap_or_else(|e| panic!("{amount}: {e:?}"));
            }
            _ => {}
        }
        self.note(items);
        self.world.wait(self.rng.random_range(0..400));
    }

    /// Takes items up to a checkpoint, or all, or none, with some traffic.
    fn settle(&mut self) {
        let taken = self.world.state.head().queue_count as usize;
        let cuts = self.checkpoints.iter().copied().enumerate();
        let mut ends: Vec<_> = cuts.filter(|&(_, items)| items > taken).collect();
        ends.extend([(0, taken), (0, self.world.items.len())]);
        let (place, end) = ends[self.rng.random_range(0..ends.len())];
        let mut transactions = self.traffic();
        for position in taken..end {
            let to = match self.world.items[position] {
                Item::Deposit { owner: of, .. } => (1..=USERS).find(|&i| owner(i) == of),
                Item::Exit { .. } => None,
            };
            let mut transaction = self.world.taking(position, to.unwrap_or(1).into());
            if to.is_some() {
                // The fee goes to vault 1.
                transaction.words[5] = shardfold_protocol::transaction::word(1);
            }
            transactions.push(transaction);
        }
        if transactions.is_empty() {
            return;
        }
        let mut batch = self.world.execute(transactions);
        batch.place = place as u64;
        self.world.try_settle(&batch).expect("it ends where it may");
        for place in 0..batch.withdrawals.len() {
            let amount = p3_field::PrimeField64::as_canonical_u64(&batch.withdrawals[place].amount);
            let claim = self.world.claim(self.world.batches - 1, &batch, place);
            self.claims.push((amount, claim));
        }
    }

    /// A transfer or a withdrawal of a part of a vault, if there is something in it.
    fn traffic(&mut self) -> Vec<Transaction> {
        let (i, to) = (self.user(), self.user());
        let vault = self
            .world
            .state
            .tree()
            .get(i.into())
            .vault()
            .expect("it is one");
        if vault.balance == 0 {
            return vec![];
        }
        let amount = self.rng.random_range(1..=vault.balance);
        if i == to {
            return vec![self.world.withdrawing(i, i.into(), amount, vault.nonce)];
        }
        let body = Transfer {
            from: i.into(),
            to: to.into(),
            to_owner: owner(to),
            asset: COIN.into(),
            amount,
            fee: FREE,
            nonce: vault.nonce,
        };
        vec![signed(&account(i), &body)]
    }

    /// Freezes, and takes out everything there is.
    fn unwind(&mut self) {
        freeze(&mut self.world);
        for (_, claim) in std::mem::take(&mut self.claims) {
            self.world.call(user(99), &claim).expect("it is owed");
        }
        let end = self.world.items.len();
        for position in self.world.state.head().queue_count as usize..end {
            if let Item::Deposit { owner: of, .. } = self.world.items[position] {
                let i = (1..=USERS)
                    .find(|&i| owner(i) == of)
                    .expect("it is a user's");
                let call = reclaim_of(&self.world, position, i, end);
                self.world.call(user(99), &call).expect("it waits");
            }
        }
        for i in 1..=USERS {
            let call = escape_of(&self.world, i.into(), i);
            self.world.call(user(99), &call).expect("it is the owner's");
        }
        self.world
            .call(OPERATOR, &collectCall {})
            .expect("it is earned");
    }
}

#[test]
fn the_contract_holds_what_it_owes_whatever_is_done() {
    for (seed, fork) in [
        (1, SpecId::OSAKA),
        (2, SpecId::AMSTERDAM),
        (3, SpecId::OSAKA),
    ] {
        let mut run = Run::new(seed, fork);
        let mut settled = 0;
        for _ in 0..150 {
            run.step();
            run.check();
            settled = run.world.batches;
        }
        assert!(settled > 20, "{settled} batches");
        assert!(run.checkpoints.len() > 5);
        run.unwind();
        let left = run.world.chain.balance(run.world.rollup);
        assert_eq!(left, run.world.ask(&potCall {}));
        assert_eq!(run.world.ask(&earnedCall { settler: OPERATOR }), U256::ZERO);
    }
}
