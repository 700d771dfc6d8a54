//! Who may work.

use super::*;

#[tokio::test]
async fn only_an_enrolled_key_may_work_and_under_its_name() {
    on_both(async |fleet| {
        let key = fleet.key("a").public();
        let refused = fleet.queue.worker_of(&key).await.unwrap_err();
        assert!(
            matches!(refused, QueueError::NotEnrolled { .. }),
            "{refused}"
        );
        assert!(refused.to_string().contains(&key.to_string()), "{refused}");
        let circuits = hex::encode(batch::CIRCUITS);
        let refused = fleet
            .register_instance("a", &Kind::ALL, MEMORY, &circuits)
            .await;
        assert!(
            matches!(refused, Err(QueueError::NotEnrolled { .. })),
            "{refused:?}"
        );
        assert_eq!(fleet.queue.key_of("a").await.unwrap(), None);
        // Twice is the same.
        for _ in 0..2 {
            fleet.register("a").await;
            assert_eq!(fleet.queue.worker_of(&key).await.unwrap(), "a");
            assert_eq!(fleet.queue.key_of("a").await.unwrap(), Some(key));
        }
    })
    .await;
}

#[tokio::test]
async fn a_name_has_one_key_and_a_key_one_name() {
    on_both(async |fleet| {
        fleet.register("a").await;
        let (own, other) = (fleet.key("a").public(), fleet.key("b").public());
        for (name, key) in [("a", &other), ("b", &own)] {
            let refused = fleet.queue.register(name, key).await.unwrap_err();
            assert!(matches!(refused, QueueError::Taken { .. }), "{refused}");
        }
        assert_eq!(fleet.queue.worker_of(&own).await.unwrap(), "a");
        assert!(fleet.queue.worker_of(&other).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_dismissed_worker_is_refused_until_it_is_enrolled_again() {
    on_both(async |fleet| {
        fleet.register("a").await;
        let key = fleet.key("a").public();
        fleet.queue.revoke("a").await.unwrap();
        let refused = fleet.queue.worker_of(&key).await.unwrap_err();
        assert!(matches!(refused, QueueError::Revoked { .. }), "{refused}");
        // What it signed before can still be checked.
        assert_eq!(fleet.queue.key_of("a").await.unwrap(), Some(key));
        fleet.register("a").await;
        assert_eq!(fleet.queue.worker_of(&key).await.unwrap(), "a");

        let refused = fleet.queue.revoke("nobody").await.unwrap_err();
        assert!(matches!(refused, QueueError::NoWorker { .. }), "{refused}");
    })
    .await;
}

#[tokio::test]
async fn a_worker_with_other_circuits_is_refused_and_told_which() {
    on_both(async |fleet| {
        fleet.submit(1, 1).await;
        fleet.register("a").await;
        let (own, fleets) = ("ab".repeat(32), hex::encode(batch::CIRCUITS));
        let refused = fleet
            .register_instance("a", &Kind::ALL, MEMORY, &own)
            .await
            .unwrap_err();
        assert!(
            matches!(refused, QueueError::OtherCircuits { .. }),
            "{refused}"
        );
        for key in [&own, &fleets] {
            assert!(refused.to_string().contains(key.as_str()), "{refused}");
        }
        fleet.worker("a").await;
    })
    .await;
}

#[tokio::test]
async fn circuits_are_of_the_past_when_no_open_batch_has_them() {
    on_both(async |fleet| {
        let old = fleet.submit(1, 1).await;
        fleet.pass(Duration::from_secs(1)).await;
        let new_manifest = batch::manifest_for([8; 32], 1, 1);
        let old_key = hex::encode(batch::CIRCUITS);
        fleet.submit_manifest(&new_manifest).await;
        fleet.register("new").await;
        let new = fleet.register_instance("new", &Kind::ALL, MEMORY, new_manifest.circuits());
        new.await.unwrap();
        // Workers with the old ones end what was begun with them.
        fleet.worker("old").await;
        for kind in [Kind::Shard, Kind::Finish] {
            let claimed = fleet.work("old").await;
            assert_eq!((&claimed.batch, claimed.kind), (&old, kind));
        }
        let refused = fleet
            .register_instance("old", &Kind::ALL, MEMORY, &old_key)
            .await;
        let refused = refused.unwrap_err();
        assert!(
            matches!(refused, QueueError::OtherCircuits { .. }),
            "{refused}"
        );
        // Whoever goes back to them may.
        fleet.pass(Duration::from_secs(1)).await;
        fleet.submit(2, 2).await;
        fleet.worker("old").await;
    })
    .await;
}
