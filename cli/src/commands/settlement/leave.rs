//! `rebuild` and `escape`: out of a ledger without anybody's help.

use std::path::Path;
use std::{fs, io};

use alloy_primitives::{Address, B256, Bytes};
use alloy_sol_types::SolCall as _;
use anyhow::{Context, Result};
use serde::Serialize;
use shardfold_protocol::files;
use shardfold_protocol::inclusion::Inclusion;
use shardfold_protocol::state::{State, StateFile};
use shardfold_settlement::data::BLOB_BYTES;
use shardfold_settlement::escape::escape_call;
use shardfold_settlement::published::{rebuild as rebuild_state, settled};
use shardfold_submitter::beacon::Beacon;
use shardfold_submitter::endpoints::Endpoints;
use shardfold_submitter::logs::{self, Log};

use super::call::keep_blob;
use crate::args::{EscapeArgs, RebuildArgs};
use crate::commands::hex as digest_hex;
use crate::commands::input::{cannot_use, read_content};
use crate::exit::usage;
use crate::output::{Places, Printer, read_file};
use crate::threads;

/// More than a node answers at once.
pub(super) const LOGS_BYTES: u64 = 4 << 30;
/// Bytes of a record in a state file, about.
const RECORD_BYTES: u64 = 72;

/// Runs `rebuild`.
pub fn rebuild(args: &RebuildArgs) -> Result<()> {
    let contract = args.contract.as_deref().map(address).transpose()?;
    let mut places = Places::new(args.logs.clone().into_iter().chain([args.genesis.clone()]));
    let (logs, source) = match (&args.logs, contract) {
        (None, Some(contract)) => (fetch(args, contract)?, contract.to_string()),
        (logs, _) => {
            let path = logs.clone().unwrap_or_default();
            (read_file(&path, LOGS_BYTES)?, path.display().to_string())
        }
    };
    let output = places.output(&args.output, state_bytes(&logs))?;
    let printer = places.printer(args.json)?;
    let mut state = genesis(&args.genesis)?;
    let batches = replay(&mut state, &logs, contract, args.blobs.as_deref(), &source)?;
    let head = state.head();
    let report = Rebuilt {
        batches,
        transactions: head.tx_count,
        state_root: digest_hex(&head.state_root),
    };
    output.write(&files::to_binary(&state.to_file())?)?;
    printer.line(format_args!(
        "{output}: the state after {} batches, {} transactions, state root {}",
        report.batches, report.transactions, report.state_root
    ));
    printer.object(&report)
}

/// What the file of the state after so many logs has at most, about.
pub(super) const fn state_bytes(logs: &[u8]) -> u64 {
    // A difference names a record in 16 bytes, which are 34 digits of JSON.
    logs.len() as u64 / 34 * RECORD_BYTES
}

/// The state that a ledger started from.
pub(super) fn genesis(path: &Path) -> Result<State> {
    let file: StateFile = read_content("genesis", path)?;
    State::try_from(&file).with_context(|| cannot_use(path))
}

/// Moves a state from the genesis to the last settled head; returns how many batches there are. Blobs
/// are files of a folder, named by their hashes.
pub(super) fn replay(
    state: &mut State,
    logs: &[u8],
    contract: Option<Address>,
    blobs: Option<&Path>,
    source: &str,
) -> Result<usize> {
    let batches =
        settled(logs, contract).with_context(|| format!("cannot use the logs of {source}"))?;
    let mut unreadable = None;
    let kept = |hash: &B256| {
        read_blob(blobs?, hash).unwrap_or_else(|error| {
            unreadable = Some(error);
            None
        })
    };
    let rebuilt = rebuild_state(state, &batches, kept);
    if let Some(error) = unreadable {
        return Err(error);
    }
    rebuilt.with_context(|| match blobs {
        Some(folder) => format!("cannot rebuild with the blobs in {}", folder.display()),
        None => "cannot rebuild without blobs, for which --blobs names a folder".to_owned(),
    })?;
    Ok(batches.len())
}

/// Reads the blob of a hash, if a folder has it.
pub(super) fn read_blob(folder: &Path, hash: &B256) -> Result<Option<Bytes>> {
    let path = folder.join(hash.to_string());
    match fs::symlink_metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        _ => Ok(Some(read_file(&path, BLOB_BYTES as u64)?.into())),
    }
}

/// Asks nodes for the events of all settled batches, and a beacon node for the blobs of which a folder
/// has none.
fn fetch(args: &RebuildArgs, contract: Address) -> Result<Vec<u8>> {
    let logs = threads::runtime()?.block_on(async {
        let endpoints = Endpoints::connect(&args.rpc).await?;
        let logs = logs::settled(&endpoints, contract).await?;
        if let (Some(url), Some(folder)) = (&args.beacon, &args.blobs) {
            let beacon = Beacon::connect(url).await?;
            archive(&endpoints, &logs, &beacon, folder).await?;
        }
        anyhow::Ok(logs)
    })?;
    Ok(serde_json::to_vec(&logs)?)
}

/// Keeps in a folder the blobs of settled batches that it has not yet and the beacon node has.
async fn archive(
    endpoints: &Endpoints,
    logs: &[Log],
    beacon: &Beacon,
    folder: &Path,
) -> Result<()> {
    for log in logs {
        let mut missing = vec![];
        for hash in logs::blobs(log) {
            if read_blob(folder, &hash)?.is_none() {
                missing.push(hash);
            }
        }
        if missing.is_empty() {
            continue;
        }
        let time = logs::time(endpoints, log).await?;
        for (hash, blob) in beacon.blobs(time, &missing).await? {
            keep_blob(folder, &hash, &blob)?;
            tracing::info!(%hash, time, "kept a blob");
        }
    }
    Ok(())
}

#[derive(Serialize)]
struct Rebuilt {
    batches: usize,
    transactions: u64,
    state_root: String,
}

/// Runs `escape`.
pub fn escape(args: &EscapeArgs) -> Result<()> {
    let printer = Printer::new(args.json);
    let to = address(&args.to)?;
    let key = owner_key(&args.owner_key)?;
    let inclusion: Inclusion = read_content("record proof", &args.record)?;
    let call = escape_call(&inclusion, key, to)
        .with_context(|| format!("cannot escape with {}", args.record.display()))?;
    let call = format!("0x{}", hex::encode(call.abi_encode()));
    if args.json {
        return printer.object(&Escape { call });
    }
    printer.answer(format_args!("{call}"))
}

#[derive(Serialize)]
struct Escape {
    call: String,
}

/// An address from the command line.
pub(super) fn address(text: &str) -> Result<Address> {
    let mut bytes = [0; 20];
    let digits = text.strip_prefix("0x").unwrap_or(text);
    hex::decode_to_slice(digits, &mut bytes).map_err(|error| {
        usage(format!(
            "found {text:?}: {error}; expected an address of 40 hexadecimal digits"
        ))
    })?;
    Ok(Address::from(bytes))
}

/// A public key from the command line.
pub(super) fn owner_key(text: &str) -> Result<[u64; 5]> {
    let mut bytes = [0; 40];
    let digits = text.strip_prefix("0x").unwrap_or(text);
    hex::decode_to_slice(digits, &mut bytes).map_err(|error| {
        usage(format!(
            "found {text:?}: {error}; expected a public key of 80 hexadecimal digits"
        ))
    })?;
    let (words, _) = bytes.as_chunks();
    Ok(core::array::from_fn(|i| {
        u64::from_be_bytes(words.get(i).copied().unwrap_or_default())
    }))
}
