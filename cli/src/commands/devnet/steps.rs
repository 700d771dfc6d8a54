//! The commands of an operator, each run as its own process, shown as one would type it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use shardfold_aggregator::SettlementKey;
use shardfold_recursion::profile::Profile;

use crate::commands::settlement::keys;
use crate::output::Printer;

/// Commands in one folder.
pub struct Steps<'a> {
    folder: &'a Path,
    program: PathBuf,
    profile: Profile,
    printer: Printer,
}

impl<'a> Steps<'a> {
    pub fn new(folder: &'a Path, profile: Profile, printer: Printer) -> Result<Self> {
        let program = env::current_exe().context("cannot find this program itself")?;
        Ok(Self {
            folder,
            program,
            profile,
            printer,
        })
    }

    /// Says what happens.
    pub fn say(&self, text: &str) {
        self.printer.line(format_args!("{text}"));
    }

    /// Runs a command, and says how long it took.
    pub fn run(&self, arguments: &[&str]) -> Result<()> {
        let start = Instant::now();
        let mut command = self.command(arguments);
        let status = command.status().context("cannot start this program")?;
        if !status.success() {
            bail!("`shardfold {}` has failed: {status}", arguments.join(" "));
        }
        self.say(&format!("  {:.1} s", start.elapsed().as_secs_f64()));
        Ok(())
    }

    /// Runs a command with `--json`; returns the object that it prints.
    pub fn ask(&self, arguments: &[&str]) -> Result<Value> {
        let start = Instant::now();
        let mut command = self.command(arguments);
        command.arg("--json").stdout(Stdio::piped());
        let child = command.spawn().context("cannot start this program")?;
        let output = child.wait_with_output()?;
        if !output.status.success() {
            let status = output.status;
            bail!("`shardfold {}` has failed: {status}", arguments.join(" "));
        }
        self.say(&format!("  {:.1} s", start.elapsed().as_secs_f64()));
        let text = String::from_utf8(output.stdout)?;
        let last = text.lines().last().unwrap_or_default();
        serde_json::from_str(last).context("a command prints no JSON")
    }

    /// The arguments of the profile, for the commands that cut shards.
    pub fn profile(&self) -> [&'static str; 2] {
        ["--profile", self.profile.name()]
    }

    /// The settlement key: the one that is built in, or for tests one that is made.
    pub fn settlement_key(&self) -> Result<SettlementKey> {
        let mut named = None;
        if self.profile == Profile::UnsoundTest {
            self.run(&[&["key", "-o", "validity.key"][..], &self.profile()].concat())?;
            let key = ["key", "--settlement", "-o", "settlement.key"];
            self.run(&[&key[..], &self.profile()].concat())?;
            named = Some(self.folder.join("settlement.key"));
        }
        let mut keys = keys(named.as_deref())?.into_iter();
        let key = keys.find(|key| key.profile() == self.profile);
        let name = self.profile.name();
        key.with_context(|| format!("this build holds no settlement key of {name}"))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.say(&format!("$ shardfold {}", arguments.join(" ")));
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(self.folder);
        if self.profile == Profile::UnsoundTest {
            command.env("SHARDFOLD_ALLOW_UNSOUND", "1");
        }
        command
    }
}
