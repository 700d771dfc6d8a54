//! Where the time of a shard's STARK goes: seconds of each stage of the prover, from its spans;
//! grinding is left out.
//!
//! `cargo bench -p shardfold-benches --bench stark_stages [-- SHAPE [ROUNDS]]`

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::bail;
use shardfold_benches::workload;
use shardfold_contracts::set::standard;
use shardfold_protocol::shape::Shape;
use shardfold_prover::{ShardStark, shard_traces};
use shardfold_recursion::config::StarkParameters;
use shardfold_recursion::profile::Profile;
use tracing::Subscriber;
use tracing::span::{Attributes, Id};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Spans shorter than this are not shown.
const LEAST: Duration = Duration::from_millis(20);

/// Sums the seconds between the opening and the closing of spans, by name.
#[derive(Clone, Default)]
struct Stages(Arc<Mutex<BTreeMap<&'static str, Duration>>>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Stages {
    fn on_new_span(&self, _: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(Instant::now());
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else {
            return;
        };
        let Some(start) = span.extensions().get::<Instant>().copied() else {
            return;
        };
        let mut stages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *stages.entry(span.name()).or_default() += start.elapsed();
    }
}

impl Stages {
    /// Prints the sums and starts again from zero.
    fn print(&self) {
        let stages = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for (name, time) in stages {
            if time >= LEAST {
                println!("  {:7.3} {name}", time.as_secs_f64());
            }
        }
    }
}

/// How long a nonce takes is chance.
const fn without_grinding(parameters: StarkParameters) -> StarkParameters {
    StarkParameters {
        query_grinding: 0,
        fold_grinding: 0,
        batch_grinding: 0,
        point_grinding: 0,
        lookup_grinding: 0,
        ..parameters
    }
}

/// How long all threads of this process have run: what others take does not count.
fn busy_seconds() -> anyhow::Result<f64> {
    const TICKS_A_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let fields = after_name.split_whitespace().skip(11).take(2);
    let ticks: Vec<u32> = fields.map(str::parse).collect::<Result<_, _>>()?;
    Ok(f64::from(ticks.iter().sum::<u32>()) / TICKS_A_SECOND)
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let shape = match arguments.first().map(String::as_str) {
        Some("small") => Shape::SMALL,
        None | Some("medium") => Shape::MEDIUM,
        Some("large") => Shape::LARGE,
        Some(other) => bail!("found the shape {other}, expected small, medium or large"),
    };
    let rounds: usize = arguments.get(1).map_or(Ok(1), |rounds| rounds.parse())?;

    let stages = Stages::default();
    tracing_subscriber::registry().with(stages.clone()).init();
    let witness = workload::shard(shape)?;
    let parameters = without_grinding(Profile::Proven100.stark(&shape));
    let stark = ShardStark::new(standard(), shape, parameters)?;
    println!("{} transactions", witness.transactions.len());
    for _ in 0..rounds {
        let traces = shard_traces(standard(), &witness)?;
        stages
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        let (start, busy) = (Instant::now(), busy_seconds()?);
        let proof = stark.prove(traces)?;
        let (all, busy) = (start.elapsed().as_secs_f64(), busy_seconds()? - busy);
        println!("STARK {all:.3} s, {busy:.2} s of one core");
        stages.print();
        stark.verify(&proof, &witness.statement)?;
    }
    Ok(())
}
