//! `worker`: prove what is in the queue.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::Result;
use shardfold_fleet::http::process::{BusySlot, ProcessMetrics};
use shardfold_fleet::keys::WorkerKey;
use shardfold_fleet::memory;
use shardfold_fleet::objects::Objects;
use shardfold_fleet::worker::{Event, Observer, Options, Work, Worker};

use super::signals::stopped;
use super::site::{Readiness, serve_metrics};
use super::{PAUSE, is_transient, objects, open};
use crate::args::WorkerArgs;
use crate::commands::profile;
use crate::commands::session::Session;
use crate::config::{Config, Place, WorkerSettings};
use crate::exit::cannot;
use crate::output::{Printer, gib};

/// The longest pause before the queue is asked again when there was nothing to do.
const POLL: Duration = Duration::from_millis(500);

/// Runs the command.
pub fn run(args: &WorkerArgs) -> Result<()> {
    let config = Config::load(&args.fleet)?;
    let place = config.place.clone();
    let settings = config.worker(args)?;
    let profile = profile(settings.profile, args.unsound)?;
    // Before the circuits are there, which take of it.
    let memory = settings.memory.or_else(memory::available);
    let memory = memory.unwrap_or(u64::MAX);
    let circuits = memory::of_circuits(profile, &settings.kinds);
    if memory <= circuits {
        return Err(cannot(format!(
            "found {:.1} GiB of memory, expected more than the {:.1} GiB of the circuits of its \
             --kinds",
            gib(memory),
            gib(circuits)
        )));
    }
    let key = WorkerKey::from_file(&settings.key)?;
    let session = Session::new(profile, &settings.cache, Printer::new(true))?;
    let process = ProcessMetrics::new(u32::try_from(settings.jobs.get()).unwrap_or(u32::MAX));
    let readiness = Readiness::default();
    session.wait(async {
        let stop = stopped()?;
        if let Some(address) = settings.metrics {
            serve_metrics(address, &place, process.clone(), readiness.clone()).await?;
        }
        let started = async {
            let (queue, objects) = (retrying(|| open(&place)).await?, store(&place).await?);
            let name = retrying(|| async { Ok(queue.worker_of(&key.public()).await?) }).await?;
            anyhow::Ok((queue, objects, name))
        };
        let mut asked = stop.clone();
        let (queue, objects, name) = tokio::select! {
            started = started => started?,
            _ = asked.wait_for(|stop| *stop) => return Ok(()),
        };
        let engine = tokio::task::block_in_place(|| session.engine().cloned())?;
        readiness.get_or_init(|| objects.clone());
        let instance = format!("{name}-{:08x}", rand::random::<u32>());
        let options = options(args, &settings, memory - circuits);
        let observer = observer(process);
        let worker = Worker::new(queue, objects, engine, key, instance, options, observer);
        Ok(worker.run(stop).await?)
    })
}

fn options(args: &WorkerArgs, settings: &WorkerSettings, memory: u64) -> Options {
    Options {
        kinds: settings.kinds.clone(),
        batch: None,
        jobs: settings.jobs.get(),
        memory,
        lease: Duration::from_secs(args.lease),
        poll: POLL,
        drain: settings.drain,
        store_retry: Duration::from_secs(args.store_retry),
        database_retry: None,
        until_idle: args.until_idle,
    }
}

/// Logs events and counts them.
fn observer(process: ProcessMetrics) -> Box<Observer> {
    let busy: Mutex<HashMap<Work, BusySlot>> = Mutex::default();
    Box::new(move |event| {
        log(event);
        let mut busy = busy.lock().unwrap_or_else(|error| error.into_inner());
        match event {
            Event::Started(work) => {
                busy.insert(work.clone(), process.start());
            }
            Event::Done { work, took, found } => {
                busy.remove(work);
                if !found {
                    process.done(work.kind, *took);
                }
            }
            Event::Failed { work, .. } | Event::GivenBack { work, .. } => {
                busy.remove(work);
            }
            Event::Stage { .. } | Event::Unusable { .. } | Event::Waiting { .. } => {}
        }
    })
}

async fn store(place: &Place) -> Result<Objects> {
    retrying(|| objects(place)).await
}

/// Retries until the database or the store is available, saying so once.
async fn retrying<T, F: Future<Output = Result<T>>>(ask: impl Fn() -> F) -> Result<T> {
    let mut is_told = false;
    loop {
        match ask().await {
            Err(error) if is_transient(&error) => {
                if !is_told {
                    let reason = format!("{error:#}");
                    tracing::warn!(reason, "waiting");
                    is_told = true;
                }
                tokio::time::sleep(PAUSE).await;
            }
            answer => return answer,
        }
    }
}

fn log(event: &Event) {
    match event {
        Event::Started(work) => {
            tracing::info!(
                batch = work.batch,
                job = work.job,
                kind = work.kind.name(),
                first = work.first,
                end = work.end,
                "started"
            );
        }
        Event::Stage { work, stage, took } => {
            let seconds = took.as_secs_f64();
            tracing::info!(
                batch = work.batch,
                job = work.job,
                stage = stage.name(),
                seconds,
                "stage done"
            );
        }
        Event::Done { work, took, found } => {
            let seconds = took.as_secs_f64();
            tracing::info!(
                batch = work.batch,
                job = work.job,
                kind = work.kind.name(),
                seconds,
                found,
                "done"
            );
        }
        Event::Unusable { work, reason } => {
            tracing::warn!(
                batch = work.batch,
                job = work.job,
                reason,
                "a result in the store is not used"
            );
        }
        Event::Failed { work, reason } => {
            tracing::error!(
                batch = work.batch,
                job = work.job,
                kind = work.kind.name(),
                reason,
                "failed"
            );
        }
        Event::GivenBack { work, reason } => {
            tracing::warn!(
                batch = work.batch,
                job = work.job,
                kind = work.kind.name(),
                reason,
                "given back"
            );
        }
        Event::Waiting { reason } => tracing::warn!(reason, "waiting"),
    }
}
