//! `status`: the fleet, or one batch with its proof tree.

use std::io::IsTerminal as _;

use anyhow::{Context, Result};
use serde::Serialize;
use shardfold_fleet::printable::printable;
use shardfold_fleet::queue::Queue;
use shardfold_fleet::queue::model::{
    BatchState, BatchView, FleetView, InstanceView, JobState, JobView, TreeView,
};

use super::{PAUSE, Span, is_transient, job_name, queue, runtime, short};
use crate::args::StatusArgs;
use crate::output::{Printer, gib, print, warn};

/// The latest batches that are shown.
const BATCHES: u32 = 20;
/// A worker process that was not heard of for so long is shown as silent.
const SILENT: i64 = 60_000;

/// Runs the command.
pub fn run(args: &StatusArgs) -> Result<()> {
    let runtime = runtime()?;
    let queue = queue(&runtime, &args.fleet)?;
    runtime.block_on(async {
        loop {
            match show(args, &queue).await {
                Ok(is_over) if is_over || !args.watch => break,
                Ok(_) => {}
                Err(error) if args.watch && is_transient(&error) => {
                    queue.renew();
                    warn(format_args!(
                        "waiting: {}",
                        printable(&format!("{error:#}"))
                    ));
                }
                Err(error) => return Err(error),
            }
            tokio::time::sleep(PAUSE).await;
        }
        queue.close().await;
        Ok(())
    })
}

/// Whether nothing will change any more.
async fn show(args: &StatusArgs, queue: &Queue) -> Result<bool> {
    let Some(prefix) = &args.batch else {
        let view = queue.fleet_view(BATCHES).await?;
        output(args, &view, || fleet(&view))?;
        return Ok(false);
    };
    let id = queue.batch_id(prefix).await?;
    let view = queue.tree_view(&id).await?;
    let view = view.with_context(|| format!("there is no batch {id}"))?;
    output(args, &view, || tree(&view))?;
    Ok(view.batch.state != BatchState::Open)
}

fn output(args: &StatusArgs, view: &impl Serialize, text: impl Fn() -> String) -> Result<()> {
    if args.json {
        return Printer::new(true).object(view);
    }
    let clear = args.watch && std::io::stdout().is_terminal();
    let start = if clear { "\x1b[H\x1b[2J" } else { "" };
    print(format!("{start}{}", text()).as_bytes())
}

fn fleet(view: &FleetView) -> String {
    let mut text = String::new();
    let mut line = |line: String| {
        text += &printable(line.trim_end());
        text.push('\n');
    };
    line(format!(
        "{} transactions proven within the last hour",
        view.proven_last_hour
    ));
    let wait = view.oldest_queued.map(|since| view.now - since);
    if let Some(wait) = wait {
        line(format!(
            "the oldest job that is ready waits for {}",
            Span(wait)
        ));
    }
    line(String::new());
    line("batch         state      done    tx      since".to_owned());
    for batch in &view.batches {
        line(batch_line(batch, view.now));
    }
    line(String::new());
    line("worker                    state    jobs done  failed  memory".to_owned());
    for instance in &view.instances {
        line(instance_line(instance, view.now));
    }
    for failure in view.failures.iter().take(5) {
        line(format!(
            "{} ago job {} on {}: {}",
            Span(view.now - failure.ended.unwrap_or(view.now)),
            short(&failure.job),
            failure.instance,
            failure.reason.as_deref().unwrap_or("?")
        ));
    }
    text
}

fn batch_line(batch: &BatchView, now: i64) -> String {
    let count = |state: JobState| batch.jobs.get(state as usize).copied().unwrap_or(0);
    let all: u64 = batch.jobs.iter().sum();
    let dead_lettered = match count(JobState::DeadLettered) {
        0 => String::new(),
        dead_lettered => format!("  {dead_lettered} dead-lettered"),
    };
    format!(
        "{}  {:<9}  {:>3}/{:<3} {:<7} {}{dead_lettered}  {}",
        short(&batch.id),
        batch.state.name(),
        count(JobState::Done),
        all,
        batch.transactions,
        Span(batch.finished.unwrap_or(now) - batch.submitted),
        batch.label
    )
}

fn instance_line(instance: &InstanceView, now: i64) -> String {
    let state = match (instance.left, now - instance.seen) {
        (Some(_), _) => "left",
        (None, silence) if silence > SILENT => "silent",
        _ => "there",
    };
    format!(
        "{:<25} {state:<8} {:>4} {:>4}  {:>6}  {:.1} GiB  {} {}",
        instance.id,
        instance.slots,
        instance.done,
        instance.failed,
        gib(instance.memory),
        instance.host,
        instance.profile
    )
}

fn tree(view: &TreeView) -> String {
    let batch = &view.batch;
    let mut lines = vec![format!(
        "{} ({}), profile {}: {} transactions in {} shards, {}",
        batch.id,
        batch.label,
        batch.profile,
        batch.transactions,
        batch.shards,
        batch.state.name()
    )];
    let took = batch.finished.unwrap_or(view.now) - batch.submitted;
    lines.push(match (batch.state, view.left) {
        (BatchState::Open, Some(left)) => {
            format!("since {}, about {} left", Span(took), Span(left))
        }
        (BatchState::Proven, _) => {
            let rate = batch.transactions as f64 * 1000.0 / took.max(1) as f64;
            format!("proven in {}, {rate:.1} transactions a second", Span(took))
        }
        _ => format!("since {}", Span(took)),
    });
    lines.extend(view.jobs.iter().map(|job| job_line(job, view.now)));
    let lines = lines.iter().map(|line| printable(line.trim_end()) + "\n");
    lines.collect()
}

fn job_line(job: &JobView, now: i64) -> String {
    let who = job.instance.as_deref().unwrap_or("-");
    let what = match job.state {
        JobState::Running => {
            let since = Span(now - job.started.unwrap_or(now));
            format!("{who} for {since}")
        }
        JobState::Done => match job.took {
            Some(took) => format!("{who} in {}", Span(took)),
            None => format!("{who}, found in the store"),
        },
        JobState::Queued if job.not_before.is_some_and(|time| time > now) => {
            format!("again in {}", Span(job.not_before.unwrap_or(now) - now))
        }
        _ => String::new(),
    };
    let failures = match job.failures {
        0 => String::new(),
        failures => format!("  {failures} failures"),
    };
    format!(
        "  {}  {:<22} {:<9} {what}{failures}",
        short(&job.id),
        job_name(job),
        job.state.name()
    )
}
