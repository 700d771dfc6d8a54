//! What leaving takes from a chain, whatever else is on it.

use alloy_primitives::U256;
use shardfold_settlement::deployed::Codes;
use shardfold_settlement::encoding::{head_digest, word};
use shardfold_settlement::events::Events;
use shardfold_settlement::interface::IRollup::queueCommitmentCall;
use shardfold_settlement::queue::{Place, Queued, chain};
use shardfold_settlement::verifier::data_codes;
use shardfold_submitter::endpoints::EndpointError;
use shardfold_submitter::snapshot;

use crate::scene::{CHAIN, LEDGER, Scene};

/// Blocks of others between the events.
const FAR: u64 = 20;

#[tokio::test]
async fn a_snapshot_has_the_code_and_every_event_from_the_first_on() {
    const DATA: [u8; 100] = [1; 100];
    let Some(scene) = Scene::with_data(&DATA).await else {
        return;
    };
    for who in [1, 2] {
        scene.anvil.mine(FAR).await.unwrap();
        scene.deposit(who, 1_000).await;
        let snapshot = snapshot::read(&scene.endpoints, scene.contract).await;
        let snapshot = snapshot.unwrap();
        let json = serde_json::to_vec(&snapshot.logs).unwrap();
        let events = Events::read(&json, scene.contract).unwrap();
        assert!(events.units.contains_key(&0), "the first event of all");
        let items: Vec<Queued> = events.items.values().copied().collect();
        assert_eq!(items.len(), usize::from(who));

        let codes = snapshot.codes;
        let place = Place {
            ledger: LEDGER,
            base_chain: CHAIN as u32,
        };
        let expected = word(&chain(scene.state.head().queue_commitment, &items, place));
        assert_eq!(codes.queue_commitment, expected);
        let asked = scene.anvil.ask(scene.contract, &queueCommitmentCall {});
        assert_eq!(asked.await.unwrap(), expected);
        assert_eq!(codes.head_digest, head_digest(scene.state.head()));
        let [first, second] = data_codes(&DATA);
        assert_eq!([codes.first.code, codes.second.code], [first, second]);
        assert_eq!(codes.rollup.address, scene.contract);
    }
}

/// A contract whose verifier is none that a key makes, and none at all.
#[tokio::test]
async fn what_is_no_contract_of_ours_has_no_snapshot() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    for contract in [scene.contract, crate::scene::user(7)] {
        let error = snapshot::read(&scene.endpoints, contract)
            .await
            .unwrap_err();
        assert!(matches!(error, EndpointError::Silent { .. }), "{error}");
    }
}

/// What `archive` writes is what `exit-drill` reads.
#[test]
fn codes_are_read_as_they_are_written() {
    let code = |byte: u8| shardfold_settlement::deployed::Code {
        address: [byte; 20].into(),
        code: vec![byte; 3].into(),
    };
    let codes = Codes {
        rollup: code(1),
        hashes: code(2),
        verifier: code(3),
        first: code(4),
        second: code(5),
        head_digest: [6; 32].into(),
        queue_commitment: U256::from(7),
    };
    let json = serde_json::to_string(&codes).unwrap();
    assert_eq!(serde_json::from_str::<Codes>(&json).unwrap(), codes);
}
