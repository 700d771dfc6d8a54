//! What the command's exit code says, decided from the error.

use std::error::Error;
use std::fmt;

/// Why a command did not do what it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// A proof, a file or a batch is wrong.
    Invalid = 1,
    /// The command line asks for what cannot be.
    Usage = 2,
}

/// An error of the command line.
#[derive(Debug)]
struct Usage(String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Usage {}

/// Returns an error of the command line.
pub fn usage(text: impl Into<String>) -> anyhow::Error {
    Usage(text.into()).into()
}

/// Returns the exit code of an error.
pub fn code(error: &anyhow::Error) -> Exit {
    let mut causes = error.chain();
    if causes.any(<dyn Error>::is::<Usage>) {
        Exit::Usage
    } else {
        Exit::Invalid
    }
}
