//! What can be wrong with a scenario, and in which line.

use shardfold_contracts::Reject;
use shardfold_protocol::head::TimeError;
use shardfold_protocol::state::StateError;
use thiserror::Error;

/// Something that is wrong with a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}{}: {fault}", named(*statement))]
pub struct ScenarioError {
    /// The line of the file, from 1.
    pub line: usize,
    /// Which `[[do]]` it is, from 1, if it is one.
    pub statement: Option<usize>,
    /// What is wrong.
    pub fault: Fault,
}

fn named(statement: Option<usize>) -> String {
    statement.map_or(String::new(), |number| format!(", statement {number}"))
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// Text that is no TOML, or not what belongs there.
    #[error("{0}")]
    Form(String),
    /// Text that is no number.
    #[error("found `{found}`, expected a decimal number such as \"1.5\"")]
    Number {
        /// The text found.
        found: String,
    },
    /// A number that is not a whole number of units.
    #[error(
        "found `{found}`, which has {digits} decimals, expected at most {decimals} for {asset}"
    )]
    Decimals {
        /// The text found.
        found: String,
        /// How many decimals it has.
        digits: usize,
        /// The asset.
        asset: String,
        /// How many decimals the asset has.
        decimals: u32,
    },
    /// A number of too many units.
    #[error(
        "found `{found}` of {asset}, which has {decimals} decimals, expected less than 2^62 of its \
         smallest units (4611686018427387904): give {asset} fewer decimals"
    )]
    TooLarge {
        /// The text found.
        found: String,
        /// The asset.
        asset: String,
        /// How many decimals the asset has.
        decimals: u32,
    },
    /// An amount in the wrong asset, or in none.
    #[error("found `{found}`, expected an amount of {expected}")]
    OtherAsset {
        /// The text found.
        found: String,
        /// What it should be of.
        expected: String,
    },
    /// A part of a whole that is none.
    #[error("found `{found}`, expected a percentage such as \"0.3%\" of at most {most}%")]
    Percent {
        /// The text found.
        found: String,
        /// The largest percentage.
        most: u32,
    },
    /// A name that nothing has.
    #[error("found no {what} named `{found}`, expected {}", one_of(expected))]
    Unknown {
        /// What should have the name.
        what: &'static str,
        /// The name.
        found: String,
        /// The names that there are.
        expected: Vec<String>,
    },
    /// A name that something has already.
    #[error(
        "found `{found}` twice, expected another name for each person, asset, pool, feed and market"
    )]
    NamedTwice {
        /// The name.
        found: String,
    },
    /// A name that could not be written in an amount.
    #[error("found the name `{found}`, expected 1 to 32 letters, digits and any of `._+/-`")]
    Name {
        /// The name.
        found: String,
    },
    /// A time that is none.
    #[error(
        "found `{found}`, expected a time: seconds, or as 2026-01-01T00:00:00Z, or after the statement \
         before as \"+10m\""
    )]
    Time {
        /// The text found.
        found: String,
    },
    /// Something that is neither a time nor a duration.
    #[error("found `{found}`, expected a duration such as \"90s\", \"10m\", \"1h\" or \"2d\"")]
    Duration {
        /// The text found.
        found: String,
    },
    /// A time that cannot follow the one before.
    #[error(transparent)]
    Order(#[from] TimeError),
    /// A first statement that says no time.
    #[error("found no `at` in the first statement, expected its time")]
    NoTime,
    /// A statement that says nothing, or two things at once.
    #[error("found {}, expected one of {}", found_verbs(found), expected.join(", "))]
    Verbs {
        /// The verbs that are there.
        found: Vec<String>,
        /// The verbs that there are.
        expected: Vec<String>,
    },
    /// Something that a statement should say.
    #[error("found no `{name}`, expected {what}")]
    Missing {
        /// What is missing.
        name: &'static str,
        /// What it should say.
        what: &'static str,
    },
    /// An address that is none.
    #[error("found `{found}`, expected an address: 0x and 40 hexadecimal digits")]
    Address {
        /// The text found.
        found: String,
    },
    /// A pool or an amount of other assets.
    #[error("found {found}, expected amounts of both {} and {}", expected[0], expected[1])]
    Sides {
        /// The assets found.
        found: String,
        /// The pool's assets.
        expected: [String; 2],
    },
    /// Reserves that are worth no pool.
    #[error("found reserves that are worth {found} shares, expected more than 1000")]
    FewShares {
        /// The square root of their product.
        found: u64,
    },
    /// Assets that no pools connect.
    #[error("found no path of 1 to 3 pools from {from} to {to}")]
    NoPath {
        /// What is paid.
        from: String,
        /// What is received.
        to: String,
    },
    /// What cannot be expected.
    #[error(
        "found the expectation `{found}`, expected \"accepted\", or \"refused: \" and the name of a reason"
    )]
    NoExpectation {
        /// The text found.
        found: String,
    },
    /// A reason that no contract has.
    #[error(
        "found the reason `{found}`, which no contract has: docs/scenarios.md lists those that there are"
    )]
    NoReason {
        /// The name found.
        found: String,
    },
    /// A statement that went another way than it should.
    #[error(
        "found that the statement is {}, expected that it is {expected}",
        outcome(found)
    )]
    Expected {
        /// What came of it.
        found: Result<(), Reject>,
        /// What should have come of it.
        expected: String,
    },
    /// A scenario without statements.
    #[error("found no [[do]], expected at least one")]
    NothingToDo,
    /// A chain or a genesis that is none.
    #[error(transparent)]
    Genesis(#[from] StateError),
    /// A batch that does not follow the one before: never of a scenario that was made here.
    #[error("cannot make a batch: {0}")]
    Batch(String),
}

fn one_of(names: &[String]) -> String {
    let shown: Vec<_> = names.iter().take(20).map(String::as_str).collect();
    match names.len() {
        0 => "none: there are none".to_owned(),
        count if count > shown.len() => format!("one of {}, ...", shown.join(", ")),
        _ => format!("one of {}", shown.join(", ")),
    }
}

fn found_verbs(found: &[String]) -> String {
    match found {
        [] => "a statement that does nothing".to_owned(),
        found => format!(
            "a statement that does {} things: {}",
            found.len(),
            found.join(", ")
        ),
    }
}

fn outcome(found: &Result<(), Reject>) -> String {
    match found {
        Ok(()) => "accepted".to_owned(),
        Err(reject) => format!("refused: {} ({reject})", reject.reason.name()),
    }
}

/// Something that is wrong, and where in the text, if that is known better than by the statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// In bytes.
    pub at: Option<usize>,
    pub fault: Fault,
}

impl From<Fault> for Wrong {
    fn from(fault: Fault) -> Self {
        Self { at: None, fault }
    }
}

impl Wrong {
    /// Says where it is, if nothing has yet.
    pub fn at(mut self, at: usize) -> Self {
        self.at.get_or_insert(at);
        self
    }

    /// Returns the error in a text, of a table that starts somewhere and may be a statement.
    pub fn in_text(self, text: &str, statement: Option<usize>, start: usize) -> ScenarioError {
        let end = self.at.unwrap_or(start).min(text.len());
        let before = &text.as_bytes()[..end];
        ScenarioError {
            line: 1 + before.iter().filter(|&&byte| byte == b'\n').count(),
            statement,
            fault: self.fault,
        }
    }
}
