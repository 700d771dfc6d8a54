//! Jobs whose workers are not heard of any more, and those that are given back.

use super::*;

#[tokio::test]
async fn a_job_is_lost_when_its_lease_has_run_out_and_not_before() {
    on_both(async |fleet| {
        fleet.submit(1, 1).await;
        fleet.worker("a").await;
        let claimed = fleet.take("a").await;
        fleet.pass(Duration::from_secs(55)).await;
        assert_eq!(fleet.queue.reap().await.unwrap(), 0);
        assert_eq!(fleet.state(&claimed).await, JobState::Running);
        fleet.pass(Duration::from_secs(6)).await;
        assert_eq!(fleet.queue.reap().await.unwrap(), 1);
        assert_eq!(fleet.queue.reap().await.unwrap(), 0);
        let job = fleet.job(&claimed).await;
        assert_eq!((job.state, job.failures), (JobState::Queued, 1));
        let [attempt] = &fleet.attempts(&claimed).await[..] else {
            panic!("not one attempt");
        };
        assert_eq!(attempt.outcome, Some(Outcome::Lost));
        assert_eq!(
            attempt.reason.as_deref(),
            Some("a was not heard of any more")
        );
        assert!(attempt.ended.is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_job_counts_once_however_many_notice_it() {
    on_both(async |fleet| {
        fleet.submit(6, 1).await;
        fleet.worker("a").await;
        let claimed = fleet.take("a").await;
        for _ in 1..6 {
            fleet.take("a").await;
        }
        fleet.pass(Duration::from_secs(61)).await;
        let reap = || {
            let queue = fleet.queue.clone();
            tokio::spawn(async move { queue.reap().await.unwrap() })
        };
        let reaping: Vec<_> = (0..8).map(|_| reap()).collect();
        let mut count = 0;
        for reaped in reaping {
            count += reaped.await.unwrap();
        }
        assert_eq!(count, 6);
        for job in fleet.jobs(&claimed.batch).await {
            let expected = u64::from(job.kind == Kind::Shard);
            assert_eq!(job.failures, expected, "{job:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn signs_of_life_keep_a_job_until_its_deadline() {
    on_both(async |fleet| {
        fleet.submit(1, 1).await;
        fleet.worker("a").await;
        let claimed = fleet.take("a").await;
        // 59 minutes and 30 seconds.
        for _ in 0..85 {
            fleet.pass(Duration::from_secs(42)).await;
            let still = fleet.queue.heartbeat("a", LEASE).await.unwrap().unwrap();
            assert_eq!(still, [held(&claimed)]);
            assert_eq!(fleet.queue.reap().await.unwrap(), 0);
        }
        let job = fleet.job(&claimed).await;
        assert_eq!(job.lease, job.deadline);
        fleet.pass(Duration::from_secs(31)).await;
        fleet.queue.heartbeat("a", LEASE).await.unwrap();
        assert_eq!(fleet.queue.reap().await.unwrap(), 1);
        assert_eq!(fleet.outcomes(&claimed).await, [Some(Outcome::Overdue)]);
        let none = Some(Vec::new());
        assert_eq!(fleet.queue.heartbeat("a", LEASE).await.unwrap(), none);
    })
    .await;
}

#[tokio::test]
async fn a_sign_of_life_keeps_only_what_the_worker_holds() {
    on_both(async |fleet| {
        fleet.submit(2, 1).await;
        fleet.worker("a").await;
        fleet.worker("b").await;
        let (own, other) = (fleet.take("a").await, fleet.take("b").await);
        fleet.pass(Duration::from_secs(55)).await;
        let still = fleet.queue.heartbeat("a", LEASE).await.unwrap().unwrap();
        assert_eq!(still, [held(&own)]);
        fleet.pass(Duration::from_secs(6)).await;
        assert_eq!(fleet.queue.reap().await.unwrap(), 1);
        assert_eq!(fleet.state(&own).await, JobState::Running);
        assert_eq!(fleet.state(&other).await, JobState::Queued);
    })
    .await;
}

#[tokio::test]
async fn pauses_grow_with_each_failure_until_the_job_is_dead_lettered() {
    on_both(async |fleet| {
        fleet.submit(2, 1).await;
        fleet.execute("UPDATE batches SET max_failures = 6").await;
        fleet.worker("a").await;
        let kinds = [Kind::Shard];
        let first = fleet.take("a").await;
        let mut claimed = first.clone();
        // The other shard is kept out of the way.
        fleet.take("a").await;
        for pause in [2, 4, 8, 16, 16] {
            fleet.fail(&claimed).await;
            fleet.pass(Duration::from_millis(pause * 1_000 - 900)).await;
            assert_eq!(fleet.claim("a").await, None, "{pause} s have not passed");
            fleet.pass(Duration::from_millis(900)).await;
            let again = fleet
                .queue
                .claim("a", &wanted(&kinds), LEASE)
                .await
                .unwrap();
            claimed = again.expect("the pause is over");
            assert_eq!(claimed.job, first.job);
        }
        fleet.fail(&claimed).await;
        let job = fleet.job(&first).await;
        assert_eq!(
            (job.state, job.failures, job.attempt),
            (JobState::DeadLettered, 6, 6)
        );
        fleet.pass(Duration::from_secs(3_000)).await;
        assert_eq!(fleet.claim("a").await, None);
    })
    .await;
}

#[tokio::test]
async fn the_rest_of_a_batch_goes_on_without_a_dead_lettered_job() {
    on_both(async |fleet| {
        let batch = fleet.submit(4, 1).await;
        fleet.worker("a").await;
        let poison = fleet.take("a").await;
        dead_letter(fleet, &poison).await;
        let mut done = 0;
        while let Some(claimed) = fleet.claim("a").await {
            fleet.complete("a", &claimed).await.unwrap();
            done += 1;
        }
        // Three shards and the aggregation of two of them.
        assert_eq!(done, 4);
        let jobs = fleet.jobs(&batch).await;
        let count = |state| jobs.iter().filter(|job| job.state == state).count();
        assert_eq!(
            (count(JobState::DeadLettered), count(JobState::Waiting)),
            (1, 3)
        );
    })
    .await;
}

#[tokio::test]
async fn a_job_that_is_given_back_is_ready_at_once_and_does_not_count() {
    on_both(async |fleet| {
        fleet.submit(1, 1).await;
        fleet.worker("a").await;
        fleet.worker("b").await;
        for attempt in 1..=2 * i64::from(MAX_FAILURES) {
            let claimed = fleet.take("a").await;
            assert_eq!(claimed.attempt, attempt);
            fleet
                .queue
                .release(&held(&claimed), "asked to stop")
                .await
                .unwrap();
            let job = fleet.job(&claimed).await;
            assert_eq!((job.state, job.failures), (JobState::Queued, 0));
        }
        let claimed = fleet.take("a").await;
        let attempts = fleet.attempts(&claimed).await;
        assert_eq!(attempts[0].outcome, Some(Outcome::Released));
        assert_eq!(attempts[0].reason.as_deref(), Some("asked to stop"));
    })
    .await;
}

#[tokio::test]
async fn a_worker_gives_back_what_it_does_not_know_of() {
    on_both(async |fleet| {
        fleet.submit(3, 1).await;
        for worker in ["a", "b"] {
            fleet.worker(worker).await;
        }
        let known = fleet.take("a").await;
        let unknown = fleet.take("a").await;
        let other = fleet.take("b").await;
        let queue = &fleet.queue;
        queue.release_unknown("a", &[held(&known)]).await.unwrap();
        for claimed in [&known, &other] {
            assert_eq!(fleet.state(claimed).await, JobState::Running);
        }
        let job = fleet.job(&unknown).await;
        assert_eq!((job.state, job.failures), (JobState::Queued, 0));
    })
    .await;
}

#[tokio::test]
async fn all_jobs_are_taken_back_when_nobody_is_left() {
    on_both(async |fleet| {
        let batch = fleet.submit(3, 1).await;
        fleet.worker("a").await;
        fleet.work("a").await;
        fleet.take("a").await;
        fleet.take("a").await;
        assert_eq!(fleet.queue.take_all_back().await.unwrap(), 2);
        for job in fleet.jobs(&batch).await {
            assert_ne!(job.state, JobState::Running);
            assert_eq!(job.failures, 0);
        }
        fleet.take("a").await;
    })
    .await;
}

#[tokio::test]
async fn a_long_reason_is_cut_and_any_character_is_kept() {
    on_both(async |fleet| {
        fleet.submit(1, 1).await;
        fleet.worker("a").await;
        let claimed = fleet.take("a").await;
        let reason = "a NUL \0, then ".to_owned() + &"€".repeat(5_000);
        fleet
            .queue
            .fail(&held(&claimed), &reason, true)
            .await
            .unwrap();
        let kept = fleet.attempts(&claimed).await[0].reason.clone().unwrap();
        assert!(kept.starts_with("a NUL , then €€"), "{kept}");
        assert_eq!(kept.chars().count(), 4_000);
    })
    .await;
}

#[tokio::test]
async fn a_worker_that_the_database_has_not_heard_of_is_told_so() {
    on_both(async |fleet| {
        fleet.submit(1, 1).await;
        fleet.worker("a").await;
        // As in a backup that was made before it came.
        fleet.execute("DELETE FROM instances").await;
        assert_eq!(fleet.queue.heartbeat("a", LEASE).await.unwrap(), None);
        assert_eq!(fleet.claim("a").await, None);
        fleet.worker("a").await;
        let claimed = fleet.take("a").await;
        let still = fleet.queue.heartbeat("a", LEASE).await.unwrap();
        assert_eq!(still, Some(vec![held(&claimed)]));
    })
    .await;
}

#[tokio::test]
async fn signs_of_life_of_a_dismissed_worker_keep_nothing() {
    on_both(async |fleet| {
        fleet.submit(1, 1).await;
        for worker in ["a", "b"] {
            fleet.worker(worker).await;
        }
        let claimed = fleet.take("a").await;
        fleet.queue.revoke("a").await.unwrap();
        fleet.pass(Duration::from_secs(40)).await;
        let still = fleet.queue.heartbeat("a", LEASE).await.unwrap();
        assert_eq!(still, Some(Vec::new()));
        fleet.pass(Duration::from_secs(30)).await;
        assert_eq!(fleet.queue.reap().await.unwrap(), 1);
        fleet.pass(Duration::from_secs(3)).await;
        assert_eq!(fleet.take("b").await.job, claimed.job);
    })
    .await;
}
