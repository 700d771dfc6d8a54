//! A node of one's own: `anvil`, started and stopped here. For devnets and tests.

use std::env;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use alloy::eips::BlockId;
use alloy::providers::{Provider as _, RootProvider};
use alloy::transports::TransportResult;
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolCall;
use serde_json::{Value, json};
use thiserror::Error;

use crate::contract;
use crate::endpoints::describe;

/// The variable that says where `anvil` is.
pub const VARIABLE: &str = "SHARDFOLD_ANVIL";
/// How to get it.
pub const HOW: &str = "npm install @foundry-rs/anvil-linux-amd64@1.7.1 puts it into \
                       node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil";
/// How long it may take to start, and to mine a transaction.
const START: Duration = Duration::from_secs(30);
/// Between two looks.
const POLL: Duration = Duration::from_millis(20);
/// The gas that a transaction may take.
const GAS: u64 = 1 << 24;

/// A running node. It ends with this value.
#[derive(Debug)]
pub struct Anvil {
    child: Child,
    url: String,
    provider: RootProvider,
}

/// A transaction that went through.
#[derive(Clone, Copy, Debug)]
pub struct Mined {
    /// Its hash.
    pub hash: B256,
    /// The gas that it took.
    pub gas: u64,
    /// What that cost, in wei.
    pub cost: U256,
    /// The contract that it has created.
    pub created: Option<Address>,
}

/// Why a node does not do what it should.
#[derive(Debug, Error)]
pub enum AnvilError {
    /// There is none.
    #[error("found no `anvil` {place}: {HOW}; name it with --anvil or {VARIABLE}")]
    Missing {
        /// Where it was looked for.
        place: String,
    },
    /// It does not start.
    #[error("cannot start {}: {source}", path.display())]
    Start {
        /// Which program.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It does not answer.
    #[error("{} does not answer within {} s", path.display(), START.as_secs())]
    Silent {
        /// Which program.
        path: PathBuf,
    },
    /// It refuses something.
    #[error("anvil refuses {what}: {said}")]
    Refused {
        /// What it was asked for.
        what: String,
        /// What it says.
        said: String,
    },
    /// A transaction that has failed.
    #[error("the transaction {0} was mined and has failed")]
    Failed(B256),
}

/// Finds `anvil`: the one that is named, or that of the variable, or that of the path.
///
/// # Errors
/// If it is not there.
pub fn find(named: Option<&Path>) -> Result<PathBuf, AnvilError> {
    let by_variable = env::var_os(VARIABLE).filter(|path| !path.is_empty());
    if let Some(path) = named.map(Path::to_owned).or(by_variable.map(PathBuf::from)) {
        let place = format!("at {}", path.display());
        return if path.is_file() {
            Ok(path)
        } else {
            Err(AnvilError::Missing { place })
        };
    }
    let folders = env::var_os("PATH").unwrap_or_default();
    let mut programs = env::split_paths(&folders).map(|folder| folder.join("anvil"));
    programs
        .find(|path| path.is_file())
        .ok_or(AnvilError::Missing {
            place: "on the path".to_owned(),
        })
}

impl Anvil {
    /// Starts a node of a chain, at Osaka, which mines each transaction at once.
    ///
    /// # Errors
    /// It cannot be started, or does not answer.
    pub async fn start(program: &Path, chain_id: u64) -> Result<Self, AnvilError> {
        let start = |source| AnvilError::Start {
            path: program.to_owned(),
            source,
        };
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = port.map_err(start)?.port();
        let child = Command::new(program)
            .args(["--silent", "--host", "127.0.0.1", "--hardfork", "osaka"])
            .args([
                "--port",
                &port.to_string(),
                "--chain-id",
                &chain_id.to_string(),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(start)?;
        let url = format!("http://127.0.0.1:{port}");
        let parsed = url::Url::parse(&url).map_err(|error| AnvilError::Refused {
            what: url.clone(),
            said: error.to_string(),
        })?;
        let anvil = Self {
            child,
            url,
            provider: RootProvider::new_http(parsed),
        };
        let since = Instant::now();
        while anvil.provider.get_chain_id().await.is_err() {
            if since.elapsed() > START {
                let path = program.to_owned();
                return Err(AnvilError::Silent { path });
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(anvil)
    }

    /// Returns where it listens.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the node.
    #[must_use]
    pub const fn provider(&self) -> &RootProvider {
        &self.provider
    }

    /// Calls a method that only it has; returns the answer.
    ///
    /// # Errors
    /// It refuses.
    pub async fn call(&self, method: &'static str, parameters: Value) -> Result<Value, AnvilError> {
        let answer = self.provider.client().request(method, parameters).await;
        refused(answer, method)
    }

    /// Lets an account send transactions without a key, with so much coin.
    ///
    /// # Errors
    /// It refuses.
    pub async fn fund(&self, who: Address, wei: U256) -> Result<(), AnvilError> {
        self.call("anvil_setBalance", json!([who, wei])).await?;
        self.call("anvil_impersonateAccount", json!([who])).await?;
        Ok(())
    }

    /// Sends a transaction of an account that [`fund`](Self::fund) has named, and waits for it.
    ///
    /// # Errors
    /// It is refused, or fails.
    pub async fn send(
        &self,
        from: Address,
        to: Option<Address>,
        wei: U256,
        data: Bytes,
    ) -> Result<Mined, AnvilError> {
        let mut request =
            json!({ "from": from, "value": wei, "data": data, "gas": U256::from(GAS) });
        if let Some(to) = to {
            request["to"] = json!(to);
        }
        let hash = self.call("eth_sendTransaction", json!([request])).await?;
        let hash: B256 = serde_json::from_value(hash).map_err(|error| AnvilError::Refused {
            what: "a hash".to_owned(),
            said: error.to_string(),
        })?;
        let since = Instant::now();
        while since.elapsed() < START {
            let found = self.provider.get_transaction_receipt(hash).await;
            if let Some(receipt) = refused(found, "a receipt")? {
                if !receipt.status() {
                    return Err(AnvilError::Failed(hash));
                }
                let price = U256::from(receipt.effective_gas_price);
                return Ok(Mined {
                    hash,
                    gas: receipt.gas_used,
                    cost: price * U256::from(receipt.gas_used),
                    created: receipt.contract_address,
                });
            }
            tokio::time::sleep(POLL).await;
        }
        Err(AnvilError::Refused {
            what: "a receipt".to_owned(),
            said: format!("{hash} is not mined within {} s", START.as_secs()),
        })
    }

    /// Asks a contract.
    ///
    /// # Errors
    /// It has no answer.
    pub async fn ask<C: SolCall>(&self, to: Address, call: &C) -> Result<C::Return, AnvilError> {
        let answer = contract::ask(&self.provider, to, call, BlockId::latest()).await;
        refused(answer, C::SIGNATURE)
    }

    /// Returns what an account has of the chain's own coin, in wei.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn balance(&self, who: Address) -> Result<U256, AnvilError> {
        refused(self.provider.get_balance(who).await, "a balance")
    }

    /// Returns the time of the newest block, in seconds.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn time(&self) -> Result<u64, AnvilError> {
        let block = self.provider.get_block(BlockId::latest()).await;
        let block = refused(block, "the newest block")?;
        Ok(block.map_or(0, |block| block.header.timestamp))
    }

    /// Mines so many blocks.
    ///
    /// # Errors
    /// It refuses.
    pub async fn mine(&self, blocks: u64) -> Result<(), AnvilError> {
        self.call("anvil_mine", json!([U256::from(blocks)])).await?;
        Ok(())
    }

    /// Lets time pass, and mines a block.
    ///
    /// # Errors
    /// It refuses.
    pub async fn wait(&self, seconds: u64) -> Result<(), AnvilError> {
        self.call("evm_increaseTime", json!([seconds])).await?;
        self.mine(1).await
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn refused<T>(answer: TransportResult<T>, what: &str) -> Result<T, AnvilError> {
    answer.map_err(|error| AnvilError::Refused {
        what: what.to_owned(),
        said: describe(&error),
    })
}
