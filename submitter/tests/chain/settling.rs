//! A batch is settled once, whatever happens between.

use std::fs;
use std::time::Duration;

use shardfold_settlement::encoding::head_digest;
use shardfold_settlement::published::settled;
use shardfold_submitter::contract::Standing;
use shardfold_submitter::endpoints::Endpoints;
use shardfold_submitter::settle::{Prepared, SettleError, Settler};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::scene::Scene;

/// So much time a settler has to get on with it.
pub const PAUSE: Duration = Duration::from_millis(400);

pub async fn check_stands(scene: &Scene, batches: u64) {
    let standing = Standing::read(&scene.endpoints, scene.contract, 0)
        .await
        .unwrap();
    assert_eq!(standing.batches, batches);
    assert_eq!(standing.head, head_digest(scene.state.head()));
}

#[tokio::test]
async fn a_batch_is_settled_once_and_then_found_settled() {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    scene.deposit(1, 1_000).await;
    let first = scene.execute().await;
    let settler = scene.settler("first");
    let report = settler.settle(&first).await.unwrap();
    assert!(!report.was_settled);
    check_stands(&scene, 1).await;
    println!("{} gas", report.gas.unwrap());

    // By the journal, and without one.
    let again = settler.settle(&first).await.unwrap();
    assert_eq!(again, report);
    let again = scene.settler("other").settle(&first).await.unwrap();
    assert!(again.was_settled);
    assert_eq!(
        (again.transaction, again.block),
        (report.transaction, report.block)
    );
    assert_eq!(scene.sent().await, 1);

    // Also when the contract has gone on.
    scene.deposit(2, 500).await;
    let second = scene.execute().await;
    scene.settler("second").settle(&second).await.unwrap();
    let again = scene.settler("other").settle(&first).await.unwrap();
    assert_eq!(again.transaction, report.transaction);
    assert_eq!(scene.sent().await, 2);
    let logs = scene.logs().await;
    assert_eq!(settled(&logs, scene.contract).unwrap().len(), 2);
}

#[tokio::test]
async fn a_batch_is_found_settled_when_it_is_deep_enough() {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    scene.deposit(1, 1_000).await;
    let order = scene.execute().await;
    scene.settler("journal").settle(&order).await.unwrap();
    // Without the journal, on the same chain.
    let mut settler = scene.settler("other");
    settler.options.depth = 2;
    let early = tokio::time::timeout(PAUSE, settler.settle(&order)).await;
    assert!(early.is_err(), "{early:?}");
    scene.anvil.mine(2).await.unwrap();
    let report = settler.settle(&order).await.unwrap();
    assert!(report.was_settled);
    assert_eq!(scene.sent().await, 1);
}

#[tokio::test]
async fn a_restart_before_sending_sends_what_was_signed() {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    scene.deposit(1, 1_000).await;
    let order = scene.execute().await;
    let prepared = scene.settler("journal").prepare(&order).await.unwrap();
    let Prepared::Ready(journal) = prepared else {
        panic!("{prepared:?}")
    };
    assert_eq!(scene.sent().await, 0);
    let report = scene.settler("journal").settle(&order).await.unwrap();
    assert_eq!(report.transaction, journal.attempts[0].hash);
    assert_eq!(scene.sent().await, 1);
    check_stands(&scene, 1).await;
}

#[tokio::test]
async fn a_restart_after_sending_waits_for_what_was_sent() {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    scene.deposit(1, 1_000).await;
    let order = scene.execute().await;
    scene.set_automine(false).await;
    let settler = scene.settler("journal");
    let Prepared::Ready(journal) = settler.prepare(&order).await.unwrap() else {
        panic!()
    };
    settler.send(&order, &journal).await.unwrap();
    drop(settler);
    // Without the journal nothing is sent while the first one waits.
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
async fn what_is_not_mined_is_sent_with_a_higher_fee_and_mined_once() {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    scene.deposit(1, 1_000).await;
    let order = scene.execute().await;
    scene.set_automine(false).await;
    let mut settler = scene.settler("journal");
    settler.options.patience = Duration::from_millis(300);
    let mining = async {
        tokio::time::sleep(3 * PAUSE).await;
        scene.anvil.mine(1).await.unwrap();
    };
    let (report, ()) = tokio::join!(settler.settle(&order), mining);
    let report = report.unwrap();
    let text = fs::read_to_string(scene.folder.path().join("journal")).unwrap();
    let journal: serde_json::Value = serde_json::from_str(&text).unwrap();
    let attempts = journal["attempts"].as_array().unwrap();
    assert!(attempts.len() > 1, "{}", attempts.len());
    let fee = |i: usize| attempts[i]["max_fee"].as_u64().unwrap();
    assert!(fee(1) > fee(0) + fee(0) / 10);
    // The one of the highest fee took the others' place.
    let newest = &attempts[attempts.len() - 1];
    assert_eq!(newest["hash"], report.transaction.to_string());
    assert_eq!(scene.sent().await, 1);
    check_stands(&scene, 1).await;
}

#[tokio::test]
async fn a_settlement_that_leaves_the_chain_is_settled_again_by_the_same_transaction() {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    scene.deposit(1, 1_000).await;
    let order = scene.execute().await;
    let before = scene.snapshot().await;
    let mut settler = scene.settler("journal");
    settler.options.depth = 3;
    let reorganisation = async {
        tokio::time::sleep(PAUSE).await;
        assert_eq!(scene.sent().await, 1);
        scene.revert(&before).await;
        assert_eq!(scene.sent().await, 0);
        tokio::time::sleep(PAUSE).await;
        scene.anvil.mine(3).await.unwrap();
    };
    let (report, ()) = tokio::join!(settler.settle(&order), reorganisation);
    let report = report.unwrap();
    let text = fs::read_to_string(scene.folder.path().join("journal")).unwrap();
    let journal: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(journal["attempts"].as_array().unwrap().len(), 1);
    assert_eq!(
        journal["attempts"][0]["hash"],
        report.transaction.to_string()
    );
    assert_eq!(scene.sent().await, 1);
    check_stands(&scene, 1).await;
}

#[tokio::test]
async fn a_node_that_is_down_is_passed_over() {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    scene.deposit(1, 1_000).await;
    let order = scene.execute().await;
    let urls = [
        "http://127.0.0.1:9".to_owned(),
        scene.anvil.url().to_owned(),
    ];
    let endpoints = Endpoints::connect(&urls).await.unwrap();
    let settler = Settler {
        endpoints: &endpoints,
        ..scene.settler("journal")
    };
    settler.settle(&order).await.unwrap();
    check_stands(&scene, 1).await;
}

/// Hands everything on between a port and a node; connections end with it.
async fn forward(listener: TcpListener, to: String) {
    let mut connections = JoinSet::new();
    while let Ok((mut near, _)) = listener.accept().await {
        let to = to.clone();
        connections.spawn(async move {
            let mut far = TcpStream::connect(to).await.unwrap();
            let _ = copy_bidirectional(&mut near, &mut far).await;
        });
    }
}

#[tokio::test]
async fn a_node_that_goes_away_meanwhile_is_waited_for() {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    scene.deposit(1, 1_000).await;
    let order = scene.execute().await;
    let node = scene.anvil.url().trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap();
    let mut ways = JoinSet::new();
    ways.spawn(forward(listener, node.clone()));
    let endpoints = Endpoints::connect(&[format!("http://{port}")])
        .await
        .unwrap();
    let mut settler = Settler {
        endpoints: &endpoints,
        ..scene.settler("journal")
    };
    settler.options.depth = 2;
    let outage = async {
        tokio::time::sleep(PAUSE).await;
        assert_eq!(scene.sent().await, 1);
        ways.shutdown().await;
        tokio::time::sleep(PAUSE).await;
        scene.anvil.mine(2).await.unwrap();
        let listener = TcpListener::bind(port).await.unwrap();
        ways.spawn(forward(listener, node));
    };
    let (report, ()) = tokio::join!(settler.settle(&order), outage);
    assert!(!report.unwrap().was_settled);
    check_stands(&scene, 1).await;
}
