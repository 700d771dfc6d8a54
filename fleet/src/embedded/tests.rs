use std::fs;

use shardfold_protocol::head::Statement;
use shardfold_protocol::witness::ShardWitness;
use shardfold_recursion::profile::Profile;
use tempfile::TempDir;

use super::folder::{DATABASE, OBJECTS, remove_database};
use super::*;
use crate::submit::Data;
use crate::testing::batch::{ENGINE, POINT, SHARDS, differences};

const LIMITS: Limits = Limits {
    jobs: 1,
    memory: 1 << 40,
};

/// Events that tests look at: kind, first shard, whether it was found.
type Seen = Arc<Mutex<Vec<(Kind, usize, bool)>>>;

fn executed(shards: &[ShardWitness]) -> Executed<'_> {
    Executed {
        profile: Profile::UnsoundTest,
        circuits: ENGINE.key().id(),
        source: "5a",
        label: "batch.bin",
        shards,
        data: None,
        max_failures: submit::MAX_FAILURES,
    }
}

async fn open(folder: &Path) -> Embedded {
    let opened = Embedded::open(folder, |notice| panic!("{notice:?}"));
    opened.await.unwrap()
}

/// Proves the batch; what was done on the way.
async fn prove(
    fleet: &Embedded,
    batch: &str,
) -> (
    Result<ValidityProof, EmbeddedError>,
    Vec<(Kind, usize, bool)>,
) {
    let (proofs, done) = prove_all(fleet, batch).await;
    (proofs.map(|proofs| proofs.validity), done)
}

/// The same with all proofs.
async fn prove_all(
    fleet: &Embedded,
    batch: &str,
) -> (Result<Proofs, EmbeddedError>, Vec<(Kind, usize, bool)>) {
    let seen = Seen::default();
    let own = seen.clone();
    let observer = Box::new(move |event: &Event| {
        if let Event::Done { work, found, .. } = event {
            own.lock().unwrap().push((work.kind, work.first, *found));
        }
    });
    let proof = fleet.prove(batch, ENGINE.clone(), LIMITS, observer).await;
    let seen = seen.lock().unwrap().clone();
    (proof, seen)
}

fn check(proof: &ValidityProof) {
    let expected = Statement {
        after: SHARDS[2].statement.after,
        ..SHARDS[0].statement
    };
    ENGINE.check_finished(proof, &expected).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_proven_in_a_folder_of_which_nothing_is_left() {
    let above = TempDir::new().unwrap();
    let folder = above.path().join("a proof?.partial");
    assert!(!Embedded::is_in(&folder));
    let fleet = open(&folder).await;
    let batch = fleet.submit(&executed(&SHARDS)).await.unwrap();
    assert!(Embedded::is_in(&folder));
    let (proof, done) = prove(&fleet, &batch).await;
    check(&proof.unwrap());
    assert_eq!(done.len(), 6);
    // Again: it is there.
    let (proof, done) = prove(&fleet, &batch).await;
    check(&proof.unwrap());
    assert_eq!(done, []);
    fleet.delete(&batch).await.unwrap();
    assert!(!folder.exists());
}

#[tokio::test]
async fn what_is_in_the_way_is_named_and_left_alone() {
    let above = TempDir::new().unwrap();
    for name in ["fleet.db", "fleet.db-journal", "fleet.lock", "objects"] {
        let folder = above.path().join(format!("with {name}"));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(name), "mine").unwrap();
        let opened = Embedded::open(&folder, |notice| panic!("{notice:?}")).await;
        for refused in [Embedded::check(&folder), opened.map(drop)] {
            let Err(EmbeddedError::Foreign { found }) = refused else {
                panic!("{name}: {refused:?}");
            };
            assert_eq!(found, folder.join(name));
        }
        assert_eq!(fs::read(folder.join(name)).unwrap(), b"mine");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }
    // Objects that somebody else has put beside our lock.
    let folder = above.path().join("ours");
    drop(open(&folder).await);
    fs::remove_dir_all(folder.join(OBJECTS)).unwrap();
    fs::create_dir(folder.join(OBJECTS)).unwrap();
    Embedded::check(&folder).unwrap();
    fs::write(folder.join(OBJECTS).join("pack"), "mine").unwrap();
    assert!(Embedded::check(&folder).is_err());
    assert!(Embedded::open(&folder, |_| ()).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn finished_parts_are_found_when_only_the_objects_are_left() {
    let above = TempDir::new().unwrap();
    let fleet = open(above.path()).await;
    let batch = fleet.submit(&executed(&SHARDS)).await.unwrap();
    prove(&fleet, &batch).await.0.unwrap();
    fleet.close().await.unwrap();
    for damage in ["no queue", "a damaged queue"] {
        remove_database(above.path()).unwrap();
        let is_told = Arc::new(Mutex::new(false));
        if damage == "a damaged queue" {
            fs::write(above.path().join(DATABASE), "not a database ".repeat(99)).unwrap();
        }
        let fleet = Embedded::open(above.path(), |notice| {
            assert!(matches!(notice, Notice::Queue(_)), "{notice:?}");
            *is_told.lock().unwrap() = true;
        });
        let fleet = fleet.await.unwrap();
        assert_eq!(*is_told.lock().unwrap(), damage == "a damaged queue");
        assert_eq!(fleet.submit(&executed(&SHARDS)).await.unwrap(), batch);
        let (proof, done) = prove(&fleet, &batch).await;
        check(&proof.unwrap());
        let made: Vec<_> = done
            .iter()
            .filter(|done| !done.2)
            .map(|done| done.0)
            .collect();
        assert_eq!((done.len(), made), (6, vec![Kind::Finish]));
        fleet.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_proves_nothing_ends_the_work_at_once_with_its_reason() {
    let above = TempDir::new().unwrap();
    let fleet = open(above.path()).await;
    let mut shards = SHARDS.clone();
    shards[1].siblings.reverse();
    let executed = Executed {
        max_failures: 1,
        ..executed(&shards)
    };
    let batch = fleet.submit(&executed).await.unwrap();
    // Again, too: it was dead-lettered.
    for expected in [vec![(Kind::Shard, 0, false)], vec![]] {
        let (refused, done) = prove(&fleet, &batch).await;
        let refused = refused.unwrap_err();
        let EmbeddedError::Job { what, reason } = &refused else {
            panic!("{refused}");
        };
        assert_eq!(&**what, "shard 2");
        assert!(reason.contains("refuses the STARK"), "{reason}");
        assert_eq!(done, expected);
    }
    // The batch is not in the way of another.
    fleet.delete(&batch).await.unwrap();
    assert!(!Embedded::is_in(above.path()));
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_objects_are_made_again() {
    let above = TempDir::new().unwrap();
    let fleet = open(above.path()).await;
    let batch = fleet.submit(&executed(&SHARDS)).await.unwrap();
    prove(&fleet, &batch).await.0.unwrap();
    for (lost, expected) in [(&["proof"] as &[&str], 1), (&["proof", "part"], 6)] {
        for folder in lost {
            fs::remove_dir_all(above.path().join(OBJECTS).join(folder)).unwrap();
        }
        let (proof, done) = prove(&fleet, &batch).await;
        check(&proof.unwrap());
        assert_eq!(done.len(), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_proven_from_the_witnesses_of_an_earlier_run_whatever_its_circuits() {
    let above = TempDir::new().unwrap();
    let fleet = open(above.path()).await;
    let stored = Stored {
        profile: Profile::UnsoundTest,
        circuits: ENGINE.key().id(),
        source: "5a",
        label: "batch.bin",
        before: &SHARDS[0].statement.before,
        after: &SHARDS[2].statement.after,
        data: None,
    };
    assert_eq!(fleet.stored(&stored).await.unwrap(), None);
    let old = Executed {
        circuits: [8; 32],
        ..executed(&SHARDS)
    };
    let old = fleet.submit(&old).await.unwrap();
    fleet.close().await.unwrap();
    remove_database(above.path()).unwrap();

    let fleet = open(above.path()).await;
    let new = fleet.stored(&stored).await.unwrap().unwrap();
    assert_ne!(new, old);
    let (proof, _) = prove(&fleet, &new).await;
    check(&proof.unwrap());
    let shorter = Stored {
        after: &SHARDS[1].statement.after,
        ..stored
    };
    assert_eq!(fleet.stored(&shorter).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_run_has_left_unfinished_is_left_alone() {
    let above = TempDir::new().unwrap();
    let fleet = open(above.path()).await;
    let mut broken = SHARDS[..2].to_vec();
    broken[0].siblings.reverse();
    let old = fleet.submit(&executed(&broken)).await.unwrap();
    let batch = fleet.submit(&executed(&SHARDS)).await.unwrap();
    let (proof, done) = prove(&fleet, &batch).await;
    check(&proof.unwrap());
    assert_eq!(done.len(), 6);
    let untouched = fleet.tree(&old).await.unwrap();
    assert!(untouched.jobs.iter().all(|job| job.attempt == 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_proof_is_made_too_and_an_interrupted_run_continues() {
    let above = TempDir::new().unwrap();
    let fleet = open(above.path()).await;
    let differences = differences(&SHARDS);
    let settled = Executed {
        data: Some(Data {
            differences: &differences,
            point: POINT,
        }),
        ..executed(&SHARDS)
    };
    let plain = fleet.submit(&executed(&SHARDS)).await.unwrap();
    prove(&fleet, &plain).await.0.unwrap();
    // What is proven is used.
    let batch = fleet.submit(&settled).await.unwrap();
    assert_ne!(batch, plain);
    let (proofs, done) = prove_all(&fleet, &batch).await;
    let proofs = proofs.unwrap();
    check(&proofs.validity);
    let made: Vec<_> = done.iter().filter(|done| !done.2).collect();
    assert_eq!(made, [&(Kind::Finish, 0, false), &(Kind::Wrap, 0, false)]);
    let expected = Statement {
        after: SHARDS[2].statement.after,
        ..SHARDS[0].statement
    };
    let settlement = proofs.settlement.clone().unwrap();
    ENGINE.check_wrapped(&settlement, &expected, POINT).unwrap();
    // Again, and with the queue lost: it is there.
    assert_eq!(prove_all(&fleet, &batch).await.1, []);
    fleet.close().await.unwrap();
    remove_database(above.path()).unwrap();
    let fleet = open(above.path()).await;
    assert_eq!(fleet.submit(&settled).await.unwrap(), batch);
    let (again, done) = prove_all(&fleet, &batch).await;
    assert_eq!(again.unwrap().settlement, Some(settlement));
    let made: Vec<_> = done.iter().filter(|done| !done.2).collect();
    assert_eq!(made, [&(Kind::Finish, 0, false)]);
}
