//! What is longer than an item can be.

use orbit_core::place::{RecordTable, Shelf};
use orbit_core::port::{ActionFilter, Begin, Begun, EventFilter, Kind, Record, RecordKey};
use orbit_core::request::Ask;
use orbit_core::saga::{Fact, Failure, Outcome};
use orbit_core::testing::samples::{NOW, action_id, begin, chart, chart_place, development, entry};
use serde_json::json;

use super::rig::{SERVERS, event, n_parts, names, noise, tables_named};

/// More than an item can hold, compressed or not.
const LONG: usize = 1_000_000;

fn record(n_letters: usize) -> Record {
    let (table, partition) = (RecordTable::ScanReport, "a".to_owned());
    let key = RecordKey { table, partition, sort: "report".to_owned() };
    Record { key, body: json!({ "text": noise(n_letters) }), at: NOW, writer: action_id(1) }
}

#[tokio::test]
async fn a_record_of_any_length_is_kept_and_leaves_nothing_behind() {
    for server in SERVERS {
        let names = names();
        let records = tables_named(server(), &names).await.records();
        // Kept as it is, compressed, and in parts.
        for n_letters in [100, 200_000, 4 * LONG] {
            let record = record(n_letters);
            for _ in 0..2 {
                records.put(&record).await.unwrap();
            }
            assert_eq!(records.find(&record.key).await.unwrap(), Some(record.clone()));
            let other = Record { body: json!({ "text": noise(n_letters / 2) }), ..record.clone() };
            assert_eq!(records.put(&other).await.unwrap_err().kind(), Kind::Conflict);
            assert_eq!(records.find(&record.key).await.unwrap(), Some(record.clone()));
            records.remove(&record.key, &record.writer).await.unwrap();
            assert_eq!(records.find(&record.key).await.unwrap(), None);
            assert_eq!(n_parts(server(), &names).await, 0);
        }
    }
}

#[tokio::test]
async fn what_is_too_long_is_refused_with_its_size_and_the_limit() {
    let records = tables_named(SERVERS[0](), &names()).await.records();
    let body = json!({ "text": "x".repeat(33 << 20) });
    let refused = records.put(&Record { body, ..record(1) }).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Rejected);
    let text = refused.to_string();
    let says = "the record (a, report) in ScanReport takes 346";
    assert!(text.starts_with(says) && text.ends_with("expected at most 33554432"), "{text}");
    let short = record(1);
    let key = RecordKey { partition: "p".repeat(999), ..short.key.clone() };
    let refused = records.put(&Record { key, ..short }).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Rejected);
    assert!(refused.to_string().contains("has 1005 bytes"), "{refused}");
}

#[tokio::test]
async fn a_chart_longer_than_an_item_is_kept() {
    for server in SERVERS {
        let names = names();
        let charts = tables_named(server(), &names).await.charts();
        let mut chart = chart(1, 1);
        chart.image_name = noise(LONG);
        let place = chart_place(Shelf::Live(development()), &chart);
        let stored = charts.put(&place, &action_id(1), &chart).await.unwrap();
        assert_eq!(charts.put(&place, &action_id(2), &chart).await.unwrap(), stored);
        assert_eq!(charts.find(&place).await.unwrap(), Some(stored.clone()));
        assert_eq!(charts.list(&place.shelf, &place.image).await.unwrap(), [stored]);
        charts.remove(&place, &action_id(1)).await.unwrap();
        assert_eq!(n_parts(server(), &names).await, 0);
    }
}

fn long_begin(id: u32) -> Begin {
    let mut begin = begin(id, 1, "a");
    begin.record.request.ask = Ask::Transfer { from: None, expected: None };
    begin.record.actor.first_name = noise(LONG);
    begin.event.draft.detail = json!({ "text": noise(LONG / 2) });
    begin
}

#[tokio::test]
async fn an_action_longer_than_an_item_is_kept_whole() {
    for server in SERVERS {
        let names = names();
        let tables = tables_named(server(), &names).await;
        let (log, audit, begin) = (tables.log(), tables.audit(), long_begin(1));
        let (id, owner) = (&begin.record.id, &begin.owner);
        for _ in 0..2 {
            assert!(matches!(log.begin(&begin).await.unwrap(), Begun::New(_)));
        }
        let n_before = n_parts(server(), &names).await;
        assert!(matches!(log.begin(&long_begin(2)).await.unwrap(), Begun::Busy(_)));
        assert_eq!(n_parts(server(), &names).await, n_before, "a refused begin left parts");

        let message = noise(LONG);
        let failure = Failure { error_type: "long".to_owned(), message, refused: true };
        let outcome = Outcome::Failed(failure.clone());
        let mut entries = vec![
            entry(&begin.record, 1, Fact::Refused(failure)),
            entry(&begin.record, 2, Fact::Ended(outcome.clone())),
        ];
        entries[0].events.push(event(&begin.record, 2));
        entries[0].events[0].draft.detail = json!({ "text": noise(LONG / 2) });
        for entry in &entries {
            for _ in 0..2 {
                log.append(id, owner, entry).await.unwrap();
            }
        }
        let history = log.load(id).await.unwrap().unwrap();
        assert_eq!(history.record, begin.record);
        assert_eq!((history.entries, history.n_events), (entries.clone(), 2));
        let filter = ActionFilter { limit: 9, ..ActionFilter::default() };
        let actions = audit.actions(&filter).await.unwrap().actions;
        assert_eq!(actions.len(), 1);
        assert_eq!(actions[0].2, Some((outcome, entries[1].at)));
        let filter = EventFilter { limit: 9, ..EventFilter::default() };
        let events = audit.events(&filter).await.unwrap().events;
        assert_eq!(events, [begin.event.clone(), entries[0].events[0].clone()]);
    }
}

#[tokio::test]
async fn an_entry_holds_96_events_and_no_more() {
    for server in SERVERS {
        let log = tables_named(server(), &names()).await.log();
        let begin = begin(1, 1, "a");
        log.begin(&begin).await.unwrap();
        let with_events = |n: u32| {
            let mut entry = entry(&begin.record, 1, Fact::Refused(failure_of_length(30_000)));
            // As long as events can be without parts.
            entry.events = (2..n + 2).map(|sequence| event(&begin.record, sequence)).collect();
            for event in &mut entry.events {
                event.draft.detail = json!({ "text": noise(30_000) });
            }
            entry
        };
        let refused = log.append(&begin.record.id, &begin.owner, &with_events(97)).await;
        let refused = refused.unwrap_err();
        assert_eq!(refused.kind(), Kind::Rejected);
        assert!(refused.to_string().ends_with("has 97 events, expected at most 96"), "{refused}");
        let most = with_events(96);
        log.append(&begin.record.id, &begin.owner, &most).await.unwrap();
        let history = log.load(&begin.record.id).await.unwrap().unwrap();
        assert_eq!(history.entries, [most]);
    }
}

fn failure_of_length(n_letters: usize) -> Failure {
    let message = noise(n_letters);
    Failure { error_type: "long".to_owned(), message, refused: true }
}
