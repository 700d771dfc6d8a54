//! The executor's own traffic of pools, markets and payouts: settled, frozen, and taken apart. All that
//! is paid of an asset is at most what the records held of it, and little stays.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, U256};
use p3_field::{PrimeCharacteristicRing, PrimeField64};
use revm::primitives::hardfork::SpecId;
use shardfold_executor::workload::defi::{DefiPlan, Traffic, every_kind};
use shardfold_executor::workload::{Keys, Workload};
use shardfold_protocol::address::Address as ExitAddress;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Digest;
use shardfold_protocol::record::Index;
use shardfold_protocol::signature::Account;
use shardfold_protocol::transaction::{Kind, Transaction};
use shardfold_settlement::encoding::{head_bytes, key_elements, record_words, word};
use shardfold_settlement::escape::EscapeError;
use shardfold_settlement::interface::IRollup::{
    depositCall, dueCall, escapeCall, openCall, payDueCall, redeemCall, refundPayoutCall,
    registerAssetCall, repaidCall, repayCall, requestExitCall,
};
use shardfold_settlement::leaving::{Call, LeavingError, Step};

use crate::common::batch::Settlement;
use crate::common::chain::Chain;
use crate::common::world::{Item, PRICE, World, user};
use crate::freeze::freeze;
use crate::leaving::calls;

/// The first number that is that of no asset of the workloads.
const ASSETS: u32 = 2_000;
/// Where shares start.
const SHARES: u64 = 1 << 32;

/// A frozen contract, and who owns what in it.
struct Ruin {
    world: World,
    accounts: BTreeMap<[u64; 4], Account>,
    /// What was paid, by asset.
    paid: BTreeMap<u64, u64>,
    /// Who is due something, and of what.
    due: BTreeSet<(ExitAddress, u64)>,
}

fn numbers(elements: &[F]) -> Vec<u64> {
    elements.iter().map(F::as_canonical_u64).collect()
}

fn owner_of(elements: &[u64]) -> [u64; 4] {
    elements.try_into().expect("an owner has four elements")
}

const fn address(account: &Account) -> Address {
    Address::new(account.exit_address.0)
}

impl Ruin {
    /// Settles a workload's batch, whose queue items are put into the queue first, and freezes.
    fn new(workload: &Workload, keys: &Keys, count: usize) -> Self {
        let mut chain = Chain::new(SpecId::OSAKA);
        // A batch of a workload has the time 1.
        chain.time = 600;
        let mut world = World::with_genesis(chain, workload.state.clone());
        for asset in 0..ASSETS {
            let call = registerAssetCall {
                token: Address::ZERO,
                digits: 0,
            };
            assert_eq!(world.call(user(0), &call), Ok(asset));
        }
        let backed: u64 = held(&world).values().sum();
        world.chain.fund(world.rollup, U256::from(backed));
        let accounts = (0..count).map(|i| {
            let owner = keys.owner(i).map(|element| element.as_canonical_u64());
            (owner, keys.get(i).clone())
        });
        let mut ruin = Self {
            world,
            accounts: accounts.collect(),
            paid: BTreeMap::new(),
            due: BTreeSet::new(),
        };
        for transaction in &workload.batch.transactions {
            ruin.queue(transaction);
        }
        let transactions = workload.batch.transactions.clone();
        let batch = Settlement::new(&workload.state, workload.batch.time, transactions);
        ruin.world.try_settle(&batch).expect("it is settled");
        for place in 0..batch.withdrawals.len() {
            let claim = ruin.world.claim(0, &batch, place);
            ruin.world.call(user(9), &claim).expect("it is owed");
        }
        ruin.world.chain.fund(user(250), U256::from(PRICE));
        freeze(&mut ruin.world);
        ruin
    }

    /// Puts the item that a transaction takes into the queue.
    fn queue(&mut self, transaction: &Transaction) {
        let words = numbers(&transaction.words);
        let price = U256::from(PRICE);
        let world = &mut self.world;
        if transaction.kind == Kind::new("deposit") {
            let owner: Digest = owner_of(&words[7..]).map(F::from_u64);
            let (asset, amount, fee) = (words[2] as u32, words[3], words[4]);
            let call = depositCall {
                asset,
                amount,
                fee,
                owner: word(&owner),
            };
            let wei = U256::from(amount + fee) + price;
            world.chain.fund(user(1), wei);
            let sent = world.chain.send(user(1), world.rollup, wei, &call);
            sent.expect("it is a deposit");
            world.items.push(Item::Deposit {
                asset,
                amount,
                fee,
                owner,
            });
        } else if transaction.kind == Kind::new("exit") {
            let owner = owner_of(&words[3..7]);
            let account = &self.accounts[&owner];
            let index = words[2] as Index;
            let key = key_elements(&account.public_key());
            world.chain.fund(address(account), price);
            let call = requestExitCall { index, key };
            let sent = world
                .chain
                .send(address(account), world.rollup, price, &call);
            sent.expect("it is an exit");
            let owner = owner.map(F::from_u64);
            world.items.push(Item::Exit {
                index,
                owner,
                address: account.exit_address,
            });
        }
    }

    /// The elements of a record.
    fn record(&self, index: Index) -> Vec<u64> {
        numbers(&self.world.state.tree().get(index).0)
    }

    /// The key and the address of an owner.
    fn who(&self, owner: &[u64]) -> ([u64; 5], Address) {
        let account = &self.accounts[&owner_of(owner)];
        (key_elements(&account.public_key()), address(account))
    }

    fn note(&mut self, to: Address, asset: u64) {
        self.due.insert((ExitAddress(to.into_array()), asset));
    }

    fn due(&self, to: Address, asset: u64) -> u64 {
        let call = dueCall {
            owner: to,
            asset: U256::from(asset),
        };
        self.world.ask(&call).to()
    }

    fn escape(&mut self, index: Index) {
        let record = self.record(index);
        let (key, to) = self.who(&record[4..]);
        let proof = self.world.state.tree().prove_record(index);
        let call = escapeCall {
            head: head_bytes(self.world.state.head()).into(),
            index,
            record: record_words(&proof.record),
            siblings: proof.siblings.map(|sibling| word(&sibling)),
            key,
            to,
        };
        self.world.call(user(9), &call).expect("it is the owner's");
        let (asset, amount) = (record[1], record[2]);
        if asset < SHARES {
            *self.paid.entry(asset).or_default() += amount;
        } else {
            self.note(to, asset);
        }
    }

    fn open(&mut self, index: Index) {
        let proof = self.world.state.tree().prove_record(index);
        let call = openCall {
            head: head_bytes(self.world.state.head()).into(),
            index,
            record: record_words(&proof.record),
            siblings: proof.siblings.map(|sibling| word(&sibling)),
        };
        self.world.call(user(9), &call).expect("it is in the state");
    }

    /// Repays a position's debt.
    fn repay(&mut self, index: Index) {
        let position = self.record(index);
        let market = self.record(position[1] as Index);
        let collateral = self.record(position[1] as Index + 1)[1];
        // ceil(debt (BA + 1) / (BS + 1,024))
        let (assets, shares) = (u128::from(market[3]) + 1, u128::from(market[4]) + 1_024);
        let owed = U256::from((u128::from(position[3]) * assets).div_ceil(shares));
        let (key, to) = self.who(&position[4..]);
        self.world.chain.fund(user(9), owed);
        let (chain, rollup) = (&mut self.world.chain, self.world.rollup);
        let call = repayCall { index, key, to };
        chain
            .send(user(9), rollup, owed, &call)
            .expect("it is the debt");
        self.note(to, collateral);
    }

    fn refund(&mut self, index: Index) {
        let payout = self.record(index);
        let (key, to) = self.who(&self.record(payout[3] as Index)[4..]);
        let call = refundPayoutCall { index, key, to };
        self.world.call(user(9), &call).expect("it is the payer's");
        self.note(to, payout[1]);
    }

    /// Gives all shares back, and pays all that is due then.
    fn pay(&mut self) {
        for (to, asset) in self.due.clone() {
            if asset >= SHARES {
                let record = self.record((asset - SHARES) as Index);
                let to = Address::new(to.0);
                let call = redeemCall {
                    asset: U256::from(asset),
                    to,
                };
                self.world.call(user(9), &call).expect("it is opened");
                match record[0] {
                    2 => record[1..3].iter().for_each(|&asset| self.note(to, asset)),
                    _ => self.note(to, record[6]),
                }
            }
        }
        for (to, asset) in self.due.clone() {
            let to = Address::new(to.0);
            if asset < SHARES {
                *self.paid.entry(asset).or_default() += self.due(to, asset);
                let call = payDueCall {
                    asset: U256::from(asset),
                    to,
                };
                self.world.call(user(9), &call).expect("it is due");
            }
        }
    }

    /// Everybody leaves, one after the other, by the calls that are made for each of them; then once
    /// more, for what was repaid after somebody's turn.
    fn leave(&mut self) {
        let accounts: Vec<Account> = self.accounts.values().cloned().collect();
        for round in 0..2 {
            for account in &accounts {
                let key = key_elements(&account.public_key());
                for call in calls(&self.world.state, key, address(account)).unwrap() {
                    let is_again = matches!(call.step, Step::Redeem { .. } | Step::PayDue { .. });
                    if round == 0 || is_again {
                        self.send(&call);
                    }
                }
            }
        }
    }

    /// Sends a call with what it costs.
    fn send(&mut self, call: &Call) {
        let wei = match call.step {
            Step::Repay { debt, .. } => U256::from(debt),
            _ => U256::ZERO,
        };
        let (chain, rollup) = (&mut self.world.chain, self.world.rollup);
        chain.fund(user(9), wei);
        let sent = chain.pay_data(user(9), rollup, wei, call.data.to_vec());
        sent.unwrap_or_else(|error| panic!("{:?}: {error:?}", call.step));
    }

    /// What the owners have of the chain's coin, in the order of their owners.
    fn balances(&mut self) -> Vec<U256> {
        let accounts = self.accounts.values();
        let accounts: Vec<Address> = accounts.map(address).collect();
        let chain = &mut self.world.chain;
        accounts.into_iter().map(|who| chain.balance(who)).collect()
    }

    /// Takes everything apart.
    fn take_apart(&mut self) {
        let records = self.world.state.tree().records();
        let kinds: Vec<_> = records
            .iter()
            .map(|(index, record)| (*index, numbers(&record.0)))
            .collect();
        for (index, record) in &kinds {
            match record[0] {
                1 => self.escape(*index),
                6 => {}
                _ => self.open(*index),
            }
        }
        for (index, record) in kinds {
            match record[0] {
                5 => self.repay(index),
                7 => {
                    self.open(record[3] as Index);
                    self.refund(index);
                }
                _ => {}
            }
        }
        self.pay();
    }
}

/// What the records of a state hold of each asset of the base chain.
fn held(world: &World) -> BTreeMap<u64, u64> {
    let mut sums = BTreeMap::new();
    let tree = world.state.tree();
    for (_, record) in tree.records() {
        let record = numbers(&record.0);
        let parts = match record[0] {
            1 => vec![(record[1], record[2])],
            2 => vec![(record[1], record[3]), (record[2], record[4])],
            3 => vec![(record[6], record[1] - record[3])],
            5 => {
                let terms = numbers(&tree.get(record[1] as Index + 1).0);
                vec![(terms[1], record[2])]
            }
            7 => vec![(record[1], record[2])],
            _ => vec![],
        };
        for (asset, amount) in parts.into_iter().filter(|(asset, _)| *asset < SHARES) {
            *sums.entry(asset).or_default() += amount;
        }
    }
    sums
}

/// Takes a workload apart; what is paid of each asset must be there. Returns what stays.
fn check(workload: &Workload, keys: &Keys, count: usize) -> BTreeMap<u64, u64> {
    let mut ruin = Ruin::new(workload, keys, count);
    let mut expected = held(&ruin.world);
    ruin.take_apart();
    for (index, record) in ruin.world.state.tree().records() {
        let record = numbers(&record.0);
        if record[0] == 3 {
            let repaid: u64 = ruin
                .world
                .ask(&repaidCall {
                    market: U256::from(index),
                })
                .to();
            *expected.entry(record[6]).or_default() += repaid;
        }
    }
    for (asset, paid) in &ruin.paid {
        let held = expected.get_mut(asset).expect("some record holds it");
        assert!(*paid <= *held, "{paid} of {held} of asset {asset}");
        *held -= paid;
    }
    let left = ruin.world.chain.balance(ruin.world.rollup);
    let units = U256::from(expected.values().sum::<u64>());
    let items = U256::from(PRICE) * U256::from(ruin.world.items.len());
    assert_eq!(left, units + items);

    // By the calls that are made for each owner everybody gets the same.
    let mut other = Ruin::new(workload, keys, count);
    let before = other.balances();
    other.leave();
    let after = other.balances();
    assert_eq!(after, ruin.balances());
    assert!(
        after
            .iter()
            .zip(&before)
            .filter(|(after, before)| after > before)
            .count()
            > count / 2
    );
    assert_eq!(other.world.chain.balance(other.world.rollup), left);
    expected
}

#[test]
fn who_has_nothing_has_no_calls() {
    let keys = Keys::new(1, 24);
    let state = every_kind(0).state;
    let stranger = Account::from_index(77, 0);
    let key = key_elements(&stranger.public_key());
    assert_eq!(calls(&state, key, address(&stranger)), Ok(vec![]));
    // Neither has a key with the address of another.
    let key = key_elements(&keys.get(0).public_key());
    assert_eq!(calls(&state, key, address(&stranger)), Ok(vec![]));
    let error = calls(&state, [u64::MAX; 5], Address::ZERO).unwrap_err();
    let expected = matches!(
        error,
        LeavingError::Escape(EscapeError::Key { position: 0, .. })
    );
    assert!(expected, "{error}");
}

#[test]
fn a_batch_of_every_kind_is_settled_and_taken_apart() {
    let keys = Keys::new(1, 24);
    let left = check(&every_kind(0), &keys, 24);
    println!("{left:?} stay");
}

#[test]
fn lending_with_interest_and_liquidations_is_taken_apart() {
    for seed in 5..7 {
        let plan = DefiPlan {
            seed,
            traffic: Traffic::Lending,
            people: 60,
            transactions: 250,
            keys: 6,
        };
        let left = check(&plan.build(), &Keys::new(seed, 6), 6);
        assert!(left.len() > 10);
    }
}
