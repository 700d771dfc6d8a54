//! Who may work, and how much at once.

use super::*;
use crate::testing::batch;

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_not_enrolled_or_was_dismissed_is_refused() {
    let (fleet, batch) = Fleet::with(&SHARDS[..1]).await;
    let key = WorkerKey::generate().unwrap();
    let public_key = key.public();
    let worker = fleet.unregistered("a", key, options(), |_| {});
    let refused = fleet.run(&worker).await.unwrap_err();
    let is_expected = matches!(refused, WorkerError::Queue(QueueError::NotEnrolled { .. }));
    assert!(is_expected, "{refused}");
    fleet.queue.register("a", &public_key).await.unwrap();
    fleet.queue.revoke("a").await.unwrap();
    let refused = fleet.run(&worker).await.unwrap_err();
    let is_expected = matches!(refused, WorkerError::Queue(QueueError::Revoked { .. }));
    assert!(is_expected, "{refused}");
    assert!(fleet.jobs(&batch).await.iter().all(|job| job.attempt == 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_with_other_circuits_is_refused_also_if_it_came_first() {
    let fleet = Fleet::new().await;
    let options = Options {
        until_idle: false,
        ..options()
    };
    let worker = fleet.registered("a", options, |_| {}).await;
    let submitting = async {
        while fleet
            .queue
            .fleet_view(1)
            .await
            .unwrap()
            .instances
            .is_empty()
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let manifest = batch::manifest(1, 1);
        let submission = crate::queue::Submission {
            id: ObjectName::of(b"the batch"),
            manifest: &manifest,
            source: "5a",
            label: "batch.bin",
            max_failures: 1,
        };
        fleet.queue.submit(&submission).await.unwrap();
    };
    let (refused, ()) = tokio::join!(fleet.run(&worker), submitting);
    let refused = [refused.unwrap_err(), fleet.run(&worker).await.unwrap_err()];
    for refused in refused {
        let is_expected = matches!(
            refused,
            WorkerError::Queue(QueueError::OtherCircuits { .. })
        );
        assert!(is_expected, "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_do_not_fit_together_are_done_one_after_the_other() {
    let needed = batch::manifest(1, 1).jobs(2)[0].memory;
    for (memory, at_once) in [(needed * 3 / 2, 1), (2 * needed, 2)] {
        let (fleet, batch) = Fleet::with(&SHARDS).await;
        let options = Options {
            jobs: 3,
            memory,
            ..options()
        };
        let worker = fleet.registered("a", options, |_| {}).await;
        fleet.run(&worker).await.unwrap();
        fleet.check_proof(&batch, &SHARDS).await;
        let (mut running, mut most) = (0, 0);
        for event in &*fleet.events.lock().unwrap() {
            let is_shard = |work: &Work| work.kind == Kind::Shard;
            match event {
                Event::Started(work) if is_shard(work) => running += 1,
                Event::Done { work, .. } if is_shard(work) => running -= 1,
                _ => {}
            }
            most = most.max(running);
        }
        assert_eq!(most, at_once);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_share_a_batch() {
    let (fleet, batch) = Fleet::with(&SHARDS).await;
    let (a, b) = (fleet.worker("a").await, fleet.worker("b").await);
    let (a, b) = tokio::join!(fleet.run(&a), fleet.run(&b));
    a.unwrap();
    b.unwrap();
    fleet.check_proof(&batch, &SHARDS).await;
    let jobs = fleet.jobs(&batch).await;
    assert!(jobs.iter().all(|job| job.attempt == 1));
    for worker in ["a", "b"] {
        let of_it = |job: &&JobView| job.instance.as_deref() == Some(worker);
        assert!(
            jobs.iter().filter(of_it).count() > 0,
            "{worker} did nothing"
        );
    }
}
