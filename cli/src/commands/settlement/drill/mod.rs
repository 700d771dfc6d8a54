//! `exit-drill`: everything that leaving a ledger takes, by oneself: the state from what is published,
//! the key and the verifier from source, the calls.

mod calls;

use std::fs;
use std::time::Instant;

use alloy_primitives::{Address, U256};
use anyhow::{Context, Result, ensure};
use serde::Serialize;
use shardfold_aggregator::SettlementKey;
use shardfold_protocol::files;
use shardfold_protocol::state::State;
use shardfold_settlement::deployed::{Expected, Snapshot, Terms, check, check_verifier};
use shardfold_settlement::encoding::word;
use shardfold_settlement::events::Events;
use shardfold_settlement::leaving::{Exit, Gone, Known, Stuck, exit};
use shardfold_settlement::published::Published;

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

/// Runs the command. The calls come before the key, which takes minutes: they need none of it.
pub fn run(args: &ExitDrillArgs) -> Result<()> {
    let profile = profile(args.profile, args.unsound)?;
    let (key, to) = (owner_key(&args.owner_key)?, address(&args.to)?);
    let kept = Kept::new(&args.kept);
    let mut places = Places::new([kept.file(), args.kept.genesis.clone()]);
    fs::create_dir_all(&args.output)
        .with_context(|| format!("cannot make the folder {}", args.output.display()))?;
    calls::refuse_earlier(&args.output)?;
    let contract = kept.contract()?;
    let outputs = [
        ("state.bin", state_bytes(&contract.logs)),
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

    let leaver = Leaver {
        contract: &contract,
        kept: &kept,
        key,
        to,
    };
    let (state, batches, genesis_root) = drill.step("state", |printer| {
        let mut state = genesis(&args.kept.genesis)?;
        let genesis_root = word(&state.head().state_root);
        let batches = replay(&mut state, &contract, &kept)?;
        state_output.write(&files::to_binary(&state.to_file())?)?;
        printer.line(format_args!(
            "{state_output}: the state after {} batches, made of what is published alone, up to block {}",
            batches.len(),
            contract.block
        ));
        Ok((state, batches, genesis_root))
    })?;
    let terms = drill.step("contract", |printer| {
        leaver.check(&state, genesis_root, printer)
    })?;
    let found = drill.step("calls", |printer| {
        let events = leaver.events()?;
        let Exit { calls, stuck, gone } =
            leaver.exit(&state, &batches, &events, &terms, printer)?;
        let calls = calls::write(calls, &events, &args.output, printer)?;
        calls::say_stuck(&stuck, printer);
        Ok(Found {
            contract: contract.code.rollup.address,
            block: contract.block,
            calls,
            stuck,
            gone,
        })
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
    drill.step("verifier", |printer| {
        let data = settlement_key.verifier_data();
        let data = data.context("the key makes no verifier")?;
        check_verifier(&contract.code, &data)
            .context("the verifier is not what this build makes, but the calls are written")?;
        printer.line(format_args!(
            "the code of verifier and data is what this build makes of its source and that key"
        ));
        Ok(())
    })?;
    drill.finish(&settlement_key, found)
}

/// Who leaves, and what is known of the contract.
struct Leaver<'a> {
    contract: &'a Snapshot,
    kept: &'a Kept<'a>,
    key: [u64; 5],
    to: Address,
}

impl Leaver<'_> {
    /// Compares contract and head with what this build makes and what was published.
    fn check(&self, state: &State, genesis_root: U256, printer: Printer) -> Result<Terms> {
        let expected = Expected {
            chain_id: state.chain_id(),
            genesis_root,
            head: state.head(),
        };
        let code = &self.contract.code;
        let terms =
            check(code, &expected).context("what is deployed is not what this build makes")?;
        printer.line(format_args!(
            "the code of the contract at {}, and of what hashes for it, is what this build makes of its \
             source; governor {}, an item from {} wei, base chain {}",
            code.rollup.address, terms.governor, terms.base_price, terms.base_chain
        ));
        Ok(terms)
    }

    fn events(&self) -> Result<Events> {
        let Snapshot { code, logs, .. } = self.contract;
        Events::read(logs, code.rollup.address)
            .with_context(|| format!("cannot use the logs in {}", self.kept.file().display()))
    }

    fn exit(
        &self,
        state: &State,
        batches: &[Published],
        events: &Events,
        terms: &Terms,
        printer: Printer,
    ) -> Result<Exit> {
        let known = Known {
            state,
            batches,
            events,
            queue_commitment: self.contract.code.queue_commitment,
            base_chain: u32::try_from(terms.base_chain).context("no such base chain")?,
        };
        let exit = exit(&known, self.key, self.to)?;
        calls::say_gone(&exit.gone, printer);
        let is_anything = !(exit.calls.is_empty() && exit.stuck.is_empty());
        ensure!(
            is_anything || exit.gone.is_empty(),
            "all that the contract held of this key has left to this address, by its logs"
        );
        ensure!(
            is_anything,
            "the contract holds nothing of this key that leaves to this address"
        );
        Ok(exit)
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
    #[serde(flatten)]
    found: Found,
}

/// How somebody leaves.
#[derive(Serialize)]
struct Found {
    /// Where the calls are sent.
    contract: Address,
    /// The block up to which the contract is known.
    block: u64,
    calls: Vec<Written>,
    /// What stays.
    stuck: Vec<Stuck>,
    /// What has left, by the logs.
    gone: Vec<Gone>,
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

    fn finish(self, key: &SettlementKey, found: Found) -> Result<()> {
        let peak_memory_bytes = peak_memory_bytes();
        let seconds: f64 = self.steps.iter().map(|step| step.seconds).sum();
        let memory = peak_memory_bytes.map_or_else(
            || "an unknown amount of memory".to_owned(),
            |bytes| format!("{:.1} GiB", gib(bytes)),
        );
        self.printer.line(format_args!(
            "{} calls to {} lead out: claims at any time, the others once it is frozen; {seconds:.1} s, \
             at most {memory}",
            found.calls.len(),
            found.contract
        ));
        self.printer.object(&Report {
            key: hex::encode(key.id()),
            steps: self.steps,
            peak_memory_bytes,
            found,
        })
    }
}
