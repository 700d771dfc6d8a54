//! `cost` says what a proof takes without making one; `prove` measures for it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::common::{CANNOT, INVALID, PROFILE, Sandbox, USAGE, cache, files_in, printed};

/// Block 12459406: real transfers and swaps.
const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/block-12459406");

/// The block in a folder of its own, where nothing was measured.
fn block() -> Sandbox {
    let sandbox = Sandbox::new();
    for name in ["batch.bin", "genesis.bin"] {
        let bytes = fs::read(Path::new(EXAMPLE).join(name)).expect("the example is there");
        sandbox.write(name, &bytes);
    }
    sandbox
}

/// Ten transfers, and a cache of its own with the circuits of the shared one and no rates.
fn transfers() -> Sandbox {
    let sandbox = Sandbox::with_batch(10);
    for entry in fs::read_dir(cache()).expect("the cache is there") {
        let folder = entry.expect("an entry").path();
        let own = sandbox
            .path("cache")
            .join(folder.file_name().expect("a name"));
        fs::create_dir_all(&own).expect("a folder");
        for circuit in fs::read_dir(&folder).into_iter().flatten() {
            let circuit = circuit.expect("an entry").path();
            if circuit.extension().is_some_and(|kind| kind == "circuit") {
                let name = circuit.file_name().expect("a name");
                symlink(&circuit, own.join(name)).expect("a link");
            }
        }
    }
    sandbox
}

fn rates(sandbox: &Sandbox) -> Vec<PathBuf> {
    let folders = sandbox.names("cache").into_iter();
    let places = folders.map(|name| sandbox.path("cache").join(name).join("rates.json"));
    places.filter(|path| path.exists()).collect()
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("found {value}, expected a number"))
}

/// What all parts of the cells add up to.
fn cells(report: &Value) -> u64 {
    let contracts = report["contracts"].as_array().expect("a list").iter();
    let contracts = contracts.map(|contract| contract["cells"].as_u64().expect("cells"));
    let shared = report["shared"].as_object().expect("an object").values();
    let shared = shared.map(|cells| cells.as_u64().expect("cells"));
    contracts.chain(shared).sum()
}

#[test]
fn the_cells_of_a_block_are_counted_without_rates() {
    let sandbox = block();
    let before = sandbox.files();
    let arguments = ["cost", "batch.bin", "--cache", "cache", "--threads", "2"];
    let text = sandbox.ok(&arguments);
    let report = sandbox.ok(&[&arguments[..], &["--json"]].concat());
    assert_eq!(
        report.out.lines().count(),
        1,
        "only the object is for machines"
    );
    let report = report.json();
    assert!(before == sandbox.files(), "files have changed");

    let shards = report["shards"].as_array().expect("a list");
    let of_shards: u64 = shards
        .iter()
        .map(|s| s["cells"].as_u64().expect("cells"))
        .sum();
    assert_eq!(cells(&report), report["cells"]);
    assert_eq!(of_shards, report["cells"]);
    let transactions: u64 = shards
        .iter()
        .map(|shard| shard["transactions"].as_u64().expect("a number"))
        .sum();
    assert_eq!(transactions, report["transactions"]);
    let executed = sandbox.ok(&["execute", "batch.bin", "--json"]).json();
    assert_eq!(report["transactions"], executed["transactions"]);
    for shard in shards {
        for (name, room) in shard["used"].as_object().expect("an object") {
            assert!(number(&room["used"]) <= number(&room["limit"]), "{name}");
        }
        assert!(number(&shard["used"]["signatures"]["used"]) > 0.0);
    }
    let contracts = report["contracts"].as_array().expect("a list");
    for contract in contracts {
        let cells = number(&contract["cells_each"]) * number(&contract["transactions"]);
        assert!(
            (cells - number(&contract["cells"])).abs() < 1.0,
            "{contract}"
        );
        let name = contract["name"].as_str().expect("a name");
        assert_eq!(text.count(&format!("  {name} ")), 1, "{text:?}");
    }
    assert!(contracts.iter().any(|own| own["name"] == "transfer"));
    assert_eq!(report["prediction"], Value::Null);
    assert_eq!(report["profile"], "proven-100");
    assert_eq!(text.count("nothing was measured on this machine yet"), 1);
    for line in ["padding", "fixed tables", "permutations", "shard 1 of "] {
        assert!(text.count(line) > 0, "{line}: {text:?}");
    }
}

#[test]
fn a_state_database_is_only_read() {
    let sandbox = block();
    sandbox.ok(&["state", "import", "genesis.bin", "--state", "ledger"]);
    let before = files_in(&sandbox.path("ledger"));
    let arguments = ["cost", "batch.bin", "--cache", "cache", "--json"];
    let on_ledger = [&arguments[..], &["--state", "ledger"]].concat();
    assert_eq!(sandbox.ok(&on_ledger).json(), sandbox.ok(&arguments).json());
    assert!(
        before == files_in(&sandbox.path("ledger")),
        "it has changed"
    );
    let history = sandbox.ok(&["state", "history", "--state", "ledger", "--json"]);
    assert!(!history.out.contains("before"), "{history:?}");

    sandbox.ok(&["execute", "batch.bin", "--state", "ledger"]);
    let error = sandbox.refused(&on_ledger);
    assert!(
        error.contains("batch.bin was already applied to this state: name the state before it"),
        "{error}"
    );
}

#[test]
fn a_batch_costs_what_it_costs() {
    let sandbox = block();
    let arguments = ["cost", "batch.bin", "--cache", "cache"];
    let printed = sandbox.ok(&[&arguments[..], &["--json"]].concat());
    sandbox.write("before.json", printed.out.as_bytes());
    let diff = [&arguments[..], &["--diff", "before.json"]].concat();
    let report = sandbox.ok(&[&diff[..], &["--json"]].concat()).json();
    let diff_of = &report["diff"];
    assert_eq!(diff_of["against"], "before.json");
    for name in ["transactions", "shards", "cells"] {
        assert_eq!(diff_of[name]["ratio"], 1.0, "{name}");
        assert_eq!(diff_of[name]["before"], diff_of[name]["after"], "{name}");
    }
    assert_eq!(diff_of["seconds"]["ratio"], Value::Null);
    let contracts = diff_of["contracts"].as_array().expect("a list");
    assert_eq!(
        contracts.len(),
        report["contracts"].as_array().expect("a list").len()
    );
    for contract in contracts {
        assert_eq!(contract["ratio"], 1.0, "{contract}");
    }

    // Another profile has other shapes, and the same transactions.
    let other = [&diff[..], &["--profile", PROFILE, "--json"]].concat();
    let other = sandbox.ok(&other).json();
    assert!(number(&other["diff"]["shards"]["ratio"]) > 1.0, "{other}");
    assert_eq!(other["diff"]["profile"], "proven-100");
    let text = sandbox.ok(&diff);
    assert_eq!(text.count("against before.json, profile proven-100"), 1);
    assert_eq!(text.count("transfer, cells each"), 1, "{text:?}");
    assert!(text.count("1.0000") >= 3, "{text:?}");
}

#[test]
fn what_cannot_be_counted_is_said() {
    let sandbox = block();
    sandbox.write("other.json", br#"{"transactions": 5}"#);
    sandbox.write(
        "newer.json",
        br#"{"cost": 2, "profile": "p", "transactions": 5,
        "shards": [], "contracts": [], "cells": 5, "prediction": null}"#,
    );
    let cases: [(&[&str], i32, &str); 8] = [
        (&["nowhere.bin"], CANNOT, "nowhere.bin"),
        (
            &["genesis.bin"],
            INVALID,
            "cannot read the batch genesis.bin",
        ),
        (
            &["batch.bin", "--state", "batch.bin"],
            INVALID,
            "cannot read the state batch.bin",
        ),
        (
            &["batch.bin", "--diff", "nowhere.json"],
            CANNOT,
            "cannot read nowhere.json",
        ),
        (
            &["batch.bin", "--diff", "genesis.bin"],
            INVALID,
            "genesis.bin is not what `shardfold cost --json` prints",
        ),
        (
            &["batch.bin", "--diff", "other.json"],
            INVALID,
            "missing field `cost`",
        ),
        (
            &["batch.bin", "--diff", "newer.json"],
            INVALID,
            "found `cost` of form 2, expected 1",
        ),
        (
            &["-", "--state", "genesis.bin", "--diff", "-"],
            USAGE,
            "standard input can be one of",
        ),
    ];
    for (arguments, code, expected) in cases {
        let arguments = [&["cost", "--cache", "cache"], arguments].concat();
        let error = sandbox.refused(&arguments);
        assert!(error.contains(expected), "{error}\n{expected}");
        let output = sandbox.command(&arguments).output().expect("it starts");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
    }
    for wrong in [
        &["--price", "-1"][..],
        &["--price", "much"],
        &["--threads", "0"],
    ] {
        let arguments = [&["cost", "batch.bin"], wrong].concat();
        let output = sandbox.command(&arguments).output().expect("it starts");
        let (code, printed) = printed(output);
        assert_eq!(code, Some(USAGE), "{printed:?}");
    }
    let mut command = sandbox.command(&["cost", "batch.bin", "--profile", PROFILE]);
    let output = command.env_remove(crate::common::ALLOW_UNSOUND).output();
    let (code, printed) = printed(output.expect("it starts"));
    assert_eq!(code, Some(USAGE));
    assert_eq!(printed.count("allow it with --allow-unsound"), 1);
}

#[test]
fn what_prove_measures_gives_seconds_and_money() {
    let sandbox = transfers();
    sandbox.ok(&["state", "import", "genesis.bin", "--state", "ledger"]);
    let more = ["--profile", PROFILE, "--cache", "cache", "--threads", "2"];
    let cost = [&["cost", "batch.bin", "--price", "3.6"], &more[..]].concat();
    let cost_json = [&cost[..], &["--json"]].concat();
    assert_eq!(sandbox.ok(&cost_json).json()["prediction"], Value::Null);
    assert_eq!(
        rates(&sandbox),
        Vec::<PathBuf>::new(),
        "`cost` has kept rates"
    );

    let prove = ["prove", "batch.bin", "-o", "proof.bin", "--price", "3.6"];
    let prove = [&prove[..], &more, &["--state", "ledger", "--json"]].concat();
    let proven = sandbox.ok(&prove).json();
    let [kept] = &rates(&sandbox)[..] else {
        panic!("found {:?}, expected one file of rates", rates(&sandbox));
    };
    let report = sandbox.ok(&cost_json).json();
    for name in ["shards", "contracts", "shared", "cells"] {
        assert_eq!(proven["cost"][name], report[name], "{name}");
    }
    assert_eq!(cells(&report), report["cells"]);
    let spent = &proven["cost"];
    assert_eq!(spent["seconds"], proven["seconds"]);
    // At 3.6 dollars an hour a second is a thousandth of a dollar.
    let (core_seconds, usd) = (number(&spent["core_seconds"]), number(&spent["usd"]));
    assert!((core_seconds / number(&spent["seconds"]) - 2.0).abs() < 1e-9);
    assert!((usd * 1000.0 / core_seconds - 1.0).abs() < 1e-9);

    let predicted = &report["prediction"];
    assert_eq!(predicted["without"], json!([]));
    assert_eq!(predicted["scaled"], json!([]));
    let stages = predicted["stages"].as_object().expect("an object");
    let names: Vec<_> = stages.keys().map(String::as_str).collect();
    let expected = [
        "aggregate",
        "circuits",
        "execute",
        "finish",
        "shard_circuit",
        "stark",
        "traces",
    ];
    assert_eq!(names, expected);
    let sum: f64 = stages.values().map(number).sum();
    assert!((sum / number(&predicted["seconds"]) - 1.0).abs() < 1e-9);
    // The batch that was measured takes as long again: reading and writing are not in it.
    let ratio = sum / number(&proven["seconds"]);
    assert!(ratio > 0.3 && ratio < 1.2, "{ratio}");
    let text = sandbox.ok(&cost);
    assert_eq!(text.count("measured here with 2 threads"), 1, "{text:?}");
    assert_eq!(text.count("USD at 3.6 USD for an hour of a core"), 1);

    let others = [&cost[..6], &["--cache", "cache", "--threads", "3"]].concat();
    let text = sandbox.ok(&others);
    assert_eq!(
        text.count("nothing was measured with 3 threads yet"),
        1,
        "{text:?}"
    );
    assert_eq!(text.count("how many there were: 2"), 1, "{text:?}");

    fs::write(kept, "no rates").expect("the file is there");
    let text = sandbox.ok(&cost);
    assert_eq!(text.count("rates.json cannot be used"), 1, "{text:?}");
    assert_eq!(text.count("no seconds and no price"), 1, "{text:?}");

    // Nothing is measured, and nothing is known of the shards, of what was proven before.
    let again = sandbox.ok(&prove).json();
    assert_eq!(again["already_applied"], true);
    assert_eq!(again["cost"], Value::Null);
    assert_eq!(fs::read(kept).expect("the file is there"), b"no rates");
    let anew = sandbox.ok(&[&prove[..12], &["--json"]].concat());
    assert_eq!(anew.count("they are measured anew"), 1, "{anew:?}");
    assert!(number(&sandbox.ok(&cost_json).json()["prediction"]["seconds"]) > 0.0);
}

/// A repository with a table of costs, in which the script is run.
fn compare(sandbox: &Sandbox, setup: &str) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/costs-against.sh");
    fs::create_dir_all(sandbox.path("scripts")).expect("a folder");
    fs::copy(script, sandbox.path("scripts/costs-against.sh")).expect("the script is there");
    let shell = format!("set -euo pipefail\n{setup}\nscripts/costs-against.sh");
    let output = Command::new("bash")
        .args(["-c", &shell])
        .current_dir(sandbox.path("."))
        .output()
        .expect("bash starts");
    let (code, printed) = printed(output);
    assert_eq!(code, Some(0), "{printed:?}");
    printed.out
}

#[test]
fn the_script_prints_the_lines_that_cost_something_else() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path("docs")).expect("a folder");
    let table = |transfer: u32| {
        format!(
            "# Costs\n<!-- counted -->\n| step | cells |\n| --- | --- |\n\
             | transfer | {transfer} |\n| swap | 9 |\n<!-- end -->\n"
        )
    };
    sandbox.write("docs/costs.md", table(5).as_bytes());
    let nothing = compare(&sandbox, "git init --quiet --initial-branch=own .");
    assert!(nothing.contains("nothing to compare"), "{nothing}");

    let commit = "git add docs
        git -c user.name=test -c user.email=test commit --quiet --message=costs
        git branch main";
    let same = compare(&sandbox, commit);
    assert_eq!(same, "every contract costs what it costs at main\n");
    sandbox.write("docs/costs.md", table(6).as_bytes());
    let changed = compare(&sandbox, "");
    assert!(
        changed.contains("- | transfer | 5 |\n+ | transfer | 6 |\n"),
        "{changed}"
    );
    assert!(!changed.contains("swap"), "{changed}");
}
