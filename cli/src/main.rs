//! The `shardfold` command with the standard contracts.

use std::process::ExitCode;

use shardfold_contracts::set::standard;

fn main() -> ExitCode {
    shardfold_cli::main(standard())
}
