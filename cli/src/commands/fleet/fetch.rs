//! `fetch`: the proofs of a batch, checked.

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use shardfold_aggregator::{SettlementProof, ValidityProof};
use shardfold_fleet::fetch::{self, FetchError};
use shardfold_fleet::printable::printable;
use shardfold_fleet::queue::Queue;
use shardfold_fleet::queue::model::{BatchState, BatchView, JobState};
use shardfold_protocol::head::Statement;
use shardfold_recursion::profile::Profile;

use super::{PAUSE, database_file, is_transient, objects, open, short};
use crate::args::FetchArgs;
use crate::commands::session::Session;
use crate::config::{Config, Place};
use crate::exit::cannot;
use crate::output::{Places, Printer, warn};

/// What is printed for machines.
#[derive(Serialize)]
struct Report {
    batch: String,
    proof: String,
    bytes: usize,
    /// The file of the settlement proof, if one was asked for.
    settlement: Option<String>,
    profile: String,
    transactions: u64,
    seconds: Option<f64>,
}

/// What is fetched of a batch.
struct Fetched {
    batch: BatchView,
    proof: ValidityProof,
    statement: Statement,
    /// If it was asked for.
    settlement: Option<SettlementProof>,
}

/// Runs the command.
pub fn run(args: &FetchArgs) -> Result<()> {
    let place = Config::load(&args.fleet)?.place;
    let mut places = Places::new(database_file(&place.database));
    let output = places.output(&args.output, 0)?;
    let settlement_output = args.settlement.as_ref();
    let settlement_output = settlement_output
        .map(|path| places.output(path, 0))
        .transpose()?;
    let printer = places.printer(args.json)?;
    let Fetched {
        batch,
        proof,
        statement,
        settlement,
    } = super::runtime()?.block_on(wait(args, &place, printer))?;
    let transactions = proven_transactions(&batch, &statement)?;
    let bytes = proof.to_bytes();
    output.write(&bytes)?;
    printer.line(format_args!(
        "{output}: {} bytes, profile {}, {} transactions, checked",
        bytes.len(),
        printable(&batch.profile),
        transactions
    ));
    if let (Some(output), Some(settlement)) = (&settlement_output, &settlement) {
        output.write(&settlement.to_bytes())?;
        printer.line(format_args!(
            "{output}: {} bytes for the chain, checked",
            settlement.calldata().len()
        ));
    }
    printer.object(&Report {
        proof: output.to_string(),
        bytes: bytes.len(),
        settlement: settlement_output.map(|output| output.to_string()),
        transactions,
        seconds: batch
            .finished
            .map(|end| (end - batch.submitted) as f64 / 1000.0),
        batch: batch.id,
        profile: batch.profile,
    })
}

/// The batch and its proofs, waited for if that is asked for.
async fn wait(args: &FetchArgs, place: &Place, printer: Printer) -> Result<Fetched> {
    let mut told = String::new();
    loop {
        let error = match try_fetch(args, place, printer).await {
            Ok(fetched) => return Ok(fetched),
            Err(error) if args.wait && is_transient(&error) => format!("{error:#}"),
            Err(error) => return Err(error),
        };
        if error != told {
            warn(format_args!("waiting: {}", printable(&error)));
            told = error;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The batch and its proofs, once it is proven if that is waited for.
async fn try_fetch(args: &FetchArgs, place: &Place, printer: Printer) -> Result<Fetched> {
    let queue = open(place).await?;
    let id = queue.batch_id(&args.batch).await?;
    let mut dead_lettered = 0;
    let batch = loop {
        match proven(args, &queue, &id, &mut dead_lettered).await? {
            Some(batch) => break batch,
            None => tokio::time::sleep(PAUSE).await,
        }
    };
    let profile = Profile::named(&batch.profile)
        .with_context(|| format!("this build knows no profile {}", batch.profile))?;
    if args.settlement.is_some() && queue.wrap_of(&id).await?.is_none() {
        return Err(FetchError::NotAsked.into());
    }
    let session = Session::new(profile, &args.cache, printer)?;
    let key = session.key()?;
    let objects = objects(place).await?;
    let (proof, statement) = fetch::fetch_verified(&queue, &objects, &key, &id).await?;
    let mut settlement = None;
    if args.settlement.is_some() {
        let settlement_key = session.settlement_key()?;
        let keys = (&key, &settlement_key);
        let (proof, _) = fetch::fetch_settlement(&queue, &objects, keys, &id).await?;
        settlement = Some(proof);
    }
    queue.close().await;
    Ok(Fetched {
        batch,
        proof,
        statement,
        settlement,
    })
}

/// Returns how many transactions the proof covers: as many as the queue says without proof.
fn proven_transactions(batch: &BatchView, statement: &Statement) -> Result<u64> {
    let (before, after) = (statement.before.tx_count, statement.after.tx_count);
    let proven = after
        .checked_sub(before)
        .with_context(|| format!("the proof leads from transaction {before} back to {after}"))?;
    ensure!(
        proven == batch.transactions,
        "the proof is of {proven} transactions, the queue says {} of the batch {}",
        batch.transactions,
        short(&batch.id)
    );
    Ok(proven)
}

/// The batch once it is proven.
async fn proven(
    args: &FetchArgs,
    queue: &Queue,
    id: &str,
    told: &mut u64,
) -> Result<Option<BatchView>> {
    let tree = queue.tree_view(id).await?;
    let batch = tree
        .with_context(|| format!("there is no batch {id}"))?
        .batch;
    let count = |state: JobState| batch.jobs.get(state as usize).copied().unwrap_or(0);
    let dead_lettered = count(JobState::DeadLettered);
    match batch.state {
        BatchState::Proven => Ok(Some(batch)),
        BatchState::Cancelled => Err(cannot(format!("the batch {} was cancelled", short(id)))),
        BatchState::Open if !args.wait => Err(cannot(format!(
            "the batch {} is not proven yet: {} of {} jobs are done, {dead_lettered} are dead-lettered",
            short(id),
            count(JobState::Done),
            batch.jobs.iter().sum::<u64>()
        ))),
        BatchState::Open => {
            if dead_lettered > *told {
                warn(format_args!(
                    "waiting: {dead_lettered} jobs are dead-lettered, see `shardfold status {}`",
                    short(id)
                ));
            }
            *told = dead_lettered;
            Ok(None)
        }
    }
}
