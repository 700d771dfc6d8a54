//! Traffic is imported exactly, and what is not exact is reported.

use serde_json::{Value, json};

use crate::common::Sandbox;

const TOKEN: &str = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48";

/// A folder with a trace of transfers, each of an asset and an amount.
fn with_transfers(transfers: &[(&str, &str)]) -> Sandbox {
    let sandbox = Sandbox::new();
    let line = |(asset, amount): &(&str, &str)| {
        let [from, to] = ["11".repeat(20), "22".repeat(20)];
        format!("transfer,0x{from},0x{to},{asset},{amount}\r\n")
    };
    let lines: String = transfers.iter().map(line).collect();
    let trace = format!("\u{feff}kind,from,to,asset_in,amount_in\r\n{lines}");
    sandbox.write("trace.csv", trace.as_bytes());
    sandbox
}

fn json_batch(sandbox: &Sandbox) -> Value {
    serde_json::from_slice(&sandbox.read("batch.json")).expect("JSON")
}

fn amounts(batch: &Value) -> Vec<&str> {
    let transactions = batch["content"]["transactions"].as_array().expect("a list");
    transactions
        .iter()
        .map(|entry| entry["transfer"]["amount"].as_str().expect("text"))
        .collect()
}

const TO_JSON: [&str; 6] = ["import", "trace.csv", "-o", ".", "--format", "json"];

#[test]
fn nothing_stays_nothing() {
    let sandbox = with_transfers(&[("eth", "0"), ("eth", "5"), ("eth", "000")]);
    let printed = sandbox.ok(&[&TO_JSON[..], &["--fee", "0"]].concat());
    assert_eq!(printed.count("scaled"), 0, "{printed:?}");
    assert_eq!(amounts(&json_batch(&sandbox)), ["0", "5", "0"]);
    let report = sandbox.ok(&["execute", "batch.json", "--json"]).json();
    assert_eq!(
        (&report["transactions"], &report["rejected"]),
        (&json!(3), &json!(0))
    );
}

#[test]
fn what_scaling_takes_is_reported_and_kept() {
    let large = "1234567890123456789012345";
    let lower = TOKEN.to_lowercase();
    let transfers = [
        ("eth", "3"),
        (TOKEN, large),
        (&lower, "7"),
        (&lower, "1000009"),
    ];
    let sandbox = with_transfers(&transfers);
    let printed = sandbox.ok(&TO_JSON);
    assert_eq!(printed.count("4 transfers of 2 assets"), 1, "{printed:?}");
    let line = format!(
        "{lower}: one unit is 10^7; 3 rounded down by 10012361 in all; 2 below one unit, 1000016 in all"
    );
    assert_eq!(printed.count(&line), 1, "{printed:?}");
    let table = String::from_utf8(sandbox.read("assets.csv")).expect("text");
    let rows: Vec<&str> = table.lines().skip(1).collect();
    let expected = format!("1,{lower},3,7,3,10012361,2,1000016");
    assert_eq!(rows, ["0,eth,1,0,0,0,0,0", &expected]);
    let batch = json_batch(&sandbox);
    assert_eq!(amounts(&batch), ["3", "123456789012345678", "0", "0"]);

    // A tool that keeps numbers as doubles changes nothing.
    let mut tool = batch.clone();
    through_doubles(&mut tool);
    assert_eq!(tool, batch);
    let report = sandbox.ok(&["execute", "batch.json", "--json"]).json();
    assert_eq!(report["rejected"], 0);
}

fn through_doubles(value: &mut Value) {
    match value {
        Value::Number(number) => *value = json!(number.as_f64().expect("a double") as u64),
        Value::Array(values) => values.iter_mut().for_each(through_doubles),
        Value::Object(members) => members.values_mut().for_each(through_doubles),
        _ => {}
    }
}

#[test]
fn fees_that_no_vault_can_hold_are_refused() {
    let sandbox = with_transfers(&vec![("eth", "1"); 33_000]);
    let fee = ((1_u64 << 46) - 1).to_string();
    let error = sandbox.refused(&["import", "trace.csv", "-o", "run", "--fee", &fee]);
    assert!(
        error.contains("the fees of 33000 transfers of eth"),
        "{error}"
    );
}

#[test]
fn a_transaction_of_two_kinds_is_refused_with_its_place() {
    let sandbox = with_transfers(&[("eth", "5"), ("eth", "6")]);
    sandbox.ok(&TO_JSON);
    let mut batch = json_batch(&sandbox);
    let transactions = &mut batch["content"]["transactions"];
    transactions[1]["withdraw"] = transactions[0]["transfer"].clone();
    sandbox.write("two.json", batch.to_string().as_bytes());
    let error = sandbox.refused(&["execute", "two.json"]);
    for expected in [
        "content.transactions[1]: a transaction has one kind",
        " line 1 ",
        " column ",
    ] {
        assert!(error.contains(expected), "{error}");
    }
}
