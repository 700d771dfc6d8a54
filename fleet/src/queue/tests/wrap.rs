//! Batches with a settlement proof.

use super::model::BatchState;
use super::*;

/// A batch of two shards whose proofs are all there, by "a".
async fn proven(fleet: &Fleet) -> String {
    let (batch, _) = fleet.submit_manifest(&batch::settled_manifest(2, 1)).await;
    fleet.worker("a").await;
    let kinds = [
        Kind::Shard,
        Kind::Shard,
        Kind::Aggregate,
        Kind::Finish,
        Kind::Wrap,
    ];
    for kind in kinds {
        assert_eq!(batch_state(fleet, &batch).await, BatchState::Open);
        assert_eq!(fleet.work("a").await.kind, kind);
    }
    assert_eq!(batch_state(fleet, &batch).await, BatchState::Proven);
    batch
}

async fn batch_state(fleet: &Fleet, batch: &str) -> BatchState {
    let tree = fleet.queue.tree_view(batch).await.unwrap();
    tree.unwrap().batch.state
}

async fn invalidate(fleet: &Fleet, batch: &str, kind: Kind) {
    let job = match kind {
        Kind::Wrap => fleet.queue.wrap_of(batch).await.unwrap().unwrap(),
        _ => fleet.queue.finish_of(batch).await.unwrap(),
    };
    let invalidated = fleet.queue.invalidate_proof(batch, &job, true, "false");
    invalidated.await.unwrap();
    assert_eq!(batch_state(fleet, batch).await, BatchState::Open);
    assert_eq!(fleet.queue.proof_of(batch).await.unwrap(), None);
}

#[tokio::test]
async fn a_batch_with_a_settlement_proof_is_proven_when_that_is_there() {
    on_both(async |fleet| {
        let batch = proven(fleet).await;
        let finish = fleet.queue.finish_of(&batch).await.unwrap();
        let proof = fleet.queue.proof_of(&batch).await.unwrap();
        assert_eq!(proof, finish.result);
        let wrap = fleet.queue.wrap_of(&batch).await.unwrap().unwrap();
        assert_ne!(proof, wrap.result);
        let jobs = fleet.jobs(&batch).await;
        let last = jobs.last().map(|job| job.kind);
        assert_eq!(last, Some(Kind::Wrap));
        // One without.
        let without = fleet.submit(1, 2).await;
        assert_eq!(fleet.queue.wrap_of(&without).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_lost_settlement_proof_is_made_again_and_nothing_else() {
    on_both(async |fleet| {
        let batch = proven(fleet).await;
        invalidate(fleet, &batch, Kind::Wrap).await;
        assert_eq!(fleet.work("a").await.kind, Kind::Wrap);
        assert_eq!(batch_state(fleet, &batch).await, BatchState::Proven);
        let finish = fleet.queue.finish_of(&batch).await.unwrap();
        assert_eq!(fleet.queue.proof_of(&batch).await.unwrap(), finish.result);
        assert_eq!(fleet.claim("a").await, None);
    })
    .await;
}

#[tokio::test]
async fn a_lost_validity_proof_is_made_again_and_the_settlement_proof_stays() {
    on_both(async |fleet| {
        let batch = proven(fleet).await;
        invalidate(fleet, &batch, Kind::Finish).await;
        assert_eq!(fleet.only(&batch, Kind::Wrap).await.state, JobState::Done);
        assert_eq!(fleet.work("a").await.kind, Kind::Finish);
        assert_eq!(batch_state(fleet, &batch).await, BatchState::Proven);
        assert_eq!(fleet.claim("a").await, None);
        // And then the settlement proof: nothing is missing for it.
        invalidate(fleet, &batch, Kind::Wrap).await;
        assert_eq!(fleet.work("a").await.kind, Kind::Wrap);
        assert_eq!(batch_state(fleet, &batch).await, BatchState::Proven);
    })
    .await;
}

#[tokio::test]
async fn a_false_validity_proof_that_a_wrap_finds_is_made_again_before_it_goes_on() {
    on_both(async |fleet| {
        let (batch, _) = fleet.submit_manifest(&batch::settled_manifest(1, 1)).await;
        for worker in ["a", "b"] {
            fleet.worker(worker).await;
        }
        fleet.work("a").await;
        let finish = fleet.work("a").await;
        let wrap = fleet.take("b").await;
        let (child, by) = (fleet.child(&finish).await, held(&wrap));
        let invalidated = fleet.queue.invalidate(&by, &child, true, "it is false");
        invalidated.await.unwrap();
        assert_eq!(fleet.state(&finish).await, JobState::Queued);
        assert_eq!(fleet.state(&wrap).await, JobState::Waiting);
        assert_eq!(fleet.work("b").await.job, finish.job);
        assert_eq!(fleet.work("a").await.job, wrap.job);
        assert_eq!(batch_state(fleet, &batch).await, BatchState::Proven);
    })
    .await;
}

#[tokio::test]
async fn a_wrap_that_fails_too_often_is_dead_lettered_and_can_be_tried_again() {
    on_both(async |fleet| {
        let (batch, _) = fleet.submit_manifest(&batch::settled_manifest(1, 1)).await;
        fleet.worker("a").await;
        fleet.work("a").await;
        fleet.work("a").await;
        let wrap = fleet.take("a").await;
        dead_letter(fleet, &wrap).await;
        assert_eq!(fleet.state(&wrap).await, JobState::DeadLettered);
        assert_eq!(batch_state(fleet, &batch).await, BatchState::Open);
        assert_eq!(fleet.queue.retry(&batch, None).await.unwrap(), 1);
        assert_eq!(fleet.work("a").await.job, wrap.job);
        assert_eq!(batch_state(fleet, &batch).await, BatchState::Proven);
        fleet.queue.delete(&batch).await.unwrap();
    })
    .await;
}
