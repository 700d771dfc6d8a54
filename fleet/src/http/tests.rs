use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::metrics::render;
use super::process::{ProcessMetrics, memory};
use super::serve::{Site, dashboard_router, metrics_router, serve};
use crate::queue::Queue;
use crate::queue::model::{
    AttemptView, FleetView, InstanceView, JobState, Kind, Outcome, Timing, WorkerView,
};
use crate::testing::postgres;

const NOW: i64 = 1_800_000_000_000;
const HOSTILE: &str = "<script>alert(1)</script>";

// ---- metrics ----

fn instance(id: &str, alive: bool) -> InstanceView {
    InstanceView {
        id: id.into(),
        worker: "alice".into(),
        host: "rack1".into(),
        profile: "p".into(),
        circuits: "c0".into(),
        kinds: vec![Kind::Shard],
        slots: 4,
        memory: 1 << 30,
        started: NOW - 10_000,
        seen: NOW,
        left: None,
        alive,
        busy: 3,
        done: 7,
        failed: 1,
    }
}

fn failed(outcome: Outcome, ended: i64) -> AttemptView {
    AttemptView {
        batch: "b".into(),
        job: "j".into(),
        attempt: 1,
        instance: "alice-1".into(),
        started: ended - 1000,
        ended: Some(ended),
        outcome: Some(outcome),
        reason: None,
    }
}

fn fleet() -> FleetView {
    FleetView {
        now: NOW,
        batches: Vec::new(),
        workers: vec![WorkerView {
            name: "a\"b\\c\nd".into(),
            public_key: "00".into(),
            registered: NOW,
            revoked: None,
            strikes: 2,
        }],
        instances: vec![instance("alice-1", true), instance("alice-2", false)],
        timings: vec![Timing {
            circuits: "c0".into(),
            kind: Kind::Shard,
            size: 64,
            count: 3,
            mean: 1500.0,
            longest: 2500,
        }],
        counts: vec![
            (Kind::Shard, JobState::Queued, 5),
            (Kind::Aggregate, JobState::Waiting, 4),
        ],
        batch_counts: [1, 2, 3],
        oldest_queued: Some(NOW - 12_500),
        failures: vec![
            failed(Outcome::Lost, NOW - 1),
            failed(Outcome::Lost, NOW - 3_700_000),
            failed(Outcome::Invalidated, NOW - 1000),
        ],
        proven_last_hour: 1234,
        done_last_hour: vec![(Kind::Shard, 7200)],
    }
}

/// A process of two slots, one busy, that has done an aggregation in three seconds.
fn rendered(fleet: Option<&FleetView>) -> String {
    let process = ProcessMetrics::new(2);
    let _busy = process.start();
    drop(process.start());
    process.done(Kind::Aggregate, Duration::from_secs(3));
    render(fleet, &process).expect("text")
}

#[test]
fn metrics_say_what_the_fleet_is_at() {
    let text = rendered(Some(&fleet()));
    for line in [
        "shardfold_database_up 1.0",
        r#"shardfold_batches{state="open"} 1.0"#,
        r#"shardfold_batches{state="cancelled"} 3.0"#,
        r#"shardfold_jobs{kind="shard",state="queued"} 5.0"#,
        r#"shardfold_jobs{kind="finish",state="done"} 0.0"#,
        "shardfold_queue_age_seconds 12.5",
        r#"shardfold_attempts_failed_last_hour{outcome="lost"} 1.0"#,
        r#"shardfold_attempts_failed_last_hour{outcome="invalidated"} 1.0"#,
        r#"shardfold_attempts_failed_last_hour{outcome="overdue"} 0.0"#,
        r#"shardfold_job_mean_seconds{circuits="c0",kind="shard",size="64"} 1.5"#,
        r#"shardfold_job_longest_seconds{circuits="c0",kind="shard",size="64"} 2.5"#,
        r#"shardfold_proofs_per_second{kind="shard"} 2.0"#,
        r#"shardfold_proofs_per_second{kind="aggregate"} 0.0"#,
        "shardfold_transactions_proven_last_hour 1234.0",
        "shardfold_workers_alive 1.0",
        "shardfold_slots 4.0",
        "shardfold_slots_busy 3.0",
        r#"shardfold_worker_strikes{worker="a\"b\\c\nd"} 2.0"#,
        "shardfold_process_slots 2",
        "shardfold_process_slots_busy 1",
        r#"shardfold_process_job_seconds_bucket{le="2.0",kind="aggregate"} 0"#,
        r#"shardfold_process_job_seconds_bucket{le="5.0",kind="aggregate"} 1"#,
        r#"shardfold_process_job_seconds_sum{kind="aggregate"} 3.0"#,
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[test]
fn without_the_database_only_the_process_is_measured() {
    let text = rendered(None);
    assert!(text.contains("\nshardfold_database_up 0.0\n"), "{text}");
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    for sample in samples {
        let known = ["shardfold_process_", "shardfold_database_up"];
        assert!(
            known.iter().any(|name| sample.starts_with(name)),
            "{sample}"
        );
    }
}

#[test]
fn every_metric_has_help_and_type_and_stands_in_the_list_of_metrics() {
    let text = rendered(Some(&fleet()));
    let listed = include_str!("../../../docs/fleet-metrics.md");
    let types: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .collect();
    for entry in &types {
        let (name, kind) = entry.split_once(' ').expect("name and type");
        assert!(text.contains(&format!("# HELP {name} ")), "{name}");
        assert!(listed.contains(&format!("| `{name}` | {kind} |")), "{name}");
    }
    assert_eq!(listed.matches("\n| `shardfold_").count(), types.len());
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn promtool_accepts_the_metrics() {
    let promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut promtool) = promtool else {
        eprintln!("promtool is not installed: not checked");
        return;
    };
    let text = rendered(Some(&fleet()));
    let mut stdin = promtool.stdin.take().expect("piped");
    stdin.write_all(text.as_bytes()).expect("promtool reads");
    drop(stdin);
    let output = promtool.wait_with_output().expect("promtool ends");
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn memory_is_read_from_the_kernels_lines_and_from_no_others() {
    let status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t 12 kB\n";
    assert_eq!(memory(status, "VmHWM:"), Some(2048 * 1024));
    assert_eq!(memory(status, "VmRSS:"), Some(12 * 1024));
    for other in [
        "",
        "VmRSS:",
        "VmRSS: kB",
        "VmRSS: 1 MB",
        "VmRSS: 9223372036854775807 kB",
    ] {
        assert_eq!(memory(other, "VmRSS:"), None, "{other}");
    }
}

// ---- over HTTP ----

struct Server {
    queue: Queue,
    address: std::net::SocketAddr,
    _folder: TempDir,
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// A dashboard, or a worker's metrics, of a fleet with one hostile batch.
async fn start(is_dashboard: bool, is_ready: bool) -> Server {
    let folder = TempDir::new().expect("folder");
    let url = format!("sqlite://{}", folder.path().join("queue.db").display());
    let queue = Queue::connect(&url).await.expect("queue");
    fill(&url).await;
    let address = start_over(queue.clone(), is_dashboard, is_ready).await;
    Server {
        queue,
        address,
        _folder: folder,
    }
}

async fn start_over(queue: Queue, is_dashboard: bool, is_ready: bool) -> std::net::SocketAddr {
    let site = Site {
        queue,
        process: ProcessMetrics::new(0),
        ready: Arc::new(move || {
            Box::pin(async move {
                if is_ready {
                    Ok(())
                } else {
                    Err("the circuits are being built".into())
                }
            })
        }),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let address = listener.local_addr().expect("address");
    let router = if is_dashboard {
        dashboard_router(site)
    } else {
        metrics_router(site)
    };
    tokio::spawn(serve(listener, router, std::future::pending()));
    address
}

/// A batch of one shard, whose texts are hostile.
async fn fill(url: &str) {
    let pool = sqlx::AnyPool::connect(url).await.expect("database");
    let batch = "INSERT INTO batches (id, source, label, profile, circuits, shards, transactions,
            max_failures, state, submitted)
        VALUES ('b1', 's', $1, 'p', 'c0', 1, 9, 3, 'open', 1)";
    let job = "INSERT INTO jobs (batch, id, kind, first_shard, end_shard, size, memory, circuits,
            rank, submitted, missing, state, attempt, failures, instance)
        VALUES ('b1', 'j1', 'shard', 0, 1, 16, 1, 'c0', 1, 1, 0, 'dead-lettered', 1, 1, $1)";
    let attempt = "INSERT INTO attempts (batch, job, attempt, instance, started, ended, outcome,
            reason)
        VALUES ('b1', 'j1', 1, 'w-1', 1, 2, 'failed', $1)";
    for insert in [batch, job, attempt] {
        let inserted = sqlx::query(insert).bind(HOSTILE).execute(&pool).await;
        inserted.expect("row");
    }
    pool.close().await;
}

impl Server {
    async fn request(&self, method: &str, path: &str) -> Answer {
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
        let address = self.address;
        let exchange = tokio::task::spawn_blocking(move || {
            let mut stream = std::net::TcpStream::connect(address).expect("connects");
            stream.write_all(request.as_bytes()).expect("sends");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).expect("receives");
            answer
        });
        let answer = exchange.await.expect("exchange");
        let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
        let status = head.split(' ').nth(1).expect("status");
        Answer {
            status: status.parse().expect("number"),
            head: head.into(),
            body: body.into(),
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.request("GET", path).await
    }
}

const PAGE: [&str; 6] = [
    "/",
    "/page.css",
    "/page.js",
    "/tree.js",
    "/dom.js",
    "/icon.svg",
];

#[tokio::test]
async fn the_dashboard_tells_of_batches_trees_and_attempts() {
    let server = start(true, true).await;
    let fleet = server.get("/api/fleet").await;
    assert_eq!(fleet.status, 200, "{}", fleet.body);
    assert_eq!(fleet.header("content-type"), Some("application/json"));
    assert_eq!(fleet.json()["batches"][0]["label"], HOSTILE);
    assert_eq!(fleet.json()["failures"][0]["reason"], HOSTILE);
    let tree = server.get("/api/batch/b1").await;
    assert_eq!(tree.json()["jobs"][0]["instance"], HOSTILE);
    let attempts = server.get("/api/job/b1/j1").await;
    assert_eq!(attempts.json()[0]["outcome"], "failed");
    let metrics = server.get("/metrics").await;
    let dead_lettered = r#"shardfold_jobs{kind="shard",state="dead-lettered"} 1.0"#;
    assert!(metrics.body.contains(dead_lettered), "{}", metrics.body);
    assert_eq!(
        metrics.header("content-type"),
        Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
    );
}

#[tokio::test]
async fn unknown_batches_and_paths_are_not_found() {
    let server = start(true, true).await;
    for path in [
        "/api/batch/b2",
        "/api/batch/%00'--",
        "/api/nothing",
        "/page.html",
    ] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.json()["error"].is_string(), "{path}");
    }
    assert_eq!(server.get("/api/job/b1/j2").await.body, "[]");
}

#[tokio::test]
async fn every_answer_forbids_foreign_and_inline_scripts_and_sniffing() {
    let server = start(true, true).await;
    let others = ["/api/fleet", "/metrics", "/healthz", "/readyz", "/nothing"];
    for path in PAGE.into_iter().chain(others) {
        let answer = server.get(path).await;
        let policy = answer.header("content-security-policy").expect(path);
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"));
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
}

#[tokio::test]
async fn nothing_but_reading_is_allowed() {
    let server = start(true, true).await;
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        for path in ["/", "/api/fleet", "/metrics"] {
            let answer = server.request(method, path).await;
            assert_eq!(answer.status, 405, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn the_page_makes_no_markup_of_texts_and_loads_nothing_foreign() {
    let server = start(true, true).await;
    for path in PAGE {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        for forbidden in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "DOMParser",
            "javascript:",
            "onclick=",
            "<style",
            " style=",
        ] {
            assert!(!answer.body.contains(forbidden), "{path}: {forbidden}");
        }
        let names = "http://www.w3.org/2000/svg";
        assert!(!answer.body.replace(names, "").contains("://"), "{path}");
    }
    let html = server.get("/").await.body;
    assert_eq!(html.matches("<script").count(), 1);
    assert!(html.contains(r#"<script type="module" src="page.js"></script>"#));
}

#[tokio::test]
async fn a_database_that_is_away_gives_503_and_says_why() {
    let server = start(true, true).await;
    assert_eq!(server.get("/readyz").await.status, 200);
    server.queue.close().await;
    for path in ["/api/fleet", "/api/batch/b1", "/api/job/b1/j1", "/readyz"] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 503, "{path}");
        let error = answer.json()["error"].to_string();
        assert!(error.contains("the database"), "{path}: {error}");
    }
    assert_eq!(server.get("/healthz").await.status, 200);
    assert_eq!(server.get("/").await.status, 200);
    let metrics = server.get("/metrics").await;
    assert_eq!(metrics.status, 200);
    assert!(metrics.body.contains("\nshardfold_database_up 0.0\n"));
}

/// As of a fleet on PostgreSQL whose server was replaced by a standby for a while.
#[tokio::test]
async fn a_process_whose_database_takes_no_writes_is_not_ready() {
    for is_dashboard in [true, false] {
        let url = postgres::database().await;
        Queue::connect(&url).await.expect("queue").close().await;
        let name = url.rsplit('/').find_map(|part| part.split_once('?'));
        let (name, _) = name.expect("a database");
        let mut admin = AnyConnection::connect(&url).await.expect("a session");
        let mut set = async |value: &str| {
            let set = format!("ALTER DATABASE {name} SET default_transaction_read_only = {value}");
            let set = sqlx::query(AssertSqlSafe(set)).execute(&mut admin).await;
            set.expect("its owner may");
        };
        let queue = Queue::lazy(&url, 2).expect("queue");
        let server = Server {
            address: start_over(queue.clone(), is_dashboard, true).await,
            queue,
            _folder: TempDir::new().expect("folder"),
        };
        assert_eq!(server.get("/readyz").await.status, 200);
        set("on").await;
        // From the next session on.
        server.queue.renew();
        for _ in 0..2 {
            let ready = server.get("/readyz").await;
            assert_eq!(ready.status, 503);
            assert!(ready.body.contains("takes no writes"), "{}", ready.body);
        }
        assert!(
            server
                .get("/metrics")
                .await
                .body
                .contains("\nshardfold_database_up 1.0\n")
        );
        set("off").await;
        assert_eq!(server.get("/readyz").await.status, 200);
    }
}

#[tokio::test]
async fn a_process_without_a_queue_is_not_ready_and_makes_none() {
    let folder = TempDir::new().expect("folder");
    let path = folder.path().join("none.db");
    let queue = Queue::lazy(&format!("sqlite://{}", path.display()), 1).expect("queue");
    let server = Server {
        address: start_over(queue.clone(), true, true).await,
        queue,
        _folder: folder,
    };
    let ready = server.get("/readyz").await;
    assert_eq!(ready.status, 503);
    assert!(
        ready.body.contains("there is no queue at"),
        "{}",
        ready.body
    );
    assert_eq!(server.get("/api/fleet").await.status, 503);
    assert!(!path.exists());
}

#[tokio::test]
async fn a_worker_shows_metrics_and_health_but_no_page() {
    let server = start(false, false).await;
    assert_eq!(server.get("/metrics").await.status, 200);
    assert_eq!(server.get("/healthz").await.status, 200);
    assert_eq!(server.get("/").await.status, 404);
    assert_eq!(server.get("/api/fleet").await.status, 404);
    let ready = server.get("/readyz").await;
    assert_eq!(ready.status, 503);
    assert_eq!(ready.json()["error"], "the circuits are being built");
}
