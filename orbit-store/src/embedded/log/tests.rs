use futures_util::future::join_all;
use orbit_core::port::{ActionFilter, ActionPage, EventFilter, EventPage};
use orbit_core::saga::{Fact, Failure, Outcome};

use super::*;
use crate::embedded::testing::{action, begin, event, owner, stores, uid};

fn failure() -> Failure {
    let (error_type, message) = ("scan-refused".to_owned(), "it is no archive".to_owned());
    Failure { error_type, message, refused: true }
}

fn entry(number: u32, fact: Fact, events: Vec<Event>) -> Entry {
    Entry { number, fact, events, at: Timestamp::from_millis(9) }
}

#[tokio::test]
async fn of_many_begins_at_once_one_holds_the_lock_of_the_uid() {
    let (_dir, stores) = stores().await;
    let log = stores.log();
    let begins: Vec<_> = (1..=20).map(|n_action| begin(n_action, 1)).collect();
    let begun = join_all(begins.iter().map(|begin| log.begin(begin))).await;
    let begun: Vec<_> = begun.into_iter().map(Result::unwrap).collect();
    let n_new = begun.iter().filter(|begun| matches!(begun, Begun::New(_))).count();
    let n_busy = begun.iter().filter(|begun| matches!(begun, Begun::Busy(_))).count();
    assert_eq!((n_new, n_busy), (1, 19));
}

#[tokio::test]
async fn a_history_gives_each_entry_its_own_events() {
    let (_dir, stores) = stores().await;
    let (log, id) = (stores.log(), action(1));
    log.begin(&begin(1, 1)).await.unwrap();
    let entries = [
        entry(1, Fact::Unchanged { earlier: action(9) }, vec![event(&id, 2, 1), event(&id, 3, 1)]),
        entry(2, Fact::Refused(failure()), vec![]),
        entry(3, Fact::Ended(Outcome::Failed(failure())), vec![event(&id, 4, 1)]),
    ];
    for entry in &entries {
        log.append(&id, &owner("first"), entry).await.unwrap();
        log.append(&id, &owner("first"), entry).await.unwrap();
    }
    let history = log.load(&id).await.unwrap().unwrap();
    assert_eq!(history.record, begin(1, 1).record);
    assert_eq!(history.entries, entries);
    assert_eq!(history.n_events, 4);
}

#[tokio::test]
async fn an_entry_that_does_not_fit_leaves_nothing() {
    let (_dir, stores) = stores().await;
    let (log, id) = (stores.log(), action(1));
    let Begun::New(lease) = log.begin(&begin(1, 1)).await.unwrap() else {
        panic!("nothing stands in the way of the first action");
    };
    let fact = || Fact::Refused(failure());
    let gap = entry(1, fact(), vec![event(&id, 2, 1), event(&id, 4, 1)]);
    let skipping = entry(2, fact(), vec![]);
    for (entry, kind) in [(gap, Kind::Rejected), (skipping, Kind::Conflict)] {
        let refused = log.append(&id, &owner("first"), &entry).await.unwrap_err();
        assert_eq!(refused.kind(), kind, "{refused}");
    }
    let taken = log.lease(&id, &lease, &owner("second")).await.unwrap();
    assert_eq!(log.lease(&id, &lease, &owner("second")).await.unwrap(), taken);
    let first = entry(1, fact(), vec![]);
    let refused = log.append(&id, &owner("first"), &first).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Conflict);
    let history = log.load(&id).await.unwrap().unwrap();
    assert_eq!((history.entries, history.n_events, history.lease), (vec![], 1, taken));
}

#[tokio::test]
async fn events_are_paged_both_ways_without_gap_or_repeat() {
    let (_dir, stores) = stores().await;
    for n in 1..=5 {
        stores.log().begin(&begin(n, n.into())).await.unwrap();
        let events = (2..=40).map(|sequence| event(&action(n), sequence, n.into())).collect();
        let entry = entry(1, Fact::Refused(failure()), events);
        stores.log().append(&action(n), &owner("first"), &entry).await.unwrap();
    }
    let mut oldest_first = Vec::new();
    let mut filter = EventFilter { limit: 7, ..EventFilter::default() };
    loop {
        let EventPage { events, next } = stores.audit().events(&filter).await.unwrap();
        oldest_first.extend(events);
        let Some(next) = next else { break };
        filter.cursor = Some(next);
    }
    let keys = oldest_first.iter().map(|event| (event.at, event.action.clone(), event.sequence));
    assert!(keys.is_sorted_by(|one, next| one < next));
    assert_eq!(oldest_first.len(), 200);

    let newest_first = EventFilter { newest_first: true, limit: 200, ..EventFilter::default() };
    let EventPage { mut events, next } = stores.audit().events(&newest_first).await.unwrap();
    events.reverse();
    assert_eq!((events, next), (oldest_first, None));

    let of_one = EventFilter { uid: Some(uid(3)), limit: 50, ..EventFilter::default() };
    assert_eq!(stores.audit().events(&of_one).await.unwrap().events.len(), 40);
}

#[tokio::test]
async fn actions_are_paged_newest_first_with_their_ends() {
    let (_dir, stores) = stores().await;
    for n in 1..=5 {
        stores.log().begin(&begin(n, n.into())).await.unwrap();
    }
    let end = Outcome::Failed(failure());
    let refused = entry(1, Fact::Refused(failure()), vec![]);
    let ended = entry(2, Fact::Ended(end.clone()), vec![]);
    for entry in [refused, ended] {
        stores.log().append(&action(4), &owner("first"), &entry).await.unwrap();
    }
    let mut found = Vec::new();
    let mut filter = ActionFilter { limit: 2, ..ActionFilter::default() };
    loop {
        let ActionPage { actions, next } = stores.audit().actions(&filter).await.unwrap();
        found.extend(actions.into_iter().map(|(record, _, end)| (record.id, end)));
        let Some(next) = next else { break };
        filter.cursor = Some(next);
    }
    let expected = [5, 4, 3, 2, 1].map(|n| {
        let end = (n == 4).then(|| (end.clone(), Timestamp::from_millis(9)));
        (action(n), end)
    });
    assert_eq!(found, expected);

    let failed = ActionFilter { state: Some(State::Failed), cursor: None, ..filter };
    let ActionPage { actions, next } = stores.audit().actions(&failed).await.unwrap();
    assert_eq!((actions.len(), next), (1, None));
}

#[tokio::test]
async fn the_end_of_an_action_frees_its_uid() {
    let (_dir, stores) = stores().await;
    stores.log().begin(&begin(1, 1)).await.unwrap();
    let end = Fact::Ended(Outcome::Failed(failure()));
    stores.log().append(&action(1), &owner("first"), &entry(1, end, vec![])).await.unwrap();
    assert!(matches!(stores.log().begin(&begin(2, 1)).await.unwrap(), Begun::New(_)));
}
