//! The audit log and the error log.

use orbit_core::event::ActionKind;
use orbit_core::place::RecordTable;
use orbit_core::port::{EventFilter, Record, RecordFilter};
use orbit_core::query::Cursor;
use orbit_core::{ActionId, ImageId};

use super::actions::kind;
use super::{images, query_problem};
use crate::app::App;
use crate::reply::{self, Part, Problem, Reply};
use crate::wire::{Query, show};

/// How many pages of errors are read for one page of errors of one kind.
const MAX_PAGES: usize = 10;

/// Answers `GET /v1/events`, newest first.
///
/// # Errors
/// `invalid-request`, `port-unavailable`.
pub(crate) async fn events(app: &App, mut query: Query) -> Result<Reply, Problem> {
    let filter = EventFilter {
        action: query.parsed("actionId"),
        kind: kind(&mut query),
        uid: query.parsed("imageUID"),
        version: query.parsed("imageVersion"),
        username: username(&mut query),
        from: query.parsed("from"),
        to: query.parsed("to"),
        newest_first: true,
        cursor: query.cursor(),
        limit: query.limit(),
    };
    if filter.version.is_some() && filter.uid.is_none() {
        query.note("imageVersion", "needs imageUID beside it");
    }
    answer_events(app, query, filter).await
}

/// Answers `GET …/events` of an image, oldest first.
///
/// # Errors
/// `image-not-found`, `invalid-request`, `port-unavailable`.
pub(crate) async fn image_events(
    app: &App,
    mut query: Query,
    id: ImageId,
) -> Result<Reply, Problem> {
    let (cursor, limit) = (query.cursor(), query.limit());
    images::row(app, &id).await?;
    let (uid, version) = (Some(id.uid), Some(id.version));
    let filter = EventFilter { uid, version, cursor, limit, ..EventFilter::default() };
    answer_events(app, query, filter).await
}

/// Answers `GET /v1/actions/{actionId}/events`, oldest first.
///
/// # Errors
/// `action-not-found`, `invalid-request`, `port-unavailable`.
pub(crate) async fn action_events(
    app: &App,
    mut query: Query,
    id: ActionId,
) -> Result<Reply, Problem> {
    let (cursor, limit) = (query.cursor(), query.limit());
    app.history(&id).await?;
    let filter = EventFilter { action: Some(id), cursor, limit, ..EventFilter::default() };
    answer_events(app, query, filter).await
}

async fn answer_events(app: &App, query: Query, filter: EventFilter) -> Result<Reply, Problem> {
    query.end().map_err(Problem::invalid)?;
    let page = app.orbit.ports.audit.events(&filter).await;
    let page = page.map_err(|error| query_problem(Part::Log, &error))?;
    let events = page.events.iter().map(show::event).collect();
    Ok(reply::list(events, page.next.as_ref().map(Cursor::as_str)))
}

/// Answers `GET /v1/errors`, newest first.
///
/// # Errors
/// `invalid-request`, `port-unavailable`.
pub(crate) async fn errors(app: &App, mut query: Query) -> Result<Reply, Problem> {
    let filter = RecordFilter {
        table: RecordTable::ErrorLog,
        partition: username(&mut query),
        writer: query.parsed("actionId"),
        from: query.parsed("from"),
        to: query.parsed("to"),
        cursor: query.cursor(),
        limit: query.limit(),
    };
    let kind = kind(&mut query);
    query.end().map_err(Problem::invalid)?;
    let (records, next) = records(app, filter, kind).await?;
    let errors = records.iter().map(show::record).collect();
    Ok(reply::list(errors, next.as_ref().map(Cursor::as_str)))
}

/// Returns a page of errors, of one kind of action if one is given.
///
/// Records are not kept by kind, so pages are read until one holds an error of the kind; a page may
/// then hold fewer errors than asked for, or none, and still have a next one.
async fn records(
    app: &App,
    mut filter: RecordFilter,
    kind: Option<ActionKind>,
) -> Result<(Vec<Record>, Option<Cursor>), Problem> {
    let is_of_kind = |record: &Record| {
        kind.is_none_or(|kind| record.body.get("action").is_some_and(|a| *a == kind.as_str()))
    };
    for _ in 0..MAX_PAGES {
        let page = app.orbit.ports.records.query(&filter).await;
        let page = page.map_err(|error| query_problem(Part::Records, &error))?;
        let records: Vec<_> = page.records.into_iter().filter(is_of_kind).collect();
        filter.cursor = page.next;
        if !records.is_empty() || filter.cursor.is_none() {
            return Ok((records, filter.cursor));
        }
    }
    Ok((Vec::new(), filter.cursor))
}

/// Takes the user out of a query: `username`, or `user` for short.
fn username(query: &mut Query) -> Option<String> {
    let (long, short) = (query.text("username"), query.text("user"));
    long.or(short)
}
