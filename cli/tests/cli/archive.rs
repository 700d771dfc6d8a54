//! `archive`, whatever the nodes do.

use std::fs;

use alloy_primitives::B256;
use serde_json::{Value, json};
use shardfold_protocol::files;
use shardfold_protocol::state::StateFile;
use shardfold_settlement::data::DataMode;

use crate::chain::Chain;
use crate::common::{CANNOT, Printed, Sandbox, printed};
use crate::leaving::{CONTRACT, settled_in};
use crate::node::{Answer, Node};

const GENESIS: u64 = 1_000;
const SLOT_SECONDS: u64 = 4;
/// The slot of the first batch.
const FIRST_SLOT: u64 = 10;

/// A ledger whose batches are all in blobs, one each, the nodes that know of it, and an empty folder.
struct Scene {
    chain: Chain,
    /// Of the base chain.
    node: Node,
    /// The names of the blobs, by batch.
    blobs: Vec<String>,
}

impl Scene {
    fn new(batches: usize) -> Self {
        let chain = settled_in(&vec![DataMode::Blobs; batches]);
        let logs: Value = serde_json::from_slice(&chain.sandbox.read("kept/logs.json")).unwrap();
        let mut logs = logs["result"].as_array().unwrap().clone();
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
        let node = Node::new(move |_, body| {
            let request: Value = serde_json::from_str(body).unwrap();
            let result = match request["method"].as_str().unwrap() {
                "eth_getLogs" => json!(logs),
                // The contracts that the contract names, its numbers, its head: of no meaning here.
                "eth_call" => json!(format!("0x{}", "0".repeat(6 * 64))),
                _ => json!("0x1234"),
            };
            let id = &request["id"];
            Some((
                200,
                json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string(),
            ))
        });
        Self { chain, node, blobs }
    }

    fn sandbox(&self) -> &Sandbox {
        &self.chain.sandbox
    }

    /// Runs the command with a beacon node.
    fn archive(&self, beacon: &str) -> (Option<i32>, Printed) {
        let contract = CONTRACT.to_string();
        let from = ["archive", "--rpc", &self.node.url, "--contract", &contract];
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
        assert!(self.sandbox().exists("archive/logs.json"));
        assert!(self.sandbox().exists("archive/code.json"));
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
    assert!(said.contains("5 blobs are not in"), "{said}");
    // Genesis, slots, and three blobs.
    assert_eq!(beacon.asked().len(), 5);
    let said = scene.lacking(NOBODY);
    assert_eq!(said.matches("does not answer").count(), 3, "{said}");

    // One answer, whatever it is, makes it begin again.
    let beacon = scene.beacon(|batch| match batch {
        2 => Given::Said(500, String::new()),
        4 => Given::Blob(4),
        _ => Given::Nothing,
    });
    scene.lacking(&beacon.url);
    assert_eq!(scene.kept(), [4]);
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
