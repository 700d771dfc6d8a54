//! Where a statement plays: it sees the ledger as it is then, and makes transactions for it.

use std::fmt::Debug;

use shardfold_contracts::exchange::Pool;
use shardfold_contracts::exchange::route::Stop as PoolStop;
use shardfold_contracts::readings::{Authority, Effect, Prepared};
use shardfold_contracts::shown::Moved;
use shardfold_contracts::transfer::Transfer;
use shardfold_contracts::{Body, Contracts, FeePayment, Reject};
use shardfold_protocol::record::{Asset, Index, Record};
use shardfold_protocol::signature::Account;
use shardfold_protocol::transaction::Transaction;

use super::error::{Fault, Wrong};
use super::form::Text;
use super::world::{Person, Token, Who, World};
use crate::prepare::{digests_of, prepared};
use crate::receipts::Given;
use crate::sequential::Ledger;

/// What a `[[do]]` says to do.
pub(super) trait Statement: Debug {
    /// Makes its transactions, one after the other, until one is refused.
    ///
    /// # Errors
    /// A transaction that is refused, or something that makes no sense.
    fn play(&self, stage: &mut Stage<'_, '_>) -> Result<(), Stop>;
}

/// What the operator gets if nothing is said.
const NO_FEE: FeePayment = FeePayment {
    amount: 0,
    vault: 0,
};

/// Why a statement went no further.
#[derive(Clone, Debug)]
pub(super) enum Stop {
    /// The ledger refuses a transaction.
    Refused(Reject),
    /// The scenario makes no sense.
    Wrong(Wrong),
}

impl From<Wrong> for Stop {
    fn from(wrong: Wrong) -> Self {
        Self::Wrong(wrong)
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Wrong(fault.into())
    }
}

/// The transactions of a batch in the making.
#[derive(Debug, Default)]
pub(super) struct Made {
    pub transactions: Vec<Transaction>,
    pub prepared: Vec<Prepared>,
}

/// What a statement sees and where its transactions go.
pub(super) struct Stage<'a, 's> {
    pub contracts: &'a Contracts,
    pub world: &'a mut World,
    pub ledger: &'a mut Ledger<'s>,
    pub made: &'a mut Made,
    pub time: u64,
    /// Who acts, if the statement says.
    pub who: Option<Who>,
    /// The last second of what is signed.
    pub valid_until: u64,
    /// What the operator gets.
    pub fee: Option<&'a Text>,
    /// What was moved until now.
    pub moved: Vec<Moved>,
}

impl Stage<'_, '_> {
    /// Returns who acts.
    ///
    /// # Errors
    /// The statement does not say.
    pub fn who(&self) -> Result<Who, Fault> {
        self.who.ok_or(Fault::Missing {
            name: "who",
            what: "the name of who does it",
        })
    }

    /// Returns who acts.
    ///
    /// # Errors
    /// The statement does not say.
    pub fn actor(&self) -> Result<&Person, Fault> {
        Ok(self.world.person(self.who()?))
    }

    /// Returns the record at an index.
    pub fn record(&self, index: Index) -> Record {
        self.ledger.get(index)
    }

    /// Returns the nonce of the vault at an index, and what it holds; zeros if none is there.
    pub fn nonce_and_balance(&self, index: Index) -> (u64, u64) {
        let vault = self.record(index).vault();
        vault.map_or((0, 0), |vault| (vault.nonce, vault.balance))
    }

    /// Returns where the actor's vault of an asset lies, or will lie.
    ///
    /// # Errors
    /// The statement does not say who acts.
    pub fn own(&mut self, asset: Asset) -> Result<Index, Fault> {
        let who = self.who()?;
        Ok(self.world.place(who, asset))
    }

    /// Returns where the actor's vault of an asset lies, which the operator opens by a payment of
    /// nothing where none is: for statements by which the vault that signs gains.
    ///
    /// # Errors
    /// The statement does not say who acts, or the payment is refused.
    pub fn opened(&mut self, token: &Token) -> Result<Index, Stop> {
        let to = self.own(token.number)?;
        let from = self.world.fee_vault(token.number);
        let (true, Some(from)) = (self.record(to).is_empty(), from) else {
            return Ok(to);
        };
        let body = Transfer {
            from,
            to,
            to_owner: self.actor()?.owner,
            asset: token.number,
            amount: 0,
            fee: NO_FEE,
            nonce: self.nonce_and_balance(from).0,
        };
        let operator = self.world.operator.clone();
        self.push(&body, operator.as_ref())?;
        Ok(to)
    }

    /// Returns the pools that there are.
    pub fn pools(&self) -> Vec<PoolStop> {
        let pools = self.world.pools();
        let pool = |index| Some((index, Pool::of(&self.ledger.get(index))?));
        pools.filter_map(pool).collect()
    }

    /// Returns what the operator gets of a transaction that pays fees in this asset.
    ///
    /// # Errors
    /// A fee in another asset, or in shares.
    pub fn fee(&self, token: &Token) -> Result<FeePayment, Wrong> {
        let Some(text) = self.fee else {
            return Ok(NO_FEE);
        };
        let amount = self.world.amount(text, token)?;
        let vault = self.world.fee_vault(token.number).ok_or_else(|| {
            text.wrong(Fault::OtherAsset {
                found: text.shown(),
                expected: format!("nothing: no fee can be paid in shares of {}", token.name),
            })
        })?;
        Ok(FeePayment { amount, vault })
    }

    /// Makes a transaction, signed by the actor if its kind is signed.
    ///
    /// # Errors
    /// The ledger refuses it; it is part of the batch all the same.
    pub fn sign(&mut self, body: &impl Body) -> Result<(), Stop> {
        let account = self.actor()?.account.clone();
        self.push(body, Some(&account))
    }

    /// Makes a transaction that nobody signs.
    ///
    /// # Errors
    /// The ledger refuses it; it is part of the batch all the same.
    pub fn unsigned(&mut self, body: &impl Body) -> Result<(), Stop> {
        self.push(body, None)
    }

    fn push(&mut self, body: &impl Body, account: Option<&Account>) -> Result<(), Stop> {
        let (contracts, chain_id) = (self.contracts, self.world.chain());
        let transaction = match account {
            Some(account) => contracts.sign(account, chain_id, body),
            None => body.unsigned(),
        };
        let digests = digests_of(contracts, std::slice::from_ref(&transaction), chain_id);
        let authority = match account.filter(|_| transaction.authorization.is_some()) {
            Some(account) => Authority {
                owner: account.owner(chain_id),
                has_signed: true,
            },
            None => Authority::NONE,
        };
        let prepared = prepared(digests.first().map_or(&[], Vec::as_slice), authority);
        let mut effect = Effect::default();
        let result = self.ledger.try_out(&transaction, &prepared, &mut effect);
        if result.is_ok() {
            let given = Given::of(contracts, &transaction, &effect, self.ledger);
            self.moved.extend(given.totals);
            self.ledger.accept(&effect);
        }
        self.made.transactions.push(transaction);
        self.made.prepared.push(prepared);
        result.map_err(Stop::Refused)
    }
}
