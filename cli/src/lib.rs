//! The `shardfold` command, for any list of contracts: [`main`] is all of it.

mod args;
mod commands;
mod config;
mod exit;
mod import;
mod output;
mod processor;
mod progress;
mod threads;

use std::io::IsTerminal as _;
use std::panic;
use std::process::ExitCode;
use std::sync::OnceLock;

use anyhow::Result;
use clap::{CommandFactory, Parser};

use args::{Cli, Command, FleetCommand, LogFormat};
use exit::Exit;
use output::Printer;
use shardfold_contracts::Contracts;
use shardfold_contracts::set::standard;
use shardfold_fleet::printable::printable;

/// Runs the command with a list of contracts, by the arguments of the process; returns how the
/// process should end. Only the standard list has built-in keys.
#[must_use]
pub fn main(contracts: &'static Contracts) -> ExitCode {
    // Only the first call counts, and a process has one.
    let _ = CONTRACTS.set(contracts);
    // Before anything that might use the instructions that are missing.
    if let Some(feature) = processor::missing() {
        output::warn(format_args!(
            "error: this processor has no {feature}, for which this program was compiled: build \
             it on this machine, or use one with {feature}"
        ));
        return ExitCode::from(Exit::Cannot as u8);
    }
    start()
}

static CONTRACTS: OnceLock<&'static Contracts> = OnceLock::new();

/// The contracts that this process executes and proves.
fn contracts() -> &'static Contracts {
    CONTRACTS.get_or_init(standard)
}

/// The command, on a processor that has what it needs.
#[inline(never)]
fn start() -> ExitCode {
    let cli = Cli::parse();
    start_logging(&cli);
    quiet_engine_panics();
    match threads::start(cli.command.threads()).and_then(|()| run(&cli.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            match cli.log_format {
                LogFormat::Text => {
                    output::warn(format_args!("error: {}", printable(&describe(&error))));
                }
                LogFormat::Json => tracing::error!("{}", describe(&error)),
            }
            ExitCode::from(exit::code(&error) as u8)
        }
    }
}

/// The database engine may panic over damaged bytes, which `shardfold-store` turns into an
/// error; that is all that the user should see.
fn quiet_engine_panics() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let place = info.location().map(|location| location.file());
        if !place.is_some_and(is_engine) {
            usual(info);
        }
    }));
}

/// Whether a source file is one of redb: from a registry, or vendored.
fn is_engine(file: &str) -> bool {
    let mut folders = file.split(['/', '\\']);
    folders.any(|folder| folder == "redb" || folder.starts_with("redb-"))
}

/// The error and its causes in one line. An error that quotes its cause is not followed by it.
fn describe(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.ends_with(&cause) {
            text += ": ";
            text += &cause;
        }
    }
    text
}

fn run(command: &Command) -> Result<()> {
    match command {
        Command::Import(args) => import::run(args, Printer::new(false)),
        Command::Execute(args) => commands::execute::run(args),
        Command::Prove(args) => commands::prove::run(args),
        Command::Cost(args) => commands::cost::run(args),
        Command::Verify(args) => commands::verify::run(args),
        Command::Wrap(args) => commands::settlement::wrap(args),
        Command::Verifier(args) => commands::settlement::verifier(args),
        Command::SettleCall(args) => commands::settlement::settle_call(args),
        Command::Settle(args) => commands::settlement::settle(args),
        Command::Deposits(args) => commands::settlement::deposits(args),
        Command::Devnet(args) => commands::devnet::run(args),
        Command::Archive(args) => commands::settlement::archive(args),
        Command::Rebuild(args) => commands::settlement::rebuild(args),
        Command::Escape(args) => commands::settlement::escape(args),
        Command::ExitDrill(args) => commands::settlement::exit_drill(args),
        Command::State(command) => commands::state::run(command),
        Command::Quote(args) => commands::quote::run(args),
        Command::Fleet(command) => commands::fleet::run(command),
        Command::Inspect(args) => commands::inspect::run(args),
        Command::Params(args) => commands::params::run(args),
        Command::Setup(args) => commands::setup::run(args),
        Command::Key(args) => commands::key::run(args),
        Command::Completions { shell } => {
            let name = "shardfold";
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), name, &mut script);
            output::print(&script)
        }
    }
}

fn start_logging(cli: &Cli) {
    // A process that runs for days is known by its log.
    let is_service = matches!(
        cli.command,
        Command::Fleet(FleetCommand::Worker(_) | FleetCommand::Dashboard(_))
    );
    let verbose = usize::from(cli.verbose) + usize::from(is_service);
    let level = ["warn", "info", "debug"][verbose.min(2)];
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match cli.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}
