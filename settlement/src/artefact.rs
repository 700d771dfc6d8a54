//! Compiled contracts, as `evm/build.mjs` writes them.

use std::collections::BTreeMap;

use alloy_primitives::Bytes;
use serde::Deserialize;
use thiserror::Error;

/// The artefact of the contract that hashes as the ledger does.
pub const HASHES: &str = include_str!("../evm/artefacts/Hashes.json");
/// The artefact of the contract that settles a ledger.
pub const ROLLUP: &str = include_str!("../evm/artefacts/Rollup.json");

/// A contract as its compiler left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artefact {
    /// Its name.
    pub contract: String,
    /// The version of the compiler.
    pub compiler: String,
    /// SHA-256 of each source that it is made of, in hexadecimal.
    pub sources: BTreeMap<String, String>,
    /// Its interface, as the compiler describes it in JSON.
    pub abi: serde_json::Value,
    /// The code that creates it, without the arguments of its constructor.
    pub creation: Bytes,
    /// The code that it has then, with zeros where immutable values go.
    pub deployed: Bytes,
    /// Where that code has the value of each immutable variable, in 32 bytes each.
    pub immutables: BTreeMap<String, Vec<usize>>,
}

/// Text that is no artefact.
#[derive(Debug, Error)]
pub enum ArtefactError {
    /// Text of another form.
    #[error("found text that is no artefact of a contract: {0}")]
    Form(#[from] serde_json::Error),
    /// Code that is not hexadecimal.
    #[error("found {which} code of {contract} that is not hexadecimal: {source}")]
    Code {
        /// The contract's name.
        contract: String,
        /// Which code: that of creation or what is deployed.
        which: &'static str,
        /// What is wrong with it.
        source: hex::FromHexError,
    },
}

/// An artefact as it lies in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    contract: String,
    compiler: String,
    #[serde(rename = "settings")]
    _settings: serde_json::Value,
    sources: BTreeMap<String, String>,
    abi: serde_json::Value,
    creation: String,
    deployed: String,
    immutables: BTreeMap<String, Vec<usize>>,
}

impl Artefact {
    /// Reads an artefact.
    ///
    /// # Errors
    /// Text of another form, or code that is not hexadecimal.
    pub fn parse(text: &str) -> Result<Self, ArtefactError> {
        let form: Form = serde_json::from_str(text)?;
        let code = |which, text: &str| match hex::decode(text) {
            Ok(bytes) => Ok(Bytes::from(bytes)),
            Err(source) => {
                let contract = form.contract.clone();
                Err(ArtefactError::Code {
                    contract,
                    which,
                    source,
                })
            }
        };
        Ok(Self {
            creation: code("creation", &form.creation)?,
            deployed: code("deployed", &form.deployed)?,
            contract: form.contract,
            compiler: form.compiler,
            sources: form.sources,
            abi: form.abi,
            immutables: form.immutables,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_artefact_has_code_and_the_digests_of_its_sources() {
        let artefact = Artefact::parse(HASHES).expect("it is one");
        assert_eq!(artefact.contract, "Hashes");
        assert!(artefact.compiler.starts_with("0.8.37"));
        assert!(artefact.creation.len() > artefact.deployed.len());
        assert!(artefact.sources.contains_key("contracts/Poseidon2.sol"));
    }

    #[test]
    fn text_of_another_form_and_code_that_is_not_hexadecimal_are_refused() {
        let form = Artefact::parse("{}").expect_err("it has no members");
        assert!(matches!(form, ArtefactError::Form(_)));
        let text = HASHES.replace("\"deployed\": \"", "\"deployed\": \"xy");
        let code = Artefact::parse(&text).expect_err("xy is not hexadecimal");
        assert!(matches!(
            code,
            ArtefactError::Code {
                which: "deployed",
                ..
            }
        ));
    }
}
