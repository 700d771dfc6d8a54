//! Several nodes of one chain. A node that fails is passed over; what they say where it matters must
//! agree.

use std::fmt;
use std::time::Duration;

use alloy::providers::{Provider as _, RootProvider};
use alloy::rpc::client::RpcClient;
use alloy::transports::http::reqwest::Client;
use alloy::transports::{TransportError, TransportResult};
use alloy_primitives::Bytes;
use alloy_sol_types::SolInterface as _;
use shardfold_settlement::interface::IRollup::IRollupErrors;
use shardfold_settlement::verifier::IVerifier::IVerifierErrors;
use thiserror::Error;
use url::Url;

/// How long a node may take for one answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Of a node's message so much is said.
const MESSAGE_CHARACTERS: usize = 300;

/// One node.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The URL without path and user, which may be secrets.
    name: String,
    provider: RootProvider,
}

/// Nodes of one chain, in the order in which they are asked; at least one.
#[derive(Clone, Debug)]
pub struct Endpoints {
    all: Vec<Endpoint>,
    chain_id: u64,
}

/// What one node has said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Which node.
    pub endpoint: String,
    /// What it has said.
    pub text: String,
}

/// What several have said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllSaid(pub Vec<Said>);

impl fmt::Display for AllSaid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, Said { endpoint, text }) in self.0.iter().enumerate() {
            let between = if number == 0 { "" } else { "; " };
            write!(f, "{between}{endpoint}: {text}")?;
        }
        Ok(())
    }
}

/// Why the nodes are of no use.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EndpointError {
    /// No node at all.
    #[error("found no endpoint, expected the URL of at least one node")]
    None,
    /// What is no URL of a node.
    #[error("found an endpoint that is no URL of http or https: {why}")]
    Url {
        /// What is wrong with it, without the text, of which a part may be a secret.
        why: String,
    },
    /// No node answers.
    #[error("no endpoint gives {what}: {said}")]
    Silent {
        /// What they were asked for.
        what: &'static str,
        /// What they have said.
        said: AllSaid,
    },
    /// Nodes of different chains.
    #[error("the endpoints are of different chains, expected one: {0}")]
    Chains(AllSaid),
    /// Nodes that see the contract at different heads.
    #[error("the endpoints see the contract at different heads, so nothing is sent: {0}")]
    Heads(AllSaid),
}

/// A URL of http or https, and what asks it with so much patience; or what is wrong with it, without
/// the text, of which a part may be a secret.
pub(crate) fn client(url: &str, patience: Duration) -> Result<(Url, Client), String> {
    let url = Url::parse(url).map_err(|error| error.to_string())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("it begins with {}:", url.scheme()));
    }
    let client = Client::builder().timeout(patience).build();
    Ok((url, client.map_err(|error| error.to_string())?))
}

impl Endpoint {
    fn new(url: &str) -> Result<Self, EndpointError> {
        let (url, client) = client(url, PATIENCE).map_err(|why| EndpointError::Url { why })?;
        let name = url.origin().ascii_serialization();
        let provider = RootProvider::new(RpcClient::new_http_with_client(client, url));
        Ok(Self { name, provider })
    }

    /// Returns the node itself.
    #[must_use]
    pub const fn provider(&self) -> &RootProvider {
        &self.provider
    }

    /// Returns something that the node has said.
    #[must_use]
    pub fn said(&self, text: String) -> Said {
        Said {
            endpoint: self.name.clone(),
            text,
        }
    }
}

impl Endpoints {
    /// Asks each node for its chain id. A node that does not answer now may do so later.
    ///
    /// # Errors
    /// No URL, none that answers, or nodes of different chains.
    pub async fn connect(urls: &[String]) -> Result<Self, EndpointError> {
        if urls.is_empty() {
            return Err(EndpointError::None);
        }
        let all: Vec<_> = urls
            .iter()
            .map(|url| Endpoint::new(url))
            .collect::<Result<_, _>>()?;
        let endpoints = Self { all, chain_id: 0 };
        let found = endpoints
            .each("its chain id", async |provider| {
                provider.get_chain_id().await
            })
            .await?;
        let chain_id = found[0].1;
        if found.iter().any(|(_, id)| *id != chain_id) {
            let said = found
                .iter()
                .map(|(endpoint, id)| endpoint.said(id.to_string()));
            return Err(EndpointError::Chains(AllSaid(said.collect())));
        }
        Ok(Self {
            chain_id,
            ..endpoints
        })
    }

    /// Returns the id of their chain.
    #[must_use]
    pub const fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// Asks one node after the other, until one answers. That a call reverts is an answer.
    ///
    /// # Errors
    /// If none does.
    pub async fn read<T>(
        &self,
        what: &'static str,
        ask: impl AsyncFn(&RootProvider) -> TransportResult<T>,
    ) -> Result<T, EndpointError> {
        let mut said = vec![];
        for endpoint in &self.all {
            match ask(&endpoint.provider).await {
                Ok(answer) => return Ok(answer),
                Err(error) => {
                    said.push(endpoint.said(describe(&error)));
                    if is_revert(&error) {
                        break;
                    }
                }
            }
        }
        let said = AllSaid(said);
        Err(EndpointError::Silent { what, said })
    }

    /// Asks all nodes; returns the answers of those that give one, at least one.
    ///
    /// # Errors
    /// If none does.
    pub async fn each<T>(
        &self,
        what: &'static str,
        ask: impl AsyncFn(&RootProvider) -> TransportResult<T>,
    ) -> Result<Vec<(&Endpoint, T)>, EndpointError> {
        let (mut answers, mut said) = (vec![], vec![]);
        for endpoint in &self.all {
            match ask(&endpoint.provider).await {
                Ok(answer) => answers.push((endpoint, answer)),
                Err(error) => said.push(endpoint.said(describe(&error))),
            }
        }
        if answers.is_empty() {
            let said = AllSaid(said);
            return Err(EndpointError::Silent { what, said });
        }
        Ok(answers)
    }
}

/// Says what a node has answered; of a refusal by one of our contracts, with its numbers.
#[must_use]
pub fn describe(error: &TransportError) -> String {
    let Some(response) = error.as_error_resp() else {
        // The message may hold the whole URL, or the whole answer.
        return match error {
            TransportError::Transport(error) => short(transport(&error.to_string())),
            other => short(other.to_string()),
        };
    };
    let reverted = response.as_revert_data().and_then(|data| refusal(&data));
    reverted.unwrap_or_else(|| short(response.message.to_string()))
}

/// The beginning of a message.
pub(crate) fn short(mut message: String) -> String {
    if let Some((end, _)) = message.char_indices().nth(MESSAGE_CHARACTERS) {
        message.truncate(end);
        message.push_str(" ...");
    }
    message
}

/// Whether a node has run a call, which has reverted.
fn is_revert(error: &TransportError) -> bool {
    let response = error.as_error_resp();
    response.is_some_and(|response| response.as_revert_data().is_some())
}

/// Leaves the URL of a message out.
fn transport(message: &str) -> String {
    let words = message.split(' ').filter(|word| !word.contains("://"));
    words.collect::<Vec<_>>().join(" ")
}

/// The error with which one of our contracts has reverted.
fn refusal(data: &Bytes) -> Option<String> {
    if let Ok(error) = IRollupErrors::abi_decode(data) {
        return Some(format!("the contract refuses: {error:?}"));
    }
    let error = IVerifierErrors::abi_decode(data).ok()?;
    Some(format!("the verifier refuses: {error:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_message_the_beginning_is_said() {
        assert_eq!(short("found ä".to_owned()), "found ä");
        let whole = "ä".repeat(MESSAGE_CHARACTERS);
        assert_eq!(short(whole.clone()), whole);
        assert_eq!(short(format!("{whole}ö")), format!("{whole} ..."));
    }
}
