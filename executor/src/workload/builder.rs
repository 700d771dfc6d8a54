//! Builds a batch transaction by transaction, knowing the ledger after each of them.

use std::collections::HashMap;

use p3_field::PrimeCharacteristicRing;
use rayon::prelude::*;
use shardfold_contracts::deposit::Deposit;
use shardfold_contracts::exit::Exit;
use shardfold_contracts::readings::{Authority, Prepared};
use shardfold_contracts::set::standard;
use shardfold_contracts::transfer::Transfer;
use shardfold_contracts::withdraw::Withdraw;
use shardfold_contracts::{Body as _, FeePayment, Reject};
use shardfold_protocol::address::Address;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::{Digest, ZERO_DIGEST};
use shardfold_protocol::record::{Asset, Index, Record, Vault};
use shardfold_protocol::signature::{Account, Signature};
use shardfold_protocol::state::State;
use shardfold_protocol::transaction::Transaction;

use super::{ASSET, CHAIN_ID};
use crate::prepare::{digests_of, prepared};
use crate::sequential::Ledger;

/// Accounts of the chain of workloads, by number and by owner digest.
#[derive(Clone, Debug)]
pub struct Keys {
    accounts: Vec<Account>,
    /// The owner digest of each account.
    owners: Vec<Digest>,
    by_owner: HashMap<Digest, usize>,
    /// A signature of nothing that matters.
    idle: Signature,
}

impl Keys {
    /// So many accounts of a family; at least one.
    #[must_use]
    pub fn new(seed: u64, count: usize) -> Self {
        let numbers = (0..count.max(1) as u64).into_par_iter();
        let chain_id = F::from_u64(CHAIN_ID);
        let (accounts, owners): (Vec<_>, Vec<_>) = numbers
            .map(|number| {
                let account = Account::from_index(seed, number);
                let owner = account.owner(chain_id);
                (account, owner)
            })
            .unzip();
        let by_owner = owners.iter().copied().zip(0..).collect();
        let idle = accounts[0].sign(chain_id, &ZERO_DIGEST);
        Self {
            accounts,
            owners,
            by_owner,
            idle,
        }
    }

    /// Account number `i` modulo their count.
    #[must_use]
    pub fn get(&self, i: usize) -> &Account {
        &self.accounts[i % self.accounts.len()]
    }

    /// The owner digest of account number `i` modulo their count.
    pub fn owner(&self, i: usize) -> Digest {
        self.owners[i % self.owners.len()]
    }

    /// The number of the account that owns a vault; 0 for an owner without one here.
    fn of_owner(&self, vault: Option<Vault>) -> usize {
        let owner = vault.map(|vault| vault.owner);
        owner
            .and_then(|owner| self.by_owner.get(&owner).copied())
            .unwrap_or(0)
    }
}

/// A transaction before it is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// From one vault to another.
    Transfer(Transfer),
    /// From the base chain into a vault.
    Deposit(Deposit),
    /// From a vault to the base chain.
    Withdraw(Withdraw),
    /// Out of a vault, whose owner has asked the base chain.
    Exit(Exit),
}

impl Body {
    fn unsigned(&self) -> Transaction {
        match self {
            Self::Transfer(transfer) => transfer.unsigned(),
            Self::Deposit(deposit) => deposit.unsigned(),
            Self::Withdraw(withdraw) => withdraw.unsigned(),
            Self::Exit(exit) => exit.unsigned(),
        }
    }

    const fn is_signed(&self) -> bool {
        matches!(self, Self::Transfer(_) | Self::Withdraw(_))
    }
}

/// A transaction that is not signed, and how it will be.
#[derive(Clone, Debug)]
struct Draft {
    unsigned: Transaction,
    /// Number of the key; `None` for a kind that nobody signs.
    signer: Option<usize>,
    /// Whether the signature will be of something else.
    is_forged: bool,
}

/// A batch in the making.
#[derive(Debug)]
pub struct Builder<'a> {
    keys: &'a Keys,
    state: &'a State,
    /// The time of the batch.
    time: u64,
    /// The ledger after all drafts: the next body takes its nonces from here.
    ledger: Ledger<'a>,
    drafts: Vec<Draft>,
}

impl<'a> Builder<'a> {
    /// Returns an empty batch on a state, a second after it.
    #[must_use]
    pub fn new(keys: &'a Keys, state: &'a State) -> Self {
        Self::at(keys, state, state.head().time + 1)
    }

    /// Returns an empty batch of a time on a state.
    #[must_use]
    pub fn at(keys: &'a Keys, state: &'a State, time: u64) -> Self {
        let ledger = Ledger::new(standard(), state, time);
        Self {
            keys,
            state,
            time,
            ledger,
            drafts: Vec::new(),
        }
    }

    /// Returns the vault at an index after all drafts.
    #[must_use]
    pub fn vault(&self, index: Index) -> Option<Vault> {
        self.ledger.get(index).vault()
    }

    /// Returns a transfer as it would be valid if the balance suffices.
    #[must_use]
    pub fn transfer(&self, from: Index, to: Index, amount: u64, fee: FeePayment) -> Body {
        let (asset, nonce) = self.asset_and_nonce(from);
        let to_owner = self.owner_at(to);
        Body::Transfer(Transfer {
            from,
            to,
            to_owner,
            asset,
            amount,
            fee,
            nonce,
        })
    }

    /// Returns the next deposit of the queue.
    #[must_use]
    pub fn deposit(&self, to: Index, amount: u64, fee: FeePayment) -> Body {
        let asset = self.vault(to).map_or(ASSET, |vault| vault.asset);
        let (owner, position) = (self.owner_at(to), self.ledger.queue_count());
        Body::Deposit(Deposit {
            base_chain: 1,
            to,
            owner,
            asset,
            amount,
            fee,
            position,
        })
    }

    /// Returns a withdrawal as it would be valid if the balance suffices.
    #[must_use]
    pub fn withdraw(&self, from: Index, amount: u64, fee: FeePayment, address: Address) -> Body {
        let (asset, nonce) = self.asset_and_nonce(from);
        Body::Withdraw(Withdraw {
            from,
            asset,
            amount,
            fee,
            nonce,
            base_chain: 1,
            address,
        })
    }

    /// Returns the next item of the queue, by which the account of this number asks for a vault.
    #[must_use]
    pub fn exit(&self, index: Index, asking: usize) -> Body {
        Body::Exit(Exit {
            base_chain: 1,
            position: self.ledger.queue_count(),
            index,
            owner: self.keys.owner(asking),
            address: self.keys.get(asking).exit_address,
        })
    }

    /// Returns the number of the account that owns the vault at an index; 0 if none does.
    #[must_use]
    pub fn owner_number(&self, index: Index) -> usize {
        self.keys.of_owner(self.vault(index))
    }

    /// Returns the owner digest of the account of a number.
    pub fn key_owner(&self, number: usize) -> Digest {
        self.keys.owner(number)
    }

    /// Returns the time of the batch.
    #[must_use]
    pub const fn time(&self) -> u64 {
        self.time
    }

    /// Returns the record at an index after all drafts.
    #[must_use]
    pub fn get(&self, index: Index) -> Record {
        self.ledger.get(index)
    }

    /// Returns the nonce with which a vault signs next.
    #[must_use]
    pub fn nonce(&self, index: Index) -> u64 {
        self.asset_and_nonce(index).1
    }

    /// Appends a transaction, signed by the sender's key.
    pub fn push(&mut self, body: Body) {
        self.push_signed_by(body, self.sender_key(&body));
    }

    /// Appends a transaction with the sender's key and the signature of something else.
    pub fn push_forged(&mut self, body: Body) {
        let signer = body.is_signed().then(|| self.sender_key(&body));
        let _ = self.push_draft(body.unsigned(), signer, true);
    }

    /// Appends a transaction signed by the key of this number.
    pub fn push_signed_by(&mut self, body: Body, key: usize) {
        let signer = body.is_signed().then_some(key);
        let _ = self.push_draft(body.unsigned(), signer, false);
    }

    /// Appends a transaction of any contract of the standard list, signed by the key of a number, or
    /// by nobody.
    ///
    /// # Errors
    /// The first rule that it breaks; it is appended all the same.
    pub fn push_body(
        &mut self,
        signer: Option<usize>,
        body: &impl shardfold_contracts::Body,
    ) -> Result<(), Reject> {
        self.push_draft(body.unsigned(), signer, false)
    }

    /// Appends a transaction that nobody signs.
    ///
    /// # Errors
    /// The first rule that it breaks; it is appended all the same.
    pub fn push_unsigned(&mut self, transaction: Transaction) -> Result<(), Reject> {
        self.push_draft(transaction, None, false)
    }

    /// Returns the batch, with all signatures.
    #[must_use]
    pub fn sign(self) -> Batch {
        let chain_id = self.state.chain_id();
        let sign = |draft: &Draft| draft.sign(self.keys, F::from_u64(chain_id));
        let transactions = self.drafts.par_iter().map(sign).collect();
        Batch {
            chain_id,
            before: *self.state.head(),
            time: self.time(),
            transactions,
        }
    }

    /// Returns the batch with signatures of nothing, and what a check of good ones would find: for
    /// runs so long that signing would take most of the time.
    #[must_use]
    pub fn prepare(self) -> (Batch, Vec<Prepared>) {
        let chain_id = self.state.chain_id();
        let drafts = self.drafts.par_iter();
        let transactions: Vec<_> = drafts
            .clone()
            .map(|draft| draft.with_signature(self.keys, self.keys.idle))
            .collect();
        let digests = digests_of(standard(), &transactions, F::from_u64(chain_id));
        let prepared = drafts
            .zip(digests)
            .map(|(draft, digests)| prepared(&digests, draft.authority(self.keys)));
        let prepared = prepared.collect();
        let batch = Batch {
            chain_id,
            before: *self.state.head(),
            time: self.time(),
            transactions,
        };
        (batch, prepared)
    }

    fn push_draft(
        &mut self,
        unsigned: Transaction,
        signer: Option<usize>,
        is_forged: bool,
    ) -> Result<(), Reject> {
        // A rule may compare its hashes with what a record holds.
        let chain_id = F::from_u64(self.state.chain_id());
        let digests = digests_of(standard(), core::slice::from_ref(&unsigned), chain_id);
        let draft = Draft {
            unsigned,
            signer,
            is_forged,
        };
        let prepared = prepared(&digests[0], draft.authority(self.keys));
        // A transaction that is not valid leaves the ledger as it is.
        let result = self.ledger.apply(&draft.unsigned, &prepared);
        self.drafts.push(draft);
        result.map(|_| ())
    }

    fn sender_key(&self, body: &Body) -> usize {
        match body {
            Body::Transfer(transfer) => self.keys.of_owner(self.vault(transfer.from)),
            Body::Withdraw(withdraw) => self.keys.of_owner(self.vault(withdraw.from)),
            Body::Deposit(_) | Body::Exit(_) => 0,
        }
    }

    fn asset_and_nonce(&self, from: Index) -> (Asset, u64) {
        self.vault(from)
            .map_or((ASSET, 0), |vault| (vault.asset, vault.nonce))
    }

    /// The owner of a vault; where there is none yet, the key of the index will own it.
    fn owner_at(&self, index: Index) -> Digest {
        let owner = self.vault(index).map(|vault| vault.owner);
        owner.unwrap_or_else(|| self.keys.owner(index as usize))
    }
}

impl Draft {
    fn sign(&self, keys: &Keys, chain_id: F) -> Transaction {
        match self.signer {
            Some(signer) if !self.is_forged => {
                let digest = standard().message_to_sign(&self.unsigned, chain_id);
                self.with_signature(keys, keys.get(signer).sign(chain_id, &digest))
            }
            _ => self.with_signature(keys, keys.idle),
        }
    }

    /// What a check of the signature finds.
    fn authority(&self, keys: &Keys) -> Authority {
        self.signer.map_or(Authority::NONE, |signer| Authority {
            owner: keys.owner(signer),
            has_signed: !self.is_forged,
        })
    }

    fn with_signature(&self, keys: &Keys, signature: Signature) -> Transaction {
        let authorization = self
            .signer
            .map(|signer| keys.get(signer).authorization(signature));
        Transaction {
            authorization,
            ..self.unsigned.clone()
        }
    }
}
