//! A batch that is published in blobs: settled once, and known from what was kept.

use std::fs;
use std::time::Duration;

use alloy::consensus::Typed2718 as _;
use alloy::providers::Provider as _;
use alloy_primitives::B256;
use p3_field::PrimeCharacteristicRing as _;
use serde_json::{Value, json};
use shardfold_protocol::field::F;
use shardfold_settlement::data::{BLOB_BYTES, DataMode, Publication};
use shardfold_settlement::published::{PublishedError, rebuild, settled};
use shardfold_submitter::beacon::{Beacon, BeaconError};
use shardfold_submitter::checks::Refusal;
use shardfold_submitter::gas::{BLOB, MAX_BLOBS};
use shardfold_submitter::logs;
use shardfold_submitter::settle::{Order, Prepared, SettleError};

use crate::scene::Scene;
use crate::settling::{PAUSE, check_stands};

/// The attempts of a journal.
fn attempts(scene: &Scene, journal: &str) -> Vec<Value> {
    let text = fs::read_to_string(scene.folder.path().join(journal)).unwrap();
    // The blobs are not in it.
    assert!(text.len() < BLOB_BYTES, "{}", text.len());
    let journal: Value = serde_json::from_str(&text).unwrap();
    journal["attempts"].as_array().unwrap().clone()
}

/// Mines until the operator's transaction is in a block.
async fn mine(scene: &Scene) {
    while scene.sent().await == 0 {
        scene.anvil.mine(1).await.unwrap();
        tokio::time::sleep(PAUSE).await;
    }
}

#[tokio::test]
async fn a_batch_in_blobs_is_settled_and_known_from_the_blobs_that_were_kept() {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    // One of each.
    scene.deposit(1, 1_000).await;
    let first = scene.execute().await;
    scene.settler("first").settle(&first).await.unwrap();
    scene.deposit(2, 500).await;
    let batch = scene.settled().await;
    let order = scene.order(&batch, DataMode::Blobs);
    let settler = scene.settler("second");
    let report = settler.settle(&order).await.unwrap();
    println!(
        "{:?} gas, {:?} blob gas, {:?} wei",
        report.gas, report.blob_gas, report.cost
    );
    assert_eq!(report.blob_gas, Some(BLOB));
    let sent = scene.anvil.provider();
    let sent = sent.get_transaction_by_hash(report.transaction).await;
    assert_eq!(sent.unwrap().unwrap().ty(), 3);
    check_stands(&scene, 2).await;

    // By the journal, and without one.
    assert_eq!(settler.settle(&order).await.unwrap(), report);
    let again = scene.settler("other").settle(&order).await.unwrap();
    assert!(again.was_settled);
    assert_eq!(again.transaction, report.transaction);
    assert_eq!(scene.sent().await, 2);

    let logs = scene.logs().await;
    let batches = settled(&logs, scene.contract).unwrap();
    let kept = batch.published(DataMode::Blobs).unwrap();
    let mut state = Scene::empty();
    let error = rebuild(&mut state, &batches, |_| None).unwrap_err();
    assert!(matches!(error, PublishedError::Missing { batch: 1, .. }));
    let mut state = Scene::empty();
    let rebuilt = rebuild(&mut state, &batches, |hash| {
        let place = kept.versioned_hashes().iter().position(|of| of == hash);
        place.map(|place| kept.blobs()[place].clone())
    });
    rebuilt.unwrap();
    assert_eq!(state.head(), scene.state.head());
}

#[tokio::test]
async fn a_restart_before_sending_makes_the_same_transaction_whole_again() {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    scene.deposit(1, 1_000).await;
    let batch = scene.settled().await;
    let order = scene.order(&batch, DataMode::Blobs);
    let prepared = scene.settler("journal").prepare(&order).await.unwrap();
    let Prepared::Ready(journal) = prepared else {
        panic!("{prepared:?}")
    };
    assert_eq!(scene.sent().await, 0);
    assert_eq!(attempts(&scene, "journal").len(), 1);

    // A proof of the same batch for calldata is another settlement to nodes.
    let other = scene.order(&batch, DataMode::Calldata);
    let error = scene.settler("journal").settle(&other).await.unwrap_err();
    assert!(matches!(error, SettleError::OtherData { .. }), "{error}");
    assert_eq!(scene.sent().await, 0);

    // The next process has executed the batch again.
    let order = scene.order(&batch, DataMode::Blobs);
    let report = scene.settler("journal").settle(&order).await.unwrap();
    assert_eq!(report.transaction, journal.attempts[0].hash);
    assert_eq!(scene.sent().await, 1);
    check_stands(&scene, 1).await;
}

#[tokio::test]
async fn a_restart_after_sending_waits_for_the_blobs_that_were_sent() {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    scene.deposit(1, 1_000).await;
    let order = scene.execute_for(DataMode::Blobs).await;
    scene.set_automine(false).await;
    let settler = scene.settler("journal");
    let Prepared::Ready(journal) = settler.prepare(&order).await.unwrap() else {
        panic!()
    };
    settler.send(&order, &journal).await.unwrap();
    drop(settler);
    let error = scene.settler("other").settle(&order).await.unwrap_err();
    assert!(matches!(error, SettleError::Simulation(_)), "{error}");
    let settler = scene.settler("journal");
    let mining = async {
        tokio::time::sleep(PAUSE).await;
        scene.anvil.mine(1).await.unwrap();
    };
    let (report, ()) = tokio::join!(settler.settle(&order), mining);
    assert_eq!(report.unwrap().transaction, journal.attempts[0].hash);
    assert_eq!(scene.sent().await, 1);
    check_stands(&scene, 1).await;
}

#[tokio::test]
async fn every_fee_of_a_transaction_with_blobs_doubles() {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    scene.deposit(1, 1_000).await;
    let order = scene.execute_for(DataMode::Blobs).await;
    scene.set_automine(false).await;
    let mut settler = scene.settler("journal");
    settler.options.patience = Duration::from_millis(300);
    let mining = async {
        while !settler.journal.exists() || attempts(&scene, "journal").len() < 3 {
            tokio::time::sleep(PAUSE).await;
        }
        mine(&scene).await;
    };
    let (report, ()) = tokio::join!(settler.settle(&order), mining);
    let attempts = attempts(&scene, "journal");
    for pair in attempts.windows(2) {
        for fee in ["max_fee", "priority_fee", "max_blob_fee"] {
            let [before, after] = [&pair[0], &pair[1]].map(|of| of[fee].as_u64().unwrap());
            assert!(after >= 2 * before, "{fee}: {before}, then {after}");
        }
    }
    // One of a higher fee took the others' place.
    let hash = report.unwrap().transaction.to_string();
    assert!(attempts[1..].iter().any(|of| of["hash"] == hash), "{hash}");
    assert_eq!(scene.sent().await, 1);
    check_stands(&scene, 1).await;
}

#[tokio::test]
async fn blobs_cost_no_more_than_is_allowed() {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    scene.deposit(1, 1_000).await;
    let order = scene.execute_for(DataMode::Blobs).await;
    let mut settler = scene.settler("journal");
    settler.options.max_blob_fee = 1;
    let error = settler.settle(&order).await.unwrap_err();
    let expected = matches!(
        error,
        SettleError::Refusal(Refusal::BlobFee { most: 1, .. })
    );
    assert!(expected, "{error}");
    assert!(!settler.journal.exists());
    // What it costs is asked for again; a fee that may not rise sends the same again.
    settler.options.max_blob_fee = 2;
    settler.options.patience = Duration::from_millis(300);
    scene.set_automine(false).await;
    let mining = async {
        tokio::time::sleep(3 * PAUSE).await;
        mine(&scene).await;
    };
    let (report, ()) = tokio::join!(settler.settle(&order), mining);
    report.unwrap();
    assert_eq!(attempts(&scene, "journal").len(), 1);
    check_stands(&scene, 1).await;
}

#[tokio::test]
async fn blobs_that_leave_the_chain_are_sent_again_by_the_same_transaction() {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    scene.deposit(1, 1_000).await;
    let order = scene.execute_for(DataMode::Blobs).await;
    let before = scene.snapshot().await;
    let mut settler = scene.settler("journal");
    settler.options.depth = 3;
    let reorganisation = async {
        while scene.sent().await == 0 {
            tokio::time::sleep(PAUSE).await;
        }
        tokio::time::sleep(PAUSE).await;
        scene.revert(&before).await;
        tokio::time::sleep(PAUSE).await;
        scene.anvil.mine(3).await.unwrap();
    };
    let (report, ()) = tokio::join!(settler.settle(&order), reorganisation);
    let attempts = attempts(&scene, "journal");
    assert_eq!(attempts.len(), 1);
    assert_eq!(attempts[0]["hash"], report.unwrap().transaction.to_string());
    assert_eq!(scene.sent().await, 1);
    check_stands(&scene, 1).await;
}

#[tokio::test]
async fn more_blobs_than_a_transaction_has_are_refused() {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    scene.deposit(1, 1_000).await;
    let batch = scene.settled().await;
    // 31 blocks of four elements in 32 coefficients, 4,096 coefficients in a blob.
    let elements = vec![F::ONE; MAX_BLOBS * 4_096 / 32 * 31 * 4 + 4];
    let head = &batch.statement.after.data_commitment;
    let publication = Publication::new(DataMode::Blobs, head, head, &elements).unwrap();
    let order = Order::new(&batch, &publication, vec![], None).unwrap();
    let error = scene.settler("journal").settle(&order).await.unwrap_err();
    let expected = matches!(
        error,
        SettleError::Refusal(Refusal::Blobs { found: 7, most: 6 })
    );
    assert!(expected, "{error}");
    assert_eq!(scene.sent().await, 0);
}

/// Makes the chain one of slots: block n is n times 12 seconds after the first, as on a beacon chain
/// without gaps, so that the node, whose beacon interface knows blocks by number, takes slots for them.
async fn keep_slots(scene: &Scene) {
    let block = scene.anvil.provider().get_block_number().await.unwrap();
    let first = scene.anvil.provider().get_block(0.into()).await.unwrap();
    let next = first.unwrap().header.timestamp + 12 * (block + 1);
    let at = json!([next]);
    scene
        .anvil
        .call("evm_setNextBlockTimestamp", at)
        .await
        .unwrap();
    scene.anvil.mine(1).await.unwrap();
    let interval = json!([12]);
    let set = scene
        .anvil
        .call("anvil_setBlockTimestampInterval", interval);
    set.await.unwrap();
}

#[tokio::test]
async fn a_beacon_node_gives_the_blobs_back() {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    keep_slots(&scene).await;
    scene.deposit(1, 1_000).await;
    let batch = scene.settled().await;
    let order = scene.order(&batch, DataMode::Blobs);
    scene.settler("first").settle(&order).await.unwrap();

    let logs = scene.logs().await;
    let log = logs
        .iter()
        .find(|log| !logs::blobs(log).is_empty())
        .unwrap();
    let hashes = logs::blobs(log);
    let kept = batch.published(DataMode::Blobs).unwrap();
    assert_eq!(hashes, kept.versioned_hashes());
    let time = logs::time(&scene.endpoints, log).await.unwrap();
    let mut bare = log.clone();
    bare.block_timestamp = None;
    assert_eq!(logs::time(&scene.endpoints, &bare).await.unwrap(), time);
    let beacon = Beacon::connect(scene.anvil.url()).await.unwrap();
    let found = beacon.blob(time, &hashes[0]).await.unwrap();
    assert_eq!(found, kept.blobs()[0]);

    // Of another block, or by another hash, there is nothing.
    for (time, hash) in [
        (time - 12, hashes[0]),
        (time + 12_000, hashes[0]),
        (time, B256::ZERO),
    ] {
        let error = beacon.blob(time, &hash).await.unwrap_err();
        let expected = matches!(
            error,
            BeaconError::Answer { .. } | BeaconError::Refused { .. }
        );
        assert!(expected, "{error}");
    }
    let error = beacon.blob(1, &hashes[0]).await.unwrap_err();
    assert!(
        matches!(error, BeaconError::Chain { found: 1, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn what_is_no_beacon_node_is_refused() {
    for (url, said) in [("ftp://node/secret", "ftp"), ("secret", "relative URL")] {
        let error = Beacon::connect(url).await.unwrap_err();
        assert!(matches!(&error, BeaconError::Url { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(said) && !text.contains("secret"), "{text}");
    }
    // Nobody listens.
    let error = Beacon::connect("http://127.0.0.1:1/secret").await;
    let error = error.unwrap_err();
    assert!(
        matches!(error, BeaconError::Unreachable { .. }),
        "{error:?}"
    );
    let text = error.to_string();
    assert!(
        text.contains("http://127.0.0.1:1") && !text.contains("secret"),
        "{text}"
    );
    // The cause is told.
    assert!(text.contains("refused"), "{text}");
}
