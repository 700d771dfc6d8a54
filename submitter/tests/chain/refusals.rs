//! What the contract would refuse is found out before anything is sent.

use alloy::signers::local::PrivateKeySigner;
use alloy_primitives::{B256, U256};
use shardfold_settlement::verifier::data_hash;
use shardfold_submitter::anvil::Anvil;
use shardfold_submitter::checks::{OLDEST, Refusal, WALKAWAY};
use shardfold_submitter::endpoints::{EndpointError, Endpoints};
use shardfold_submitter::journal::JournalError;
use shardfold_submitter::settle::{Order, SettleError, Settler};

use crate::scene::{CHAIN, Scene, ether, program};

/// The order is refused, and nothing is sent or written.
async fn refused(scene: &Scene, settler: &Settler<'_>, order: &Order) -> SettleError {
    let sent = scene.sent().await;
    let error = settler.settle(order).await.unwrap_err();
    println!("{error}");
    assert_eq!(scene.sent().await, sent);
    assert!(!settler.journal.exists());
    error
}

#[tokio::test]
async fn a_batch_whose_deposit_has_left_the_chain_is_refused() {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    let before = scene.snapshot().await;
    scene.deposit(1, 1_000).await;
    let order = scene.execute().await;
    scene.revert(&before).await;
    let settler = scene.settler("journal");
    let error = refused(&scene, &settler, &order).await;
    assert!(matches!(
        error,
        SettleError::Refusal(Refusal::QueueShort {
            found: 1,
            expected: 0
        })
    ));

    // Another one comes in its place.
    scene.deposit(2, 1_000).await;
    let error = refused(&scene, &settler, &order).await;
    assert!(matches!(
        error,
        SettleError::Refusal(Refusal::QueueOther { count: 1, .. })
    ));
    // The ledger that has executed it learns of it too.
    let error = scene.waiting(0).await.unwrap_err();
    println!("{error}");
}

#[tokio::test]
async fn another_verifier_is_refused() {
    let Some(mut scene) = Scene::with_data(&[1; 100]).await else {
        return;
    };
    scene.deposit(1, 1_000).await;
    let mut order = scene.execute().await;
    order.verifier = Some(data_hash(&[2; 100]));
    let settler = scene.settler("journal");
    let error = refused(&scene, &settler, &order).await;
    let text = error.to_string();
    assert!(matches!(
        error,
        SettleError::Refusal(Refusal::Verifier { .. })
    ));
    assert!(text.contains(&data_hash(&[1; 100]).to_string()), "{text}");

    // It is the right one, and the proof is none.
    order.verifier = Some(data_hash(&[1; 100]));
    let error = refused(&scene, &settler, &order).await;
    assert!(matches!(error, SettleError::Simulation(_)));
    // A verifier that is not ours has no data to show.
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    scene.deposit(1, 1_000).await;
    let mut order = scene.execute().await;
    order.verifier = Some(data_hash(&[1; 100]));
    let error = refused(&scene, &scene.settler("journal"), &order).await;
    assert!(matches!(
        error,
        SettleError::Refusal(Refusal::Verifier { .. })
    ));
}

#[tokio::test]
async fn others_settle_when_the_operator_has_not_for_two_days() {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    scene.deposit(1, 1_000).await;
    let order = scene.execute().await;
    let stranger = PrivateKeySigner::from_bytes(&B256::repeat_byte(9)).unwrap();
    let settler = Settler {
        signer: stranger.clone(),
        ..scene.settler("journal")
    };
    let error = refused(&scene, &settler, &order).await;
    assert!(matches!(
        error,
        SettleError::Refusal(Refusal::Operator { .. })
    ));
    scene.anvil.wait(WALKAWAY).await.unwrap();
    let error = refused(&scene, &settler, &order).await;
    assert!(matches!(
        error,
        SettleError::Refusal(Refusal::TooOld { .. })
    ));

    // Made anew it is settled, by whoever has coin for it.
    drop(settler);
    scene.state = Scene::empty();
    let order = scene.execute().await;
    let settler = Settler {
        signer: stranger.clone(),
        ..scene.settler("journal")
    };
    let error = refused(&scene, &settler, &order).await;
    assert!(matches!(
        error,
        SettleError::Refusal(Refusal::Balance { .. })
    ));
    scene
        .anvil
        .fund(stranger.address(), ether(1))
        .await
        .unwrap();
    settler.settle(&order).await.unwrap();
}

#[tokio::test]
async fn another_head_time_fee_or_journal_is_refused() {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    scene.deposit(1, 1_000).await;
    let first = scene.execute().await;
    scene.deposit(2, 1_000).await;
    let second = scene.execute().await;
    let error = refused(&scene, &scene.settler("journal"), &second).await;
    assert!(matches!(
        error,
        SettleError::Refusal(Refusal::Head { batches: 0, .. })
    ));

    let mut late = first.clone();
    late.statement.after.time += 2 * OLDEST;
    let error = refused(&scene, &scene.settler("journal"), &late).await;
    assert!(matches!(
        error,
        SettleError::Refusal(Refusal::TooFarAhead { .. })
    ));

    let mut settler = scene.settler("journal");
    settler.options.max_fee = 1;
    let error = refused(&scene, &settler, &first).await;
    assert!(matches!(
        error,
        SettleError::Refusal(Refusal::Fee { most: 1, .. })
    ));

    // A proof of two blocks' size takes more gas, and more bytes, than there are.
    let mut large = first.clone();
    large.call.data = vec![0xff; 450_000].into();
    let error = refused(&scene, &scene.settler("journal"), &large).await;
    println!("{error}");

    // The second item has made a checkpoint of the first, but not of another one.
    let mut other = first.clone();
    other.statement.after.queue_commitment = Default::default();
    let error = refused(&scene, &scene.settler("journal"), &other).await;
    let expected = matches!(
        error,
        SettleError::Refusal(Refusal::NoCheckpoint { found: 1, count: 2 })
    );
    assert!(expected, "{error}");
    scene.settler("journal").settle(&first).await.unwrap();
}

#[tokio::test]
async fn a_journal_is_of_one_settlement() {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    scene.deposit(1, 1_000).await;
    let first = scene.execute().await;
    scene.settler("journal").settle(&first).await.unwrap();
    scene.deposit(1, 1_000).await;
    let second = scene.execute().await;
    let error = scene.settler("journal").settle(&second).await.unwrap_err();
    assert!(matches!(
        error,
        SettleError::Journal(JournalError::Other { .. })
    ));
    assert_eq!(scene.sent().await, 1);
}

#[tokio::test]
async fn nodes_of_other_chains_or_heads_are_refused() {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    let other = Anvil::start(&program().unwrap(), CHAIN + 1).await.unwrap();
    let urls = [scene.anvil.url(), other.url()].map(str::to_owned);
    let error = Endpoints::connect(&urls).await.unwrap_err();
    assert!(matches!(error, EndpointError::Chains(_)), "{error}");
    let error = Endpoints::connect(&["ftp://127.0.0.1".to_owned()])
        .await
        .unwrap_err();
    assert!(matches!(error, EndpointError::Url { .. }), "{error}");
    // What may be a secret is not shown.
    let dead = ["http://user:word@127.0.0.1:9/secret".to_owned()];
    let error = Endpoints::connect(&dead).await.unwrap_err().to_string();
    assert!(
        !error.contains("secret") && !error.contains("word"),
        "{error}"
    );

    // The same contract on a chain of the same id, where it has settled already.
    let Some(mut twin) = Scene::new().await else {
        return;
    };
    assert_eq!(twin.contract, scene.contract);
    twin.deposit(1, 1_000).await;
    let order = twin.execute().await;
    twin.settler("journal").settle(&order).await.unwrap();
    scene.deposit(1, 1_000).await;
    let order = scene.execute().await;
    let urls = [scene.anvil.url(), twin.anvil.url()].map(str::to_owned);
    let endpoints = Endpoints::connect(&urls).await.unwrap();
    let settler = Settler {
        endpoints: &endpoints,
        ..scene.settler("journal")
    };
    let error = refused(&scene, &settler, &order).await;
    assert!(
        matches!(error, SettleError::Endpoint(EndpointError::Heads(_))),
        "{error}"
    );
    assert_eq!(U256::from(scene.sent().await), U256::ZERO);
}
