//! What goes wrong on the way.

use std::fs;
use std::sync::mpsc;

use super::*;

/// Whether an event is the first stage of the first shard.
fn is_first_stage(event: &Event) -> bool {
    matches!(event, Event::Stage { work, stage: Stage::Traces, .. } if work.first == 0)
}

fn short() -> Options {
    Options {
        lease: SHORT,
        ..options()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_while_proving_is_a_failure_with_its_message() {
    let (fleet, batch) = Fleet::with(&SHARDS[..2]).await;
    fleet.execute("UPDATE batches SET max_failures = 1").await;
    let worker = fleet.watched("a", |event| {
        assert!(!is_first_stage(event), "a broken rule")
    });
    fleet.run(&worker.await).await.unwrap();
    assert_eq!(
        fleet.dead_lettered(&batch).await,
        "proving panicked: a broken rule"
    );
    // The worker goes on.
    assert_eq!(fleet.done(), [(Kind::Shard, 1, false)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_stored_but_not_handed_in_is_found() {
    let (fleet, batch) = Fleet::with(&SHARDS).await;
    fleet.work_off("a").await;
    // As if the queue had never heard of it.
    fleet.lose_proof(&batch).await;
    fleet.execute("DELETE FROM attempts").await;
    fleet
        .execute(
            "UPDATE jobs SET state = CASE kind WHEN 'shard' THEN 'queued' ELSE 'waiting' END,
                missing = CASE kind WHEN 'shard' THEN 0 WHEN 'aggregate' THEN 2 ELSE 1 END,
                attempt = 0, result = NULL, signer = NULL, signature = NULL, took = NULL",
        )
        .await;
    fleet.events.lock().unwrap().clear();
    fleet.work_off("b").await;
    fleet.check_proof(&batch, &SHARDS).await;
    let expected = [
        (Kind::Shard, 0, true),
        (Kind::Shard, 1, true),
        (Kind::Aggregate, 0, true),
        (Kind::Shard, 2, true),
        (Kind::Aggregate, 0, true),
        (Kind::Finish, 0, false),
    ];
    assert_eq!(fleet.done(), expected);
    // What was found was not measured.
    assert!(
        fleet.jobs(&batch).await[..5]
            .iter()
            .all(|job| job.took.is_none())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn work_ends_when_the_job_is_lost() {
    let (fleet, batch) = Fleet::with(&SHARDS[..1]).await;
    let (go_on, wait) = mpsc::channel();
    let (at_stage, mut is_at_stage) = watch::channel(false);
    let wait = Mutex::new(wait);
    let worker = fleet.registered("a", short(), move |event| {
        if is_first_stage(event) {
            at_stage.send_replace(true);
            wait.lock().unwrap().recv().unwrap();
        }
    });
    let worker = worker.await;
    let running = fleet.run(&worker);
    let losing = async {
        is_at_stage.wait_for(|is_there| *is_there).await.unwrap();
        fleet.queue.cancel(&batch).await.unwrap();
        // The second sign of life from now on comes after an answer without the job.
        for _ in 0..2 {
            next_sign_of_life(&fleet).await;
        }
        go_on.send(()).unwrap();
    };
    let (ran, ()) = tokio::join!(running, losing);
    ran.unwrap();
    let given_back = |event: &Event| {
        matches!(event, Event::GivenBack { reason, .. }
            if reason == "somebody else has the job now")
    };
    assert_eq!(fleet.count(given_back), 1);
    // The STARK was not begun.
    assert_eq!(fleet.count(|event| matches!(event, Event::Stage { .. })), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_a_restored_database_has_not_heard_of_says_hello_again() {
    let (fleet, batch) = Fleet::with(&SHARDS[..1]).await;
    let (go_on, wait) = mpsc::channel();
    let (at_stage, mut is_at_stage) = watch::channel(false);
    let wait = Mutex::new(wait);
    let worker = fleet.registered("a", short(), move |event| {
        if is_first_stage(event) && !at_stage.send_replace(true) {
            wait.lock().unwrap().recv().unwrap();
        }
    });
    let worker = worker.await;
    let running = fleet.run(&worker);
    let restoring = async {
        is_at_stage.wait_for(|is_there| *is_there).await.unwrap();
        fleet.execute("DELETE FROM instances").await;
        while !worker.context.is_forgotten.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        go_on.send(()).unwrap();
    };
    let (ran, ()) = tokio::join!(running, restoring);
    ran.unwrap();
    fleet.check_proof(&batch, &SHARDS[..1]).await;
    // What it had at hand was not proven again.
    assert_eq!(fleet.done()[0], (Kind::Shard, 0, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_of_a_batch_that_was_forgotten_meanwhile_is_removed() {
    let (fleet, batch) = Fleet::with(&SHARDS[..1]).await;
    let (go_on, wait) = mpsc::channel();
    let (at_stage, mut is_at_stage) = watch::channel(false);
    let wait = Mutex::new(wait);
    // It does not hear of it before the job is done.
    let options = Options {
        lease: Duration::from_secs(600),
        ..options()
    };
    let worker = fleet.registered("a", options, move |event| {
        if is_first_stage(event) {
            at_stage.send_replace(true);
            wait.lock().unwrap().recv().unwrap();
        }
    });
    let worker = worker.await;
    let running = fleet.run(&worker);
    let deleting = async {
        is_at_stage.wait_for(|is_there| *is_there).await.unwrap();
        fleet.queue.cancel(&batch).await.unwrap();
        submit::delete(&fleet.queue, &fleet.objects, &batch)
            .await
            .unwrap();
        go_on.send(()).unwrap();
    };
    let (ran, ()) = tokio::join!(running, deleting);
    ran.unwrap();
    let given_back = |event: &Event| matches!(event, Event::GivenBack { reason, .. } if reason == "the batch is there no more");
    assert_eq!(fleet.count(given_back), 1);
    let parts = fleet.folder.path().join("store/part");
    let jobs = fs::read_dir(parts).into_iter().flatten();
    let left = jobs.flat_map(|job| fs::read_dir(job.unwrap().path()).unwrap());
    assert_eq!(left.count(), 0);
}

/// Waits for the next sign of life of the only worker process.
async fn next_sign_of_life(fleet: &Fleet) {
    let seen = async || fleet.queue.fleet_view(1).await.unwrap().instances[0].seen;
    let before = seen().await;
    while seen().await == before {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_worker_keeps_its_job_longer_than_a_lease() {
    let (fleet, batch) = Fleet::with(&SHARDS[..1]).await;
    let options = Options {
        lease: Duration::from_secs(1),
        ..options()
    };
    let slow = fleet.registered("a", options.clone(), move |event| {
        if is_first_stage(event) {
            std::thread::sleep(Duration::from_secs(3));
        }
    });
    let (slow, idle) = (slow.await, fleet.registered("b", options, |_| {}).await);
    // The other one takes what is lost.
    let (slow, idle) = tokio::join!(fleet.run(&slow), fleet.run(&idle));
    slow.unwrap();
    idle.unwrap();
    fleet.check_proof(&batch, &SHARDS[..1]).await;
    for job in fleet.jobs(&batch).await {
        assert_eq!((job.attempt, job.failures), (1, 0), "{job:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_a_worker_that_is_gone_is_taken_by_another() {
    let (fleet, batch) = Fleet::with(&SHARDS[..1]).await;
    let gone = fleet.registered("gone", short(), |_| {}).await;
    gone.register_instance().await.unwrap();
    gone.claim(MEMORY).await.unwrap().unwrap();
    let other = fleet.registered("a", short(), |_| {}).await;
    fleet.run(&other).await.unwrap();
    fleet.check_proof(&batch, &SHARDS[..1]).await;
    let jobs = fleet.jobs(&batch).await;
    let attempts = fleet.attempts(&jobs[0]).await;
    let reason = attempts[0].reason.as_deref();
    assert_eq!(reason, Some("gone was not heard of any more"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_waits_for_a_store_that_is_away() {
    let (fleet, batch) = Fleet::with(&SHARDS[..1]).await;
    let (store, away) = (
        fleet.folder.path().join("store"),
        fleet.folder.path().join("away"),
    );
    fs::rename(&store, &away).unwrap();
    let worker = fleet.watched("a", move |event| {
        if matches!(event, Event::Waiting { .. }) {
            fs::rename(&away, &store).unwrap();
        }
    });
    fleet.run(&worker.await).await.unwrap();
    fleet.check_proof(&batch, &SHARDS[..1]).await;
    assert_eq!(
        fleet.count(|event| matches!(event, Event::Waiting { .. })),
        1
    );
    assert_eq!(
        fleet.count(|event| matches!(event, Event::Failed { .. })),
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_stays_away_ends_the_attempt_and_is_not_held_against_the_job() {
    let (fleet, batch) = Fleet::with(&SHARDS[..1]).await;
    fleet.execute("UPDATE batches SET max_failures = 1").await;
    let (store, away) = (
        fleet.folder.path().join("store"),
        fleet.folder.path().join("away"),
    );
    fs::rename(&store, &away).unwrap();
    let options = Options {
        store_retry: Duration::from_millis(200),
        ..options()
    };
    let worker = fleet.registered("a", options, move |event| {
        if matches!(event, Event::Failed { .. }) {
            fs::rename(&away, &store).unwrap();
        }
    });
    fleet.run(&worker.await).await.unwrap();
    fleet.check_proof(&batch, &SHARDS[..1]).await;
    let jobs = fleet.jobs(&batch).await;
    assert_eq!((jobs[0].attempt, jobs[0].failures), (2, 0));
    let attempts = fleet.attempts(&jobs[0]).await;
    let reason = attempts[0].reason.as_deref().unwrap();
    assert!(reason.contains("cannot be used"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_asked_to_stop_gives_back_what_it_holds() {
    let (fleet, batch) = Fleet::with(&SHARDS).await;
    let (stop, stopped) = watch::channel(false);
    let worker = fleet.watched("a", move |event| {
        if is_first_stage(event) {
            stop.send_replace(true);
        }
    });
    worker.await.run(stopped).await.unwrap();
    assert_eq!(fleet.done(), []);
    let jobs = fleet.jobs(&batch).await;
    assert_eq!((jobs[0].state, jobs[0].failures), (JobState::Queued, 0));
    let attempts = fleet.attempts(&jobs[0]).await;
    assert_eq!(attempts[0].reason.as_deref(), Some("the worker left"));
    assert!(jobs[1..].iter().all(|job| job.attempt == 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_may_drain_ends_the_job_at_hand() {
    let (fleet, batch) = Fleet::with(&SHARDS).await;
    let options = Options {
        drain: Duration::from_secs(60),
        ..options()
    };
    let (stop, stopped) = watch::channel(false);
    let worker = fleet.registered("a", options, move |event| {
        if is_first_stage(event) {
            stop.send_replace(true);
        }
    });
    worker.await.run(stopped).await.unwrap();
    assert_eq!(fleet.done(), [(Kind::Shard, 0, false)]);
    assert!(
        fleet.jobs(&batch).await[1..]
            .iter()
            .all(|job| job.attempt == 0)
    );
}
