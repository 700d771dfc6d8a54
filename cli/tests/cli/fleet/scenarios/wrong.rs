//! Databases that live and are wrong: read-only, full, another file.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::{TWO_SHARDS, UNANSWERED, end, is};
use crate::common::{PROFILE, Sandbox};
use crate::fleet::disk::{LARGE_DISK, with_full_disk};
use crate::fleet::harness::Fleet;
use crate::fleet::postgres::Stop;
use crate::fleet::process::Process;
use crate::fleet::s3::free_port;
use crate::fleet::time::{Turn, wait_for};

/// The status that a process answers with, and its words, once it does.
fn ready(port: u16) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let request = "GET /readyz HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    Some((status, answer))
}

fn wait_until_ready(port: u16, expected: u16) -> String {
    let what = format!("the status {expected}");
    wait_for(&what, || {
        ready(port).filter(|(status, _)| *status == expected)
    })
    .1
}

/// Connections that were opened while the server was read-only are the workers' no longer than
/// that time.
#[test]
fn workers_go_on_after_a_failover_that_was_read_only_for_a_while() {
    let mut fleet = Fleet::new(TWO_SHARDS);
    // The first batch makes the store, without which no worker is ready.
    fleet.sandbox.write_trace();
    let replay = ["replay", "trace.csv", "-o", "first", "--limit", "2"];
    fleet.sandbox.ok(&replay);
    let first = fleet.ok(&["submit", "first/batch.bin", "--profile", PROFILE]);
    let ports = [free_port(), free_port()];
    let [metrics, listen] = ports.map(|port| format!("127.0.0.1:{port}"));
    let mut worker = fleet.worker_with("prover", fleet.ports(), &["--metrics", &metrics]);
    let page = fleet.command(&["dashboard", "--listen", &listen], fleet.ports());
    let _page = Process::start("page", page);
    fleet.wait_until(&first, "the proof", |tree| {
        tree["batch"]["state"] == "proven"
    });
    for port in ports {
        wait_until_ready(port, 200);
    }
    let alter = "ALTER DATABASE postgres SET default_transaction_read_only = on";
    fleet.postgres.query(alter);
    fleet.postgres.stop(Stop::Fast);
    fleet.postgres.start();
    worker.wait_for_event("waiting", |event| is(event, "waiting"));
    for port in ports {
        wait_for("a read-only database", || {
            ready(port)
                .filter(|(status, answer)| *status == 503 && answer.contains("takes no writes"))
        });
    }
    let reset = "SET transaction_read_only = off;
        ALTER DATABASE postgres RESET default_transaction_read_only";
    fleet.postgres.query(reset);
    for port in ports {
        wait_until_ready(port, 200);
    }
    let batch = fleet.submit();
    end(&fleet, &batch, &mut [worker], &[UNANSWERED]);
}

/// A fleet in the sandbox's folder.
const FLEET: [&str; 4] = ["--database", "sqlite://fleet.db", "--store", "store"];

fn ok(sandbox: &Sandbox, arguments: &[&str]) -> String {
    let printed = sandbox.ok(&[arguments, &FLEET].concat());
    printed.out.trim().to_owned()
}

/// A fleet with a batch that a worker has proven, which waits for others.
fn idle_worker(sandbox: &Sandbox, port: u16) -> Process {
    let key = sandbox.ok(&["worker-key", "key"]).out;
    ok(sandbox, &["register", "prover", key.trim()]);
    let submitted = ok(sandbox, &["submit", "batch.bin", "--profile", PROFILE]);
    let metrics = format!("127.0.0.1:{port}");
    let start = [
        "worker",
        "--key",
        "key",
        "--profile",
        PROFILE,
        "--log-format",
        "json",
    ];
    let command = sandbox.command(&[&start[..], &["--metrics", &metrics], &FLEET].concat());
    let worker = Process::start("prover", with_full_disk(&command, LARGE_DISK));
    ok(sandbox, &["fetch", &submitted, "-o", "first.bin", "--wait"]);
    wait_until_ready(port, 200);
    worker
}

#[test]
fn a_worker_whose_sqlite_disk_is_full_waits_and_goes_on() {
    let _turn = Turn::take();
    let sandbox = Sandbox::with_batch(3);
    let port = free_port();
    let mut worker = idle_worker(&sandbox, port);
    for round in ["second", "third"] {
        worker.limit_files(Some(0));
        wait_until_ready(port, 503);
        let name = format!("{round}.bin");
        let seed = if round == "second" { "2" } else { "3" };
        let replay = [
            "replay",
            "trace.csv",
            "-o",
            round,
            "--limit",
            "3",
            "--seed",
            seed,
        ];
        sandbox.ok(&replay);
        let batch = format!("{round}/batch.bin");
        let batch = ok(&sandbox, &["submit", &batch, "--profile", PROFILE]);
        worker.wait_for_event("waiting", |event| is(event, "waiting"));
        assert!(!worker.has_ended());
        worker.limit_files(None);
        wait_until_ready(port, 200);
        ok(&sandbox, &["fetch", &batch, "-o", &name, "--wait"]);
    }
    let log = worker.lines().join("\n");
    assert!(!log.contains("non-zero transaction depth"), "{log}");
}

#[test]
fn a_worker_whose_sqlite_file_was_replaced_ends_and_says_so() {
    let _turn = Turn::take();
    let sandbox = Sandbox::with_batch(3);
    let port = free_port();
    let mut worker = idle_worker(&sandbox, port);
    // While it is aside nothing is lost.
    fs::rename(sandbox.path("fleet.db"), sandbox.path("aside")).expect("it is there");
    let answer = wait_until_ready(port, 503);
    assert!(answer.contains("is there no more"), "{answer}");
    worker.wait_for_event("waiting", |event| is(event, "waiting"));
    fs::rename(sandbox.path("aside"), sandbox.path("fleet.db")).expect("it is there");
    wait_until_ready(port, 200);

    fs::copy(sandbox.path("fleet.db"), sandbox.path("restored")).expect("it is there");
    fs::rename(sandbox.path("restored"), sandbox.path("fleet.db")).expect("it is there");
    let end = worker.wait_for_event("the end", |event| {
        event["message"]
            .as_str()
            .is_some_and(|message| message.contains("another file has taken"))
    });
    assert!(end["message"].to_string().contains("-wal"), "{end}");
    assert!(!worker.wait().success());
}
