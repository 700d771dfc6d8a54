//! Blobs from a beacon node, which has those of the last eighteen days.

use std::error::Error as _;
use std::time::Duration;

use alloy::transports::http::reqwest::{self, Client, StatusCode};
use alloy_primitives::{B256, Bytes};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use shardfold_protocol::text::excerpt;
use shardfold_settlement::data::blob_hash;
use thiserror::Error;
use url::Url;

use crate::endpoints::{client, short};

/// How long it may take for one answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of the longest answer that is read: a node that does not look at hashes gives all blobs of the
/// block, of which each is 262 thousand digits.
const ANSWER_BYTES: usize = 64 << 20;
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
    /// It does not answer at all.
    #[error("the beacon node {node} does not answer: {why}")]
    Unreachable {
        /// Which node.
        node: String,
        /// What is in the way.
        why: String,
    },
    /// It refuses to say what it was asked for.
    #[error("the beacon node {node} gives no {what}: it answers {status}")]
    Refused {
        /// Which node.
        node: String,
        /// What it was asked for.
        what: &'static str,
        /// What it answers instead, 404 if it has no such block, or not this part of the interface.
        status: StatusCode,
    },
    /// What is no answer to the question.
    #[error("the beacon node {node} gives no {what}: {why}")]
    Answer {
        /// Which node.
        node: String,
        /// What it was asked for.
        what: &'static str,
        /// What is wrong with the answer.
        why: String,
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

/// Looks whether a text is the URL of a node at all.
///
/// # Errors
/// If not.
pub fn check_url(url: &str) -> Result<(), BeaconError> {
    client(url, PATIENCE).map_err(|why| BeaconError::Url { why })?;
    Ok(())
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
        let Genesis { genesis_time } = beacon.get("eth/v1/beacon/genesis", "", what).await?;
        beacon.genesis = beacon.seconds(what, &genesis_time)?;
        let what = "length of its slots";
        let spec: Result<Spec, _> = beacon.get("eth/v1/config/spec", "", what).await;
        match spec {
            Ok(Spec { seconds_per_slot }) => {
                if let Some(said) = seconds_per_slot {
                    beacon.slot_seconds = beacon.seconds(what, &said)?;
                }
            }
            // A node of a chain for tests does not say.
            Err(BeaconError::Refused {
                status: StatusCode::NOT_FOUND,
                ..
            }) => {}
            Err(error) => return Err(error),
        }
        if beacon.slot_seconds == 0 {
            return Err(beacon.wrong(what, "found 0 seconds".to_owned()));
        }
        Ok(beacon)
    }

    /// Returns the blob with this hash of the block with this time: what is returned has the hash.
    ///
    /// It is asked for alone, since nodes do not agree how more than one hash is written.
    ///
    /// # Errors
    /// If the node does not give it, or the block is from before its chain.
    pub async fn blob(&self, time: u64, hash: &B256) -> Result<Bytes, BeaconError> {
        let since = time.checked_sub(self.genesis);
        let slot = since.ok_or_else(|| BeaconError::Chain {
            node: self.name.clone(),
            found: time,
            genesis: self.genesis,
        })? / self.slot_seconds;
        let path = format!("eth/v1/beacon/blobs/{slot}");
        let query = format!("versioned_hashes={hash}");
        let what = "blob";
        let blobs: Vec<Bytes> = self.get(&path, &query, what).await?;
        let found = blobs.len();
        let mut blobs = blobs.into_iter();
        let blob = blobs.find(|blob| blob_hash(blob) == Some(*hash));
        blob.ok_or_else(|| {
            let why = format!("found {found} blobs of the slot {slot}, and not this one");
            self.wrong(what, why)
        })
    }

    /// What it has at a path.
    async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &str,
        what: &'static str,
    ) -> Result<T, BeaconError> {
        let mut url = self.url.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/{path}"));
        if !query.is_empty() {
            let own = url.query().map(|own| format!("{own}&")).unwrap_or_default();
            url.set_query(Some(&format!("{own}{query}")));
        }
        let failed = |error| self.unreachable(error);
        let mut response = self.client.get(url).send().await.map_err(failed)?;
        let status = response.status();
        if !status.is_success() {
            let node = self.name.clone();
            return Err(BeaconError::Refused { node, what, status });
        }
        let mut bytes = vec![];
        while let Some(part) = response.chunk().await.map_err(failed)? {
            if bytes.len() + part.len() > ANSWER_BYTES {
                let why = format!("found an answer of more than {ANSWER_BYTES} bytes");
                return Err(self.wrong(what, why));
            }
            bytes.extend_from_slice(&part);
        }
        let answer: Answer<T> = serde_json::from_slice(&bytes)
            .map_err(|error| self.wrong(what, short(format!("found something else: {error}"))))?;
        Ok(answer.data)
    }

    /// A number of seconds, which is text.
    fn seconds(&self, what: &'static str, text: &str) -> Result<u64, BeaconError> {
        let why = || format!("found {:?}, expected a number of seconds", excerpt(text));
        text.parse().map_err(|_| self.wrong(what, why()))
    }

    fn wrong(&self, what: &'static str, why: String) -> BeaconError {
        let node = self.name.clone();
        BeaconError::Answer { node, what, why }
    }

    fn unreachable(&self, error: reqwest::Error) -> BeaconError {
        // The message may hold the whole URL; what it says of the cause stands behind it.
        let error = error.without_url();
        let mut why = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            why = format!("{why}: {error}");
            cause = error.source();
        }
        let node = self.name.clone();
        BeaconError::Unreachable { node, why }
    }
}
