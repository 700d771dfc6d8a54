//! What is executed.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use shardfold_executor::workload::defi::{DefiPlan, Traffic};
use shardfold_executor::workload::trace::{Import, Options, Trace};
use shardfold_executor::workload::{CHAIN_ID, Pattern, Plan, Workload};

/// The name of the trace among the workloads.
const TRACE: &str = "mainnet";

/// How large a run is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Transactions of a batch.
    pub transactions: usize,
    /// Vaults at genesis, but for the trace.
    pub vaults: u32,
    /// Different keys, but for the trace.
    pub keys: usize,
}

impl Size {
    /// As the environment asks for.
    pub fn from_env() -> anyhow::Result<Self> {
        let (transactions, vaults) = match std::env::var_os("SHARDFOLD_BENCH_FULL") {
            None => (1 << 11, 1 << 13),
            Some(_) => (1 << 17, 1 << 20),
        };
        let keys = match std::env::var("SHARDFOLD_BENCH_KEYS") {
            Err(_) => vaults as usize,
            Ok(text) => text
                .parse()
                .ok()
                .filter(|&keys| keys > 0)
                .with_context(|| format!("SHARDFOLD_BENCH_KEYS is {text:?}, expected 1 or more"))?,
        };
        Ok(Self {
            transactions,
            vaults,
            keys,
        })
    }
}

/// The names of all workloads, or of those that the environment asks for.
pub fn names() -> anyhow::Result<Vec<String>> {
    let all: Vec<String> = Pattern::ALL
        .iter()
        .map(|pattern| pattern.name())
        .chain(Traffic::ALL.iter().map(|traffic| traffic.name()))
        .chain([TRACE])
        .map(str::to_owned)
        .collect();
    let Ok(text) = std::env::var("SHARDFOLD_BENCH_WORKLOADS") else {
        return Ok(all);
    };
    let chosen: Vec<String> = text.split(',').map(str::to_owned).collect();
    match chosen.iter().find(|name| !all.contains(name)) {
        Some(name) => bail!("SHARDFOLD_BENCH_WORKLOADS has {name:?}, expected one of {all:?}"),
        None => Ok(chosen),
    }
}

/// The workload of a name; `None` for the trace if its file is missing.
pub fn build(name: &str, size: Size) -> anyhow::Result<Option<Workload>> {
    if name == TRACE {
        return import(size.transactions);
    }
    if let Some(traffic) = Traffic::ALL.into_iter().find(|t| t.name() == name) {
        let plan = DefiPlan {
            seed: 1,
            traffic,
            people: size.vaults / 2,
            transactions: size.transactions,
            keys: size.keys,
        };
        return Ok(Some(plan.build()));
    }
    let pattern = Pattern::ALL.into_iter().find(|p| p.name() == name);
    let pattern = pattern.with_context(|| format!("{name:?} is no workload"))?;
    Ok(Some(plan(pattern, size).build()))
}

/// The plan of a pattern.
pub fn plan(pattern: Pattern, size: Size) -> Plan {
    Plan {
        seed: 1,
        pattern,
        vaults: size.vaults,
        transactions: size.transactions,
        keys: size.keys,
    }
}

fn import(transactions: usize) -> anyhow::Result<Option<Workload>> {
    let path = std::env::var_os("SHARDFOLD_TRACE").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/traces/mainnet.csv"),
        PathBuf::from,
    );
    if !path.exists() {
        return Ok(None);
    }
    let mut trace = Trace::read(&path).with_context(|| path.display().to_string())?;
    trace.resize(transactions);
    let options = Options {
        seed: 1,
        chain_id: CHAIN_ID,
        fee: 3,
        time: None,
    };
    Ok(Some(Import::new(&trace.movements, options)?.workload()?))
}
