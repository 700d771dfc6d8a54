//! `shardfold` with escrows: `escrow demo FOLDER` writes a state and batches to try, everything
//! else is the usual command.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let contracts = match escrow::contracts() {
        Ok(contracts) => Box::leak(Box::new(contracts)),
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == "demo") {
        let folder = arguments.next().unwrap_or_else(|| "escrow-demo".into());
        return match escrow::demo::write(contracts, Path::new(&folder)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error:#}");
                ExitCode::FAILURE
            }
        };
    }
    shardfold_cli::main(contracts)
}
