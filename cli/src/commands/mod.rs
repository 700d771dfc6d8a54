//! The commands, and what several of them do alike.

pub mod cost;
pub mod devnet;
pub mod execute;
pub mod fleet;
pub mod input;
pub mod inspect;
pub mod key;
pub mod params;
pub mod prove;
pub mod quote;
mod receipts;
mod record;
pub mod session;
pub mod settlement;
pub mod setup;
pub mod sharded;
pub mod state;
pub mod verify;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;
use shardfold_executor::outcome::{Outcome, Receipt};
use shardfold_protocol::hash::Digest;
use shardfold_protocol::head::Head;
use shardfold_protocol::shape::Shape;
use shardfold_protocol::text;
use shardfold_prover::cache;
use shardfold_recursion::profile::Profile;
use shardfold_store::{Applied, Counts};

use crate::args::{self, CacheArgs, CutArgs, ShapeChoice, UnsoundArgs};
use crate::exit;
use crate::exit::cannot;
use crate::output::{Printer, gib, peak_memory_bytes};

/// Seconds by the name of the stage.
pub type Stages = BTreeMap<&'static str, f64>;

/// What `execute` and `prove` print for machines.
#[derive(Serialize)]
pub struct Summary {
    /// Transactions that are part of the ledger now.
    pub transactions: u64,
    /// Transactions that were rejected.
    pub rejected: u64,
    /// Whether the batch was part of the database's ledger before, so that it was not executed.
    pub already_applied: bool,
    /// Seconds from the files to the result.
    pub seconds: f64,
    /// Accepted transactions for each of these seconds; 0 if the batch was not executed.
    pub tx_per_second: f64,
    /// Seconds by stage; stages of different shards may overlap.
    pub stages: Stages,
    /// The most memory held at once.
    pub peak_memory_bytes: Option<u64>,
    /// Root of the state after the batch.
    pub state_root: String,
    /// Transactions since genesis.
    pub tx_count: u64,
}

impl Summary {
    /// Returns the summary of a run that took so many seconds and ended at a head.
    pub fn new(counts: Counts, after: &Head, seconds: f64, stages: Stages) -> Self {
        let transactions = counts.accepted;
        Self {
            transactions,
            rejected: counts.rejected,
            already_applied: false,
            seconds,
            tx_per_second: transactions as f64 / seconds,
            stages,
            peak_memory_bytes: peak_memory_bytes(),
            state_root: hex(&after.state_root),
            tx_count: after.tx_count,
        }
    }

    /// Returns the summary of a batch that was applied by an earlier run.
    pub fn of_applied(applied: &Applied, seconds: f64, stages: Stages) -> Self {
        Self {
            already_applied: true,
            tx_per_second: 0.0,
            ..Self::new(applied.counts, &applied.after, seconds, stages)
        }
    }

    /// Prints the summary for people.
    pub fn print(&self, printer: Printer) {
        printer.line(format_args!(
            "{} transactions in {:.2} s: {:.0} a second; {} left out",
            self.transactions, self.seconds, self.tx_per_second, self.rejected
        ));
        for (stage, seconds) in &self.stages {
            printer.line(format_args!("  {stage:<14} {seconds:>8.3} s"));
        }
        if let Some(bytes) = self.peak_memory_bytes {
            printer.line(format_args!("peak memory {:.2} GiB", gib(bytes)));
        }
    }
}

/// Returns how many transactions of a batch became part of the ledger.
pub fn counts(outcome: &Outcome) -> Counts {
    let accepted = outcome.accepted.len() as u64;
    Counts {
        accepted,
        rejected: outcome.receipts.len() as u64 - accepted,
    }
}

/// Says why transactions were rejected, the first few one by one.
pub fn print_rejections(outcome: &Outcome, printer: Printer) {
    let shown = 10;
    let rejections = outcome.receipts.iter().enumerate();
    let mut count = 0;
    for (position, receipt) in rejections {
        if let Receipt::Rejected(reason) = receipt {
            count += 1;
            if count <= shown {
                printer.line(format_args!("transaction {position} left out: {reason}"));
            }
        }
    }
    if count > shown {
        printer.line(format_args!("... and {} more", count - shown));
    }
}

/// Returns a digest as people see it.
pub fn hex(digest: &Digest) -> String {
    text::digest::to_hex(digest)
}

impl From<args::Profile> for Profile {
    fn from(profile: args::Profile) -> Self {
        match profile {
            args::Profile::Proven100 => Self::Proven100,
            args::Profile::Conjectured100 => Self::Conjectured100,
            args::Profile::UnsoundTest => Self::UnsoundTest,
        }
    }
}

/// Returns the profile of the circuits for the one on the command line. Fails if it is
/// unsound and that is not allowed.
pub fn profile(profile: args::Profile, unsound: UnsoundArgs) -> Result<Profile> {
    let profile = profile.into();
    allow(profile, unsound)?;
    Ok(profile)
}

/// Fails if the profile is unsound and that is not allowed.
pub fn allow(profile: Profile, unsound: UnsoundArgs) -> Result<()> {
    if profile == Profile::UnsoundTest && !unsound.allow_unsound {
        return Err(exit::usage(
            "proofs of the profile `unsound-test` prove nothing; for a test, allow it with \
             --allow-unsound or SHARDFOLD_ALLOW_UNSOUND=1",
        ));
    }
    Ok(())
}

/// Returns the folder of built circuits.
pub fn cache_folder(args: &CacheArgs) -> Result<PathBuf> {
    args.cache
        .clone()
        .or_else(cache::default_root)
        .ok_or_else(|| {
            cannot("there is no home folder for the circuit cache: name one with --cache")
        })
}

/// Returns the shapes that shards may have. A smaller one than asked for still takes what is left
/// over at the end. Fails if the profile is unsound and that is not allowed.
pub fn shapes(args: &CutArgs) -> Result<Vec<Shape>> {
    let profile = profile(args.profile, args.unsound)?;
    let most = match args.shape {
        ShapeChoice::Small => 1,
        ShapeChoice::Medium => 2,
        ShapeChoice::Dense => 3,
        ShapeChoice::Large => 4,
        ShapeChoice::Auto | ShapeChoice::Huge => return Ok(profile.usual_shapes().to_vec()),
        ShapeChoice::Giant => return Ok(profile.shapes().to_vec()),
    };
    Ok(profile.shapes().iter().take(most).copied().collect())
}
