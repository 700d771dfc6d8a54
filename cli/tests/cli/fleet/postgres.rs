//! A PostgreSQL server of one scenario's own, with its data in a temporary folder.

#[path = "../../../../fleet/src/testing/programs.rs"]
mod programs;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::fleet::process::Process;
use crate::fleet::s3::free_port;
use crate::fleet::time::wait_for;
use crate::fleet::tls::Certified;

/// A server on 127.0.0.1 that syncs as in production. It stops when dropped.
pub struct Postgres {
    port: u16,
    server: Option<Process>,
    // Dropped after the server.
    folder: TempDir,
}

/// How a server is stopped.
pub enum Stop {
    /// Connections are cut, all data is written.
    Fast,
    /// Nothing is written: the next start recovers from the log.
    Immediate,
    /// `kill -9`.
    Kill,
}

impl Postgres {
    /// Makes a cluster and starts its server. Panics if PostgreSQL is not installed.
    pub fn new() -> Self {
        let folder = TempDir::new().expect("a folder for temporary files");
        programs::give(folder.path());
        let mut postgres = Self {
            port: free_port(),
            server: None,
            folder,
        };
        let initdb = postgres
            .program("initdb")
            .args(["--auth=trust", "--username=postgres", "--no-sync"])
            .args(["--encoding=UTF8", "--locale=C", "--pgdata"])
            .arg(postgres.data())
            .output()
            .expect("Debian's package `postgresql` is installed");
        assert!(initdb.status.success(), "{initdb:?}");
        postgres.start();
        postgres
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address, by way of a port of 127.0.0.1: its own or a gate's.
    pub fn url(port: u16) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/postgres")
    }

    /// Starts the server, and waits until it answers.
    pub fn start(&mut self) {
        assert!(self.server.is_none(), "it runs");
        let mut server = self.serve();
        wait_for("PostgreSQL", || {
            // After `kill -9` it refuses to start until all its children have noticed.
            if server.has_ended() {
                server = self.serve();
            }
            self.psql("SELECT 1").status.success().then_some(())
        });
        self.server = Some(server);
    }

    /// From now on it shows this certificate, and talks to nobody without TLS.
    pub fn demand_tls(&mut self, certified: &Certified) {
        self.stop(Stop::Fast);
        let (certificate, key) = certified.pem();
        let files = [
            ("server.crt", certificate),
            ("server.key", key),
            (
                "pg_hba.conf",
                "hostssl all all 127.0.0.1/32 trust\n".to_owned(),
            ),
            ("postgresql.auto.conf", "ssl = on\n".to_owned()),
        ];
        for (name, text) in files {
            let path = self.data().join(name);
            fs::write(&path, text).expect("the folder is there");
            fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("it is ours");
            programs::give(&path);
        }
        self.start();
    }

    /// Lets a role `guest` in that has a password, with all rights.
    pub fn demand_password(&mut self, password: &str) {
        let password = password.replace('\'', "''");
        self.query(&format!(
            "CREATE ROLE guest LOGIN SUPERUSER PASSWORD '{password}'"
        ));
        self.stop(Stop::Fast);
        let path = self.data().join("pg_hba.conf");
        let rules = "host all guest 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n";
        fs::write(&path, rules).expect("the folder is there");
        self.start();
    }

    /// Stops the server, and waits for its end.
    pub fn stop(&mut self, how: Stop) {
        let mut server = self.server.take().expect("it runs");
        server.signal(match how {
            Stop::Fast => Signal::INT,
            Stop::Immediate => Signal::QUIT,
            Stop::Kill => Signal::KILL,
        });
        server.wait();
    }

    /// What a statement gives: a line for each row, `|` between its fields.
    pub fn query(&self, sql: &str) -> String {
        let output = self.psql(sql);
        assert!(output.status.success(), "{sql}: {output:?}");
        let text = String::from_utf8(output.stdout).expect("plain text");
        text.trim_end().to_owned()
    }

    /// Whether it answers now.
    pub fn answers(&self) -> bool {
        self.psql("SELECT 1").status.success()
    }

    /// Opens a transaction, runs a statement in it, as `LOCK TABLE ...`, and leaves it open:
    /// it is rolled back when the session is dropped.
    pub fn hold(&self, sql: &str) -> Process {
        let mut session = Process::start("psql", self.client());
        session.send(&format!("BEGIN; {sql};"));
        session.send(r"\echo held");
        session.wait_for_line("held");
        session
    }

    fn psql(&self, sql: &str) -> Output {
        let mut client = self.client();
        client.args(["--command", sql]);
        client.output().expect("psql starts")
    }

    fn client(&self) -> Command {
        let mut client = Command::new(programs::find("psql"));
        client
            .args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only"])
            .args(["--set", "ON_ERROR_STOP=1"])
            .arg(Self::url(self.port));
        client
    }

    fn serve(&self) -> Process {
        let mut server = self.program("postgres");
        server
            .arg("-D")
            .arg(self.data())
            .arg("-k")
            .arg(self.folder.path())
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        Process::start("postgres", server)
    }

    /// One of its programs, run by the owner of the data.
    fn program(&self, name: &str) -> Command {
        programs::as_owner(programs::find(name), self.folder.path())
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Its children end by themselves when it is killed, but not before the folder is gone.
        if let Some(mut server) = self.server.take()
            && !server.has_ended()
        {
            server.signal(Signal::QUIT);
            server.wait();
        }
    }
}

#[test]
fn a_stopped_or_killed_postgresql_starts_again_with_its_data() {
    let mut postgres = Postgres::new();
    postgres.query("CREATE TABLE shards (number INT)");
    for (number, how) in [Stop::Fast, Stop::Immediate, Stop::Kill]
        .into_iter()
        .enumerate()
    {
        postgres.query(&format!("INSERT INTO shards VALUES ({number})"));
        postgres.stop(how);
        assert!(!postgres.answers());
        postgres.start();
        let count = postgres.query("SELECT count(*) FROM shards");
        assert_eq!(count, (number + 1).to_string());
    }
}

#[test]
fn a_held_table_is_free_again_when_the_session_is_dropped() {
    let postgres = Postgres::new();
    postgres.query("CREATE TABLE shards (number INT)");
    let insert = "SET lock_timeout = 200; INSERT INTO shards VALUES (1)";
    let session = postgres.hold("LOCK TABLE shards IN EXCLUSIVE MODE");
    assert!(!postgres.psql(insert).status.success());
    drop(session);
    wait_for("the lock", || {
        postgres.psql(insert).status.success().then_some(())
    });
}
