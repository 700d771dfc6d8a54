//! A planned trace as a state and signed transactions.

use rayon::prelude::*;
use shardfold_contracts::deposit::Deposit;
use shardfold_contracts::exchange::{CreatePool, SwapIn};
use shardfold_contracts::set::standard;
use shardfold_contracts::transfer::Transfer;
use shardfold_contracts::{Body as _, FeePayment};
use shardfold_protocol::address::{ADDRESS_BYTES, Address};
use shardfold_protocol::batch::Batch;
use shardfold_protocol::field::F;
use shardfold_protocol::head::Head;
use shardfold_protocol::record::{Asset, Index};
use shardfold_protocol::signature::{Account, SecretKey};
use shardfold_protocol::state::{State, StateError, StateFile, VaultEntry};
use shardfold_protocol::transaction::Transaction;

use p3_field::PrimeCharacteristicRing;

use super::{Action, Movement, Plan, PlanError, PoolPlan, SwapPlan, TransferPlan};
use crate::workload::Workload;

/// What a trace does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Where all keys come from.
    pub seed: u64,
    /// The chain, below the field's order.
    pub chain_id: u64,
    /// What each transfer and swap pays, below 2^46; to the vault at the index of the asset's number.
    pub fee: u64,
    /// The time of the batch; by default the trace's last timestamp, else the head's plus one.
    pub time: Option<u64>,
}

/// A plan with what it takes to sign it.
#[derive(Debug)]
pub struct Import {
    options: Options,
    /// That of the options, else the last one of the trace.
    time: Option<u64>,
    plan: Plan,
    /// One for each vault of the plan: that of its address, whatever the asset. The address is
    /// where it can leave to.
    accounts: Vec<Account>,
    /// That of no address of the trace: it owns the fee vaults.
    operator: Account,
}

impl Import {
    /// Plans transfers and swaps.
    ///
    /// # Errors
    /// Fees that are too large together.
    pub fn new(movements: &[Movement], options: Options) -> Result<Self, PlanError> {
        let plan = Plan::new(movements, options.fee)?;
        let vaults = plan.vaults.par_iter();
        let accounts = vaults.map(|vault| account(options.seed, vault.holding.address, 0));
        let accounts = accounts.collect();
        let last = movements.last().and_then(|movement| movement.time);
        Ok(Self {
            options,
            time: options.time.or(last),
            plan,
            accounts,
            operator: account(options.seed, Address([0xff; ADDRESS_BYTES]), 0xff),
        })
    }

    /// Returns the time of a batch on a head.
    #[must_use]
    pub fn time_after(&self, head: &Head) -> u64 {
        self.time.unwrap_or(head.time + 1)
    }

    /// Returns the plan.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Returns a genesis with the fee vaults, the vaults that must be there before the first
    /// movement and the pools, and a batch of all movements.
    ///
    /// # Errors
    /// A chain id at or above the field's order.
    pub fn workload(&self) -> Result<Workload, StateError> {
        let state = State::try_from(&self.genesis())?;
        let time = self.time_after(state.head());
        let batch = Batch {
            chain_id: self.options.chain_id,
            before: *state.head(),
            time,
            transactions: self.movements(time),
        };
        Ok(Workload { state, batch })
    }

    /// Returns the genesis: fee vaults, funded vaults, pools.
    #[must_use]
    pub fn genesis(&self) -> StateFile {
        let mut file = self.empty();
        file.vaults = self.vaults();
        for pool in &self.plan.pools {
            file.push(pool.index, pool.pool().into());
        }
        file
    }

    /// Returns a genesis with nothing in it.
    #[must_use]
    pub const fn empty(&self) -> StateFile {
        StateFile {
            chain_id: self.options.chain_id,
            head: None,
            vaults: vec![],
            records: vec![],
        }
    }

    /// The fee vaults, then the vaults that must be there before the first movement.
    fn vaults(&self) -> Vec<VaultEntry> {
        let chain_id = F::from_u64(self.options.chain_id);
        let operator = self.operator.owner(chain_id);
        let fee_vaults = (0..self.plan.assets.len() as Index).map(|asset| VaultEntry {
            index: asset,
            owner: operator,
            asset: asset.into(),
            balance: 0,
            nonce: 0,
        });
        let vaults = self.plan.vaults.iter().zip(&self.accounts);
        let funded = vaults.filter(|(vault, _)| vault.funding > 0 || vault.is_first);
        let funded = funded.map(|(vault, account)| VaultEntry {
            index: vault.index,
            owner: account.owner(chain_id),
            asset: vault.holding.asset,
            balance: vault.funding,
            nonce: 0,
        });
        fee_vaults.chain(funded).collect()
    }

    /// Returns what makes the same of an empty state: deposits without a fee, and the openings of the
    /// pools by the operator, who deposits their reserves.
    #[must_use]
    pub fn openings(&self, time: u64) -> Vec<Transaction> {
        let reserves = self.plan.pools.iter().flat_map(|pool| self.reserves(pool));
        let funded = self.vaults().into_iter().chain(reserves);
        let deposit = |(vault, position): (VaultEntry, u64)| {
            let deposit = Deposit {
                base_chain: 1,
                to: vault.index,
                owner: vault.owner,
                asset: vault.asset,
                amount: vault.balance,
                fee: NO_FEE,
                position,
            };
            deposit.unsigned()
        };
        let mut all: Vec<_> = funded.zip(0..).map(deposit).collect();
        let chain_id = F::from_u64(self.options.chain_id);
        all.extend(self.plan.pools.iter().map(|pool| {
            let [from_a, from_b, to] = self.places(pool);
            let body = CreatePool {
                pool: pool.index,
                from_a,
                from_b,
                to,
                asset_a: pool.asset_a,
                asset_b: pool.asset_b,
                amount_a: pool.reserves[0],
                amount_b: pool.reserves[1],
                swap_fee: pool.fee,
                valid_until: time + VALID,
                fee: NO_FEE,
                nonce: 0,
            };
            standard().sign(&self.operator, chain_id, &body)
        }));
        all
    }

    /// Where the operator has what a pool is opened with, and its shares: after all pools.
    fn places(&self, pool: &PoolPlan) -> [Index; 3] {
        let pools = self.plan.pools.len() as Index;
        let first = self.plan.pools.first().map_or(0, |pool| pool.index);
        [0, 1, 2].map(|place| first + pools + 3 * (pool.index - first) + place)
    }

    fn reserves(&self, pool: &PoolPlan) -> [VaultEntry; 2] {
        let [at_a, at_b, _] = self.places(pool);
        let owner = self.operator.owner(F::from_u64(self.options.chain_id));
        let vault = |index, asset, balance| VaultEntry {
            index,
            owner,
            asset,
            balance,
            nonce: 0,
        };
        let [a, b] = pool.reserves;
        [vault(at_a, pool.asset_a, a), vault(at_b, pool.asset_b, b)]
    }

    /// Returns transfers and swaps, signed on all threads, for a batch of this time.
    #[must_use]
    pub fn movements(&self, time: u64) -> Vec<Transaction> {
        let sign = |action: &Action| match action {
            Action::Transfer(transfer) => self.transfer(transfer),
            Action::Swap(swap) => self.swap(swap, time),
        };
        self.plan.actions.par_iter().map(sign).collect()
    }

    fn transfer(&self, transfer: &TransferPlan) -> Transaction {
        let (plan, chain_id) = (&self.plan, F::from_u64(self.options.chain_id));
        let (from, to) = (&plan.vaults[transfer.from], &plan.vaults[transfer.to]);
        let body = Transfer {
            from: from.index,
            to: to.index,
            to_owner: self.accounts[transfer.to].owner(chain_id),
            asset: from.holding.asset,
            amount: transfer.amount,
            fee: self.fee(from.holding.asset),
            nonce: transfer.nonce,
        };
        standard().sign(&self.accounts[transfer.from], chain_id, &body)
    }

    fn swap(&self, swap: &SwapPlan, time: u64) -> Transaction {
        let (plan, chain_id) = (&self.plan, F::from_u64(self.options.chain_id));
        let (from, to) = (&plan.vaults[swap.from], &plan.vaults[swap.to]);
        let body = SwapIn {
            asset_in: from.holding.asset,
            amount_in: swap.amount,
            pools: vec![plan.pools[swap.pool].index],
            asset_out: to.holding.asset,
            from: from.index,
            to: to.index,
            min_out: swap.least,
            valid_until: time + VALID,
            fee: self.fee(from.holding.asset),
            nonce: swap.nonce,
        };
        standard().sign(&self.accounts[swap.from], chain_id, &body)
    }

    /// What each movement pays: plans number their assets from 0, and so do the fee vaults lie.
    fn fee(&self, asset: Asset) -> FeePayment {
        FeePayment {
            amount: self.options.fee,
            vault: Index::try_from(asset).unwrap_or(Index::MAX),
        }
    }
}

/// The account of an address; `filling` tells those of the trace from others.
pub(super) fn account(seed: u64, exit_address: Address, filling: u8) -> Account {
    let mut bytes = [filling; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..28].copy_from_slice(&exit_address.0);
    Account {
        key: SecretKey::from_seed(&bytes),
        exit_address,
    }
}

/// How long a swap is valid after the batch's time, in seconds.
const VALID: u64 = 3_600;

const NO_FEE: FeePayment = FeePayment {
    amount: 0,
    vault: 0,
};
