//! `rebuild` and `escape`: out of a ledger without anybody's help.

use std::path::Path;

use alloy_primitives::B256;
use alloy_sol_types::SolCall as _;
use anyhow::{Context, Result};
use serde::Serialize;
use shardfold_protocol::files;
use shardfold_protocol::inclusion::Inclusion;
use shardfold_protocol::state::{State, StateFile};
use shardfold_settlement::deployed::{Snapshot, check_head};
use shardfold_settlement::escape::escape_call;
use shardfold_settlement::events::Log;
use shardfold_settlement::published::{Published, rebuild as rebuild_state, settled};

use super::archive::{Kept, read_blob};
use super::owner::{address, owner_key};
use crate::args::{EscapeArgs, RebuildArgs};
use crate::commands::hex as digest_hex;
use crate::commands::input::{cannot_use, read_content};
use crate::output::{Places, Printer};

/// Bytes of a record in a state file, about.
const RECORD_BYTES: u64 = 72;

/// Runs `rebuild`.
pub fn rebuild(args: &RebuildArgs) -> Result<()> {
    let kept = Kept::new(&args.kept);
    let mut places = Places::new([kept.file(), args.kept.genesis.clone()]);
    let contract = kept.contract()?;
    let output = places.output(&args.output, state_bytes(&contract.logs))?;
    let printer = places.printer(args.json)?;
    let mut state = genesis(&args.kept.genesis)?;
    let batches = replay(&mut state, &contract, &kept)?;
    check_head(&contract.code, state.head())
        .with_context(|| format!("cannot use {}", kept.file().display()))?;
    let head = state.head();
    let report = Rebuilt {
        batches: batches.len(),
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

/// What the file of the state after so many logs has about, if it started empty.
pub(super) fn state_bytes(logs: &[Log]) -> u64 {
    // A difference names a record in 16 bytes.
    let data: usize = logs.iter().map(|log| log.data.len()).sum();
    data as u64 / 16 * RECORD_BYTES
}

/// The state that a ledger started from.
pub(super) fn genesis(path: &Path) -> Result<State> {
    let file: StateFile = read_content("genesis", path)?;
    State::try_from(&file).with_context(|| cannot_use(path))
}

/// Moves a state from the genesis to the last settled head; returns the batches.
pub(super) fn replay(
    state: &mut State,
    contract: &Snapshot,
    kept: &Kept<'_>,
) -> Result<Vec<Published>> {
    let batches = settled(&contract.logs, contract.code.rollup.address)
        .with_context(|| format!("cannot use the logs in {}", kept.file().display()))?;
    let mut unreadable = None;
    let blob = |hash: &B256| {
        read_blob(kept.blobs(), hash).unwrap_or_else(|error| {
            unreadable = Some(error);
            None
        })
    };
    let rebuilt = rebuild_state(state, &batches, blob);
    if let Some(error) = unreadable {
        return Err(error);
    }
    let place = kept.blobs().display();
    rebuilt.with_context(|| format!("cannot rebuild with the blobs in {place}"))?;
    Ok(batches)
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
