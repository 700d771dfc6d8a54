//! From a validity proof to a settlement proof that verifies, and what is refused.

use serde_json::Value;

use crate::common::{ALLOW_UNSOUND, Sandbox, key};

/// A batch that is proven and wrapped: `proof.bin`, `settlement.bin` and `settlement.key`.
fn wrapped() -> (Sandbox, Value) {
    let sandbox = Sandbox::with_batch(4);
    sandbox.prove("proof.bin", &[]);
    let key = key().to_str().unwrap();
    let printed = sandbox.ok(&[
        "wrap",
        "proof.bin",
        "--key",
        key,
        "-o",
        "settlement.bin",
        "--settlement-key",
        "settlement.key",
        "--json",
    ]);
    (sandbox, printed.json())
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
    sandbox.refused(&verify("short.bin"));
    // The key of validity proofs is none of settlement proofs.
    let error = sandbox.refused(&["verify", "settlement.bin", "--key", key]);
    assert!(error.contains("not a settlement key"), "{error}");
}
