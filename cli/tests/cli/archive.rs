//! `archive`, whatever the nodes do.

use std::fs;

use alloy_primitives::B256;
use alloy_sol_types::SolCall as _;
use serde_json::{Value, json};
use shardfold_protocol::files;
use shardfold_protocol::state::StateFile;
use shardfold_settlement::data::DataMode;
use shardfold_settlement::encoding;
use shardfold_settlement::interface::IRollup::{headDigestCall, settledBatchesCall};

use crate::chain::Chain;
use crate::common::{CANNOT, Printed, Sandbox, USAGE, printed};
use crate::leaving::{CONTRACT, logs_of, settled_in};
use crate::node::{Answer, Node};

const GENESIS: u64 = 1_000;
const SLOT_SECONDS: u64 = 4;
/// The slot of the first batch.
const FIRST_SLOT: u64 = 10;

/// A ledger whose batches are all in blobs, one each, the nodes that know of it, and an empty folder.
struct Scene {
    chain: Chain,
    /// What the contract has said.
    logs: Vec<Value>,
    /// Of the base chain.
    node: Node,
    /// The names of the blobs, by batch.
    blobs: Vec<String>,
}

/// A node of the base chain, with a contract at a head that has said this.
fn node(logs: Vec<Value>, head: B256) -> Node {
    limited_node(logs, head, 0, u64::MAX)
}

/// One that has events from a block on only, and answers for so many blocks at once.
fn limited_node(logs: Vec<Value>, head: B256, oldest: u64, most: u64) -> Node {
    let batches = logs.len();
    Node::new(move |_, body| {
        let request: Value = serde_json::from_str(body).unwrap();
        let result = match request["method"].as_str().unwrap() {
            "eth_getLogs" => {
                let filter = &request["params"][0];
                let blocks = [&filter["fromBlock"], &filter["toBlock"]].map(quantity);
                if blocks[0] < oldest || blocks[1] - blocks[0] >= most {
                    let error = json!({ "code": -32_005, "message": "not so many" });
                    let answer = json!({ "jsonrpc": "2.0", "id": request["id"], "error": error });
                    return Some((200, answer.to_string()));
                }
                let within = |log: &&Value| {
                    let block = quantity(&log["blockNumber"]);
                    (blocks[0]..=blocks[1]).contains(&block)
                };
                json!(logs.iter().filter(within).collect::<Vec<_>>())
            }
            "eth_call" => {
                let call = request["params"][0].to_string();
                let is = |selector: [u8; 4]| call.contains(&hex::encode(selector));
                let words = match () {
                    () if is(headDigestCall::SELECTOR) => hex::encode(head),
                    () if is(settledBatchesCall::SELECTOR) => format!("{batches:064x}"),
                    // Nothing else has happened; the contracts that it names have the address 0.
                    () => "0".repeat(6 * 64),
                };
                json!(format!("0x{words}"))
            }
            _ => json!("0x1234"),
        };
        let id = &request["id"];
        let answer = json!({ "jsonrpc": "2.0", "id": id, "result": result });
        Some((200, answer.to_string()))
    })
}

fn quantity(value: &Value) -> u64 {
    let digits = value.as_str().unwrap().trim_start_matches("0x");
    u64::from_str_radix(digits, 16).unwrap()
}

impl Scene {
    fn new(batches: usize) -> Self {
        let chain = settled_in(&vec![DataMode::Blobs; batches]);
        let mut logs = logs_of(&chain);
        let mut blobs = vec![];
        for (number, log) in logs.iter_mut().enumerate() {
            // A second after the slot has begun.
            let time = GENESIS + SLOT_SECONDS * (FIRST_SLOT + number as u64) + 1;
            log["blockTimestamp"] = json!(format!("{time:#x}"));
            for name in ["blockNumber", "transactionIndex", "logIndex"] {
                log[name] = json!("0x1");
            }
            for name in ["blockHash", "transactionHash"] {
                log[name] = json!(B256::ZERO);
            }
            log["removed"] = false.into();
            let data = log["data"].as_str().unwrap();
            let names = chain.sandbox.names("kept/blobs");
            let name = names
                .iter()
                .find(|name| data.contains(name.trim_start_matches("0x")));
            blobs.push(name.unwrap().clone());
        }
        let head = encoding::head_digest(chain.heads.last().unwrap());
        let node = node(logs.clone(), head);
        Self {
            chain,
            logs,
            node,
            blobs,
        }
    }

    fn sandbox(&self) -> &Sandbox {
        &self.chain.sandbox
    }

    /// Runs the command with a beacon node.
    fn archive(&self, beacon: &str) -> (Option<i32>, Printed) {
        self.archive_from(&self.node, &CONTRACT.to_string(), beacon)
    }

    /// The same from a node of one's own.
    fn archive_from(&self, node: &Node, contract: &str, beacon: &str) -> (Option<i32>, Printed) {
        let from = ["archive", "--rpc", &node.url, "--contract", contract];
        let with = ["--beacon", beacon, "-o", "archive", "--json"];
        let mut command = self.sandbox().command(&[&from[..], &with].concat());
        printed(command.output().unwrap())
    }

    /// Runs it, of which the state must be made; returns how many blobs were fetched.
    fn archived(&self, beacon: &str) -> u64 {
        let (code, printed) = self.archive(beacon);
        assert_eq!(code, Some(0), "{}", printed.err);
        let rebuild = ["rebuild", "archive", "--genesis", "genesis.bin"];
        self.sandbox()
            .ok(&[&rebuild[..], &["-o", "state.bin"]].concat());
        let state: StateFile = files::from_bytes(&self.sandbox().read("state.bin")).unwrap();
        assert_eq!(state.head.as_ref(), self.chain.heads.last());
        fs::remove_file(self.sandbox().path("state.bin")).unwrap();
        printed.json()["blobs_fetched"].as_u64().unwrap()
    }

    /// Runs it, which must find blobs missing; returns what it says.
    fn lacking(&self, beacon: &str) -> String {
        let (code, printed) = self.archive(beacon);
        assert_eq!(code, Some(CANNOT), "{}", printed.err);
        assert!(printed.err.contains("without which nobody makes the state"));
        // All else is there.
        assert!(self.sandbox().exists("archive/contract.json"));
        printed.err
    }

    /// The blobs that are in the archive, by their batches; each is right.
    fn kept(&self) -> Vec<usize> {
        let is_kept = |name: &String| {
            let kept = self.sandbox().path(format!("archive/blobs/{name}"));
            fs::read(kept).is_ok_and(|kept| kept == self.blob(name))
        };
        let blobs = self.blobs.iter().enumerate();
        blobs
            .filter(|(_, name)| is_kept(name))
            .map(|(i, _)| i)
            .collect()
    }

    fn blob(&self, name: &str) -> Vec<u8> {
        self.sandbox().read(format!("kept/blobs/{name}"))
    }

    /// A beacon node that answers for blobs by a function of the batch; what it says of blobs that it
    /// gives is all of them that the slot has.
    fn beacon(&self, answer: impl Fn(usize) -> Given + Send + Sync + 'static) -> Node {
        let blobs = self.blobs.iter();
        let blobs: Vec<_> = blobs.map(|name| hex::encode(self.blob(name))).collect();
        let names = self.blobs.clone();
        Node::new(move |path, _| {
            if path == "/eth/v1/beacon/genesis" {
                return good(&json!({ "genesis_time": GENESIS.to_string() }));
            }
            if path == "/eth/v1/config/spec" {
                return good(&json!({ "SECONDS_PER_SLOT": SLOT_SECONDS.to_string() }));
            }
            let asked = path.strip_prefix("/eth/v1/beacon/blobs/").unwrap();
            let (slot, query) = asked.split_once('?').unwrap();
            let batch = (slot.parse::<u64>().unwrap() - FIRST_SLOT) as usize;
            assert_eq!(query, format!("versioned_hashes={}", names[batch]));
            match answer(batch) {
                Given::Blob(of) => good(&json!([format!("0x{}", blobs[of])])),
                Given::Said(status, text) => Some((status, text)),
                Given::Nothing => None,
            }
        })
    }
}

/// What a beacon node answers when it is asked for the blobs of a batch.
enum Given {
    /// The blob of a batch.
    Blob(usize),
    /// Something else.
    Said(u16, String),
    /// It closes the connection.
    Nothing,
}

fn good(data: &Value) -> Answer {
    Some((200, json!({ "data": data }).to_string()))
}

/// Where nobody listens.
const NOBODY: &str = "http://127.0.0.1:1";

#[test]
fn what_a_folder_lacks_comes_from_the_beacon_node_once() {
    let scene = Scene::new(2);
    let beacon = scene.beacon(Given::Blob);
    assert_eq!(scene.archived(&beacon.url), 2);
    assert_eq!(scene.kept(), [0, 1]);
    assert_eq!(beacon.asked().len(), 4);
    // A folder that has all needs no beacon node at all.
    assert_eq!(scene.archived(NOBODY), 0);
    assert_eq!(scene.archived(&beacon.url), 0);
    assert_eq!(beacon.asked(), [""; 0]);
}

/// Whatever is said of one batch, those of the others are kept.
#[test]
fn one_bad_answer_does_not_keep_the_others_away() {
    let scene = Scene::new(3);
    let endless = " ".repeat((64 << 20) + 1);
    let cases = [
        (500, "{}", "it answers 500"),
        (404, "{}", "it answers 404"),
        (200, "{", "found something else"),
        (200, r#"{"data":[]}"#, "found 0 blobs of the slot 11"),
        (200, r#"{"data":["0x12"]}"#, "found 1 blobs of the slot 11"),
        (200, &endless, "an answer of more than"),
    ];
    for (status, text, expected) in cases {
        let text = text.to_owned();
        let beacon = scene.beacon(move |batch| match batch {
            1 => Given::Said(status, text.clone()),
            _ => Given::Blob(batch),
        });
        let said = scene.lacking(&beacon.url);
        assert!(said.contains(expected), "{said}");
        assert!(said.contains(&scene.blobs[1]), "{said}");
        assert!(said.contains("1 blobs are not in"), "{said}");
        assert_eq!(scene.kept(), [0, 2]);
        fs::remove_dir_all(scene.sandbox().path("archive")).unwrap();
    }
}

/// Another blob than the one that was asked for is not kept under its name.
#[test]
fn a_node_that_lies_is_not_believed() {
    let scene = Scene::new(2);
    let beacon = scene.beacon(|batch| Given::Blob(1 - batch));
    let said = scene.lacking(&beacon.url);
    assert!(said.contains("found 1 blobs of the slot 10"), "{said}");
    assert!(!scene.sandbox().exists("archive/blobs"));
}

/// A file in the place of a blob that is not the blob is fetched again; what cannot be read at all is
/// told, and keeps nothing else away.
#[test]
fn a_file_that_is_not_the_blob_of_its_name_is_replaced() {
    let scene = Scene::new(2);
    let beacon = scene.beacon(Given::Blob);
    let place = format!("archive/blobs/{}", scene.blobs[0]);
    fs::create_dir_all(scene.sandbox().path("archive/blobs")).unwrap();
    let good = scene.blob(&scene.blobs[0]);
    let mut altered = good.clone();
    altered[31] ^= 1;
    for wrong in [&good[1..], &altered, &[]] {
        scene.sandbox().write(&place, wrong);
        let (code, printed) = scene.archive(NOBODY);
        assert_ne!(code, Some(0));
        assert!(printed.err.contains("is not the blob of its name"));
        assert_eq!(scene.sandbox().read(&place), wrong);
        assert!(scene.archived(&beacon.url) > 0);
        assert_eq!(scene.kept(), [0, 1]);
    }
    fs::remove_dir_all(scene.sandbox().path("archive")).unwrap();
    fs::create_dir_all(scene.sandbox().path(&place)).unwrap();
    let (code, printed) = scene.archive(&beacon.url);
    assert_ne!(code, Some(0));
    assert!(printed.err.contains(&scene.blobs[0]), "{}", printed.err);
    assert_eq!(scene.kept(), [1]);
}

/// A node that says nothing is asked three times, and no more: each may take a minute.
#[test]
fn a_node_that_says_nothing_is_not_asked_for_ever() {
    let scene = Scene::new(5);
    let beacon = scene.beacon(|_| Given::Nothing);
    let said = scene.lacking(&beacon.url);
    assert_eq!(said.matches("does not answer").count(), 3, "{said}");
    assert!(said.contains("asked no more"), "{said}");
    assert!(said.contains("5 blobs are not in"), "{said}");
    // Genesis, slots, and three blobs.
    assert_eq!(beacon.asked().len(), 5);
    let said = scene.lacking(NOBODY);
    assert_eq!(said.matches("does not answer").count(), 1, "{said}");

    // One answer, whatever it is, makes it begin again.
    let beacon = scene.beacon(|batch| match batch {
        2 => Given::Said(500, String::new()),
        0 => Given::Blob(0),
        _ => Given::Nothing,
    });
    scene.lacking(&beacon.url);
    assert_eq!(scene.kept(), [0]);
    // What was not answered for is not asked for before what is newer.
    let paths = beacon.asked().into_iter().filter_map(|path| {
        let slot = path.strip_prefix("/eth/v1/beacon/blobs/")?;
        Some(slot.split('?').next()?.to_owned())
    });
    assert_eq!(paths.collect::<Vec<_>>(), ["14", "13", "12", "11", "10"]);
}

/// A node that has not all, or is of another chain, takes nothing away that was kept.
#[test]
fn what_was_kept_is_not_lost_to_a_node_that_knows_less() {
    let scene = Scene::new(3);
    let beacon = scene.beacon(Given::Blob);
    assert_eq!(scene.archived(&beacon.url), 3);
    let before = scene.sandbox().read("archive/contract.json");
    let head = encoding::head_digest(scene.chain.heads.last().unwrap());
    let contract = CONTRACT.to_string();
    let refused = |node: &Node, contract: &str, expected: &str| {
        let (code, printed) = scene.archive_from(node, contract, &beacon.url);
        assert_ne!(code, Some(0), "{}", printed.err);
        assert!(printed.err.contains(expected), "{}", printed.err);
        assert!(printed.err.contains("stays as it was"), "{}", printed.err);
        assert_eq!(scene.sandbox().read("archive/contract.json"), before);
    };
    let other = "12".repeat(20);
    refused(&scene.node, &other, "found a snapshot of the contract");
    // Old events are not asked for again, so what is said of them does not fit.
    let mut less = scene.logs.clone();
    less.pop();
    let less = || node(less.clone(), head);
    let lies = node(scene.logs.clone(), B256::repeat_byte(1));
    refused(&node(vec![], head), &contract, "found events of 3 batches");
    refused(&less(), &contract, "found events of 3 batches");
    refused(&lies, &contract, "some of the logs are missing");

    // Nor is anything kept that does not lead to the contract's head.
    fs::remove_dir_all(scene.sandbox().path("archive")).unwrap();
    for node in [less(), lies] {
        let (code, printed) = scene.archive_from(&node, &contract, &beacon.url);
        assert_ne!(code, Some(0));
        let expected = "some of the logs are missing";
        assert!(printed.err.contains(expected), "{}", printed.err);
        assert_eq!(scene.sandbox().names("archive"), [""; 0]);
    }
}

/// Nodes limit their answers, and some have dropped old events: what begins in what they have is all that
/// is asked for.
#[test]
fn a_node_that_limits_its_answers_is_asked_for_less() {
    let scene = Scene::new(2);
    let beacon = scene.beacon(Given::Blob);
    let contract = CONTRACT.to_string();
    let head = encoding::head_digest(scene.chain.heads.last().unwrap());
    let mut logs = scene.logs.clone();
    // The newest block is 4,660.
    logs[0]["blockNumber"] = json!(format!("{:#x}", 4_000));
    logs[1]["blockNumber"] = json!(format!("{:#x}", 4_600));
    let limited = limited_node(logs.clone(), head, 3_500, 300);
    let (code, printed) = scene.archive_from(&limited, &contract, &beacon.url);
    assert_eq!(code, Some(0), "{}", printed.err);
    assert_eq!(printed.json()["events"], 2);

    // It has dropped the first one: the archive has it.
    let dropped = limited_node(logs, head, 4_500, 300);
    let (code, printed) = scene.archive_from(&dropped, &contract, &beacon.url);
    assert_eq!(code, Some(0), "{}", printed.err);
    fs::remove_dir_all(scene.sandbox().path("archive")).unwrap();
    let (code, printed) = scene.archive_from(&dropped, &contract, &beacon.url);
    assert_eq!(code, Some(CANNOT));
    assert!(printed.err.contains("not so many"), "{}", printed.err);
}

/// No URL of a beacon node is found out before anything else, even if none is needed.
#[test]
fn a_beacon_node_has_a_url_of_http() {
    let scene = Scene::new(1);
    let (code, printed) = scene.archive("ws://node/secret");
    assert_eq!(code, Some(USAGE));
    assert!(printed.err.contains("no URL of http or https"));
    assert!(!printed.err.contains("secret"), "{}", printed.err);
    assert!(!scene.sandbox().exists("archive"));
}

/// Without knowing how long slots are no block is asked for.
#[test]
fn a_node_that_does_not_tell_its_time_is_no_use() {
    let scene = Scene::new(1);
    for (genesis, spec, expected) in [
        ("{}", "{}", "found something else"),
        (r#"{"data":{"genesis_time":"soon"}}"#, "{}", "\"soon\""),
        (
            r#"{"data":{"genesis_time":"1000"}}"#,
            r#"{"data":{"SECONDS_PER_SLOT":"0"}}"#,
            "found 0 seconds",
        ),
        (
            r#"{"data":{"genesis_time":"9999"}}"#,
            r#"{"data":{}}"#,
            "another chain",
        ),
    ] {
        let beacon = Node::new(move |path, _| match path {
            "/eth/v1/beacon/genesis" => Some((200, genesis.to_owned())),
            "/eth/v1/config/spec" => Some((200, spec.to_owned())),
            _ => panic!("{path}"),
        });
        let said = scene.lacking(&beacon.url);
        assert!(said.contains(expected), "{said}");
    }
}
