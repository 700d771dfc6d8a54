//! Swaps with the reserves of their pools as a state and signed transactions.

use std::collections::HashMap;
use std::io;

use num_bigint::BigUint;
use p3_field::PrimeCharacteristicRing;
use rayon::prelude::*;
use shardfold_contracts::FeePayment;
use shardfold_contracts::exchange::{Pool, SwapIn, quote_in};
use shardfold_contracts::set::standard;
use shardfold_protocol::address::Address;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::field::F;
use shardfold_protocol::record::{Asset, Index, Vault};
use shardfold_protocol::signature::Account;
use shardfold_protocol::state::{State, StateError, StateFile};

use super::assets::units;
use super::import::{Options, account};
use super::{PoolSwap, PoolTrace};
use crate::workload::Workload;

/// What swaps pay, in millionths: as in Uniswap v2.
const FEE: u64 = 3_000;
/// How long a swap is valid after the batch's time, in seconds.
const VALID: u64 = 3_600;
/// Shares of each pool, which nobody has.
const SHARES: u64 = 1_000_000;

/// A swap in the rollup's units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScaledSwap {
    /// The pool, as a position in [`PoolImport::pools`].
    pub pool: usize,
    /// What the pool holds of what is paid and of what is received, before the swap.
    pub reserves: [u64; 2],
    /// What is paid; 0 if it was below one unit.
    pub paid: u64,
    /// What was received on the base chain, rounded down.
    pub received: u64,
    /// What the pool gives here; `None` if it gives nothing.
    pub given: Option<u64>,
}

/// A pool of the import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Opened {
    assets: [Asset; 2],
    reserves: [u64; 2],
}

/// A trace of swaps with what it takes to sign it. A token's number is its place in
/// [`PoolTrace::tokens`]; its fees go to the vault at that index.
#[derive(Debug)]
pub struct PoolImport {
    options: Options,
    /// The tokens, each with the digits that it loses.
    pub tokens: Vec<(Address, u32)>,
    /// In the order of the trace.
    pub swaps: Vec<ScaledSwap>,
    traders: Vec<Account>,
    assets: Vec<[Asset; 2]>,
    pools: Vec<Opened>,
    time: u64,
    operator: Account,
}

impl PoolImport {
    /// Plans the swaps: in the pool of their pair as the swap before has left it, if the trace has the
    /// same reserves, else in one that is opened with those of the trace.
    #[must_use]
    pub fn new(trace: &PoolTrace, options: Options) -> Self {
        let tokens = trace.tokens();
        let numbers = tokens.iter().map(|(token, _)| *token).zip(0..);
        let numbers: HashMap<Address, usize> = numbers.collect();
        let mut pools = Vec::new();
        // The pool of a pair, and what it holds now, by asset.
        let mut current: HashMap<Address, (usize, HashMap<Asset, u64>)> = HashMap::new();
        let (mut swaps, mut assets) = (Vec::new(), Vec::new());
        for swap in &trace.swaps {
            let [of_in, of_out] = swap.tokens.map(|token| numbers[&token]);
            let units = |number: usize, amount: &BigUint| units(amount, tokens[number].1);
            let reserves = [
                units(of_in, &swap.reserves[0]),
                units(of_out, &swap.reserves[1]),
            ];
            let pair = [of_in as Asset, of_out as Asset];
            let held = HashMap::from([(pair[0], reserves[0]), (pair[1], reserves[1])]);
            let is_current = current.get(&swap.pair).filter(|(_, now)| *now == held);
            let pool = is_current.map_or_else(
                || {
                    let assets = pair;
                    pools.push(Opened { assets, reserves });
                    pools.len() - 1
                },
                |(pool, _)| *pool,
            );
            let paid = units(of_in, &swap.paid);
            let given = quote_in((reserves[0], reserves[1]), FEE, paid);
            let mut held = held;
            if let Some(given) = given {
                *held.entry(pair[0]).or_default() += paid;
                *held.entry(pair[1]).or_default() -= given;
            }
            current.insert(swap.pair, (pool, held));
            let received = units(of_out, &swap.received);
            swaps.push(ScaledSwap {
                pool,
                reserves,
                paid,
                received,
                given,
            });
            assets.push(pair);
        }
        let last = trace.swaps.last().map_or(1, |swap| swap.time);
        let trader = |swap: &PoolSwap| account(options.seed, swap.trader, 0);
        Self {
            options,
            tokens,
            swaps,
            traders: trace.swaps.par_iter().map(trader).collect(),
            assets,
            pools,
            time: options.time.unwrap_or(last),
            operator: account(options.seed, Address([0xff; 20]), 0xff),
        }
    }

    /// Writes a CSV table of the tokens: number, address, and what one unit is.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_assets(&self, out: impl io::Write) -> io::Result<()> {
        let mut table = csv::Writer::from_writer(out);
        table.write_record(["number", "asset", "digits"])?;
        for (number, (token, digits)) in self.tokens.iter().enumerate() {
            let token = format!("0x{}", hex::encode(token.0));
            table.write_record([number.to_string(), token, digits.to_string()])?;
        }
        table.flush()
    }

    /// Returns how many pools are opened.
    #[must_use]
    pub fn pool_count(&self) -> usize {
        self.pools.len()
    }

    /// The vaults of swap number `i`: that which pays, that which is opened.
    fn places(&self, i: usize) -> [Index; 2] {
        let first = self.tokens.len() + self.pools.len() + 2 * i;
        [first as Index, first as Index + 1]
    }

    fn pool_at(&self, pool: usize) -> Index {
        (self.tokens.len() + pool) as Index
    }

    /// Returns the genesis: fee vaults, pools, and a funded vault for each swap.
    #[must_use]
    pub fn genesis(&self) -> StateFile {
        let mut file = StateFile {
            chain_id: self.options.chain_id,
            head: None,
            vaults: vec![],
            records: vec![],
        };
        let chain_id = F::from_u64(self.options.chain_id);
        let vault = |account: &Account, asset, balance| Vault {
            owner: account.owner(chain_id),
            asset,
            balance,
            nonce: 0,
        };
        for number in 0..self.tokens.len() {
            let fees = vault(&self.operator, number as Asset, 0);
            file.push(number as Index, fees.into());
        }
        for (i, pool) in self.pools.iter().enumerate() {
            let [asset_a, asset_b] = pool.assets;
            let [reserve_a, reserve_b] = pool.reserves;
            let (shares, fee) = (SHARES, FEE);
            let pool = Pool {
                asset_a,
                asset_b,
                reserve_a,
                reserve_b,
                shares,
                fee,
            };
            file.push(self.pool_at(i), pool.into());
        }
        for (i, swap) in self.swaps.iter().enumerate() {
            let funds = swap.paid + self.options.fee;
            let payer = vault(&self.traders[i], self.assets[i][0], funds);
            file.push(self.places(i)[0], payer.into());
        }
        file
    }

    /// Returns the genesis and a batch of all swaps, signed on all threads.
    ///
    /// # Errors
    /// A chain id at or above the field's order.
    pub fn workload(&self) -> Result<Workload, StateError> {
        let state = State::try_from(&self.genesis())?;
        let chain_id = F::from_u64(self.options.chain_id);
        let sign = |i: usize| {
            let [from, to] = self.places(i);
            let [asset_in, asset_out] = self.assets[i];
            let body = SwapIn {
                asset_in,
                amount_in: self.swaps[i].paid,
                pools: vec![self.pool_at(self.swaps[i].pool)],
                asset_out,
                from,
                to,
                min_out: 0,
                valid_until: self.time + VALID,
                fee: FeePayment {
                    amount: self.options.fee,
                    vault: asset_in as Index,
                },
                nonce: 0,
            };
            standard().sign(&self.traders[i], chain_id, &body)
        };
        let batch = Batch {
            chain_id: self.options.chain_id,
            before: *state.head(),
            time: self.time,
            transactions: (0..self.swaps.len()).into_par_iter().map(sign).collect(),
        };
        Ok(Workload { state, batch })
    }
}
