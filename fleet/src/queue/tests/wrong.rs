//! Connections that live but are wrong, files that are not there any more, places without a
//! queue.

use std::fs;
use std::path::Path;

use sqlx::{AnyConnection, Connection as _, Executor as _};

use super::*;

/// A queue of SQLite in a folder of its own.
async fn sqlite() -> (Fleet, std::path::PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("queue.db");
    let url = format!("sqlite://{}", path.display());
    let fleet = Fleet {
        queue: Queue::connect(&url).await.unwrap(),
        keys: Mutex::default(),
        _folder: folder,
    };
    (fleet, path)
}

/// A session of the database's owner.
async fn admin(url: &str) -> AnyConnection {
    AnyConnection::connect(url).await.unwrap()
}

/// Makes the next sessions of a database of PostgreSQL read-only or not, as after a failover.
async fn set_read_only(admin: &mut AnyConnection, is_read_only: bool) {
    let name: String = sqlx::query_scalar("SELECT current_database()::text")
        .fetch_one(&mut *admin)
        .await
        .unwrap();
    let value = if is_read_only { "on" } else { "off" };
    let alter = format!("ALTER DATABASE {name} SET default_transaction_read_only = {value}");
    sqlx::query(AssertSqlSafe(alter))
        .execute(admin)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_connection_of_a_read_only_time_is_not_used_in_a_writable_one() {
    let url = postgres::database().await;
    Queue::connect(&url).await.unwrap().close().await;
    let mut admin = admin(&url).await;
    set_read_only(&mut admin, true).await;
    let queue = Queue::open(&url).await.unwrap();
    let key = WorkerKey::generate().unwrap().public();
    for _ in 0..2 {
        assert!(matches!(queue.ping().await, Err(QueueError::ReadOnly)));
        let refused = queue.register("a", &key).await.unwrap_err();
        assert!(refused.is_transient(), "{refused}");
    }
    // It can be looked at all the same.
    queue.fleet_view(1).await.unwrap();
    set_read_only(&mut admin, false).await;
    queue.register("a", &key).await.unwrap();
    queue.ping().await.unwrap();
}

/// A queue with a single connection, which is used again and again.
async fn single(url: &str) -> Queue {
    let queue = Queue::connect(url).await.unwrap();
    let single = queue.connect_again().await.unwrap();
    queue.close().await;
    single
}

#[tokio::test]
async fn a_transaction_that_was_left_open_takes_no_statement_of_others() {
    let url = postgres::database().await;
    let queue = single(&url).await;
    // As when whoever began it has stopped waiting; then one that has failed before.
    for (name, and_then) in [("a", "SELECT 1"), ("b", "SELECT nothing")] {
        let mut left = queue.pool.acquire().await.unwrap();
        left.execute("BEGIN").await.unwrap();
        let _ = left.execute(and_then).await;
        drop(left);
        let key = WorkerKey::generate().unwrap().public();
        queue.register(name, &key).await.unwrap();
        let again = queue.connect_again().await.unwrap();
        assert!(again.key_of(name).await.unwrap().is_some(), "{name}");
        again.close().await;
    }
}

#[tokio::test]
async fn prepared_statements_that_a_session_has_lost_are_prepared_in_another() {
    let url = postgres::database().await;
    let queue = single(&url).await;
    queue.has_had_batches().await.unwrap();
    let mut connection = queue.pool.acquire().await.unwrap();
    connection.execute("DEALLOCATE ALL").await.unwrap();
    drop(connection);
    let lost = queue.has_had_batches().await.unwrap_err();
    assert!(lost.is_transient(), "{lost}");
    queue.renew();
    queue.has_had_batches().await.unwrap();
}

/// Makes SQLite's disk full for the connections that the queue has: a rollback by SQLite itself.
async fn fill(queue: &Queue) {
    let mut all = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut connection = queue.pool.acquire().await.unwrap();
        connection
            .execute("PRAGMA max_page_count = 1")
            .await
            .unwrap();
        all.push(connection);
    }
}

#[tokio::test]
async fn a_rollback_by_sqlite_itself_poisons_no_connection() {
    let (fleet, _) = sqlite().await;
    fill(&fleet.queue).await;
    let label = "long".repeat(5_000);
    let mut is_full = false;
    for _ in 0..5 {
        let mut tx = fleet.queue.begin().await.unwrap();
        let insert = "INSERT INTO circuits (profile, key_id, added) VALUES ($1, $1, 1)
            ON CONFLICT DO NOTHING";
        match sqlx::query(insert).bind(&label).execute(&mut *tx).await {
            Ok(_) => tx.commit().await.unwrap(),
            Err(error) => {
                let error = QueueError::from(error);
                assert!(error.is_transient(), "{error}");
                is_full = true;
            }
        }
    }
    assert!(is_full, "the disk was never full");
    // A transaction that SQLite has ended as it does for some errors.
    let mut tx = fleet.queue.begin().await.unwrap();
    (*tx).execute("ROLLBACK").await.unwrap();
    drop(tx);
    fleet.queue.ping().await.unwrap();
    fleet.submit(2, 1).await;
}

#[tokio::test]
async fn connections_are_given_up_after_an_error() {
    on_both(async |fleet| {
        let single = fleet.queue.connect_again().await.unwrap();
        let mark = async |text: &'static str| {
            let mut connection = single.pool.acquire().await.unwrap();
            connection.execute(text).await
        };
        mark("CREATE TEMPORARY TABLE mine (x INT)").await.unwrap();
        mark("SELECT x FROM mine").await.unwrap();
        single.renew();
        assert!(mark("SELECT x FROM mine").await.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_database_that_takes_no_writes_is_not_called_ready() {
    let (fleet, _) = sqlite().await;
    fleet.queue.ping().await.unwrap();
    // A disk that is full for whoever writes.
    fleet
        .execute(
            "CREATE TRIGGER full BEFORE UPDATE ON fleet
             BEGIN SELECT RAISE(ROLLBACK, 'disk full'); END",
        )
        .await;
    fleet.queue.fleet_view(1).await.unwrap();
    assert!(fleet.queue.ping().await.is_err());
    fleet.execute("DROP TRIGGER full").await;
    fleet.queue.ping().await.unwrap();
}

#[tokio::test]
async fn nothing_is_written_into_a_file_that_was_replaced_or_removed() {
    let (fleet, path) = sqlite().await;
    let (other, other_path) = sqlite().await;
    fleet.register("before").await;
    let again = fleet.queue.connect_again().await.unwrap();
    let aside = path.with_extension("aside");
    fs::rename(&path, &aside).unwrap();
    let key = WorkerKey::generate().unwrap().public();
    for queue in [&fleet.queue, &again] {
        let gone = queue.register("lost", &key).await.unwrap_err();
        assert!(matches!(gone, QueueError::Gone { .. }), "{gone}");
        // It may be that a disk was not mounted for a while.
        assert!(gone.is_transient());
        assert!(queue.ping().await.is_err());
    }
    other.queue.close().await;
    fs::copy(&other_path, &path).unwrap();
    for queue in [&fleet.queue, &again] {
        let refused = queue.register("lost", &key).await.unwrap_err();
        assert!(matches!(refused, QueueError::Replaced { .. }), "{refused}");
        assert!(!refused.is_transient());
        assert!(refused.to_string().contains("-wal"), "{refused}");
    }
    fs::rename(&aside, &path).unwrap();
    assert_eq!(fleet.queue.key_of("lost").await.unwrap(), None);
    fleet.register("after").await;
    assert!(again.key_of("after").await.unwrap().is_some());
}

/// Names in a folder and below.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

#[tokio::test]
async fn who_only_looks_makes_no_queue() {
    let folder = TempDir::new().unwrap();
    let empty = folder.path().join("empty.db");
    fs::write(&empty, "").unwrap();
    let postgres = postgres::database().await;
    for (url, there) in [
        (
            format!("sqlite://{}/none.db", folder.path().display()),
            "/none.db",
        ),
        (
            format!("sqlite://{}/none/none.db", folder.path().display()),
            "/none/none.db",
        ),
        (
            format!("sqlite://{}?mode=rwc", empty.display()),
            "/empty.db",
        ),
        (postgres.clone(), "postgres://localhost/test"),
    ] {
        let Err(error) = Queue::open(&url).await else {
            panic!("opened {url}");
        };
        let text = error.to_string();
        assert!(text.starts_with("there is no queue at "), "{text}");
        assert!(text.contains(there), "{text}");
        assert!(!error.is_transient());
        assert!(Queue::lazy(&url, 1).unwrap().ping().await.is_err());
    }
    assert_eq!(names(folder.path()), ["empty.db"]);
    assert_eq!(fs::read(&empty).unwrap(), b"");
    let mut admin = admin(&postgres).await;
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    let tables: i64 = sqlx::query_scalar(tables)
        .fetch_one(&mut admin)
        .await
        .unwrap();
    assert_eq!(tables, 0);
}

#[tokio::test]
async fn why_a_server_cannot_be_used_is_its_own_reason() {
    let there = postgres::database().await;
    let (_, parameters) = there.split_once('?').unwrap();
    let role = |role: &str, name: &str| format!("postgres://{role}@localhost/{name}?{parameters}");
    for (url, reason, is_transient) in [
        // Nobody listens on this port.
        (
            "postgres://me:secret@127.0.0.1:1/fleet".to_owned(),
            "refused",
            true,
        ),
        (role("postgres", "none"), "\"none\" does not exist", false),
        (
            role("nobody:secret", "postgres"),
            "\"nobody\" does not exist",
            false,
        ),
    ] {
        // Also where nothing was connected with before the pool has given up.
        for error in [
            Queue::open(&url).await.err().unwrap(),
            Queue::lazy(&url, 1).unwrap().ping().await.unwrap_err(),
        ] {
            let text = error.to_string();
            assert!(text.contains(reason), "{url}: {text}");
            assert!(!text.contains("secret"), "{text}");
            assert_eq!(error.is_transient(), is_transient, "{text}");
        }
    }
}

#[tokio::test]
async fn what_a_worker_may_write_is_bounded() {
    on_both(async |fleet| {
        fleet.submit(1, 1).await;
        fleet.worker("a").await;
        let claimed = fleet.take("a").await;
        let reason = "\u{10ffff}\0".repeat(10_000);
        let failed = fleet.queue.fail(&held(&claimed), &reason, true).await;
        failed.unwrap();
        let kept = fleet.attempts(&claimed).await[0].reason.clone().unwrap();
        assert_eq!(kept.chars().count(), 4_000);
        for write in [
            "UPDATE attempts SET reason = $1",
            "UPDATE attempts SET outcome = $1",
            "UPDATE jobs SET instance = $1",
            "UPDATE jobs SET signature = $1",
            "UPDATE jobs SET result = $1",
            "UPDATE batches SET proof = $1",
            "UPDATE instances SET host = $1",
            "UPDATE instances SET kinds = $1",
        ] {
            let written = sqlx::query(write)
                .bind("x".repeat(16_001))
                .execute(&fleet.queue.pool)
                .await;
            let error = written.expect_err(write).into_database_error().unwrap();
            assert!(error.is_check_violation(), "{write}: {error}");
        }
    })
    .await;
}
