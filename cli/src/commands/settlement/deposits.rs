//! `deposits`: a batch of what waits in the contract's queue.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use shardfold_contracts::Body as _;
use shardfold_contracts::deposit::Deposit;
use shardfold_contracts::exit::Exit;
use shardfold_executor::outcome::{Receipt, check_start};
use shardfold_executor::parallel;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::files;
use shardfold_protocol::record::Index;
use shardfold_protocol::state::{State, StateFile};
use shardfold_store::View;
use shardfold_submitter::endpoints::Endpoints;
use shardfold_submitter::place::{Placed, place};
use shardfold_submitter::waiting::{self, Waiting};

use super::owner::address;
use crate::args::DepositsArgs;
use crate::commands::input::{cannot_use, read_content};
use crate::contracts;
use crate::exit::{cannot, usage};
use crate::output::{Places, Printer, warn};
use crate::threads;

/// Bytes of an item's transaction in a batch, about.
const ITEM_BYTES: u64 = 128;

/// Runs the command.
pub fn deposits(args: &DepositsArgs) -> Result<()> {
    let contract = address(&args.chain.contract)?;
    let inputs = args.into.iter().chain([&args.state]).cloned();
    let mut places = Places::new(inputs);
    let output = places.output(&args.output, ITEM_BYTES)?;
    let printer = places.printer(args.json)?;
    let state = state(&args.state)?;
    let into: Option<Batch> = args
        .into
        .as_deref()
        .map(|path| read_content("batch", path))
        .transpose()?;
    if let Some(batch) = &into {
        check_start(state.chain_id(), state.head(), batch)?;
        refuse_items(batch)?;
    }
    let waiting = threads::runtime()?.block_on(async {
        let endpoints = Endpoints::connect(&args.chain.rpc).await?;
        let (ledger, head) = (state.chain_id(), state.head());
        let (depth, most) = (args.depth, args.max_items);
        let waiting = waiting::read(&endpoints, contract, ledger, head, depth, most).await?;
        anyhow::Ok(waiting)
    })?;
    if waiting.items.is_empty() && into.is_none() {
        return Err(cannot(format!(
            "nothing waits in the queue that is {} blocks deep: {} items in all",
            args.depth, waiting.in_all
        )));
    }
    let batch = batch(&state, &waiting, into, &args.fee_vault)?;
    let bytes = match args
        .output
        .extension()
        .is_some_and(|extension| extension == "json")
    {
        true => files::to_json(&batch)?,
        false => files::to_binary(&batch)?,
    };
    output.write(&bytes)?;
    let report = Report::new(&waiting, &batch);
    report.print(&format!("{output}"), printer);
    printer.object(&report)
}

/// Items are taken from the chain alone: those of a batch may have left it.
fn refuse_items(batch: &Batch) -> Result<()> {
    let of_queue = [Deposit::KIND, Exit::KIND];
    let mut transactions = batch.transactions.iter();
    match transactions.position(|transaction| of_queue.contains(&transaction.kind)) {
        Some(position) => Err(usage(format!(
            "transaction {position} of the batch of --into takes an item of the queue, expected only \
             what people signed"
        ))),
        None => Ok(()),
    }
}

/// The ledger, from a file or a database.
fn state(path: &Path) -> Result<State> {
    let file: StateFile = match path.is_dir() {
        true => View::open(path)
            .and_then(|view| view.to_file())
            .with_context(|| cannot_use(path))?,
        false => read_content("state", path)?,
    };
    State::try_from(&file).with_context(|| cannot_use(path))
}

/// The batch: the items first. All of them are accepted.
fn batch(
    state: &State,
    waiting: &Waiting,
    into: Option<Batch>,
    fee_vaults: &[Index],
) -> Result<Batch> {
    let (time, signed) = match into {
        Some(batch) => (batch.time, batch.transactions),
        None => (waiting.now.max(state.head().time), vec![]),
    };
    let others: BTreeSet<Index> = contracts().indices(&signed).into_iter().collect();
    let Placed {
        mut transactions,
        given_back,
    } = place(
        state,
        &waiting.items,
        waiting.base_chain,
        fee_vaults,
        &others,
    )?;
    if !given_back.is_empty() {
        warn(format_args!(
            "warning: there is no --fee-vault for the fees of the items {given_back:?}: they go to \
             the depositors"
        ));
    }
    let items = transactions.len();
    transactions.extend(signed);
    let batch = Batch {
        chain_id: state.chain_id(),
        before: *state.head(),
        time,
        transactions,
    };
    let outcome = parallel::execute(contracts(), state, &batch)?;
    for (position, receipt) in outcome.receipts.iter().enumerate() {
        if let Receipt::Rejected(reason) = receipt {
            ensure!(
                position >= items,
                "item {position} of the batch cannot be taken: {reason}"
            );
            warn(format_args!(
                "warning: transaction {} of the batch that follows the items will be left out: {reason}",
                position - items
            ));
        }
    }
    Ok(batch)
}

#[derive(Serialize)]
struct Report {
    items: usize,
    transactions: usize,
    /// Also those that are not deep enough, or lie after the end.
    waiting: u64,
    /// At which the items end; null if they end with the newest.
    checkpoint: Option<u64>,
    is_firm: bool,
    time: u64,
}

impl Report {
    fn new(waiting: &Waiting, batch: &Batch) -> Self {
        Self {
            items: waiting.items.len(),
            transactions: batch.transactions.len(),
            waiting: waiting.in_all,
            checkpoint: waiting.checkpoint,
            is_firm: waiting.is_firm,
            time: batch.time,
        }
    }

    fn print(&self, output: &str, printer: Printer) {
        let end = match self.checkpoint {
            Some(place) => format!("up to checkpoint {place}"),
            None => "up to the newest".to_owned(),
        };
        printer.line(format_args!(
            "{output}: {} of {} items that wait, {end}, and {} other transactions",
            self.items,
            self.waiting,
            self.transactions - self.items
        ));
        if !self.is_firm {
            warn(format_args!(
                "warning: if another item arrives in the next minutes, no checkpoint will be where \
                 this batch ends: ask the contract for one, or wait five minutes and make it anew"
            ));
        }
    }
}
