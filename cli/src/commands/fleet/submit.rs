//! `submit`: execute a batch, store its witnesses, put its jobs into the queue.

use std::time::Instant;

use anyhow::Result;
use serde::Serialize;
use shardfold_fleet::submit::{Executed, MAX_FAILURES, shards, submit};
use shardfold_protocol::witness::ShardWitness;
use shardfold_settlement::data::DataMode;
use shardfold_store::Applied;

use super::{create, create_objects};
use crate::args::SubmitArgs;
use crate::commands::input::{self, Input};
use crate::commands::session::Session;
use crate::commands::settlement::{Changes, changes_output};
use crate::commands::sharded::{ShardedBatch, check_accepted};
use crate::commands::{Stages, Summary, counts, print_rejections, profile, shapes};
use crate::config::{Config, Place};
use crate::exit::cannot;
use crate::output::{Output, Places, Printer, print};

/// What is printed for machines.
#[derive(Serialize)]
struct Report<'a> {
    batch: &'a str,
    shards: usize,
    circuits: String,
    /// Where what the batch changes is to be published, if a settlement proof is made.
    data: Option<&'static str>,
    #[serde(flatten)]
    summary: Summary,
}

/// Runs the command.
pub fn run(args: &SubmitArgs) -> Result<()> {
    let start = Instant::now();
    // The id alone goes to standard output.
    let printer = Printer::new(true);
    let profile = profile(args.cut.profile, args.cut.unsound)?;
    let place = Config::load(&args.fleet)?.place;
    let mut places = Places::new(input::paths(&args.batch, args.run.state.as_deref()));
    let size = input::size(&args.batch);
    let output = changes_output(&mut places, args.changes.as_deref(), size)?;
    let output = output.as_ref();
    let session = Session::new(profile, &args.cache, printer)?;
    let mut stages = Stages::new();
    let id = match input::read(&args.batch, &args.run, &mut stages)? {
        Input::Ready(ready) => {
            let shapes = shapes(&args.cut)?;
            let cut = ShardedBatch::new(&args.batch, *ready, &shapes, &mut stages)?;
            return submit_cut(args, output, &session, &place, cut, stages, start);
        }
        Input::Applied(applied) => known(args, output, &session, &place, &applied)?,
    };
    print(format!("{id}\n").as_bytes())
}

fn submit_cut(
    args: &SubmitArgs,
    output: Option<&Output>,
    session: &Session,
    place: &Place,
    mut cut: ShardedBatch,
    mut stages: Stages,
    start: Instant,
) -> Result<()> {
    print_rejections(&cut.outcome, session.printer());
    let circuits = session.key()?.id();
    let before = Instant::now();
    let changes = changes(args, output, &cut.shards)?;
    let label = args.batch.file_name().unwrap_or_default();
    let executed = Executed {
        profile: session.profile(),
        circuits,
        source: &cut.digest.to_string(),
        label: &label.to_string_lossy(),
        shards: &cut.shards,
        data: changes.as_ref().and_then(Changes::data),
        max_failures: MAX_FAILURES,
    };
    let (id, _) = session.wait(async {
        let queue = create(place).await?;
        let objects = create_objects(place, &queue, args.create_store).await?;
        let submitted = submit(&queue, &objects, &executed).await?;
        queue.close().await;
        anyhow::Ok(submitted)
    })?;
    let id = id.to_string();
    stages.insert("submit", before.elapsed().as_secs_f64());
    cut.apply(&mut stages)?;
    if !args.run.json {
        return print(format!("{id}\n").as_bytes());
    }
    let seconds = start.elapsed().as_secs_f64();
    session.printer().object(&Report {
        batch: &id,
        shards: cut.shards.len(),
        circuits: hex::encode(circuits),
        data: changes
            .and_then(|changes| changes.mode())
            .map(DataMode::name),
        summary: Summary::new(counts(&cut.outcome), cut.after(), seconds, stages),
    })
}

/// What the batch changes, if it is asked for: on disk before a database moves on.
fn changes(
    args: &SubmitArgs,
    output: Option<&Output>,
    shards: &[ShardWitness],
) -> Result<Option<Changes>> {
    let Some(output) = output else {
        return Ok(None);
    };
    let changes = Changes::of(shards, args.settlement, args.data)?;
    changes.write(output)?;
    Ok(Some(changes))
}

/// Submits a batch again that the state database has already, from what the store has of it.
fn known(
    args: &SubmitArgs,
    output: Option<&Output>,
    session: &Session,
    place: &Place,
    applied: &Applied,
) -> Result<String> {
    check_accepted(&args.batch, applied.counts)?;
    let source = applied.batch.to_string();
    let label = args.batch.file_name().unwrap_or_default().to_string_lossy();
    let circuits = session.key()?.id();
    let mut lost = None;
    let id = session.wait(async {
        let queue = create(place).await?;
        let batches = queue.batches_of(&source, session.profile().name()).await?;
        if batches.is_empty() {
            return anyhow::Ok(None);
        }
        let objects = create_objects(place, &queue, args.create_store).await?;
        for (batch, _) in batches {
            let shards = match shards(&objects, &batch).await {
                Ok(shards) => shards,
                Err(error) if error.is_transient() => return Err(error.into()),
                Err(error) => {
                    lost = Some(error);
                    continue;
                }
            };
            // The same batch may have been submitted on another state, or cut otherwise.
            let heads = shards.first().zip(shards.last());
            let heads = heads.map(|(first, last)| (first.statement.before, last.statement.after));
            if heads != Some((applied.before, applied.after)) {
                continue;
            }
            let changes = changes(args, output, &shards)?;
            let executed = Executed {
                profile: session.profile(),
                circuits,
                source: &source,
                label: &label,
                shards: &shards,
                data: changes.as_ref().and_then(Changes::data),
                max_failures: MAX_FAILURES,
            };
            let (id, _) = submit(&queue, &objects, &executed).await?;
            return Ok(Some(id));
        }
        Ok(None)
    })?;
    if let Some(id) = id {
        return Ok(id.to_string());
    }
    let why = lost.map_or_else(
        || {
            format!(
                "was not submitted to this fleet for {}",
                session.profile().name()
            )
        },
        |error| format!("the store has not all of it any more ({error})"),
    );
    Err(cannot(format!(
        "{} is part of the state's ledger, but {why}: submit it from a snapshot of the state \
         before it, with --state FILE",
        args.batch.display()
    )))
}
