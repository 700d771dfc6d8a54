//! State databases: made, moved on, looked into, taken elsewhere.

use std::fs;
use std::process::Command;

use serde_json::Value;
use shardfold_executor::workload::Random;
use shardfold_protocol::text::digest::to_hex;
use shardfold_store::FILE;

use crate::chain::Chain;
use crate::common::{PROFILE, Sandbox, printed, refused};

const STATE: [&str; 2] = ["--state", "ledger"];

fn with_state(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let arguments = [arguments, &STATE, &["--json"]].concat();
    sandbox.ok(&arguments).json()
}

#[test]
fn batches_are_applied_once_and_in_order() {
    let chain = Chain::new(3, 20, 30);
    let sandbox = &chain.sandbox;
    let root = |number: usize| Value::from(to_hex(&chain.heads[number].state_root));
    let imported = with_state(sandbox, &["state", "import", "genesis.bin"]);
    assert_eq!(imported["vaults"], 30);
    assert_eq!(imported["head"]["state_root"], root(0));

    let error = sandbox.refused(&["execute", "1.bin", "--state", "ledger"]);
    assert!(
        error.contains("starts at transaction 20 ") && error.contains("expected transaction 0 "),
        "{error}"
    );
    for number in 0..3 {
        let batch = Chain::batch(number);
        for is_again in [false, true] {
            let report = with_state(sandbox, &["execute", &batch]);
            assert_eq!(report["already_applied"], is_again);
            assert_eq!(report["state_root"], root(number + 1));
            assert_eq!(report["tx_count"], 20 * (number + 1));
            assert_eq!(report["transactions"], 20);
        }
    }
    let again = sandbox.ok(&["execute", "1.bin", "--state", "ledger"]);
    assert_eq!(
        again.count("was already applied, from transaction 20 "),
        1,
        "{again:?}"
    );

    let history = with_state(sandbox, &["state", "history"]);
    let batches = history["batches"].as_array().unwrap();
    assert_eq!(history["imported"]["state_root"], root(0));
    for (number, batch) in batches.iter().enumerate() {
        assert_eq!(batch["after"]["state_root"], root(number + 1));
        assert_eq!(
            (&batch["accepted"], &batch["rejected"]),
            (&20.into(), &0.into())
        );
    }
    let checked = with_state(sandbox, &["state", "check"]);
    assert_eq!(
        (&checked["records"], &checked["batches"]),
        (&30.into(), &3.into())
    );
}

#[test]
fn the_state_is_that_of_the_files() {
    let chain = Chain::new(2, 20, 30);
    let sandbox = &chain.sandbox;
    chain.import("ledger");
    sandbox.ok(&["execute", "0.bin", "--state-out", "next.bin"]);
    sandbox.ok(&[
        "execute",
        "0.bin",
        "--state",
        "ledger",
        "--receipts",
        "receipts.json",
    ]);
    let receipts: Value = serde_json::from_slice(&sandbox.read("receipts.json")).unwrap();
    assert_eq!(receipts.as_array().unwrap().len(), 20);
    sandbox.ok(&["state", "export", "--state", "ledger", "-o", "snapshot.bin"]);
    assert_eq!(sandbox.read("snapshot.bin"), sandbox.read("next.bin"));

    sandbox.ok(&[
        "state",
        "export",
        "--state",
        "ledger",
        "-o",
        "snapshot.json",
    ]);
    sandbox.ok(&["state", "import", "snapshot.json", "--state", "copy"]);
    let root = |state| {
        let arguments = ["execute", "1.bin", "--json", "--state", state];
        sandbox.ok(&arguments).json()["state_root"].clone()
    };
    assert_eq!(root("copy"), root("ledger"));
    assert_eq!(root("ledger"), root("next.bin"));

    let error = sandbox.refused(&["state", "import", "genesis.bin", "--state", "copy"]);
    assert!(error.contains("expected an empty folder"), "{error}");
    sandbox.ok(&["execute", "1.bin", "--state", "copy"]);
    for option in ["--state-out", "--receipts"] {
        let error = sandbox.refused(&["execute", "1.bin", "--state", "copy", option, "x"]);
        assert!(error.contains("cannot be made again"), "{error}");
    }
    chain.import("third");
    let error = sandbox.refused(&[
        "execute",
        "0.bin",
        "--state",
        "third",
        "--state-out",
        "x.bin",
    ]);
    assert!(error.contains("state export"), "{error}");
}

#[test]
fn no_command_writes_over_the_database() {
    let chain = Chain::new(1, 5, 30);
    let sandbox = &chain.sandbox;
    chain.import("ledger");
    let own = "./ledger/state.redb";
    for command in [
        &["state", "export", "-o", own][..],
        &["state", "prove", "1", "-o", own],
        &["execute", "0.bin", "--receipts", own],
        &["prove", "0.bin", "-o", own, "--profile", PROFILE],
    ] {
        let whole = sandbox.read(own);
        let error = sandbox.refused(&[command, &STATE].concat());
        assert!(
            error.contains("ledger/state.redb, which this command reads"),
            "{error}"
        );
        assert!(sandbox.read(own) == whole);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_nobody_gets_is_an_error() {
    let chain = Chain::new(1, 5, 30);
    let sandbox = &chain.sandbox;
    chain.import("ledger");
    for command in [
        &["state", "get", "1"][..],
        &["state", "history"],
        &["state", "check"],
    ] {
        let full = fs::File::create("/dev/full").expect("a full device");
        let mut command = sandbox.command(&[command, &STATE].concat());
        command.stdout(full);
        let error = refused(command);
        assert!(error.contains("cannot write to standard output"), "{error}");
    }
}

#[test]
fn records_are_found_and_proven() {
    let chain = Chain::new(1, 20, 30);
    let sandbox = &chain.sandbox;
    chain.import("ledger");
    let found = with_state(sandbox, &["state", "get", "29", "3", "4000000000"]);
    let records = found["records"].as_array().unwrap();
    let indices: Vec<_> = records.iter().map(|record| &record["index"]).collect();
    assert_eq!(indices, [29, 3, 4_000_000_000_u32]);
    assert_eq!(records[1]["vault"]["balance"], "1099511627776");
    assert_eq!(records[2]["vault"], Value::Null);
    let shown = sandbox.ok(&["state", "get", "3", "30", "--state", "ledger"]);
    assert_eq!(
        (shown.count("3: asset 7, "), shown.count("30: empty")),
        (1, 1)
    );

    sandbox.ok(&[
        "state",
        "prove",
        "3",
        "--state",
        "ledger",
        "-o",
        "three.json",
    ]);
    let printed = sandbox.ok(&["state", "prove", "3", "--state", "ledger"]);
    assert_eq!(printed.out.as_bytes(), sandbox.read("three.json"));
    let proof: Value = serde_json::from_str(&printed.out).unwrap();
    assert_eq!(
        proof["content"]["proof"]["siblings"]
            .as_array()
            .unwrap()
            .len(),
        32
    );
    assert_eq!(
        sandbox.ok(&["inspect", "three.json", "--json"]).json()["leads to its head"],
        "true"
    );

    let check = ["state", "check", "--proof", "three.json"];
    assert_eq!(with_state(sandbox, &check)["is_current"], true);
    for head in ["genesis.bin", "0.bin"] {
        let report = sandbox.ok(&[&check[..], &["--head", head, "--json"]].concat());
        assert_eq!(report.json()["vault"]["balance"], "1099511627776");
    }
    with_state(sandbox, &["execute", "0.bin"]);
    let report = with_state(sandbox, &check);
    assert_eq!(
        (&report["valid"], &report["is_current"]),
        (&true.into(), &false.into())
    );
    sandbox.ok(&["state", "export", "--state", "ledger", "-o", "next.bin"]);
    let error = sandbox.refused(&[&check[..], &["--head", "next.bin"]].concat());
    assert!(error.contains("a head that is not known"), "{error}");

    let forged = printed
        .out
        .replacen(&(1_u64 << 40).to_string(), &(1_u64 << 41).to_string(), 1);
    assert_ne!(forged, printed.out);
    sandbox.write("forged.json", forged.as_bytes());
    let error = sandbox.refused(&[
        "state",
        "check",
        "--proof",
        "forged.json",
        "--state",
        "ledger",
    ]);
    assert!(error.contains("proves nothing"), "{error}");
}

/// Every command that opens a database, on a batch that fits.
const COMMANDS: [&[&str]; 7] = [
    &["execute", "0.bin"],
    &["state", "check"],
    &["state", "export", "-o", "/dev/null"],
    &["state", "get", "1"],
    &["state", "history"],
    &["state", "prove", "1"],
    &["state", "check", "--proof", "one.json"],
];

#[test]
fn a_damaged_database_is_an_error() {
    let chain = Chain::new(1, 5, 30);
    let sandbox = &chain.sandbox;
    chain.import("ledger");
    sandbox.ok(&["state", "prove", "1", "--state", "ledger", "-o", "one.json"]);
    let path = sandbox.path("ledger").join(FILE);
    let whole = fs::read(&path).unwrap();
    let mut random = Random::new(4);
    let mut refusals = 0;
    for round in 0..60 {
        let mut bytes = whole.clone();
        let at = random.below(bytes.len() as u64) as usize;
        match round % 3 {
            0 => bytes.truncate(at),
            1 => bytes[at..].iter_mut().take(2048).for_each(|byte| *byte = 0),
            _ => bytes[at] ^= 1 << random.below(8),
        }
        fs::write(&path, &bytes).unwrap();
        let command = COMMANDS[round / 3 % COMMANDS.len()];
        let mut command = sandbox.command(command);
        let output = command.args(STATE).output().expect("it starts");
        // No panic, and an exit code of its own, whatever the bytes.
        let (code, printed) = printed(output);
        assert!(
            matches!(code, Some(0 | 1)),
            "round {round}: {code:?} {printed:?}"
        );
        let errors = usize::from(code == Some(1));
        assert_eq!(
            printed.count("error: "),
            errors,
            "round {round}: {printed:?}"
        );
        refusals += errors;
    }
    assert!(refusals > 15, "only {refusals} of 60 were noticed");
}

#[test]
fn a_folder_without_a_database_is_named() {
    let chain = Chain::new(1, 5, 30);
    let sandbox = &chain.sandbox;
    chain.import("other");
    sandbox.ok(&["state", "prove", "1", "--state", "other", "-o", "one.json"]);
    fs::create_dir(sandbox.path("ledger")).unwrap();
    for command in COMMANDS {
        let error = sandbox.refused(&[command, &STATE].concat());
        assert!(error.contains("found no state.redb in ledger"), "{error}");
    }
}

/// A disk that is full in the middle: no file may grow beyond 64 KiB.
#[cfg(unix)]
#[test]
fn a_full_disk_leaves_the_old_state() {
    let chain = Chain::new(1, 300, 3_000);
    let sandbox = &chain.sandbox;
    chain.import("ledger");
    let limited = |arguments: &[&str]| {
        let mut command = Command::new("sh");
        command
            .args(["-c", "trap '' XFSZ; ulimit -f 128; exec \"$0\" \"$@\""])
            .arg(env!("CARGO_BIN_EXE_shardfold"))
            .args(arguments)
            .current_dir(sandbox.path("."));
        refused(command)
    };
    for arguments in [["execute", "0.bin"], ["state", "import"]] {
        let (arguments, folder) = match arguments {
            ["state", _] => (vec!["state", "import", "genesis.bin"], "new"),
            execute => (execute.to_vec(), "ledger"),
        };
        let error = limited(&[&arguments[..], &["--state", folder]].concat());
        assert!(error.contains("File too large"), "{arguments:?}: {error}");
    }
    assert_eq!(fs::read_dir(sandbox.path("new")).unwrap().count(), 0);
    let checked = with_state(sandbox, &["state", "check"]);
    assert_eq!(checked["head"]["tx_count"], "0");
    with_state(sandbox, &["execute", "0.bin"]);
}
