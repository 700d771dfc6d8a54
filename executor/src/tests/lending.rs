//! Lending in batches: in parallel as one after the other, in shards, and with signatures.

use p3_field::PrimeCharacteristicRing;
use shardfold_contracts::FeePayment;
use shardfold_contracts::law::Body;
use shardfold_contracts::lending::*;
use shardfold_contracts::set::standard;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::field::F;
use shardfold_protocol::record::{Asset, Index};
use shardfold_protocol::shape::Shape;
use shardfold_protocol::state::{State, StateFile, VaultEntry};
use shardfold_protocol::transaction::Transaction;

use super::oracle;
use crate::outcome::{Outcome, Receipt};
use crate::workload::{CHAIN_ID, Keys};

const LOAN: Asset = 1;
const COLLATERAL: Asset = 2;
const PRICE: Index = 50;
const MARKET: Index = 100;
const SCALE: u64 = 1_000;
const RATES: Rates = Rates {
    slope1: 1_000_000,
    slope2: 0,
    fee: 250_000,
};
/// The operator's vault.
const OPERATOR: Index = 99;
// Who has which key.
const CREATOR: usize = 0;
const SUPPLIER: usize = 1;
const BORROWER: usize = 2;
const LIQUIDATOR: usize = 3;
const FEEDER: usize = 4;

const fn loan(key: usize) -> Index {
    key as Index * 10
}

const fn collateral(key: usize) -> Index {
    loan(key) + 1
}

const fn shares(key: usize) -> Index {
    loan(key) + 2
}

const POSITION: Index = 25;

fn genesis(keys: &Keys) -> State {
    let vault = |index, key, asset| VaultEntry {
        index,
        owner: keys.owner(key),
        asset,
        balance: 1_000_000,
        nonce: 0,
    };
    let of = |key| {
        [
            vault(loan(key), key, LOAN),
            vault(collateral(key), key, COLLATERAL),
        ]
    };
    let vaults = (0..4).flat_map(of).chain([vault(OPERATOR, FEEDER, LOAN)]);
    let file = StateFile {
        chain_id: CHAIN_ID,
        head: None,
        vaults: vaults.collect(),
        records: vec![],
    };
    State::try_from(&file).expect("ascending vaults")
}

/// Signs bodies of a batch, with rising nonces.
struct Maker<'a> {
    keys: &'a Keys,
    state: &'a State,
    nonces: [u64; 100],
    time: u64,
    transactions: Vec<Transaction>,
}

impl<'a> Maker<'a> {
    fn new(keys: &'a Keys, state: &'a State, time: u64) -> Self {
        let nonce = |index: usize| {
            let vault = state.tree().get(index as Index).vault();
            vault.map_or(0, |vault| vault.nonce)
        };
        Self {
            keys,
            state,
            nonces: core::array::from_fn(nonce),
            time,
            transactions: vec![],
        }
    }

    fn signer(&mut self, vault: Index) -> Signer {
        let nonce = &mut self.nonces[vault as usize];
        *nonce += 1;
        // The operator's vault is one of the loan asset.
        let amount = u64::from(vault.is_multiple_of(10));
        Signer {
            vault,
            nonce: *nonce - 1,
            valid_until: self.time,
            fee: FeePayment {
                amount,
                vault: OPERATOR,
            },
        }
    }

    fn push(&mut self, key: usize, body: &impl Body) {
        let chain_id = F::from_u64(CHAIN_ID);
        let signed = standard().sign(self.keys.get(key), chain_id, body);
        self.transactions.push(signed);
    }

    fn price(&mut self, price: u64) {
        let body = Price {
            index: PRICE,
            price,
            time: self.time,
            feeder: self.keys.owner(FEEDER),
        };
        self.push(FEEDER, &body);
    }

    fn execute(self) -> (State, Outcome) {
        let batch = Batch {
            chain_id: CHAIN_ID,
            before: *self.state.head(),
            time: self.time,
            transactions: self.transactions,
        };
        let outcome = oracle::execute(self.state, &batch);
        for receipt in &outcome.receipts {
            assert!(!matches!(receipt, Receipt::Rejected(_)), "{receipt:?}");
        }
        let shapes = [Shape::TINY, Shape::SMALL];
        let witnesses = oracle::cut(self.state, &batch, &outcome, &shapes);
        assert!(!witnesses.is_empty());
        let mut after = self.state.clone();
        oracle::apply(&mut after, &batch, &outcome, &shapes);
        (after, outcome)
    }
}

/// Opens a market, supplies to it, and borrows from it.
fn first(maker: &mut Maker<'_>) {
    maker.price(SCALE);
    let signer = maker.signer(loan(CREATOR));
    let market = CreateMarket {
        market: MARKET,
        loan: LOAN,
        collateral: COLLATERAL,
        price: PRICE,
        share_vault: shares(CREATOR),
        lltv: 860_000,
        scale: SCALE,
        rates: RATES,
        signer,
    };
    maker.push(CREATOR, &market);
    let signer = maker.signer(loan(SUPPLIER));
    let supply = Supply {
        market: MARKET,
        share_vault: shares(SUPPLIER),
        amount: 500_000,
        limit: 512_000_000,
        signer,
    };
    maker.push(SUPPLIER, &supply);
    let signer = maker.signer(collateral(BORROWER));
    let post = Post {
        market: MARKET,
        position: POSITION,
        amount: 600_000,
        signer,
    };
    maker.push(BORROWER, &post);
    let signer = maker.signer(loan(BORROWER));
    let borrow = Borrow {
        market: MARKET,
        position: POSITION,
        price: PRICE,
        amount: 450_000,
        limit: u64::MAX >> 2,
        signer,
    };
    maker.push(BORROWER, &borrow);
    let signer = maker.signer(collateral(BORROWER));
    let take = Take {
        market: MARKET,
        position: POSITION,
        price: PRICE,
        amount: 10_000,
        signer,
    };
    maker.push(BORROWER, &take);
}

/// Counts interest, hands the fee out, and liquidates what has become too cheap.
fn second(maker: &mut Maker<'_>) {
    maker.price(SCALE - 200);
    let until = maker.time;
    let accrue = Accrue {
        market: MARKET,
        until,
        rates: RATES,
    };
    maker.push(SUPPLIER, &accrue);
    let collect = Collect {
        market: MARKET,
        share_vault: shares(CREATOR),
    };
    maker.push(SUPPLIER, &collect);
    let signer = maker.signer(loan(LIQUIDATOR));
    let liquidate = Liquidate {
        market: MARKET,
        position: POSITION,
        price: PRICE,
        to: collateral(LIQUIDATOR),
        seized: 100_000,
        shares: 100_000_000,
        limit: 200_000,
        signer,
    };
    maker.push(LIQUIDATOR, &liquidate);
    let signer = maker.signer(loan(BORROWER));
    let repay = Repay {
        market: MARKET,
        position: POSITION,
        shares: 100_000_000,
        limit: 200_000,
        signer,
    };
    maker.push(BORROWER, &repay);
    let signer = maker.signer(loan(SUPPLIER));
    let redeem = Redeem {
        market: MARKET,
        share_vault: shares(SUPPLIER),
        shares: 100_000_000,
        limit: 97_657,
        signer,
    };
    maker.push(SUPPLIER, &redeem);
}

#[test]
fn a_market_lives_through_two_batches() {
    let keys = Keys::new(3, 5);
    let state = genesis(&keys);
    let mut maker = Maker::new(&keys, &state, 1_000);
    first(&mut maker);
    let (state, outcome) = maker.execute();
    assert_eq!(outcome.accepted.len(), 6);
    let mut maker = Maker::new(&keys, &state, 1_000 + YEAR / 10);
    second(&mut maker);
    let (state, outcome) = maker.execute();
    assert_eq!(outcome.accepted.len(), 6);
    let fees = state.tree().get(shares(CREATOR)).vault().unwrap();
    assert!(fees.balance > 0);
    assert_eq!(
        state.tree().get(OPERATOR).vault().unwrap().balance,
        1_000_006
    );
}
