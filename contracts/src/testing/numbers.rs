//! A ledger of a few records, on which tests run transactions on numbers: no signatures, no tree.

use std::collections::BTreeMap;

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::{Digest, ZERO_DIGEST, hash};
use shardfold_protocol::record::{Asset, Index, Record, Vault};

use crate::law::Body;
use crate::machine::Reject;
use crate::readings::{Authority, Context, Effect, PREPARED, Prepared};
use crate::set::{Contracts, standard};

/// The chain of these tests.
pub const CHAIN_ID: u64 = 9;

/// The records, and the time of the next transaction.
#[derive(Clone, Debug)]
pub struct Numbers {
    /// Whose rules hold.
    pub contracts: &'static Contracts,
    /// What is not empty.
    pub records: BTreeMap<Index, Record>,
    /// In seconds.
    pub time: u64,
    effect: Effect,
}

/// Returns the owner of a number, who needs no key here.
pub fn owner(number: u64) -> Digest {
    core::array::from_fn(|i| F::from_u64(100 * number + i as u64 + 1))
}

impl Numbers {
    /// Returns the empty ledger at a time.
    #[must_use]
    pub fn at(time: u64) -> Self {
        Self {
            contracts: standard(),
            records: BTreeMap::new(),
            time,
            effect: Effect::default(),
        }
    }

    /// Puts a vault of an owner's, by number.
    pub fn put(&mut self, index: Index, whose: u64, asset: Asset, balance: u64) {
        let vault = Vault {
            owner: owner(whose),
            asset,
            balance,
            nonce: 0,
        };
        self.records.insert(index, vault.into());
    }

    /// Returns the record at an index.
    #[must_use]
    pub fn get(&self, index: Index) -> Record {
        self.records.get(&index).copied().unwrap_or(Record::EMPTY)
    }

    /// Returns a vault's balance; 0 where none is.
    #[must_use]
    pub fn balance(&self, index: Index) -> u64 {
        self.get(index).vault().map_or(0, |vault| vault.balance)
    }

    /// Returns the nonce with which a vault signs next.
    #[must_use]
    pub fn nonce(&self, index: Index) -> u64 {
        self.get(index).vault().map_or(0, |vault| vault.nonce)
    }

    /// Runs a transaction that an owner signs, by number, or nobody.
    ///
    /// # Errors
    /// The first check that fails; then nothing has changed.
    pub fn run(&mut self, signer: Option<u64>, body: &impl Body) -> Result<(), Reject> {
        let transaction = &body.unsigned();
        let authority = signer.map_or(Authority::NONE, |number| Authority {
            owner: owner(number),
            has_signed: true,
        });
        let chain_id = F::from_u64(CHAIN_ID);
        let mut prepared = Prepared {
            digests: [ZERO_DIGEST; PREPARED],
            authority,
        };
        let mut known = vec![];
        while known.len() < PREPARED
            && let Some(pending) = self.contracts.next_hash(transaction, chain_id, &known)
        {
            known.push(hash(pending.domain, &pending.message));
        }
        prepared.digests[..known.len()].copy_from_slice(&known);
        let context = Context {
            chain_id,
            time: self.time,
            queue_count: 0,
        };
        let records = &self.records;
        let read = |index: Index| records.get(&index).copied().unwrap_or(Record::EMPTY);
        self.contracts
            .run(transaction, &prepared, &context, &read, &mut self.effect)?;
        self.records.extend(self.effect.writes.iter().copied());
        if let Some(fee) = self.effect.fee {
            let vault = self.get(fee.vault).credited(fee.amount);
            self.records.insert(fee.vault, vault);
        }
        Ok(())
    }

    /// Returns the name of the reason for which a transaction is rejected; `None` if it is not.
    pub fn refusal(&mut self, signer: Option<u64>, body: &impl Body) -> Option<&'static str> {
        let before = self.records.clone();
        let reject = self.run(signer, body).err()?;
        assert_eq!(
            self.records, before,
            "a rejected transaction changes nothing"
        );
        Some(reject.reason.name())
    }
}
