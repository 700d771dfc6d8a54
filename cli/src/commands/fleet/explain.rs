//! `explain`: why a job waits or failed.

use anyhow::Result;
use shardfold_fleet::printable::printable;
use shardfold_fleet::queue::Explained;
use shardfold_fleet::queue::model::{InstanceView, JobState, Kind, Outcome};

use super::{Span, job_name, queue, runtime, short};
use crate::args::ExplainArgs;
use crate::output::{Printer, gib, print};

/// A worker process that was not heard of for so long does not count.
const SILENT: i64 = 60_000;

/// Runs the command.
pub fn run(args: &ExplainArgs) -> Result<()> {
    let runtime = runtime()?;
    let queue = queue(&runtime, &args.fleet)?;
    let explained = runtime.block_on(async {
        let explained = queue.explain(&args.job).await?;
        queue.close().await;
        anyhow::Ok(explained)
    })?;
    if args.json {
        return Printer::new(true).object(&explained);
    }
    print(text(&explained).as_bytes())
}

fn text(explained: &Explained) -> String {
    let Explained {
        now, job, batch, ..
    } = explained;
    let mut lines = vec![
        format!(
            "{} of the batch {} ({})",
            job_name(job),
            short(&batch.id),
            batch.label
        ),
        format!("job {}", job.id),
        format!("{}: {}", job.state.name(), why(explained)),
    ];
    if let Some(input) = &job.input {
        let what = match job.kind {
            Kind::Wrap => "differences",
            Kind::Shard | Kind::Aggregate | Kind::Finish => "witness",
        };
        lines.push(format!("input  {what} {input}"));
    }
    for child in &explained.children {
        let result = child.result.as_deref().unwrap_or("none yet");
        lines.push(format!(
            "input  {} ({}, job {}): {result}",
            job_name(child),
            child.state.name(),
            short(&child.id)
        ));
    }
    for attempt in &explained.attempts {
        let end = attempt.ended.unwrap_or(*now);
        let outcome = attempt.outcome.map_or("running", Outcome::name);
        let reason = attempt
            .reason
            .as_deref()
            .filter(|reason| !reason.is_empty());
        let reason = reason
            .map(|reason| format!(": {reason}"))
            .unwrap_or_default();
        lines.push(format!(
            "attempt {} by {}, {} ago, {outcome} after {}{reason}",
            attempt.attempt,
            attempt.instance,
            Span(now - attempt.started),
            Span(end - attempt.started)
        ));
    }
    let lines = lines.iter().map(|line| printable(line) + "\n");
    lines.collect()
}

/// Where the job stands, in words.
fn why(explained: &Explained) -> String {
    let Explained { now, job, .. } = explained;
    match job.state {
        JobState::Waiting => {
            let missing = explained
                .children
                .iter()
                .filter(|child| child.state != JobState::Done);
            let missing: Vec<_> = missing.map(job_name).collect();
            format!("its inputs are not done: {}", missing.join(", "))
        }
        JobState::Queued => match job.not_before {
            Some(time) if time > *now => {
                format!(
                    "tried again in {} after {} failures",
                    Span(time - now),
                    job.failures
                )
            }
            _ => who_could(explained),
        },
        JobState::Running => format!(
            "{} holds it, for {}; it is lost in {} without a sign of life, in {} in any case",
            job.instance.as_deref().unwrap_or("?"),
            Span(now - job.started.unwrap_or(*now)),
            Span(job.lease.unwrap_or(*now) - now),
            Span(job.deadline.unwrap_or(*now) - now)
        ),
        JobState::Done => format!(
            "the result is {}, signed for {}",
            job.result.as_deref().unwrap_or("?"),
            job.instance.as_deref().unwrap_or("?")
        ),
        JobState::DeadLettered => format!(
            "{} attempts failed or were lost; `shardfold retry {}` tries again",
            job.failures,
            short(&job.batch)
        ),
        JobState::Cancelled => "its batch was cancelled".to_owned(),
    }
}

/// Returns why no worker has taken a job that is ready.
fn who_could(explained: &Explained) -> String {
    let Explained {
        now,
        job,
        batch,
        instances,
        ..
    } = explained;
    let is_there =
        |instance: &&InstanceView| instance.left.is_none() && now - instance.seen < SILENT;
    let there: Vec<_> = instances.iter().filter(is_there).collect();
    let fitting: Vec<_> = there
        .iter()
        .filter(|instance| instance.circuits == batch.circuits)
        .filter(|instance| instance.kinds.contains(&job.kind))
        .collect();
    let most = fitting.iter().map(|instance| instance.memory).max();
    match most {
        None if there.is_empty() => "no worker is there".to_owned(),
        None => format!(
            "{} workers are there, none for {} jobs of {} with the circuits {}",
            there.len(),
            job.kind.name(),
            batch.profile,
            short(&batch.circuits)
        ),
        Some(most) if most < job.memory => format!(
            "it takes {:.1} GiB of memory, the largest worker offers {:.1} beside its circuits",
            gib(job.memory),
            gib(most)
        ),
        Some(_) => format!("the next free one of {} workers takes it", fitting.len()),
    }
}
