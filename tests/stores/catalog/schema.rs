//! Setting a database up, and refusing one that is not.

use futures_util::future::join_all;
use orbit_core::port::Kind;
use orbit_core::testing::conformance;
use orbit_store::{MySql, SharedStore as _, Step};

use super::{Place, root, say};
use crate::servers;

async fn refusal(mysql: &MySql) -> String {
    let fault = mysql.ready().await.unwrap_err();
    assert_eq!(fault.kind(), Kind::Rejected, "{fault:?}");
    fault.chain()
}

#[tokio::test]
async fn a_setup_makes_what_is_missing_and_says_so_once() {
    let place = Place::new();
    let mysql = place.connect();
    let text = refusal(&mysql).await;
    assert!(text.contains("`orbit setup` makes what is missing"), "{text}");
    let what = format!("database {}", place.name);
    let steps = [Step::new(&what, "created"), Step::new(&what, "schema 0 became 1")];
    assert_eq!(mysql.setup().await.unwrap(), steps);
    mysql.ready().await.unwrap();
    assert_eq!(mysql.setup().await.unwrap(), []);
    assert!(mysql.template().is_empty());
}

#[tokio::test]
async fn a_database_that_somebody_created_is_filled() {
    let place = Place::new();
    let name = &place.name;
    // The worst character set and collation that it can have.
    let create = format!("CREATE DATABASE {name} CHARACTER SET latin1 COLLATE latin1_german2_ci");
    say(&mut root(servers::mariadb(), "mysql").await, &create).await;
    let mysql = place.connect();
    assert!(
        refusal(&mysql).await.contains("schema version 0, this program works with 1: run `orbit")
    );
    assert_eq!(mysql.setup().await.unwrap().len(), 1);
    conformance::search(&*mysql.catalog()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn setups_at_the_same_time_are_one() {
    let place = Place::new();
    let processes: Vec<_> = (0..5).map(|_| place.connect()).collect();
    let results = join_all(processes.iter().map(MySql::setup)).await;
    let steps = results.into_iter().flat_map(Result::unwrap);
    let migrated = steps.filter(|step| step.done.starts_with("schema")).count();
    assert_eq!(migrated, 1);
    processes[0].ready().await.unwrap();
    conformance::catalog(&*processes[1].catalog()).await;
}

#[tokio::test]
async fn a_table_that_was_lost_is_named_and_not_made_again() {
    let place = Place::new();
    let mysql = place.connect();
    mysql.setup().await.unwrap();
    say(&mut root(servers::mariadb(), &place.name).await, "DROP TABLE image_pieces").await;
    let expected = "has lost its table image_pieces, expected it, as a backup has it";
    assert!(refusal(&mysql).await.ends_with(expected));
    let error = mysql.setup().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Rejected);
    assert!(error.to_string().ends_with(expected), "{error}");
}

#[tokio::test]
async fn a_setup_that_was_cut_short_is_completed() {
    let place = Place::new();
    place.set_up().await.close().await;
    let other = &mut root(servers::mariadb(), &place.name).await;
    for half in [
        "DELETE FROM orbit_schema",
        "DELETE FROM orbit_schema; DROP TABLE image_pieces",
        "DROP TABLE orbit_schema, image_pieces, image_documents, images",
    ] {
        say(other, half).await;
        let mysql = place.connect();
        assert!(refusal(&mysql).await.contains("run `orbit setup`"));
        assert_eq!(mysql.setup().await.unwrap().len(), 1, "{half}");
        mysql.ready().await.unwrap();
    }
    conformance::catalog(&*place.connect().catalog()).await;
}

#[tokio::test]
async fn a_schema_of_a_later_program_is_refused_with_both_versions() {
    let place = Place::new();
    let mysql = place.set_up().await;
    let other = &mut root(servers::mariadb(), &place.name).await;
    say(other, "INSERT INTO orbit_schema (version) VALUES (2)").await;
    let fault = mysql.setup().await.unwrap_err();
    assert_eq!(fault.kind(), Kind::Rejected);
    for text in [refusal(&mysql).await, fault.chain()] {
        assert!(text.contains("has schema version 2, this program works with 1"), "{text}");
    }
}

#[tokio::test]
async fn a_setup_waits_for_another_no_longer_than_a_call_may_take() {
    let place = Place::new().within(std::time::Duration::from_secs(1));
    let mysql = place.set_up().await;
    let other = &mut root(servers::mariadb(), &place.name).await;
    let name = orbit_core::Digest::of(place.name.as_bytes());
    say(other, &format!("SELECT GET_LOCK('orbit-setup-{}', 1)", &name.hex()[..40])).await;
    let fault = mysql.setup().await.unwrap_err();
    assert_eq!(fault.kind(), Kind::Unavailable);
    assert!(fault.chain().starts_with("another setup of database"), "{fault:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_belongs_to_the_installation_that_joined_it_first() {
    let place = Place::new();
    let mysql = place.set_up().await;
    assert_eq!(mysql.installation().await.unwrap(), None);
    let ids = ["first", "second", "third", "fourth"];
    let joined = join_all(ids.map(|id| mysql.join(id))).await;
    let joined: Vec<_> = joined.into_iter().map(Result::unwrap).collect();
    assert!(joined.iter().all(|id| *id == joined[0]), "{joined:?}");
    assert_eq!(place.connect().installation().await.unwrap().as_ref(), Some(&joined[0]));
    let too_long = Place::new().set_up().await.join(&"x".repeat(300)).await;
    assert!(too_long.is_err());
}

#[tokio::test]
async fn a_database_that_was_never_set_up_has_no_place_for_an_id() {
    let place = Place::new();
    let mysql = place.connect();
    for fault in [mysql.installation().await.unwrap_err(), mysql.join("a").await.unwrap_err()] {
        assert_eq!(fault.kind(), Kind::Rejected);
        assert!(fault.chain().contains("`orbit setup`"), "{fault:?}");
    }
}
