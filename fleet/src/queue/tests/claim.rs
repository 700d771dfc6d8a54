//! Which job a worker gets.

use std::collections::HashSet;

use super::*;

/// Kinds and first shards of the jobs that a worker does until there is none.
async fn work_off(fleet: &Fleet, worker: &str) -> Vec<(Kind, usize)> {
    let mut done = Vec::new();
    while let Some(claimed) = fleet.claim(worker).await {
        fleet.complete(worker, &claimed).await.unwrap();
        done.push((claimed.kind, claimed.first));
    }
    done
}

#[tokio::test]
async fn whatever_finishes_something_goes_before_new_shards() {
    on_both(async |fleet| {
        fleet.submit(4, 1).await;
        fleet.worker("a").await;
        let expected = [
            (Kind::Shard, 0),
            (Kind::Shard, 1),
            (Kind::Aggregate, 0),
            (Kind::Shard, 2),
            (Kind::Shard, 3),
            (Kind::Aggregate, 2),
            (Kind::Aggregate, 0),
            (Kind::Finish, 0),
        ];
        assert_eq!(work_off(fleet, "a").await, expected);
    })
    .await;
}

#[tokio::test]
async fn earlier_batches_go_before_later_ones_but_a_finish_before_all() {
    on_both(async |fleet| {
        fleet.worker("a").await;
        let first = fleet.submit(2, 1).await;
        fleet.pass(Duration::from_secs(1)).await;
        let second = fleet.submit(1, 2).await;
        // One shard of each is in work, then the second batch's finish is ready.
        assert_eq!(fleet.take("a").await.batch, first);
        assert_eq!(fleet.take("a").await.batch, first);
        let shard = fleet.take("a").await;
        assert_eq!(shard.batch, second);
        fleet.pass(Duration::from_secs(1)).await;
        let third = fleet.submit(1, 3).await;
        fleet.complete("a", &shard).await.unwrap();
        let finish = fleet.take("a").await;
        assert_eq!((finish.batch, finish.kind), (second, Kind::Finish));
        assert_eq!(fleet.take("a").await.batch, third);
        assert_eq!(fleet.claim("a").await, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_workers_one_gets_each_job() {
    on_both(async |fleet| {
        let batch = fleet.submit(12, 1).await;
        for worker in 0..16 {
            fleet.worker(&worker.to_string()).await;
        }
        let claim = |worker: usize| {
            let queue = fleet.queue.clone();
            tokio::spawn(async move {
                let worker = worker.to_string();
                let claimed = queue.claim(&worker, &wanted(&Kind::ALL), LEASE).await;
                claimed.unwrap().map(|claimed| (worker, claimed))
            })
        };
        let claims: Vec<_> = (0..16).map(claim).collect();
        let mut jobs = HashSet::new();
        for claim in claims {
            if let Some((worker, claimed)) = claim.await.unwrap() {
                let job = fleet.job(&claimed).await;
                assert_eq!(job.instance.as_deref(), Some(worker.as_str()));
                assert_eq!((job.state, job.attempt), (JobState::Running, 1));
                assert!(jobs.insert(claimed.job), "claimed twice");
            }
        }
        // Who came to a locked job passed it over, and may have found nothing at the end.
        assert!(!jobs.is_empty() && jobs.len() <= 12);
        while let Some(claimed) = fleet.claim("0").await {
            assert!(jobs.insert(claimed.job), "claimed twice");
        }
        assert_eq!(jobs.len(), 12);
        let running = fleet.jobs(&batch).await;
        let running = running.iter().filter(|job| job.state == JobState::Running);
        assert_eq!(running.count(), 12);
    })
    .await;
}

#[tokio::test]
async fn a_worker_gets_only_the_kinds_that_it_takes_and_what_fits() {
    on_both(async |fleet| {
        fleet.submit(1, 1).await;
        fleet.worker("a").await;
        let shard = batch::manifest(1, 1).jobs(2)[0].memory;
        let queue = &fleet.queue;
        for (kinds, memory) in [
            (&[] as &[Kind], MEMORY),
            (&[Kind::Aggregate, Kind::Finish], MEMORY),
            (&Kind::ALL, shard - 1),
        ] {
            let wanted = Wanted {
                memory,
                ..wanted(kinds)
            };
            let claimed = queue.claim("a", &wanted, LEASE).await.unwrap();
            assert_eq!(claimed, None, "{kinds:?} {memory}");
        }
        let wanted = Wanted {
            memory: shard,
            ..wanted(&[Kind::Shard])
        };
        let claimed = queue.claim("a", &wanted, LEASE).await.unwrap();
        let claimed = claimed.unwrap();
        assert_eq!((claimed.kind, claimed.memory), (Kind::Shard, shard));
    })
    .await;
}

#[tokio::test]
async fn a_worker_of_one_batch_leaves_those_of_others_alone() {
    on_both(async |fleet| {
        let first = fleet.submit(1, 1).await;
        let own = fleet.submit(1, 2).await;
        fleet.worker("a").await;
        let circuits = hex::encode(batch::CIRCUITS);
        let wanted = Wanted {
            batch: Some(&own),
            ..wanted(&Kind::ALL)
        };
        let queue = &fleet.queue;
        for _ in 0..2 {
            assert!(!queue.is_idle(&circuits, Some(&own)).await.unwrap());
            let claimed = queue.claim("a", &wanted, LEASE).await.unwrap().unwrap();
            assert_eq!(claimed.batch, own);
            fleet.complete("a", &claimed).await.unwrap();
        }
        assert_eq!(queue.claim("a", &wanted, LEASE).await.unwrap(), None);
        assert!(queue.is_idle(&circuits, Some(&own)).await.unwrap());
        assert!(!queue.is_idle(&circuits, None).await.unwrap());
        assert_eq!(fleet.take("a").await.batch, first);
    })
    .await;
}

#[tokio::test]
async fn nobody_but_a_presented_worker_with_these_circuits_gets_a_job() {
    on_both(async |fleet| {
        let others = "ab".repeat(32);
        for worker in ["others", "revoked", "struck"] {
            fleet.register(worker).await;
        }
        // Before the first batch any circuits will do.
        let registration = fleet
            .register_instance("others", &Kind::ALL, MEMORY, &others)
            .await;
        registration.unwrap();
        fleet.submit(1, 1).await;
        fleet.worker("revoked").await;
        fleet.queue.revoke("revoked").await.unwrap();
        fleet.worker("struck").await;
        fleet
            .execute("UPDATE workers SET strikes = 3 WHERE name = 'struck'")
            .await;
        for worker in ["nobody", "others", "revoked", "struck"] {
            assert_eq!(fleet.claim(worker).await, None, "{worker}");
        }
        fleet.worker("a").await;
        fleet.take("a").await;
    })
    .await;
}

#[tokio::test]
async fn a_failed_job_goes_to_another_worker_first() {
    on_both(async |fleet| {
        fleet.submit(1, 1).await;
        for worker in ["a", "b"] {
            fleet.worker(worker).await;
        }
        let failed = fleet.take("a").await;
        fleet.fail(&failed).await;
        fleet.pass(Duration::from_secs(10)).await;
        assert_eq!(fleet.claim("a").await, None);
        let again = fleet.take("b").await;
        assert_eq!((&again.job, again.attempt), (&failed.job, 2));
        // When both have failed, both may.
        fleet.fail(&again).await;
        fleet.pass(Duration::from_secs(10)).await;
        fleet.take("a").await;
    })
    .await;
}

#[tokio::test]
async fn a_failed_job_goes_to_the_same_worker_if_no_other_could_take_it() {
    on_both(async |fleet| {
        fleet.worker("a").await;
        fleet.worker_with("small", &Kind::ALL, 1).await;
        fleet
            .worker_with("aggregations", &[Kind::Aggregate, Kind::Finish], MEMORY)
            .await;
        for worker in ["gone", "silent", "revoked", "struck"] {
            fleet.worker(worker).await;
        }
        fleet.queue.deregister_instance("gone").await.unwrap();
        fleet.queue.revoke("revoked").await.unwrap();
        fleet
            .execute("UPDATE workers SET strikes = 3 WHERE name = 'struck'")
            .await;
        fleet
            .execute("UPDATE instances SET seen = seen - 200000 WHERE id = 'silent'")
            .await;
        fleet.submit(1, 1).await;
        let failed = fleet.take("a").await;
        fleet.fail(&failed).await;
        fleet.pass(Duration::from_secs(10)).await;
        assert_eq!(fleet.take("a").await.job, failed.job);
    })
    .await;
}

#[tokio::test]
async fn a_deadline_is_an_hour_until_such_a_job_was_measured() {
    on_both(async |fleet| {
        fleet.submit(4, 1).await;
        fleet.worker("a").await;
        let first = fleet.take("a").await;
        assert_near(allowed(&fleet.job(&first).await), 3_600_000);
        fleet.pass(Duration::from_secs(7)).await;
        fleet.complete("a", &first).await.unwrap();
        let took = fleet.job(&first).await.took.unwrap();
        assert!((7_000..10_000).contains(&took), "{took}");

        let second = fleet.take("a").await;
        assert_near(allowed(&fleet.job(&second).await), 10 * took + 300_000);
        // A shorter one does not shorten it, and other kinds have their own.
        fleet.complete("a", &second).await.unwrap();
        let aggregation = fleet.take("a").await;
        assert_eq!(aggregation.kind, Kind::Aggregate);
        assert_near(allowed(&fleet.job(&aggregation).await), 3_600_000);
        let third = fleet.take("a").await;
        assert_near(allowed(&fleet.job(&third).await), 10 * took + 300_000);
    })
    .await;
}

#[tokio::test]
async fn a_deadline_follows_the_last_twenty_jobs() {
    on_both(async |fleet| {
        fleet.submit(22, 1).await;
        fleet.worker("a").await;
        let shards = [Kind::Shard];
        for shard in 0..21 {
            let claimed = fleet
                .queue
                .claim("a", &wanted(&shards), LEASE)
                .await
                .unwrap();
            let claimed = claimed.unwrap();
            // The first one takes long.
            let time = if shard == 0 { 1_000 } else { 1 };
            fleet.pass(Duration::from_secs(time)).await;
            fleet.complete("a", &claimed).await.unwrap();
        }
        let last = fleet
            .queue
            .claim("a", &wanted(&shards), LEASE)
            .await
            .unwrap();
        let allowed = allowed(&fleet.job(&last.unwrap()).await);
        assert!((310_000..330_000).contains(&allowed), "{allowed}");
    })
    .await;
}

/// How long a running job may take, in milliseconds.
fn allowed(job: &JobView) -> i64 {
    job.deadline.unwrap() - job.started.unwrap()
}

/// PostgreSQL looks at the clock for each column.
fn assert_near(found: i64, expected: i64) {
    assert!((found - expected).abs() < 100, "{found}, not {expected}");
}
