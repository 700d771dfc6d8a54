//! `devnet`: the whole circle on a chain of this machine, by the commands that an operator uses.

mod books;
mod orders;
mod people;
mod play;
mod steps;

use anyhow::{Context, Result};
use shardfold_protocol::folder;
use shardfold_recursion::profile::Profile;
use shardfold_submitter::anvil;

use crate::args::DevnetArgs;
use crate::commands::profile;
use crate::exit::usage;
use crate::output::{Printer, warn};
use crate::threads;

/// Runs the command.
pub fn run(args: &DevnetArgs) -> Result<()> {
    let profile = profile(args.profile, args.unsound)?;
    if profile == Profile::UnsoundTest {
        warn(format_args!(
            "warning: the profile `unsound-test` proves nothing"
        ));
    }
    let program = anvil::find(args.anvil.as_deref())?;
    let place = &args.output;
    let make = || format!("cannot use the folder {}", place.display());
    folder::create(place).with_context(make)?;
    if place.read_dir().with_context(make)?.next().is_some() {
        return Err(usage(format!(
            "found files in {}, expected an empty folder or none",
            place.display()
        )));
    }
    let printer = Printer::new(false);
    threads::runtime()?.block_on(play::play(&program, place, profile, printer))
}
