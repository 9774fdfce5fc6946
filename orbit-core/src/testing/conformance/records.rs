use serde_json::json;

use super::{Works as _, assert_fails};
use crate::Timestamp;
use crate::place::RecordTable;
use crate::port::{Kind, Record, RecordFilter, RecordKey, Records};
use crate::query::Cursor;
use crate::testing::samples::{NOW, action_id};

/// Checks empty [`Records`].
///
/// # Panics
/// Where the contract is broken.
pub async fn records(store: &dyn Records) {
    a_record_is_put_once(store).await;
    only_its_writers_removal_removes(store).await;
    pages_are_newest_first_and_whole(store).await;
}

fn record(table: RecordTable, partition: &str, sort: &str, n: u32) -> Record {
    let (partition, sort) = (partition.to_owned(), sort.to_owned());
    let at = Timestamp::from_millis(NOW.millis() + i64::from(n / 2));
    let body = json!({ "n": n, "text": "quote ' and \"double\" \u{1F980}" });
    Record { key: RecordKey { table, partition, sort }, body, at, writer: action_id(n) }
}

async fn a_record_is_put_once(store: &dyn Records) {
    let first = record(RecordTable::UserData, "james", "1", 1);
    assert_eq!(store.find(&first.key).await.works("a find"), None);
    for _ in 0..2 {
        store.put(&first).await.works("a put");
        assert_eq!(store.find(&first.key).await.works("a find"), Some(first.clone()));
    }
    let other = Record { body: json!({}), ..first.clone() };
    assert_fails(store.put(&other).await, Kind::Conflict, "another record under the same key");
    let elsewhere = RecordKey { table: RecordTable::UserInput, ..first.key };
    assert_eq!(store.find(&elsewhere).await.works("a find in another table"), None);
}

async fn only_its_writers_removal_removes(store: &dyn Records) {
    let record = record(RecordTable::ScanReport, "a", "report", 2);
    store.remove(&record.key, &action_id(2)).await.works("a removal of nothing");
    store.put(&record).await.works("a put");
    assert_fails(
        store.remove(&record.key, &action_id(3)).await,
        Kind::Conflict,
        "a removal by another writer",
    );
    for _ in 0..2 {
        store.remove(&record.key, &action_id(2)).await.works("a removal");
        assert_eq!(store.find(&record.key).await.works("a find"), None);
    }
}

async fn pages_are_newest_first_and_whole(store: &dyn Records) {
    let table = RecordTable::ErrorLog;
    let mut all = Vec::new();
    for n in 0..9 {
        let user = if n % 3 == 0 { "madamecoco" } else { "jamesbond" };
        all.push(record(table, user, &format!("{n}"), n));
    }
    for record in &all {
        store.put(record).await.works("a put");
    }
    all.sort_by(|a, b| (b.at, &b.key).cmp(&(a.at, &a.key)));
    let filter = RecordFilter {
        table,
        partition: None,
        writer: None,
        from: None,
        to: None,
        cursor: None,
        limit: 2,
    };
    assert_eq!(collect(store, filter.clone()).await, all);
    let of_user = RecordFilter { partition: Some("jamesbond".to_owned()), ..filter.clone() };
    let expected: Vec<_> = all.iter().filter(|r| r.key.partition == "jamesbond").cloned().collect();
    assert_eq!(collect(store, of_user.clone()).await, expected);
    let (from, to) =
        (Timestamp::from_millis(NOW.millis() + 1), Timestamp::from_millis(NOW.millis() + 3));
    let between = RecordFilter { from: Some(from), to: Some(to), ..filter.clone() };
    let expected: Vec<_> = all.iter().filter(|r| r.at >= from && r.at < to).cloned().collect();
    assert_eq!(collect(store, between).await, expected);
    let of_action = RecordFilter { writer: Some(action_id(4)), ..filter.clone() };
    assert_eq!(collect(store, of_action).await.len(), 1);
    let page = store.query(&filter).await.works("a query");
    let moved = RecordFilter { cursor: page.next, ..of_user };
    assert_fails(store.query(&moved).await, Kind::Rejected, "a cursor of another query");
    let forged = RecordFilter { cursor: Some(Cursor::from("x".to_owned())), ..filter };
    assert_fails(store.query(&forged).await, Kind::Rejected, "a forged cursor");
}

async fn collect(store: &dyn Records, mut filter: RecordFilter) -> Vec<Record> {
    let mut found = Vec::new();
    loop {
        let page = store.query(&filter).await.works("a query");
        assert!(page.records.len() <= 2, "a page holds more than its limit");
        found.extend(page.records);
        filter.cursor = page.next;
        if filter.cursor.is_none() {
            return found;
        }
    }
}
