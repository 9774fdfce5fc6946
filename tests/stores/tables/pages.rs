//! Pages over months, tables and more rows than one answer of DynamoDB holds.

use orbit_core::event::{Event, EventDraft, EventType, ResourceNumbers};
use orbit_core::place::RecordTable;
use orbit_core::port::{
    ActionFilter, Audit, Begin, EventFilter, Record, RecordFilter, RecordKey, Records, State,
};
use orbit_core::request::{Ask, Request};
use orbit_core::saga::{Fact, Outcome};
use orbit_core::testing::samples::{
    self, NOW, action_id, actor, begin, development, entry, image_id,
};
use orbit_core::{Timestamp, action};
use serde_json::{Value, json};

use super::rig::{SERVERS, event, failure, tables};

const DAY: i64 = 86_400_000;

fn later(days: i64) -> Timestamp {
    Timestamp::from_millis(NOW.millis() + days * DAY)
}

async fn all_events(audit: &dyn Audit, mut filter: EventFilter) -> Vec<Event> {
    let mut found = Vec::new();
    loop {
        let page = audit.events(&filter).await.unwrap();
        assert!(page.events.len() <= usize::try_from(filter.limit).unwrap());
        found.extend(page.events);
        filter.cursor = page.next;
        if filter.cursor.is_none() {
            return found;
        }
    }
}

#[tokio::test]
async fn a_filter_that_drops_most_of_megabytes_loses_nothing() {
    for server in SERVERS {
        let tables = tables(server()).await;
        let (log, audit) = (tables.log(), tables.audit());
        let begin = begin(1, 1, "a");
        log.begin(&begin).await.unwrap();
        // Rows of the index show the user, and with this one an answer holds some 450 of them.
        let username = super::rig::noise(1_900);
        let (mut expected, mut n_events) = (Vec::new(), 1_u32);
        for number in 1..=5 {
            let mut entry = entry(&begin.record, number, Fact::Refused(failure(false)));
            for _ in 0..96 {
                n_events += 1;
                let mut event = event(&begin.record, n_events);
                event.at = Timestamp::from_millis(NOW.millis() + i64::from(n_events));
                event.username.clone_from(&username);
                if n_events.is_multiple_of(100) {
                    event.image = image_id(1, 2);
                    expected.push(event.clone());
                }
                entry.events.push(event);
            }
            log.append(&begin.record.id, &begin.owner, &entry).await.unwrap();
        }
        let (uid, version) = (Some(image_id(1, 2).uid), Some(image_id(1, 2).version));
        let filter = EventFilter { uid, version, limit: 2, ..EventFilter::default() };
        assert_eq!(all_events(audit.as_ref(), filter.clone()).await, expected);
        expected.reverse();
        let newest_first = EventFilter { newest_first: true, ..filter };
        assert_eq!(all_events(audit.as_ref(), newest_first).await, expected);
        // More than one answer holds, and than one batch of reads.
        let all = EventFilter { limit: 500, ..EventFilter::default() };
        let events = audit.events(&all).await.unwrap();
        assert_eq!((events.events.len(), events.next), (481, None));
        let sequences = events.events.iter().map(|event| event.sequence);
        assert!(sequences.eq(1..=481), "events are missing or not in order");
    }
}

/// Begins an action of a kind, with an event of its kind.
fn begin_at(n: u32, ask: Ask, event: EventType, at: Timestamp) -> Begin {
    let request = Request { image: image_id(n, 1), ask };
    let mut begin = begin(n, n, "a");
    begin.record.request = request;
    begin.record.at = at;
    let numbers = ResourceNumbers { bucket: 6, charts: 9 };
    let draft = EventDraft { event, pid: event.pid(numbers, numbers), detail: Value::Null };
    begin.event = samples::event(&begin.record, 1, draft, at);
    begin
}

#[tokio::test]
async fn months_and_kinds_are_one_list_in_both_directions() {
    for server in SERVERS {
        let tables = tables(server()).await;
        let (log, audit) = (tables.log(), tables.audit());
        let mut events = Vec::new();
        for n in 0..12 {
            let at = later(i64::from(n) * 17);
            let begin = match n % 3 {
                0 => begin_at(n, Ask::Scan, EventType::ScanInitiated, at),
                1 => begin_at(n, Ask::Restore { expected: None }, EventType::RestoreInitiated, at),
                _ => begin_at(n, Ask::Delete, EventType::DeletionInitiated, at),
            };
            log.begin(&begin).await.unwrap();
            events.push(begin.event);
        }
        let all = EventFilter { limit: 2, ..EventFilter::default() };
        assert_eq!(all_events(audit.as_ref(), all.clone()).await, events);
        let newest_first = EventFilter { newest_first: true, ..all.clone() };
        let reversed: Vec<_> = events.iter().rev().cloned().collect();
        assert_eq!(all_events(audit.as_ref(), newest_first.clone()).await, reversed);
        let between = EventFilter { from: Some(later(34)), to: Some(later(102)), ..newest_first };
        let expected: Vec<_> = events[2..6].iter().rev().cloned().collect();
        assert_eq!(all_events(audit.as_ref(), between).await, expected);
        let user = Some(actor().username);
        let of_user = EventFilter { username: user, ..all.clone() };
        assert_eq!(all_events(audit.as_ref(), of_user).await, events);
        let of_kind = EventFilter { kind: Some(events[1].draft.event.action()), ..all.clone() };
        let expected: Vec<_> = events.iter().skip(1).step_by(3).cloned().collect();
        assert_eq!(all_events(audit.as_ref(), of_kind).await, expected);
        let action = Some(events[7].action.clone());
        let of_action = EventFilter { action, ..all.clone() };
        assert_eq!(all_events(audit.as_ref(), of_action).await, events[7..8]);
        for never in [Some(Timestamp::from_millis(-5)), Some(Timestamp::from_millis(0))] {
            let before = EventFilter { to: never, ..all.clone() };
            assert_eq!(all_events(audit.as_ref(), before).await, []);
        }
    }
}

async fn ids(audit: &dyn Audit, mut filter: ActionFilter) -> Vec<u32> {
    let mut found = Vec::new();
    loop {
        let page = audit.actions(&filter).await.unwrap();
        found.extend(page.actions.iter().map(|(record, ..)| record.id.clone()));
        filter.cursor = page.next;
        if filter.cursor.is_none() {
            let number = |id| (0..99).find(|n| action_id(*n) == id).unwrap();
            return found.into_iter().map(number).collect();
        }
    }
}

#[tokio::test]
async fn actions_are_found_by_state_kind_and_image_over_months() {
    for server in SERVERS {
        let tables = tables(server()).await;
        let (log, audit) = (tables.log(), tables.audit());
        for n in 0..12 {
            let (ask, event) = if n % 2 == 0 {
                (Ask::Scan, EventType::ScanInitiated)
            } else {
                (Ask::Delete, EventType::DeletionInitiated)
            };
            let begin = begin_at(n, ask, event, later(i64::from(n) * 10));
            log.begin(&begin).await.unwrap();
            let fact = match n % 3 {
                0 => continue,
                1 => Fact::Ended(Outcome::Failed(failure(false))),
                _ => Fact::Ended(Outcome::Unchanged { earlier: action_id(0) }),
            };
            let entry = entry(&begin.record, 1, fact);
            log.append(&begin.record.id, &begin.owner, &entry).await.unwrap();
        }
        let audit = audit.as_ref();
        let all = ActionFilter { limit: 2, ..ActionFilter::default() };
        let state = |state| ActionFilter { state: Some(state), ..all.clone() };
        assert_eq!(ids(audit, all.clone()).await, (0..12).rev().collect::<Vec<_>>());
        assert_eq!(ids(audit, state(State::Running)).await, [9, 6, 3, 0]);
        assert_eq!(ids(audit, state(State::Failed)).await, [10, 7, 4, 1]);
        assert_eq!(ids(audit, state(State::Succeeded)).await, [11, 8, 5, 2]);
        let kind = Some(begin(0, 0, "a").record.request.kind());
        let scans = ActionFilter { kind, ..all.clone() };
        assert_eq!(ids(audit, scans).await, [10, 8, 6, 4, 2, 0]);
        let failed_scans = ActionFilter { kind, ..state(State::Failed) };
        assert_eq!(ids(audit, failed_scans).await, [10, 4]);
        let uid = |n| Some(image_id(n, 1).uid);
        let running = |n| ActionFilter { uid: uid(n), ..state(State::Running) };
        assert_eq!(ids(audit, running(6)).await, [6]);
        assert_eq!(ids(audit, running(7)).await, [0; 0]);
        let failed = ActionFilter { uid: uid(7), ..state(State::Failed) };
        assert_eq!(ids(audit, failed).await, [7]);
    }
}

async fn all_records(records: &dyn Records, mut filter: RecordFilter) -> Vec<Record> {
    let mut found = Vec::new();
    loop {
        let page = records.query(&filter).await.unwrap();
        found.extend(page.records);
        filter.cursor = page.next;
        if filter.cursor.is_none() {
            return found;
        }
    }
}

#[tokio::test]
async fn records_are_found_newest_first_by_every_filter() {
    let table = RecordTable::DeploymentLog;
    for server in SERVERS {
        let records = tables(server()).await.records();
        let mut all = Vec::new();
        for n in 0..9_u32 {
            let (partition, sort) = (format!("a{}", n % 2), format!("resource {n}"));
            let key = RecordKey { table, partition, sort };
            // Long enough that a page of them is more than one batch of reads answers.
            let body = json!({ "text": "x".repeat(20), "noise": super::rig::noise(300_000) });
            let record =
                Record { key, body, at: later(i64::from(n / 2) * 20), writer: action_id(n % 3) };
            records.put(&record).await.unwrap();
            all.push(record);
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
        let matching = |is: &dyn Fn(&Record) -> bool| -> Vec<Record> {
            all.iter().filter(|record| is(record)).cloned().collect()
        };
        let records = records.as_ref();
        assert_eq!(all_records(records, filter.clone()).await, all);
        let of_writer = RecordFilter { writer: Some(action_id(1)), ..filter.clone() };
        let expected = matching(&|record| record.writer == action_id(1));
        assert_eq!(all_records(records, of_writer.clone()).await, expected);
        let of_both = RecordFilter { partition: Some("a0".to_owned()), ..of_writer };
        let expected =
            matching(&|record| record.writer == action_id(1) && record.key.partition == "a0");
        assert_eq!(all_records(records, of_both).await, expected);
        let (from, to) = (Some(later(20)), Some(later(60)));
        let between = RecordFilter { from, to, ..filter.clone() };
        let expected = matching(&|record| record.at >= later(20) && record.at < later(60));
        assert_eq!(all_records(records, between).await, expected);
        let nobody = RecordFilter { partition: Some(String::new()), ..filter.clone() };
        assert_eq!(all_records(records, nobody).await, []);
        records.remove(&all[0].key, &all[0].writer).await.unwrap();
        assert_eq!(all_records(records, filter).await, all[1..]);
    }
}

#[tokio::test]
async fn an_event_can_be_read_by_people() {
    for server in SERVERS {
        let names = super::rig::names();
        let tables = super::rig::tables_named(server(), &names).await;
        let mut begin = begin(1, 1, "a");
        begin.event.draft.detail = json!({ "replicas": 2 });
        tables.log().begin(&begin).await.unwrap();
        let table = names.event_table(action::first_event(&begin.record.request).event.action());
        let items = super::rig::items(server(), &table).await;
        let item = &items[0];
        let text = |name: &str| item[name].as_s().unwrap().clone();
        assert_eq!(item["sequence"].as_n().unwrap(), "1");
        let shown = [
            ("actionId", begin.record.id.to_string()),
            ("eventType", "scan-initiated".to_owned()),
            ("PID", "c2usr15-c8fms06-e05".to_owned()),
            ("username", "jamesbond".to_owned()),
            ("imageUID", begin.event.image.uid.to_string()),
            ("imageVersion", "v0-0-01".to_owned()),
            ("environment", development().to_string()),
            ("detail", r#"{"replicas":2}"#.to_owned()),
            ("createdTimestampUTC", "2025-01-25 10:00:00".to_owned()),
            ("createdTimestampUnix", "1737799200".to_owned()),
        ];
        for (name, expected) in shown {
            assert_eq!(text(name), expected, "{name}");
        }
    }
}
