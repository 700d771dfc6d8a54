//! `fetch`: the validity proof of a batch, checked.

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;
use shardfold_aggregator::{ValidityProof, verify};
use shardfold_circuits::profile::Profile;
use shardfold_fleet::objects::{Folder, MAX_PROOF_BYTES, Objects};
use shardfold_fleet::queue::Queue;
use shardfold_fleet::queue::view::{BatchState, BatchView, JobState};
use shardfold_fleet::submit;

use super::{PAUSE, connect, is_transient, objects, short};
use crate::args::FetchArgs;
use crate::commands::means::Means;
use crate::config::{Config, Place};
use crate::output::{Say, warn, write_file};

/// What is printed for machines.
#[derive(Serialize)]
struct Report {
    batch: String,
    proof: String,
    bytes: usize,
    profile: String,
    transactions: u64,
    seconds: Option<f64>,
}

/// Runs the command.
pub fn run(args: &FetchArgs) -> Result<()> {
    let say = Say::new(args.json);
    let place = Config::load(&args.fleet)?.place;
    let runtime = super::runtime()?;
    let (batch, proof) = runtime.block_on(fetch(args, &place))?;
    let found = runtime.block_on(async {
        let objects = objects(&place).await?;
        let statement = submit::manifest(&objects, &batch.id).await?.whole();
        statement.context("the batch's manifest has no shards")
    })?;
    let profile = Profile::named(&batch.profile)
        .with_context(|| format!("this build knows no profile {}", batch.profile))?;
    let means = Means::new(profile, &args.cache, say)?;
    let key = means.key()?;
    ensure!(
        hex::encode(key.id()) == batch.circuits,
        "the batch was proven for the circuits {}, this build has {}",
        batch.circuits,
        hex::encode(key.id())
    );
    let statement = verify(&key, &proof)
        .with_context(|| format!("the proof of {} does not verify", batch.id))?;
    ensure!(
        statement == found,
        "the proof of {} states something else",
        batch.id
    );
    let bytes = proof.to_bytes();
    write_file(&args.output, &bytes)?;
    say.line(format_args!(
        "{}: {} bytes, profile {}, {} transactions, checked",
        args.output.display(),
        bytes.len(),
        batch.profile,
        batch.transactions
    ));
    say.object(&Report {
        proof: args.output.display().to_string(),
        bytes: bytes.len(),
        transactions: batch.transactions,
        seconds: batch
            .finished
            .map(|end| (end - batch.submitted) as f64 / 1000.0),
        batch: batch.id,
        profile: batch.profile,
    })
}

async fn fetch(args: &FetchArgs, place: &Place) -> Result<(BatchView, ValidityProof)> {
    loop {
        match try_fetch(args, place).await {
            Ok(Some(fetched)) => return Ok(fetched),
            Err(error) if args.wait && is_transient(&error) => warn(format_args!("{error:#}")),
            Err(error) => return Err(error),
            Ok(None) => {}
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The proof; `None` while it is waited for.
async fn try_fetch(args: &FetchArgs, place: &Place) -> Result<Option<(BatchView, ValidityProof)>> {
    let queue = connect(place).await?;
    let id = queue.batch_id(&args.batch).await?;
    loop {
        let Some(batch) = proven(args, &queue, &id).await? else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let objects = objects(place).await?;
        match read(&objects, &batch).await {
            Ok(proof) => return Ok(Some((batch, proof))),
            Err(error) if is_transient(&error) => return Err(error),
            Err(error) => {
                queue.reopen_proof(&id).await?;
                let again = "it is made again from its parts";
                ensure!(args.wait, "{error:#}: {again}, fetch it once it is there");
                warn(format_args!("{error:#}: {again}"));
            }
        }
    }
}

/// The batch once it is proven.
async fn proven(args: &FetchArgs, queue: &Queue, id: &str) -> Result<Option<BatchView>> {
    let tree = queue.tree_view(id).await?;
    let batch = tree
        .with_context(|| format!("there is no batch {id}"))?
        .batch;
    let [.., parked, _] = batch.jobs;
    match batch.state {
        BatchState::Proven => Ok(Some(batch)),
        BatchState::Cancelled => bail!("the batch {} was cancelled", short(id)),
        BatchState::Open if !args.wait => {
            let done = batch.jobs.get(JobState::Done as usize).copied();
            let all: u64 = batch.jobs.iter().sum();
            let parked = if parked > 0 {
                format!(", {parked} parked")
            } else {
                String::new()
            };
            bail!(
                "the batch {} is not proven yet: {} of {all} jobs are done{parked}",
                short(id),
                done.unwrap_or(0)
            )
        }
        BatchState::Open => Ok(None),
    }
}

async fn read(objects: &Objects, batch: &BatchView) -> Result<ValidityProof> {
    let name = batch.proof.as_deref().unwrap_or_default();
    let name = name.parse().context("the proof's name in the database")?;
    let bytes = objects.get(Folder::Proof, name, MAX_PROOF_BYTES).await?;
    Ok(ValidityProof::from_bytes(&bytes)?)
}
