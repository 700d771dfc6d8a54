//! What the exit code says.

use std::fs;

use crate::chain::Chain;
use crate::common::{CANNOT, INVALID, PROFILE, Sandbox, USAGE, key, printed, prove_arguments};

fn code(sandbox: &Sandbox, arguments: &[&str]) -> i32 {
    let (code, _) = printed(sandbox.command(arguments).output().expect("it starts"));
    code.expect("it was not killed")
}

#[test]
fn a_wrong_file_a_wrong_command_line_and_a_missing_thing_differ() {
    let sandbox = Sandbox::with_batch(2);
    sandbox.prove("proof.bin", &[]);
    let mut bytes = sandbox.read("proof.bin");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    sandbox.write("false.bin", &bytes);
    let batch = sandbox.read("batch.bin");
    sandbox.write("short.bin", &batch[..batch.len() - 1]);
    sandbox.write("header.bin", &batch[..5]);
    sandbox.write("text", b"text");
    fs::create_dir(sandbox.path("folder")).expect("a folder");
    let key = key().to_str().expect("plain names");
    let fleet = ["--database", "sqlite://fleet.db", "--store", "store"];
    let cases: [(i32, &[&str]); 20] = [
        (0, &["verify", "proof.bin", "--key", key]),
        (INVALID, &["verify", "false.bin", "--key", key]),
        (INVALID, &["verify", "text"]),
        (INVALID, &["verify", "proof.bin", "--key", "text"]),
        (INVALID, &["execute", "short.bin"]),
        (INVALID, &["execute", "header.bin"]),
        (INVALID, &["execute", "batch.bin", "--state", "batch.bin"]),
        (INVALID, &["inspect", "text"]),
        (USAGE, &["verify"]),
        (USAGE, &["no-such-command"]),
        (USAGE, &["execute", "batch.bin", "--state-out", "batch.bin"]),
        (
            USAGE,
            &["execute", "batch.bin", "--receipts", "-", "--json"],
        ),
        (
            USAGE,
            &["replay", "trace.csv", "-o", "r", "--fee", "281474976710656"],
        ),
        (USAGE, &["status", "--database", "mysql://host/fleet"]),
        (CANNOT, &["verify", "none"]),
        (CANNOT, &["execute", "batch.bin", "--state", "none"]),
        (CANNOT, &["execute", "batch.bin", "--state", "folder"]),
        (
            CANNOT,
            &["execute", "batch.bin", "--receipts", "/proc/file"],
        ),
        (CANNOT, &["key", "-o", "text/key", "--profile", PROFILE]),
        (
            CANNOT,
            &[&["fetch", "3f9a", "-o", "p"], &fleet[..]].concat(),
        ),
    ];
    for (expected, arguments) in cases {
        assert_eq!(code(&sandbox, arguments), expected, "{arguments:?}");
    }
    let help = sandbox.ok(&["--help"]).out;
    for line in ["0  done", "1  invalid", "2  usage", "3  cannot"] {
        assert!(help.contains(line), "{help}");
    }
}

#[test]
fn a_state_that_is_damaged_and_one_that_is_in_use_differ() {
    let chain = Chain::new(1, 5, 30);
    let sandbox = &chain.sandbox;
    chain.import("ledger");
    let check = ["state", "check", "--state", "ledger"];
    assert_eq!(code(sandbox, &check), 0);
    let held = shardfold_store::Store::open(&sandbox.path("ledger")).expect("a state");
    assert_eq!(code(sandbox, &check), CANNOT);
    drop(held);
    let whole = sandbox.read("ledger/state.redb");
    sandbox.write("ledger/state.redb", &whole[..whole.len() / 2]);
    assert_eq!(code(sandbox, &check), INVALID);
    sandbox.write("ledger/state.redb", &[7; 1 << 16]);
    assert_eq!(code(sandbox, &check), INVALID);
}

/// A proof that no reader takes is lost by what is around the command, not by its batch.
#[test]
fn a_full_device_is_no_wrong_batch() {
    let sandbox = Sandbox::with_batch(1);
    let arguments = [&prove_arguments("/dev/full")[..], &["--work-dir", "w"]].concat();
    assert_eq!(code(&sandbox, &arguments), CANNOT);
}
