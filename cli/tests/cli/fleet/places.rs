//! Databases that are not there, or refuse: nothing is made, and the reason is told.

use std::process::Command;

use crate::common::{PROFILE, Sandbox, printed, refused};
use crate::fleet::postgres::Postgres;
use crate::fleet::s3::free_port;

/// A command that only looks at a fleet or changes what is in it.
const NOT_BEGINNING: [&[&str]; 8] = [
    &["status"],
    &["status", "3f9a"],
    &["explain", "3f9a"],
    &["fetch", "3f9a", "-o", "proof.bin"],
    &["retry", "3f9a"],
    &["cancel", "3f9a"],
    &["delete", "3f9a"],
    &["revoke", "alpha"],
];

fn at(sandbox: &Sandbox, arguments: &[&str], database: &str) -> Command {
    let mut command = sandbox.command(arguments);
    command.args(["--database", database, "--store", "typo/store"]);
    command
}

#[test]
fn a_mistyped_file_makes_no_folder_and_no_database() {
    let sandbox = Sandbox::new();
    sandbox.ok(&["worker-key", "key"]);
    let worker: &[&str] = &["worker", "--key", "key", "--profile", PROFILE];
    for arguments in NOT_BEGINNING.into_iter().chain([worker]) {
        for database in ["sqlite://typo/fleet.db", "sqlite://typo.db?mode=rwc"] {
            let error = refused(at(&sandbox, arguments, database));
            assert!(error.contains("there is no queue at sqlite:///"), "{error}");
            assert!(
                error.contains("typo") && error.contains("`shardfold register`"),
                "{error}"
            );
            assert_eq!(sandbox.names("."), ["key"], "{arguments:?}");
        }
    }
}

#[test]
fn an_empty_database_of_a_server_gets_no_tables() {
    let postgres = Postgres::new();
    let sandbox = Sandbox::new();
    let url = Postgres::url(postgres.port());
    for arguments in NOT_BEGINNING {
        let error = refused(at(&sandbox, arguments, &url));
        assert!(
            error.contains("there is no queue at postgres://127.0.0.1"),
            "{error}"
        );
    }
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(postgres.query(tables), "0");
    // The operator's first command makes them.
    let key = sandbox.ok(&["worker-key", "key"]).out;
    let register = at(&sandbox, &["register", "alpha", key.trim()], &url).output();
    assert_eq!(printed(register.expect("it starts")).0, Some(0));
    assert_eq!(postgres.query(tables), "7");
}

#[test]
fn why_a_server_refuses_is_told_and_the_password_is_not() {
    let mut postgres = Postgres::new();
    postgres.demand_password("s#e?c/r@e%t");
    let port = postgres.port();
    let sandbox = Sandbox::new();
    let encoded = "s%23e%3Fc%2Fr%40e%25t";
    let how = "# as %23, ? as %3F, / as %2F, @ as %40";
    for (url, reason) in [
        (
            format!("postgres://guest:secret@127.0.0.1:{}/postgres", free_port()),
            "refused",
        ),
        (
            format!("postgres://guest:secret@127.0.0.1:{port}/postgres"),
            "password authentication failed for user \"guest\"",
        ),
        (
            format!("postgres://guest:{encoded}@127.0.0.1:{port}/none"),
            "database \"none\" does not exist",
        ),
        (
            format!("postgres://guest:s#e@127.0.0.1:{port}/postgres"),
            how,
        ),
        (
            format!("postgres://guest:s?e@127.0.0.1:{port}/postgres"),
            how,
        ),
        (
            format!("postgres://guest:s/e@127.0.0.1:{port}/postgres"),
            how,
        ),
        // Taken as it is written, and so another password.
        (
            format!("postgres://guest:s@127.0.0.1:{port}/postgres"),
            "password authentication failed for user \"guest\"",
        ),
        // It is right: only the queue is missing.
        (
            format!("postgres://guest:{encoded}@127.0.0.1:{port}/postgres"),
            "there is no queue at",
        ),
        (
            format!("postgres://127.0.0.1:{port}/postgres?user=guest&password={encoded}"),
            "there is no queue at",
        ),
    ] {
        let error = refused(at(&sandbox, &["status"], &url));
        assert!(error.contains(reason), "{url}: {error}");
        for secret in ["secret", encoded, "s#e", "s?e", "s/e", "pool timed out"] {
            assert!(!error.contains(secret), "{url}: {error}");
        }
    }
}
