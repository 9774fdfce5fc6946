use std::fs;
use std::path::Path;

use orbit_core::place::{ChartPlace, RecordTable, Shelf};
use orbit_core::port::{Record, RecordKey};
use orbit_core::{Environments, Timestamp};
use serde_json::json;
use tempfile::TempDir;

use super::testing::{action, all, begin, body, chart, development, image, open, slot, stores};
use super::{Directory, Embedded, OpenFault, Sharing};

async fn refusal(dir: &Path) -> OpenFault {
    Embedded::open(dir, &Environments::default()).await.unwrap_err()
}

fn record() -> Record {
    let key = RecordKey {
        table: RecordTable::UserData,
        partition: "ada".to_owned(),
        sort: action(1).to_string(),
    };
    let at = Timestamp::from_millis(1_737_799_200_123);
    Record { key, body: json!({ "size": 1 }), at, writer: action(1) }
}

fn place() -> ChartPlace {
    let chart = chart(1);
    let revision = chart.revision();
    ChartPlace { shelf: Shelf::Live(development()), image: chart.image, revision }
}

#[tokio::test]
async fn a_second_process_is_told_which_directory_is_in_use() {
    let (dir, stores) = stores().await;
    let fault = refusal(dir.path()).await;
    assert_eq!(
        fault.to_string(),
        format!(
            "the data directory {} is open in another process, expected to be the only one",
            dir.path().display()
        )
    );
    drop(stores);
    open(&dir).await;
}

#[tokio::test]
async fn a_store_that_is_still_held_keeps_the_directory_locked() {
    let (dir, stores) = stores().await;
    let catalog = stores.catalog();
    drop(stores);
    assert!(matches!(refusal(dir.path()).await, OpenFault::InUse { .. }));
    drop(catalog);
    open(&dir).await;
}

#[tokio::test]
async fn everything_is_there_after_reopening() {
    let (dir, stores) = stores().await;
    let installation = stores.installation().to_owned();
    let object = stores.images().put(&slot(1), &action(1), body(b"archive")).await.unwrap();
    let row = stores.catalog().insert(&image(1, "Trolls"), &action(1)).await.unwrap();
    let chart = stores.charts().put(&place(), &action(1), &chart(1)).await.unwrap();
    stores.records().put(&record()).await.unwrap();
    stores.log().begin(&begin(1, 1)).await.unwrap();
    let history = stores.log().load(&action(1)).await.unwrap();
    stores.close().await;
    drop(stores);

    let stores = open(&dir).await;
    assert_eq!(stores.installation(), installation);
    assert_eq!(stores.images().find(&slot(1)).await.unwrap().as_ref(), Some(&object));
    let bytes = stores.images().read(&slot(1), &object.tag, None).await.unwrap();
    assert_eq!(all(bytes).await.unwrap(), b"archive");
    assert_eq!(stores.catalog().find(&row.image.id).await.unwrap().as_ref(), Some(&row));
    assert_eq!(stores.charts().find(&place()).await.unwrap().as_ref(), Some(&chart));
    assert_eq!(stores.records().find(&record().key).await.unwrap(), Some(record()));
    assert!(history.is_some());
    assert_eq!(stores.log().load(&action(1)).await.unwrap(), history);
}

#[tokio::test]
async fn charts_events_and_records_are_found_under_the_missions_table_names() {
    let (_dir, stores) = stores().await;
    stores.charts().put(&place(), &action(1), &chart(1)).await.unwrap();
    stores.records().put(&record()).await.unwrap();
    stores.log().begin(&begin(1, 1)).await.unwrap();
    let (at, unix) = ("2025-01-25 10:00:00".to_owned(), "1737799200".to_owned());
    for sql in [
        r#"SELECT created_timestamp_utc, created_timestamp_unix FROM "user-data-1612-tbl-k8d-aws""#,
        r#"SELECT created_timestamp_utc, created_timestamp_unix
           FROM "scan-image-event-log-1621-tbl-k8d-aws""#,
    ] {
        let rows: Vec<(String, String)> =
            sqlx::query_as(sql).fetch_all(stores.database().read()).await.unwrap();
        assert_eq!(rows, [(at.clone(), unix.clone())]);
    }
    let charts: Vec<(String, bool)> = sqlx::query_as(
        r#"SELECT image_uid, datetime(created_timestamp_unix, 'unixepoch') = created_timestamp_utc
           FROM "k8or-kustomize-1609-tbl-k8d-aws""#,
    )
    .fetch_all(stores.database().read())
    .await
    .unwrap();
    assert_eq!(charts, [(place().image.uid.to_string(), true)]);
}

#[tokio::test]
async fn an_installation_file_that_is_gone_or_another_is_not_replaced() {
    let (dir, stores) = stores().await;
    let id = stores.installation().to_owned();
    drop(stores);
    let path = dir.path().join("installation");
    fs::remove_file(&path).unwrap();
    let said = refusal(dir.path()).await.to_string();
    assert!(said.ends_with(&format!("the database names {id}, expected the same one")), "{said}");
    fs::write(&path, "another\n").unwrap();
    assert!(matches!(refusal(dir.path()).await, OpenFault::Mixed { .. }));
    fs::write(&path, format!("{id}\n")).unwrap();
    open(&dir).await;
}

#[tokio::test]
async fn a_database_that_was_replaced_by_a_new_one_is_refused() {
    let (dir, stores) = stores().await;
    stores.close().await;
    drop(stores);
    fs::remove_file(dir.path().join("orbit.db")).unwrap();
    let said = refusal(dir.path()).await.to_string();
    assert!(said.contains("the database names none"), "{said}");
}

#[tokio::test]
async fn a_crash_while_the_first_id_is_drawn_is_survived() {
    let (dir, stores) = stores().await;
    let id = stores.installation().to_owned();
    drop(stores);
    let path = dir.path().join("installation");
    fs::rename(&path, dir.path().join("installation.new")).unwrap();
    assert_eq!(open(&dir).await.installation(), id);
    assert_eq!(fs::read_to_string(&path).unwrap().trim_end(), id);
}

#[tokio::test]
async fn a_database_of_a_later_version_is_refused() {
    let (dir, stores) = stores().await;
    let mut transaction = stores.database().write().await.unwrap();
    sqlx::raw_sql("PRAGMA user_version = 99").execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
    drop(stores);
    let said = refusal(dir.path()).await.to_string();
    assert_eq!(said, "the database has schema version 99, expected at most 2");
}

#[tokio::test]
async fn a_bucket_name_that_is_a_path_is_refused() {
    let dir = TempDir::new().unwrap();
    let mut specs: Vec<_> = Environments::default().into();
    specs[0].suffix = "../../k8d".to_owned();
    let environments = Environments::new(specs).unwrap();
    let fault = Embedded::open(dir.path(), &environments).await.unwrap_err();
    assert!(matches!(fault, OpenFault::Bucket { .. }), "{fault}");
}

#[tokio::test]
async fn a_directory_that_is_shared_is_open_to_all_who_share_it_and_to_no_other() {
    let dir = TempDir::new().unwrap();
    let share = || Directory::open(dir.path(), &Environments::default(), Sharing::Shared);
    let left = dir.path().join("partial/left");
    fs::create_dir_all(left.parent().unwrap()).unwrap();
    fs::write(&left, "half").unwrap();
    let first = share().unwrap();
    assert!(!left.exists(), "who comes first clears up");
    fs::write(&left, "half").unwrap();
    let second = share().unwrap();
    assert!(left.exists(), "what the first one writes was removed under it");
    assert!(matches!(refusal(dir.path()).await, OpenFault::InUse { .. }));
    let images = first.images().err().unwrap().to_string();
    let expected = "images in the data directory are for one process, and it is open to several";
    assert_eq!(images, expected);
    assert!(matches!(second.database().await, Err(OpenFault::Shared { .. })));
    drop((first, second));
    let alone = open(&dir).await;
    assert!(matches!(share(), Err(OpenFault::InUse { .. })));
    drop(alone);
}

#[tokio::test]
async fn a_new_directory_joins_an_installation_once() {
    let dir = TempDir::new().unwrap();
    let open = || Directory::open(dir.path(), &Environments::default(), Sharing::Shared).unwrap();
    assert_eq!(open().installation(None).await.unwrap(), None);
    open().join(None, "an-installation").await.unwrap();
    assert_eq!(open().installation(None).await.unwrap().as_deref(), Some("an-installation"));
    let said = refusal(dir.path()).await.to_string();
    assert!(said.contains("names installation an-installation"), "{said}");
}
