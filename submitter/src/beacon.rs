//! Blobs from a beacon node, which has those of the last eighteen days.

use std::time::Duration;

use alloy::transports::http::reqwest::{self, Client, StatusCode};
use alloy_primitives::{B256, Bytes};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use shardfold_settlement::data::blob_hash;
use thiserror::Error;
use url::Url;

use crate::endpoints::client;

/// How long it may take for one answer: six blobs are 1.6 MB of digits.
const PATIENCE: Duration = Duration::from_secs(60);
/// Seconds of a slot where the node does not say: Ethereum's.
const SLOT_SECONDS: u64 = 12;

/// A beacon node.
#[derive(Clone, Debug)]
pub struct Beacon {
    /// The URL without path and user, which may be secrets.
    name: String,
    url: Url,
    client: Client,
    genesis: u64,
    slot_seconds: u64,
}

/// Why a beacon node is of no use.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BeaconError {
    /// What is no URL of a node.
    #[error("found a beacon node that is no URL of http or https: {why}")]
    Url {
        /// What is wrong with it, without the text, of which a part may be a secret.
        why: String,
    },
    /// It does not give what it was asked for.
    #[error("the beacon node {node} gives no {what}: {said}")]
    Silent {
        /// Which node.
        node: String,
        /// What it was asked for.
        what: &'static str,
        /// What it says.
        said: String,
    },
    /// A block that is older than its chain.
    #[error(
        "found a block of the time {found}, expected none before {genesis}, when the chain of the \
         beacon node {node} begins: it is another chain's"
    )]
    Chain {
        /// Which node.
        node: String,
        /// The block's time.
        found: u64,
        /// When its chain begins.
        genesis: u64,
    },
}

/// What each answer has.
#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
struct Genesis {
    genesis_time: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
struct Spec {
    seconds_per_slot: Option<String>,
}

impl Beacon {
    /// Asks a node when its chain begins, and for the length of its slots.
    ///
    /// # Errors
    /// No URL, or no answer.
    pub async fn connect(url: &str) -> Result<Self, BeaconError> {
        let (url, client) = client(url, PATIENCE).map_err(|why| BeaconError::Url { why })?;
        let mut beacon = Self {
            name: url.origin().ascii_serialization(),
            url,
            client,
            genesis: 0,
            slot_seconds: SLOT_SECONDS,
        };
        let what = "time of its genesis";
        let genesis: Option<Genesis> = beacon.get("eth/v1/beacon/genesis", "", what).await?;
        let genesis = genesis.and_then(|genesis| genesis.genesis_time.parse().ok());
        beacon.genesis =
            genesis.ok_or_else(|| beacon.silent(what, "found no number of seconds"))?;
        let spec: Option<Spec> = beacon.get("eth/v1/config/spec", "", "settings").await?;
        let said = spec.and_then(|spec| spec.seconds_per_slot?.parse().ok());
        beacon.slot_seconds = said.filter(|seconds| *seconds > 0).unwrap_or(SLOT_SECONDS);
        Ok(beacon)
    }

    /// Returns those of the blobs with these hashes that the node has of the block with this time.
    /// Each is what its hash says.
    ///
    /// # Errors
    /// No answer, or a block before its chain.
    pub async fn blobs(
        &self,
        time: u64,
        hashes: &[B256],
    ) -> Result<Vec<(B256, Bytes)>, BeaconError> {
        let since = time.checked_sub(self.genesis);
        let slot = since.ok_or_else(|| BeaconError::Chain {
            node: self.name.clone(),
            found: time,
            genesis: self.genesis,
        })? / self.slot_seconds;
        let path = format!("eth/v1/beacon/blobs/{slot}");
        let names: Vec<String> = hashes.iter().map(B256::to_string).collect();
        let query = format!("versioned_hashes={}", names.join(","));
        let found: Option<Vec<Bytes>> = self.get(&path, &query, "blobs").await?;
        let found = found.unwrap_or_default().into_iter();
        let named = found.filter_map(|blob| Some((blob_hash(&blob)?, blob)));
        Ok(named.filter(|(hash, _)| hashes.contains(hash)).collect())
    }

    /// What it has at a path; nothing if it says that it has nothing there.
    async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &str,
        what: &'static str,
    ) -> Result<Option<T>, BeaconError> {
        let mut url = self.url.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/{path}"));
        if !query.is_empty() {
            let own = url.query().map(|own| format!("{own}&")).unwrap_or_default();
            url.set_query(Some(&format!("{own}{query}")));
        }
        // The message may hold the whole URL.
        let failed = |error: reqwest::Error| self.silent(what, &error.without_url().to_string());
        let response = self.client.get(url).send().await.map_err(failed)?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let response = response.error_for_status().map_err(failed)?;
        let bytes = response.bytes().await.map_err(failed)?;
        let answer: Answer<T> = serde_json::from_slice(&bytes)
            .map_err(|error| self.silent(what, &error.to_string()))?;
        Ok(Some(answer.data))
    }

    fn silent(&self, what: &'static str, said: &str) -> BeaconError {
        BeaconError::Silent {
            node: self.name.clone(),
            what,
            said: said.to_owned(),
        }
    }
}
