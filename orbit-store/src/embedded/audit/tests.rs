use orbit_core::event::ActionKind;
use orbit_core::port::State;

use super::*;
use crate::embedded::Embedded;
use crate::embedded::testing::{action, plan, stores, uid};

fn of_action() -> EventFilter {
    EventFilter { action: Some(action(1)), ..EventFilter::default() }
}

fn of_image() -> EventFilter {
    EventFilter { uid: Some(uid(1)), ..EventFilter::default() }
}

fn of_user(filter: EventFilter) -> EventFilter {
    EventFilter { username: Some("ada".to_owned()), ..filter }
}

fn of_kind(filter: EventFilter) -> EventFilter {
    EventFilter { kind: Some(ActionKind::Scan), ..filter }
}

fn in_time(filter: EventFilter) -> EventFilter {
    let time = |ms| Some(Timestamp::from_millis(ms));
    EventFilter { from: time(1), to: time(9), ..filter }
}

/// Checks that a page that goes on is led to by `index` with `equal`, and by where it goes on.
async fn check_events(stores: &Embedded, filter: EventFilter, index: &str, equal: &str) {
    for newest_first in [true, false] {
        let filter = EventFilter { newest_first, ..filter.clone() };
        let beyond = Some((Timestamp::from_millis(5), action(1), 1));
        let plan = plan(stores, &select_events(&filter, beyond)).await;
        let (after, far) = match (newest_first, filter.from.is_some()) {
            (true, true) => ("at>? AND (at,action,sequence)<(?,?,?)", ""),
            (true, false) => ("(at,action,sequence)<(?,?,?)", ""),
            (false, is_limited) => {
                ("(at,action,sequence)>(?,?,?)", if is_limited { " AND at<?" } else { "" })
            }
        };
        let expected = format!("SEARCH events USING INDEX {index} ({equal}{after}{far})");
        assert_eq!(plan, expected, "{filter:?}");
    }
}

#[tokio::test]
async fn a_page_of_events_goes_on_where_the_last_one_ended_without_reading_what_is_before() {
    let (_dir, stores) = stores().await;
    let all = EventFilter::default;
    let version = EventFilter { version: Some("v0-0-01".parse().unwrap()), ..of_image() };
    let by_version = "image_uid=? AND image_version=? AND ";
    let by_both = "username=? AND kind=? AND ";
    for (filter, index, equal) in [
        (all(), "events_by_time", ""),
        (of_image(), "events_by_uid", "image_uid=? AND "),
        (version.clone(), "events_by_version", by_version),
        (of_user(all()), "events_by_user", "username=? AND "),
        (of_kind(all()), "events_by_kind", "kind=? AND "),
        (of_kind(of_user(all())), "events_by_user_and_kind", by_both),
        (of_kind(of_user(of_image())), "events_by_uid", "image_uid=? AND "),
        (of_kind(of_user(version)), "events_by_version", by_version),
    ] {
        check_events(&stores, filter.clone(), index, equal).await;
        check_events(&stores, in_time(filter), index, equal).await;
    }
}

#[tokio::test]
async fn an_action_leads_to_its_events_whatever_else_is_asked() {
    let (_dir, stores) = stores().await;
    let by_action = "SEARCH events USING INDEX sqlite_autoindex_events_1 (action=?); \
                     USE TEMP B-TREE FOR ORDER BY";
    let of_both = EventFilter { uid: Some(uid(1)), ..of_action() };
    for filter in [of_action(), in_time(of_action()), of_kind(of_user(of_both))] {
        assert_eq!(plan(&stores, &select_events(&filter, None)).await, by_action, "{filter:?}");
    }
}

#[tokio::test]
async fn a_page_of_actions_goes_on_where_the_last_one_ended_without_reading_what_is_before() {
    let (_dir, stores) = stores().await;
    let all = ActionFilter::default;
    let of_image = |filter| ActionFilter { uid: Some(uid(1)), ..filter };
    let running = |filter| ActionFilter { state: Some(State::Running), ..filter };
    let scans = |filter| ActionFilter { kind: Some(ActionKind::Scan), ..filter };
    let by_image = "actions_by_uid (image_uid=? AND ";
    for (filter, index) in [
        (all(), "actions_by_time ("),
        (running(all()), "actions_by_state (state=? AND "),
        (scans(all()), "actions_by_kind (kind=? AND "),
        (scans(running(all())), "actions_by_state_and_kind (state=? AND kind=? AND "),
        (of_image(all()), by_image),
        (of_image(scans(running(all()))), by_image),
    ] {
        let beyond = Some((Timestamp::from_millis(5), action(1)));
        let plan = plan(&stores, &select_actions(&filter, beyond)).await;
        let expected = format!("SEARCH actions USING INDEX {index}(begun,id)<(?,?))");
        assert_eq!(plan, expected, "{filter:?}");
    }
}
