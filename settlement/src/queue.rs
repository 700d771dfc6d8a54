//! The queue's items, as the contract's events tell them: their chain, and the transactions that take
//! them.

use alloy_primitives::{B256, U256, keccak256};
use alloy_sol_types::{SolEvent as _, SolValue as _};
use p3_field::PrimeCharacteristicRing as _;
use shardfold_contracts::deposit::Deposit;
use shardfold_contracts::exit::Exit;
use shardfold_contracts::{Body as _, FeePayment};
use shardfold_protocol::address::Address as ExitAddress;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::{Digest, Domain, hash};
use shardfold_protocol::head::extend_chain;
use shardfold_protocol::record::Index;
use shardfold_protocol::transaction::Transaction;
use thiserror::Error;

use crate::encoding::digest;
use crate::interface::IRollup::{Deposited, ExitRequested};

/// Bits of a checkpoint that are its time and not its digest.
const TIME_BITS: usize = 40;

/// What waits in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// A deposit.
    Deposit {
        /// The asset's number.
        asset: u32,
        /// How many units the vault receives.
        amount: u64,
        /// How many units the operator receives, on top.
        fee: u64,
        /// Who owns the vault.
        owner: Digest,
    },
    /// A forced exit.
    Exit {
        /// Where the vault lies.
        index: Index,
        /// Who asks.
        owner: Digest,
        /// To whom it is paid.
        address: ExitAddress,
    },
}

/// An item and its place in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queued {
    /// How many items came before it.
    pub position: u64,
    /// The item.
    pub item: Item,
}

/// An event that no item of the queue has made.
#[derive(Clone, Debug, Error)]
pub enum ItemError {
    /// Data of another form.
    #[error("found an event of the queue that cannot be read: {0}")]
    Form(#[from] alloy_sol_types::Error),
    /// A number that the contract lets nobody put into an item.
    #[error("found {found} as the {what} of an item of the queue, expected one below {limit}")]
    Number {
        /// Which number.
        what: &'static str,
        /// The number found.
        found: U256,
        /// What it should be below.
        limit: &'static str,
    },
}

/// Where a ledger's queue is: both numbers are in the digest of every item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The ledger's chain id.
    pub ledger: u64,
    /// The base chain's id.
    pub base_chain: u32,
}

impl Queued {
    /// Reads the item of an event; `None` if the event is of another kind.
    ///
    /// # Errors
    /// An event that the contract cannot have made.
    pub fn read(topics: &[B256], data: &[u8]) -> Result<Option<Self>, ItemError> {
        let topics = topics.iter().copied();
        match topics.clone().next() {
            Some(Deposited::SIGNATURE_HASH) => {
                let event = Deposited::decode_raw_log(topics, data)?;
                let item = Item::Deposit {
                    asset: small("asset", event.asset)?,
                    amount: long("amount", event.amount)?,
                    fee: long("fee", event.fee)?,
                    owner: owner(event.owner)?,
                };
                let position = long("position", event.position)?;
                Ok(Some(Self { position, item }))
            }
            Some(ExitRequested::SIGNATURE_HASH) => {
                let event = ExitRequested::decode_raw_log(topics, data)?;
                let item = Item::Exit {
                    index: small("index", event.index)?,
                    owner: owner(event.owner)?,
                    address: ExitAddress(event.to.into_array()),
                };
                let position = long("position", event.position)?;
                Ok(Some(Self { position, item }))
            }
            _ => Ok(None),
        }
    }

    /// Returns the digest that extends the queue's chain.
    pub fn digest(&self, place: Place) -> Digest {
        let base_chain = u64::from(place.base_chain);
        let start = [place.ledger, base_chain, self.position].map(F::from_u64);
        match &self.item {
            Item::Deposit {
                asset,
                amount,
                fee,
                owner,
            } => {
                let numbers = [u64::from(*asset), *amount, *fee].map(F::from_u64);
                let message = [&start[..], &numbers, owner].concat();
                hash(Domain::DepositPayload, &message)
            }
            Item::Exit {
                index,
                owner,
                address,
            } => {
                let index = [F::from_u32(*index)];
                let message = [&start[..], &index, owner, &address.elements()].concat();
                hash(Domain::ExitItem, &message)
            }
        }
    }

    /// Returns the transaction that takes it. A deposit goes to the vault at `to`, and its fee to the
    /// one at `fee_vault`; an exit has neither.
    #[must_use]
    pub fn taking(&self, base_chain: u32, to: Index, fee_vault: Index) -> Transaction {
        let position = self.position;
        match self.item {
            Item::Deposit {
                asset,
                amount,
                fee,
                owner,
            } => Deposit {
                base_chain,
                to,
                owner,
                asset: asset.into(),
                amount,
                fee: FeePayment {
                    amount: fee,
                    vault: fee_vault,
                },
                position,
            }
            .unsigned(),
            Item::Exit {
                index,
                owner,
                address,
            } => Exit {
                base_chain,
                position,
                index,
                owner,
                address,
            }
            .unsigned(),
        }
    }
}

/// Returns the chain over the items after `commitment`.
pub fn chain(commitment: Digest, items: &[Queued], place: Place) -> Digest {
    let extend = |chain, item: &Queued| extend_chain(&chain, &item.digest(place));
    items.iter().fold(commitment, extend)
}

/// Says whether a word that the contract has stored is the checkpoint of so many items with this chain.
#[must_use]
pub fn is_checkpoint(stored: U256, count: u64, commitment: U256) -> bool {
    let mark = keccak256((U256::from(count), commitment).abi_encode());
    U256::from_be_bytes(mark.0) >> TIME_BITS == stored >> TIME_BITS
}

fn small(what: &'static str, found: U256) -> Result<u32, ItemError> {
    let limit = "2^32";
    u32::try_from(found).map_err(|_| ItemError::Number { what, found, limit })
}

fn long(what: &'static str, found: U256) -> Result<u64, ItemError> {
    let limit = "2^64";
    u64::try_from(found).map_err(|_| ItemError::Number { what, found, limit })
}

fn owner(found: U256) -> Result<Digest, ItemError> {
    digest(found).ok_or(ItemError::Number {
        what: "owner",
        found,
        limit: "p in each of its four elements",
    })
}

#[cfg(test)]
mod tests {
    use alloy_primitives::Address;

    use super::*;
    use crate::encoding::word;

    const OWNER: Digest = [F::ONE, F::TWO, F::ZERO, F::ONE];

    #[test]
    fn an_event_is_read_as_the_item_that_made_it() {
        let event = Deposited {
            position: U256::from(7),
            owner: word(&OWNER),
            asset: U256::from(1),
            amount: U256::from(100),
            fee: U256::from(2),
        };
        let data = event.encode_log_data();
        let found = Queued::read(data.topics(), &data.data).expect("it is one");
        let item = Item::Deposit {
            asset: 1,
            amount: 100,
            fee: 2,
            owner: OWNER,
        };
        assert_eq!(found, Some(Queued { position: 7, item }));

        let to = Address::repeat_byte(3);
        let event = ExitRequested {
            position: U256::from(8),
            owner: word(&OWNER),
            index: U256::from(5),
            to,
        };
        let data = event.encode_log_data();
        let found = Queued::read(data.topics(), &data.data).expect("it is one");
        let item = Item::Exit {
            index: 5,
            owner: OWNER,
            address: ExitAddress(to.into_array()),
        };
        assert_eq!(found, Some(Queued { position: 8, item }));
        let found = Queued::read(&[B256::ZERO], &[]).expect("it is of another kind");
        assert_eq!(found, None);
    }

    #[test]
    fn an_event_with_numbers_that_no_item_has_is_refused() {
        let event = Deposited {
            position: U256::ZERO,
            owner: U256::MAX,
            asset: U256::from(1),
            amount: U256::from(100),
            fee: U256::ZERO,
        };
        let data = event.encode_log_data();
        let error = Queued::read(data.topics(), &data.data).expect_err("no owner is that");
        assert!(matches!(error, ItemError::Number { what: "owner", .. }));
        let event = Deposited {
            owner: U256::ZERO,
            asset: U256::from(1_u64 << 32),
            ..event
        };
        let data = event.encode_log_data();
        let error = Queued::read(data.topics(), &data.data).expect_err("no asset is that");
        assert!(matches!(error, ItemError::Number { what: "asset", .. }));
    }

    #[test]
    fn a_checkpoint_is_of_one_count_and_chain_whatever_its_time() {
        let commitment = word(&OWNER);
        let mark = keccak256((U256::from(3), commitment).abi_encode());
        let stored = (U256::from_be_bytes(mark.0) >> TIME_BITS << TIME_BITS) | U256::from(1_234);
        assert!(is_checkpoint(stored, 3, commitment));
        assert!(!is_checkpoint(stored, 4, commitment));
        assert!(!is_checkpoint(stored, 3, commitment + U256::from(1)));
    }
}
