//! Records for people and machines.

use std::collections::BTreeMap;

use serde::Serialize;
use shardfold_contracts::shown::RecordKind;
use shardfold_protocol::record::{Index, Record, Vault};

use super::hex;

/// A record for people and machines.
#[derive(Serialize)]
pub struct RecordReport {
    index: Index,
    /// All of it.
    record: Record,
    /// What it means, if it is a vault.
    vault: Option<Vault>,
    /// What it is, if it is of a known kind.
    kind: Option<&'static str>,
    /// What it says, by name.
    values: BTreeMap<&'static str, String>,
    /// The same in the order of the record.
    #[serde(skip)]
    texts: Vec<(&'static str, String)>,
}

impl RecordReport {
    pub fn new(index: Index, record: Record) -> Self {
        let kind = RecordKind::of(&record);
        let texts = kind.map_or(vec![], |kind| kind.texts(&record));
        Self {
            index,
            record,
            vault: record.vault(),
            kind: kind.map(|kind| kind.name),
            values: texts.iter().cloned().collect(),
            texts,
        }
    }

    /// Returns the record in one line.
    pub fn line(&self) -> String {
        let index = self.index;
        let Some(kind) = self.kind else {
            return match self.record.is_empty() {
                true => format!("{index}: empty"),
                false => format!("{index}: {:?}", self.record.0),
            };
        };
        if let Some(Vault {
            owner,
            asset,
            balance,
            nonce,
        }) = &self.vault
        {
            let owner = hex(owner);
            return format!(
                "{index}: asset {asset}, balance {balance}, nonce {nonce}, owner {owner}"
            );
        }
        let texts = self.texts.iter();
        let texts = texts.map(|(name, text)| format!("{} {text}", name.replace('_', " ")));
        format!("{index}: {kind}, {}", texts.collect::<Vec<_>>().join(", "))
    }
}
