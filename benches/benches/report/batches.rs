//! What is proven: folders with a `batch.bin` and the `genesis.bin` before it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use shardfold_executor::workload::defi::{DefiPlan, Traffic};
use shardfold_executor::workload::{Pattern, Plan, Workload};
use shardfold_protocol::files;

use crate::command::Command;
use crate::root;

/// A batch on disk.
pub struct Named {
    pub name: &'static str,
    /// One sentence about it.
    pub what: String,
    pub folder: PathBuf,
}

/// Vaults of the stream: so few that their paths hardly count.
const VAULTS: u32 = 2_000;
/// Three full shards of the huge shape.
const STREAM: usize = 3 << 15;
/// Transactions of the mix: as many as the trace has transfers.
const MIX: usize = 11_208;

/// Writes all batches, or those that the environment names.
pub fn all(command: &Command, folder: &Path) -> anyhow::Result<Vec<Named>> {
    let asked = std::env::var("SHARDFOLD_REPORT_BATCHES").ok();
    let is_asked = |name: &str| {
        let listed = |asked: &String| asked.split(',').any(|one| one.trim() == name);
        asked.as_ref().is_none_or(listed)
    };
    let makers: [(&'static str, Maker); 5] = [
        ("one transfer", one_transfer),
        ("block 12459406", block),
        ("mainnet", mainnet),
        ("stream", stream),
        ("mix", mix),
    ];
    let mut batches = Vec::new();
    for (number, (name, make)) in makers.into_iter().enumerate() {
        if !is_asked(name) {
            continue;
        }
        let place = folder.join(number.to_string());
        fs::create_dir_all(&place)?;
        let what = make(command, &place).with_context(|| format!("cannot make {name}"))?;
        if let Some(what) = what {
            let folder = place;
            batches.push(Named { name, what, folder });
        }
    }
    Ok(batches)
}

/// Writes a batch into a folder and says what it is, or finds that it cannot be had here.
type Maker = fn(&Command, &Path) -> anyhow::Result<Option<String>>;

fn one_transfer(_: &Command, folder: &Path) -> anyhow::Result<Option<String>> {
    save(&dense(1), folder)?;
    Ok(Some("a transfer alone".to_owned()))
}

fn block(_: &Command, folder: &Path) -> anyhow::Result<Option<String>> {
    let example = root().join("examples/block-12459406");
    for file in ["batch.bin", "genesis.bin"] {
        fs::copy(example.join(file), folder.join(file))?;
    }
    let what = "107 transfers and 26 swaps of a block of Ethereum's main chain";
    Ok(Some(what.to_owned()))
}

fn mainnet(command: &Command, folder: &Path) -> anyhow::Result<Option<String>> {
    let named = std::env::var_os("SHARDFOLD_REPORT_TRACE");
    let trace = named.map_or_else(
        || root().join("../shared/traces/mainnet.csv"),
        PathBuf::from,
    );
    if !trace.exists() {
        eprintln!("{} is missing: the trace is left out", trace.display());
        return Ok(None);
    }
    command.import(&trace, folder)?;
    let what = "the transfers and swaps of a trace of Ethereum's main chain, one shard";
    Ok(Some(what.to_owned()))
}

fn stream(_: &Command, folder: &Path) -> anyhow::Result<Option<String>> {
    let transactions = match std::env::var("SHARDFOLD_REPORT_STREAM") {
        Err(_) => STREAM,
        Ok(text) => text
            .parse()
            .with_context(|| format!("SHARDFOLD_REPORT_STREAM is {text:?}, expected a number"))?,
    };
    save(&dense(transactions), folder)?;
    Ok(Some(format!(
        "transfers among {VAULTS} vaults, full shards"
    )))
}

fn mix(_: &Command, folder: &Path) -> anyhow::Result<Option<String>> {
    let plan = DefiPlan {
        seed: 1,
        traffic: Traffic::Mix,
        people: 4_096,
        transactions: MIX,
        keys: 4_096,
    };
    save(&plan.build(), folder)?;
    let what = "of DeFi: 60 % transfers, 25 % swaps, 10 % lending, 5 % payouts of fifteen";
    Ok(Some(what.to_owned()))
}

/// So many transfers among a few vaults.
fn dense(transactions: usize) -> Workload {
    let plan = Plan {
        seed: 1,
        pattern: Pattern::Independent,
        vaults: VAULTS,
        transactions,
        keys: VAULTS as usize,
    };
    plan.build()
}

fn save(workload: &Workload, folder: &Path) -> anyhow::Result<()> {
    let state = files::to_binary(&workload.state.to_file())?;
    fs::write(folder.join("genesis.bin"), state)?;
    fs::write(folder.join("batch.bin"), files::to_binary(&workload.batch)?)?;
    Ok(())
}
