//! Files that are malformed, of another kind, or of another chain or state.

use std::fs;

use serde_json::Value;

use crate::common::{PROFILE, Sandbox, key};

/// Bytes before the list of transactions of a batch: header, chain id and head.
const BATCH_LIST: usize = 20 + 8 + (5 * 32 + 4 * 8) + 8;

/// What can be wrong with any binary file of the envelope, and how its reader puts it.
fn damages(good: &[u8]) -> Vec<(Vec<u8>, &'static str)> {
    let with = |at: usize, bytes: &[u8]| {
        let mut damaged = good.to_vec();
        damaged[at..at + bytes.len()].copy_from_slice(bytes);
        damaged
    };
    let payload = good.len() as u64 - 20;
    let mut longer = with(12, &(payload + 3).to_le_bytes());
    longer.extend([0; 3]);
    vec![
        (Vec::new(), "at byte 0, expected"),
        (b"garbage".to_vec(), "at byte 0, expected"),
        (good[..10].to_vec(), "end of the file at byte 10"),
        (good[..good.len() - 1].to_vec(), "found a payload of"),
        ([good, &[0]].concat(), "found a payload of"),
        (longer, "found 3 bytes after the end of the content"),
        (with(0, b"shrd"), "at byte 0, expected"),
        (with(8, &[99, 0]), "found kind 99 at byte 8"),
        (with(10, &[1, 0]), "found version 1"),
        (with(10, &[9, 0]), "found version 9"),
        (
            with(12, &u64::MAX.to_le_bytes()),
            "expected 18446744073709551615",
        ),
        (with(12, &(payload - 1).to_le_bytes()), "found a payload of"),
    ]
}

#[test]
fn a_damaged_batch_is_refused() {
    let sandbox = Sandbox::with_batch(5);
    let good = sandbox.read("batch.bin");
    let mut damages = damages(&good);
    for length in [u64::MAX, 1 << 40, 6] {
        let mut damaged = good.clone();
        damaged[BATCH_LIST..BATCH_LIST + 8].copy_from_slice(&length.to_le_bytes());
        damages.push((damaged, "at byte "));
    }
    // The chain id, then the root of the head: neither may reach the field's order.
    let mut damaged = good.clone();
    damaged[28..36].fill(0xff);
    damages.push((damaged, "at byte "));
    for (bytes, expected) in damages {
        sandbox.write("bad.bin", &bytes);
        for arguments in [
            ["execute", "bad.bin"].as_slice(),
            &["prove", "bad.bin", "-o", "proof.bin", "--profile", PROFILE],
        ] {
            let error = sandbox.refused(arguments);
            assert!(error.contains("cannot read the batch bad.bin"), "{error}");
            assert!(error.contains(expected), "{error}, not {expected}");
        }
    }
}

#[test]
fn a_damaged_state_is_refused() {
    let sandbox = Sandbox::with_batch(5);
    sandbox.ok(&["execute", "batch.bin", "--state-out", "next.bin"]);
    let good = sandbox.read("next.bin");
    for (bytes, expected) in damages(&good) {
        sandbox.write("bad.bin", &bytes);
        let error = sandbox.refused(&["execute", "batch.bin", "--state", "bad.bin"]);
        assert!(error.contains("cannot read the state bad.bin"), "{error}");
        assert!(error.contains(expected), "{error}, not {expected}");
    }
    // The head's state root, after the header, the chain id and the mark that there is a head.
    let mut other_root = good.clone();
    other_root[29] ^= 1;
    // The nonce of the last vault, before the count of the records of other kinds, which is zero.
    let mut other_vault = good.clone();
    let last = other_vault.len() - 16;
    other_vault[last] ^= 1;
    for bytes in [other_root, other_vault] {
        sandbox.write("bad.bin", &bytes);
        for arguments in [
            ["execute", "batch.bin", "--state", "bad.bin"].as_slice(),
            &["inspect", "bad.bin"],
        ] {
            let error = sandbox.refused(arguments);
            assert!(error.contains("bad.bin"), "{error}");
            assert!(error.contains("found vaults with state root"), "{error}");
        }
    }
}

#[test]
fn kinds_are_not_taken_for_each_other() {
    let sandbox = Sandbox::with_batch(1);
    sandbox.write("proof.bin", b"SHRDFOLD\x05\0\x03\0\0\0\0\0\0\0\0\0");
    fs::copy(key(), sandbox.path("test.key")).expect("a copy");
    let cases: [(&[&str], &str); 8] = [
        (&["execute", "genesis.bin"], "expected 1 (shardfold-batch)"),
        (
            &["execute", "batch.bin", "--state", "batch.bin"],
            "expected 2 (shardfold-state)",
        ),
        (
            &["execute", "proof.bin"],
            "found kind 5 (shardfold-proof) at byte 8, expected 1 (shardfold-batch)",
        ),
        (&["execute", "trace.csv"], "SHRDFOLD"),
        (
            &["verify", "batch.bin", "--key", "test.key"],
            "found kind 1 (shardfold-batch) at byte 8, expected 5 (shardfold-proof)",
        ),
        (
            &["verify", "test.key", "--key", "test.key"],
            "not a validity proof",
        ),
        (
            &["verify", "proof.bin", "--key", "batch.bin"],
            "found kind 1 (shardfold-batch) at byte 8, expected 6 (shardfold-key)",
        ),
        (&["inspect", "trace.csv"], "it is no file of shardfold"),
    ];
    for (arguments, expected) in cases {
        let error = sandbox.refused(arguments);
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
}

#[test]
fn a_damaged_json_batch_is_refused_with_line_and_column() {
    let sandbox = Sandbox::with_batch(5);
    sandbox.ok(&["import", "trace.csv", "-o", ".", "--format", "json"]);
    let good = String::from_utf8(sandbox.read("batch.json")).expect("text");
    let cases = [
        (good.replacen("\"amount\": ", "\"amount\": -", 1), "line "),
        (good.replacen("\"amount\"", "\"amuont\"", 1), "`amuont`"),
        (good.replacen("\"chain_id\": \"1\",", "", 1), "`chain_id`"),
        (
            good.replacen("\"state_root\": \"", "\"state_root\": \"zz", 1),
            "no digest",
        ),
        (
            good.replacen("\"tx_count\": \"0\"", "\"tx_count\": 0.0", 1),
            "content.before.tx_count: invalid type: floating point",
        ),
        (good[..good.len() / 2].to_owned(), "EOF"),
        (good.clone() + "{}", "trailing characters"),
    ];
    for (text, expected) in cases {
        assert_ne!(text, good);
        sandbox.write("bad.json", text.as_bytes());
        let error = sandbox.refused(&["execute", "bad.json"]);
        assert!(
            error.contains("cannot read the batch bad.json: JSON: "),
            "{error}"
        );
        assert!(
            error.contains(" line ") && error.contains(" column "),
            "{error}"
        );
        assert!(error.contains(expected), "{error}, not {expected}");
    }
    for (from, to, expected) in [
        ("\"version\": 2", "\"version\": 3", "found version 3"),
        (
            "shardfold-batch",
            "shardfold-state",
            "found format \"shardfold-state\"",
        ),
    ] {
        sandbox.write("bad.json", good.replacen(from, to, 1).as_bytes());
        let error = sandbox.refused(&["execute", "bad.json"]);
        assert!(error.contains(expected), "{error}, not {expected}");
    }
    let deep = format!("{}{}", "{\"a\":".repeat(100_000), "1");
    sandbox.write("bad.json", deep.as_bytes());
    sandbox.refused(&["execute", "bad.json"]);
}

#[test]
fn a_batch_of_another_chain_or_state_is_refused() {
    let sandbox = Sandbox::with_batch(5);
    sandbox.ok(&[
        "import",
        "trace.csv",
        "-o",
        "other",
        "--chain-id",
        "5",
        "--limit",
        "5",
    ]);
    sandbox.ok(&[
        "import",
        "trace.csv",
        "-o",
        "poor",
        "--fee",
        "1",
        "--limit",
        "5",
    ]);
    for (state, expected) in [
        ("other/genesis.bin", "found a batch for chain 1, expected 5"),
        (
            "poor/genesis.bin",
            "found a batch that starts at transaction 0",
        ),
    ] {
        for command in [
            ["execute", "batch.bin", "--state", state].as_slice(),
            &["execute", "batch.bin", "--state", state, "--sequential"],
            &[
                "prove",
                "batch.bin",
                "--state",
                state,
                "-o",
                "p",
                "--profile",
                PROFILE,
            ],
        ] {
            let error = sandbox.refused(command);
            assert!(
                error.contains("batch.bin cannot run on this state"),
                "{error}"
            );
            assert!(error.contains(expected), "{error}");
        }
    }
    // Roots are written as everywhere else.
    let report = sandbox.ok(&["inspect", "batch.bin", "--json"]).json();
    let root = report["state root before"].as_str().expect("text");
    let state = ["execute", "batch.bin", "--state", "poor/genesis.bin"];
    assert!(sandbox.refused(&state).contains(root));
}

#[test]
fn a_damaged_proof_or_key_is_refused() {
    let sandbox = Sandbox::with_batch(1);
    sandbox.prove("proof.bin", &[]);
    fs::copy(key(), sandbox.path("good.key")).expect("a copy");
    let (proof, key) = (sandbox.read("proof.bin"), sandbox.read("good.key"));
    let flipped = |bytes: &[u8], at: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 1;
        bytes
    };
    // A header that agrees with what follows it.
    let with_length = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        let payload = bytes.len() as u64 - 20;
        bytes[12..20].copy_from_slice(&payload.to_le_bytes());
        bytes
    };
    let last = proof.len() - 1;
    let proofs = [
        (Vec::new(), "not a validity proof"),
        (proof[..11].to_vec(), "not a validity proof"),
        (flipped(&proof, 0), "not a validity proof"),
        (flipped(&proof, 8), "found kind 4 (shardfold-inclusion)"),
        (flipped(&proof, 10), "found version 2 of shardfold-proof"),
        (proof[..last].to_vec(), "found a payload of"),
        ([&proof[..], &[0]].concat(), "found a payload of"),
        (with_length(&proof[..last]), "malformed proof"),
        (with_length(&[&proof[..], &[0]].concat()), "malformed proof"),
        (flipped(&proof, last / 2), "does not verify"),
        (flipped(&proof, last - 7), "bad.bin does not verify"),
        (
            [&proof[..20], &vec![0; 16 << 20]].concat(),
            "expected at most 16777216 in a shardfold-proof file",
        ),
    ];
    for (bytes, expected) in proofs {
        sandbox.write("bad.bin", &bytes);
        let error = sandbox.refused(&["verify", "bad.bin", "--key", "good.key"]);
        assert!(
            error.contains("bad.bin") && error.contains(expected),
            "{error}"
        );
    }
    let last = key.len() - 1;
    let keys = [
        (Vec::new(), "not a verification key"),
        (flipped(&key, 0), "not a verification key"),
        (flipped(&key, 8), "found kind 7 (shardfold-circuit)"),
        (flipped(&key, 10), "found version 2 of shardfold-key"),
        (flipped(&key, 21), "profile is unknown"),
        (with_length(&key[..last]), "not a verification key"),
        (key[..last].to_vec(), "not a verification key"),
        ([&key[..], &[0]].concat(), "not a verification key"),
        (flipped(&key, last - 7), "digest is not that of its content"),
    ];
    for (bytes, expected) in keys {
        sandbox.write("bad.key", &bytes);
        let error = sandbox.refused(&["verify", "proof.bin", "--key", "bad.key"]);
        assert!(
            error.contains("bad.key") && error.contains(expected),
            "{error}"
        );
    }
    assert_eq!(sandbox.verify("proof.bin")["valid"], Value::Bool(true));
}
