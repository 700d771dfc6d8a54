//! The commands that talk to a chain, on a node of one's own.

use std::env;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::common::{PROFILE, Sandbox};

/// `anvil`, unless it is missing where that is forgiven.
fn anvil() -> Option<PathBuf> {
    if let Some(path) = env::var_os("SHARDFOLD_ANVIL") {
        return Some(path.into());
    }
    let packaged = "../settlement/evm/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil";
    let packaged = Path::new(env!("CARGO_MANIFEST_DIR")).join(packaged);
    if packaged.is_file() {
        return Some(packaged);
    }
    assert!(
        env::var_os("CI").is_none(),
        "there is no anvil: scripts/test.sh --install"
    );
    eprintln!("\n*** NOT TESTED: there is no anvil; scripts/test.sh --install gets it ***\n");
    None
}

/// Five people pay in, trade, lend and leave; two batches are proven, wrapped and settled, and the
/// command itself checks everybody's balance.
#[test]
fn the_whole_circle_adds_up() {
    let Some(anvil) = anvil() else { return };
    let anvil = anvil.to_str().expect("plain names");
    let sandbox = Sandbox::new();
    let arguments = [
        "devnet",
        "-o",
        "net",
        "--anvil",
        anvil,
        "--profile",
        PROFILE,
    ];
    let printed = sandbox.ok(&arguments);
    println!("{}{}", printed.out, printed.err);
    assert_eq!(printed.count("it adds up, to the wei and to the unit"), 1);
    assert_eq!(printed.count("erin gets 3000000000 units of the coin"), 1);
    // The second time is no second settlement.
    assert_eq!(printed.count("settled with "), 2);

    // The folder is not empty any more.
    let error = sandbox.refused(&arguments);
    assert!(error.contains("expected an empty folder"), "{error}");
}

#[test]
fn a_node_a_key_and_a_contract_are_needed() {
    let sandbox = Sandbox::with_batch(2);
    let contract = "12".repeat(20);
    let dead = "http://127.0.0.1:9/secret";
    let deposits = |contract: &str, rpc: &str| {
        let arguments = ["deposits", "--contract", contract, "--rpc", rpc];
        let more = ["--state", "genesis.bin", "-o", "next.bin"];
        sandbox.refused(&[&arguments[..], &more].concat())
    };
    let error = deposits("0x12", dead);
    assert!(error.contains("40 hexadecimal digits"), "{error}");
    let error = deposits(&contract, "ws://127.0.0.1");
    assert!(error.contains("http or https"), "{error}");
    let error = deposits(&contract, dead);
    assert!(error.contains("no endpoint gives its chain id"), "{error}");
    assert!(!error.contains("secret"), "{error}");

    let settle = |more: &[&str]| {
        let arguments = ["settle", "batch.bin", "proof.bin", "--contract", &contract];
        sandbox.refused(&[&arguments[..], &["--rpc", dead], more].concat())
    };
    let error = settle(&[]);
    assert!(error.contains("SHARDFOLD_SETTLER_KEY"), "{error}");
    sandbox.write("settler.key", "01".repeat(32).as_bytes());
    let readable = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(sandbox.path("settler.key"), readable).expect("it is ours");
    let error = settle(&["--key", "settler.key"]);
    assert!(error.contains("chmod 600"), "{error}");
    let own = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(sandbox.path("settler.key"), own).expect("it is ours");
    let error = settle(&["--key", "settler.key"]);
    assert!(error.contains("proof.bin"), "{error}");
}
