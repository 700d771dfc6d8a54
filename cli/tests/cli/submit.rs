//! `submit` into a fleet without workers: again, from a state database, and without its store.

use std::fs;

use crate::common::{CANNOT, PROFILE, Printed, Sandbox, printed};

/// A fleet in the sandbox's folder.
const FLEET: [&str; 4] = ["--database", "sqlite://fleet.db", "--store", "store"];

fn run(sandbox: &Sandbox, arguments: &[&str]) -> (Option<i32>, Printed) {
    let arguments = [arguments, &FLEET].concat();
    printed(sandbox.command(&arguments).output().expect("it starts"))
}

fn ok(sandbox: &Sandbox, arguments: &[&str]) -> String {
    let (code, printed) = run(sandbox, arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {}", printed.err);
    printed.out.trim().to_owned()
}

fn refused(sandbox: &Sandbox, arguments: &[&str]) -> String {
    let (code, printed) = run(sandbox, arguments);
    assert_eq!((code, &*printed.out), (Some(CANNOT), ""), "{arguments:?}");
    printed.err
}

fn submit(state: &str) -> [&str; 6] {
    [
        "submit",
        "batch.bin",
        "--profile",
        PROFILE,
        "--state",
        state,
    ]
}

/// A batch that was submitted and is part of the ledger in a state database.
fn applied() -> (Sandbox, String) {
    let sandbox = Sandbox::with_batch(3);
    sandbox.ok(&["state", "import", "genesis.bin", "--state", "ledger"]);
    let batch = ok(&sandbox, &submit("ledger"));
    (sandbox, batch)
}

#[test]
fn a_batch_that_was_applied_and_cancelled_goes_on_when_it_is_submitted_again() {
    let (sandbox, batch) = applied();
    assert_eq!(ok(&sandbox, &submit("ledger")), batch);
    ok(&sandbox, &["cancel", &batch]);
    let is_open = || {
        let status = ok(&sandbox, &["status", &batch, "--json"]);
        status.contains("\"state\":\"open\"")
    };
    assert!(!is_open());
    assert_eq!(ok(&sandbox, &submit("ledger")), batch);
    assert!(is_open());
}

#[test]
fn a_batch_that_was_applied_is_not_submitted_again_without_its_witnesses() {
    let (sandbox, batch) = applied();
    let witnesses = sandbox.names("store/witness");
    let witness = format!("store/witness/{}", witnesses[0]);
    for damage in [None, Some(b"something else")] {
        match damage {
            None => fs::remove_file(sandbox.path(&witness)).expect("it is there"),
            Some(bytes) => sandbox.write(&witness, bytes),
        }
        let error = refused(&sandbox, &submit("ledger"));
        assert!(error.contains("has not all of it any more"), "{error}");
        assert!(error.contains("--state FILE"), "{error}");
    }
    // As the message says.
    assert_eq!(ok(&sandbox, &submit("genesis.bin")), batch);
    assert_eq!(ok(&sandbox, &submit("ledger")), batch);
    ok(&sandbox, &["cancel", &batch]);
    ok(&sandbox, &["delete", &batch]);
    let error = refused(&sandbox, &submit("ledger"));
    assert!(error.contains("was not submitted to this fleet"), "{error}");
}

#[test]
fn a_store_that_is_not_there_any_more_is_not_taken_for_a_new_one() {
    let sandbox = Sandbox::with_batch(3);
    let batch = ok(&sandbox, &submit("genesis.bin"));
    // Not mounted: the folder is there and empty.
    fs::rename(sandbox.path("store"), sandbox.path("away")).expect("it is there");
    fs::create_dir(sandbox.path("store")).expect("a folder");
    let error = refused(&sandbox, &submit("genesis.bin"));
    assert!(error.contains("--create-store"), "{error}");
    assert_eq!(sandbox.names("store"), [""; 0]);
    let again = [&submit("genesis.bin")[..], &["--create-store"]].concat();
    assert_eq!(ok(&sandbox, &again), batch);
    assert!(!sandbox.names("store/witness").is_empty());
}
