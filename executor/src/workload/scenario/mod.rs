//! Scenarios: who has what and who does what when, written down in words and made into a genesis and
//! signed batches.
//!
//! A statement is played on the ledger as it is then, so a scenario is also a test: each statement
//! is accepted or refused as it says, or the scenario is in error. `docs/scenarios.md` is the guide.

mod airdrop;
mod error;
mod form;
mod genesis;
mod lending;
mod lines;
mod liquidity;
mod markets;
mod money;
mod numbers;
mod stage;
mod trade;
mod verbs;
mod world;

pub use error::{Fault, ScenarioError};
pub use numbers::decimal;

use std::io;
use std::ops::Range;

use shardfold_contracts::shown::Moved;
use shardfold_contracts::{Contracts, Reject};
use shardfold_protocol::batch::Batch;
use shardfold_protocol::record::Asset;
use shardfold_protocol::shape::Shape;
use shardfold_protocol::state::{State, StateFile};

use self::error::Wrong;
use self::form::{Setup, Text};
use self::stage::{Made, Stage, Statement, Stop};
use self::world::World;
use crate::sequential::{self, Ledger};
use crate::shards;

/// The most bytes of a scenario.
pub const MAX_BYTES: u64 = 1 << 24;

/// What a scenario does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Where all keys come from.
    pub seed: u64,
    /// The chain, below the field's order.
    pub chain_id: u64,
}

/// A scenario that is well formed.
#[derive(Debug)]
pub struct Scenario<'a> {
    text: &'a str,
    setup: Setup,
    lines: Vec<Line>,
}

/// One `[[do]]`.
#[derive(Debug)]
struct Line {
    /// Which statement it is, from 1; none for what is there before them.
    number: Option<usize>,
    /// Where it starts in the text.
    at: usize,
    time: u64,
    who: Option<Text>,
    valid_until: u64,
    fee: Option<Text>,
    expect: Option<Expected>,
    verb: &'static str,
    statement: Box<dyn Statement>,
}

/// How a statement should go.
#[derive(Clone, Debug)]
struct Expected {
    at: usize,
    /// The name of the reason if it should be refused.
    reason: Option<String>,
}

/// What a scenario makes.
#[derive(Debug)]
pub struct Built {
    /// Where the first batch starts.
    pub genesis: StateFile,
    /// One for each time.
    pub batches: Vec<Batch>,
    /// The state after all of them.
    pub after: State,
    /// What came of each statement.
    pub played: Vec<Played>,
    world: World,
}

/// What came of a statement.
#[derive(Clone, Debug)]
pub struct Played {
    /// The line of the file, from 1.
    pub line: usize,
    /// Which batch, from 0.
    pub batch: usize,
    /// Who acted, if the statement says.
    pub who: Option<String>,
    /// What was done.
    pub verb: &'static str,
    /// Which transactions of the batch it made.
    pub transactions: Range<usize>,
    /// What was moved, or why the last transaction was refused.
    pub result: Result<Vec<Moved>, Reject>,
}

impl<'a> Scenario<'a> {
    /// Reads a scenario.
    ///
    /// # Errors
    /// The first thing that is not as it should be.
    pub fn read(text: &'a str) -> Result<Self, ScenarioError> {
        let nowhere = |wrong: Wrong| wrong.in_text(text, None, 0);
        let (setup, forms) = form::read(text).map_err(nowhere)?;
        let mut lines: Vec<Line> = vec![];
        for (number, form) in (1..).zip(forms) {
            let (before, at) = (lines.last().map(|line| line.time), form.at);
            let line = lines::line(number, form, before);
            lines.push(line.map_err(|wrong| wrong.in_text(text, Some(number), at))?);
        }
        let Some(first) = lines.first() else {
            let end = Wrong::from(Fault::NothingToDo).at(text.len());
            return Err(nowhere(end));
        };
        let mut all = lines::openings(&setup, first.time);
        all.append(&mut lines);
        let lines = all;
        Ok(Self { text, setup, lines })
    }

    /// Returns how many batches it will make: one for each time.
    #[must_use]
    pub fn batches(&self) -> usize {
        self.groups().count()
    }

    fn groups(&self) -> impl Iterator<Item = &[Line]> {
        self.lines.chunk_by(|a, b| a.time == b.time)
    }

    /// Plays it: makes the genesis and a batch for each time, cut into shards of these shapes: where
    /// they end is part of the head at which the next batch starts.
    ///
    /// # Errors
    /// The first thing that makes no sense, or goes otherwise than expected.
    pub fn build(
        &self,
        contracts: &Contracts,
        options: Options,
        shapes: &[Shape],
    ) -> Result<Built, ScenarioError> {
        let nowhere = |wrong: Wrong| wrong.in_text(self.text, None, 0);
        let (world, genesis) = World::new(&self.setup, options).map_err(nowhere)?;
        let state = State::try_from(&genesis);
        let state = state.map_err(|error| nowhere(Fault::from(error).into()))?;
        let mut built = Built {
            genesis,
            batches: vec![],
            after: state,
            played: vec![],
            world,
        };
        for lines in self.groups() {
            self.batch(contracts, lines, shapes, &mut built)?;
        }
        Ok(built)
    }

    /// Plays the statements of one time.
    fn batch(
        &self,
        contracts: &Contracts,
        lines: &[Line],
        shapes: &[Shape],
        built: &mut Built,
    ) -> Result<(), ScenarioError> {
        let Some(first) = lines.first() else {
            return Ok(());
        };
        let wrong = |line: &Line, wrong: Wrong| wrong.in_text(self.text, line.number, line.at);
        let mut ledger = Ledger::new(contracts, &built.after, first.time);
        let mut made = Made::default();
        let number = built.batches.len();
        for line in lines {
            let start = made.transactions.len();
            let result = line.play(contracts, &mut built.world, &mut ledger, &mut made);
            built.played.push(Played {
                line: wrong(line, Fault::NothingToDo.into()).line,
                batch: number,
                who: line.who.as_ref().map(|who| who.text.clone()),
                verb: line.verb,
                transactions: start..made.transactions.len(),
                result: result.map_err(|fault| wrong(line, fault))?,
            });
        }
        let batch = Batch {
            chain_id: built.genesis.chain_id,
            before: *built.after.head(),
            time: first.time,
            transactions: made.transactions,
        };
        let outcome = sequential::run(contracts, &built.after, &batch, &made.prepared);
        let cannot = |text: String| wrong(first, Fault::Batch(text).into());
        let outcome = outcome.map_err(|error| cannot(error.to_string()))?;
        shards::apply(contracts, &mut built.after, &batch, &outcome, shapes)
            .map_err(|error| cannot(error.to_string()))?;
        built.batches.push(batch);
        Ok(())
    }
}

impl Line {
    /// Plays the statement, and compares what comes of it with what should.
    fn play(
        &self,
        contracts: &Contracts,
        world: &mut World,
        ledger: &mut Ledger<'_>,
        made: &mut Made,
    ) -> Result<Result<Vec<Moved>, Reject>, Wrong> {
        let who = self.who.as_ref().map(|name| world.who(name)).transpose()?;
        let mut stage = Stage {
            contracts,
            world,
            ledger,
            made,
            time: self.time,
            who,
            valid_until: self.valid_until,
            fee: self.fee.as_ref(),
            moved: vec![],
        };
        let found = match self.statement.play(&mut stage) {
            Ok(()) => Ok(()),
            Err(Stop::Refused(reject)) => Err(reject),
            Err(Stop::Wrong(wrong)) => return Err(wrong),
        };
        let moved = stage.moved;
        let expected = self
            .expect
            .as_ref()
            .and_then(|expect| expect.reason.as_deref());
        if found.err().map(|reject| reject.reason.name()) != expected {
            let fault = match expected {
                Some(reason) if !is_reason(contracts, reason) => Fault::NoReason {
                    found: reason.to_owned(),
                },
                Some(reason) => Fault::Expected {
                    found,
                    expected: format!("refused: {reason}"),
                },
                None => Fault::Expected {
                    found,
                    expected: "accepted".to_owned(),
                },
            };
            let at = self.expect.as_ref().map_or(self.at, |expect| expect.at);
            return Err(Wrong::from(fault).at(at));
        }
        Ok(found.map(|()| moved))
    }
}

/// Whether a step of some contract may be refused for it.
fn is_reason(contracts: &Contracts, name: &str) -> bool {
    let reasons = contracts.steps().iter().flat_map(|step| &step.reasons);
    reasons.into_iter().any(|reason| reason.name() == name)
}

impl Built {
    /// Writes what lies where as a CSV table: what it is, its name, the asset and its decimals, and
    /// the index.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_names(&self, out: impl io::Write) -> io::Result<()> {
        self.world.write_names(out)
    }

    /// Returns an amount of an asset as people write it.
    #[must_use]
    pub fn money(&self, asset: Asset, amount: u64) -> String {
        let token = self.world.token_of(asset);
        format!("{} {}", decimal(amount, token.decimals), token.name)
    }
}

impl Played {
    /// Returns what was moved, each name and asset once, without nothings.
    #[must_use]
    pub fn totals(&self) -> Vec<Moved> {
        let mut totals: Vec<Moved> = vec![];
        let moved = self.result.iter().flatten();
        for moved in moved.filter(|moved| moved.amount > 0) {
            let same = |total: &&mut Moved| (total.name, total.asset) == (moved.name, moved.asset);
            match totals.iter_mut().find(same) {
                Some(total) => total.amount = total.amount.saturating_add(moved.amount),
                None => totals.push(*moved),
            }
        }
        totals
    }
}

#[cfg(test)]
mod tests;
