//! Why a list of contracts makes no table.

use thiserror::Error;

use crate::layout::MAX_COLUMNS;
use crate::recorded::{Fault, MAX_ACCESSES};

/// A list of contracts that makes no table.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SetError {
    /// A contract that breaks a rule of rules.
    #[error("contract `{contract}`: {fault}")]
    Contract {
        /// Its name.
        contract: &'static str,
        /// What it does.
        fault: Fault,
    },
    /// Two contracts of one name.
    #[error("found two contracts named `{name}`")]
    Name {
        /// The name.
        name: &'static str,
    },
    /// A name that is none.
    #[error("found the name `{name}`, expected 1 to 16 of a to z, digits and underscores")]
    NoName {
        /// The name.
        name: &'static str,
    },
    /// A contract with which the table is too wide.
    #[error(
        "contract `{contract}` needs a table of {found} columns, expected at most {MAX_COLUMNS}"
    )]
    Columns {
        /// Its name.
        contract: &'static str,
        /// The columns of the table with it.
        found: usize,
    },
    /// A contract that touches too much.
    #[error(
        "contract `{contract}` has {found} accesses in a step, expected at most {MAX_ACCESSES} in a transaction"
    )]
    Accesses {
        /// Its name.
        contract: &'static str,
        /// How many.
        found: usize,
    },
}
