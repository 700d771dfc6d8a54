//! From a validity proof to a settlement proof that verifies, and what is refused.

use serde_json::{Value, json};
use shardfold_protocol::envelope::HEADER_BYTES;
use shardfold_settlement::data::BLOB_BYTES;
use shardfold_settlement::encoding::{SETTLEMENT_BYTES, STATEMENT_BYTES};

use crate::common::{ALLOW_UNSOUND, PROFILE, Sandbox, USAGE, key};

/// A batch that is proven and wrapped: `proof.bin`, `settlement.bin` and `settlement.key`.
pub fn wrapped() -> (Sandbox, Value) {
    let sandbox = Sandbox::with_batch(4);
    sandbox.prove("proof.bin", &["--changes", "changes.bin"]);
    let report = wrap(&sandbox, "settlement.bin", &[]);
    (sandbox, report)
}

/// Wraps proof.bin; writes settlement.key too.
pub fn wrap(sandbox: &Sandbox, output: &str, more: &[&str]) -> Value {
    let key = key().to_str().unwrap();
    let wrap = ["wrap", "proof.bin", "--key", key, "-o", output];
    let rest = ["--settlement-key", "settlement.key", "--json"];
    sandbox.ok(&[&wrap[..], &rest, more].concat()).json()
}

#[test]
fn a_settlement_proof_says_what_the_validity_proof_says() {
    let (sandbox, report) = wrapped();
    let validity = sandbox.verify("proof.bin");
    let verify = ["verify", "settlement.bin", "--key", "settlement.key"];
    let settlement = sandbox.ok(&[&verify[..], &["--json"]].concat()).json();
    for field in ["chain_id", "before", "after", "transactions", "profile"] {
        assert_eq!(settlement[field], validity[field], "{field}");
    }
    assert_eq!(settlement["key"], report["key"]);
    assert_ne!(settlement["key"], validity["key"]);
    let file = sandbox.read("settlement.bin");
    let header = shardfold_protocol::envelope::HEADER_BYTES;
    assert_eq!(report["bytes"], file.len() - header);
    let shown = sandbox.ok(&["inspect", "settlement.key", "--json"]).json();
    assert_eq!(shown["kind"], "settlement key");
    assert_eq!(shown["id"], report["key"]);
    let shown = sandbox.ok(&["inspect", "settlement.bin", "--json"]).json();
    assert_eq!(shown["kind"], "settlement proof");
    // `key` gives the same key without a proof.
    sandbox.ok(&[
        "key",
        "--settlement",
        "-o",
        "again.key",
        "--profile",
        "unsound-test",
    ]);
    assert_eq!(sandbox.read("again.key"), sandbox.read("settlement.key"));

    // No security is claimed for a key that is not built in, nor for the profile for tests.
    let demand = [&verify[..], &["--min-security", "100"]].concat();
    let error = sandbox.refused(&demand);
    assert!(error.contains("100 proven bits are asked for"), "{error}");
    let mut command = sandbox.command(&verify);
    command.env_remove(ALLOW_UNSOUND);
    let error = crate::common::refused(command);
    assert!(error.contains("prove nothing"), "{error}");
}

#[test]
fn what_is_no_valid_proof_is_neither_wrapped_nor_accepted() {
    let (sandbox, _) = wrapped();
    let key = key().to_str().unwrap();
    let before = sandbox.read("settlement.bin");

    let mut proof = sandbox.read("proof.bin");
    let middle = proof.len() / 2;
    proof[middle] ^= 1;
    sandbox.write("false.bin", &proof);
    let wrap = |proof: &'static str| ["wrap", proof, "--key", key, "-o", "settlement.bin"];
    let error = sandbox.refused(&wrap("false.bin"));
    assert!(error.contains("does not verify"), "{error}");
    // A settlement proof is no validity proof.
    let error = sandbox.refused(&wrap("settlement.key"));
    assert!(error.contains("not a validity proof"), "{error}");
    // Nothing that was there is lost.
    assert_eq!(sandbox.read("settlement.bin"), before);

    let verify = |proof| ["verify", proof, "--key", "settlement.key"];
    let mut altered = before.clone();
    *altered.last_mut().unwrap() ^= 1;
    sandbox.write("altered.bin", &altered);
    let error = sandbox.refused(&verify("altered.bin"));
    assert!(error.contains("does not verify"), "{error}");
    sandbox.write("short.bin", &before[..before.len() - 8]);
    let error = sandbox.refused(&verify("short.bin"));
    assert!(error.contains("found a payload of"), "{error}");
    // The key of validity proofs is none of settlement proofs.
    let error = sandbox.refused(&["verify", "settlement.bin", "--key", key]);
    assert!(error.contains("not a settlement key"), "{error}");
}

/// `settle-call` knows from the proof where its data go, and the batch has to be the proof's.
#[test]
fn a_call_is_of_the_batch_and_of_the_place_that_the_proof_was_made_for() {
    let (sandbox, report) = wrapped();
    assert_eq!(report["data"], "calldata");
    let report = wrap(&sandbox, "blobs.bin", &["--data", "blobs"]);
    assert_eq!(report["data"], "blobs");
    let call =
        |proof: &'static str, more: &[&'static str]| [&["settle-call", proof][..], more].concat();
    let found = sandbox.ok(&call("settlement.bin", &["--json"])).json();
    assert_eq!(found["data"], "calldata");
    assert_eq!(found["blobs"], json!([]));
    assert_ne!(found["data_bytes"], 0);

    // In blobs, for which a folder is needed.
    let mut command = sandbox.command(&call("blobs.bin", &[]));
    let (code, printed) = crate::common::printed(command.output().unwrap());
    assert_eq!(code, Some(USAGE));
    assert_eq!(printed.count("name a folder for them with --blobs"), 1);
    let found = sandbox.ok(&call("blobs.bin", &["--blobs", "kept", "--json"]));
    let found = found.json();
    assert_eq!(
        (&found["data"], &found["data_bytes"]),
        (&json!("blobs"), &json!(0))
    );
    let hash = found["blobs"][0].as_str().unwrap();
    assert!(hash.starts_with("0x01"), "{hash}");
    assert_eq!(sandbox.names("kept"), [hash]);
    let blob = sandbox.read(format!("kept/{hash}"));
    assert_eq!(blob.len(), BLOB_BYTES);

    // Those of another batch on the same state.
    let import = ["import", "trace.csv", "-o", "other", "--limit", "3"];
    sandbox.ok(&import);
    let changes = ["--changes", "other.bin"];
    let execute = ["execute", "other/batch.bin", "--profile", PROFILE];
    sandbox.ok(&[&execute[..], &changes].concat());
    let error = sandbox.refused(&call(
        "blobs.bin",
        &["--blobs", "kept", changes[0], changes[1]],
    ));
    assert!(error.contains("states something else than"), "{error}");
    let key = key().to_str().unwrap();
    let other = ["wrap", "proof.bin", "--key", key, "-o", "wrapped.bin"];
    let error = sandbox.refused(&[&other[..], &changes].concat());
    assert!(error.contains("states something else than"), "{error}");
    // A point that nothing published gives: the words after the statement.
    let mut altered = sandbox.read("blobs.bin");
    altered[HEADER_BYTES + STATEMENT_BYTES + 7] ^= 1;
    sandbox.write("altered.bin", &altered);
    let error = sandbox.refused(&call("altered.bin", &["--blobs", "kept"]));
    assert!(error.contains("published in no way"), "{error}");
}

/// `prove --settlement` states what `wrap` does.
#[test]
fn a_batch_is_proven_and_wrapped_by_one_command() {
    let (sandbox, _) = wrapped();
    let both = ["--settlement", "both.bin", "--data", "calldata"];
    let changes = ["--changes", "both-changes.bin"];
    sandbox.prove("again.bin", &[&both[..], &changes].concat());
    let [one, other] = ["changes.bin", "both-changes.bin"].map(|name| sandbox.read(name));
    assert_eq!(one, other);
    let said = |name| sandbox.read(name)[HEADER_BYTES..][..SETTLEMENT_BYTES].to_vec();
    assert_eq!(said("both.bin"), said("settlement.bin"));
    sandbox.ok(&["verify", "both.bin", "--key", "settlement.key"]);
    sandbox.ok(&["verify", "again.bin", "--key", key().to_str().unwrap()]);

    let prove = ["prove", "batch.bin", "-o", "p.bin", "--profile", PROFILE];
    let error = sandbox.refused(&[&prove[..], &["--data", "blobs"]].concat());
    assert!(error.contains("arguments were not provided"), "{error}");
    let error = sandbox.refused(&[&prove[..], &["--settlement", "s.bin"]].concat());
    assert!(error.contains("arguments were not provided"), "{error}");
}

/// A ledger in a database moves on before a batch is proven: its changes are on disk by then, and are all
/// that it takes to wrap and to settle it.
#[test]
fn a_batch_on_a_database_is_wrapped_and_settled_by_its_changes() {
    let sandbox = Sandbox::with_batch(4);
    let ledger = ["--state", "ledger"];
    sandbox.ok(&[&["state", "import", "genesis.bin"][..], &ledger].concat());
    let prove = [
        "prove",
        "batch.bin",
        "-o",
        "proof.bin",
        "--profile",
        PROFILE,
    ];
    let both = ["--settlement", "settlement.bin", "--changes", "changes.bin"];
    let prove = [&prove[..], &ledger, &both].concat();
    let run = sandbox.ok(&prove);
    assert_eq!(run.count("data in calldata, checked"), 1);
    sandbox.ok(&["settle-call", "settlement.bin"]);
    wrap(&sandbox, "again.bin", &[]);
    // What is on disk already is not made again, and nothing is read of the state.
    let run = sandbox.ok(&prove);
    assert_eq!(run.count("proof.bin proves it"), 1);
    let shown = sandbox.ok(&["inspect", "changes.bin", "--json"]).json();
    assert_eq!(shown["kind"], "changes of a batch");
    assert_eq!(shown["transactions"], "4");

    // A settlement proof that is lost, or is none, is made by `wrap`, since the witnesses are gone.
    let mut altered = sandbox.read("settlement.bin");
    *altered.last_mut().unwrap() ^= 1;
    for lost in [None, Some(&altered[..])] {
        std::fs::remove_file(sandbox.path("settlement.bin")).unwrap();
        if let Some(lost) = lost {
            sandbox.write("settlement.bin", lost);
        }
        let error = sandbox.refused(&prove);
        assert!(error.contains("with `shardfold wrap`"), "{error}");
        wrap(&sandbox, "settlement.bin", &[]);
    }
    // The place of the data is another one.
    let blobs = [&prove[..], &["--data", "blobs"]].concat();
    let error = sandbox.refused(&blobs);
    assert!(error.contains("published elsewhere"), "{error}");

    // Changes that are lost cannot be made again of the database, nor are others taken or replaced.
    let changes = sandbox.read("changes.bin");
    let other = ["import", "trace.csv", "-o", "other", "--limit", "3"];
    sandbox.ok(&other);
    let other = ["execute", "other/batch.bin", "--profile", PROFILE];
    sandbox.ok(&[&other[..], &["--changes", "other.bin"]].concat());
    let error = sandbox.refused(&[&other[..], &["--changes", "changes.bin"]].concat());
    assert!(
        error.contains("has the changes of another batch"),
        "{error}"
    );
    for lost in [
        &[][..],
        &changes[..changes.len() - 8],
        &sandbox.read("other.bin"),
    ] {
        sandbox.write("changes.bin", lost);
        let error = sandbox.refused(&prove);
        assert!(error.contains("its changes are not in"), "{error}");
    }
    std::fs::remove_file(sandbox.path("changes.bin")).unwrap();
    let error = sandbox.refused(&prove);
    assert!(error.contains("its changes are not in"), "{error}");
    let execute = ["execute", "batch.bin", "--changes", "changes.bin"];
    let error = sandbox.refused(&[&execute[..], &ledger].concat());
    assert!(error.contains("cannot be made again"), "{error}");
    sandbox.ok(&[&execute[..], &["--profile", PROFILE]].concat());
    assert_eq!(sandbox.read("changes.bin"), changes);
}

/// A file of changes whose parts do not belong together is refused before anything is done with it.
#[test]
fn changes_that_do_not_lead_from_head_to_head_are_refused() {
    let (sandbox, _) = wrapped();
    let changes = sandbox.read("changes.bin");
    let mut altered = changes.clone();
    *altered.last_mut().unwrap() ^= 1;
    sandbox.write("changes.bin", &altered);
    let error = sandbox.refused(&["settle-call", "settlement.bin"]);
    assert!(
        error.contains("cannot use the changes changes.bin"),
        "{error}"
    );
}
