//! `quote` says what a swap would give, and why there is none.

use serde_json::{Value, json};

use crate::common::{INVALID, Sandbox, USAGE};

/// Three assets, and two pools in a row at indices 5 and 7.
const WORLD: &str = r#"
[[asset]]
name = "ETH"
decimals = 9
[[asset]]
name = "USDC"
decimals = 6
[[asset]]
name = "DAI"
decimals = 6
[[person]]
name = "alice"
has = { ETH = "10", DAI = "100" }
[[pool]]
name = "eth-usdc"
of = "alice"
has = { ETH = "100", USDC = "300000" }
[[pool]]
name = "usdc-dai"
of = "alice"
fee = "0.05%"
has = { USDC = "50000", DAI = "50000" }
[[do]]
at = 1
who = "alice"
swap = "2 ETH"
to = "DAI"
[[do]]
at = 2
who = "alice"
buy = "0.5 ETH"
with = "DAI"
"#;

fn world() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("scenario.toml", WORLD.as_bytes());
    sandbox.ok(&["import", "--scenario", "scenario.toml", "-o", "."]);
    sandbox.ok(&["state", "import", "genesis.bin", "--state", "ledger"]);
    sandbox
}

fn totals(sandbox: &Sandbox, batch: &str) -> Value {
    sandbox.ok(&[
        "execute",
        batch,
        "--state",
        "ledger",
        "--receipts",
        "receipts.json",
    ]);
    let receipts: Value = serde_json::from_slice(&sandbox.read("receipts.json")).expect("JSON");
    receipts[0]["totals"].clone()
}

#[test]
fn a_quote_is_what_the_swap_gives() {
    let sandbox = world();
    let forth = [
        "--pools",
        "5,7",
        "--asset-in",
        "0",
        "--amount-in",
        "2000000000",
        "--json",
    ];
    let file = sandbox.ok(&[&["quote", "--state", "genesis.bin"], &forth[..]].concat());
    let folder = sandbox.ok(&[&["quote", "--state", "ledger"], &forth[..]].concat());
    assert_eq!(file.json(), folder.json());
    let quoted = folder.json();
    let given = totals(&sandbox, "batch-1.bin");
    assert_eq!(quoted["amount_out"], given["received"]["amount"]);
    assert_eq!(quoted["asset_out"], given["received"]["asset"]);
    let hops = quoted["hops"].as_array().expect("a list");
    assert_eq!(hops[0]["amount_out"], hops[1]["amount_in"]);
    let impact = quoted["price_impact"].as_f64().expect("a number");
    assert!(impact > 0.05 && impact < 0.2, "{quoted}");

    let back = [
        "--pools",
        "7",
        "--pools",
        "5",
        "--asset-in",
        "2",
        "--amount-out",
        "500000000",
    ];
    let back = [&["quote", "--state", "ledger"], &back[..]].concat();
    let printed = sandbox.ok(&back);
    let quoted = sandbox.ok(&[&back[..], &["--json"]].concat()).json();
    assert_eq!(
        quoted["amount_in"],
        totals(&sandbox, "batch-2.bin")["paid"]["amount"]
    );
    assert_eq!(quoted["amount_out"], json!("500000000"));
    assert_eq!(
        printed.count("of asset 2 for 500000000 of asset 0, after transaction 1"),
        1,
        "{printed:?}"
    );
    assert_eq!(printed.count("  pool "), 2, "{printed:?}");
    assert_eq!(printed.count("price impact"), 3, "{printed:?}");
}

#[test]
fn what_cannot_be_swapped_is_said() {
    let sandbox = world();
    let cases: [(&[&str], i32, &str); 9] = [
        (
            &["5,7", "--asset-in", "2", "--amount-in", "5"],
            INVALID,
            "found asset 2 at pool 5, which is of assets 0 and 1: the path does not lead on",
        ),
        (
            &["7,5", "--asset-in", "1", "--amount-in", "5"],
            INVALID,
            "found asset 2 at pool 5",
        ),
        (
            &["3", "--asset-in", "0", "--amount-in", "5"],
            INVALID,
            "found a vault at index 3, expected a pool",
        ),
        (
            &["99", "--asset-in", "0", "--amount-in", "5"],
            INVALID,
            "found nothing at index 99, expected a pool",
        ),
        (
            &["5", "--asset-in", "0", "--amount-in", "0"],
            INVALID,
            "cannot serve a swap of 0 of asset 0",
        ),
        (
            &[
                "5",
                "--asset-in",
                "0",
                "--amount-in",
                "18446744073709551615",
            ],
            INVALID,
            "cannot serve a swap of 18446744073709551615",
        ),
        (
            &["5", "--asset-in", "0", "--amount-out", "300000000000"],
            INVALID,
            "cannot serve a swap of 300000000000 of asset 1",
        ),
        (
            &["5,5", "--asset-in", "0", "--amount-in", "5"],
            USAGE,
            "found pool 5 twice",
        ),
        (
            &["5,7,5,7", "--asset-in", "0", "--amount-in", "5"],
            USAGE,
            "found a path of 4 pools, expected 1 to 3",
        ),
    ];
    for (arguments, code, expected) in cases {
        for state in ["genesis.bin", "ledger"] {
            let arguments = [&["quote", "--state", state, "--pools"], arguments].concat();
            let error = sandbox.refused(&arguments);
            assert!(error.contains(expected), "{error}\n{expected}");
            let output = sandbox.command(&arguments).output().expect("it starts");
            assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        }
    }
    let error = sandbox.refused(&[
        "quote",
        "--state",
        "nowhere",
        "--pools",
        "5",
        "--asset-in",
        "0",
        "--amount-in",
        "1",
    ]);
    assert!(error.contains("nowhere"), "{error}");
    for wrong in [&["--amount-in", "1", "--amount-out", "1"][..], &[]] {
        let arguments = [
            "quote",
            "--state",
            "ledger",
            "--pools",
            "5",
            "--asset-in",
            "0",
        ];
        let output = sandbox.command(&[&arguments[..], wrong].concat()).output();
        assert_eq!(output.expect("it starts").status.code(), Some(USAGE));
    }
}
