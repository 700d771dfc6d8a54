//! Out of a ledger by what its contract has published.

use std::fs;

use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::{SolCall as _, SolEvent as _};
use serde_json::{Value, json};
use shardfold_contracts::set::standard;
use shardfold_executor::workload::Keys;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::files;
use shardfold_protocol::state::{State, StateFile};
use shardfold_recursion::profile::Profile;
use shardfold_settlement::batch::SettledBatch;
use shardfold_settlement::data::DataMode;
use shardfold_settlement::encoding;
use shardfold_settlement::interface::IRollup::{Settled, escapeCall};

use crate::chain::Chain;

/// The contract that has settled.
pub const CONTRACT: Address = Address::repeat_byte(0xc0);

/// A ledger of a batch for each mode, and the logs of a contract that has settled them so; those in
/// blobs are kept.
pub fn settled_in(modes: &[DataMode]) -> Chain {
    let chain = Chain::cut_for(Profile::UnsoundTest, modes.len(), 5, 20);
    let logs: Vec<Value> = (0..modes.len())
        .map(|number| log(&chain, modes, number))
        .collect();
    archive(&chain, &logs);
    chain
}

/// Writes the file of an archive with these logs.
fn archive(chain: &Chain, logs: &[Value]) {
    let head = chain.heads.last().unwrap();
    let code = json!({ "address": CONTRACT, "code": "0x01" });
    let code = json!({
        "rollup": code, "hashes": code, "verifier": code, "first": code, "second": code,
        "head_digest": encoding::head_digest(head), "queue_commitment": "0x0",
    });
    let contract = json!({ "block": 9, "code": code, "logs": logs });
    let contract = contract.to_string();
    chain
        .sandbox
        .write("kept/contract.json", contract.as_bytes());
}

/// The logs in it.
pub fn logs_of(chain: &Chain) -> Vec<Value> {
    let contract: Value =
        serde_json::from_slice(&chain.sandbox.read("kept/contract.json")).unwrap();
    contract["logs"].as_array().unwrap().clone()
}

/// One batch in calldata, one in blobs.
fn settled() -> Chain {
    settled_in(&DataMode::ALL)
}

/// The log of one batch, which is executed again from the genesis.
fn log(chain: &Chain, modes: &[DataMode], number: usize) -> Value {
    let sandbox = &chain.sandbox;
    let genesis: StateFile = files::from_bytes(&sandbox.read("genesis.bin")).unwrap();
    let mut state = State::try_from(&genesis).unwrap();
    let shapes = Profile::UnsoundTest.shapes();
    let mut settled = vec![];
    for number in 0..=number {
        let batch: Batch = files::from_bytes(&sandbox.read(Chain::batch(number))).unwrap();
        let batch = SettledBatch::execute(standard(), &mut state, &batch, shapes);
        settled.push(batch.unwrap());
    }
    let published = settled[number].published(modes[number]).unwrap();
    fs::create_dir_all(sandbox.path("kept/blobs")).unwrap();
    for (hash, blob) in published.versioned_hashes().iter().zip(published.blobs()) {
        sandbox.write(format!("kept/blobs/{hash}"), blob);
    }
    let event = Settled {
        batch: U256::from(number),
        head: encoding::head_bytes(state.head()).into(),
        withdrawals: Bytes::new(),
        data: published.calldata().clone(),
        blobs: published.versioned_hashes().to_vec(),
    };
    let topics = [Settled::SIGNATURE_HASH, U256::from(number).into()];
    json!({ "address": CONTRACT, "topics": topics, "data": Bytes::from(event.encode_data()) })
}

const REBUILD: [&str; 6] = [
    "rebuild",
    "kept",
    "--genesis",
    "genesis.bin",
    "-o",
    "state.bin",
];

#[test]
fn the_logs_of_a_node_make_the_state_and_the_call_that_leaves() {
    let chain = settled();
    let sandbox = &chain.sandbox;
    let report = sandbox.ok(&[&REBUILD[..], &["--json"]].concat()).json();
    assert_eq!(report["batches"], 2);
    assert_eq!(report["transactions"], 10);
    let state: StateFile = files::from_bytes(&sandbox.read("state.bin")).unwrap();
    assert_eq!(state.head.as_ref(), chain.heads.last());

    sandbox.ok(&["state", "import", "state.bin", "--state", "ledger"]);
    sandbox.ok(&[
        "state",
        "prove",
        "3",
        "--state",
        "ledger",
        "-o",
        "record.bin",
    ]);
    let account = Keys::new(3, 16);
    let account = account.get(3);
    let key: Vec<u8> = encoding::key_elements(&account.public_key())
        .iter()
        .flat_map(|element| element.to_be_bytes())
        .collect();
    let (key, to) = (hex::encode(key), hex::encode(account.exit_address.0));
    let escape =
        |to: &str| ["escape", "record.bin", "--owner-key", &key, "--to", to].map(str::to_owned);
    let arguments = escape(&to);
    let printed = sandbox.ok(&arguments.each_ref().map(String::as_str));
    let call = hex::decode(printed.out.trim().trim_start_matches("0x")).unwrap();
    let call = escapeCall::abi_decode(&call).unwrap();
    assert_eq!(call.index, 3);
    assert_eq!(call.to.as_slice(), account.exit_address.0);
    assert_eq!(call.head, encoding::head_bytes(&chain.heads[2]));

    // Another's address, and what is no address.
    let arguments = escape(&"12".repeat(20));
    let error = sandbox.refused(&arguments.each_ref().map(String::as_str));
    assert!(error.contains("those of the owner"), "{error}");
    let arguments = escape("0x12");
    let error = sandbox.refused(&arguments.each_ref().map(String::as_str));
    assert!(error.contains("40 hexadecimal digits"), "{error}");
}

#[test]
fn logs_that_do_not_lead_to_a_head_make_no_state() {
    let chain = settled();
    let sandbox = &chain.sandbox;
    let logs = logs_of(&chain);
    let refused = |logs: &[Value], expected: &str| {
        archive(&chain, logs);
        let error = sandbox.refused(&REBUILD);
        assert!(error.contains(expected), "{error}");
    };
    refused(&logs[1..], "expected batch 0");
    // The contract is further than that.
    refused(&logs[..1], "some of the logs are missing");
    refused(&[], "some of the logs are missing");
    let mut altered = logs.clone();
    let data = altered[0]["data"].as_str().unwrap().to_owned();
    // The last digit of the last balance.
    let place = data.trim_end_matches('0').len() - 1;
    let digit = if &data[place..=place] == "1" {
        "2"
    } else {
        "1"
    };
    let data = [&data[..place], digit, &data[place + 1..]].concat();
    altered[0]["data"] = data.into();
    refused(
        &altered,
        "batch 0: its calldata or blobs are not what was settled",
    );
    sandbox.write("kept/contract.json", b"{}");
    let error = sandbox.refused(&REBUILD);
    assert!(error.contains("block, code and logs"), "{error}");
    assert!(!sandbox.exists("state.bin"));
}

/// Without the blobs, or with others in their place, nobody is led anywhere.
#[test]
fn blobs_that_are_missing_or_false_make_no_state() {
    let chain = settled();
    let sandbox = &chain.sandbox;
    let names = sandbox.names("kept/blobs");
    let [name] = &names[..] else {
        panic!("{names:?}")
    };
    let path = format!("kept/blobs/{name}");
    let blob = sandbox.read(&path);
    let refused = |expected: &str| {
        let error = sandbox.refused(&REBUILD);
        assert!(error.contains(expected), "{error}");
        assert!(!sandbox.exists("state.bin"));
    };
    fs::remove_file(sandbox.path(&path)).unwrap();
    refused(&format!("batch 1: found no blob {name}"));
    sandbox.write(&path, &blob[1..]);
    refused("found 131071 bytes as the blob");
    let mut altered = blob.clone();
    altered[31] ^= 1;
    sandbox.write(&path, &altered);
    refused("batch 1: its calldata or blobs are not what was settled");
    sandbox.write(&path, &blob);
    sandbox.ok(&REBUILD);
    // Those of another folder.
    fs::rename(sandbox.path("kept/blobs"), sandbox.path("elsewhere")).unwrap();
    fs::remove_file(sandbox.path("state.bin")).unwrap();
    refused(&format!("batch 1: found no blob {name}"));
    sandbox.ok(&[&REBUILD[..], &["--blobs", "elsewhere"]].concat());
}
