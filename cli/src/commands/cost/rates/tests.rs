use tempfile::TempDir;

use super::*;

fn rate(seconds: f64, measured: u64) -> Rate {
    Rate { seconds, measured }
}

/// A file in a folder that is not there yet.
fn place() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("0123/rates.json");
    (folder, path)
}

#[test]
fn what_was_not_measured_again_stays() {
    let (_folder, path) = place();
    assert_eq!(read(&path).unwrap(), Measured::default());
    let printer = Printer::new(true);
    let first = Rates {
        traces: Some(rate(1.0, 5)),
        finish: Some(rate(2.0, 5)),
        stark: [(2, rate(3.0, 5)), (8, rate(4.0, 5))].into(),
        ..Rates::default()
    };
    keep(&path, 2, first.clone(), printer);
    let second = Rates {
        traces: Some(rate(10.0, 6)),
        stark: [(8, rate(40.0, 6))].into(),
        ..Rates::default()
    };
    keep(&path, 2, second.clone(), printer);
    keep(&path, 4, second.clone(), printer);
    let measured = read(&path).unwrap();
    let expected = Rates {
        traces: Some(rate(10.0, 6)),
        stark: [(2, rate(3.0, 5)), (8, rate(40.0, 6))].into(),
        ..first
    };
    assert_eq!(measured.threads[&2], expected);
    assert_eq!(measured.threads[&4], second);
    assert_eq!(measured.threads.len(), 2);
    assert_eq!(expected.all().count(), 4);
}

#[test]
fn what_is_no_rates_is_refused_and_replaced() {
    let (_folder, path) = place();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let negative = r#"{"version":1,"threads":{"2":{"stark":{},
        "traces":{"seconds":-1,"measured":0}}}}"#;
    for (text, expected) in [
        ("", "EOF"),
        ("{}", "missing field"),
        (
            r#"{"version":9,"threads":{}}"#,
            "found version 9, expected 1",
        ),
        (
            r#"{"version":1,"threads":{"two":{}}}"#,
            "expected key to be a number",
        ),
        (negative, "found -1 seconds"),
    ] {
        fs::write(&path, text).unwrap();
        let error = format!("{:#}", read(&path).unwrap_err());
        assert!(error.contains("rates.json cannot be used"), "{error}");
        assert!(error.contains(expected), "{error}");
    }
    let newer = Rates {
        finish: Some(rate(1.0, 1)),
        ..Rates::default()
    };
    keep(&path, 1, newer.clone(), Printer::new(true));
    assert_eq!(read(&path).unwrap().threads[&1], newer);
}

#[test]
fn a_cache_that_cannot_be_written_is_no_error() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("file"), "here").unwrap();
    let path = folder.path().join("file/rates.json");
    keep(&path, 1, Rates::default(), Printer::new(true));
    assert_eq!(fs::read(folder.path().join("file")).unwrap(), b"here");
}

#[test]
fn a_rate_is_seconds_for_one() {
    let mut tally = Tally::default();
    assert_eq!(tally.rate(1.0), None);
    tally.add(3.0, Duration::from_secs(4));
    tally.add(1.0, Duration::from_secs(4));
    let found = tally.rate(0.5).unwrap();
    assert_eq!(found.seconds, 1.0);
    assert!(found.measured > 1_700_000_000);
}

#[test]
fn rates_of_other_circuits_are_removed_and_nothing_else() {
    let root = TempDir::new().unwrap();
    let folder = |name: &str| root.path().join(name).join(FILE);
    let [own, other, foreign] = ["own", "other", "foreign"].map(folder);
    for path in [&own, &other] {
        keep(path, 1, Rates::default(), Printer::new(true));
    }
    fs::create_dir_all(foreign.parent().unwrap()).unwrap();
    fs::write(&foreign, "[1, 2, 3]").unwrap();
    prune(root.path(), std::slice::from_ref(&own)).unwrap();
    assert!(own.exists() && foreign.exists() && !other.exists());
    prune(&root.path().join("nowhere"), &[]).unwrap();
}
