//! A state and two batches to try: two escrows are opened; later the arbiter releases one, and the
//! other has passed its deadline.

use std::path::Path;

use anyhow::{Context, Result};
use p3_field::PrimeCharacteristicRing;
use shardfold_contracts::{Body, Contracts, FeePayment};
use shardfold_executor::{parallel, shards};
use shardfold_protocol::batch::Batch;
use shardfold_protocol::field::F;
use shardfold_protocol::files::{self, FileContent};
use shardfold_protocol::record::{Asset, Index};
use shardfold_protocol::shape::Shape;
use shardfold_protocol::signature::Account;
use shardfold_protocol::state::{State, StateFile, VaultEntry};
use shardfold_protocol::transaction::Transaction;

use crate::{Open, Refund, Release, Terms};

/// The chain of the demonstration.
pub const CHAIN_ID: u64 = 1;
/// What everybody holds.
pub const ASSET: Asset = 1;
/// Where the buyer's money is.
pub const BUYER: Index = 0;
/// Where the seller's money is.
pub const SELLER: Index = 1;
/// Where the operator's fees go.
pub const OPERATOR: Index = 2;
/// Where the two escrows are opened.
pub const ESCROWS: [Index; 2] = [10, 11];
/// When they are opened, in seconds.
pub const OPENED: u64 = 1_000;
/// When the money of the second one may go back.
pub const DEADLINE: u64 = 2_000;

/// The people of the demonstration.
pub struct People {
    /// Who pays.
    pub buyer: Account,
    /// Who is paid.
    pub seller: Account,
    /// Who decides.
    pub arbiter: Account,
}

impl People {
    /// Returns the same people each time: their keys protect nothing.
    #[must_use]
    pub fn new() -> Self {
        let [buyer, seller, arbiter] = [0, 1, 2].map(|i| Account::from_index(2026, i));
        Self {
            buyer,
            seller,
            arbiter,
        }
    }

    /// Returns what they agree on.
    #[must_use]
    pub fn terms(&self) -> Terms {
        let chain_id = F::from_u64(CHAIN_ID);
        Terms {
            payer: BUYER,
            payer_owner: self.buyer.owner(chain_id),
            payee: SELLER,
            payee_owner: self.seller.owner(chain_id),
            arbiter: self.arbiter.owner(chain_id),
            deadline: DEADLINE,
        }
    }
}

impl Default for People {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns a ledger with a vault of 1,000 for buyer and seller, and an empty one for fees.
#[must_use]
pub fn genesis(people: &People) -> StateFile {
    let vault = |index, owner: &Account, balance| VaultEntry {
        index,
        owner: owner.owner(F::from_u64(CHAIN_ID)),
        asset: ASSET,
        balance,
        nonce: 0,
    };
    StateFile {
        chain_id: CHAIN_ID,
        head: None,
        vaults: vec![
            vault(BUYER, &people.buyer, 1_000),
            vault(SELLER, &people.seller, 1_000),
            vault(OPERATOR, &people.arbiter, 0),
        ],
        records: vec![],
    }
}

/// Returns the transaction that opens one of the escrows with 100 and a fee of 1; `nonce` is the
/// buyer's.
#[must_use]
pub fn open(contracts: &Contracts, people: &People, at: Index, nonce: u64) -> Transaction {
    let open = Open {
        at,
        asset: ASSET,
        amount: 100,
        fee: FeePayment {
            amount: 1,
            vault: OPERATOR,
        },
        nonce,
        terms: people.terms(),
    };
    contracts.sign(&people.buyer, F::from_u64(CHAIN_ID), &open)
}

/// Returns the transaction by which the arbiter releases an escrow.
#[must_use]
pub fn release(contracts: &Contracts, people: &People, at: Index) -> Transaction {
    let terms = people.terms();
    contracts.sign(
        &people.arbiter,
        F::from_u64(CHAIN_ID),
        &Release { at, terms },
    )
}

/// Returns the transaction that returns an escrow's money.
#[must_use]
pub fn refund(people: &People, at: Index) -> Transaction {
    let terms = people.terms();
    Refund { at, terms }.unsigned()
}

/// Writes `genesis.json`, `open.json`, `opened.json` (the state after it) and `close.json` into a folder, which is made if need be.
///
/// # Errors
/// A folder that cannot be written.
pub fn write(contracts: &Contracts, folder: &Path) -> Result<()> {
    let people = People::new();
    let genesis = genesis(&people);
    let mut state = State::try_from(&genesis)?;
    let opening = Batch {
        chain_id: CHAIN_ID,
        before: *state.head(),
        time: OPENED,
        transactions: vec![
            open(contracts, &people, ESCROWS[0], 0),
            open(contracts, &people, ESCROWS[1], 1),
        ],
    };
    let outcome = parallel::execute(contracts, &state, &opening)?;
    // Two transactions are one shard with any profile.
    let shapes = [Shape::SMALL];
    shards::apply(contracts, &mut state, &opening, &outcome, &shapes)?;
    let closing = Batch {
        chain_id: CHAIN_ID,
        before: *state.head(),
        time: DEADLINE,
        transactions: vec![
            release(contracts, &people, ESCROWS[0]),
            refund(&people, ESCROWS[1]),
        ],
    };
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    write_file(&folder.join("genesis.json"), &genesis)?;
    write_file(&folder.join("open.json"), &opening)?;
    write_file(&folder.join("opened.json"), &state.to_file())?;
    write_file(&folder.join("close.json"), &closing)
}

fn write_file<T: FileContent>(path: &Path, content: &T) -> Result<()> {
    let bytes = files::to_json(content)?;
    std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
