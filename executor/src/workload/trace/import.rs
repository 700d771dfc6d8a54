//! A planned trace as a state and signed transactions.

use rayon::prelude::*;
use shardfold_contracts::deposit::Deposit;
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

use super::{Movement, Plan, PlanError};
use crate::workload::Workload;

/// What a trace does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Where all keys come from.
    pub seed: u64,
    /// The chain, below the field's order.
    pub chain_id: u64,
    /// What each transfer pays, below 2^48; to the vault at the index of the asset's number.
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
    /// Plans transfers.
    ///
    /// # Errors
    /// Fees that are too large together.
    pub fn new(transfers: &[Movement], options: Options) -> Result<Self, PlanError> {
        let plan = Plan::new(transfers, options.fee)?;
        let account = |exit_address: Address, filling| {
            let mut bytes = [filling; 32];
            bytes[..8].copy_from_slice(&options.seed.to_le_bytes());
            bytes[8..28].copy_from_slice(&exit_address.0);
            Account {
                key: SecretKey::from_seed(&bytes),
                exit_address,
            }
        };
        let vaults = plan.vaults.par_iter();
        let accounts = vaults.map(|vault| account(vault.holding.address, 0));
        let accounts = accounts.collect();
        let last = transfers.last().and_then(|movement| movement.time);
        Ok(Self {
            options,
            time: options.time.or(last),
            plan,
            accounts,
            operator: account(Address([0xff; ADDRESS_BYTES]), 0xff),
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

    /// Returns a genesis with the fee vaults and the vaults that must be there before the first
    /// transfer, and a batch of all transfers.
    ///
    /// # Errors
    /// A chain id at or above the field's order.
    pub fn workload(&self) -> Result<Workload, StateError> {
        let state = State::try_from(&StateFile {
            chain_id: self.options.chain_id,
            head: None,
            vaults: self.genesis(),
            records: vec![],
        })?;
        let batch = Batch {
            chain_id: self.options.chain_id,
            before: *state.head(),
            time: self.time_after(state.head()),
            transactions: self.transfers(),
        };
        Ok(Workload { state, batch })
    }

    /// Returns the fee vaults, then the vaults that must be there before the first transfer.
    #[must_use]
    pub fn genesis(&self) -> Vec<VaultEntry> {
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

    /// Returns the same vaults as [`Self::genesis`], opened by deposits without a fee.
    #[must_use]
    pub fn deposits(&self) -> Vec<Transaction> {
        let no_fee = FeePayment {
            amount: 0,
            vault: 0,
        };
        self.genesis()
            .into_iter()
            .zip(0..)
            .map(|(vault, position)| {
                Deposit {
                    base_chain: 1,
                    to: vault.index,
                    owner: vault.owner,
                    asset: vault.asset,
                    amount: vault.balance,
                    fee: no_fee,
                    position,
                }
                .unsigned()
            })
            .collect()
    }

    /// Returns the transfers, signed on all threads.
    #[must_use]
    pub fn transfers(&self) -> Vec<Transaction> {
        let (plan, chain_id) = (&self.plan, F::from_u64(self.options.chain_id));
        plan.transfers
            .par_iter()
            .map(|transfer| {
                let (from, to) = (&plan.vaults[transfer.from], &plan.vaults[transfer.to]);
                let body = Transfer {
                    from: from.index,
                    to: to.index,
                    to_owner: self.accounts[transfer.to].owner(chain_id),
                    asset: from.holding.asset,
                    amount: transfer.amount,
                    fee: FeePayment {
                        amount: self.options.fee,
                        vault: fee_vault(from.holding.asset),
                    },
                    nonce: transfer.nonce,
                };
                let account = &self.accounts[transfer.from];
                standard().sign(account, chain_id, &body)
            })
            .collect()
    }
}

/// Where the fees of an asset go: a plan numbers its assets from 0, and so do their fee vaults lie.
fn fee_vault(asset: Asset) -> Index {
    Index::try_from(asset).expect("a plan has fewer than 2^32 assets")
}
