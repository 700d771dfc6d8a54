//! `execute --state` killed at random moments.
//!
//! SHARDFOLD_KILLS=200 cargo test -p shardfold-cli --test cli kills -- --nocapture

use std::fs::{self, File};
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use shardfold_executor::workload::Random;
use shardfold_store::{Store, View};

use crate::chain::Chain;

/// Batches before the next database is made.
const BATCHES: usize = 8;

#[test]
fn a_killed_run_leaves_the_old_head_or_the_new_one() {
    let kills =
        std::env::var("SHARDFOLD_KILLS").map_or(10, |kills| kills.parse().expect("a number"));
    let chain = Chain::new(BATCHES, 300, 20_000);
    let mut random = Random::new(1);
    let mut runs = Runs::default();
    // Few kills come between the end of a batch and that of its run, so there may be some more.
    let is_done = |runs: &Runs| {
        let enough = runs.killed >= kills && runs.with_new_head > 0;
        enough || runs.killed >= kills + 200
    };
    for generation in 0.. {
        if is_done(&runs) {
            break;
        }
        let folder = format!("ledger{generation}");
        chain.import(&folder);
        let mut applied = 0;
        while applied < BATCHES && !is_done(&runs) {
            let is_applied = runs.run_and_kill(&chain, &folder, applied, &mut random);
            applied += usize::from(is_applied);
        }
        let mut store = Store::open(&chain.sandbox.path(&folder)).expect("it opens");
        store.check().expect("it is sound");
    }
    println!("{runs:?}");
    assert!(runs.with_old_head > 0 && runs.with_new_head > 0, "{runs:?}");
}

/// What became of the runs.
#[derive(Debug, Default)]
struct Runs {
    /// Those that did not end by themselves.
    killed: usize,
    /// Killed, and the batch was not applied.
    with_old_head: usize,
    /// Killed, and the batch was applied.
    with_new_head: usize,
    finished: usize,
    /// How long a run takes that is not killed.
    longest: Duration,
}

impl Runs {
    /// Starts `execute` on a batch, kills it after a while, and looks at what it leaves:
    /// whether the batch is applied.
    fn run_and_kill(
        &mut self,
        chain: &Chain,
        folder: &str,
        batch: usize,
        random: &mut Random,
    ) -> bool {
        let printed = chain.sandbox.path("printed");
        let start = Instant::now();
        let mut child = chain
            .sandbox
            .command(&["execute", &Chain::batch(batch), "--state", folder])
            .stdout(File::create(&printed).expect("a file"))
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let most = self.longest.max(Duration::from_millis(20)) * 5 / 4;
        let delay = Duration::from_micros(random.below(most.as_micros() as u64));
        while start.elapsed() < delay && child.try_wait().expect("it runs").is_none() {
            sleep(Duration::from_micros(500));
        }
        let took = start.elapsed();
        // On Unix this is SIGKILL; it may come too late.
        let _ = child.kill();
        let status = child.wait().expect("it ends");
        let has_finished = status.success();
        let has_reported =
            fs::read_to_string(&printed).is_ok_and(|out| out.contains("state root "));
        if has_finished {
            self.finished += 1;
            self.longest = self.longest.max(took);
        }

        let view = View::open(&chain.sandbox.path(folder)).expect("it opens after a kill");
        let history = view.history().expect("the history is whole");
        let (old, new) = (chain.heads[batch], chain.heads[batch + 1]);
        let head = *view.head();
        assert!(
            head == old || head == new,
            "a head that never was: {head:?}"
        );
        assert_eq!(history.len(), batch + usize::from(head == new));
        if has_finished || has_reported {
            assert_eq!(head, new, "a batch was lost after it was reported");
        }
        if !has_finished {
            assert_eq!(status.code(), None, "not killed, but failed");
            self.killed += 1;
            self.with_old_head += usize::from(head == old);
            self.with_new_head += usize::from(head == new);
            // A run that takes long is looked for until one ends by itself.
            if self.finished == 0 {
                self.longest += Duration::from_millis(20);
            }
        }
        view.check().expect("records and digests fit the head");
        head == new
    }
}
