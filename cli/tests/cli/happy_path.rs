//! From a trace to a proof that verifies.

use serde_json::Value;

use crate::common::{PROFILE, Sandbox, key};

#[test]
fn imported_traffic_is_executed_proven_and_verified() {
    let sandbox = Sandbox::new();
    sandbox.write_trace();
    let imported = sandbox.ok(&["import", "trace.csv", "-o", "run"]);
    assert_eq!(
        imported.count("10 transfers of 2 assets"),
        1,
        "{imported:?}"
    );
    assert_eq!(imported.count("1 swaps skipped"), 1, "{imported:?}");
    assert_eq!(imported.count("second vault of the same owner"), 1);

    let executed = sandbox
        .ok(&[
            "execute",
            "run/batch.bin",
            "--state-out",
            "next.bin",
            "--receipts",
            "receipts.json",
            "--json",
        ])
        .json();
    assert_eq!(executed["transactions"], 10);
    assert_eq!(executed["rejected"], 0);
    assert_eq!(executed["tx_count"], 10);
    let receipts: Value = serde_json::from_slice(&sandbox.read("receipts.json")).unwrap();
    let places: Vec<_> = receipts
        .as_array()
        .unwrap()
        .iter()
        .map(|r| &r["place"])
        .collect();
    let expected: Vec<String> = (0..10).map(|place| place.to_string()).collect();
    assert_eq!(places, expected.iter().collect::<Vec<_>>());

    let printed = sandbox.ok(&[
        "prove",
        "run/batch.bin",
        "-o",
        "proof.bin",
        "--profile",
        PROFILE,
        "--json",
    ]);
    assert_eq!(
        printed.out.lines().count(),
        1,
        "only the object is for machines"
    );
    let proven = printed.json();
    for report in [&executed, &proven] {
        assert!(report["seconds"].as_f64().unwrap() > 0.0);
        assert!(report["tx_per_second"].as_f64().unwrap() > 0.0);
        assert!(report["peak_memory_bytes"].as_u64().unwrap() > 1 << 20);
        assert!(report["stages"]["execute"].as_f64().unwrap() > 0.0);
    }
    for stage in ["stark", "shard_circuit", "aggregate", "circuits"] {
        assert!(proven["stages"][stage].as_f64().unwrap() > 0.0, "{stage}");
    }
    for field in ["transactions", "rejected", "state_root", "tx_count"] {
        assert_eq!(executed[field], proven[field], "{field}");
    }
    assert!(!sandbox.exists("proof.bin.partial"));

    let verified = sandbox.verify("proof.bin");
    assert_eq!(verified["valid"], true);
    assert_eq!(verified["transactions"], 10);
    assert_eq!(verified["after"]["state_root"], executed["state_root"]);
    assert_eq!(verified["after"]["tx_count"], executed["tx_count"]);
    assert_eq!(verified["before"]["tx_count"], 0);
    let next = inspect(&sandbox, "next.bin");
    assert_eq!(next["state root"], executed["state_root"]);
    let before = inspect(&sandbox, "run/batch.bin");
    assert_eq!(
        verified["before"]["state_root"],
        before["state root before"]
    );
    assert_eq!(before["of these"], "10 transfer");
    assert_eq!(inspect(&sandbox, "run/genesis.bin")["kind"], "state");
    assert_eq!(inspect(&sandbox, "proof.bin")["kind"], "validity proof");
    let key_place = key().to_str().unwrap();
    let key = inspect(&sandbox, key_place);
    assert_eq!(
        (&key["kind"], &key["id"]),
        (&"verification key".into(), &verified["key"])
    );

    let shown = sandbox.ok(&["verify", "proof.bin", "--key", key_place]);
    assert!(shown.count(executed["state_root"].as_str().unwrap()) > 0);
    let demand = [
        "verify",
        "proof.bin",
        "--key",
        key_place,
        "--min-security",
        "100",
    ];
    let error = sandbox.refused(&demand);
    assert!(error.contains("100 proven bits are asked for"), "{error}");
}

fn inspect(sandbox: &Sandbox, file: &str) -> Value {
    let report = sandbox.ok(&["inspect", file, "--json"]).json();
    let plain = sandbox.ok(&["inspect", file]);
    let title = format!("{file}: {}, ", report["kind"].as_str().unwrap());
    assert_eq!(plain.count(&title), 1, "{plain:?}");
    report
}

#[test]
fn both_executors_and_both_forms_of_a_batch_agree() {
    let sandbox = Sandbox::with_batch(10);
    sandbox.ok(&["import", "trace.csv", "-o", ".", "--format", "json"]);
    let root = |arguments: &[&str]| sandbox.ok(arguments).json()["state_root"].clone();
    let parallel = root(&["execute", "batch.bin", "--json"]);
    let others = [
        ["execute", "batch.bin", "--json", "--sequential"].as_slice(),
        &["execute", "batch.bin", "--json", "--threads", "1"],
        &["execute", "batch.json", "--json"],
    ];
    for arguments in others {
        assert_eq!(root(arguments), parallel, "{arguments:?}");
    }
}

#[test]
fn deposits_open_and_fund_the_vaults_in_the_proof() {
    let sandbox = Sandbox::new();
    sandbox.write_trace();
    sandbox.ok(&[
        "import",
        "trace.csv",
        "-o",
        ".",
        "--deposits",
        "--limit",
        "2",
    ]);
    let executed = sandbox.ok(&["execute", "batch.bin", "--json"]).json();
    sandbox.prove("proof.bin", &[]);
    let verified = sandbox.verify("proof.bin");
    // Two fee vaults and two senders.
    assert_eq!(verified["after"]["queue_count"], 4);
    assert_eq!(verified["transactions"], 6);
    assert_eq!(verified["after"]["state_root"], executed["state_root"]);
    assert_ne!(
        verified["after"]["queue_commitment"],
        verified["before"]["queue_commitment"]
    );
}

/// Batches of one shard and of several; ten transfers are proven above.
#[test]
fn one_key_verifies_batches_of_any_size() {
    for transfers in [1, 5] {
        let sandbox = Sandbox::with_batch(transfers);
        sandbox.prove("proof.bin", &["--memory", "1M"]);
        assert_eq!(sandbox.verify("proof.bin")["transactions"], transfers);
    }
}

#[test]
fn a_proof_can_follow_on_the_state_after_another() {
    let sandbox = Sandbox::with_batch(10);
    let all = sandbox.ok(&["execute", "batch.bin", "--json"]).json();
    sandbox.ok(&["execute", "batch.bin", "--state-out", "next.bin"]);
    let again = sandbox.ok(&["inspect", "next.bin", "--json"]).json();
    assert_eq!(again["transactions"], "10");
    assert_eq!(again["state root"], all["state_root"]);
    let error = sandbox.refused(&["execute", "batch.bin", "--state", "next.bin"]);
    assert!(
        error.contains("starts at transaction 0 ") && error.contains("expected transaction 10 "),
        "{error}"
    );
}

#[test]
fn every_command_shows_an_example() {
    let sandbox = Sandbox::new();
    let commands = [
        "import",
        "execute",
        "prove",
        "cost",
        "verify",
        "state",
        "inspect",
        "params",
        "setup",
        "key",
        "completions",
    ];
    for command in commands {
        let help = sandbox.ok(&[command, "--help"]).out;
        assert!(
            help.contains(&format!("\n  shardfold {command} ")),
            "{help}"
        );
        assert!(!help.contains(PROFILE), "{command} offers the test profile");
    }
    let general = sandbox.ok(&["--help"]);
    for command in commands {
        assert!(
            general.out.contains(&format!("\n  {command} ")),
            "{command}"
        );
    }
    assert!(sandbox.ok(&["--version"]).out.starts_with("shardfold "));
}

/// The verb of earlier versions is not shown, and works.
#[test]
fn replay_still_imports() {
    let sandbox = Sandbox::with_batch(10);
    sandbox.ok(&["replay", "trace.csv", "-o", "old"]);
    for name in ["genesis.bin", "batch.bin"] {
        assert_eq!(sandbox.read(name), sandbox.read(format!("old/{name}")));
    }
    assert!(!sandbox.ok(&["--help"]).out.contains("replay"));
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let script = Sandbox::new().ok(&["completions", shell]).out;
        assert!(
            script.contains("shardfold") && script.contains("verify"),
            "{shell}"
        );
    }
}

#[test]
fn the_parameters_of_a_profile_are_printed() {
    let sandbox = Sandbox::new();
    let arguments = ["params", "--profile", "proven-100", "--json"];
    let report = sandbox.ok(&arguments).json();
    assert!(
        report[0]["proven_bits"].as_f64().unwrap() >= 100.0,
        "{report}"
    );
    let plain = sandbox.ok(&["params", "--profile", "proven-100"]);
    assert_eq!(plain.count("plonky2"), 1, "{plain:?}");
    for theorem in [
        "unique",
        "BCHKS25",
        "printed",
        "DKT26",
        "conjectured",
        "bound by",
    ] {
        assert!(plain.count(theorem) > 0, "{theorem}: {plain:?}");
    }
    for layer in report[0]["layers"].as_array().unwrap() {
        assert!(layer["proven_bits"].as_f64().unwrap() >= 100.0, "{layer}");
    }
}
