//! From a validity proof to a settlement proof that verifies, and what is refused; out of a ledger by
//! what its contract has published.

use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::{SolCall as _, SolEvent as _, SolValue as _};
use serde_json::{Value, json};
use shardfold_contracts::set::standard;
use shardfold_executor::workload::Keys;
use shardfold_executor::{reexecute, sequential, shards};
use shardfold_protocol::batch::Batch;
use shardfold_protocol::files;
use shardfold_protocol::state::{State, StateFile};
use shardfold_recursion::profile::Profile;
use shardfold_settlement::artefact::{Artefact, HASHES, ROLLUP};
use shardfold_settlement::encoding;
use shardfold_settlement::interface::IRollup::{Settled, escapeCall, headDigestCall, settleCall};
use shardfold_settlement::verifier::IVerifier;

use crate::chain::Chain;
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

/// A ledger of two batches, and the logs of a contract that has settled them.
fn settled() -> Chain {
    let chain = Chain::cut_for(Profile::UnsoundTest, 2, 5, 20);
    let logs: Vec<Value> = (0..2).map(|number| log(&chain, number)).collect();
    let answer = json!({ "jsonrpc": "2.0", "id": 1, "result": logs });
    chain
        .sandbox
        .write("logs.json", answer.to_string().as_bytes());
    chain
}

/// The log of one batch, which is executed again from the genesis.
fn log(chain: &Chain, number: usize) -> Value {
    let read = |name: &str| chain.sandbox.read(name);
    let genesis: StateFile = files::from_bytes(&read("genesis.bin")).unwrap();
    let mut state = State::try_from(&genesis).unwrap();
    let shapes = Profile::UnsoundTest.shapes();
    let mut differences = vec![];
    for number in 0..=number {
        let batch: Batch = files::from_bytes(&read(&Chain::batch(number))).unwrap();
        let outcome = sequential::execute(standard(), &state, &batch).unwrap();
        let witnesses = shards::cut(standard(), &mut state, &batch, &outcome, shapes).unwrap();
        let published = witnesses
            .iter()
            .map(|w| reexecute::differences(standard(), w).unwrap());
        differences = published.flatten().collect();
    }
    let event = Settled {
        batch: U256::from(number),
        head: encoding::head_bytes(state.head()).into(),
        withdrawals: Bytes::new(),
        data: encoding::bytes(&differences).into(),
    };
    let topics = [Settled::SIGNATURE_HASH, U256::from(number).into()];
    let address = Address::repeat_byte(0xc0);
    json!({ "address": address, "topics": topics, "data": Bytes::from(event.encode_data()) })
}

#[test]
fn the_logs_of_a_node_make_the_state_and_the_call_that_leaves() {
    let chain = settled();
    let sandbox = &chain.sandbox;
    let rebuild = [
        "rebuild",
        "logs.json",
        "--genesis",
        "genesis.bin",
        "-o",
        "state.bin",
    ];
    let report = sandbox.ok(&[&rebuild[..], &["--json"]].concat()).json();
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
    let rebuild = [
        "rebuild",
        "logs.json",
        "--genesis",
        "genesis.bin",
        "-o",
        "state.bin",
    ];
    let answer: Value = serde_json::from_slice(&sandbox.read("logs.json")).unwrap();
    let refused = |logs: Value, expected: &str| {
        sandbox.write("logs.json", logs.to_string().as_bytes());
        let error = sandbox.refused(&rebuild);
        assert!(error.contains(expected), "{error}");
    };
    refused(json!({}), "not the logs of a node");
    refused(json!([answer["result"][1]]), "expected batch 0");
    let mut altered = answer.clone();
    let data = altered["result"][0]["data"].as_str().unwrap().to_owned();
    // The last digit of the last balance.
    let place = data.trim_end_matches('0').len() - 1;
    let digit = if &data[place..=place] == "1" {
        "2"
    } else {
        "1"
    };
    let data = [&data[..place], digit, &data[place + 1..]].concat();
    altered["result"][0]["data"] = data.into();
    refused(altered, "batch 0 does not lead to its head");
    assert!(!sandbox.exists("state.bin"));
}

#[path = "../../../settlement/tests/common/chain.rs"]
#[allow(dead_code, reason = "what other tests use of it")]
mod evm;

/// Puts code that `verifier` has written onto a chain, with these arguments.
fn create(chain: &mut evm::Chain, sandbox: &Sandbox, name: &str, arguments: &[u8]) -> Address {
    let digits = String::from_utf8(sandbox.read(format!("verifier/{name}.hex"))).unwrap();
    let creation = hex::decode(digits.trim().trim_start_matches("0x")).unwrap();
    let artefact = Artefact {
        creation: creation.into(),
        ..Artefact::parse(ROLLUP).unwrap()
    };
    chain.deploy(&artefact, arguments)
}

/// From a trace to a state root on a chain, by the commands alone: import, prove, wrap, verifier,
/// settle-call; and back to the state by rebuild.
#[test]
fn a_contract_settles_what_the_commands_prove() {
    let (sandbox, _) = wrapped();
    let verifier = [
        "verifier",
        "--key",
        "settlement.key",
        "-o",
        "verifier",
        "--json",
    ];
    let made = sandbox.ok(&verifier).json();
    let shape = ["--profile", "unsound-test"];
    let settle = ["settle-call", "batch.bin", "--proof", "settlement.bin"];
    let printed = sandbox.ok(&[&settle[..], &shape].concat());
    let call = hex::decode(printed.out.trim().trim_start_matches("0x")).unwrap();
    let genesis: StateFile = files::from_bytes(&sandbox.read("genesis.bin")).unwrap();
    let genesis = State::try_from(&genesis).unwrap();
    let operator = Address::repeat_byte(0x0a);
    for fork in evm::FORKS {
        let mut chain = evm::Chain::new(fork);
        // The time of the batch is its trace's.
        chain.time = 1;
        let [first, second] =
            ["first", "second"].map(|name| create(&mut chain, &sandbox, name, &[]));
        let arguments = shardfold_settlement::verifier::arguments(first, second);
        let verifier = create(&mut chain, &sandbox, "verifier", &arguments);
        let hash = chain.ask(verifier, &IVerifier::dataHashCall {});
        assert_eq!(hash.to_string(), made["data_hash"].as_str().unwrap());

        let hashes = chain.deploy(&Artefact::parse(HASHES).unwrap(), &[]);
        let root = encoding::word(&genesis.head().state_root);
        let price = U256::from(1_000_000);
        let arguments = (
            genesis.chain_id(),
            root,
            price,
            hashes,
            verifier,
            Address::ZERO,
            operator,
        );
        let rollup = chain.deploy(
            &Artefact::parse(ROLLUP).unwrap(),
            &arguments.abi_encode_params(),
        );

        // Another byte of the proof, and another balance of the data, are refused.
        let mut altered = settleCall::abi_decode(&call).unwrap();
        let mut proof = altered.proof.to_vec();
        *proof.last_mut().unwrap() ^= 1;
        altered.proof = proof.into();
        chain.call(operator, rollup, &altered).unwrap_err();
        let mut altered = settleCall::abi_decode(&call).unwrap();
        let mut data = altered.data.to_vec();
        data[15] ^= 1;
        altered.data = data.into();
        chain.call(operator, rollup, &altered).unwrap_err();

        let done = chain
            .send_data(operator, rollup, call.clone())
            .expect("it is settled");
        let state = chain.ask(rollup, &headDigestCall {});
        let log = &done.logs[0];
        let log = json!({ "address": rollup, "topics": log.data.topics(), "data": log.data.data });
        sandbox.write("logs.json", json!([log]).to_string().as_bytes());
        sandbox.ok(&[
            "rebuild",
            "logs.json",
            "--genesis",
            "genesis.bin",
            "-o",
            "state.bin",
        ]);
        let rebuilt: StateFile = files::from_bytes(&sandbox.read("state.bin")).unwrap();
        let head = rebuilt.head.expect("it has seen transactions");
        assert_eq!(state, encoding::head_digest(&head));
        // Once more is once too often.
        chain.send_data(operator, rollup, call.clone()).unwrap_err();
    }
}
