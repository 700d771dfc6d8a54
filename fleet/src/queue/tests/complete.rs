//! Results that are handed in.

use super::model::BatchState;
use super::*;

#[tokio::test]
async fn a_job_is_ready_when_the_last_of_its_children_is_done() {
    on_both(async |fleet| {
        let batch = fleet.submit(2, 1).await;
        fleet.worker("a").await;
        for state in [JobState::Waiting, JobState::Queued] {
            fleet.work("a").await;
            assert_eq!(fleet.only(&batch, Kind::Aggregate).await.state, state);
            assert_eq!(
                fleet.only(&batch, Kind::Finish).await.state,
                JobState::Waiting
            );
        }
        fleet.work("a").await;
        assert_eq!(
            fleet.only(&batch, Kind::Finish).await.state,
            JobState::Queued
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_children_done_at_the_same_instant_free_their_parent_once() {
    on_both(async |fleet| {
        for worker in ["a", "b"] {
            fleet.worker(worker).await;
        }
        for seed in 0..10 {
            let batch = fleet.submit(2, seed).await;
            let (left, right) = (fleet.take("a").await, fleet.take("b").await);
            let (left, right) =
                tokio::join!(fleet.complete("a", &left), fleet.complete("b", &right));
            assert_eq!(
                (left.unwrap(), right.unwrap()),
                (CompletionOutcome::Accepted, CompletionOutcome::Accepted)
            );
            assert_eq!(
                fleet.only(&batch, Kind::Aggregate).await.state,
                JobState::Queued
            );
            fleet.work("a").await;
            fleet.work("a").await;
            let tree = fleet.queue.tree_view(&batch).await.unwrap().unwrap();
            assert_eq!(tree.batch.state, BatchState::Proven);
        }
    })
    .await;
}

#[tokio::test]
async fn the_result_of_the_finish_proves_the_batch() {
    on_both(async |fleet| {
        let batch = fleet.submit(1, 1).await;
        fleet.worker("a").await;
        fleet.work("a").await;
        assert_eq!(fleet.queue.proof_of(&batch).await.unwrap(), None);
        let finish = fleet.work("a").await;
        let tree = fleet.queue.tree_view(&batch).await.unwrap().unwrap();
        let proof = Some(result(&finish).to_string());
        assert_eq!(tree.batch.state, BatchState::Proven);
        assert_eq!(tree.batch.proof, proof);
        assert!(tree.batch.finished.is_some());
        assert_eq!(fleet.queue.proof_of(&batch).await.unwrap(), proof);
        assert_eq!(fleet.claim("a").await, None);
    })
    .await;
}

#[tokio::test]
async fn whoever_uses_a_result_learns_its_name_and_who_has_signed_it() {
    on_both(async |fleet| {
        fleet.submit(2, 1).await;
        fleet.worker("a").await;
        fleet.worker("b").await;
        let (left, right) = (fleet.work("a").await, fleet.work("b").await);
        let aggregation = fleet.take("a").await;
        let children = fleet
            .queue
            .children(&aggregation.batch, &aggregation.job)
            .await
            .unwrap();
        assert_eq!(children.len(), 2);
        for (child, (done, signer)) in children.iter().zip([(left, "a"), (right, "b")]) {
            assert_eq!(child.job, done.job);
            assert_eq!((child.first, child.end), (done.first, done.end));
            assert_eq!(child.result, Some(result(&done).to_string()));
            assert_eq!(child.signer.as_deref(), Some(signer));
            let claim = Claim::Result {
                batch: &done.batch,
                job: &done.job,
                result: result(&done),
            };
            let key = fleet.queue.key_of(signer).await.unwrap().unwrap();
            let signature = child.signature.as_deref().unwrap().parse().unwrap();
            assert!(key.verify(&claim, &signature));
        }
    })
    .await;
}

#[tokio::test]
async fn a_result_that_is_handed_in_twice_counts_once() {
    on_both(async |fleet| {
        let batch = fleet.submit(2, 1).await;
        fleet.worker("a").await;
        let first = fleet.work("a").await;
        let before = fleet.jobs(&batch).await;
        let again = fleet.complete("a", &first).await.unwrap();
        assert_eq!(again, CompletionOutcome::Accepted);
        assert_eq!(fleet.jobs(&batch).await, before);
        assert_eq!(fleet.outcomes(&first).await, [Some(Outcome::Done)]);
        assert_eq!(
            fleet.only(&batch, Kind::Aggregate).await.state,
            JobState::Waiting
        );
    })
    .await;
}

#[tokio::test]
async fn a_late_result_of_a_lost_attempt_is_taken_and_ends_the_live_one() {
    on_both(async |fleet| {
        fleet.submit(2, 1).await;
        for worker in ["a", "b"] {
            fleet.worker(worker).await;
        }
        let late = fleet.take("a").await;
        fleet.pass(Duration::from_secs(61)).await;
        assert_eq!(fleet.queue.reap().await.unwrap(), 1);
        fleet.pass(Duration::from_secs(3)).await;
        let live = fleet.take("b").await;
        assert_eq!((&live.job, live.attempt), (&late.job, 2));

        assert_eq!(
            fleet.complete("a", &late).await.unwrap(),
            CompletionOutcome::Accepted
        );
        let job = fleet.job(&live).await;
        assert_eq!(job.state, JobState::Done);
        assert_eq!(job.instance.as_deref(), Some("a"));
        // The time since the live attempt began says nothing of the late one.
        assert_eq!(job.took, None);
        let outcomes = [Some(Outcome::Done), Some(Outcome::Superseded)];
        assert_eq!(fleet.outcomes(&live).await, outcomes);

        // The live one is told by its next sign of life, and its own result is late.
        let still_held = fleet.queue.heartbeat("b", LEASE).await.unwrap().unwrap();
        assert_eq!(still_held, []);
        let other = ObjectName::of(b"another proof");
        let handed_in = fleet.deliver("b", &live, other, None).await;
        assert_eq!(handed_in.unwrap(), CompletionOutcome::Late);
        assert_eq!(fleet.job(&live).await, job);
    })
    .await;
}

#[tokio::test]
async fn a_result_is_taken_of_a_job_that_is_queued_again_or_dead_lettered() {
    on_both(async |fleet| {
        let batch = fleet.submit(2, 1).await;
        fleet.worker("a").await;
        let first = fleet.take("a").await;
        fleet.fail(&first).await;
        assert_eq!(fleet.state(&first).await, JobState::Queued);
        assert_eq!(
            fleet.complete("a", &first).await.unwrap(),
            CompletionOutcome::Accepted
        );

        let second = fleet.take("a").await;
        dead_letter(fleet, &second).await;
        assert_eq!(fleet.state(&second).await, JobState::DeadLettered);
        assert_eq!(
            fleet.complete("a", &second).await.unwrap(),
            CompletionOutcome::Accepted
        );
        assert_eq!(
            fleet.only(&batch, Kind::Aggregate).await.state,
            JobState::Queued
        );
    })
    .await;
}

#[tokio::test]
async fn a_late_failure_does_not_end_the_live_attempt() {
    on_both(async |fleet| {
        fleet.submit(1, 1).await;
        for worker in ["a", "b"] {
            fleet.worker(worker).await;
        }
        let late = fleet.take("a").await;
        fleet.pass(Duration::from_secs(61)).await;
        fleet.queue.reap().await.unwrap();
        fleet.pass(Duration::from_secs(3)).await;
        let live = fleet.take("b").await;
        let before = fleet.job(&live).await;
        fleet.fail(&late).await;
        fleet
            .queue
            .release(&held(&late), "asked to stop")
            .await
            .unwrap();
        assert_eq!(fleet.job(&live).await, before);
        assert_eq!(fleet.outcomes(&live).await, [Some(Outcome::Lost), None]);
        assert_eq!(
            fleet.complete("b", &live).await.unwrap(),
            CompletionOutcome::Accepted
        );
    })
    .await;
}

#[tokio::test]
async fn a_result_for_a_cancelled_or_forgotten_batch_is_not_taken() {
    on_both(async |fleet| {
        let batch = fleet.submit(1, 1).await;
        fleet.worker("a").await;
        let claimed = fleet.take("a").await;
        fleet.queue.cancel(&batch).await.unwrap();
        assert_eq!(
            fleet.complete("a", &claimed).await.unwrap(),
            CompletionOutcome::Late
        );
        assert_eq!(fleet.state(&claimed).await, JobState::Cancelled);
        fleet.queue.delete(&batch).await.unwrap();
        assert_eq!(
            fleet.complete("a", &claimed).await.unwrap(),
            CompletionOutcome::Gone
        );
    })
    .await;
}

#[tokio::test]
async fn the_result_of_a_dismissed_worker_is_not_taken() {
    on_both(async |fleet| {
        fleet.submit(1, 1).await;
        fleet.worker("a").await;
        let claimed = fleet.take("a").await;
        fleet.queue.revoke("a").await.unwrap();
        let refused = fleet.complete("a", &claimed).await.unwrap_err();
        assert!(matches!(refused, QueueError::Revoked { .. }), "{refused}");
        assert_eq!(fleet.state(&claimed).await, JobState::Running);
    })
    .await;
}

#[tokio::test]
async fn a_job_took_what_proving_took_and_not_what_waiting_did() {
    on_both(async |fleet| {
        fleet.submit(2, 1).await;
        fleet.worker("a").await;
        // Found; proven in two seconds and then kept waiting; a clock that goes wrong.
        for (seconds, expected) in [
            (None, None),
            (Some(2), Some(2..3)),
            (Some(900), Some(50..90)),
        ] {
            let claimed = fleet.take("a").await;
            fleet.pass(Duration::from_secs(50)).await;
            let took = seconds.map(Duration::from_secs);
            let done = fleet.deliver("a", &claimed, result(&claimed), took).await;
            assert_eq!(done.unwrap(), CompletionOutcome::Accepted);
            let took = fleet.job(&claimed).await.took;
            let fits = took.zip(expected.as_ref());
            assert_eq!(took.is_some(), expected.is_some());
            assert!(
                fits.is_none_or(|(took, expected)| expected.contains(&(took / 1_000))),
                "{took:?}"
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_to_a_job_at_once_happens_one_after_the_other() {
    on_both(async |fleet| {
        for seed in 0..10 {
            let batch = fleet.submit(4, seed).await;
            fleet.worker("a").await;
            let mut held = Vec::new();
            for _ in 0..4 {
                held.push(super::held(&fleet.take("a").await));
            }
            fleet.pass(Duration::from_secs(61)).await;
            let mut tasks = tokio::task::JoinSet::new();
            for held in held {
                let queue = fleet.queue.clone();
                tasks.spawn(async move { queue.fail(&held, "it went wrong", true).await });
            }
            let queue = fleet.queue.clone();
            tasks.spawn(async move { queue.reap().await.map(drop) });
            let queue = fleet.queue.clone();
            tasks.spawn(async move { queue.deregister_instance("a").await });
            // None of them waits for another that waits for it.
            while let Some(done) = tasks.join_next().await {
                done.unwrap().unwrap();
            }
            for job in fleet.jobs(&batch).await {
                let is_shard = job.kind == Kind::Shard;
                let state = [JobState::Waiting, JobState::Queued][usize::from(is_shard)];
                assert_eq!(job.state, state);
                assert!(job.failures <= 1, "{job:?}");
            }
            fleet.queue.cancel(&batch).await.unwrap();
        }
    })
    .await;
}
