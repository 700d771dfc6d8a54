//! A chain, a contract on it, and a ledger that it settles.

use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

use alloy::providers::Provider as _;
use alloy::signers::local::PrivateKeySigner;
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolCall;
use p3_field::PrimeCharacteristicRing as _;
use serde_json::{Value, json};
use shardfold_contracts::set::standard;
use shardfold_protocol::address::Address as ExitAddress;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::field::F;
use shardfold_protocol::record::Index;
use shardfold_protocol::shape::Shape;
use shardfold_protocol::signature::{Account, SecretKey};
use shardfold_protocol::state::{State, StateFile};
use shardfold_settlement::artefact::Artefact;
use shardfold_settlement::batch::SettledBatch;
use shardfold_settlement::data::DataMode;
use shardfold_settlement::encoding::{key_elements, settlement_bytes, word};
use shardfold_settlement::events::Log;
use shardfold_settlement::interface::IRollup::{depositCall, registerAssetCall, requestExitCall};
use shardfold_submitter::anvil::{self, Anvil};
use shardfold_submitter::deploy::{self, Terms};
use shardfold_submitter::endpoints::Endpoints;
use shardfold_submitter::logs;
use shardfold_submitter::place::place;
use shardfold_submitter::settle::{Options, Order, Settler};
use shardfold_submitter::waiting::{self, Waiting, WaitingError};
use tempfile::TempDir;

/// The ledger's chain id.
pub const LEDGER: u64 = 1_001;
/// The base chain's.
pub const CHAIN: u64 = 31_337;
const DEPLOYER: Address = Address::repeat_byte(0xde);
/// What an item costs at least, in wei.
const PRICE: u64 = 1_000_000;
/// A unit of the coin, in wei.
const GWEI: u64 = 1_000_000_000;
const STUB: &str = include_str!("../../../settlement/evm/test/artefacts/StatementVerifier.json");

/// All of it.
pub struct Scene {
    pub anvil: Anvil,
    pub endpoints: Endpoints,
    pub contract: Address,
    pub operator: PrivateKeySigner,
    pub state: State,
    pub folder: TempDir,
}

/// The program, unless it is missing where that is forgiven.
pub fn program() -> Option<PathBuf> {
    let packaged = "../settlement/evm/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil";
    let packaged = Path::new(env!("CARGO_MANIFEST_DIR")).join(packaged);
    if packaged.is_file() && env::var_os(anvil::VARIABLE).is_none() {
        return Some(packaged);
    }
    match anvil::find(None) {
        Ok(path) => Some(path),
        Err(error) if env::var_os("CI").is_some() => panic!("{error}"),
        Err(error) => {
            eprintln!("\n*** NOT TESTED: {error}; scripts/test.sh --install does it ***\n");
            None
        }
    }
}

/// A user's account on the ledger; it leaves to an address of the base chain.
pub fn account(i: u8) -> Account {
    let mut address = [0x11; 20];
    address[19] = i;
    Account {
        key: SecretKey::from_index(5, i.into()),
        exit_address: ExitAddress(address),
    }
}

pub fn user(i: u8) -> Address {
    Address::from(account(i).exit_address.0)
}

impl Scene {
    /// A contract with an empty ledger and its coin registered, whose verifier takes every statement.
    pub async fn new() -> Option<Self> {
        let stub = Artefact::parse(STUB).unwrap();
        let anvil = Anvil::start(&program()?, CHAIN).await.unwrap();
        anvil.fund(DEPLOYER, ether(10)).await.unwrap();
        let verifier = deploy::create(&anvil, DEPLOYER, &stub.creation, &[]).await;
        Some(Self::with_verifier(anvil, verifier.unwrap().0).await)
    }

    /// The same with the real verifier of these data.
    pub async fn with_data(data: &[u8]) -> Option<Self> {
        let anvil = Anvil::start(&program()?, CHAIN).await.unwrap();
        anvil.fund(DEPLOYER, ether(10)).await.unwrap();
        let (verifier, _) = deploy::verifier(&anvil, DEPLOYER, data).await.unwrap();
        Some(Self::with_verifier(anvil, verifier).await)
    }

    async fn with_verifier(anvil: Anvil, verifier: Address) -> Self {
        let state = Self::empty();
        let operator = PrivateKeySigner::from_bytes(&B256::repeat_byte(7)).unwrap();
        anvil.fund(operator.address(), ether(10)).await.unwrap();
        let terms = Terms {
            deployer: DEPLOYER,
            ledger: LEDGER,
            root: word(&state.head().state_root),
            price: U256::from(PRICE),
            operator: operator.address(),
        };
        let (contract, _) = deploy::rollup(&anvil, &terms, verifier).await.unwrap();
        let endpoints = Endpoints::connect(&[anvil.url().to_owned()]).await.unwrap();
        let scene = Self {
            anvil,
            endpoints,
            contract,
            operator,
            state,
            folder: TempDir::new().unwrap(),
        };
        for i in 1..=3 {
            scene.anvil.fund(user(i), ether(10)).await.unwrap();
        }
        let coin = registerAssetCall {
            token: Address::ZERO,
            digits: 9,
        };
        scene.send(user(1), U256::ZERO, &coin).await;
        scene
    }

    /// A ledger that has seen nothing.
    pub fn empty() -> State {
        let state = State::try_from(&StateFile {
            chain_id: LEDGER,
            head: None,
            vaults: vec![],
            records: vec![],
        });
        state.unwrap()
    }

    /// All events of the contract.
    pub async fn logs(&self) -> Vec<Log> {
        let newest = logs::newest(&self.endpoints).await.unwrap();
        let all = logs::back(&self.endpoints, self.contract, &[], 0..=newest, |_| false);
        let all = serde_json::to_value(all.await.unwrap()).unwrap();
        serde_json::from_value(all).unwrap()
    }

    /// Calls the contract as a user.
    pub async fn send<C: SolCall>(&self, from: Address, wei: U256, call: &C) {
        let data = call.abi_encode().into();
        let sent = self.anvil.send(from, Some(self.contract), wei, data).await;
        sent.unwrap();
    }

    /// A user deposits coin.
    pub async fn deposit(&self, i: u8, amount: u64) {
        let call = depositCall {
            asset: 0,
            amount,
            fee: 0,
            owner: word(&account(i).owner(F::from_u64(LEDGER))),
        };
        let wei = U256::from(amount) * U256::from(GWEI) + U256::from(PRICE);
        self.send(user(i), wei, &call).await;
    }

    /// A user asks for an exit.
    pub async fn request_exit(&self, i: u8, index: Index) {
        let key = key_elements(&account(i).public_key());
        let call = requestExitCall { index, key };
        self.send(user(i), U256::from(PRICE), &call).await;
    }

    /// What waits for the ledger.
    pub async fn waiting(&self, depth: u64) -> Result<Waiting, WaitingError> {
        self.waiting_of(depth, waiting::GROUP).await
    }

    /// The same, and so many items at most.
    pub async fn waiting_of(&self, depth: u64, most: u64) -> Result<Waiting, WaitingError> {
        let (endpoints, head) = (&self.endpoints, self.state.head());
        waiting::read(endpoints, self.contract, LEDGER, head, depth, most).await
    }

    /// Executes a batch that takes what waits; the ledger moves on.
    pub async fn execute(&mut self) -> Order {
        self.execute_for(DataMode::Calldata).await
    }

    /// The same, published in this way.
    pub async fn execute_for(&mut self, mode: DataMode) -> Order {
        let settled = self.settled().await;
        self.order(&settled, mode)
    }

    /// What the contract gets of a batch.
    pub fn order(&self, settled: &SettledBatch, mode: DataMode) -> Order {
        let publication = settled.published(mode).unwrap();
        let proof = settlement_bytes(&settled.settlement(&publication));
        Order::new(settled, &publication, proof, None).unwrap()
    }

    /// A batch that takes what waits, executed; the ledger moves on.
    pub async fn settled(&mut self) -> SettledBatch {
        let waiting = self.waiting(0).await.unwrap();
        let others = Default::default();
        let placed = place(
            &self.state,
            &waiting.items,
            waiting.base_chain,
            &[],
            &others,
        )
        .unwrap();
        let batch = Batch {
            chain_id: LEDGER,
            before: *self.state.head(),
            time: waiting.now,
            transactions: placed.transactions,
        };
        let settled = SettledBatch::execute(standard(), &mut self.state, &batch, &[Shape::TINY]);
        settled.unwrap()
    }

    /// Who settles, with a journal of a name.
    pub fn settler(&self, journal: &str) -> Settler<'_> {
        Settler {
            endpoints: &self.endpoints,
            contract: self.contract,
            signer: self.operator.clone(),
            journal: self.folder.path().join(journal),
            options: Options {
                depth: 0,
                poll: Duration::from_millis(20),
                patience: Duration::from_secs(60),
                max_fee: 1_000_000_000_000,
                max_blob_fee: 1_000_000_000_000,
            },
            say: &|text| println!("{text}"),
        }
    }

    /// How many transactions of the operator are mined.
    pub async fn sent(&self) -> u64 {
        let count = self
            .anvil
            .provider()
            .get_transaction_count(self.operator.address());
        count.await.unwrap()
    }

    /// Whether transactions are mined as they come.
    pub async fn set_automine(&self, does: bool) {
        self.anvil
            .call("evm_setAutomine", json!([does]))
            .await
            .unwrap();
    }

    /// Notes where the chain is.
    pub async fn snapshot(&self) -> Value {
        self.anvil.call("evm_snapshot", json!([])).await.unwrap()
    }

    /// The chain goes on from there, without what came after.
    pub async fn revert(&self, snapshot: &Value) {
        let reverted = self.anvil.call("evm_revert", json!([snapshot])).await;
        assert_eq!(reverted.unwrap(), json!(true));
    }
}

pub fn ether(count: u64) -> U256 {
    U256::from(count) * U256::from(1_000_000_000_000_000_000_u64)
}
