//! Connecting, and making the tables.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn many_processes_may_open_a_new_database_at_once() {
    let folder = TempDir::new().unwrap();
    let sqlite = format!("sqlite://{}/queue.db", folder.path().display());
    for url in [sqlite, postgres::database().await] {
        println!("on {url}");
        let connect = || {
            let url = url.clone();
            tokio::spawn(async move { Queue::connect(&url).await })
        };
        let connecting: Vec<_> = (0..8).map(|_| connect()).collect();
        for queue in connecting {
            let queue = queue.await.unwrap().unwrap();
            queue.ping().await.unwrap();
            queue.close().await;
        }
    }
}

/// Not every round has two that come at the same moment: without the wait one in ten fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn who_opens_a_new_sqlite_file_waits_for_others_that_do() {
    for round in 0..60 {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite://{}/queue.db", folder.path().display());
        let connect = || {
            let url = url.clone();
            tokio::spawn(async move { Queue::connect(&url).await })
        };
        let connecting: Vec<_> = (0..8).map(|_| connect()).collect();
        for queue in connecting {
            let queue = queue.await.unwrap();
            queue
                .unwrap_or_else(|error| panic!("round {round}: {error}"))
                .close()
                .await;
        }
    }
}

#[tokio::test]
async fn a_queue_outlasts_its_connections() {
    on_both(async |fleet| {
        let batch = fleet.submit(2, 1).await;
        fleet.worker("a").await;
        fleet.work("a").await;
        let again = fleet.queue.connect_again().await.unwrap();
        fleet.queue.close().await;
        let tree = again.tree_view(&batch).await.unwrap().unwrap();
        let done = tree.jobs.iter().filter(|job| job.state == JobState::Done);
        assert_eq!((tree.jobs.len(), done.count()), (4, 1));
        again.close().await;
    })
    .await;
}

#[tokio::test]
async fn tables_of_another_version_are_refused() {
    on_both(async |fleet| {
        // Of the version before this one, then of the one after it.
        for step in ["- 1", "+ 2"] {
            let change = format!("UPDATE fleet SET version = version {step}");
            fleet.execute(&change).await;
            let Err(refused) = fleet.queue.connect_again().await else {
                panic!("accepted");
            };
            assert!(matches!(refused, QueueError::Version { .. }), "{refused}");
            let text = refused.to_string();
            assert!(text.contains("use the build that made them"), "{text}");
            assert!(!refused.is_transient());
        }
    })
    .await;
}

#[tokio::test]
async fn a_database_that_is_away_may_come_back_and_other_urls_may_not() {
    let nowhere = TempDir::new().unwrap();
    let (away, other) = (nowhere.path().join("none"), nowhere.path().join("file"));
    std::fs::write(
        &other,
        "not a database, but long enough to have a header".repeat(9),
    )
    .unwrap();
    for (url, is_transient) in [
        // Nobody listens on this port.
        ("postgres://postgres@127.0.0.1:1/fleet".to_owned(), true),
        (format!("sqlite://{}/queue.db", away.display()), true),
        (format!("sqlite://{}", other.display()), false),
        ("mysql://root@localhost/fleet".to_owned(), false),
        ("fleet.db".to_owned(), false),
    ] {
        let Err(error) = Queue::connect(&url).await else {
            panic!("connected to {url}");
        };
        assert_eq!(error.is_transient(), is_transient, "{url}: {error}");
    }
}
