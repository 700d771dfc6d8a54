//! The commands that talk to a chain, on a node of one's own.

use std::collections::BTreeSet;
use std::env;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall as _;
use p3_field::PrimeCharacteristicRing as _;
use serde_json::json;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::field::F;
use shardfold_protocol::files;
use shardfold_protocol::state::{State, StateFile};
use shardfold_settlement::artefact::Artefact;
use shardfold_settlement::encoding::word;
use shardfold_settlement::interface::IRollup::{depositCall, registerAssetCall};
use shardfold_submitter::anvil::Anvil;
use shardfold_submitter::deploy::{self, Terms};

use crate::common::{PROFILE, Sandbox};

/// Who creates contracts and pays in.
const WHO: Address = Address::repeat_byte(0xde);

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
    // The second time is no second settlement. One batch is in calldata, one in a blob.
    assert_eq!(printed.count("settled with "), 2);
    assert_eq!(printed.count(" gas and 0 blob gas"), 1);
    assert_eq!(printed.count(" gas and 131072 blob gas"), 1);
    assert_eq!(sandbox.names("net/archive/blobs").len(), 1);
    assert_eq!(sandbox.names("net/archive"), ["blobs", "contract.json"]);

    // What it says of leaving is true.
    let drill = printed
        .out
        .lines()
        .find(|line| line.starts_with("shardfold exit-drill "));
    let drill: Vec<_> = drill.expect("a command").split(' ').skip(1).collect();
    let report = sandbox.ok(&[&drill[..], &["--json"]].concat()).json();
    let calls = report["calls"].as_array().expect("a list");
    let functions = calls.iter().map(|call| call["function"].as_str().unwrap());
    let functions: BTreeSet<_> = functions.collect();
    // She has vaults, and shares of a pool and a market.
    let expected = ["escape", "open", "payDue", "redeem"];
    assert_eq!(functions, expected.into());
    let gone = report["gone"].as_array().expect("a list");
    println!("{gone:?}");

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
        let arguments = ["settle", "proof.bin", "--contract", &contract];
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
    let error = settle(&["--key", "settler.key", "--journal", "proof.bin"]);
    assert!(error.contains("which this command reads"), "{error}");
    let error = settle(&["--key", "settler.key"]);
    assert!(error.contains("no endpoint gives its chain id"), "{error}");
}

/// A contract whose ledger starts with a genesis that holds something, with two assets.
async fn contract(anvil: &Anvil, genesis: &State) -> Address {
    let stub = include_str!("../../../settlement/evm/test/artefacts/StatementVerifier.json");
    let stub = Artefact::parse(stub).unwrap().creation;
    anvil.fund(WHO, U256::from(u128::MAX)).await.unwrap();
    let (verifier, _) = deploy::create(anvil, WHO, &stub, &[]).await.unwrap();
    let terms = Terms {
        deployer: WHO,
        ledger: genesis.chain_id(),
        root: word(&genesis.head().state_root),
        price: U256::from(1),
        operator: WHO,
    };
    let (rollup, _) = deploy::rollup(anvil, &terms, verifier).await.unwrap();
    let asset = registerAssetCall {
        token: Address::ZERO,
        digits: 0,
    };
    for _ in 0..2 {
        let data = asset.abi_encode().into();
        let sent = anvil.send(WHO, Some(rollup), U256::ZERO, data).await;
        sent.unwrap();
    }
    rollup
}

/// A deposit on the chain is the first transaction of the next batch, from a file or a database, before
/// what people signed.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_the_queue_becomes_a_batch() {
    let Some(program) = anvil() else { return };
    let anvil = Anvil::start(&program, 31_337).await.unwrap();
    let sandbox = Sandbox::with_batch(2);
    let genesis: StateFile = files::from_bytes(&sandbox.read("genesis.bin")).unwrap();
    let genesis = State::try_from(&genesis).unwrap();
    let rollup = contract(&anvil, &genesis).await;
    let (index, record) = genesis.tree().records()[1];
    let vault = record.vault().expect("a trace opens vaults");
    let deposit = depositCall {
        asset: vault.asset as u32,
        amount: 5,
        fee: 2,
        owner: word(&vault.owner),
    };
    let data = deposit.abi_encode().into();
    let sent = anvil.send(WHO, Some(rollup), U256::from(8), data).await;
    sent.unwrap();

    let place = rollup.to_string();
    let deposits = |more: &[&str]| {
        let arguments = ["deposits", "--contract", &place, "--rpc", anvil.url()];
        [&arguments[..], more]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let run = |more: &[&str]| {
        let arguments = deposits(more);
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        sandbox.ok(&arguments)
    };
    let arguments = deposits(&["--state", "genesis.bin", "-o", "next.bin", "--depth", "1"]);
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let error = sandbox.refused(&arguments);
    assert!(error.contains("1 items in all"), "{error}");

    let shallow = ["--depth", "0", "--json"];
    let file = [
        "--state",
        "genesis.bin",
        "-o",
        "next.bin",
        "--into",
        "batch.bin",
    ];
    let printed = run(&[&file[..], &shallow].concat());
    assert_eq!(
        printed.count("there is no --fee-vault for the fees of the items [0]"),
        1
    );
    let report = printed.json();
    assert_eq!(
        (&report["items"], &report["transactions"]),
        (&json!(1), &json!(3))
    );
    let next: Batch = files::from_bytes(&sandbox.read("next.bin")).unwrap();
    let batch: Batch = files::from_bytes(&sandbox.read("batch.bin")).unwrap();
    assert_eq!(next.transactions[1..], batch.transactions);
    assert_eq!(next.time, batch.time);
    assert_eq!(next.transactions[0].words[1], F::from_u32(index));

    sandbox.ok(&["state", "import", "genesis.bin", "--state", "ledger"]);
    let folder = ["--state", "ledger", "-o", "same.bin", "--into", "batch.bin"];
    run(&[&folder[..], &shallow].concat());
    assert_eq!(sandbox.read("same.bin"), sandbox.read("next.bin"));
    let json = [
        "--state",
        "ledger",
        "-o",
        "same.json",
        "--into",
        "batch.bin",
    ];
    run(&[&json[..], &shallow].concat());
    sandbox.ok(&["execute", "same.json", "--state", "ledger"]);
    // The ledger has it now.
    let again = deposits(&["--state", "ledger", "-o", "again.bin", "--depth", "0"]);
    let again: Vec<_> = again.iter().map(String::as_str).collect();
    let error = sandbox.refused(&again);
    assert!(error.contains("0 items in all"), "{error}");
}
