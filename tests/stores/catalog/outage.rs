//! The server goes away and comes back, refuses, or does not answer.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use orbit_core::port::Kind;
use orbit_core::testing::samples::{NOW, action_id, image};
use orbit_store::{MySql, MySqlSettings, SharedStore as _};
use sqlx::MySqlConnection;

use super::{Place, root, say};
use crate::servers;

/// Long enough for a call on a busy machine.
const CALL: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_restarts_is_used_again_without_a_restart_of_the_program() {
    let server = servers::own_mariadb();
    let place = Place::on(&server).within(CALL);
    let mysql = place.set_up().await;
    let catalog = mysql.catalog();
    let image = image(1, 1);
    catalog.insert(&image, &action_id(1)).await.unwrap();
    // All connections are open.
    join_all((0..8).map(|_| catalog.find(&image.id))).await;
    server.stop();
    let begun = Instant::now();
    for result in join_all((0..8).map(|_| catalog.find(&image.id))).await {
        let fault = result.unwrap_err();
        assert_eq!(fault.kind(), Kind::Unavailable, "{fault:?}");
        assert!(fault.chain().contains(&format!("database {}", place.name)), "{fault:?}");
    }
    let fault = catalog.swap(1, &image.deleted(NOW), &action_id(2)).await.unwrap_err();
    assert_eq!(fault.kind(), Kind::Unavailable, "{fault:?}");
    assert_eq!(mysql.ready().await.unwrap_err().kind(), Kind::Unavailable);
    // Eight at once and two others, each within its time.
    assert!(begun.elapsed() < CALL * 4, "{:?}", begun.elapsed());
    server.start_again();
    for result in join_all((0..8).map(|_| catalog.find(&image.id))).await {
        assert_eq!(result.unwrap().unwrap().revision, 1);
    }
    assert_eq!(catalog.swap(1, &image.deleted(NOW), &action_id(2)).await.unwrap().revision, 2);
    mysql.ready().await.unwrap();
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_unavailable_in_time() {
    let place = Place::new().within(CALL);
    let mysql = place.set_up().await;
    let catalog = mysql.catalog();
    let image = image(1, 1);
    catalog.insert(&image, &action_id(1)).await.unwrap();
    let other = &mut root(servers::mariadb(), &place.name).await;
    say(other, "LOCK TABLES images WRITE, image_documents WRITE").await;
    let begun = Instant::now();
    // More than there are connections: some wait for one, and some for an answer.
    for result in join_all((0..12).map(|_| catalog.find(&image.id))).await {
        let fault = result.unwrap_err();
        assert_eq!(fault.kind(), Kind::Unavailable);
        assert!(fault.chain().ends_with("did not answer in time"), "{fault:?}");
    }
    assert!(begun.elapsed() < CALL * 2, "{:?}", begun.elapsed());
    say(other, "UNLOCK TABLES").await;
    assert!(catalog.find(&image.id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_connection_that_the_server_ends_is_replaced() {
    let place = Place::new();
    let mysql = place.set_up().await;
    let catalog = mysql.catalog();
    let image = image(1, 1);
    catalog.insert(&image, &action_id(1)).await.unwrap();
    let other = &mut root(servers::mariadb(), &place.name).await;
    for round in 1..4 {
        let of_place = "SELECT id FROM information_schema.processlist WHERE db = DATABASE()
            AND user = 'orbit'";
        let ids: Vec<i64> = sqlx::query_scalar(of_place).fetch_all(&mut *other).await.unwrap();
        for id in ids {
            say(other, &format!("KILL {id}")).await;
        }
        let swapped = catalog.swap(round, &image.deleted(NOW), &action_id(9)).await;
        assert_eq!(swapped.unwrap().revision, round + 1);
    }
}

#[tokio::test]
async fn a_server_that_takes_no_writes_is_left_and_told() {
    let server = servers::own_mariadb();
    let place = Place::on(&server).within(CALL);
    place.set_up().await;
    let root = &mut root(&server, &place.name).await;
    // The user of the other tests may write all the same.
    say(root, "CREATE USER portal; GRANT ALL ON *.* TO portal").await;
    say(root, "REVOKE SUPER, READ_ONLY ADMIN ON *.* FROM portal").await;
    let url = format!("mysql://portal@127.0.0.1:{}/{}", server.port(), place.name);
    let settings = MySqlSettings { url: url.parse().unwrap(), ..place.settings.clone() };
    let mysql = MySql::connect(&settings).unwrap();
    let (catalog, image) = (mysql.catalog(), image(1, 1));
    catalog.insert(&image, &action_id(1)).await.unwrap();
    mysql.ready().await.unwrap();
    let before = connections(root).await;
    say(root, "SET GLOBAL read_only = ON").await;
    let swapped = catalog.swap(1, &image.deleted(NOW), &action_id(2)).await;
    for fault in [swapped.unwrap_err(), mysql.ready().await.unwrap_err()] {
        assert_eq!(fault.kind(), Kind::Unavailable, "{fault:?}");
        assert!(fault.chain().contains("the server takes no writes"), "{fault:?}");
    }
    assert!(catalog.find(&image.id).await.unwrap().is_some(), "reading goes on");
    // Another server may have the name by now, and only a new connection finds it.
    let after = connections(root).await;
    assert!(before.iter().all(|id| !after.contains(id)), "{before:?} {after:?}");
    say(root, "SET GLOBAL read_only = OFF").await;
    assert_eq!(catalog.swap(1, &image.deleted(NOW), &action_id(2)).await.unwrap().revision, 2);
    mysql.ready().await.unwrap();
}

/// Returns the numbers of the connections of `portal`.
async fn connections(root: &mut MySqlConnection) -> Vec<i64> {
    let ids = "SELECT id FROM information_schema.processlist WHERE user = 'portal'";
    sqlx::query_scalar(ids).fetch_all(root).await.unwrap()
}

/// Returns settings like those of a place, with another address.
fn at(place: &Place, url: &str) -> MySql {
    let url = url.replace("PORT", &servers::mariadb().port().to_string());
    let url = format!("{url}/{}", place.name);
    let url = url.strip_suffix('/').unwrap_or(&url).parse().unwrap();
    MySql::connect(&MySqlSettings { url, ..place.settings.clone() }).unwrap()
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_not_shown() {
    let place = Place::new();
    place.set_up().await;
    let mysql = at(&place, "mysql://orbit:hunter2@127.0.0.1:PORT");
    let refused = [mysql.ready().await.unwrap_err(), mysql.setup().await.unwrap_err()];
    for fault in refused {
        let text = fault.chain();
        assert_eq!(fault.kind(), Kind::Rejected, "{text}");
        assert!(text.contains("Access denied for user 'orbit'"), "{text}");
        assert!(text.contains("expected a user, password and rights"), "{text}");
        assert!(!format!("{fault:?} {mysql:?}").contains("hunter2"));
    }
    // An action that is under way may go on once somebody has put the password right.
    let fault = mysql.catalog().find(&image(1, 1).id).await.unwrap_err();
    assert_eq!(fault.kind(), Kind::Unavailable);
}

#[tokio::test]
async fn tls_that_the_server_does_not_offer_is_not_done_without() {
    let place = Place::new();
    place.set_up().await;
    let port = servers::mariadb().port();
    let url = format!("mysql://root@127.0.0.1:{port}/{}?ssl-mode=REQUIRED", place.name);
    let settings = MySqlSettings { url: url.parse().unwrap(), ..place.settings };
    let fault = MySql::connect(&settings).unwrap().ready().await.unwrap_err();
    let text = fault.chain();
    assert_eq!(fault.kind(), Kind::Rejected, "{text}");
    assert!(text.contains("`ssl-mode` asks for TLS that the server does not offer"), "{text}");
    assert!(text.contains("server does not support TLS"), "{text}");
}

#[tokio::test]
async fn settings_that_allow_nothing_are_refused() {
    let mut settings = Place::new().settings;
    settings.connections = 0;
    assert_eq!(MySql::connect(&settings).unwrap_err().kind(), Kind::Rejected);
}
