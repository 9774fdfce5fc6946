//! Answers that are lost, refused for a while, or never come.

use std::time::Duration;

use futures_util::future;
use orbit_core::Environments;
use orbit_core::event::ActionKind;
use orbit_core::place::{Names, RecordTable, Shelf};
use orbit_core::port::{Begun, Kind, Lease, Owner, PortError, Record, RecordKey};
use orbit_core::saga::{Fact, Outcome};
use orbit_core::testing::samples::{NOW, action_id, begin, chart, chart_place, development, entry};
use orbit_store::{AwsSettings, DynamoDb, SharedStore as _};
use serde_json::json;
use tokio::time::timeout;

use super::rig::{SERVERS, connect, event, failure, items, names, settings, tables_named};
use crate::servers;

/// How long a call may take where it does not get what it needs.
const ONE_CALL: Duration = Duration::from_secs(5);
/// How long two of them may take, and a little more on a busy machine.
const TWO_CALLS: Duration = Duration::from_secs(15);

/// Every other answer of a write is lost after the write took effect. That they are is shown by a call
/// that loses every one.
const LOSSY: &str = "
rules:
- {service: dynamodb, operation: TransactWriteItems, sequence: {fail: 1, pass: 1}, response: {abort_bytes: 0}}
- {service: dynamodb, operation: UpdateItem, sequence: {fail: 1, pass: 1}, response: {abort_bytes: 0}}
- {service: dynamodb, operation: PutItem, sequence: {fail: 1, pass: 1}, response: {abort_bytes: 0}}
- {service: dynamodb, operation: DeleteItem, sequence: {fail: 1, pass: 1}, response: {abort_bytes: 0}}
- {service: dynamodb, operation: DescribeTable, response: {abort_bytes: 0}}
";

/// Asks again as long as nobody answers, as the callers of ports do.
async fn asked<T>(mut call: impl AsyncFnMut() -> Result<T, PortError>) -> T {
    let mut result = call().await;
    for _ in 0..4 {
        if result.as_ref().is_err_and(|error| error.kind() == Kind::Unavailable) {
            result = call().await;
        }
    }
    result.unwrap()
}

#[tokio::test]
async fn a_call_whose_answer_is_lost_has_one_effect() {
    for server in SERVERS {
        let names = names();
        tables_named(server(), &names).await;
        let proxy = servers::microburst(server(), LOSSY);
        let tables = connect(&proxy, &names).await;
        let ready = tables.ready().await;
        assert_eq!(ready.unwrap_err().kind(), Kind::Unavailable, "no answer was lost");
        an_action_is_written_once(&tables).await;
        let events = items(server(), &names.event_table(ActionKind::Scan)).await;
        assert_eq!(events.len(), 4);
        charts_and_records_are_written_once(&tables).await;
    }
}

async fn an_action_is_written_once(tables: &DynamoDb) {
    let log = tables.log();
    let first = begin(1, 1, "a");
    let (id, b) = (&first.record.id, Owner("b".to_owned()));
    let seen = Lease { owner: first.owner.clone(), counter: 1 };
    assert_eq!(asked(async || log.begin(&first).await).await, Begun::New(seen.clone()));
    let lease = asked(async || log.lease(id, &seen, &b).await).await;
    assert_eq!(lease, Lease { owner: b.clone(), counter: 2 });
    let with_event = |number| {
        let mut entry = entry(&first.record, number, Fact::Refused(failure(true)));
        entry.events.push(event(&first.record, number + 1));
        entry
    };
    let end = Fact::Ended(Outcome::Failed(failure(true)));
    let entries = vec![with_event(1), with_event(2), entry(&first.record, 3, end)];
    for entry in &entries {
        asked(async || log.append(id, &b, entry).await).await;
    }
    let history = log.load(id).await.unwrap().unwrap();
    assert_eq!((history.entries, history.n_events, history.lease), (entries, 3, lease));
    let begun = asked(async || log.begin(&begin(2, 1, "a")).await).await;
    assert!(matches!(begun, Begun::New(_)), "the lock was not freed: {begun:?}");
}

async fn charts_and_records_are_written_once(tables: &DynamoDb) {
    let (charts, records, writer) = (tables.charts(), tables.records(), action_id(1));
    let chart = chart(1, 1);
    let place = chart_place(Shelf::Live(development()), &chart);
    let stored = asked(async || charts.put(&place, &writer, &chart).await).await;
    assert_eq!((&stored.writer, &stored.chart), (&writer, &chart));
    asked(async || charts.remove(&place, &writer).await).await;
    assert_eq!(charts.find(&place).await.unwrap(), None);
    let (table, partition) = (RecordTable::UserData, "jamesbond".to_owned());
    let key = RecordKey { table, partition, sort: "1".to_owned() };
    let record = Record { key, body: json!({ "n": 1 }), at: NOW, writer: writer.clone() };
    asked(async || records.put(&record).await).await;
    assert_eq!(records.find(&record.key).await.unwrap(), Some(record.clone()));
    asked(async || records.remove(&record.key, &writer).await).await;
    assert_eq!(records.find(&record.key).await.unwrap(), None);
}

/// More calls than one client's count of retries suffices for.
const MANY: usize = 50;

#[tokio::test]
async fn what_one_client_suffers_leaves_another_its_tries() {
    let names = names();
    tables_named(servers::moto(), &names).await;
    let throttled = |times| {
        let error = "{code: ThrottlingException}";
        let rule = format!("{{service: dynamodb, operation: GetItem, {times} error: {error}}}");
        servers::microburst(servers::moto(), &format!("rules: [{rule}]"))
    };
    let (never, soon) = (throttled(""), throttled("times: 3,"));
    let (poor, other) = (connect(&never, &names).await, connect(&soon, &names).await);
    let place = chart_place(Shelf::Live(development()), &chart(1, 1));
    let charts = poor.charts();
    for found in future::join_all((0..MANY).map(|_| charts.find(&place))).await {
        assert_eq!(found.unwrap_err().kind(), Kind::Unavailable);
    }
    assert_eq!(other.charts().find(&place).await.unwrap(), None);
}

/// What passes after a while, and what does not.
const BUSY: &str = "
rules:
- service: dynamodb
  operation: TransactWriteItems
  times: 2
  error:
    code: TransactionCanceledException
    fields: {CancellationReasons: [{Code: None}, {Code: TransactionConflict, Message: met another}]}
- service: dynamodb
  operation: TransactWriteItems
  times: 2
  error:
    code: TransactionCanceledException
    fields: {CancellationReasons: [{Code: ThrottlingError}, {Code: ProvisionedThroughputExceeded}]}
- {service: dynamodb, operation: UpdateItem, times: 3, error: {code: TransactionConflictException}}
- {service: dynamodb, operation: PutItem, times: 3, error: {code: ProvisionedThroughputExceededException}}
- {service: dynamodb, operation: GetItem, times: 3, error: {code: ThrottlingException}}
- {service: dynamodb, operation: DeleteItem, error: {code: TransactionConflictException}}
- {service: dynamodb, operation: Query, error: {code: ProvisionedThroughputExceededException}}
";

#[tokio::test]
async fn what_is_in_the_way_for_a_while_is_waited_for_and_no_longer() {
    let names = names();
    tables_named(servers::moto(), &names).await;
    let proxy = servers::microburst(servers::moto(), BUSY);
    let tables = connect(&proxy, &names).await;
    let (log, charts) = (tables.log(), tables.charts());
    let begin = begin(1, 1, "a");
    let id = &begin.record.id;
    let Begun::New(lease) = log.begin(&begin).await.unwrap() else {
        panic!("nothing is in the way")
    };
    log.lease(id, &lease, &begin.owner).await.unwrap();
    let chart = chart(1, 1);
    let place = chart_place(Shelf::Live(development()), &chart);
    charts.put(&place, &action_id(1), &chart).await.unwrap();
    assert!(charts.find(&place).await.unwrap().is_some());

    let settings = AwsSettings { call_timeout: ONE_CALL, ..settings(proxy.endpoint()) };
    let tables = DynamoDb::connect(&settings, &names).await;
    let (log, charts, writer) = (tables.log(), tables.charts(), action_id(1));
    let calls = async { (log.load(id).await, charts.remove(&place, &writer).await) };
    let (loaded, removed) = timeout(TWO_CALLS, calls).await.expect("a call ends in time");
    for error in [loaded.unwrap_err(), removed.unwrap_err()] {
        assert_eq!(error.kind(), Kind::Unavailable, "{error:?}");
    }
}

#[tokio::test]
async fn a_service_that_is_not_there_is_unavailable_in_time() {
    let names = Names::new(&Environments::default());
    let settings = settings("http://127.0.0.1:9".to_owned());
    let settings = AwsSettings { call_timeout: ONE_CALL, ..settings };
    let tables = DynamoDb::connect(&settings, &names).await;
    let begin = begin(1, 1, "a");
    let log = tables.log();
    let calls = async { (log.begin(&begin).await, tables.ready().await) };
    let (begun, ready) = timeout(TWO_CALLS, calls).await.expect("a call ends in time");
    for error in [begun.unwrap_err(), ready.unwrap_err()] {
        assert_eq!(error.kind(), Kind::Unavailable, "{error:?}");
        assert!(!error.chain().contains(servers::SECRET), "{}", error.chain());
    }
}
