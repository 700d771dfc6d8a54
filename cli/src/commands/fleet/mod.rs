//! The fleet's commands.

mod explain;
mod fetch;
mod manage;
mod signals;
mod site;
mod status;
mod submit;
mod worker;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use percent_encoding::percent_decode_str;
use shardfold_fleet::fetch::FetchError;
use shardfold_fleet::objects::{Objects, ObjectsError};
use shardfold_fleet::queue::{Queue, QueueError};
use tokio::runtime::Runtime;

use crate::args::{FleetArgs, FleetCommand};
use crate::config::{Config, Place, redact};
use crate::output::folder_of;

/// Runs the command.
pub fn run(command: &FleetCommand) -> Result<()> {
    match command {
        FleetCommand::Submit(args) => submit::run(args),
        FleetCommand::Worker(args) => worker::run(args),
        FleetCommand::Status(args) => status::run(args),
        FleetCommand::Fetch(args) => fetch::run(args),
        FleetCommand::Retry(args) => manage::retry(args),
        FleetCommand::Cancel(args) => manage::cancel(args),
        FleetCommand::Delete(args) => manage::delete(args),
        FleetCommand::Explain(args) => explain::run(args),
        FleetCommand::WorkerKey(args) => manage::worker_key(args),
        FleetCommand::Register(args) => manage::register(args),
        FleetCommand::Revoke(args) => manage::revoke(args),
        FleetCommand::Dashboard(args) => site::dashboard(args),
    }
}

/// The pause before an unavailable database or store is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// The queue of these arguments, which must be there.
fn queue(runtime: &Runtime, args: &FleetArgs) -> Result<Queue> {
    let place = Config::load(args)?.place;
    runtime.block_on(open(&place))
}

/// The queue of a place, which must be there: a mistyped URL makes nothing.
async fn open(place: &Place) -> Result<Queue> {
    in_place(place, Queue::open(&place.database).await)
}

/// The queue of a place, made if it is not there: for `submit` and `register`, which begin a fleet.
async fn create(place: &Place) -> Result<Queue> {
    make_folder(&place.database)?;
    in_place(place, Queue::connect(&place.database).await)
}

/// Says which database cannot be used, unless the error says so.
fn in_place(place: &Place, queue: Result<Queue, QueueError>) -> Result<Queue> {
    match queue {
        Err(error @ (QueueError::NoQueue { .. } | QueueError::Malformed { .. })) => {
            Err(error.into())
        }
        queue => {
            queue.with_context(|| format!("cannot use the database {}", redact(&place.database)))
        }
    }
}

/// The store of a place.
async fn objects(place: &Place) -> Result<Objects> {
    Objects::open(&place.store)
        .await
        .with_context(|| format!("cannot use the store {}", redact(&place.store)))
}

/// The store of a place, made if it is not there and must be new: a fleet that has had batches
/// has a store, which is unavailable or not mounted if it is not found.
async fn create_objects(place: &Place, queue: &Queue, is_new: bool) -> Result<Objects> {
    if !is_new && queue.has_had_batches().await? {
        return objects(place).await.context(
            "the database knows batches, so that no new store is made for it without --create-store",
        );
    }
    Objects::create(&place.store)
        .await
        .with_context(|| format!("cannot use the store {}", redact(&place.store)))
}

/// SQLite makes its file, not the folder that it is in.
fn make_folder(database: &str) -> Result<()> {
    let Some(path) = database_file(database) else {
        return Ok(());
    };
    let folder = folder_of(&path);
    shardfold_protocol::folder::create(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))
}

/// The file of a database that is one.
fn database_file(database: &str) -> Option<PathBuf> {
    let path = database.strip_prefix("sqlite://")?;
    let path = path.split('?').next().unwrap_or_default();
    Some(PathBuf::from(
        percent_decode_str(path).decode_utf8_lossy().as_ref(),
    ))
}

/// A runtime for a command that only asks and waits.
fn runtime() -> Result<Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start a runtime")
}

/// Whether the same may work later: the database or the store is unavailable.
fn is_transient(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref().is_some_and(QueueError::is_transient)
            || cause.downcast_ref().is_some_and(ObjectsError::is_transient)
            || cause.downcast_ref().is_some_and(FetchError::is_transient)
    })
}

/// The first digits of an id, enough for people.
fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// Milliseconds as people say them.
struct Span(i64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.max(0) as f64 / 1000.0;
        if seconds < 60.0 {
            write!(f, "{seconds:.1} s")
        } else if seconds < 3600.0 {
            write!(
                f,
                "{} min {:02.0} s",
                (seconds / 60.0).floor(),
                (seconds % 60.0).floor()
            )
        } else {
            let minutes = (seconds / 60.0).floor();
            write!(
                f,
                "{} h {:02} min",
                (minutes / 60.0).floor(),
                minutes % 60.0
            )
        }
    }
}

/// A job as people know it.
fn job_name(job: &shardfold_fleet::queue::model::JobView) -> String {
    shardfold_fleet::embedded::name(job.kind, job.first as usize, job.end as usize)
}
