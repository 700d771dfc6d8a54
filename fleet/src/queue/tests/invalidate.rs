//! Results that turn out false when they are used.

use super::*;

/// A batch of one shard by "a", whose finish "b" has taken: the shard and the finish.
async fn finishing(fleet: &Fleet) -> (Claimed, Claimed) {
    fleet.submit(1, 1).await;
    for worker in ["a", "b"] {
        fleet.worker(worker).await;
    }
    let shard = fleet.work("a").await;
    (shard, fleet.take("b").await)
}

async fn invalidate(fleet: &Fleet, by: &Claimed, child: &Claimed, is_false: bool) {
    let child = fleet.child(child).await;
    let (by, queue) = (held(by), &fleet.queue);
    let invalidated = queue.invalidate(&by, &child, is_false, "it is false");
    invalidated.await.unwrap();
}

async fn strikes(fleet: &Fleet, worker: &str) -> u64 {
    let view = fleet.queue.fleet_view(1).await.unwrap();
    let mut workers = view.workers.iter();
    workers.find(|found| found.name == worker).unwrap().strikes
}

#[tokio::test]
async fn a_refuted_result_is_made_again_before_its_parent_goes_on() {
    on_both(async |fleet| {
        let (shard, finish) = finishing(fleet).await;
        fleet
            .execute("UPDATE attempts SET ended = ended - 200000")
            .await;
        let job_ended = fleet.attempts(&shard).await[0].ended;
        invalidate(fleet, &finish, &shard, true).await;
        let opened = fleet.job(&shard).await;
        assert_eq!((opened.state, opened.failures), (JobState::Queued, 1));
        assert_eq!((opened.result, opened.took), (None, None));
        let waiting = fleet.job(&finish).await;
        assert_eq!((waiting.state, waiting.failures), (JobState::Waiting, 0));
        assert_eq!(fleet.outcomes(&finish).await, [Some(Outcome::Released)]);
        let attempts = fleet.attempts(&shard).await;
        assert_eq!(attempts[0].outcome, Some(Outcome::Invalidated));
        assert_eq!(attempts[0].reason.as_deref(), Some("it is false"));
        // It is news, however long ago the result was handed in.
        assert!(attempts[0].ended >= job_ended.map(|ended| ended + 100_000));

        // It goes to another worker than the one that made it.
        assert_eq!(fleet.claim("a").await, None);
        assert_eq!(fleet.work("b").await.job, shard.job);
        assert_eq!(fleet.work("a").await.job, finish.job);
    })
    .await;
}

#[tokio::test]
async fn three_false_results_stop_a_worker_and_lost_ones_do_not() {
    on_both(async |fleet| {
        let (shard, finish) = finishing(fleet).await;
        invalidate(fleet, &finish, &shard, false).await;
        assert_eq!(strikes(fleet, "a").await, 0);
        for number in 1..=3 {
            fleet.execute("UPDATE jobs SET failures = 0").await;
            fleet
                .execute("DELETE FROM attempts WHERE outcome = 'invalidated'")
                .await;
            let shard = fleet.work("a").await;
            let finish = fleet.take("b").await;
            invalidate(fleet, &finish, &shard, true).await;
            assert_eq!(strikes(fleet, "a").await, number);
        }
        assert_eq!(strikes(fleet, "b").await, 0);
        fleet
            .execute("DELETE FROM attempts WHERE outcome = 'invalidated'")
            .await;
        assert_eq!(fleet.claim("a").await, None);
        let key = fleet.key("a").public();
        let refused = fleet.queue.worker_of(&key).await.unwrap_err();
        assert!(
            matches!(refused, QueueError::Struck { strikes: 3, .. }),
            "{refused}"
        );
        // The operator may forgive it.
        fleet.register("a").await;
        fleet.take("a").await;
    })
    .await;
}

#[tokio::test]
async fn a_job_with_too_many_false_results_is_dead_lettered() {
    on_both(async |fleet| {
        let (mut shard, mut finish) = finishing(fleet).await;
        for failures in 1..=u64::from(MAX_FAILURES) {
            invalidate(fleet, &finish, &shard, false).await;
            let job = fleet.job(&shard).await;
            assert_eq!((job.state, job.failures), (JobState::Queued, failures));
            let worker = ["a", "b"][failures as usize % 2];
            shard = fleet.work(worker).await;
            finish = fleet.take("b").await;
        }
        invalidate(fleet, &finish, &shard, false).await;
        assert_eq!(fleet.state(&shard).await, JobState::DeadLettered);
        assert_eq!(fleet.state(&finish).await, JobState::Waiting);
        assert_eq!(fleet.claim("a").await, None);
    })
    .await;
}

#[tokio::test]
async fn the_same_refutation_counts_once() {
    on_both(async |fleet| {
        let (shard, finish) = finishing(fleet).await;
        // As when the answer to the first was lost.
        for _ in 0..2 {
            invalidate(fleet, &finish, &shard, true).await;
        }
        assert_eq!(strikes(fleet, "a").await, 1);
        assert_eq!(fleet.job(&shard).await.failures, 1);
        fleet.work("b").await;
        assert_eq!(fleet.work("b").await.job, finish.job);
    })
    .await;
}

#[tokio::test]
async fn only_who_holds_a_job_refutes_what_it_uses() {
    on_both(async |fleet| {
        let (shard, stale) = finishing(fleet).await;
        fleet.pass(Duration::from_secs(61)).await;
        fleet.queue.reap().await.unwrap();
        fleet.pass(Duration::from_secs(3)).await;
        let live = fleet.take("a").await;
        assert_eq!((&live.job, live.attempt), (&stale.job, 2));

        invalidate(fleet, &stale, &shard, true).await;
        assert_eq!(fleet.state(&shard).await, JobState::Done);
        assert_eq!(fleet.state(&live).await, JobState::Running);
        assert_eq!(strikes(fleet, "a").await, 0);
        invalidate(fleet, &live, &shard, true).await;
        assert_eq!(fleet.state(&shard).await, JobState::Queued);
        assert_eq!(fleet.state(&live).await, JobState::Waiting);
    })
    .await;
}

#[tokio::test]
async fn nothing_of_a_cancelled_batch_is_opened_again() {
    on_both(async |fleet| {
        let (shard, finish) = finishing(fleet).await;
        fleet.queue.cancel(&shard.batch).await.unwrap();
        invalidate(fleet, &finish, &shard, true).await;
        assert_eq!(fleet.state(&shard).await, JobState::Done);
        assert_eq!(fleet.state(&finish).await, JobState::Cancelled);
        for worker in ["a", "b"] {
            assert_eq!(fleet.claim(worker).await, None);
        }
    })
    .await;
}
