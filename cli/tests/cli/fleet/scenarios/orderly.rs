//! Workers that are asked to stop, submitters that come at once, clocks that are wrong.

use std::fs;
use std::path::PathBuf;

use rustix::process::Signal;

use super::{FOUR_SHARDS, TWO_SHARDS, end, is, is_stage, jobs, outcomes};
use crate::common::PROFILE;
use crate::fleet::harness::Fleet;
use crate::fleet::process::Process;
use crate::fleet::time::is_full;

#[test]
fn a_worker_that_is_asked_to_stop_ends_its_job_or_gives_it_back() {
    let fleet = Fleet::new(TWO_SHARDS);
    let batch = fleet.submit();
    let proving = |event: &serde_json::Value| is_stage(event, "traces");

    let mut drained = fleet.worker("drained", fleet.ports());
    let shard = drained.wait_for_event("a shard", proving);
    drained.signal(Signal::TERM);
    assert!(drained.wait().success());
    assert!(
        drained
            .events()
            .iter()
            .any(|event| is(event, "done") && event["job"] == shard["job"])
    );
    let once = [("done".to_owned(), 1)];
    assert_eq!(outcomes(&fleet, &batch), once.into());

    let mut hurried = fleet.worker_with("hurried", fleet.ports(), &["--drain", "0"]);
    let shard = hurried.wait_for_event("a shard", proving);
    hurried.signal(Signal::TERM);
    assert!(hurried.wait().success());
    assert!(!hurried.events().iter().any(|event| is(event, "done")));
    let tree = fleet.status(&batch);
    let mut jobs = jobs(&tree).iter();
    let job = jobs.find(|job| job["id"] == shard["job"]).expect("a job");
    assert_eq!(
        (&job["state"], &job["failures"]),
        (&"queued".into(), &0.into())
    );

    let other = fleet.worker("other", fleet.ports());
    let mut workers = [drained, hurried, other];
    end(&fleet, &batch, &mut workers, &[("released", 1)]);
}

#[test]
fn two_submitters_at_once_make_one_batch() {
    let fleet = Fleet::new(TWO_SHARDS);
    let submit = |name| {
        let arguments = ["submit", "batch.bin", "--profile", PROFILE];
        Process::start(name, fleet.command(&arguments, fleet.ports()))
    };
    // Without tables: both want to make them.
    let ids = ["first", "second"].map(submit).map(|mut submitter| {
        assert!(submitter.wait().success(), "{:?}", submitter.lines());
        let lines = submitter.lines();
        let is_id = |line: &String| line.len() == 64;
        lines.into_iter().find(is_id).expect("the batch's id")
    });
    let [batch, second] = ids;
    assert_eq!(batch, second);
    let counts = "SELECT (SELECT count(*) FROM batches), (SELECT count(*) FROM jobs)";
    assert_eq!(fleet.postgres.query(counts), "1|4");
    let mut workers = [fleet.worker("worker", fleet.ports())];
    end(&fleet, &batch, &mut workers, &[]);
}

#[test]
fn clocks_of_workers_do_not_matter() {
    let Some(library) = faketime() else {
        assert!(!is_full(), "Debian's package `faketime` is missing");
        eprintln!("skipped: Debian's package `faketime` is missing");
        return;
    };
    let fleet = Fleet::new(FOUR_SHARDS);
    let batch = fleet.submit();
    // S3 refuses requests that are more than 15 minutes off.
    let mut workers = [("late", "-10m"), ("early", "+10m")].map(|(name, offset)| {
        fleet.register(name);
        let mut command = fleet.worker_command(name, fleet.ports());
        command
            .env("LD_PRELOAD", &library)
            .env("FAKETIME", offset)
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        Process::start(name, command)
    });
    for worker in &mut workers {
        worker.wait_for_event("a job", |event| is(event, "done"));
    }
    let stamp = |worker: &Process| worker.events()[0]["timestamp"].to_string();
    assert!(stamp(&workers[0]) < stamp(&workers[1]));
    end(&fleet, &batch, &mut workers, &[]);
}

/// The library that makes a process see another time.
fn faketime() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").ok()?.flatten();
    let mut libraries = folders.map(|entry| entry.path().join("faketime/libfaketime.so.1"));
    libraries.find(|path| path.exists())
}
