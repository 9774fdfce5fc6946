//! Many writers at once.

use std::time::Duration;

use futures_util::future::join_all;
use orbit_core::port::Kind;
use orbit_core::testing::samples::{NOW, action_id, image, image_id};
use sqlx::{MySqlConnection, Row as _};

use super::{Place, root, say};
use crate::servers;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_inserts_of_one_image_one_wins() {
    let mysql = Place::new().set_up().await;
    let catalog = mysql.catalog();
    let image = image(1, 1);
    let inserts = (0..8).map(|n| {
        let (catalog, image) = (&catalog, &image);
        async move { catalog.insert(image, &action_id(n)).await }
    });
    let results = join_all(inserts).await;
    let won: Vec<_> = results.iter().flatten().collect();
    assert_eq!(won.len(), 1, "{results:?}");
    assert!(results.iter().filter_map(|r| r.as_ref().err()).all(|e| e.kind() == Kind::Conflict));
    assert_eq!(catalog.find(&image.id).await.unwrap().as_ref(), Some(won[0]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_swaps_from_one_revision_one_wins() {
    let mysql = Place::new().set_up().await;
    let catalog = mysql.catalog();
    let image = image(1, 1);
    catalog.insert(&image, &action_id(1)).await.unwrap();
    for expected in 1..=5 {
        let swaps = (0..8).map(|n| {
            let mut changed = image.clone();
            changed.labels.name = format!("by {n} at {expected}");
            let catalog = &catalog;
            async move { catalog.swap(expected, &changed, &action_id(n)).await }
        });
        let results = join_all(swaps).await;
        let won: Vec<_> = results.iter().flatten().collect();
        assert_eq!(won.len(), 1, "{results:?}");
        assert_eq!(won[0].revision, expected + 1);
        let lost = results.iter().filter_map(|result| result.as_ref().err());
        assert!(lost.into_iter().all(|fault| fault.kind() == Kind::Conflict), "{results:?}");
        assert_eq!(catalog.find(&image.id).await.unwrap().as_ref(), Some(won[0]));
    }
}

/// Every writer inserts images of its own and swaps those of all, with texts that have pieces in common.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_do_not_stop_each_other() {
    let mysql = Place::new().set_up().await;
    let catalog = mysql.catalog();
    for n in 0..4 {
        catalog.insert(&image(n, 1), &action_id(1)).await.unwrap();
    }
    let writers = (0..8_u32).map(|writer| {
        let catalog = &catalog;
        async move {
            for round in 0..10 {
                let own = image(100 + writer, 1 + round);
                catalog.insert(&own, &action_id(writer)).await.unwrap();
                let id = image_id((writer + round) % 4, 1);
                let there = catalog.find(&id).await.unwrap().unwrap();
                let mut changed = there.image.clone();
                changed.labels.description = Some(format!("round {round} of writer {writer}"));
                let swap = catalog.swap(there.revision, &changed, &action_id(writer)).await;
                assert!(swap.is_ok() || swap.unwrap_err().kind() == Kind::Conflict);
            }
        }
    });
    join_all(writers).await;
    for writer in 0..8 {
        assert_eq!(catalog.versions(&image(100 + writer, 1).id.uid).await.unwrap().len(), 10);
    }
}

/// Returns once somebody waits for a lock of this connection.
async fn until_somebody_waits(connection: &mut MySqlConnection) {
    let mut n = 0_i64;
    while n == 0 {
        let waits = "SELECT COUNT(*) FROM information_schema.innodb_lock_waits
            JOIN information_schema.innodb_trx ON trx_id = blocking_trx_id
            WHERE trx_mysql_thread_id = CONNECTION_ID()";
        n = sqlx::query_scalar(waits).fetch_one(&mut *connection).await.unwrap();
        // The server renews what it says of its locks only for who has not asked for 0.1 s.
        tokio::time::sleep(Duration::from_millis(110)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_victim_of_a_deadlock_tries_again() {
    let place = Place::new();
    let mysql = place.set_up().await;
    let catalog = mysql.catalog();
    let image = image(1, 1);
    catalog.insert(&image, &action_id(1)).await.unwrap();
    let other = &mut root(servers::mariadb(), &place.name).await;
    // The server ends the transaction that has changed less, so this one changes more.
    say(other, "CREATE TABLE heavy AS SELECT seq FROM seq_1_to_1000; BEGIN").await;
    say(other, "UPDATE heavy SET seq = seq + 1; SELECT * FROM image_documents FOR UPDATE").await;
    let deleted = image.deleted(NOW);
    let second = action_id(2);
    let swap = catalog.swap(1, &deleted, &second);
    let quarrel = async {
        until_somebody_waits(other).await;
        say(other, "SELECT * FROM images FOR UPDATE; ROLLBACK").await;
    };
    let (swapped, ()) = tokio::join!(swap, quarrel);
    assert_eq!(swapped.unwrap().revision, 2);
    let deadlocks = sqlx::query("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'");
    let deadlocks: String = deadlocks.fetch_one(other).await.unwrap().get(1);
    assert_ne!(deadlocks, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_is_kept_too_long_makes_a_swap_unavailable() {
    let place = Place::new().within(Duration::from_millis(1_500));
    let mysql = place.set_up().await;
    let catalog = mysql.catalog();
    let image = image(1, 1);
    catalog.insert(&image, &action_id(1)).await.unwrap();
    let other = &mut root(servers::mariadb(), &place.name).await;
    say(other, "BEGIN; SELECT * FROM images FOR UPDATE").await;
    let fault = catalog.swap(1, &image.deleted(NOW), &action_id(2)).await.unwrap_err();
    assert_eq!(fault.kind(), Kind::Unavailable, "{fault:?}");
    say(other, "ROLLBACK").await;
    assert_eq!(catalog.swap(1, &image.deleted(NOW), &action_id(2)).await.unwrap().revision, 2);
}
