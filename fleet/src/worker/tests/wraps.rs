//! Settlement proofs: made by workers, fetched, and what is false about them.

use shardfold_aggregator::{SettlementProof, ValidityProof, verify_settlement};
use shardfold_protocol::head::Statement;

use super::*;
use crate::fetch::{FetchError, fetch, fetch_settlement};
use crate::testing::batch::{POINT, differences};

/// A fleet with a batch of one shard and its settlement proof to be made.
async fn settled() -> (Fleet, String) {
    let differences = differences(&SHARDS[..1]);
    let data = Data {
        differences: &differences,
        point: POINT,
    };
    Fleet::with_data(&SHARDS[..1], Some(data)).await
}

async fn fetched(fleet: &Fleet, batch: &str) -> Result<SettlementProof, FetchError> {
    let settlement = ENGINE.settlement_key().unwrap();
    let keys = (ENGINE.key(), &settlement);
    let fetched = fetch_settlement(&fleet.queue, &fleet.objects, keys, batch).await;
    fetched.map(|(proof, _)| proof)
}

/// Both proofs are fetched, and state what the shards do.
async fn check_proofs(fleet: &Fleet, batch: &str, shards: &[ShardWitness]) {
    fleet.check_proof(batch, shards).await;
    let validity = fetch(&fleet.queue, &fleet.objects, ENGINE.key(), batch).await;
    let settlement = fetched(fleet, batch).await.unwrap();
    let expected = Statement {
        after: shards.last().unwrap().statement.after,
        ..shards[0].statement
    };
    ENGINE
        .check_finished(&validity.unwrap(), &expected)
        .unwrap();
    let key = ENGINE.settlement_key().unwrap();
    let stated = verify_settlement(&key, &settlement).unwrap();
    assert_eq!(stated.statement, expected);
    assert_eq!(stated.evaluation.point, POINT);
}

/// Takes the next job as "liar" and hands in these bytes as its result.
async fn lie(fleet: &Fleet, kind: Kind, make: impl FnOnce(&str) -> Vec<u8>) {
    let worker = fleet.worker("liar").await;
    worker.register_instance().await.unwrap();
    let claimed = worker.claim(MEMORY).await.unwrap().unwrap();
    assert_eq!(claimed.kind, kind);
    let folder = match kind {
        Kind::Finish => Folder::Proof,
        _ => Folder::Part { job: &claimed.job },
    };
    let bytes = make(&claimed.job);
    let result = fleet.objects.put(folder, bytes).await.unwrap();
    let claim = Claim::Result {
        batch: &claimed.batch,
        job: &claimed.job,
        result,
    };
    let completion = Completion {
        held: &JobLease::from(&claimed),
        instance: "liar",
        result,
        signature: &worker.context.key.sign(&claim),
        took: Some(Duration::from_secs(1)),
    };
    let done = fleet.queue.complete(&completion).await.unwrap();
    assert_eq!(done, CompletionOutcome::Accepted);
}

/// Does all jobs of these kinds.
async fn work_off(fleet: &Fleet, name: &str, kinds: &[Kind]) {
    let options = Options {
        kinds: kinds.to_vec(),
        ..options()
    };
    let (stop, stopped) = watch::channel(false);
    let last = kinds.last().copied();
    let worker = fleet.registered(name, options, move |event| {
        if matches!(event, Event::Done { work, .. } if Some(work.kind) == last) {
            stop.send_replace(true);
        }
    });
    worker.await.run(stopped).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_proof_is_made_of_the_validity_proof() {
    let differences = differences(&SHARDS);
    let data = Data {
        differences: &differences,
        point: POINT,
    };
    let (fleet, batch) = Fleet::with_data(&SHARDS, Some(data)).await;
    let refused = fetched(&fleet, &batch).await.unwrap_err();
    assert!(matches!(refused, FetchError::NotProven), "{refused}");
    // One that does not wrap leaves that to another.
    work_off(&fleet, "a", &[Kind::Shard, Kind::Aggregate, Kind::Finish]).await;
    let view = fleet.queue.tree_view(&batch).await.unwrap().unwrap();
    assert_eq!(view.batch.state, BatchState::Open);
    let refused = fetched(&fleet, &batch).await.unwrap_err();
    assert!(matches!(refused, FetchError::NotProven), "{refused}");
    work_off(&fleet, "b", &[Kind::Wrap]).await;
    check_proofs(&fleet, &batch, &SHARDS).await;
    let done = fleet.done();
    assert_eq!(done.len(), 7);
    assert_eq!(done.last(), Some(&(Kind::Wrap, 0, false)));

    // All of it is removed.
    let jobs = fleet.jobs(&batch).await;
    submit::delete(&fleet.queue, &fleet.objects, &batch)
        .await
        .unwrap();
    let parts = jobs.iter().map(|job| Folder::Part { job: &job.id });
    for folder in parts.chain([Folder::Witness, Folder::Proof, Folder::Manifest]) {
        let left = fleet.objects.list(folder).await.unwrap();
        assert_eq!(left, [], "{folder:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_without_settlement_has_none() {
    let (fleet, batch) = Fleet::with(&SHARDS[..1]).await;
    fleet.work_off("a").await;
    fleet.check_proof(&batch, &SHARDS[..1]).await;
    let refused = fetched(&fleet, &batch).await.unwrap_err();
    assert!(matches!(refused, FetchError::NotAsked), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_proof_of_a_killed_worker_is_found_and_not_made_again() {
    let (fleet, batch) = settled().await;
    fleet.work_off("a").await;
    check_proofs(&fleet, &batch, &SHARDS[..1]).await;
    // As if the worker was killed before it could hand it in.
    let wrap = fleet.queue.wrap_of(&batch).await.unwrap().unwrap();
    let lost = fleet
        .queue
        .invalidate_proof(&batch, &wrap, false, "it is lost");
    lost.await.unwrap();
    fleet.events.lock().unwrap().clear();
    fleet.work_off("b").await;
    check_proofs(&fleet, &batch, &SHARDS[..1]).await;
    assert_eq!(fleet.done(), [(Kind::Wrap, 0, true)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_false_settlement_proof_is_refuted_by_fetch_and_held_against_who_signed_it() {
    let (fleet, batch) = settled().await;
    work_off(&fleet, "a", &[Kind::Shard, Kind::Finish]).await;
    lie(&fleet, Kind::Wrap, |_| {
        SettlementProof::from_calldata(vec![7; 200]).to_bytes()
    })
    .await;
    let refused = fetched(&fleet, &batch).await.unwrap_err();
    assert!(matches!(refused, FetchError::Invalidated(_)), "{refused}");
    assert_eq!(fleet.strikes("liar").await, 1);
    fleet.work_off("b").await;
    check_proofs(&fleet, &batch, &SHARDS[..1]).await;
    assert_eq!(fleet.done().last(), Some(&(Kind::Wrap, 0, false)));
    // What lay in the store was looked at.
    let unusable = |event: &Event| matches!(event, Event::Unusable { .. });
    assert_eq!(fleet.count(unusable), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_proof_of_another_point_is_refuted() {
    let (fleet, batch) = settled().await;
    work_off(&fleet, "a", &[Kind::Shard, Kind::Finish]).await;
    let finish = fleet.queue.finish_of(&batch).await.unwrap();
    let name = finish.result.unwrap().parse().unwrap();
    let bytes = fleet.objects.get(Folder::Proof, name, 1 << 24).await;
    let validity = ValidityProof::from_bytes(&bytes.unwrap()).unwrap();
    let differences = differences(&SHARDS[..1]);
    let other = ENGINE.wrap(&validity, &differences, [1, 2], &SHARDS[0].statement);
    lie(&fleet, Kind::Wrap, |_| other.unwrap().to_bytes()).await;
    let refused = fetched(&fleet, &batch).await.unwrap_err().to_string();
    assert!(refused.contains("point [1, 2], expected"), "{refused}");
    assert_eq!(fleet.strikes("liar").await, 1);
    fleet.work_off("b").await;
    check_proofs(&fleet, &batch, &SHARDS[..1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_false_validity_proof_is_refuted_by_the_wrap_and_made_again() {
    let (fleet, batch) = settled().await;
    work_off(&fleet, "a", &[Kind::Shard]).await;
    lie(&fleet, Kind::Finish, |_| b"garbage".to_vec()).await;
    fleet.work_off("b").await;
    check_proofs(&fleet, &batch, &SHARDS[..1]).await;
    assert_eq!(fleet.strikes("liar").await, 1);
    let given_back = |event: &Event| matches!(event, Event::GivenBack { .. });
    assert_eq!(fleet.count(given_back), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn differences_of_another_batch_are_refused_with_their_reason() {
    let other = differences(&SHARDS[1..2]);
    let data = Data {
        differences: &other,
        point: POINT,
    };
    let (fleet, batch) = Fleet::with_data(&SHARDS[..1], Some(data)).await;
    fleet.execute("UPDATE batches SET max_failures = 1").await;
    fleet.work_off("a").await;
    assert_eq!(
        fleet.dead_lettered(&batch).await,
        "the differences lead to another commitment than the manifest says"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_differences_are_a_failure_with_its_reason() {
    let (fleet, batch) = settled().await;
    fleet.execute("UPDATE batches SET max_failures = 1").await;
    work_off(&fleet, "a", &[Kind::Shard, Kind::Finish]).await;
    let manifest = submit::manifest(&fleet.objects, &batch).await.unwrap();
    let lost = manifest.published().unwrap().differences;
    fleet.objects.remove(Folder::Witness, lost).await.unwrap();
    fleet.work_off("b").await;
    let reason = fleet.dead_lettered(&batch).await;
    assert!(reason.contains("has no object"), "{reason}");
}
