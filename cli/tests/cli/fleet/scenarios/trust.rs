//! Workers that nobody let in.

use super::{TWO_SHARDS, end, is_stage, outcomes};
use crate::fleet::harness::{Fleet, Ports};
use crate::fleet::postgres::Postgres;
use crate::fleet::process::Process;
use crate::fleet::tls::{Authority, TlsGate};

#[test]
fn an_unenrolled_or_dismissed_worker_gets_nothing() {
    let fleet = Fleet::new(TWO_SHARDS);
    let batch = fleet.submit();
    fleet.ok(&["worker-key", "stranger.key"]);
    let start = |name| Process::start(name, fleet.worker_command(name, fleet.ports()));

    let mut stranger = start("stranger");
    assert!(!stranger.wait().success());
    stranger.wait_for_line("is not registered");
    fleet.register("stranger");
    fleet.ok(&["revoke", "stranger"]);
    let mut revoked = start("stranger");
    assert!(!revoked.wait().success());
    revoked.wait_for_line("was revoked");
    assert!(outcomes(&fleet, &batch).is_empty());

    let mut workers = [fleet.worker("worker", fleet.ports())];
    end(&fleet, &batch, &mut workers, &[]);
}

#[test]
fn a_worker_dismissed_while_it_proves_ends_and_its_job_goes_to_another() {
    let fleet = Fleet::new(TWO_SHARDS);
    let batch = fleet.submit();
    let mut revoked = fleet.worker("revoked", fleet.ports());
    revoked.wait_for_event("a shard", |event| is_stage(event, "traces"));
    fleet.ok(&["revoke", "revoked"]);
    assert!(!revoked.wait().success());
    revoked.wait_for_line("the worker revoked was revoked");
    let mut workers = [revoked, fleet.worker("other", fleet.ports())];
    end(&fleet, &batch, &mut workers, &[("released", 1)]);
}

#[test]
fn a_worker_that_asks_for_tls_proves_by_certified_servers_and_refuses_others() {
    let mut fleet = Fleet::new(TWO_SHARDS);
    let (authority, stranger) = (Authority::new("known"), Authority::new("stranger"));
    fleet.sandbox.write("known.pem", authority.pem().as_bytes());
    fleet
        .sandbox
        .write("stranger.pem", stranger.pem().as_bytes());
    let certified = authority.certify("127.0.0.1");
    fleet.postgres.demand_tls(&certified);
    let store = TlsGate::new(fleet.s3.port(), &certified);
    let batch = fleet.submit();
    fleet.register("worker");
    let ports = Ports {
        s3: store.port(),
        ..fleet.ports()
    };
    // How the database is asked for, and the authorities that the store's certificate may have.
    let start = |database: &str, store: &str| {
        let url = Postgres::url(ports.postgres);
        let mut command = fleet.worker_command("worker", ports);
        command
            .env_remove("AWS_ALLOW_HTTP")
            .env("SHARDFOLD_DATABASE", format!("{url}?{database}"))
            .env("AWS_ENDPOINT", format!("https://127.0.0.1:{}", ports.s3))
            .env("SSL_CERT_FILE", store);
        Process::start("worker", command)
    };

    let known = "sslmode=verify-full&sslrootcert=known.pem";
    // It may wait for a better certificate, but not work with this one.
    for (database, store, text) in [
        (
            "sslmode=verify-full&sslrootcert=stranger.pem",
            "known.pem",
            "UnknownIssuer",
        ),
        ("sslmode=verify-full", "known.pem", "UnknownIssuer"),
        ("sslmode=disable", "known.pem", "no encryption"),
        (known, "stranger.pem", "UnknownIssuer"),
    ] {
        start(database, store).wait_for_line(text);
    }
    assert!(outcomes(&fleet, &batch).is_empty());

    let mut workers = [start(known, "known.pem")];
    end(&fleet, &batch, &mut workers, &[]);
}
