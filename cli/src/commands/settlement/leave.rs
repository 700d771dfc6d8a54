//! `rebuild` and `escape`: out of a ledger without anybody's help.

use std::path::Path;

use alloy_primitives::{Address, B256};
use alloy_sol_types::SolCall as _;
use anyhow::{Context, Result};
use serde::Serialize;
use shardfold_protocol::files;
use shardfold_protocol::inclusion::Inclusion;
use shardfold_protocol::state::{State, StateFile};
use shardfold_settlement::escape::escape_call;
use shardfold_settlement::published::{Published, rebuild as rebuild_state, settled};
use shardfold_submitter::endpoints::Endpoints;
use shardfold_submitter::logs::{self, Log};
use tokio::runtime::Runtime;

use super::archive::{Archived, fetch_missing, read_blob};
use crate::args::{EscapeArgs, RebuildArgs};
use crate::commands::hex as digest_hex;
use crate::commands::input::{cannot_use, read_content};
use crate::exit::usage;
use crate::output::{Places, Printer, read_file, warn};
use crate::threads;

/// More than a node answers at once.
pub(super) const LOGS_BYTES: u64 = 4 << 30;
/// Bytes of a record in a state file, about.
const RECORD_BYTES: u64 = 72;

/// Runs `rebuild`.
pub fn rebuild(args: &RebuildArgs) -> Result<()> {
    let contract = args.contract.as_deref().map(address).transpose()?;
    let mut places = Places::new(args.logs.clone().into_iter().chain([args.genesis.clone()]));
    let node = match (&args.logs, contract) {
        (None, Some(contract)) => Some(Node::ask(&args.rpc, contract)?),
        _ => None,
    };
    let (logs, source) = match (&node, contract) {
        (Some(node), Some(contract)) => (serde_json::to_vec(&node.logs)?, contract.to_string()),
        _ => {
            let path = args.logs.clone().unwrap_or_default();
            (read_file(&path, LOGS_BYTES)?, path.display().to_string())
        }
    };
    let output = places.output(&args.output, state_bytes(&logs))?;
    let printer = places.printer(args.json)?;
    let blobs_fetched = match (&node, &args.beacon, &args.blobs) {
        (Some(node), Some(beacon), Some(folder)) => node.archive(beacon, folder, printer)?,
        _ => 0,
    };
    let mut state = genesis(&args.genesis)?;
    let batches = replay(&mut state, &logs, contract, args.blobs.as_deref(), &source)?;
    let head = state.head();
    let report = Rebuilt {
        batches: batches.len(),
        transactions: head.tx_count,
        state_root: digest_hex(&head.state_root),
        blobs_fetched,
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

/// Moves a state from the genesis to the last settled head; returns the batches. Blobs are files of a
/// folder, named by their hashes.
pub(super) fn replay(
    state: &mut State,
    logs: &[u8],
    contract: Option<Address>,
    blobs: Option<&Path>,
    source: &str,
) -> Result<Vec<Published>> {
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
    Ok(batches)
}

/// What nodes have said of a contract.
struct Node {
    runtime: Runtime,
    endpoints: Endpoints,
    /// The events of all settled batches.
    logs: Vec<Log>,
}

impl Node {
    fn ask(rpc: &[String], contract: Address) -> Result<Self> {
        let runtime = threads::runtime()?;
        let (endpoints, logs) = runtime.block_on(async {
            let endpoints = Endpoints::connect(rpc).await?;
            let logs = logs::settled(&endpoints, contract).await?;
            anyhow::Ok((endpoints, logs))
        })?;
        Ok(Self {
            runtime,
            endpoints,
            logs,
        })
    }

    /// Keeps in a folder the blobs that it lacks and a beacon node gives; returns how many.
    fn archive(&self, beacon: &str, folder: &Path, printer: Printer) -> Result<usize> {
        let archive = fetch_missing(&self.endpoints, &self.logs, beacon, folder);
        let Archived { fetched, missing } = self.runtime.block_on(archive)?;
        let place = folder.display();
        printer.line(format_args!("{place}: {fetched} blobs more"));
        if missing > 0 {
            warn(format_args!(
                "warning: {missing} blobs are still not in {place}"
            ));
        }
        Ok(fetched)
    }
}

#[derive(Serialize)]
struct Rebuilt {
    batches: usize,
    transactions: u64,
    state_root: String,
    /// From the beacon node.
    blobs_fetched: usize,
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
