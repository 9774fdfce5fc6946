//! Showing actions.

use hyper::StatusCode;
use orbit_core::ActionId;
use orbit_core::event::ActionKind;
use orbit_core::port::{ActionFilter, State};
use orbit_core::query::Cursor;

use super::query_problem;
use crate::app::App;
use crate::reply::{self, Part, Problem, Reply};
use crate::wire::{ActionView, Query};

/// The states of actions; no action waits for a cluster as long as none is attached.
const STATES: [(&str, Option<State>); 4] = [
    ("running", Some(State::Running)),
    ("waiting", None),
    ("succeeded", Some(State::Succeeded)),
    ("failed", Some(State::Failed)),
];

/// Answers `GET /v1/actions`, newest first.
///
/// # Errors
/// `invalid-request`, `port-unavailable`.
pub(crate) async fn list(app: &App, mut query: Query) -> Result<Reply, Problem> {
    let state = query.one_of("state", &STATES);
    let filter = ActionFilter {
        state: state.flatten(),
        kind: kind(&mut query),
        uid: query.parsed("imageUID"),
        cursor: query.cursor(),
        limit: query.limit(),
    };
    query.end().map_err(Problem::invalid)?;
    if state == Some(None) {
        return Ok(reply::list(vec![], None));
    }
    let page = app.orbit.ports.audit.actions(&filter).await;
    let page = page.map_err(|error| query_problem(Part::Log, &error))?;
    let actions = page.actions.iter().map(|(record, _, end)| {
        let end = end.as_ref().map(|(outcome, at)| (outcome, *at));
        ActionView { record, end }.json()
    });
    Ok(reply::list(actions.collect(), page.next.as_ref().map(Cursor::as_str)))
}

/// Answers `GET /v1/actions/{actionId}`, with `?wait=` once it has ended or the time is over.
///
/// # Errors
/// `action-not-found`, `invalid-request`, `port-unavailable`.
pub(crate) async fn one(app: &App, mut query: Query, id: &ActionId) -> Result<Reply, Problem> {
    let wait = query.wait();
    query.end().map_err(Problem::invalid)?;
    let history = match wait {
        Some(wait) => app.history_after(id, wait).await?,
        None => app.history(id).await?,
    };
    Ok(reply::json(StatusCode::OK, &ActionView::of(&history).json()))
}

/// Takes a kind of action out of a query.
pub(super) fn kind(query: &mut Query) -> Option<ActionKind> {
    query.one_of("action", &ActionKind::ALL.map(|kind| (kind.as_str(), kind)))
}
