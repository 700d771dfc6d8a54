//! `exit-drill`: everything that leaving a ledger takes, by oneself: the state from what is published,
//! the key and the verifier from source, the calls.

use std::fs;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use shardfold_aggregator::SettlementKey;
use shardfold_protocol::files;
use shardfold_settlement::deployed::{Codes, Expected, Terms, check};
use shardfold_settlement::encoding::word;
use shardfold_settlement::leaving::{self, Call, calls};

use super::leave::{LOGS_BYTES, address, genesis, owner_key, replay, state_bytes};
use crate::args::{CacheArgs, ExitDrillArgs};
use crate::commands::key::settlement_from_circuits;
use crate::commands::profile;
use crate::output::{Places, Printer, gib, peak_memory_bytes, read_file};

/// More than the codes of five contracts.
const CODES_BYTES: u64 = 1 << 20;
/// More than a key, and more than a call.
const SMALL_BYTES: u64 = 1 << 14;

/// Runs the command.
pub fn run(args: &ExitDrillArgs) -> Result<()> {
    let profile = profile(args.profile, args.unsound)?;
    let (key, to) = (owner_key(&args.owner_key)?, address(&args.to)?);
    fs::create_dir_all(&args.output)
        .with_context(|| format!("cannot make the folder {}", args.output.display()))?;
    let inputs = [&args.logs, &args.genesis, &args.code].map(Clone::clone);
    let mut places = Places::new(inputs);
    let logs = read_file(&args.logs, LOGS_BYTES)?;
    let codes = read_codes(args)?;
    let outputs = [
        ("state.bin", state_bytes(&logs)),
        ("settlement.key", SMALL_BYTES),
    ];
    let [state_output, key_output] =
        outputs.map(|(name, bytes)| places.output(&args.output.join(name), bytes));
    let (state_output, key_output) = (state_output?, key_output?);
    let printer = places.printer(args.json)?;
    let mut drill = Drill {
        printer,
        steps: vec![],
    };

    let mut state = genesis(&args.genesis)?;
    let genesis_root = word(&state.head().state_root);
    drill.step("state", |printer| {
        let source = args.logs.display().to_string();
        let batches = replay(
            &mut state,
            &logs,
            Some(codes.rollup.address),
            args.blobs.as_deref(),
            &source,
        )?;
        state_output.write(&files::to_binary(&state.to_file())?)?;
        printer.line(format_args!(
            "{state_output}: the state after {batches} batches, made of what is published alone"
        ));
        Ok(())
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
    drill.step("contracts", |printer| {
        let data = settlement_key.verifier_data();
        let expected = Expected {
            data: &data.context("the key makes no verifier")?,
            chain_id: state.chain_id(),
            genesis_root,
            head: state.head(),
        };
        let terms = compare(args, &codes, &expected)?;
        printer.line(format_args!(
            "the code of all five contracts is what this build makes of its source and that key; \
             governor {}, an item from {} wei, base chain {}",
            terms.governor, terms.base_price, terms.base_chain
        ));
        Ok(())
    })?;
    let calls = drill.step("calls", |printer| {
        let calls = calls(&state, key, to)?;
        ensure!(
            !calls.is_empty(),
            "the state has nothing of this key that leaves to this address"
        );
        let mut written = vec![];
        for (number, call) in (1..).zip(calls) {
            let (function, of) = call.step.name();
            let file = format!("{number:03}-{function}-{of}.hex");
            let output = places.output(&args.output.join(&file), SMALL_BYTES)?;
            output.write(format!("{}\n", call.data).as_bytes())?;
            printer.line(format_args!("{output}: {}", says(&call.step)));
            written.push(Written { file, call });
        }
        Ok(written)
    })?;
    drill.finish(&settlement_key, calls)
}

fn read_codes(args: &ExitDrillArgs) -> Result<Codes> {
    let bytes = read_file(&args.code, CODES_BYTES)?;
    serde_json::from_slice(&bytes).with_context(|| {
        format!(
            "{} does not hold address and code of rollup, hashes, verifier, first and second, and \
             head_digest",
            args.code.display()
        )
    })
}

fn compare(args: &ExitDrillArgs, codes: &Codes, expected: &Expected<'_>) -> Result<Terms> {
    check(codes, expected).with_context(|| {
        format!(
            "{}: what is deployed is not what this build makes",
            args.code.display()
        )
    })
}

/// A call that leads out of a frozen contract, and its file.
#[derive(Serialize)]
struct Written {
    file: String,
    #[serde(flatten)]
    call: Call,
}

/// What a call does, in words.
fn says(step: &leaving::Step) -> String {
    match step {
        leaving::Step::Escape {
            index,
            asset,
            balance,
        } => format!("takes {balance} of asset {asset} out of vault {index}"),
        leaving::Step::Open { index } => format!("shows record {index}, once for everybody"),
        leaving::Step::Repay { index, asset, debt } => format!(
            "gives the collateral of position {index} back, for {debt} of asset {asset}, which its \
             sender pays"
        ),
        leaving::Step::RefundPayout {
            index,
            amount,
            asset,
        } => format!("gives {amount} of asset {asset} back, the rest of payout {index}"),
        leaving::Step::Redeem { asset } => format!("gives all shares {asset} back for their part"),
        leaving::Step::PayDue { asset } => format!("pays what is due of asset {asset}"),
    }
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

    fn finish(self, key: &SettlementKey, calls: Vec<Written>) -> Result<()> {
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
        })
    }
}
