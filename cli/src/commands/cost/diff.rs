//! What a change of contracts or parameters costs: against an earlier `cost --json`.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::breakdown::Breakdown;
use super::predict::Prediction;
use super::{FORMAT, Report};
use crate::output::read_file;

/// The most bytes of an earlier object: some hundred thousand shards.
const MAX_BYTES: u64 = 1 << 26;

/// What is read of an earlier object: a build with other resources or stages has written it,
/// perhaps.
#[derive(Debug, Deserialize)]
pub struct Earlier {
    cost: u32,
    profile: String,
    transactions: u64,
    shards: Vec<IgnoredAny>,
    contracts: Vec<EarlierContract>,
    cells: u64,
    prediction: Option<EarlierPrediction>,
}

#[derive(Debug, Deserialize)]
struct EarlierContract {
    name: String,
    cells_each: f64,
}

#[derive(Debug, Deserialize)]
struct EarlierPrediction {
    seconds: f64,
    usd: f64,
}

/// What is different.
#[derive(Debug, PartialEq, Serialize)]
pub struct Diff {
    /// The file with the earlier object.
    pub against: String,
    /// The profile of the earlier one.
    pub profile: String,
    /// Transactions in the batch.
    pub transactions: Change,
    /// Cells of one transaction, by contract: those of this batch in order, then those that only the
    /// earlier one has.
    pub contracts: Vec<ContractChange>,
    /// Shards.
    pub shards: Change,
    /// All cells of all shards.
    pub cells: Change,
    /// Seconds, where they are known.
    pub seconds: Change,
    /// US dollars, where they are known.
    pub usd: Change,
}

/// What is different for a contract.
#[derive(Debug, PartialEq, Serialize)]
pub struct ContractChange {
    /// Its name.
    pub name: String,
    /// Cells of one transaction.
    #[serde(flatten)]
    pub cells_each: Change,
}

/// A figure before and after.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Change {
    /// In the earlier object.
    pub before: Option<f64>,
    /// Now.
    pub after: Option<f64>,
    /// The second by the first, if both are there.
    pub ratio: Option<f64>,
}

impl Change {
    fn new(before: Option<f64>, after: Option<f64>) -> Self {
        let base = before.filter(|&before| before > 0.0);
        let ratio = base.zip(after).map(|(before, after)| after / before);
        Self {
            before,
            after,
            ratio,
        }
    }

    fn counts(before: u64, after: u64) -> Self {
        Self::new(Some(before as f64), Some(after as f64))
    }
}

/// Reads what an earlier `cost --json` printed.
///
/// # Errors
/// A file that cannot be read, or holds something else.
pub fn read(path: &Path) -> Result<Earlier> {
    let bytes = read_file(path, MAX_BYTES)?;
    parse(&bytes).with_context(|| {
        format!(
            "{} is not what `shardfold cost --json` prints",
            path.display()
        )
    })
}

fn parse(bytes: &[u8]) -> Result<Earlier> {
    ensure!(
        bytes.len() as u64 <= MAX_BYTES,
        "found more than {MAX_BYTES} bytes, expected fewer"
    );
    let earlier: Earlier = serde_json::from_slice(bytes)?;
    let found = earlier.cost;
    ensure!(
        found == FORMAT,
        "found `cost` of form {found}, expected {FORMAT}: print it again with this build"
    );
    Ok(earlier)
}

impl Diff {
    /// Compares a report with an earlier one from this file.
    pub fn new(against: &Path, earlier: &Earlier, report: &Report<'_>) -> Self {
        let before = earlier.prediction.as_ref();
        let after = report.prediction.as_ref().map(|now: &Prediction| now.spent);
        Self {
            against: against.display().to_string(),
            profile: earlier.profile.clone(),
            transactions: Change::counts(earlier.transactions, report.transactions),
            contracts: contracts(&earlier.contracts, report.breakdown),
            shards: Change::counts(
                earlier.shards.len() as u64,
                report.breakdown.shards.len() as u64,
            ),
            cells: Change::counts(earlier.cells, report.breakdown.cells),
            seconds: Change::new(
                before.map(|before| before.seconds),
                after.map(|after| after.seconds),
            ),
            usd: Change::new(
                before.map(|before| before.usd),
                after.map(|after| after.usd),
            ),
        }
    }
}

fn contracts(before: &[EarlierContract], after: &Breakdown) -> Vec<ContractChange> {
    let own = after.contracts.iter().map(|now| {
        let earlier = before.iter().find(|earlier| earlier.name == now.name);
        let earlier = earlier.map(|earlier| earlier.cells_each);
        ContractChange {
            name: now.name.to_owned(),
            cells_each: Change::new(earlier, Some(now.cells_each)),
        }
    });
    let is_gone = |earlier: &&EarlierContract| {
        let mut now = after.contracts.iter();
        !now.any(|now| now.name == earlier.name)
    };
    let gone = before.iter().filter(is_gone).map(|earlier| ContractChange {
        name: earlier.name.clone(),
        cells_each: Change::new(Some(earlier.cells_each), None),
    });
    own.chain(gone).collect()
}

#[cfg(test)]
mod tests;
