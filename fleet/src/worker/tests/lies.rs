//! Results, witnesses and queues that are not what they should be.

use super::*;

/// A worker that hands in these bytes as the proof of the first shard, signed or not.
async fn lie(fleet: &Fleet, bytes: Vec<u8>, is_signed: bool) {
    let worker = fleet.worker("liar").await;
    worker.register_instance().await.unwrap();
    let claimed = worker.claim(MEMORY).await.unwrap().unwrap();
    assert_eq!((claimed.kind, claimed.first), (Kind::Shard, 0));
    let folder = Folder::Part { job: &claimed.job };
    let result = fleet.objects.put(folder, bytes).await.unwrap();
    let claim = Claim::Result {
        batch: &claimed.batch,
        job: &claimed.job,
        result: if is_signed {
            result
        } else {
            ObjectName::of(b"another")
        },
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

#[tokio::test(flavor = "multi_thread")]
async fn the_proof_of_another_shard_is_refuted_and_held_against_who_signed_it() {
    let (fleet, batch) = Fleet::with(&SHARDS[..2]).await;
    let other = ENGINE.prove(&SHARDS[2], |_, _| std::ops::ControlFlow::Continue(()));
    lie(&fleet, other.unwrap().to_bytes(), true).await;
    fleet.work_off("a").await;
    fleet.check_proof(&batch, &SHARDS[..2]).await;
    assert_eq!(fleet.strikes("liar").await, 1);
    let expected = [
        (Kind::Shard, 1, false),
        (Kind::Shard, 0, false),
        (Kind::Aggregate, 0, false),
        (Kind::Finish, 0, false),
    ];
    assert_eq!(fleet.done(), expected);
    // The aggregation was given back once, and what lay in the store was looked at.
    assert_eq!(
        fleet.count(|event| matches!(event, Event::GivenBack { .. })),
        1
    );
    assert_eq!(
        fleet.count(|event| matches!(event, Event::Unusable { .. })),
        1
    );
    assert_eq!(
        fleet.count(|event| matches!(event, Event::Failed { .. })),
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_for_a_proof_is_refuted() {
    let (fleet, batch) = Fleet::with(&SHARDS[..1]).await;
    lie(&fleet, b"garbage".to_vec(), true).await;
    fleet.work_off("a").await;
    fleet.check_proof(&batch, &SHARDS[..1]).await;
    assert_eq!(fleet.strikes("liar").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_is_not_signed_is_not_used() {
    let (fleet, batch) = Fleet::with(&SHARDS[..1]).await;
    let proof = ENGINE.prove(&SHARDS[0], |_, _| std::ops::ControlFlow::Continue(()));
    lie(&fleet, proof.unwrap().to_bytes(), false).await;
    fleet.work_off("a").await;
    fleet.check_proof(&batch, &SHARDS[..1]).await;
    // The proof is good all the same, and is found and signed by another.
    assert_eq!(fleet.done()[0], (Kind::Shard, 0, true));
    let jobs = fleet.jobs(&batch).await;
    let attempts = fleet.attempts(&jobs[0]).await;
    assert_eq!(attempts.len(), 2);
    assert_eq!(jobs[0].instance.as_deref(), Some("a"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_is_lost_from_the_store_is_made_again() {
    let (fleet, batch) = Fleet::with(&SHARDS[..1]).await;
    fleet.work_off("a").await;
    let jobs = fleet.jobs(&batch).await;
    for job in &jobs {
        fleet
            .objects
            .remove_all(Folder::Part { job: &job.id })
            .await
            .unwrap();
    }
    fleet.lose_proof(&batch).await;
    fleet.work_off("b").await;
    fleet.check_proof(&batch, &SHARDS[..1]).await;
    for worker in ["a", "b"] {
        assert_eq!(fleet.strikes(worker).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_witness_is_refused_with_its_reason() {
    let (fleet, batch) = Fleet::with(&SHARDS[..1]).await;
    let folder = fleet.folder.path().join("store/witness");
    let [path] = &std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect::<Vec<_>>()[..]
    else {
        panic!("not one witness");
    };
    let mut bytes = std::fs::read(path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(path, bytes).unwrap();
    fleet.execute("UPDATE batches SET max_failures = 1").await;
    fleet.work_off("a").await;
    let reason = fleet.dead_lettered(&batch).await;
    assert!(reason.contains("was altered: it hashes to"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_witness_of_another_shard_is_refused() {
    let fleet = Fleet::new().await;
    let mut names = Vec::new();
    for shard in &SHARDS[..2] {
        let bytes = shardfold_protocol::files::to_binary(shard).unwrap();
        names.push(fleet.objects.put(Folder::Witness, bytes).await.unwrap());
    }
    let swapped = [(names[1], &SHARDS[0]), (names[0], &SHARDS[1])];
    let manifest = Manifest::new(Profile::UnsoundTest, ENGINE.key().id(), &swapped).unwrap();
    let bytes = manifest.to_bytes().unwrap();
    let id = fleet.objects.put(Folder::Manifest, bytes).await.unwrap();
    let submission = crate::queue::Submission {
        id,
        manifest: &manifest,
        source: "5a",
        label: "batch.bin",
        max_failures: 1,
    };
    fleet.queue.submit(&submission).await.unwrap();
    fleet.work_off("a").await;
    let jobs = fleet.jobs(&id.to_string()).await;
    for job in &jobs[..2] {
        assert_eq!(job.state, JobState::DeadLettered);
        let reason = fleet.attempts(job).await[0].reason.clone().unwrap();
        assert_eq!(
            reason,
            "the witness is of another shard than the manifest says"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_not_as_the_manifest_says_is_refused() {
    let (fleet, batch) = Fleet::with(&SHARDS[..2]).await;
    fleet.execute("UPDATE batches SET max_failures = 1").await;
    fleet
        .execute("UPDATE jobs SET end_shard = 2 WHERE kind = 'shard' AND first_shard = 0")
        .await;
    fleet.work_off("a").await;
    let reason = fleet.dead_lettered(&batch).await;
    assert!(reason.contains("not as the manifest says"), "{reason}");
    assert_eq!(fleet.done(), [(Kind::Shard, 1, false)]);
}
