//! Settlement proofs that `prove` and a fleet in a folder make.

use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::common::{CANNOT, PROFILE, Sandbox, USAGE, printed, prove_arguments};

/// A fleet in the sandbox's folder.
const FLEET: [&str; 4] = ["--database", "sqlite://fleet.db", "--store", "store"];

fn fleet(sandbox: &Sandbox, arguments: &[&str]) -> String {
    let printed = sandbox.ok(&[arguments, &FLEET].concat());
    printed.out.trim().to_owned()
}

/// Checks that the settlement proof says what the validity proof does, and that `settle-call` takes
/// it as one whose data go there.
fn check(sandbox: &Sandbox, data: &str) {
    let key = [
        "key",
        "--settlement",
        "-o",
        "settlement.key",
        "--profile",
        PROFILE,
    ];
    sandbox.ok(&key);
    let verify = [
        "verify",
        "settlement.bin",
        "--key",
        "settlement.key",
        "--json",
    ];
    let settlement = sandbox.ok(&verify).json();
    let validity = sandbox.verify("proof.bin");
    for field in ["chain_id", "before", "after", "transactions"] {
        assert_eq!(settlement[field], validity[field], "{field}");
    }
    let call = ["settle-call", "settlement.bin"];
    let call = [&call[..], &["--blobs", "blobs", "--json"]].concat();
    assert_eq!(sandbox.ok(&call).json()["data"], data);
}

#[test]
fn a_fleet_makes_both_proofs_of_a_batch_that_is_part_of_the_ledger() {
    let sandbox = Sandbox::with_batch(3);
    sandbox.ok(&["state", "import", "genesis.bin", "--state", "ledger"]);
    let submit = [
        "submit",
        "batch.bin",
        "--profile",
        PROFILE,
        "--state",
        "ledger",
    ];
    let plain = fleet(&sandbox, &submit);
    // It is applied by now: its differences come from what the store has of it.
    let settlement = ["--settlement", "--changes", "changes.bin"];
    let in_calldata = [&submit[..], &settlement].concat();
    let in_blobs = [&in_calldata[..], &["--data", "blobs"]].concat();
    let (calldata, blobs) = (fleet(&sandbox, &in_calldata), fleet(&sandbox, &in_blobs));
    assert!(plain != calldata && calldata != blobs && plain != blobs);
    assert_eq!(fleet(&sandbox, &in_blobs), blobs);
    fleet(&sandbox, &["cancel", &calldata]);

    let key = sandbox.ok(&["worker-key", "a.key"]);
    fleet(&sandbox, &["register", "a", key.out.trim()]);
    fleet(
        &sandbox,
        &[
            "worker",
            "--key",
            "a.key",
            "--profile",
            PROFILE,
            "--until-idle",
        ],
    );
    let fetch = ["-o", "proof.bin", "--settlement", "settlement.bin"];
    fleet(&sandbox, &[&["fetch", &blobs][..], &fetch].concat());
    check(&sandbox, "blobs");

    let refused = [&["fetch", &plain][..], &fetch, &FLEET].concat();
    let (code, error) = printed(sandbox.command(&refused).output().expect("it starts"));
    assert_eq!(code, Some(CANNOT), "{error:?}");
    assert!(error.err.contains("without --settlement"), "{error:?}");
    fleet(&sandbox, &["fetch", &plain, "-o", "plain.bin"]);
    for batch in [&plain, &blobs, &calldata] {
        fleet(&sandbox, &["delete", batch]);
    }
    assert_eq!(sandbox.names("store/witness"), [""; 0]);
}

#[test]
fn a_run_killed_while_it_makes_the_settlement_proof_continues() {
    let sandbox = Sandbox::with_batch(3);
    sandbox.ok(&["state", "import", "genesis.bin", "--state", "ledger"]);
    let settlement = ["--settlement", "settlement.bin", "--threads", "2"];
    let changes = ["--changes", "changes.bin", "--state", "ledger"];
    let arguments = [&prove_arguments("proof.bin")[..], &settlement, &changes].concat();
    let mut child = sandbox
        .command(&arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let start = Instant::now();
    // The validity proof is there.
    while sandbox.names("proof.bin.partial/objects/proof").is_empty() {
        assert!(start.elapsed() < Duration::from_secs(300), "no proof");
        sleep(Duration::from_millis(5));
    }
    child.kill().expect("it still runs");
    assert!(!child.wait().expect("it ends").success());
    assert!(!sandbox.exists("settlement.bin"));
    // The ledger has gone on: what is lost of the changes is made of the witnesses that were left.
    let changes = sandbox.read("changes.bin");
    std::fs::remove_file(sandbox.path("changes.bin")).expect("it was written");

    let run = sandbox.ok(&arguments);
    assert_eq!(run.count("STARK in"), 0, "{run:?}");
    assert_eq!(run.count("settlement proof in"), 1, "{run:?}");
    assert_eq!(run.count("data in calldata, checked"), 1, "{run:?}");
    assert!(!sandbox.exists("proof.bin.partial"));
    assert_eq!(sandbox.read("changes.bin"), changes);
    check(&sandbox, "calldata");
}

#[test]
fn what_has_no_settlement_proof_is_said_before_the_work() {
    let sandbox = Sandbox::with_batch(1);
    let prove = prove_arguments("proof.bin");
    for more in [
        &["--settlement", "settlement.bin"][..],
        &["--data", "blobs"],
        &["batch.bin", "--settlement", "s.bin", "--changes", "c.bin"],
    ] {
        let arguments = [&prove[..], more].concat();
        let (code, error) = printed(sandbox.command(&arguments).output().expect("it starts"));
        assert_eq!(code, Some(USAGE), "{error:?}");
        assert!(error.err.contains("--settlement"), "{error:?}");
    }
}
