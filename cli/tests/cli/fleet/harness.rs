//! A fleet of one scenario: a batch, a database, an object store, and workers.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::common::{PROFILE, Sandbox};
use crate::fleet::postgres::Postgres;
use crate::fleet::process::Process;
use crate::fleet::s3::S3;
use crate::fleet::time::{Turn, wait_for};

/// Real transfers of mainnet.
const TRACE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../examples/block-12459406/trace.csv"
);

/// Seconds that a silent worker keeps its jobs.
pub const LEASE: u64 = 2;

/// The servers of a fleet and the folder of its batch, keys and proof.
pub struct Fleet {
    pub postgres: Postgres,
    pub s3: S3,
    pub sandbox: Sandbox,
    /// The object store's URL, or a folder.
    pub store: String,
    /// Dropped last.
    _turn: Turn,
}

/// Ports of 127.0.0.1 by which a process sees the servers: their own, or those of gates.
#[derive(Clone, Copy)]
pub struct Ports {
    pub postgres: u16,
    pub s3: u16,
}

impl Fleet {
    /// Servers without jobs, and batch.bin with so many transactions: two or three fill a
    /// shard.
    pub fn new(transactions: usize) -> Self {
        assert!(Path::new(TRACE).exists(), "{TRACE} is missing");
        let turn = Turn::take();
        let sandbox = Sandbox::new();
        sandbox.import_transfers(TRACE, transactions);
        Self {
            postgres: Postgres::new(),
            s3: S3::new(),
            sandbox,
            store: S3::url(),
            _turn: turn,
        }
    }

    /// The ports of the servers themselves.
    pub fn ports(&self) -> Ports {
        Ports {
            postgres: self.postgres.port(),
            s3: self.s3.port(),
        }
    }

    /// A command of the fleet, not yet started.
    pub fn command(&self, arguments: &[&str], ports: Ports) -> Command {
        let mut command = self.sandbox.command(arguments);
        command
            .env("SHARDFOLD_DATABASE", Postgres::url(ports.postgres))
            .env("SHARDFOLD_STORE", &self.store)
            .envs(S3::environment(ports.s3));
        command
    }

    /// Runs a command of the fleet that must end well: what it prints.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let output = self
            .command(arguments, self.ports())
            .output()
            .expect("it starts");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        let text = String::from_utf8(output.stdout).expect("plain text");
        text.trim_end().to_owned()
    }

    /// Submits batch.bin: the batch's id.
    pub fn submit(&self) -> String {
        self.ok(&["submit", "batch.bin", "--profile", PROFILE])
    }

    /// Makes a worker's key, and lets it in.
    pub fn register(&self, name: &str) {
        let public_key = self.ok(&["worker-key", &format!("{name}.key")]);
        self.ok(&["register", name, &public_key]);
    }

    /// The command of a worker of one thread that logs in JSON, not yet started.
    pub fn worker_command(&self, name: &str, ports: Ports) -> Command {
        self.worker_command_of(name, ports, LEASE)
    }

    /// The same with leases of so many seconds.
    fn worker_command_of(&self, name: &str, ports: Ports, lease: u64) -> Command {
        let (key, lease) = (format!("{name}.key"), lease.to_string());
        let mut command = self.command(&["worker", "--key", &key], ports);
        command
            .args(["--profile", PROFILE, "--threads", "1", "--lease", &lease])
            .args(["--log-format", "json"]);
        command
    }

    /// Registers and starts a worker.
    pub fn worker(&self, name: &str, ports: Ports) -> Process {
        self.worker_with(name, ports, &[])
    }

    /// Registers and starts a worker that keeps its jobs however long the database is not there.
    pub fn patient_worker(&self, name: &str, ports: Ports) -> Process {
        self.register(name);
        Process::start(name, self.worker_command_of(name, ports, 60))
    }

    /// Registers and starts a worker with more arguments.
    pub fn worker_with(&self, name: &str, ports: Ports, more: &[&str]) -> Process {
        self.register(name);
        let mut command = self.worker_command(name, ports);
        command.args(more);
        Process::start(name, command)
    }

    /// The batch as `status` shows it.
    pub fn status(&self, batch: &str) -> Value {
        let json = self.ok(&["status", batch, "--json"]);
        serde_json::from_str(&json).expect("one JSON object")
    }

    /// A job as `explain` shows it.
    pub fn explain(&self, job: &str) -> Value {
        let json = self.ok(&["explain", job, "--json"]);
        serde_json::from_str(&json).expect("one JSON object")
    }

    /// Waits until the status of the batch fits.
    pub fn wait_until(&self, batch: &str, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        wait_for(what, || Some(self.status(batch)).filter(&fits))
    }

    /// Waits for the proof, fetches it and verifies it: the report of `verify`.
    pub fn fetch_and_verify(&self, batch: &str) -> Value {
        self.ok(&["fetch", batch, "-o", "proof.bin", "--wait"]);
        self.sandbox.verify("proof.bin")
    }
}
