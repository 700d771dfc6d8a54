//! What the commands make, on a chain in memory: settled, and left again.

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::{SolCall as _, SolValue as _};
use revm::primitives::hardfork::SpecId;
use serde_json::{Value, json};
use shardfold_protocol::files;
use shardfold_protocol::signature::SecretKey;
use shardfold_protocol::state::{State, StateFile};
use shardfold_settlement::artefact::{Artefact, HASHES, ROLLUP};
use shardfold_settlement::data::DataMode;
use shardfold_settlement::encoding;
use shardfold_settlement::escape;
use shardfold_settlement::interface::IRollup::{
    depositCall, freezeCall, headDigestCall, queueCommitmentCall, registerAssetCall, settleCall,
};
use shardfold_settlement::verifier::IVerifier;

use crate::common::Sandbox;
use crate::settlement::{wrap, wrapped};

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
    fn settle(&mut self, sandbox: &Sandbox, call: &Call) {
        self.chain.blobs = call.blobs.clone();
        let data = call.data.abi_encode();
        let sent = self.chain.send_data(OPERATOR, self.rollup, data);
        sent.expect("it is settled");
        self.archive(sandbox);
    }

    /// Writes the file of an archive.
    fn archive(&self, sandbox: &Sandbox) {
        self.archive_with(sandbox, &self.code());
    }

    /// The same with other code.
    fn archive_with(&self, sandbox: &Sandbox, code: &Value) {
        let logs = self.chain.logs.iter();
        let logs: Vec<Value> = logs
            .map(|log| json!({ "address": log.address, "topics": log.topics(), "data": log.data.data }))
            .collect();
        let contract = json!({ "block": 9, "code": code, "logs": logs });
        std::fs::create_dir_all(sandbox.path("kept")).unwrap();
        sandbox.write("kept/contract.json", contract.to_string().as_bytes());
    }

    /// Registers a token as all assets that the calls of a drill name, gives the contract what the calls
    /// take out of it, and pays so much coin in for an owner, which is the asset after them.
    fn pay_in(&mut self, token: Address, owed: &Owed, owner: U256, amount: u64) {
        let (who, rollup) = (OPERATOR, self.rollup);
        let chain = &mut self.chain;
        for asset in 0..=owed.assets {
            let token = if asset < owed.assets {
                token
            } else {
                Address::ZERO
            };
            let register = registerAssetCall { token, digits: 0 };
            chain.call(who, rollup, &register).unwrap();
        }
        let held = U256::from(owed.units);
        let mint = IToken::mintCall {
            to: rollup,
            amount: held,
        };
        chain.call(who, token, &mint).unwrap();
        let deposit = depositCall {
            asset: owed.assets as u32,
            amount,
            fee: 3,
            owner,
        };
        let wei = U256::from(amount + 3) + PRICE;
        chain.fund(who, wei);
        chain.send(who, rollup, wei, &deposit).unwrap();
    }

    /// Freezes, a fortnight after the deposit.
    fn freeze(&mut self) {
        const FORTNIGHT: u64 = 14 * 24 * 3_600;
        self.chain.time += FORTNIGHT + 1;
        self.chain
            .call(OPERATOR, self.rollup, &freezeCall {})
            .unwrap();
    }

    /// What a node answers to eth_getCode, contract by contract.
    fn code(&self) -> Value {
        let code = |at: Address| json!({ "address": at, "code": self.chain.code(at) });
        let [verifier, first, second] = self.verifier.map(code);
        json!({
            "rollup": code(self.rollup),
            "hashes": code(self.hashes),
            "verifier": verifier,
            "first": first,
            "second": second,
            "head_digest": self.chain.ask(self.rollup, &headDigestCall {}),
            "queue_commitment": self.chain.ask(self.rollup, &queueCommitmentCall {}),
        })
    }
}

/// The call that settles a proof, and the hashes of the blobs beside it.
struct Call {
    data: settleCall,
    blobs: Vec<B256>,
}

/// The genesis of a batch, and the call that settles its proof; blobs are kept.
fn settle_call(sandbox: &Sandbox) -> (State, Call) {
    let settle = ["settle-call", "settlement.bin", "--blobs", "kept/blobs"];
    let printed = sandbox.ok(&[&settle[..], &["--json"]].concat()).json();
    let call = printed["call"].as_str().unwrap().trim_start_matches("0x");
    let call = Call {
        data: settleCall::abi_decode(&hex::decode(call).unwrap()).unwrap(),
        blobs: serde_json::from_value(printed["blobs"].clone()).unwrap(),
    };
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
    for (fork, mode) in evm::forks_and_modes() {
        wrap(&sandbox, "settlement.bin", &["--data", mode.name()]);
        let (genesis, call) = settle_call(&sandbox);
        assert_eq!(call.blobs.is_empty(), mode == DataMode::Calldata);
        let mut on_chain = OnChain::new(&sandbox, &genesis, fork);
        let [verifier, ..] = on_chain.verifier;
        let hash = on_chain.chain.ask(verifier, &IVerifier::dataHashCall {});
        assert_eq!(hash.to_string(), made["data_hash"].as_str().unwrap());
        refuses_what_is_altered(&mut on_chain, &call);

        on_chain.settle(&sandbox, &call);
        let rollup = on_chain.rollup;
        let state = on_chain.chain.ask(rollup, &headDigestCall {});
        let rebuild = ["rebuild", "kept", "--genesis", "genesis.bin"];
        sandbox.ok(&[&rebuild[..], &["-o", "state.bin"]].concat());
        refuses_blobs_that_cannot_be_read(&sandbox, &call);
        let rebuilt: StateFile = files::from_bytes(&sandbox.read("state.bin")).unwrap();
        let head = rebuilt.head.expect("it has seen transactions");
        assert_eq!(state, encoding::head_digest(&head));
        // Once more is once too often.
        on_chain.chain.blobs = call.blobs.clone();
        let again = on_chain.chain.call(OPERATOR, rollup, &call.data);
        again.unwrap_err();
    }
}

/// A folder in the place of a blob, which is not the same as no blob.
fn refuses_blobs_that_cannot_be_read(sandbox: &Sandbox, call: &Call) {
    let Some(hash) = call.blobs.first() else {
        return;
    };
    let rebuild = ["rebuild", "kept", "--genesis", "genesis.bin"];
    let rest = ["--blobs", "broken", "-o", "other.bin"];
    let rebuild = [&rebuild[..], &rest].concat();
    let error = sandbox.refused(&rebuild);
    assert!(error.contains("found no blob"), "{error}");
    std::fs::create_dir_all(sandbox.path(format!("broken/{hash}"))).unwrap();
    let error = sandbox.refused(&rebuild);
    assert!(error.contains(&hash.to_string()), "{error}");
    assert!(!error.contains("found no blob"), "{error}");
    std::fs::remove_dir_all(sandbox.path("broken")).unwrap();
}

/// Another byte of the proof, of the data or of what opens the blobs, and blobs that are missing.
fn refuses_what_is_altered(on_chain: &mut OnChain, call: &Call) {
    let alter = |bytes: &Bytes, place: usize| {
        let mut altered = bytes.to_vec();
        altered[place] ^= 1;
        altered.into()
    };
    let mut proof = call.data.clone();
    proof.proof = alter(&proof.proof, proof.proof.len() - 1);
    let mut data = call.data.clone();
    match call.blobs.is_empty() {
        true => data.data = alter(&data.data, 31),
        false => data.openings = alter(&data.openings, 31),
    }
    let mut refused = |data: &settleCall, blobs: Vec<B256>| {
        on_chain.chain.blobs = blobs;
        let refused = on_chain.chain.call(OPERATOR, on_chain.rollup, data);
        refused.unwrap_err();
    };
    refused(&proof, call.blobs.clone());
    refused(&data, call.blobs.clone());
    if !call.blobs.is_empty() {
        refused(&call.data, vec![]);
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

/// What the calls of a drill take out of vaults.
struct Owed {
    /// One more than the highest asset.
    assets: u64,
    units: u64,
}

impl Owed {
    fn of(report: &Value) -> Self {
        let calls = report["calls"].as_array().unwrap();
        let number = |value: &Value| -> u64 { value.as_str().unwrap().parse().unwrap() };
        let assets = calls.iter().map(|call| number(&call["asset"]));
        Self {
            assets: assets.max().unwrap() + 1,
            units: calls.iter().map(|call| number(&call["balance"])).sum(),
        }
    }
}

/// State, key and verifier made anew and compared, and the calls, which the frozen contract pays.
#[test]
fn an_exit_drill_leads_out_of_a_frozen_contract() {
    const DEPOSIT: u64 = 500;
    let (sandbox, _) = wrapped();
    wrap(&sandbox, "settlement.bin", &["--data", "blobs"]);
    written_verifier(&sandbox);
    let (genesis, call) = settle_call(&sandbox);
    let mut on_chain = OnChain::new(&sandbox, &genesis, evm::FORKS[0]);
    on_chain.settle(&sandbox, &call);
    let earlier = on_chain.code();
    let who = [1; 20];
    let (key, to) = (public_key_of(who), hex::encode(who));
    let files = ["kept", "--genesis", "genesis.bin"];
    let options = ["--profile", "unsound-test", "-o", "drill", "--json"];
    let person = ["--owner-key", &key, "--to", &to];
    let drill = [&["exit-drill"], &files[..], &options, &person].concat();
    let report = sandbox.ok(&drill).json();
    println!(
        "exit drill: {}, {} bytes at most",
        report["steps"], report["peak_memory_bytes"]
    );
    let owed = Owed::of(&report);
    assert!(owed.units > 0 && report["calls"].as_array().unwrap().len() == 1);
    assert_eq!(
        sandbox.read("drill/settlement.key"),
        sandbox.read("settlement.key")
    );

    // Calls of another day would lie between those of today.
    let error = sandbox.refused(&drill);
    assert!(error.contains("calls of an earlier drill"), "{error}");
    remove_calls(&sandbox);
    let without = [&drill[..], &["--blobs", "nowhere"]].concat();
    let error = sandbox.refused(&without);
    assert!(error.contains("found no blob"), "{error}");

    let text = include_str!("../../../settlement/evm/test/artefacts/Token.json");
    let token = on_chain.chain.deploy(&Artefact::parse(text).unwrap(), &[]);
    let elements = key_of(&key);
    let who = Address::from(who);
    let owner = escape::owner(genesis.chain_id(), elements, who).unwrap();
    on_chain.pay_in(token, &owed, encoding::word(&owner), DEPOSIT);
    // The queue's chain was another one before the deposit.
    on_chain.archive_with(&sandbox, &earlier);
    let error = sandbox.refused(&drill);
    assert!(error.contains("found 1 items that wait"), "{error}");
    on_chain.archive(&sandbox);
    refuses_other_code(&sandbox, &on_chain, &genesis, &drill);
    let report = sandbox.ok(&drill).json();
    let calls = report["calls"].as_array().unwrap();
    assert_eq!(calls.len(), 2);
    on_chain.freeze();
    let names = ["reclaim", "escape"];
    for (number, call) in calls.iter().enumerate() {
        let file = call["file"].as_str().unwrap();
        let (function, of) = (
            names[number],
            call.get("index").unwrap_or(&call["position"]),
        );
        let of = of.as_str().map_or_else(|| of.to_string(), str::to_owned);
        assert_eq!(file, format!("{:03}-{function}-{of}.hex", number + 1));
        assert_eq!(call["function"], function);
        let written = String::from_utf8(sandbox.read(format!("drill/{file}"))).unwrap();
        assert_eq!(written.trim(), call["data"].as_str().unwrap());
        let data = hex::decode(written.trim().trim_start_matches("0x")).unwrap();
        // Anybody may send it.
        let rollup = on_chain.rollup;
        on_chain.chain.send_data(OPERATOR, rollup, data).unwrap();
    }
    let paid = on_chain.chain.ask(token, &IToken::balanceOfCall { who });
    assert_eq!(paid, U256::from(owed.units));
    assert_eq!(on_chain.chain.balance(who), U256::from(DEPOSIT + 3));
    // All of it has left.
    remove_calls(&sandbox);
    on_chain.archive(&sandbox);
    let error = sandbox.refused(&drill);
    assert!(error.contains("has left to this address"), "{error}");

    // Nobody's vaults.
    let mut person = person;
    let other = public_key_of([2; 20]);
    person[1] = &other;
    let error = sandbox.refused(&[&["exit-drill"], &files[..], &options, &person].concat());
    assert!(error.contains("nothing of this key"), "{error}");
}

/// A byte, an address or a head that differ. Where it is the verifier's, the calls are there all the same.
fn refuses_other_code(sandbox: &Sandbox, on_chain: &OnChain, genesis: &State, drill: &[&str]) {
    let code = on_chain.code();
    let refused = |code: &Value, expected: &str| {
        on_chain.archive_with(sandbox, code);
        let error = sandbox.refused(drill);
        assert!(error.contains(expected), "{error}");
    };
    let of_verifier = |code: &Value, expected: &str| {
        on_chain.archive_with(sandbox, code);
        let output = sandbox.command(drill).output().unwrap();
        let (code, printed) = crate::common::printed(output);
        assert_eq!(code, Some(crate::common::INVALID));
        assert!(printed.err.contains(expected), "{}", printed.err);
        assert!(printed.err.contains("the calls are written"));
        let names = sandbox.names("drill");
        let calls = names.iter().filter(|name| name.ends_with(".hex"));
        assert_eq!(calls.count(), 2);
        remove_calls(sandbox);
    };
    let altered = |contract: &str| {
        let mut altered = code.clone();
        let code = altered[contract]["code"].as_str().unwrap().to_owned();
        // The last digit is part of no immutable value.
        let last = if code.ends_with('0') { "1" } else { "0" };
        altered[contract]["code"] = format!("{}{last}", &code[..code.len() - 1]).into();
        altered
    };
    refused(&altered("rollup"), "rollup: found another byte");
    refused(&altered("hashes"), "hashes: found another byte");
    of_verifier(&altered("verifier"), "verifier: found another byte");
    of_verifier(&altered("first"), "first half: found another byte");
    of_verifier(&altered("second"), "second half: found another byte");
    let mut other = code.clone();
    other["hashes"]["address"] = code["first"]["address"].clone();
    refused(&other, "as its `hashes`, expected");
    let mut other = code.clone();
    other["head_digest"] = json!(encoding::head_digest(genesis.head()));
    refused(&other, "some of the logs are missing");
    let mut other = code.clone();
    other["first"] = code["second"].clone();
    of_verifier(&other, "as its `first`, expected");
    on_chain.archive(sandbox);
}

/// Removes the calls of a drill.
fn remove_calls(sandbox: &Sandbox) {
    for name in sandbox.names("drill") {
        if name.ends_with(".hex") {
            std::fs::remove_file(sandbox.path(format!("drill/{name}"))).unwrap();
        }
    }
}

/// The elements of a public key in text.
fn key_of(text: &str) -> [u64; 5] {
    let bytes = hex::decode(text).unwrap();
    let (words, _) = bytes.as_chunks::<8>();
    core::array::from_fn(|i| u64::from_be_bytes(words[i]))
}

alloy_sol_types::sol! {
    interface IToken {
        function mint(address to, uint256 amount) external;
        function balanceOf(address who) external view returns (uint256);
    }
}
