//! `prove` on a state database: the batch is applied first, and proven from its witnesses.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use shardfold_protocol::head::Head;
use shardfold_protocol::text::digest::to_hex;
use shardfold_recursion::profile::Profile;
use shardfold_store::View;

use crate::chain::Chain;
use crate::common::{CANNOT, PROFILE, printed};

fn prove<'a>(batches: &[&'a str], output: &'a str) -> Vec<&'a str> {
    let options = ["--state", "ledger", "--profile", PROFILE, "-o", output];
    [&["prove"], batches, &options].concat()
}

fn leads(verified: &Value, before: &Head, after: &Head) {
    assert_eq!(verified["valid"], true);
    for (name, head) in [("before", before), ("after", after)] {
        assert_eq!(verified[name]["state_root"], to_hex(&head.state_root));
        assert_eq!(verified[name]["tx_count"], head.tx_count);
    }
}

fn witnesses(chain: &Chain, folder: &str) -> Vec<String> {
    chain.sandbox.names(&format!("{folder}/objects/witness"))
}

#[test]
fn batches_are_applied_and_proven_in_order() {
    let chain = Chain::cut_for(Profile::UnsoundTest, 3, 3, 10);
    let sandbox = &chain.sandbox;
    chain.import("ledger");
    sandbox.ok(&prove(&["0.bin"], "0.proof"));
    // The first one is proven already, the second one is only applied.
    let mut command = sandbox.command(&prove(&["1.bin"], "/dev/full"));
    let output = command
        .args(["--work-dir", "proofs/1.proof.partial"])
        .output();
    let (code, failed) = printed(output.expect("it starts"));
    assert_eq!(
        (code, failed.count("No space left")),
        (Some(CANNOT), 1),
        "{failed:?}"
    );
    fs::copy(sandbox.path("0.proof"), sandbox.path("proofs/0.proof")).expect("a copy");

    let mut arguments = prove(&["0.bin", "1.bin", "2.bin"], "proofs");
    arguments.push("--json");
    let all = sandbox.ok(&arguments);
    let reports = all
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let reports: Vec<Value> = reports.collect();
    assert_eq!(reports.len(), 3);
    for (number, report) in reports.iter().enumerate() {
        assert_eq!(report["batch"], Chain::batch(number));
        assert_eq!(report["proof"], format!("proofs/{number}.proof"));
        assert_eq!(
            report["state_root"],
            to_hex(&chain.heads[number + 1].state_root)
        );
        assert_eq!(report["already_applied"], number < 2);
    }
    assert_eq!(reports[0]["tx_per_second"], 0.0);
    assert_eq!(all.count("was already applied"), 2, "{all:?}");
    assert_eq!(all.count("proofs/0.proof proves it"), 1, "{all:?}");
    assert!(all.count("proven by an earlier run") > 0, "{all:?}");
    for number in 0..3 {
        let verified = sandbox.verify(&format!("proofs/{number}.proof"));
        leads(&verified, &chain.heads[number], &chain.heads[number + 1]);
        assert!(!sandbox.exists(format!("proofs/{number}.proof.partial")));
    }
    let view = View::open(&sandbox.path("ledger")).expect("a state");
    assert_eq!(*view.head(), chain.heads[3]);
}

#[test]
fn a_run_killed_after_the_batch_was_applied_continues() {
    let chain = Chain::cut_for(Profile::UnsoundTest, 1, 10, 12);
    let sandbox = &chain.sandbox;
    chain.import("ledger");
    let mut child = sandbox
        .command(&prove(&["0.bin"], "proof.bin"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let start = Instant::now();
    let is_applied = || {
        let view = View::open(&sandbox.path("ledger"));
        view.is_ok_and(|view| *view.head() == chain.heads[1])
    };
    while !is_applied() {
        assert!(start.elapsed() < Duration::from_secs(300), "never applied");
        sleep(Duration::from_millis(2));
    }
    child.kill().expect("it still runs");
    assert!(!child.wait().expect("it ends").success());
    assert!(!sandbox.exists("proof.bin"));
    assert!(!witnesses(&chain, "proof.bin.partial").is_empty());

    // Without the witnesses nothing can be proven, and nothing is lost.
    fs::rename(sandbox.path("proof.bin.partial"), sandbox.path("kept")).expect("renamed");
    let error = sandbox.refused(&prove(&["0.bin"], "proof.bin"));
    assert!(error.contains("witnesses are not in"), "{error}");
    fs::rename(sandbox.path("kept"), sandbox.path("proof.bin.partial")).expect("renamed");

    copy_all(&sandbox.path("proof.bin.partial"), &sandbox.path("kept"));
    let again = sandbox.ok(&prove(&["0.bin"], "proof.bin"));
    assert_eq!(again.count("was already applied"), 1, "{again:?}");
    leads(
        &sandbox.verify("proof.bin"),
        &chain.heads[0],
        &chain.heads[1],
    );
    assert!(!sandbox.exists("proof.bin.partial"));

    // A run that is killed once the proof is written leaves everything, or not all of it.
    for missing in ["witness", "part", "nothing"] {
        copy_all(&sandbox.path("kept"), &sandbox.path("proof.bin.partial"));
        let objects = format!("proof.bin.partial/objects/{missing}");
        let _ = fs::remove_dir_all(sandbox.path(objects));
        let done = sandbox.ok(&prove(&["0.bin"], "proof.bin"));
        assert_eq!(done.count("proof.bin proves it"), 1, "{done:?}");
        assert!(!sandbox.exists("proof.bin.partial"), "without {missing}");
    }

    // The last thing that is removed is the manifest.
    copy_all(&sandbox.path("kept"), &sandbox.path("proof.bin.partial"));
    sandbox.remove_queue("proof.bin.partial");
    let done = sandbox.ok(&prove(&["0.bin"], "proof.bin"));
    assert_eq!(done.count("proof.bin proves it"), 1, "{done:?}");
    assert!(!sandbox.exists("proof.bin.partial"), "without a queue");

    // A witness that is lost is missed.
    fs::remove_file(sandbox.path("proof.bin")).expect("it is there");
    copy_all(&sandbox.path("kept"), &sandbox.path("proof.bin.partial"));
    let shards = witnesses(&chain, "proof.bin.partial");
    assert!(shards.len() > 1);
    fs::remove_file(sandbox.path(format!("proof.bin.partial/objects/witness/{}", shards[0])))
        .expect("it is there");
    let (code, failed) = printed(
        sandbox
            .command(&prove(&["0.bin"], "proof.bin"))
            .output()
            .expect("it starts"),
    );
    assert_eq!(code, Some(1));
    assert_eq!(
        failed.count(&format!("no object witness/{}", shards[0])),
        1,
        "{failed:?}"
    );
}

/// Copies a folder into another one, which is made if it is not there.
fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("it is there").flatten() {
        let place = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy_all(&entry.path(), &place),
            false => drop(fs::copy(entry.path(), place).expect("a copy")),
        }
    }
}

#[test]
fn what_cannot_be_proven_is_not_applied() {
    let chain = Chain::cut_for(Profile::UnsoundTest, 2, 3, 10);
    let sandbox = &chain.sandbox;
    chain.import("ledger");
    let error = sandbox.refused(&prove(&["1.bin"], "proof.bin"));
    assert!(
        error.contains("starts at transaction 3 ") && error.contains("expected transaction 0 "),
        "{error}"
    );
    let error = sandbox.refused(&prove(&["0.bin", "0.bin"], "proofs"));
    assert!(
        error.contains("two batches would have the proof"),
        "{error}"
    );
    let arguments = [
        "prove",
        "0.bin",
        "1.bin",
        "-o",
        "proofs",
        "--profile",
        PROFILE,
    ];
    let error = sandbox.refused(&arguments);
    assert!(
        error.contains("need the folder of a state database"),
        "{error}"
    );
    let view = View::open(&sandbox.path("ledger")).expect("a state");
    assert_eq!(*view.head(), chain.heads[0]);
}
