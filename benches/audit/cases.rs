//! What is asked of the audit.

use orbit_core::Timestamp;
use orbit_core::event::{ActionKind, Event};
use orbit_core::port::{ActionFilter, ActionRecord, Audit, EventFilter, State};
use orbit_core::query::Cursor;

use super::dice::Dice;
use super::history::{History, PIPELINE_USER, username};

/// How many rows a page has.
pub(crate) const PAGE: u32 = 20;
/// A range of time is a quarter of the history.
const RANGE: u32 = 4;

/// A question, without where it goes on.
#[derive(Debug, Clone)]
pub(crate) enum Question {
    Events(EventFilter),
    Actions(ActionFilter),
}

/// What tells a row: its action, and an event's place in it.
pub(crate) type Key = (String, u32);

/// A kind of question.
pub(crate) struct Case {
    pub(crate) name: String,
    /// Returns the question number `n` of the kind.
    pub(crate) question: Box<dyn Fn(u32) -> Question>,
}

impl Question {
    /// Reads a page through the port.
    pub(crate) async fn page(
        &self,
        audit: &dyn Audit,
        cursor: Option<Cursor>,
        limit: u32,
    ) -> (Vec<Key>, Option<Cursor>) {
        match self {
            Self::Events(filter) => {
                let filter = EventFilter { cursor, limit, ..filter.clone() };
                let page = audit.events(&filter).await.unwrap();
                (page.events.iter().map(event_key).collect(), page.next)
            }
            Self::Actions(filter) => {
                let filter = ActionFilter { cursor, limit, ..filter.clone() };
                let page = audit.actions(&filter).await.unwrap();
                let key = |record: &ActionRecord| (record.id.to_string(), 0);
                (page.actions.iter().map(|(record, ..)| key(record)).collect(), page.next)
            }
        }
    }
}

pub(crate) fn event_key(event: &Event) -> Key {
    (event.action.to_string(), event.sequence)
}

/// Returns all kinds of questions about a history.
pub(crate) fn all(history: &'static History) -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, filter) in events(history) {
        for (order, newest_first) in [("newest", true), ("oldest", false)] {
            let filter = filter.clone();
            let question = move |n| Question::Events(EventFilter { newest_first, ..filter.0(n) });
            cases.push(Case {
                name: format!("events{name}, {order}"),
                question: Box::new(question),
            });
        }
    }
    for (name, filter) in actions(history) {
        let question = move |n| Question::Actions(filter(n));
        cases.push(Case { name: format!("actions{name}"), question: Box::new(question) });
    }
    cases
}

#[derive(Clone)]
struct Events(std::rc::Rc<dyn Fn(u32) -> EventFilter>);

fn events(history: &'static History) -> Vec<(&'static str, Events)> {
    let of = |filter: Box<dyn Fn(u32) -> EventFilter>| Events(filter.into());
    let none = EventFilter::default;
    let by_user = move |n| EventFilter { username: Some(user(n)), ..none() };
    let pipeline = move || EventFilter { username: Some(PIPELINE_USER.to_owned()), ..none() };
    let by_image = move |n| EventFilter { uid: Some(image(history, n).uid), ..none() };
    let range = move |n| {
        let first = below(n, history.n_actions - history.n_actions / RANGE);
        let last = first + history.n_actions / RANGE;
        (Some(history.begun(first)), Some(history.begun(last)))
    };
    let within = move |n, filter| {
        let (from, to): (Option<Timestamp>, _) = range(n);
        EventFilter { from, to, ..filter }
    };
    let of_kind = move |n, filter| EventFilter { kind: Some(kind(n)), ..filter };
    vec![
        ("", of(Box::new(move |_| none()))),
        (" by image", of(Box::new(by_image))),
        (
            " by image and version",
            of(Box::new(move |n| EventFilter {
                version: Some(image(history, n).version),
                ..by_image(n)
            })),
        ),
        (" by user", of(Box::new(by_user))),
        (" by a user with a quarter", of(Box::new(move |_| pipeline()))),
        (
            " by action",
            of(Box::new(move |n| EventFilter {
                action: Some(history.id(below(n, history.n_actions))),
                ..none()
            })),
        ),
        (" by kind", of(Box::new(move |n| of_kind(n, none())))),
        (" by time", of(Box::new(move |n| within(n, none())))),
        (" by kind, time", of(Box::new(move |n| within(n, of_kind(n, none()))))),
        (" by image, kind", of(Box::new(move |n| of_kind(n, by_image(n))))),
        (" by user, kind", of(Box::new(move |n| of_kind(n, by_user(n))))),
        (" by user, time", of(Box::new(move |n| within(n, by_user(n))))),
        (" by a user with a quarter, kind", of(Box::new(move |n| of_kind(n, pipeline())))),
    ]
}

type Actions = Box<dyn Fn(u32) -> ActionFilter>;

fn actions(history: &'static History) -> Vec<(&'static str, Actions)> {
    let none = ActionFilter::default;
    let in_state = move |state| ActionFilter { state: Some(state), ..none() };
    let of_kind = move |n, filter| ActionFilter { kind: Some(kind(n)), ..filter };
    let by_image = move |n| ActionFilter { uid: Some(image(history, n).uid), ..none() };
    vec![
        ("", Box::new(move |_| none())),
        (" that run", Box::new(move |_| in_state(State::Running))),
        (" that failed", Box::new(move |_| in_state(State::Failed))),
        (" that succeeded", Box::new(move |_| in_state(State::Succeeded))),
        (" by kind", Box::new(move |n| of_kind(n, none()))),
        (" by image", Box::new(by_image)),
        (" that failed, by kind", Box::new(move |n| of_kind(n, in_state(State::Failed)))),
        (" that succeeded, by kind", Box::new(move |n| of_kind(n, in_state(State::Succeeded)))),
        (" by image, kind", Box::new(move |n| of_kind(n, by_image(n)))),
    ]
}

fn below(n: u32, most: u32) -> u32 {
    let any = Dice::new(u64::from(n) + 1_000_000).below(usize::try_from(most).unwrap());
    u32::try_from(any).unwrap()
}

fn image(history: &History, n: u32) -> orbit_core::ImageId {
    history.image(below(n, history.n_images()))
}

fn user(n: u32) -> String {
    username(usize::try_from(below(n, 500)).unwrap())
}

/// A kind that is asked for often and one that is not, in turn.
const fn kind(n: u32) -> ActionKind {
    if n.is_multiple_of(2) { ActionKind::Deploy } else { ActionKind::Restore }
}
