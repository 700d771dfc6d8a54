//! `exit-drill`: everything that leaving a ledger takes, by oneself: the state from what is published,
//! the key and the verifier from source, the calls.

mod calls;

use std::fs;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use shardfold_aggregator::SettlementKey;
use shardfold_protocol::files;
use shardfold_settlement::deployed::{Codes, Expected, Terms, check};
use shardfold_settlement::encoding::word;
use shardfold_settlement::events::Events;
use shardfold_settlement::leaving::{Exit, Known, Stuck, exit};

use self::calls::Written;
use super::archive::Kept;
use super::leave::{genesis, replay, state_bytes};
use super::owner::{address, owner_key};
use crate::args::{CacheArgs, ExitDrillArgs};
use crate::commands::key::settlement_from_circuits;
use crate::commands::profile;
use crate::output::{Places, Printer, gib, peak_memory_bytes};

/// More than a key.
const KEY_BYTES: u64 = 1 << 14;

/// Runs the command.
pub fn run(args: &ExitDrillArgs) -> Result<()> {
    let profile = profile(args.profile, args.unsound)?;
    let (key, to) = (owner_key(&args.owner_key)?, address(&args.to)?);
    fs::create_dir_all(&args.output)
        .with_context(|| format!("cannot make the folder {}", args.output.display()))?;
    calls::refuse_earlier(&args.output)?;
    let kept = Kept::new(&args.kept);
    let inputs = kept.files().into_iter();
    let mut places = Places::new(inputs.chain([args.kept.genesis.clone()]));
    let (logs, codes) = (kept.logs()?, kept.codes()?);
    let outputs = [
        ("state.bin", state_bytes(&logs)),
        ("settlement.key", KEY_BYTES),
    ];
    let [state_output, key_output] =
        outputs.map(|(name, bytes)| places.output(&args.output.join(name), bytes));
    let (state_output, key_output) = (state_output?, key_output?);
    let printer = places.printer(args.json)?;
    let mut drill = Drill {
        printer,
        steps: vec![],
    };

    let mut state = genesis(&args.kept.genesis)?;
    let genesis_root = word(&state.head().state_root);
    let batches = drill.step("state", |printer| {
        let batches = replay(&mut state, &logs, Some(codes.rollup.address), &kept)?;
        state_output.write(&files::to_binary(&state.to_file())?)?;
        printer.line(format_args!(
            "{state_output}: the state after {} batches, made of what is published alone",
            batches.len()
        ));
        Ok(batches)
    })?;
    let settlement_key = drill.step("key", |printer| {
        let cache = CacheArgs {
            cache: Some(args.output.join("circuits")),
        };
        let key = settlement_from_circuits(profile, &cache, printer)?;
        key_output.write(&key.to_bytes())?;
        let id = hex::encode(key.id());
        printer.line(format_args!(
            "{key_output}: the settlement key, made from source: {id}"
        ));
        Ok(key)
    })?;
    let terms = drill.step("contracts", |printer| {
        let data = settlement_key.verifier_data();
        let expected = Expected {
            data: &data.context("the key makes no verifier")?,
            chain_id: state.chain_id(),
            genesis_root,
            head: state.head(),
        };
        let terms = compare(&codes, &expected)?;
        printer.line(format_args!(
            "the code of all five contracts is what this build makes of its source and that key; \
             governor {}, an item from {} wei, base chain {}",
            terms.governor, terms.base_price, terms.base_chain
        ));
        Ok(terms)
    })?;
    let mut stuck = vec![];
    let calls = drill.step("calls", |printer| {
        let events = Events::read(&logs, codes.rollup.address)
            .with_context(|| format!("cannot use the logs {}", kept.logs_path().display()))?;
        let known = Known {
            state: &state,
            batches: &batches,
            events: &events,
            queue_commitment: codes.queue_commitment,
            base_chain: u32::try_from(terms.base_chain).context("no such base chain")?,
        };
        let exit = exit(&known, key, to)?;
        ensure!(
            exit != Exit::default(),
            "the contract holds nothing of this key that leaves to this address"
        );
        stuck.clone_from(&exit.stuck);
        calls::write(exit, &events, &mut places, &args.output, printer)
    })?;
    drill.finish(&settlement_key, calls, stuck)
}

fn compare(codes: &Codes, expected: &Expected<'_>) -> Result<Terms> {
    check(codes, expected).context("what is deployed is not what this build makes")
}

/// The steps so far.
struct Drill {
    printer: Printer,
    steps: Vec<Step>,
}

#[derive(Serialize)]
struct Step {
    step: &'static str,
    seconds: f64,
}

#[derive(Serialize)]
struct Report {
    key: String,
    steps: Vec<Step>,
    peak_memory_bytes: Option<u64>,
    calls: Vec<Written>,
    /// What stays.
    stuck: Vec<Stuck>,
}

impl Drill {
    fn step<T>(
        &mut self,
        step: &'static str,
        work: impl FnOnce(Printer) -> Result<T>,
    ) -> Result<T> {
        let start = Instant::now();
        let done = work(self.printer)?;
        let seconds = start.elapsed().as_secs_f64();
        self.printer.line(format_args!("  {step}: {seconds:.1} s"));
        self.steps.push(Step { step, seconds });
        Ok(done)
    }

    fn finish(self, key: &SettlementKey, calls: Vec<Written>, stuck: Vec<Stuck>) -> Result<()> {
        let peak_memory_bytes = peak_memory_bytes();
        let seconds: f64 = self.steps.iter().map(|step| step.seconds).sum();
        let memory = peak_memory_bytes.map_or_else(
            || "an unknown amount of memory".to_owned(),
            |bytes| format!("{:.1} GiB", gib(bytes)),
        );
        self.printer.line(format_args!(
            "{} calls lead out once the contract is frozen; {seconds:.1} s, at most {memory}",
            calls.len()
        ));
        self.printer.object(&Report {
            key: hex::encode(key.id()),
            steps: self.steps,
            peak_memory_bytes,
            calls,
            stuck,
        })
    }
}
