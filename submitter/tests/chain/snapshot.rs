//! What leaving takes from a chain, whatever else is on it.

use alloy_primitives::B256;
use alloy_sol_types::SolEvent as _;
use shardfold_settlement::deployed::Snapshot;
use shardfold_settlement::encoding::head_digest;
use shardfold_settlement::events::Events;
use shardfold_settlement::interface::IRollup::{AssetRegistered, Deposited, queueCommitmentCall};
use shardfold_settlement::verifier::data_codes;
use shardfold_submitter::endpoints::EndpointError;
use shardfold_submitter::snapshot::{SnapshotError, read};

use crate::scene::{Scene, user};

const DATA: [u8; 100] = [1; 100];

/// A contract with a verifier that a key could have made, and some deposits.
async fn scene() -> Option<Scene> {
    let scene = Scene::with_data(&DATA).await?;
    scene.deposit(1, 1_000).await;
    scene.anvil.mine(200).await.unwrap();
    scene.deposit(2, 1_000).await;
    Some(scene)
}

async fn snapshot(scene: &Scene, earlier: Option<Snapshot>) -> Result<Snapshot, SnapshotError> {
    read(&scene.endpoints, scene.contract, earlier).await
}

#[tokio::test]
async fn a_snapshot_has_the_code_and_every_event_from_the_first_on() {
    let Some(scene) = scene().await else {
        return;
    };
    let found = snapshot(&scene, None).await.unwrap();
    let events = Events::read(&found.logs, scene.contract).unwrap();
    assert!(events.units.contains_key(&0), "the first event of all");
    assert_eq!(events.items.len(), 2);
    let code = &found.code;
    let asked = scene.anvil.ask(scene.contract, &queueCommitmentCall {});
    assert_eq!(code.queue_commitment, asked.await.unwrap());
    assert_eq!(code.head_digest, head_digest(scene.state.head()));
    let [first, second] = data_codes(&DATA);
    assert_eq!([&code.first.code, &code.second.code], [&first, &second]);
    assert_eq!(code.rollup.address, scene.contract);

    // As it is written, so it is read.
    let json = serde_json::to_vec(&found).unwrap();
    assert_eq!(serde_json::from_slice::<Snapshot>(&json).unwrap(), found);
}

/// A later one has what is new, and asks for no more than the chain may have left.
#[tokio::test]
async fn an_earlier_snapshot_is_gone_on_with() {
    let Some(scene) = scene().await else {
        return;
    };
    let mut earlier = snapshot(&scene, None).await.unwrap();
    scene.deposit(3, 1_000).await;
    let whole = snapshot(&scene, None).await.unwrap();
    let found = snapshot(&scene, Some(earlier.clone())).await.unwrap();
    assert_eq!(found, whole);

    // Old events that are not asked for again: the first asset, the first item, one that is another.
    let first = |kind: B256| {
        let mut logs = earlier.logs.iter();
        logs.position(|log| log.topics[0] == kind).unwrap()
    };
    let item = first(Deposited::SIGNATURE_HASH);
    let first = first(AssetRegistered::SIGNATURE_HASH);
    for (place, expected) in [(first, "assets"), (item, "items of the queue")] {
        let mut without = earlier.clone();
        without.logs.remove(place);
        let error = snapshot(&scene, Some(without)).await.unwrap_err();
        let is_it = matches!(error, SnapshotError::Missing { what, .. } if what == expected);
        assert!(is_it, "{error}");
    }
    let mut altered = earlier.clone();
    let mut data = altered.logs[item].data.to_vec();
    *data.last_mut().unwrap() ^= 1;
    altered.logs[item].data = data.into();
    let error = snapshot(&scene, Some(altered)).await.unwrap_err();
    assert!(matches!(error, SnapshotError::Queue { .. }), "{error}");
    // And one that the chain has left.
    let mut newest = earlier.logs[first].clone();
    newest.block_number = earlier.logs.last().unwrap().block_number;
    earlier.logs.push(newest);
    assert_eq!(
        snapshot(&scene, Some(earlier.clone())).await.unwrap(),
        whole
    );

    let mut later = earlier.clone();
    later.block += 1_000;
    let error = snapshot(&scene, Some(later)).await.unwrap_err();
    assert!(matches!(error, SnapshotError::Behind { .. }), "{error}");
    let mut other = earlier;
    other.code.rollup.address = user(7);
    let error = snapshot(&scene, Some(other)).await.unwrap_err();
    assert!(matches!(error, SnapshotError::Contract { .. }), "{error}");
}

/// A contract whose verifier is none that a key makes, and none at all.
#[tokio::test]
async fn what_is_no_contract_of_ours_has_no_snapshot() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    for contract in [scene.contract, user(7)] {
        let error = read(&scene.endpoints, contract, None).await.unwrap_err();
        let expected = matches!(error, SnapshotError::Endpoint(EndpointError::Silent { .. }));
        assert!(expected, "{error}");
    }
}
