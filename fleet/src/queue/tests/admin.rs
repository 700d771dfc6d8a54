//! What operators do.

use super::model::BatchState;
use super::*;

async fn batch_state(fleet: &Fleet, batch: &str) -> BatchState {
    let tree = fleet.queue.tree_view(batch).await.unwrap();
    tree.unwrap().batch.state
}

#[tokio::test]
async fn nothing_of_a_cancelled_batch_is_begun() {
    on_both(async |fleet| {
        let batch = fleet.submit(3, 1).await;
        fleet.worker("a").await;
        let done = fleet.work("a").await;
        let running = fleet.take("a").await;
        fleet.queue.cancel(&batch).await.unwrap();
        assert_eq!(batch_state(fleet, &batch).await, BatchState::Cancelled);
        assert_eq!(fleet.claim("a").await, None);
        let none = Some(Vec::new());
        assert_eq!(fleet.queue.heartbeat("a", LEASE).await.unwrap(), none);
        assert_eq!(fleet.state(&done).await, JobState::Done);
        assert_eq!(fleet.state(&running).await, JobState::Cancelled);
        let [attempt] = &fleet.attempts(&running).await[..] else {
            panic!("not one attempt");
        };
        assert_eq!(attempt.outcome, Some(Outcome::Superseded));
        assert_eq!(attempt.reason.as_deref(), Some("the batch was cancelled"));
        // Its worker ends it in some way.
        fleet.fail(&running).await;
        assert_eq!(fleet.state(&running).await, JobState::Cancelled);

        let again = fleet.queue.cancel(&batch).await.unwrap_err();
        assert!(matches!(again, QueueError::BatchState { .. }), "{again}");
        let unknown = fleet.queue.cancel("5a5a").await.unwrap_err();
        assert!(matches!(unknown, QueueError::Unknown { .. }), "{unknown}");
    })
    .await;
}

#[tokio::test]
async fn dead_lettered_jobs_are_tried_again_all_or_one_as_often_as_new_ones() {
    on_both(async |fleet| {
        let batch = fleet.submit(3, 1).await;
        fleet.worker("a").await;
        let mut dead_lettered = Vec::new();
        for _ in 0..2 {
            let claimed = fleet.take("a").await;
            dead_letter(fleet, &claimed).await;
            dead_lettered.push(claimed);
        }
        let ready = fleet.take("a").await;
        assert_eq!(fleet.claim("a").await, None);
        let one = Some(dead_lettered[0].job.as_str());
        assert_eq!(fleet.queue.retry(&batch, one).await.unwrap(), 1);
        assert_eq!(fleet.state(&dead_lettered[1]).await, JobState::DeadLettered);
        let again = fleet.take("a").await;
        assert_eq!(
            (&again.job, fleet.job(&again).await.failures),
            (&dead_lettered[0].job, 0)
        );
        dead_letter(fleet, &again).await;
        assert_eq!(fleet.queue.retry(&batch, None).await.unwrap(), 2);
        assert_eq!(fleet.queue.retry(&batch, None).await.unwrap(), 0);
        assert_eq!(fleet.state(&ready).await, JobState::Running);
        for job in &dead_lettered {
            assert_eq!(fleet.take("a").await.job, job.job);
        }
    })
    .await;
}

#[tokio::test]
async fn a_lost_validity_proof_is_made_again_from_the_root() {
    on_both(async |fleet| {
        let batch = fleet.submit(2, 1).await;
        fleet.worker("a").await;
        let invalidate = async |finish: &Child| {
            let invalidated = fleet
                .queue
                .invalidate_proof(&batch, finish, true, "gone")
                .await;
            invalidated.unwrap();
        };
        invalidate(&fleet.queue.finish_of(&batch).await.unwrap()).await;
        for _ in 0..4 {
            fleet.work("a").await;
        }
        assert_eq!(batch_state(fleet, &batch).await, BatchState::Proven);
        let lost = fleet.queue.finish_of(&batch).await.unwrap();
        invalidate(&lost).await;
        assert_eq!(batch_state(fleet, &batch).await, BatchState::Open);
        assert_eq!(fleet.queue.proof_of(&batch).await.unwrap(), None);
        let finish = fleet.take("a").await;
        assert_eq!(finish.kind, Kind::Finish);
        let another = ObjectName::of(b"another proof");
        let done = fleet.deliver("a", &finish, another, None).await;
        assert_eq!(done.unwrap(), CompletionOutcome::Accepted);
        // Somebody else has looked at the lost one, too.
        invalidate(&lost).await;
        assert_eq!(batch_state(fleet, &batch).await, BatchState::Proven);
        let view = fleet.queue.fleet_view(1).await.unwrap();
        assert_eq!(view.workers[0].strikes, 1);
        assert_eq!(fleet.claim("a").await, None);
    })
    .await;
}

#[tokio::test]
async fn a_batch_is_removed_when_it_is_not_open() {
    on_both(async |fleet| {
        let batch = fleet.submit(2, 1).await;
        fleet.pass(Duration::from_secs(1)).await;
        let other = fleet.submit(1, 2).await;
        fleet.worker("a").await;
        fleet.work("a").await;
        for refused in [
            fleet.queue.check_closed(&batch).await,
            fleet.queue.delete(&batch).await,
        ] {
            let refused = refused.unwrap_err();
            assert!(
                matches!(refused, QueueError::BatchState { .. }),
                "{refused}"
            );
        }
        fleet.queue.cancel(&batch).await.unwrap();
        fleet.queue.check_closed(&batch).await.unwrap();
        fleet.queue.delete(&batch).await.unwrap();
        assert_eq!(fleet.queue.tree_view(&batch).await.unwrap(), None);
        let unknown = fleet.queue.check_closed(&batch).await.unwrap_err();
        assert!(matches!(unknown, QueueError::Unknown { .. }), "{unknown}");
        // The other one is as it was, and the first may come again.
        assert_eq!(fleet.jobs(&other).await.len(), 2);
        assert_eq!(fleet.submit(2, 1).await, batch);
        let jobs = fleet.jobs(&batch).await;
        assert!(jobs.iter().all(|job| job.attempt == 0));
    })
    .await;
}

#[tokio::test]
async fn inputs_and_jobs_of_other_batches_are_shared() {
    on_both(async |fleet| {
        let batch = fleet.submit(2, 1).await;
        let manifest = batch::manifest_for([8; 32], 2, 1);
        let (other, _) = fleet.submit_manifest(&manifest).await;
        let witness = batch::name(0, 1).to_string();
        let own_job = fleet.only(&batch, Kind::Aggregate).await.id;
        let queue = &fleet.queue;
        assert!(queue.is_shared(&batch, &witness).await.unwrap());
        assert!(queue.is_shared(&other, &own_job).await.unwrap());
        assert!(!queue.is_shared(&batch, &own_job).await.unwrap());
        queue.cancel(&other).await.unwrap();
        queue.delete(&other).await.unwrap();
        assert!(!queue.is_shared(&batch, &witness).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn nothing_is_left_to_do_when_no_job_of_these_circuits_is_ready_or_in_work() {
    on_both(async |fleet| {
        let (own, others) = (hex::encode(batch::CIRCUITS), "ab".repeat(32));
        assert!(fleet.queue.is_idle(&own, None).await.unwrap());
        fleet.submit(1, 1).await;
        fleet.worker("a").await;
        assert!(fleet.queue.is_idle(&others, None).await.unwrap());
        for _ in 0..2 {
            assert!(!fleet.queue.is_idle(&own, None).await.unwrap());
            let claimed = fleet.take("a").await;
            assert!(!fleet.queue.is_idle(&own, None).await.unwrap());
            fleet.complete("a", &claimed).await.unwrap();
        }
        assert!(fleet.queue.is_idle(&own, None).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_worker_that_leaves_gives_back_all_that_it_holds() {
    on_both(async |fleet| {
        fleet.submit(3, 1).await;
        for worker in ["a", "b"] {
            fleet.worker(worker).await;
        }
        let mut mine = [fleet.take("a").await, fleet.take("a").await];
        let other = fleet.take("b").await;
        fleet.queue.deregister_instance("a").await.unwrap();
        assert_eq!(fleet.state(&other).await, JobState::Running);
        mine.sort_by_key(|claimed| claimed.first);
        for claimed in &mine {
            assert_eq!(fleet.job(claimed).await.failures, 0);
            assert_eq!(fleet.outcomes(claimed).await, [Some(Outcome::Released)]);
            assert_eq!(fleet.take("b").await.job, claimed.job);
        }
    })
    .await;
}

#[tokio::test]
async fn a_batch_is_found_by_the_start_of_its_id() {
    on_both(async |fleet| {
        let mut ids = Vec::new();
        for seed in 0..20 {
            ids.push(fleet.submit(1, seed).await);
        }
        let queue = &fleet.queue;
        for id in &ids {
            assert_eq!(&queue.batch_id(id).await.unwrap(), id);
            // No two of twenty share so many.
            assert_eq!(&queue.batch_id(&id[..12]).await.unwrap(), id);
        }
        let ambiguous = queue.batch_id("").await.unwrap_err();
        assert!(
            matches!(ambiguous, QueueError::Ambiguous { count: 20, .. }),
            "{ambiguous}"
        );
        for prefix in ["%", "x", &ids[0][1..]] {
            let unknown = queue.batch_id(prefix).await.unwrap_err();
            assert!(
                matches!(unknown, QueueError::Unknown { .. }),
                "{prefix}: {unknown}"
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_batch_has_no_live_job_whatever_happens_at_the_same_time() {
    on_both(async |fleet| {
        for worker in ["a", "b"] {
            fleet.worker(worker).await;
        }
        for seed in 1..20 {
            let batch = fleet.submit(2, seed).await;
            let shards = [fleet.work("a").await, fleet.take("b").await];
            fleet.complete("b", &shards[1]).await.unwrap();
            let aggregation = fleet.take("b").await;
            let child = fleet.child(&shards[0]).await;
            let by = held(&aggregation);
            let invalidate = fleet.queue.invalidate(&by, &child, false, "it is lost");
            let (cancelled, invalidated) = tokio::join!(fleet.queue.cancel(&batch), invalidate);
            cancelled.unwrap();
            invalidated.unwrap();
            for job in fleet.jobs(&batch).await {
                let is_over = matches!(job.state, JobState::Done | JobState::Cancelled);
                assert!(is_over, "{job:?}");
            }
        }
    })
    .await;
}
