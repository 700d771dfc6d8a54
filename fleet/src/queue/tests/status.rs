//! What can be seen.

use shardfold_recursion::profile::Profile;

use super::model::BatchState;
use super::*;

#[tokio::test]
async fn a_tree_lists_shards_then_folds_from_the_leaves_up_then_the_finish() {
    on_both(async |fleet| {
        let batch = fleet.submit(5, 1).await;
        let jobs = fleet.jobs(&batch).await;
        let places: Vec<_> = jobs
            .iter()
            .map(|job| (job.kind, job.first, job.end))
            .collect();
        let expected = [
            (Kind::Shard, 0, 1),
            (Kind::Shard, 1, 2),
            (Kind::Shard, 2, 3),
            (Kind::Shard, 3, 4),
            (Kind::Shard, 4, 5),
            (Kind::Aggregate, 0, 2),
            (Kind::Aggregate, 2, 4),
            (Kind::Aggregate, 0, 4),
            (Kind::Aggregate, 0, 5),
            (Kind::Finish, 0, 5),
        ];
        assert_eq!(places, expected);
        assert_eq!(fleet.queue.tree_view("5a5a").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_job_in_work_shows_who_holds_it_since_when() {
    on_both(async |fleet| {
        fleet.submit(1, 1).await;
        fleet.worker("a").await;
        let claimed = fleet.take("a").await;
        fleet.pass(Duration::from_secs(5)).await;
        let tree = fleet
            .queue
            .tree_view(&claimed.batch)
            .await
            .unwrap()
            .unwrap();
        let job = &tree.jobs[0];
        assert_eq!(
            (job.state, job.instance.as_deref()),
            (JobState::Running, Some("a"))
        );
        let since = tree.now - job.started.unwrap();
        assert!((5_000..10_000).contains(&since), "{since}");
        let lease = job.lease.unwrap() - tree.now;
        assert!((50_000..=55_000).contains(&lease), "{lease}");
    })
    .await;
}

#[tokio::test]
async fn the_time_left_is_the_work_left_shared_by_the_workers() {
    on_both(async |fleet| {
        let measured = fleet.submit(2, 1).await;
        fleet.worker("a").await;
        let left = async |batch: &str| {
            let tree = fleet.queue.tree_view(batch).await.unwrap();
            tree.unwrap().left
        };
        assert_eq!(left(&measured).await, None);
        let expected_of = async |batch: &str, seconds: i64| {
            let found = left(batch).await.unwrap();
            assert!(
                (found - seconds * 1_000).abs() < 3_000,
                "{found}, not {seconds} s"
            );
        };
        // Two shards, an aggregation, a finish. What was not measured counts as a shard.
        for (seconds, then) in [(30, Some(90)), (10, Some(40)), (5, Some(20)), (1, None)] {
            let claimed = fleet.take("a").await;
            fleet.pass(Duration::from_secs(seconds)).await;
            fleet.complete("a", &claimed).await.unwrap();
            match then {
                Some(then) => expected_of(&measured, then).await,
                None => assert_eq!(left(&measured).await, None),
            }
        }

        let batch = fleet.submit(4, 2).await;
        let expected = async |seconds| expected_of(&batch, seconds).await;
        // 4 shards of 20 s, 3 aggregations of 5 s, a finish of 1 s.
        expected(96).await;
        fleet.worker("b").await;
        fleet.queue.heartbeat("a", LEASE).await.unwrap();
        expected(48).await;
        fleet.take("a").await;
        fleet.pass(Duration::from_secs(14)).await;
        // Half of what is left.
        expected(41).await;
        // It takes longer than the others did.
        fleet.pass(Duration::from_secs(20)).await;
        expected(38).await;
        fleet.queue.deregister_instance("a").await.unwrap();
        fleet.queue.deregister_instance("b").await.unwrap();
        assert_eq!(left(&batch).await, None);
    })
    .await;
}

#[tokio::test]
async fn the_fleet_counts_its_jobs_batches_and_rates() {
    on_both(async |fleet| {
        fleet.worker("a").await;
        let old = fleet.submit(1, 1).await;
        for _ in 0..2 {
            fleet.work("a").await;
        }
        fleet.pass(Duration::from_secs(3_700)).await;
        fleet.worker("a").await;
        let proven = fleet.submit(2, 2).await;
        for _ in 0..4 {
            fleet.work("a").await;
        }
        fleet.pass(Duration::from_secs(1)).await;
        let open = fleet.submit(3, 3).await;
        fleet.take("a").await;

        let view = fleet.queue.fleet_view(10).await.unwrap();
        let ids: Vec<_> = view.batches.iter().map(|batch| &batch.id).collect();
        assert_eq!(ids, [&open, &proven, &old]);
        let counts = |batch: usize, state: JobState| {
            let place = JobState::ALL.iter().position(|known| *known == state);
            view.batches[batch].jobs[place.unwrap()]
        };
        assert_eq!(counts(0, JobState::Waiting), 3);
        assert_eq!(counts(0, JobState::Queued), 2);
        assert_eq!(counts(0, JobState::Running), 1);
        assert_eq!(counts(1, JobState::Done), 4);
        let of_kind = |kind, state| {
            let mut counts = view.counts.iter();
            counts
                .find(|count| (count.0, count.1) == (kind, state))
                .map(|count| count.2)
        };
        assert_eq!(of_kind(Kind::Shard, JobState::Done), Some(3));
        assert_eq!(of_kind(Kind::Shard, JobState::Queued), Some(2));
        assert_eq!(of_kind(Kind::Finish, JobState::Done), Some(2));
        assert_eq!(of_kind(Kind::Finish, JobState::DeadLettered), None);
        // The first batch was proven too long ago.
        assert_eq!(view.proven_last_hour, 6);
        let done = [(Kind::Aggregate, 1), (Kind::Finish, 1), (Kind::Shard, 2)];
        assert_eq!(view.done_last_hour, done);

        let fewer = fleet.queue.fleet_view(1).await.unwrap();
        assert_eq!(fewer.batches.len(), 1);
        assert_eq!(fewer.counts, view.counts);
    })
    .await;
}

#[tokio::test]
async fn the_oldest_ready_job_is_ready_since_its_last_child_or_its_pause_ended() {
    on_both(async |fleet| {
        fleet.worker("a").await;
        let age = async || {
            let view = fleet.queue.fleet_view(1).await.unwrap();
            view.oldest_queued.map(|since| (view.now - since) / 1_000)
        };
        assert_eq!(age().await, None);
        fleet.submit(1, 1).await;
        fleet.pass(Duration::from_secs(30)).await;
        assert_eq!(age().await, Some(30));
        let shard = fleet.take("a").await;
        assert_eq!(age().await, None);
        fleet.complete("a", &shard).await.unwrap();
        fleet.pass(Duration::from_secs(20)).await;
        assert_eq!(age().await, Some(20));
        let aggregation = fleet.take("a").await;
        fleet.fail(&aggregation).await;
        assert_eq!(age().await, None);
        fleet.pass(Duration::from_secs(12)).await;
        assert_eq!(age().await, Some(10));
    })
    .await;
}

#[tokio::test]
async fn workers_their_processes_and_what_went_wrong_are_shown() {
    on_both(async |fleet| {
        fleet.worker("gone").await;
        fleet.pass(Duration::from_secs(3_700)).await;
        fleet
            .worker_with("a", &[Kind::Shard, Kind::Aggregate], 5_000)
            .await;
        fleet.worker("b").await;
        fleet.submit(2, 1).await;
        fleet.work("a").await;
        let failed = fleet.take("a").await;
        fleet.fail(&failed).await;
        fleet.queue.deregister_instance("b").await.unwrap();

        let view = fleet.queue.fleet_view(1).await.unwrap();
        let names: Vec<_> = view.workers.iter().map(|worker| &worker.name).collect();
        assert_eq!(names, ["a", "b", "gone"]);
        assert_eq!(
            view.workers[0].public_key,
            fleet.key("a").public().to_string()
        );
        let [a, b] = &view.instances[..] else {
            panic!("{:?}", view.instances);
        };
        assert_eq!(
            (a.id.as_str(), a.worker.as_str(), a.host.as_str()),
            ("a", "a", "here")
        );
        assert_eq!(a.kinds, [Kind::Shard, Kind::Aggregate]);
        assert_eq!((a.slots, a.memory), (1, 5_000));
        assert_eq!((a.done, a.failed, a.left), (1, 1, None));
        assert_eq!((b.done, b.failed, b.left.is_some()), (0, 0, true));
        let [failure] = &view.failures[..] else {
            panic!("{:?}", view.failures);
        };
        assert_eq!((&failure.job, failure.attempt), (&failed.job, 1));
        assert_eq!(failure.reason.as_deref(), Some("it went wrong"));
    })
    .await;
}

#[tokio::test]
async fn times_are_shown_by_circuits_kind_and_size() {
    on_both(async |fleet| {
        fleet.submit(2, 1).await;
        fleet.worker("a").await;
        for seconds in [30, 10, 5] {
            let claimed = fleet.take("a").await;
            fleet.pass(Duration::from_secs(seconds)).await;
            fleet.complete("a", &claimed).await.unwrap();
        }
        let view = fleet.queue.fleet_view(1).await.unwrap();
        let [aggregation, shard] = &view.timings[..] else {
            panic!("{:?}", view.timings);
        };
        assert_eq!(
            (aggregation.kind, aggregation.size, aggregation.count),
            (Kind::Aggregate, 0, 1)
        );
        assert_eq!((shard.kind, shard.size, shard.count), (Kind::Shard, 4, 2));
        assert_eq!(shard.circuits, hex::encode(batch::CIRCUITS));
        assert!((20_000.0..22_000.0).contains(&shard.mean), "{}", shard.mean);
        assert!(
            (30_000..32_000).contains(&shard.longest),
            "{}",
            shard.longest
        );
    })
    .await;
}

#[tokio::test]
async fn a_job_is_explained_by_the_start_of_its_id() {
    on_both(async |fleet| {
        let batch = fleet.submit(2, 1).await;
        fleet.worker("a").await;
        let shard = fleet.take("a").await;
        fleet.fail(&shard).await;
        let aggregation = fleet.only(&batch, Kind::Aggregate).await;
        let explained = fleet.queue.explain(&aggregation.id[..12]).await.unwrap();
        assert_eq!(
            (explained.job, explained.batch.id),
            (aggregation, batch.clone())
        );
        let children: Vec<_> = explained.children.iter().map(|child| child.first).collect();
        assert_eq!(children, [0, 1]);
        assert_eq!(explained.attempts, []);
        assert_eq!(explained.instances.len(), 1);

        let explained = fleet.queue.explain(&shard.job).await.unwrap();
        assert_eq!(explained.children, []);
        assert_eq!(explained.attempts, fleet.attempts(&shard).await);

        let ambiguous = fleet.queue.explain("").await.unwrap_err();
        assert!(
            matches!(ambiguous, QueueError::Ambiguous { count: 4, .. }),
            "{ambiguous}"
        );
        let unknown = fleet.queue.explain("x").await.unwrap_err();
        assert!(matches!(unknown, QueueError::Unknown { .. }), "{unknown}");
    })
    .await;
}

#[tokio::test]
async fn a_job_of_two_batches_is_explained_in_the_later_one() {
    on_both(async |fleet| {
        let first = batch::manifest(2, 1);
        let (_, witnesses) = (fleet.submit_manifest(&first).await, batch::outline(1, 1));
        fleet.pass(Duration::from_secs(1)).await;
        // The first shard alone.
        let shards = [(batch::name(0, 1), &witnesses[0])];
        let alone = Manifest::new(Profile::UnsoundTest, batch::CIRCUITS, &shards).unwrap();
        let (later, _) = fleet.submit_manifest(&alone).await;
        let job = hex::encode(alone.jobs(2)[0].id);
        assert_eq!(job, hex::encode(first.jobs(2)[0].id));
        let explained = fleet.queue.explain(&job).await.unwrap();
        assert_eq!(
            (&explained.batch.id, explained.batch.state),
            (&later, BatchState::Open)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_of_one_moment() {
    on_both(async |fleet| {
        fleet.worker("a").await;
        let batch = fleet.submit(40, 1).await;
        let (queue, id) = (fleet.queue.clone(), batch.clone());
        let looking = tokio::spawn(async move {
            loop {
                let tree = queue.tree_view(&id).await.unwrap().unwrap();
                let listed = JobState::ALL.map(|state| {
                    let jobs = tree.jobs.iter().filter(|job| job.state == state);
                    jobs.count() as u64
                });
                assert_eq!(listed, tree.batch.jobs);
                if tree.batch.state == BatchState::Proven {
                    break;
                }
            }
        });
        while let Some(claimed) = fleet.claim("a").await {
            fleet.complete("a", &claimed).await.unwrap();
        }
        looking.await.unwrap();
    })
    .await;
}
