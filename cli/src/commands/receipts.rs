//! Receipts as they stand in a file.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Serialize;
use shardfold_contracts::shown::{Change, RecordKind, Value};
use shardfold_executor::outcome::{Outcome, Receipt};
use shardfold_executor::receipts::{Given, given};
use shardfold_protocol::batch::Batch;
use shardfold_protocol::record::{Asset, Index};
use shardfold_protocol::state::State;
use shardfold_protocol::text::digest::to_hex;
use shardfold_protocol::text::integer::Integer;

use crate::contracts;

/// What became of a transaction.
#[derive(Serialize)]
struct ReceiptLine {
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<Integer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected: Option<String>,
    /// The name of the reason for which it was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// The contract.
    kind: String,
    #[serde(flatten)]
    given: Option<GivenLine>,
}

/// What an accepted transaction gave.
#[derive(Serialize)]
struct GivenLine {
    /// What it moved in all, by the names that its contract has.
    totals: BTreeMap<&'static str, Amount>,
    /// What each vault gained, or lost.
    vaults: Vec<GainLine>,
    /// What changed in other records.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    records: Vec<ChangeLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fee: Option<Fee>,
}

#[derive(Serialize)]
struct Amount {
    asset: Asset,
    amount: Integer,
}

#[derive(Serialize)]
struct GainLine {
    index: Index,
    asset: Asset,
    /// With its sign.
    change: String,
}

#[derive(Serialize)]
struct ChangeLine {
    index: Index,
    kind: Option<&'static str>,
    /// By name: how much a number grew, with its sign; what a digest is now.
    changes: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct Fee {
    vault: Index,
    amount: Integer,
}

/// Returns the receipts of a batch on a state, which is as it was before, as JSON.
pub fn to_json(state: &State, batch: &Batch, outcome: &Outcome) -> Result<Vec<u8>> {
    let given = given(contracts(), state, batch, outcome)
        .context("the receipts are not those of the batch")?;
    let all = outcome.receipts.iter().zip(&batch.transactions).zip(given);
    let lines = all.map(|((receipt, transaction), given)| {
        let (place, reject) = match receipt {
            Receipt::Accepted { place } => (Some(Integer(*place)), None),
            Receipt::Rejected(reject) => (None, Some(reject)),
        };
        ReceiptLine {
            place,
            rejected: reject.map(ToString::to_string),
            reason: reject.map(|reject| reject.reason.name()),
            kind: transaction.kind.name(),
            given: given.as_ref().map(GivenLine::new),
        }
    });
    Ok(serde_json::to_vec_pretty(&lines.collect::<Vec<_>>())?)
}

impl GivenLine {
    fn new(given: &Given) -> Self {
        let totals = given.totals.iter().map(|moved| {
            let (asset, amount) = (moved.asset, Integer(moved.amount));
            (moved.name, Amount { asset, amount })
        });
        let gains = given.gains().into_iter().map(|gain| GainLine {
            index: gain.index,
            asset: gain.asset,
            change: format!("{:+}", gain.change),
        });
        let records = given.changes.iter();
        let records = records.filter(|change| change.gain().is_none() && !change.is_nothing());
        Self {
            totals: totals.collect(),
            vaults: gains.collect(),
            records: records.map(ChangeLine::new).collect(),
            fee: given.fee.map(|fee| Fee {
                vault: fee.vault,
                amount: Integer(fee.amount),
            }),
        }
    }
}

impl ChangeLine {
    fn new(change: &Change) -> Self {
        let kind = RecordKind::of(&change.after);
        let values = |record| kind.map_or(vec![], |kind| kind.values(record));
        let pairs = values(&change.before)
            .into_iter()
            .zip(values(&change.after));
        let changes = pairs.filter_map(|((name, before), (_, after))| {
            let text = match (before, after) {
                _ if before == after => return None,
                (Value::Number(before), Value::Number(after)) => {
                    format!("{:+}", i128::from(after) - i128::from(before))
                }
                (_, Value::Digest(digest)) => to_hex(&digest),
                (_, after) => after.to_string(),
            };
            Some((name, text))
        });
        Self {
            index: change.index,
            kind: kind.map(|kind| kind.name),
            changes: changes.collect(),
        }
    }
}
