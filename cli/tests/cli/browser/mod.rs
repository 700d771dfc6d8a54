//! The dashboard in a real browser, over a real fleet: SQLite, a folder, and workers that prove.
//!
//! Wants Debian's packages `chromium` and `chromium-driver`. With `SHARDFOLD_SCREENSHOT=FILE` a
//! longer batch is proven by two workers, and the page is saved as a PNG when half is done:
//!
//! SHARDFOLD_SCREENSHOT=$PWD/docs/dashboard.png cargo test -p shardfold-cli --test cli browser

mod driver;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::process::Command;

use crate::common::{PROFILE, Sandbox};
use crate::fleet::process::Process;
use crate::fleet::time::wait_for;
use driver::Browser;
use rustix::process::Signal;

/// Real transfers of mainnet.
const TRACE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../examples/block-12459406/trace.csv"
);

/// Selectors of the page.
const LIVE: &str = "#connection[data-state=live]";
const AWAY: &str = "#connection[data-state=away]";
const JOB: &str = "[role=treeitem]";
const RUNNING: &str = "[role=treeitem][data-state=running]";
const DONE: &str = "[role=treeitem][data-state=done]";
const OPEN: &str = "#batch-list a .badge[data-state=open]";
const PROVEN: &str = "#batch-list a .badge[data-state=proven]";

/// WebDriver's name of the key.
const ARROW_DOWN: char = '\u{e015}';

/// A fleet in one folder.
struct Fleet {
    sandbox: Sandbox,
}

impl Fleet {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        Self { sandbox }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.sandbox.command(arguments);
        let database = format!("sqlite://{}", self.sandbox.path("fleet.db").display());
        command
            .env("SHARDFOLD_DATABASE", database)
            .env("SHARDFOLD_STORE", self.sandbox.path("objects"));
        command
    }

    /// Runs a command that must end well: what it prints.
    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().expect("it starts");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        let text = String::from_utf8(output.stdout).expect("plain text");
        text.trim_end().to_owned()
    }

    /// Submits so many transactions, two or three of which fill a shard: the batch's id.
    fn submit(&self, name: &str, transactions: usize) -> String {
        self.sandbox.import_transfers(TRACE, transactions);
        fs::rename(self.sandbox.path("batch.bin"), self.sandbox.path(name)).expect("it is there");
        self.ok(&["submit", name, "--profile", PROFILE])
    }

    /// Lets a worker in.
    fn register(&self, name: &str) {
        let public_key = self.ok(&["worker-key", &format!("{name}.key")]);
        self.ok(&["register", name, &public_key]);
    }

    /// Starts a worker that ends when all is proven.
    fn worker(&self, name: &str) -> Process {
        let key = format!("{name}.key");
        let mut command = self.command(&["worker", "--key", &key, "--until-idle"]);
        command.args(["--profile", PROFILE, "--threads", "1"]);
        Process::start(name, command)
    }

    /// Starts the dashboard: with its URL, which ends in a slash.
    fn dashboard(&self, address: &str) -> (Process, String) {
        let command = self.command(&["dashboard", "--listen", address]);
        let mut dashboard = Process::start("dashboard", command);
        let line = dashboard.wait_for_line("the dashboard is at ");
        let url = line.rsplit(' ').next().expect("a last word").to_owned();
        (dashboard, url)
    }
}

#[test]
fn the_page_shows_a_batch_from_its_submission_to_its_proof() {
    let picture = std::env::var_os("SHARDFOLD_SCREENSHOT");
    let fleet = Fleet::new();
    let (transactions, names) = match picture {
        Some(_) => (40, &["alpha", "beta"][..]),
        None => (6, &["alpha"][..]),
    };
    names.iter().for_each(|name| fleet.register(name));
    if picture.is_some() {
        fleet.submit("evening.bin", 8);
        assert!(fleet.worker("alpha").wait().success());
    }
    let batch = fleet.submit("night.bin", transactions);
    let (mut dashboard, url) = fleet.dashboard("127.0.0.1:0");
    let browser = Browser::new();
    browser.open(&url);
    // A page that is loaded again has deleted this.
    browser.value("window.sameLoad = true");

    let jobs = sees_the_open_batch(&browser, &batch);
    shows_the_job_with_the_focus(&browser);
    assert_eq!(browser.console(), [""; 0], "errors in the console");

    dashboard.signal(Signal::TERM);
    assert!(dashboard.wait().success());
    browser.wait_for(AWAY);
    let trouble = browser.text("#trouble");
    assert!(trouble.contains("does not answer"), "{trouble}");
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let (_dashboard, again) = fleet.dashboard(address);
    assert_eq!(again, url);
    browser.wait_for(LIVE);
    assert_eq!(browser.count("#trouble:not([hidden])"), 0);
    let console = browser.console();
    let is_of_the_outage = |line: &String| line.contains("net::ERR_");
    assert!(console.iter().all(is_of_the_outage), "{console:?}");

    let mut workers: Vec<_> = names.iter().map(|name| fleet.worker(name)).collect();
    if let Some(path) = picture {
        saves_a_picture(&browser, jobs, path);
    }
    sees_the_proving(&browser, jobs, names);
    for worker in &mut workers {
        assert!(worker.wait().success());
    }
    fleet.ok(&["fetch", &batch, "-o", "proof.bin"]);
    fleet.sandbox.verify("proof.bin");
    assert_eq!(browser.value("window.sameLoad"), true);
    assert_eq!(browser.console(), [""; 0], "errors in the console");
}

/// The batch is in the list, open, with its tree, of which nothing is done: how many jobs.
fn sees_the_open_batch(browser: &Browser, batch: &str) -> u64 {
    browser.wait_for(LIVE);
    browser.wait_for(OPEN);
    browser.wait_for(JOB);
    assert_eq!(browser.text("#tree-id"), format!("batch {batch}"));
    let jobs = browser.count(JOB);
    assert!(
        jobs > 3,
        "two shards or more, an aggregation and the finish"
    );
    assert_eq!(browser.count(DONE) + browser.count(RUNNING), 0);
    jobs
}

/// The page's only tab stop in the tree is the finish; the arrow goes down to what it needs.
fn shows_the_job_with_the_focus(browser: &Browser) {
    assert_eq!(browser.count("#job-body[hidden]"), 1);
    browser.value("document.querySelector('[role=treeitem][tabindex=\"0\"]').focus()");
    browser.wait_for("#job-body:not([hidden])");
    assert_eq!(browser.text("#job-title"), "Finish");
    browser.press(ARROW_DOWN);
    wait_for("the aggregation below the finish", || {
        let title = browser.text("#job-title");
        title.starts_with("Aggregate of shards 1 to ").then_some(())
    });
    assert!(browser.text("#job-facts").contains("waiting"));
}

/// Sees jobs with their workers, more and more of them done, and in the end the batch proven.
fn sees_the_proving(browser: &Browser, jobs: u64, names: &[&str]) {
    let (mut holders, mut counts) = (BTreeSet::new(), vec![0]);
    wait_for("the batch proven", || {
        for job in running(browser) {
            let (_, process) = job.split_once(" at ").expect("a running job has a worker");
            let (name, _) = process.split_once('-').expect("a worker's process");
            holders.insert(name.to_owned());
        }
        let done = browser.count(DONE);
        if counts.last() != Some(&done) {
            counts.push(done);
        }
        let is_proven = browser.count(OPEN) == 0 && browser.count(PROVEN) > 0;
        (is_proven && done == jobs).then_some(())
    });
    assert!(holders.iter().eq(names), "running jobs were of {holders:?}");
    assert!(counts.is_sorted(), "jobs done: {counts:?}");
    assert!(counts.len() > 2, "none, then all done: {counts:?}");
}

/// Waits until half of the jobs are done, and saves the page with a running job in focus.
fn saves_a_picture(browser: &Browser, jobs: u64, path: OsString) {
    wait_for("half of the jobs", || {
        let is_half = 2 * browser.count(DONE) >= jobs && browser.count(RUNNING) > 0;
        is_half.then_some(())
    });
    browser.value(&format!("document.querySelector('{RUNNING}')?.focus()"));
    browser.wait_for("#job-attempts li");
    fs::write(path, browser.screenshot()).expect("the picture is saved");
}

/// What the tree says of its running jobs, as a screen reader tells it.
fn running(browser: &Browser) -> Vec<String> {
    let labels = browser.value(&format!(
        "[...document.querySelectorAll('{RUNNING}')].map((job) => job.getAttribute('aria-label'))"
    ));
    let labels = labels.as_array().expect("a list").iter();
    labels
        .map(|label| label.as_str().expect("a label").to_owned())
        .collect()
}
