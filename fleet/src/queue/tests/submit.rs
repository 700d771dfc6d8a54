//! Batches become jobs.

use super::model::BatchState;
use super::*;

#[tokio::test]
async fn a_batch_is_put_into_the_queue_as_its_manifest_says() {
    on_both(async |fleet| {
        for manifest in [batch::manifest(3, 1), batch::settled_manifest(3, 1)] {
            check_submitted(fleet, &manifest).await;
        }
    })
    .await;
}

async fn check_submitted(fleet: &Fleet, manifest: &Manifest) {
    let (id, _) = fleet.submit_manifest(manifest).await;
    let tree = fleet.queue.tree_view(&id).await.unwrap().unwrap();
    assert_eq!(tree.batch.state, BatchState::Open);
    assert_eq!((tree.batch.shards, tree.batch.transactions), (3, 9));
    assert_eq!(tree.batch.circuits, manifest.circuits());
    let planned = manifest.jobs(2);
    assert_eq!(tree.jobs.len(), planned.len());
    for job in planned {
        let found = tree
            .jobs
            .iter()
            .find(|found| found.id == hex::encode(job.id));
        let found = found.unwrap();
        assert_eq!(found.kind, job.kind);
        assert_eq!((found.first, found.end), (job.first as u64, job.end as u64));
        assert_eq!((found.size, found.memory), (job.size, job.memory));
        assert_eq!(found.parent, job.parent.map(hex::encode));
        assert_eq!(found.input, job.input.map(|input| input.to_string()));
        let state = match job.kind {
            Kind::Shard => JobState::Queued,
            Kind::Aggregate | Kind::Finish | Kind::Wrap => JobState::Waiting,
        };
        assert_eq!(found.state, state);
    }
}

#[tokio::test]
async fn a_batch_that_is_submitted_again_stays_as_it_is() {
    on_both(async |fleet| {
        let manifest = batch::manifest(2, 1);
        let (id, _) = fleet.submit_manifest(&manifest).await;
        fleet.worker("a").await;
        fleet.work("a").await;
        fleet.take("a").await;
        let before = fleet.jobs(&id).await;
        let again = fleet.submit_manifest(&manifest).await;
        assert_eq!(again, (id.clone(), Submitted::Known(BatchState::Open)));
        assert_eq!(fleet.jobs(&id).await, before);
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_batch_that_is_submitted_again_goes_on() {
    on_both(async |fleet| {
        let manifest = batch::manifest(2, 1);
        let (id, _) = fleet.submit_manifest(&manifest).await;
        fleet.worker("a").await;
        let done = fleet.work("a").await;
        fleet.queue.cancel(&id).await.unwrap();
        assert_eq!(fleet.claim("a").await, None);
        let (_, again) = fleet.submit_manifest(&manifest).await;
        assert_eq!(again, Submitted::Known(BatchState::Cancelled));
        assert_eq!(fleet.state(&done).await, JobState::Done);
        let kinds = [Kind::Shard, Kind::Aggregate, Kind::Finish];
        for kind in kinds {
            assert_eq!(fleet.work("a").await.kind, kind);
        }
        let tree = fleet.queue.tree_view(&id).await.unwrap().unwrap();
        assert_eq!(tree.batch.state, BatchState::Proven);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_submitters_of_one_batch_one_puts_its_jobs_into_the_queue() {
    on_both(async |fleet| {
        let submit = || {
            let queue = fleet.queue.clone();
            tokio::spawn(async move {
                let manifest = batch::manifest(5, 1);
                let submission = Submission {
                    id: ObjectName::of(b"the batch"),
                    manifest: &manifest,
                    source: SOURCE,
                    label: "batch.bin",
                    max_failures: MAX_FAILURES,
                };
                queue.submit(&submission).await.unwrap()
            })
        };
        let submitting: Vec<_> = (0..8).map(|_| submit()).collect();
        let mut new = 0;
        for submitted in submitting {
            new += u32::from(submitted.await.unwrap() == Submitted::New);
        }
        assert_eq!(new, 1);
        let jobs = fleet.jobs(&ObjectName::of(b"the batch").to_string()).await;
        assert_eq!(jobs.len(), batch::manifest(5, 1).jobs(2).len());
    })
    .await;
}

#[tokio::test]
async fn the_batches_of_a_file_are_found_the_latest_first() {
    on_both(async |fleet| {
        let first = fleet.submit(1, 1).await;
        fleet.queue.cancel(&first).await.unwrap();
        fleet.pass(Duration::from_secs(1)).await;
        let second = fleet.submit(1, 2).await;
        let found = fleet
            .queue
            .batches_of(SOURCE, "unsound-test")
            .await
            .unwrap();
        assert_eq!(
            found,
            [(second, BatchState::Open), (first, BatchState::Cancelled)]
        );
        for (source, profile) in [("5b", "unsound-test"), (SOURCE, "proven-100")] {
            let none = fleet.queue.batches_of(source, profile).await.unwrap();
            assert_eq!(none, []);
        }
    })
    .await;
}
