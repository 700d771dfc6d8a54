//! An EVM chain in memory, by revm.

use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use alloy_sol_types::{SolCall, SolError};
use revm::bytecode::Bytecode;
use revm::context::result::{ExecutionResult, Output};
use revm::context::{BlockEnv, CfgEnv, Context, TxEnv};
use revm::context_interface::block::BlobExcessGasAndPrice;
use revm::database::{CacheDB, EmptyDB};
use revm::handler::EthPrecompiles;
use revm::precompile::Precompiles;
use revm::primitives::Log;
use revm::primitives::hardfork::SpecId;
use revm::{ExecuteCommitEvm, MainBuilder, MainContext};
use shardfold_settlement::artefact::Artefact;
use shardfold_settlement::data::DataMode;

/// The forks under which everything is tested.
pub const FORKS: [SpecId; 2] = [SpecId::OSAKA, SpecId::AMSTERDAM];
/// What opens a blob at a point (EIP-4844).
pub const POINT_EVALUATION: Address = Address::new([
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0a,
]);
/// The most gas of a transaction (EIP-7825); for Amsterdam, of what is not for new state (EIP-8037).
pub const GAS_CAP: u64 = 1 << 24;
/// The gas of a block, and from Amsterdam on of a transaction with what it pays for new state.
pub const BLOCK_GAS: u64 = 60_000_000;
/// When the first block is.
pub const START: u64 = 1_800_000_000;
/// Its chain id.
pub const EVM_CHAIN_ID: u64 = 1;
/// Who creates contracts.
pub const DEPLOYER: Address = Address::repeat_byte(0xde);

/// A chain. A clone goes its own way: that is how a reorganisation is played.
#[derive(Clone, Debug)]
pub struct Chain {
    db: CacheDB<EmptyDB>,
    spec: SpecId,
    /// The time of the next block.
    pub time: u64,
    /// Its chain id: [`EVM_CHAIN_ID`] unless a test says otherwise.
    pub chain_id: u64,
    /// The blobs of the next transaction, by their hashes. They cost nothing here, as gas does.
    pub blobs: Vec<B256>,
    /// Whether blobs can be opened.
    pub opens_blobs: bool,
    number: u64,
    /// All that was logged so far.
    pub logs: Vec<Log>,
}

/// Each fork with each place for the data.
pub fn forks_and_modes() -> impl Iterator<Item = (SpecId, DataMode)> {
    FORKS
        .into_iter()
        .flat_map(|fork| DataMode::ALL.map(|mode| (fork, mode)))
}

/// A transaction that went through.
#[derive(Clone, Debug)]
pub struct Done {
    /// What it returned.
    pub output: Bytes,
    /// The gas of its receipt.
    pub gas: u64,
    /// What it logged.
    pub logs: Vec<Log>,
}

/// A transaction that did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    /// It was reverted, with this reason.
    Reverted(Bytes),
    /// It ran out of gas, or into something else.
    Halted(String),
}

impl Failed {
    /// Returns the custom error with which it was reverted.
    ///
    /// # Panics
    /// If it was reverted with something else.
    #[track_caller]
    pub fn error<E: SolError>(&self) -> E {
        match self {
            Self::Reverted(data) => E::abi_decode(data)
                .unwrap_or_else(|error| panic!("found {data}, expected {}: {error}", E::SIGNATURE)),
            Self::Halted(reason) => panic!("found {reason}, expected {}", E::SIGNATURE),
        }
    }
}

impl Chain {
    /// Returns an empty chain.
    pub fn new(spec: SpecId) -> Self {
        Self {
            db: CacheDB::default(),
            spec,
            time: START,
            chain_id: EVM_CHAIN_ID,
            blobs: vec![],
            opens_blobs: true,
            number: 1,
            logs: vec![],
        }
    }

    /// Gives an account so much more of the chain's own coin.
    pub fn fund(&mut self, who: Address, wei: U256) {
        let mut account = self
            .db
            .load_account(who)
            .expect("in memory")
            .info()
            .unwrap_or_default();
        account.balance += wei;
        self.db.insert_account_info(who, account);
    }

    /// Returns the code at an address.
    pub fn code(&self, at: Address) -> Bytes {
        let account = self.clone().db.load_account(at).expect("in memory").info();
        let code = account.unwrap_or_default().code.unwrap_or_default();
        code.original_bytes()
    }

    /// Puts other code at an address, as a contract can that removes itself and is created anew.
    pub fn replace_code(&mut self, at: Address, code: Vec<u8>) {
        let account = self.db.load_account(at).expect("in memory");
        let mut info = account.info().unwrap_or_default();
        let code = Bytecode::new_raw(code.into());
        info.code_hash = code.hash_slow();
        info.code = Some(code);
        self.db.insert_account_info(at, info);
    }

    /// Returns what an account has of the chain's own coin.
    pub fn balance(&mut self, who: Address) -> U256 {
        let account = self.db.load_account(who).expect("in memory");
        account.info().unwrap_or_default().balance
    }

    /// Lends an account another's code (EIP-7702).
    pub fn delegate(&mut self, who: Address, to: Address) {
        let account = self.db.load_account(who).expect("in memory");
        let mut account = account.info().unwrap_or_default();
        account.set_code(Bytecode::new_eip7702(to));
        self.db.insert_account_info(who, account);
    }

    /// Creates a contract; `arguments` are those of its constructor, encoded.
    ///
    /// # Errors
    /// The constructor's.
    pub fn try_deploy(
        &mut self,
        artefact: &Artefact,
        arguments: &[u8],
    ) -> Result<(Address, u64), Failed> {
        let data = [&artefact.creation, arguments].concat().into();
        let result = self.transact(DEPLOYER, TxKind::Create, U256::ZERO, data);
        match result {
            ExecutionResult::Success {
                gas,
                output: Output::Create(_, Some(address)),
                ..
            } => Ok((address, gas.tx_gas_used())),
            other => Err(done(other).expect_err("a creation has an address")),
        }
    }

    /// [`Self::try_deploy`] of what can be created; returns where it is.
    ///
    /// # Panics
    /// If it cannot.
    #[track_caller]
    pub fn deploy(&mut self, artefact: &Artefact, arguments: &[u8]) -> Address {
        let result = self.try_deploy(artefact, arguments);
        let (address, _) = result.unwrap_or_else(|failed| {
            panic!("{} cannot be deployed: {failed:?}", artefact.contract)
        });
        address
    }

    /// Sends a transaction, in a block of its own.
    ///
    /// # Errors
    /// It was reverted, or halted.
    pub fn send<C: SolCall>(
        &mut self,
        from: Address,
        to: Address,
        wei: U256,
        call: &C,
    ) -> Result<(C::Return, Done), Failed> {
        let data = call.abi_encode().into();
        let done = done(self.transact(from, TxKind::Call(to), wei, data))?;
        let returned = C::abi_decode_returns(&done.output).expect("it returns what it declares");
        Ok((returned, done))
    }

    /// Sends a call that is encoded already, without coin.
    ///
    /// # Errors
    /// It was reverted, or halted.
    pub fn send_data(&mut self, from: Address, to: Address, data: Vec<u8>) -> Result<Done, Failed> {
        self.pay_data(from, to, U256::ZERO, data)
    }

    /// [`Self::send_data`] with coin.
    ///
    /// # Errors
    /// It was reverted, or halted.
    pub fn pay_data(
        &mut self,
        from: Address,
        to: Address,
        wei: U256,
        data: Vec<u8>,
    ) -> Result<Done, Failed> {
        done(self.transact(from, TxKind::Call(to), wei, data.into()))
    }

    /// [`Self::send`] without coin.
    ///
    /// # Errors
    /// It was reverted, or halted.
    pub fn call<C: SolCall>(
        &mut self,
        from: Address,
        to: Address,
        call: &C,
    ) -> Result<C::Return, Failed> {
        self.send(from, to, U256::ZERO, call)
            .map(|(returned, _)| returned)
    }

    /// Asks a contract, changing nothing.
    ///
    /// # Panics
    /// If it gives no answer.
    #[track_caller]
    pub fn ask<C: SolCall>(&self, to: Address, call: &C) -> C::Return {
        let answer = self.clone().call(DEPLOYER, to, call);
        answer.unwrap_or_else(|failed| panic!("{} fails: {failed:?}", C::SIGNATURE))
    }

    fn transact(
        &mut self,
        from: Address,
        kind: TxKind,
        value: U256,
        data: Bytes,
    ) -> ExecutionResult {
        let mut cfg = CfgEnv::new_with_spec(self.spec);
        cfg.chain_id = self.chain_id;
        let block = BlockEnv {
            number: U256::from(self.number),
            timestamp: U256::from(self.time),
            gas_limit: BLOCK_GAS,
            blob_excess_gas_and_price: Some(BlobExcessGasAndPrice {
                excess_blob_gas: 0,
                blob_gasprice: 0,
            }),
            ..BlockEnv::default()
        };
        let account = self.db.load_account(from).expect("in memory");
        let blob_hashes = std::mem::take(&mut self.blobs);
        let tx = TxEnv {
            tx_type: if blob_hashes.is_empty() { 0 } else { 3 },
            blob_hashes,
            caller: from,
            gas_limit: match self.spec {
                SpecId::AMSTERDAM => BLOCK_GAS,
                _ => GAS_CAP,
            },
            gas_price: 0,
            kind,
            value,
            data,
            nonce: account.info().unwrap_or_default().nonce,
            chain_id: Some(self.chain_id),
            ..TxEnv::default()
        };
        self.number += 1;
        let context = Context::mainnet()
            .with_db(&mut self.db)
            .with_cfg(cfg)
            .with_block(block);
        let mut evm = context.build_mainnet();
        if !self.opens_blobs {
            evm.precompiles = EthPrecompiles {
                precompiles: Precompiles::berlin(),
                spec: self.spec,
            };
        }
        let result = evm.transact_commit(tx);
        let result = result.expect("the transaction is well formed");
        self.logs.extend_from_slice(result.logs());
        result
    }
}

fn done(result: ExecutionResult) -> Result<Done, Failed> {
    match result {
        ExecutionResult::Success {
            gas, logs, output, ..
        } => Ok(Done {
            output: output.into_data(),
            gas: gas.tx_gas_used(),
            logs,
        }),
        ExecutionResult::Revert { output, .. } => Err(Failed::Reverted(output)),
        ExecutionResult::Halt { reason, .. } => Err(Failed::Halted(format!("{reason:?}"))),
    }
}
