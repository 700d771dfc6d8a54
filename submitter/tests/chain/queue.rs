//! What waits in the queue is read from events, and taken.

use shardfold_settlement::queue::Item;
use shardfold_submitter::settle::{Order, Prepared};
use shardfold_submitter::waiting::WaitingError;

use crate::scene::{Scene, account};

#[tokio::test]
async fn deposits_and_exits_are_taken_and_settled() {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    assert!(scene.waiting(0).await.unwrap().items.is_empty());
    scene.deposit(1, 1_000).await;
    scene.deposit(2, 500).await;
    // The second has made a checkpoint of the first, and a third would make none of both yet.
    scene.anvil.wait(300).await.unwrap();
    let waiting = scene.waiting(0).await.unwrap();
    assert_eq!(waiting.items.len(), 2);
    assert_eq!(waiting.in_all, 2);
    assert!(matches!(
        waiting.items[1].item,
        Item::Deposit { amount: 500, .. }
    ));
    let order = scene.execute().await;
    scene.settler("first").settle(&order).await.unwrap();

    scene.request_exit(2, 1).await;
    scene.deposit(1, 7).await;
    scene.anvil.wait(300).await.unwrap();
    let waiting = scene.waiting(0).await.unwrap();
    let Item::Exit { index, address, .. } = waiting.items[0].item else {
        panic!()
    };
    assert_eq!((index, address), (1, account(2).exit_address));
    let order = scene.execute().await;
    scene.settler("second").settle(&order).await.unwrap();
    assert_eq!(scene.state.tree().get(0).vault().unwrap().balance, 1_007);
    assert_eq!(scene.state.tree().get(1).vault().unwrap().balance, 0);
    assert_eq!(scene.state.head().withdrawal_count, 1);
}

#[tokio::test]
async fn only_what_is_deep_is_taken_and_up_to_an_end() {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    scene.deposit(1, 1).await;
    scene.deposit(1, 2).await;
    // A batch of both would be spoiled by a third.
    let waiting = scene.waiting(0).await.unwrap();
    assert_eq!((waiting.items.len(), waiting.checkpoint), (1, Some(0)));
    assert!(waiting.is_firm);
    // The newest is not deep, and neither is the checkpoint.
    let error = scene.waiting(1).await.unwrap_err();
    assert!(matches!(error, WaitingError::NoEnd { found: 1 }), "{error}");
    scene.anvil.mine(1).await.unwrap();
    let waiting = scene.waiting(1).await.unwrap();
    assert_eq!((waiting.items.len(), waiting.checkpoint), (1, Some(0)));

    // After five minutes the next item makes a checkpoint of all before: they can be taken.
    scene.anvil.wait(300).await.unwrap();
    let waiting = scene.waiting(1).await.unwrap();
    assert_eq!((waiting.items.len(), waiting.checkpoint), (2, None));
    let order = scene.execute().await;
    scene.deposit(2, 3).await;
    scene.deposit(2, 4).await;
    // The place is found without being named.
    scene.settler("journal").settle(&order).await.unwrap();
    let waiting = scene.waiting(0).await.unwrap();
    assert_eq!(waiting.items[0].position, 2);
}

#[tokio::test]
async fn no_more_items_are_taken_than_one_settlement_has_room_for() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    scene.deposit(1, 1).await;
    scene.deposit(1, 2).await;
    scene.anvil.wait(300).await.unwrap();
    let waiting = scene.waiting_of(0, 2).await.unwrap();
    assert_eq!((waiting.items.len(), waiting.checkpoint), (2, None));
    let waiting = scene.waiting_of(0, 1).await.unwrap();
    assert_eq!((waiting.items.len(), waiting.checkpoint), (1, Some(0)));
}

/// A batch of the whole queue, after which a third item makes the checkpoint at place 1.
async fn whole_queue(scene: &mut Scene) -> Order {
    scene.deposit(1, 1).await;
    scene.deposit(1, 2).await;
    scene.anvil.wait(300).await.unwrap();
    scene.execute().await
}

#[tokio::test]
async fn an_item_that_comes_first_does_not_spoil_a_settlement_of_the_whole_queue() {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    let order = whole_queue(&mut scene).await;
    let prepared = scene.settler("journal").prepare(&order).await.unwrap();
    let Prepared::Ready(journal) = prepared else {
        panic!("{prepared:?}")
    };
    scene.deposit(2, 3).await;
    let report = scene.settler("journal").settle(&order).await.unwrap();
    assert_eq!(report.transaction, journal.attempts[0].hash);
}

#[tokio::test]
async fn a_call_that_is_no_longer_the_right_one_is_replaced_under_its_nonce() {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    let mut order = whole_queue(&mut scene).await;
    // A place that is good as long as no other item comes.
    order.has_place = true;
    let prepared = scene.settler("journal").prepare(&order).await.unwrap();
    let Prepared::Ready(journal) = prepared else {
        panic!("{prepared:?}")
    };
    scene.deposit(2, 3).await;
    order.has_place = false;
    let report = scene.settler("journal").settle(&order).await.unwrap();
    assert_ne!(report.transaction, journal.attempts[0].hash);
    assert_eq!(scene.sent().await, 1);
}
