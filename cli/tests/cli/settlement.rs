//! From a validity proof to a settlement proof that verifies, and what is refused; out of a ledger by
//! what its contract has published.

use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::{SolCall as _, SolEvent as _, SolValue as _};
use revm::primitives::hardfork::SpecId;
use serde_json::{Value, json};
use shardfold_contracts::set::standard;
use shardfold_executor::workload::Keys;
use shardfold_executor::{reexecute, sequential, shards};
use shardfold_protocol::batch::Batch;
use shardfold_protocol::files;
use shardfold_protocol::signature::SecretKey;
use shardfold_protocol::state::{State, StateFile};
use shardfold_recursion::profile::Profile;
use shardfold_settlement::artefact::{Artefact, HASHES, ROLLUP};
use shardfold_settlement::data::{DataMode, Publication};
use shardfold_settlement::encoding;
use shardfold_settlement::interface::IRollup::{
    Settled, escapeCall, freezeCall, headDigestCall, registerAssetCall, requestExitCall, settleCall,
};
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
    let error = sandbox.refused(&verify("short.bin"));
    assert!(error.contains("found a payload of"), "{error}");
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
    let mut data = Bytes::new();
    for number in 0..=number {
        let before = state.head().data_commitment;
        let batch: Batch = files::from_bytes(&read(&Chain::batch(number))).unwrap();
        let outcome = sequential::execute(standard(), &state, &batch).unwrap();
        let witnesses = shards::cut(standard(), &mut state, &batch, &outcome, shapes).unwrap();
        let published = witnesses
            .iter()
            .map(|w| reexecute::differences(standard(), w).unwrap());
        let differences: Vec<_> = published.flatten().collect();
        let after = &state.head().data_commitment;
        let published = Publication::new(DataMode::Calldata, &before, after, &differences);
        data = published.unwrap().calldata().clone();
    }
    let event = Settled {
        batch: U256::from(number),
        head: encoding::head_bytes(state.head()).into(),
        withdrawals: Bytes::new(),
        data,
        blobs: vec![],
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

/// A contract with the verifier that `verifier` has written, on a chain of this fork.
struct OnChain {
    chain: evm::Chain,
    rollup: Address,
    hashes: Address,
    /// The verifier, and the halves of its data.
    verifier: [Address; 3],
}

const OPERATOR: Address = Address::repeat_byte(0x0a);
const PRICE: U256 = U256::from_limbs([1_000_000, 0, 0, 0]);

impl OnChain {
    fn new(sandbox: &Sandbox, genesis: &State, fork: SpecId) -> Self {
        let mut chain = evm::Chain::new(fork);
        // The time of the batch is its trace's.
        chain.time = 1;
        let [first, second] =
            ["first", "second"].map(|name| create(&mut chain, sandbox, name, &[]));
        let arguments = shardfold_settlement::verifier::arguments(first, second);
        let verifier = create(&mut chain, sandbox, "verifier", &arguments);
        let hashes = chain.deploy(&Artefact::parse(HASHES).unwrap(), &[]);
        let arguments = (
            genesis.chain_id(),
            encoding::word(&genesis.head().state_root),
            PRICE,
            hashes,
            verifier,
            Address::ZERO,
            OPERATOR,
        );
        let rollup = Artefact::parse(ROLLUP).unwrap();
        let rollup = chain.deploy(&rollup, &arguments.abi_encode_params());
        Self {
            chain,
            rollup,
            hashes,
            verifier: [verifier, first, second],
        }
    }

    /// Settles, and writes what a node answers to eth_getLogs.
    fn settle(&mut self, sandbox: &Sandbox, call: &[u8]) {
        let sent = self.chain.send_data(OPERATOR, self.rollup, call.to_vec());
        let log = &sent.expect("it is settled").logs[0].data;
        let log = json!({ "address": self.rollup, "topics": log.topics(), "data": log.data });
        sandbox.write("logs.json", json!([log]).to_string().as_bytes());
    }

    /// What a node answers to eth_getCode, contract by contract.
    fn codes(&self) -> Value {
        let code = |at: Address| json!({ "address": at, "code": self.chain.code(at) });
        let [verifier, first, second] = self.verifier.map(code);
        json!({
            "rollup": code(self.rollup),
            "hashes": code(self.hashes),
            "verifier": verifier,
            "first": first,
            "second": second,
            "head_digest": self.chain.ask(self.rollup, &headDigestCall {}),
        })
    }
}

/// The genesis of a batch, and the call that settles its proof.
fn settle_call(sandbox: &Sandbox) -> (State, Vec<u8>) {
    let shape = ["--profile", "unsound-test"];
    let settle = ["settle-call", "batch.bin", "--proof", "settlement.bin"];
    let printed = sandbox.ok(&[&settle[..], &shape].concat());
    let call = hex::decode(printed.out.trim().trim_start_matches("0x")).unwrap();
    let genesis: StateFile = files::from_bytes(&sandbox.read("genesis.bin")).unwrap();
    (State::try_from(&genesis).unwrap(), call)
}

/// Writes the contracts of a verifier, and returns what is printed of them.
fn written_verifier(sandbox: &Sandbox) -> Value {
    let key = ["--key", "settlement.key"];
    sandbox
        .ok(&[&["verifier", "-o", "verifier", "--json"], &key[..]].concat())
        .json()
}

/// From a trace to a state root on a chain, by the commands alone: import, prove, wrap, verifier,
/// settle-call; and back to the state by rebuild.
#[test]
fn a_contract_settles_what_the_commands_prove() {
    let (sandbox, _) = wrapped();
    let made = written_verifier(&sandbox);
    let (genesis, call) = settle_call(&sandbox);
    for fork in evm::FORKS {
        let mut on_chain = OnChain::new(&sandbox, &genesis, fork);
        let [verifier, ..] = on_chain.verifier;
        let hash = on_chain.chain.ask(verifier, &IVerifier::dataHashCall {});
        assert_eq!(hash.to_string(), made["data_hash"].as_str().unwrap());

        // Another byte of the proof, and another balance of the data, are refused.
        let rollup = on_chain.rollup;
        let mut altered = settleCall::abi_decode(&call).unwrap();
        let mut proof = altered.proof.to_vec();
        *proof.last_mut().unwrap() ^= 1;
        altered.proof = proof.into();
        let refused = on_chain.chain.call(OPERATOR, rollup, &altered);
        refused.unwrap_err();
        let mut altered = settleCall::abi_decode(&call).unwrap();
        let mut data = altered.data.to_vec();
        data[15] ^= 1;
        altered.data = data.into();
        let refused = on_chain.chain.call(OPERATOR, rollup, &altered);
        refused.unwrap_err();

        on_chain.settle(&sandbox, &call);
        let state = on_chain.chain.ask(rollup, &headDigestCall {});
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
        let again = on_chain.chain.send_data(OPERATOR, rollup, call.clone());
        again.unwrap_err();
    }
}

/// The public key, as text, of the account that a trace's import gives an address.
fn public_key_of(address: [u8; 20]) -> String {
    let mut seed = [0; 32];
    seed[0] = 1;
    seed[8..28].copy_from_slice(&address);
    let key = SecretKey::from_seed(&seed).public_key();
    let elements = encoding::key_elements(&key);
    hex::encode(elements.map(u64::to_be_bytes).concat())
}

/// State, key and verifier made anew and compared, and the calls, which the frozen contract pays.
#[test]
fn an_exit_drill_leads_out_of_a_frozen_contract() {
    const FORTNIGHT: u64 = 14 * 24 * 3_600;
    let (sandbox, _) = wrapped();
    written_verifier(&sandbox);
    let (genesis, call) = settle_call(&sandbox);
    let mut on_chain = OnChain::new(&sandbox, &genesis, evm::FORKS[0]);
    on_chain.settle(&sandbox, &call);
    let codes = on_chain.codes();
    sandbox.write("code.json", codes.to_string().as_bytes());
    let who = [1; 20];
    let (key, to) = (public_key_of(who), hex::encode(who));
    let files = [
        "logs.json",
        "--code",
        "code.json",
        "--genesis",
        "genesis.bin",
    ];
    let options = ["--profile", "unsound-test", "-o", "drill", "--json"];
    let person = ["--owner-key", &key, "--to", &to];
    let drill = [&["exit-drill"], &files[..], &options, &person].concat();
    let report = sandbox.ok(&drill).json();
    assert_eq!(
        sandbox.read("drill/settlement.key"),
        sandbox.read("settlement.key")
    );

    // The contract has what the vaults of its assets hold, and is frozen.
    let (rollup, who) = (on_chain.rollup, Address::from(who));
    let chain = &mut on_chain.chain;
    let text = include_str!("../../../settlement/evm/test/artefacts/Token.json");
    let token = chain.deploy(&Artefact::parse(text).unwrap(), &[]);
    let calls = report["calls"].as_array().unwrap();
    let number = |value: &Value| -> u64 { value.as_str().unwrap().parse().unwrap() };
    let assets = calls.iter().map(|call| number(&call["asset"]));
    for _ in 0..=assets.max().unwrap() {
        let register = registerAssetCall { token, digits: 0 };
        chain.call(who, rollup, &register).unwrap();
    }
    let owed: u64 = calls.iter().map(|call| number(&call["balance"])).sum();
    assert!(owed > 0 && calls.len() == 2, "{report}");
    let amount = U256::from(owed);
    let mint = IToken::mintCall { to: rollup, amount };
    chain.call(who, token, &mint).unwrap();
    chain.fund(who, U256::from(1) << 80);
    let exit = requestExitCall {
        index: 0,
        key: [0; 5],
    };
    chain.send(who, rollup, PRICE, &exit).unwrap();
    chain.time += FORTNIGHT + 1;
    chain.call(who, rollup, &freezeCall {}).unwrap();
    for call in calls {
        let name = format!("drill/escape-{}.hex", call["index"]);
        let written = String::from_utf8(sandbox.read(name)).unwrap();
        assert_eq!(written.trim(), call["data"].as_str().unwrap());
        let data = hex::decode(written.trim().trim_start_matches("0x")).unwrap();
        // Anybody may send it.
        chain.send_data(OPERATOR, rollup, data).unwrap();
    }
    let paid = chain.ask(token, &IToken::balanceOfCall { who });
    assert_eq!(paid, U256::from(owed));

    // Nobody's vaults, and contracts that differ in a byte, in an address, in the data.
    let mut person = person;
    let other = public_key_of([2; 20]);
    person[1] = &other;
    let error = sandbox.refused(&[&["exit-drill"], &files[..], &options, &person].concat());
    assert!(error.contains("no vault of this key"), "{error}");
    let refused = |codes: &Value, expected: &str| {
        sandbox.write("code.json", codes.to_string().as_bytes());
        let error = sandbox.refused(&drill);
        assert!(error.contains(expected), "{error}");
    };
    for (contract, expected) in [
        ("rollup", "rollup: found another byte"),
        ("hashes", "hashes: found another byte"),
        ("verifier", "verifier: found another byte"),
        ("first", "first half: found another byte"),
        ("second", "second half: found another byte"),
    ] {
        let mut altered = codes.clone();
        let code = altered[contract]["code"].as_str().unwrap().to_owned();
        // The last digit is part of no immutable value.
        let last = if code.ends_with('0') { "1" } else { "0" };
        altered[contract]["code"] = format!("{}{last}", &code[..code.len() - 1]).into();
        refused(&altered, expected);
    }
    let mut altered = codes.clone();
    altered["hashes"]["address"] = codes["first"]["address"].clone();
    refused(&altered, "as its `hashes`, expected");
    let mut altered = codes.clone();
    altered["head_digest"] = json!(encoding::head_digest(genesis.head()));
    refused(&altered, "some of its logs are missing");
    let mut altered = codes.clone();
    altered["first"] = codes["second"].clone();
    refused(&altered, "as its `first`, expected");
}

alloy_sol_types::sol! {
    interface IToken {
        function mint(address to, uint256 amount) external;
        function balanceOf(address who) external view returns (uint256);
    }
}
