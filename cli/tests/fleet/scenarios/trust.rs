//! Workers that nobody let in.

use super::{TWO_SHARDS, end, is_stage, outcomes};
use crate::fleet::Fleet;
use crate::process::Process;

#[test]
fn an_unenrolled_or_dismissed_worker_gets_nothing() {
    let fleet = Fleet::new(TWO_SHARDS);
    let batch = fleet.submit();
    fleet.ok(&["worker-key", "stranger.key"]);
    let start = |name| Process::start(name, fleet.worker_command(name, fleet.ports()));

    let mut stranger = start("stranger");
    assert!(!stranger.wait().success());
    stranger.wait_for_line("is not enrolled");
    fleet.enrol("stranger");
    fleet.ok(&["dismiss", "stranger"]);
    let mut dismissed = start("stranger");
    assert!(!dismissed.wait().success());
    dismissed.wait_for_line("was dismissed");
    assert!(outcomes(&fleet, &batch).is_empty());

    let mut workers = [fleet.worker("worker", fleet.ports())];
    end(&fleet, &batch, &mut workers, &[]);
}

#[test]
fn a_worker_dismissed_while_it_proves_ends_and_its_job_goes_to_another() {
    let fleet = Fleet::new(TWO_SHARDS);
    let batch = fleet.submit();
    let mut dismissed = fleet.worker("dismissed", fleet.ports());
    dismissed.wait_for_event("a shard", |event| is_stage(event, "traces"));
    fleet.ok(&["dismiss", "dismissed"]);
    assert!(!dismissed.wait().success());
    dismissed.wait_for_line("the worker dismissed was dismissed");
    let mut workers = [dismissed, fleet.worker("other", fleet.ports())];
    end(&fleet, &batch, &mut workers, &[("released", 1)]);
}
