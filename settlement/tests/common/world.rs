//! A ledger, its users and the contract that settles it.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::{SolCall, SolValue};
use p3_field::PrimeCharacteristicRing;
use revm::primitives::hardfork::SpecId;
use shardfold_contracts::deposit::Deposit;
use shardfold_contracts::exit::Exit;
use shardfold_contracts::set::standard;
use shardfold_contracts::withdraw::Withdraw;
use shardfold_contracts::{Body, FeePayment};
use shardfold_protocol::address::Address as ExitAddress;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Digest;
use shardfold_protocol::record::Index;
use shardfold_protocol::signature::{Account, SecretKey};
use shardfold_protocol::state::{State, StateFile};
use shardfold_protocol::transaction::Transaction;
use shardfold_settlement::artefact::{Artefact, HASHES, ROLLUP};
use shardfold_settlement::data::DataMode;
use shardfold_settlement::encoding::{key_elements, word};
use shardfold_settlement::interface::IRollup::{
    claimCall, depositCall, itemPriceCall, registerAssetCall, requestExitCall, settleCall,
};

use super::batch::Settlement;
use super::chain::{Chain, Done, EVM_CHAIN_ID, Failed};

/// The ledger's chain id.
pub const LEDGER: u64 = 1_001;
/// Who settles.
pub const OPERATOR: Address = Address::repeat_byte(0x0a);
/// Who may propose verifiers.
pub const GOVERNOR: Address = Address::repeat_byte(0x60);
/// What an item costs at least, in wei.
pub const PRICE: u64 = 1_000_000;
/// The chain's own coin, in units of 10^9 wei.
pub const COIN: u32 = 0;
/// Its unit.
pub const GWEI: u64 = 1_000_000_000;

pub use shardfold_settlement::queue::Item;

const STATEMENT_VERIFIER: &str = include_str!("../../evm/test/artefacts/StatementVerifier.json");

/// No fee.
pub const FREE: FeePayment = FeePayment {
    amount: 0,
    vault: 0,
};

/// All of it.
#[derive(Clone, Debug)]
pub struct World {
    /// The base chain.
    pub chain: Chain,
    /// The contract.
    pub rollup: Address,
    /// The contract that hashes.
    pub hashes: Address,
    /// The ledger as the operator has it.
    pub state: State,
    /// What the operator read from the queue.
    pub items: Vec<Item>,
    /// How many batches are settled.
    pub batches: u64,
    /// Where they are published.
    pub mode: DataMode,
    /// Their blobs, as somebody has kept them.
    pub archive: BTreeMap<B256, Bytes>,
}

/// User number `i` on the base chain.
pub fn user(i: u8) -> Address {
    let mut address = Address::repeat_byte(0x11);
    address.0[19] = i;
    address
}

/// The account of a user on the ledger: it leaves to its address on the base chain.
pub fn account(i: u8) -> Account {
    account_for(i, user(i))
}

/// An account that leaves to another address.
pub fn account_for(i: u8, address: Address) -> Account {
    Account {
        key: SecretKey::from_index(5, i.into()),
        exit_address: ExitAddress(address.into_array()),
    }
}

/// The owner digest of a user.
pub fn owner(i: u8) -> Digest {
    account(i).owner(F::from_u64(LEDGER))
}

/// The public key of a user.
pub fn key(i: u8) -> [u64; 5] {
    key_elements(&account(i).public_key())
}

/// The artefact of a contract that only tests have.
#[macro_export]
macro_rules! test_artefact {
    ($name:literal) => {
        shardfold_settlement::artefact::Artefact::parse(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/evm/test/artefacts/",
            $name,
            ".json"
        )))
        .expect("it is an artefact")
    };
}

impl World {
    /// A contract with an empty ledger, with the chain's own coin registered.
    pub fn new(spec: SpecId) -> Self {
        let verifier = Artefact::parse(STATEMENT_VERIFIER).expect("it is an artefact");
        Self::with_verifier(spec, &verifier)
    }

    /// The same with another verifier.
    pub fn with_verifier(spec: SpecId, verifier: &Artefact) -> Self {
        let state = State::try_from(&StateFile {
            chain_id: LEDGER,
            head: None,
            vaults: vec![],
            records: vec![],
        });
        let state = state.expect("nothing is well formed");
        let mut world = Self::create(Chain::new(spec), state, verifier);
        for i in 0..=u8::MAX {
            world.chain.fund(user(i), coin(1_000_000_000_000));
        }
        let asset = registerAssetCall {
            token: Address::ZERO,
            digits: 9,
        };
        assert_eq!(world.call(user(0), &asset), Ok(COIN));
        world
    }

    /// The same with a place for what is published, which is calldata else.
    pub fn with_mode(spec: SpecId, mode: DataMode) -> Self {
        let world = Self::new(spec);
        Self { mode, ..world }
    }

    /// A contract with a ledger that starts with something, and no assets.
    pub fn with_genesis(chain: Chain, state: State) -> Self {
        let verifier = Artefact::parse(STATEMENT_VERIFIER).expect("it is an artefact");
        Self::create(chain, state, &verifier)
    }

    /// A contract with any ledger and verifier.
    fn create(mut chain: Chain, state: State, verifier: &Artefact) -> Self {
        let artefact = |text| Artefact::parse(text).expect("it is an artefact");
        let hashes = chain.deploy(&artefact(HASHES), &[]);
        let verifier = chain.deploy(verifier, &[]);
        let root = word(&state.head().state_root);
        let price = U256::from(PRICE);
        let arguments = (LEDGER, root, price, hashes, verifier, GOVERNOR, OPERATOR);
        let rollup = chain.deploy(&artefact(ROLLUP), &arguments.abi_encode_params());
        Self {
            chain,
            rollup,
            hashes,
            state,
            items: vec![],
            batches: 0,
            mode: DataMode::Calldata,
            archive: BTreeMap::new(),
        }
    }

    /// Calls the contract.
    ///
    /// # Errors
    /// It was reverted.
    pub fn call<C: SolCall>(&mut self, from: Address, call: &C) -> Result<C::Return, Failed> {
        self.chain.call(from, self.rollup, call)
    }

    /// Asks the contract.
    #[track_caller]
    pub fn ask<C: SolCall>(&self, call: &C) -> C::Return {
        self.chain.ask(self.rollup, call)
    }

    /// Deposits coin for a user's account, and notes the item.
    #[track_caller]
    pub fn deposit(&mut self, i: u8, amount: u64, fee: u64) {
        self.deposit_as(i, COIN, amount, fee, owner(i));
    }

    /// Deposits an asset for an owner; returns the gas.
    #[track_caller]
    pub fn deposit_as(&mut self, i: u8, asset: u32, amount: u64, fee: u64, owner: Digest) -> u64 {
        let call = depositCall {
            asset,
            amount,
            fee,
            owner: word(&owner),
        };
        let paid = if asset == COIN {
            coin(amount + fee)
        } else {
            U256::ZERO
        };
        let wei = paid + self.ask(&itemPriceCall {});
        let result = self.chain.send(user(i), self.rollup, wei, &call);
        let (_, done) = result.expect("it is a deposit");
        self.items.push(Item::Deposit {
            asset,
            amount,
            fee,
            owner,
        });
        done.gas
    }

    /// Asks for an exit, and notes the item.
    #[track_caller]
    pub fn request_exit(&mut self, i: u8, index: Index) -> u64 {
        let wei = self.ask(&itemPriceCall {});
        let call = requestExitCall { index, key: key(i) };
        let result = self.chain.send(user(i), self.rollup, wei, &call);
        let (_, done) = result.expect("it is an exit");
        let address = account(i).exit_address;
        self.items.push(Item::Exit {
            index,
            owner: owner(i),
            address,
        });
        done.gas
    }

    /// Returns the transaction that takes an item, by its position; a deposit goes to an index.
    pub fn taking(&self, position: usize, to: Index) -> Transaction {
        match self.items[position] {
            Item::Deposit {
                asset,
                amount,
                fee,
                owner,
            } => Deposit {
                base_chain: EVM_CHAIN_ID as u32,
                to,
                owner,
                asset: asset.into(),
                amount,
                fee: FeePayment {
                    amount: fee,
                    vault: 0,
                },
                position: position as u64,
            }
            .unsigned(),
            Item::Exit {
                index,
                owner,
                address,
            } => Exit {
                base_chain: EVM_CHAIN_ID as u32,
                position: position as u64,
                index,
                owner,
                address,
            }
            .unsigned(),
        }
    }

    /// Returns a user's withdrawal of coin to their address.
    pub fn withdrawing(&self, i: u8, from: Index, amount: u64, nonce: u64) -> Transaction {
        let body = Withdraw {
            from,
            asset: COIN.into(),
            amount,
            fee: FREE,
            nonce,
            base_chain: EVM_CHAIN_ID as u32,
            address: account(i).exit_address,
        };
        signed(&account(i), &body)
    }

    /// Executes transactions on the ledger as it is settled, at the chain's time.
    #[track_caller]
    pub fn execute(&self, transactions: Vec<Transaction>) -> Settlement {
        Settlement {
            mode: self.mode,
            ..Settlement::new(&self.state, self.chain.time, transactions)
        }
    }

    /// Settles a batch as the operator.
    ///
    /// # Errors
    /// The contract refuses it.
    pub fn try_settle(&mut self, settlement: &Settlement) -> Result<u64, Failed> {
        self.send_settlement(settlement).map(|done| done.gas)
    }

    /// [`Self::try_settle`]; returns all that is known of the transaction.
    ///
    /// # Errors
    /// The contract refuses it.
    pub fn send_settlement(&mut self, settlement: &Settlement) -> Result<Done, Failed> {
        let publication = settlement.publication();
        self.chain.blobs = publication.versioned_hashes().to_vec();
        let blobs = self.chain.blobs.iter().copied();
        self.archive
            .extend(blobs.zip(publication.blobs().iter().cloned()));
        let call = settlement.call_with(&publication);
        let (_, done) = self.chain.send(OPERATOR, self.rollup, U256::ZERO, &call)?;
        self.state = settlement.state.clone();
        self.batches += 1;
        Ok(done)
    }

    /// Executes transactions and settles the batch.
    #[track_caller]
    pub fn settle(&mut self, transactions: Vec<Transaction>) -> Settlement {
        let settlement = self.execute(transactions);
        self.try_settle(&settlement).expect("it is settled");
        settlement
    }

    /// Sends a call to settle as somebody.
    ///
    /// # Errors
    /// The contract refuses it.
    pub fn settle_as(&mut self, who: Address, call: &settleCall) -> Result<(), Failed> {
        self.call(who, call).map(|_| ())
    }

    /// Returns the claim of a batch's withdrawal, by its place.
    pub fn claim(&self, batch: u64, settlement: &Settlement, place: usize) -> claimCall {
        claimCall {
            batch: U256::from(batch),
            number: settlement.statement.before.withdrawal_count + place as u64,
            entry: settlement.withdrawals[place].entry().to_vec().into(),
            path: settlement.tree().path(place),
        }
    }

    /// Lets time pass.
    pub const fn wait(&mut self, seconds: u64) {
        self.chain.time += seconds;
    }
}

/// So many units of the coin, in wei.
pub fn coin(units: u64) -> U256 {
    U256::from(units) * U256::from(GWEI)
}

/// Signs a body.
pub fn signed(account: &Account, body: &impl Body) -> Transaction {
    let unsigned = body.unsigned();
    let chain_id = F::from_u64(LEDGER);
    let digest = standard().message_to_sign(&unsigned, chain_id);
    let signature = account.sign(chain_id, &digest);
    Transaction {
        authorization: Some(account.authorization(signature)),
        ..unsigned
    }
}
