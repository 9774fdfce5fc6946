use serde_json::Value;

use super::{Works as _, assert_fails};
use crate::event::{EventDraft, EventType, ResourceNumbers};
use crate::port::{
    ActionFilter, Audit, Begin, BeginKey, Begun, Entry, EventFilter, EventLog, Kind, Lease, Owner,
    State,
};
use crate::saga::{Fact, Failure, Outcome};
use crate::testing::samples::{NOW, action_id, begin, entry, event, uid};
use crate::{Digest, Timestamp};

/// Checks an empty [`EventLog`].
///
/// # Panics
/// Where the contract is broken.
pub async fn event_log(log: &dyn EventLog) {
    one_action_at_a_time_per_uid(log).await;
    entries_are_written_once_and_in_order(log).await;
    a_lease_is_taken_over_from_what_was_seen(log).await;
    a_key_stands_for_one_request(log).await;
}

fn failure(refused: bool) -> Failure {
    let (error_type, message) = ("image-deleted".to_owned(), "it is deleted".to_owned());
    Failure { error_type, message, refused }
}

fn draft(event: EventType) -> EventDraft {
    let numbers = ResourceNumbers { bucket: 6, charts: 9 };
    EventDraft { event, pid: event.pid(numbers, numbers), detail: Value::Null }
}

/// Ends an action as refused.
async fn end(log: &dyn EventLog, begin: &Begin, refused: bool) {
    let failure = failure(refused);
    let facts = [Fact::Refused(failure.clone()), Fact::Ended(Outcome::Failed(failure))];
    for (number, fact) in (1..).zip(facts) {
        let entry = entry(&begin.record, number, fact);
        log.append(&begin.record.id, &begin.owner, &entry).await.works("an append");
    }
}

async fn one_action_at_a_time_per_uid(log: &dyn EventLog) {
    let (first, second, other) = (begin(1, 1, "a"), begin(2, 1, "b"), begin(3, 2, "a"));
    assert!(log.load(&first.record.id).await.works("a load").is_none());
    let lease = Lease { owner: Owner("a".to_owned()), counter: 1 };
    for _ in 0..2 {
        let begun = log.begin(&first).await.works("a begin");
        assert_eq!(begun, Begun::New(lease.clone()));
    }
    let busy = log.begin(&second).await.works("a begin under a lock");
    assert_eq!(busy, Begun::Busy(action_id(1)));
    assert!(log.load(&action_id(2)).await.works("a load").is_none(), "a refused begin was kept");
    let begun = log.begin(&other).await.works("a begin on another UID");
    assert!(matches!(begun, Begun::New(_)));
    let history = log.load(&action_id(1)).await.works("a load");
    let history = history.expect("an action that began is in the log");
    assert_eq!((&history.record, &history.lease), (&first.record, &lease));
    assert_eq!((history.entries.len(), history.n_events), (0, 1));
    end(log, &first, false).await;
    let begun = log.begin(&second).await.works("a begin after the end of the other");
    assert!(matches!(begun, Begun::New(_)), "the end did not free the lock: {begun:?}");
    end(log, &second, false).await;
    end(log, &other, false).await;
}

async fn entries_are_written_once_and_in_order(log: &dyn EventLog) {
    let begin = begin(10, 10, "a");
    log.begin(&begin).await.works("a begin");
    let (id, record, a) = (&begin.record.id, &begin.record, &begin.owner);
    let gap = entry(record, 2, Fact::Unchanged { earlier: action_id(1) });
    assert_fails(log.append(id, a, &gap).await, Kind::Conflict, "an entry after a gap");
    let late = event(record, 3, draft(EventType::ScanDetailReceived), record.at);
    let gap = Entry { events: vec![late], ..entry(record, 1, Fact::Refused(failure(true))) };
    assert_fails(log.append(id, a, &gap).await, Kind::Rejected, "an event after a gap");
    let next = event(record, 2, draft(EventType::ScanDetailReceived), record.at);
    let first = Entry { events: vec![next], ..entry(record, 1, Fact::Refused(failure(true))) };
    let stranger = Owner("b".to_owned());
    assert_fails(
        log.append(id, &stranger, &first).await,
        Kind::Conflict,
        "an entry by who does not hold the lease",
    );
    for _ in 0..2 {
        log.append(id, a, &first).await.works("an append");
    }
    let other = entry(record, 1, Fact::Unchanged { earlier: action_id(1) });
    assert_fails(log.append(id, a, &other).await, Kind::Conflict, "another entry of that number");
    let history = log.load(id).await.works("a load").expect("the action is there");
    assert_eq!((history.entries, history.n_events), (vec![first], 2));
    let ended = entry(record, 2, Fact::Ended(Outcome::Failed(failure(true))));
    for _ in 0..2 {
        log.append(id, a, &ended).await.works("the last append");
    }
    let after = entry(record, 3, Fact::Refused(failure(true)));
    assert_fails(log.append(id, a, &after).await, Kind::Rejected, "an entry after the end");
    let missing = action_id(999);
    assert_fails(log.append(&missing, a, &ended).await, Kind::NotFound, "an entry of no action");
}

async fn a_lease_is_taken_over_from_what_was_seen(log: &dyn EventLog) {
    let begin = begin(20, 20, "a");
    log.begin(&begin).await.works("a begin");
    let (id, a, b) = (&begin.record.id, &begin.owner, Owner("b".to_owned()));
    let seen = Lease { owner: a.clone(), counter: 1 };
    let renewed = log.lease(id, &seen, a).await.works("a renewal");
    assert_eq!(renewed.owner, *a);
    assert_fails(
        log.lease(id, &seen, &b).await,
        Kind::Conflict,
        "a take-over of a lease that was renewed",
    );
    let taken = log.lease(id, &renewed, &b).await.works("a take-over");
    assert_eq!(taken.owner, b);
    assert_eq!(log.lease(id, &renewed, &b).await.works("the take-over again"), taken);
    let entry = entry(&begin.record, 1, Fact::Refused(failure(false)));
    assert_fails(log.append(id, a, &entry).await, Kind::Conflict, "an entry by who lost the lease");
    log.append(id, &b, &entry).await.works("an entry by the new holder");
    let history = log.load(id).await.works("a load").expect("the action is there");
    assert_eq!(history.lease, taken);
    assert_fails(log.lease(&action_id(999), &taken, &b).await, Kind::NotFound, "no action");
    let last = Fact::Ended(Outcome::Failed(failure(false)));
    let last = crate::testing::samples::entry(&begin.record, 2, last);
    log.append(id, &b, &last).await.works("the end");
    assert_fails(log.lease(id, &taken, &b).await, Kind::Rejected, "a lease of an ended action");
}

async fn a_key_stands_for_one_request(log: &dyn EventLog) {
    let key = |said: &str| BeginKey {
        scope: "jamesbond POST /x key-1".to_owned(),
        fingerprint: Digest::of(said.as_bytes()),
        expired_before: Timestamp::from_millis(NOW.millis() - 1000),
    };
    let keyed = |id, said: &str| Begin { key: Some(key(said)), ..begin(id, 30, "a") };
    log.begin(&keyed(30, "one")).await.works("a begin");
    let again = log.begin(&keyed(31, "one")).await.works("the request again");
    assert_eq!(again, Begun::Earlier(action_id(30)), "while the first runs");
    let other = log.begin(&keyed(31, "two")).await.works("another request");
    assert_eq!(other, Begun::OtherRequest(action_id(30)));
    end(log, &keyed(30, "one"), true).await;
    let begun = log.begin(&keyed(31, "two")).await.works("a begin after a refusal");
    assert!(matches!(begun, Begun::New(_)), "a refusal kept its key: {begun:?}");
    end(log, &keyed(31, "two"), false).await;
    let again = log.begin(&keyed(32, "two")).await.works("the request again");
    assert_eq!(again, Begun::Earlier(action_id(31)), "after the first ended");
    let mut late = keyed(33, "three");
    if let Some(key) = &mut late.key {
        key.expired_before = Timestamp::from_millis(NOW.millis() + 1_000_000);
    }
    let begun = log.begin(&late).await.works("a begin with an expired key");
    assert!(matches!(begun, Begun::New(_)), "an expired key was remembered: {begun:?}");
    end(log, &late, false).await;
}

/// Checks the [`Audit`] of an empty [`EventLog`].
///
/// # Panics
/// Where the contract is broken.
pub async fn audit(log: &dyn EventLog, audit: &dyn Audit) {
    for n in 0..5 {
        let begin = begin(n, n, "a");
        log.begin(&begin).await.works("a begin");
        let received =
            event(&begin.record, 2, draft(EventType::ScanDetailReceived), begin.record.at);
        let refused = Fact::Refused(failure(false));
        let entry = Entry { events: vec![received], ..entry(&begin.record, 1, refused) };
        log.append(&begin.record.id, &begin.owner, &entry).await.works("an append");
        if n % 2 == 0 {
            let ended = Fact::Ended(Outcome::Failed(failure(false)));
            let ended = crate::testing::samples::entry(&begin.record, 2, ended);
            log.append(&begin.record.id, &begin.owner, &ended).await.works("the end");
        }
    }
    actions_are_found_newest_first(audit).await;
    events_are_found_in_both_directions(audit).await;
}

async fn actions_are_found_newest_first(audit: &dyn Audit) {
    let all = ActionFilter { limit: 2, ..ActionFilter::default() };
    assert_eq!(actions(audit, all.clone()).await, [4, 3, 2, 1, 0].map(action_id));
    let running = ActionFilter { state: Some(State::Running), ..all.clone() };
    assert_eq!(actions(audit, running.clone()).await, [3, 1].map(action_id));
    let failed = ActionFilter { state: Some(State::Failed), ..all.clone() };
    assert_eq!(actions(audit, failed).await, [4, 2, 0].map(action_id));
    let succeeded = ActionFilter { state: Some(State::Succeeded), ..all.clone() };
    assert_eq!(actions(audit, succeeded).await, []);
    let of_uid = ActionFilter { uid: Some(uid(2)), ..all.clone() };
    assert_eq!(actions(audit, of_uid).await, [action_id(2)]);
    let uploads = ActionFilter { kind: Some(crate::event::ActionKind::Upload), ..all.clone() };
    assert_eq!(actions(audit, uploads).await, []);
    let next = audit.actions(&all).await.works("a page").next;
    let moved = ActionFilter { cursor: next, ..running };
    assert_fails(audit.actions(&moved).await, Kind::Rejected, "a cursor of another query");
}

async fn actions(audit: &dyn Audit, mut filter: ActionFilter) -> Vec<crate::ActionId> {
    let mut found = Vec::new();
    loop {
        let page = audit.actions(&filter).await.works("a page of actions");
        found.extend(page.actions.into_iter().map(|(record, _, _)| record.id));
        filter.cursor = page.next;
        if filter.cursor.is_none() {
            return found;
        }
    }
}

async fn events_are_found_in_both_directions(audit: &dyn Audit) {
    let all = EventFilter { limit: 3, ..EventFilter::default() };
    let expected: Vec<_> = (0..5).flat_map(|n| [(action_id(n), 1), (action_id(n), 2)]).collect();
    assert_eq!(events(audit, all.clone()).await, expected);
    let backwards = EventFilter { newest_first: true, ..all.clone() };
    let reversed: Vec<_> = expected.iter().rev().cloned().collect();
    assert_eq!(events(audit, backwards).await, reversed);
    let of_action = EventFilter { action: Some(action_id(3)), ..all.clone() };
    assert_eq!(events(audit, of_action).await, [(action_id(3), 1), (action_id(3), 2)]);
    let of_uid = EventFilter { uid: Some(uid(1)), ..all.clone() };
    assert_eq!(events(audit, of_uid.clone()).await, [(action_id(1), 1), (action_id(1), 2)]);
    let of_version = EventFilter { version: "v0-0-02".parse().ok(), ..of_uid };
    assert_eq!(events(audit, of_version).await, []);
    let of_user = EventFilter { username: Some("nobody".to_owned()), ..all.clone() };
    assert_eq!(events(audit, of_user).await, []);
    let at = |n: i64| Some(Timestamp::from_millis(NOW.millis() + n));
    let between = EventFilter { from: at(1), to: at(3), ..all };
    assert_eq!(events(audit, between).await, expected[2..6]);
}

async fn events(audit: &dyn Audit, mut filter: EventFilter) -> Vec<(crate::ActionId, u32)> {
    let mut found = Vec::new();
    loop {
        let page = audit.events(&filter).await.works("a page of events");
        found.extend(page.events.into_iter().map(|event| (event.action, event.sequence)));
        filter.cursor = page.next;
        if filter.cursor.is_none() {
            return found;
        }
    }
}
