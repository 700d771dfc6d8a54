use super::*;
use crate::commands::cost::breakdown::{Contract, Shared};
use crate::commands::cost::predict::Spent;

const EARLIER: &str = r#"{"cost":1,"profile":"proven-100","transactions":4,
    "shards":[{"shape":"of another build"}],"cells":1000,
    "contracts":[{"name":"transfer","cells_each":100.0,"of":"another build"},
        {"name":"gone","cells_each":7.5}],
    "prediction":{"seconds":10.0,"usd":0.5}}"#;

fn breakdown() -> Breakdown {
    let contract = |name, cells_each| Contract {
        name,
        transactions: 2,
        cells_each,
        cells: 2,
    };
    Breakdown {
        shards: vec![],
        contracts: vec![contract("transfer", 150.0), contract("new", 20.0)],
        shared: Shared::default(),
        cells: 500,
    }
}

fn compare(prediction: Option<Prediction>) -> Diff {
    let breakdown = breakdown();
    let report = Report {
        cost: FORMAT,
        batch: "batch.bin".into(),
        profile: "proven-100",
        transactions: 4,
        rejected: 0,
        breakdown: &breakdown,
        threads: 2,
        prediction,
        diff: None,
    };
    let earlier = parse(EARLIER.as_bytes()).unwrap();
    Diff::new(Path::new("before.json"), &earlier, &report)
}

fn change(before: Option<f64>, after: Option<f64>, ratio: Option<f64>) -> Change {
    Change {
        before,
        after,
        ratio,
    }
}

#[test]
fn each_contract_has_its_ratio() {
    let diff = compare(None);
    let found: Vec<_> = diff
        .contracts
        .iter()
        .map(|contract| (contract.name.as_str(), contract.cells_each))
        .collect();
    let expected = [
        ("transfer", change(Some(100.0), Some(150.0), Some(1.5))),
        ("new", change(None, Some(20.0), None)),
        ("gone", change(Some(7.5), None, None)),
    ];
    assert_eq!(found, expected);
    assert_eq!(diff.cells, change(Some(1000.0), Some(500.0), Some(0.5)));
    assert_eq!(diff.shards, change(Some(1.0), Some(0.0), Some(0.0)));
    assert_eq!(diff.transactions.ratio, Some(1.0));
    assert_eq!(diff.seconds, change(Some(10.0), None, None));
    assert_eq!(diff.against, "before.json");
}

#[test]
fn seconds_are_compared_where_both_are_known() {
    let spent = Spent::new(40.0, 2, 90.0, 4);
    let prediction = Prediction {
        measured: (0, 0),
        stages: [].into(),
        without: vec![],
        scaled: vec![],
        spent,
    };
    let diff = compare(Some(prediction));
    assert_eq!(diff.seconds, change(Some(10.0), Some(40.0), Some(4.0)));
    assert_eq!(diff.usd, change(Some(0.5), Some(2.0), Some(4.0)));
}

#[test]
fn other_objects_are_refused() {
    for (text, expected) in [
        ("", "EOF"),
        ("SHRDFOLD", "expected value"),
        ("[]", "invalid length 0"),
        (
            r#"{"transactions":4,"seconds":1.0}"#,
            "missing field `cost`",
        ),
        (
            &EARLIER.replace(r#""cost":1"#, r#""cost":7"#),
            "found `cost` of form 7, expected 1",
        ),
    ] {
        let error = format!("{:#}", parse(text.as_bytes()).unwrap_err());
        assert!(error.contains(expected), "{error}");
    }
}
