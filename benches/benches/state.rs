//! A state on disk that is larger than what memory keeps of it, and a batch that touches random
//! vaults of it.
//!
//! `SHARDFOLD_STATE_VAULTS=10000000 cargo bench -p shardfold-benches --bench state` (about 2 GB
//! in the folder for temporary files). Each step runs in a process of its own, so that its peak
//! memory is its own; before the first batch the system's page cache is dropped, if it may be.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use shardfold_benches::machine;
use shardfold_contracts::law::FeePayment;
use shardfold_contracts::set::standard;
use shardfold_executor::workload::{ASSET, BALANCE, Builder, CHAIN_ID, Keys, Random};
use shardfold_executor::{parallel, shards};
use shardfold_protocol::batch::Batch;
use shardfold_protocol::files;
use shardfold_protocol::record::Index;
use shardfold_protocol::state::{StateFile, VaultEntry};
use shardfold_recursion::profile::Profile;
use shardfold_store::{BatchDigest, Counts, FILE, Store, View};

/// Transactions of a batch.
const TRANSACTIONS: usize = 10_000;
/// Different owners of vaults.
const KEYS: usize = 256;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["import", folder, vaults] => import(Path::new(folder), vaults.parse()?),
        ["sign", folder, seed] => sign(Path::new(folder), seed.parse()?),
        ["apply", folder] => apply(Path::new(folder)),
        ["check", folder] => check(Path::new(folder)),
        _ => all(),
    }
}

fn all() -> Result<()> {
    let vaults = std::env::var("SHARDFOLD_STATE_VAULTS").unwrap_or_else(|_| "100000".into());
    let folder = tempfile::tempdir()?;
    let place = folder.path().to_str().context("a plain name")?;
    println!("{}, {} cores", machine::processor(), machine::cores());
    step(&["import", place, &vaults])?;
    for (seed, cache) in [("1", "page cache dropped"), ("2", "page cache warm")] {
        step(&["sign", place, seed])?;
        if seed == "1" && !drop_page_cache() {
            println!("(the page cache could not be dropped)");
        } else {
            println!("{cache}:");
        }
        step(&["apply", place])?;
    }
    step(&["check", place])
}

/// Runs one of the steps in a process of its own.
fn step(arguments: &[&str]) -> Result<()> {
    let status = Command::new(std::env::current_exe()?)
        .args(arguments)
        .status()?;
    ensure!(status.success(), "{arguments:?} ended with {status}");
    Ok(())
}

/// Writes out what is not on disk yet and deletes what is; only root may.
fn drop_page_cache() -> bool {
    let is_synced = Command::new("sync")
        .status()
        .is_ok_and(|status| status.success());
    is_synced && fs::write("/proc/sys/vm/drop_caches", "1").is_ok()
}

fn say(what: &str, start: Instant) {
    let seconds = start.elapsed().as_secs_f64();
    println!("  {what:<34} {seconds:>8.3} s");
}

fn say_memory() {
    if let Some(bytes) = machine::peak_memory_bytes() {
        println!("  {:<34} {:>8.2} GiB", "peak memory", gib(bytes));
    }
}

fn gib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 30)
}

fn import(folder: &Path, vaults: u32) -> Result<()> {
    let keys = Keys::new(1, KEYS);
    let owners: Vec<_> = (0..KEYS).map(|key| keys.owner(key)).collect();
    let entry = |index: Index| VaultEntry {
        index,
        owner: owners[index as usize % KEYS],
        asset: ASSET,
        balance: BALANCE,
        nonce: 0,
    };
    let file = StateFile {
        chain_id: CHAIN_ID,
        head: None,
        vaults: (0..vaults).map(entry).collect(),
        records: vec![],
    };
    println!("{vaults} vaults:");
    let start = Instant::now();
    drop(Store::create(&folder.join("ledger"), &file)?);
    say("import", start);
    say_memory();
    let bytes = fs::metadata(folder.join("ledger").join(FILE))?.len();
    println!("  {:<34} {:>8.2} GiB", "database", gib(bytes));
    Ok(())
}

/// Writes the next batch: transfers between random vaults, all of them with a fee.
fn sign(folder: &Path, seed: u64) -> Result<()> {
    let view = View::open(&folder.join("ledger"))?;
    let vaults = view.record_count()?;
    let mut random = Random::new(seed);
    let pairs: Vec<[Index; 2]> = (0..TRANSACTIONS)
        .map(|_| [random.below(vaults) as Index, random.below(vaults) as Index])
        .filter(|[from, to]| from != to)
        .collect();
    let state = view.part_of(pairs.iter().flatten().copied().chain([0]))?;
    let keys = Keys::new(1, KEYS);
    let mut builder = Builder::new(&keys, &state);
    for [from, to] in pairs {
        let fee = FeePayment {
            amount: 1,
            vault: 0,
        };
        builder.push(builder.transfer(from, to, 1, fee));
    }
    let batch = files::to_binary(&builder.sign())?;
    Ok(fs::write(folder.join("batch.bin"), batch)?)
}

fn apply(folder: &Path) -> Result<()> {
    let whole = Instant::now();
    let batch: Batch = files::read(&folder.join("batch.bin"))?;
    let digest = BatchDigest::of(&batch)?;
    let start = Instant::now();
    let mut store = Store::open(&folder.join("ledger"))?;
    say("open the database", start);

    let start = Instant::now();
    let mut state = store
        .view()?
        .part_of(standard().indices(&batch.transactions))?;
    say("read and check the part", start);

    let start = Instant::now();
    let outcome = parallel::execute(standard(), &state, &batch)?;
    let shapes = Profile::Proven100.shapes();
    shards::apply(standard(), &mut state, &batch, &outcome, shapes)?;
    say("execute, state root", start);
    if outcome.accepted.len() != batch.transactions.len() {
        bail!("not all transactions were accepted");
    }

    let start = Instant::now();
    let changed: Vec<Index> = outcome.changes.iter().map(|&(index, _)| index).collect();
    let counts = Counts {
        accepted: outcome.accepted.len() as u64,
        rejected: 0,
    };
    store.apply(digest, &batch.before, &state, &changed, counts)?;
    say("apply (on disk)", start);
    drop(store);
    say("all, from the batch file", whole);
    let records = changed.len();
    println!("  {records} records of {} transactions", counts.accepted);
    say_memory();
    Ok(())
}

fn check(folder: &Path) -> Result<()> {
    let start = Instant::now();
    Store::open(&folder.join("ledger"))?.check()?;
    say("full check", start);
    say_memory();
    Ok(())
}
