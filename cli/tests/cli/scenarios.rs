//! Scenarios: the examples and the page's own run, batch after batch; a wrong one is told its line
//! and leaves everything as it was.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::common::{PROFILE, Sandbox};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The example of this name.
fn example(name: &str) -> String {
    fs::read_to_string(root().join("examples/scenarios").join(name)).expect("an example")
}

/// The blocks of the page that are scenarios.
fn blocks() -> Vec<String> {
    let page = fs::read_to_string(root().join("docs/scenarios.md")).expect("the page");
    let blocks = page.split("```toml\n").skip(1);
    let blocks = blocks.map(|rest| rest.split_once("```").expect("it ends").0.to_owned());
    blocks.collect()
}

/// Plays a scenario and runs its batches on a state database; returns what was printed, and the
/// names of the batches.
fn runs(sandbox: &Sandbox, text: &str) -> (String, Vec<String>) {
    sandbox.write("scenario.toml", text.as_bytes());
    let printed = sandbox.ok(&["import", "--scenario", "scenario.toml", "--out", "run"]);
    sandbox.ok(&["state", "import", "run/genesis.bin", "--state", "ledger"]);
    let names = sandbox.names("run").into_iter();
    let batches: Vec<_> = names.filter(|name| name.starts_with("batch")).collect();
    let mut root = String::new();
    for batch in &batches {
        let batch = format!("run/{batch}");
        let report = sandbox
            .ok(&["execute", &batch, "--state", "ledger", "--json"])
            .json();
        root = report["state_root"].as_str().expect("text").to_owned();
    }
    let last = printed.out.lines().last().expect("a line");
    assert_eq!(last, format!("state root {root} after all of it"));
    (printed.out, batches)
}

#[test]
fn every_example_and_every_block_of_the_page_runs() {
    let folder = fs::read_dir(root().join("examples/scenarios")).expect("the examples");
    let files = folder.map(|entry| entry.expect("an entry").path());
    let texts: Vec<String> = files
        .map(|path| fs::read_to_string(path).expect("text"))
        .collect();
    let blocks = blocks();
    assert!(texts.len() >= 2 && blocks.len() >= 2);
    assert_eq!(
        blocks[0],
        example("exchange.toml"),
        "the page shows the example"
    );
    for text in texts.iter().chain(&blocks) {
        let (_, batches) = runs(&Sandbox::new(), text);
        assert!(batches.len() > 1, "{text}");
    }
}

#[test]
fn what_the_page_says_that_import_prints_is_what_it_prints() {
    let (printed, _) = runs(&Sandbox::new(), &example("exchange.toml"));
    let page = fs::read_to_string(root().join("docs/scenarios.md")).expect("the page");
    for line in printed.lines().filter(|line| line.starts_with("line ")) {
        assert!(page.contains(line), "{line}");
    }
}

#[test]
fn receipts_say_what_each_transaction_gave() {
    let sandbox = Sandbox::new();
    sandbox.write("scenario.toml", example("exchange.toml").as_bytes());
    sandbox.ok(&["import", "--scenario", "scenario.toml", "-o", "."]);
    let quote = [
        "quote",
        "--state",
        "genesis.bin",
        "--pools",
        "5",
        "--asset-in",
        "0",
        "--amount-in",
        "1000000000",
        "--json",
    ];
    let quoted = sandbox.ok(&quote).json();
    sandbox.ok(&[
        "execute",
        "batch-1.bin",
        "--receipts",
        "parallel.json",
        "--state-out",
        "next.bin",
    ]);
    sandbox.ok(&[
        "execute",
        "batch-1.bin",
        "--receipts",
        "sequential.json",
        "--sequential",
    ]);
    assert_eq!(
        sandbox.read("parallel.json"),
        sandbox.read("sequential.json")
    );
    let receipts: Value = serde_json::from_slice(&sandbox.read("parallel.json")).expect("JSON");
    let [swap, refused] = receipts.as_array().expect("a list").as_slice() else {
        panic!("{receipts}");
    };
    assert_eq!(
        (&swap["place"], &swap["kind"]),
        (&json!("0"), &json!("swap_in"))
    );
    let amount = quoted["amount_out"].as_str().expect("text");
    let totals = json!({
        "paid": { "asset": 0, "amount": "1000000000" },
        "received": { "asset": 1, "amount": amount },
    });
    assert_eq!(swap["totals"], totals);
    let changes = |list: &Value| -> Vec<String> {
        let list = list.as_array().expect("a list").iter();
        list.map(|entry| entry["change"].as_str().expect("text").to_owned())
            .collect()
    };
    assert_eq!(
        changes(&swap["vaults"]),
        ["-1000000000".to_owned(), format!("+{amount}")]
    );
    assert_eq!(swap["records"][0]["kind"], "pool");
    let pool = json!({ "reserve_a": "+1000000000", "reserve_b": format!("-{amount}") });
    assert_eq!(swap["records"][0]["changes"], pool);
    assert_eq!(
        (&refused["reason"], &refused["place"]),
        (&json!("limit"), &Value::Null)
    );
    assert!(
        refused["rejected"]
            .as_str()
            .expect("text")
            .contains("misses the limit")
    );
    assert_eq!(refused.get("vaults"), None);
}

#[test]
fn a_pool_is_shown_as_a_pool() {
    let sandbox = Sandbox::new();
    runs(&sandbox, &example("exchange.toml"));
    let printed = sandbox.ok(&["inspect", "run/genesis.bin"]);
    let pool = "5: pool, asset a 0, asset b 1, reserve a 100000000000, reserve b 300000000000, \
                shares 173205080756, fee millionths 3000, mode 0, price 3";
    assert_eq!(printed.count(pool), 1, "{printed:?}");
    assert_eq!(printed.count("1 pool"), 1, "{printed:?}");
    let report = sandbox
        .ok(&[
            "state", "get", "2", "5", "99", "--state", "ledger", "--json",
        ])
        .json();
    let records = &report["records"];
    assert_eq!(records[0]["kind"], "vault");
    assert_eq!(records[1]["kind"], "pool");
    assert_eq!(records[1]["values"]["asset_b"], "1");
    assert_eq!(records[1]["vault"], Value::Null);
    assert_eq!(
        (&records[2]["kind"], &records[2]["values"]),
        (&Value::Null, &json!({}))
    );
    let gold = Sandbox::new();
    runs(&gold, &example("airdrop.toml"));
    gold.ok(&["state", "export", "--state", "ledger", "-o", "after.bin"]);
    let report = gold.ok(&["inspect", "after.bin", "--json"]).json();
    assert_eq!(report["records"][0]["kind"], "payout");
    assert_eq!(report["records"][0]["values"]["remaining"], "0");
}

#[test]
fn a_scenario_is_proven() {
    let sandbox = Sandbox::new();
    sandbox.write("scenario.toml", example("exchange.toml").as_bytes());
    let scenario = ["import", "--scenario", "scenario.toml", "-o", "run"];
    let printed = sandbox.ok(&[&scenario[..], &["--profile", PROFILE]].concat());
    sandbox.ok(&["state", "import", "run/genesis.bin", "--state", "ledger"]);
    let batches = ["prove", "run/batch-1.bin", "run/batch-2.bin"];
    let places = ["--state", "ledger", "-o", "proofs", "--profile", PROFILE];
    sandbox.ok(&[&batches[..], &places].concat());
    sandbox.verify("proofs/batch-1.proof");
    let report = sandbox.verify("proofs/batch-2.proof").to_string();
    let last = printed.out.lines().last().expect("a line");
    let root = last.split(' ').nth(2).expect("a root");
    assert!(report.contains(root), "{last}: {report}");
}

#[test]
fn a_wrong_scenario_is_told_its_line_and_writes_nothing() {
    let sandbox = Sandbox::new();
    let good = example("exchange.toml");
    runs(&sandbox, &good);
    let cases = [
        (
            good.replace("min = \"2950\"", "min = \"2000\""),
            "line 35, statement 2: found that the statement is accepted, expected that it is refused: limit",
        ),
        (
            good.replace("min = \"2900\"", "min = \"2990\""),
            "line 23, statement 1: found that the statement is refused: limit",
        ),
        (
            good.replace("swap = \"1 ETH\"", "swap = \"1 EHT\""),
            "line 26, statement 1: found no asset named `EHT`, expected one of ETH, USDC",
        ),
        (good.replace("decimals = 9", "decimals = nine"), "line 4"),
        (good.replace("[[do]]", "[[did]]"), "unknown field `did`"),
        (String::new(), "found no [[do]]"),
        ("\u{1}\u{2}".to_owned(), "line 1"),
    ];
    for (text, expected) in cases {
        sandbox.write("wrong.toml", text.as_bytes());
        for output in ["run", "new"] {
            let error = sandbox.refused(&["import", "--scenario", "wrong.toml", "-o", output]);
            assert!(error.contains(expected), "{error}\n{expected}");
            assert!(
                error.contains("cannot play the scenario wrong.toml"),
                "{error}"
            );
        }
    }
    sandbox.write("bytes.toml", &[0xff, 0xfe]);
    let error = sandbox.refused(&["import", "--scenario", "bytes.toml", "-o", "run"]);
    assert!(error.contains("no UTF-8 text"), "{error}");
    sandbox.refused(&["import", "--scenario", "missing.toml", "-o", "run"]);
    // An output that is the scenario itself.
    sandbox.write("run/names.csv", good.as_bytes());
    let error = sandbox.refused(&["import", "--scenario", "run/names.csv", "-o", "run"]);
    assert!(error.contains("which this command reads"), "{error}");
}

#[test]
fn a_trace_and_a_scenario_do_not_mix() {
    let sandbox = Sandbox::new();
    sandbox.write("scenario.toml", example("exchange.toml").as_bytes());
    sandbox.write_trace();
    for more in [
        &["trace.csv"][..],
        &["--fee", "5"],
        &["--time", "5"],
        &["--deposits"],
        &["--limit", "1"],
    ] {
        let scenario = ["import", "--scenario", "scenario.toml", "-o", "."];
        let mut command = sandbox.command(&[&scenario[..], more].concat());
        let output = command.output().expect("it starts");
        assert_eq!(
            output.status.code(),
            Some(crate::common::USAGE),
            "{output:?}"
        );
    }
    let output = sandbox
        .command(&["import", "-o", "."])
        .output()
        .expect("it starts");
    assert_eq!(
        output.status.code(),
        Some(crate::common::USAGE),
        "{output:?}"
    );
    let json = [
        "import",
        "--scenario",
        "scenario.toml",
        "-o",
        "json",
        "--format",
        "json",
    ];
    sandbox.ok(&json);
    sandbox.ok(&["execute", "json/batch-1.json"]);
}
