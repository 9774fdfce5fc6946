//! Questions about actions and events.

#[cfg(test)]
mod tests;

use async_trait::async_trait;
use orbit_core::event::Event;
use orbit_core::port::{
    ActionFilter, ActionPage, ActionRecord, Audit, EventFilter, EventPage, Lease, Owner, PortError,
};
use orbit_core::query::Cursor;
use orbit_core::saga::Outcome;
use orbit_core::{ActionId, Timestamp};
use sqlx::{FromRow, QueryBuilder, Sqlite};

use super::database::Database;
use crate::fault::Fault;
use crate::page;
use crate::record;

/// The audit of a data directory.
pub(crate) struct TableAudit {
    database: Database,
}

impl TableAudit {
    /// Returns the audit of a database.
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }
}

/// An action's record, owner and lease, its outcome and when it ended.
type ActionRow = (String, String, u64, Option<String>, Option<i64>);

#[async_trait]
impl Audit for TableAudit {
    async fn actions(&self, filter: &ActionFilter) -> Result<ActionPage, PortError> {
        let unpaged = ActionFilter { cursor: None, limit: 0, ..filter.clone() };
        let identity = format!("{unpaged:?}");
        let beyond = page::begin(filter.cursor.as_ref(), &identity)?;
        let rows: Vec<ActionRow> = self.rows(select_actions(filter, beyond)).await?;
        let mut actions = rows.iter().map(read_action).collect::<Result<Vec<_>, _>>()?;
        let last = page::cut(&mut actions, filter.limit);
        let next = last.map(|(action, ..)| Cursor::new(&identity, &(action.at, &action.id)));
        Ok(ActionPage { actions, next })
    }

    async fn events(&self, filter: &EventFilter) -> Result<EventPage, PortError> {
        let unpaged = EventFilter { cursor: None, limit: 0, ..filter.clone() };
        let identity = format!("{unpaged:?}");
        let beyond = page::begin(filter.cursor.as_ref(), &identity)?;
        let rows: Vec<(String,)> = self.rows(select_events(filter, beyond)).await?;
        let events = rows.iter().map(|(event,)| record::read(event));
        let mut events: Vec<Event> = events.collect::<Result<_, _>>()?;
        let last = page::cut(&mut events, filter.limit);
        let next =
            last.map(|event| Cursor::new(&identity, &(event.at, &event.action, event.sequence)));
        Ok(EventPage { events, next })
    }
}

impl TableAudit {
    async fn rows<T>(&self, mut sql: QueryBuilder<Sqlite>) -> Result<Vec<T>, Fault>
    where
        T: for<'r> FromRow<'r, sqlx::sqlite::SqliteRow> + Send + Unpin,
    {
        sql.build_query_as().fetch_all(self.database.read()).await.map_err(Fault::Database)
    }
}

/// Returns the statement for a page of actions, beyond one of them.
fn select_actions(
    filter: &ActionFilter,
    beyond: Option<(Timestamp, ActionId)>,
) -> QueryBuilder<Sqlite> {
    let mut sql =
        QueryBuilder::new("SELECT record, owner, lease, outcome, ended FROM actions INDEXED BY ");
    sql.push(actions_index(filter)).push(" WHERE TRUE");
    if let Some(state) = filter.state {
        sql.push(" AND state = ").push_bind(state.as_str());
    }
    if let Some(kind) = filter.kind {
        sql.push(" AND kind = ").push_bind(kind.as_str());
    }
    if let Some(uid) = &filter.uid {
        sql.push(" AND image_uid = ").push_bind(uid.to_string());
    }
    if let Some((begun, id)) = beyond {
        sql.push(" AND (begun, id) < (").push_bind(begun.millis());
        sql.push(", ").push_bind(id.to_string()).push(")");
    }
    sql.push(" ORDER BY begun DESC, id DESC LIMIT ").push_bind(page::n_rows(filter.limit));
    sql
}

/// Returns the index that leads to the fewest actions, in their order.
///
/// SQLite does not know how many rows have a value. Left alone it looks for the one action that runs
/// among all of its kind.
const fn actions_index(filter: &ActionFilter) -> &'static str {
    match (&filter.uid, filter.state, filter.kind) {
        (Some(_), _, _) => "actions_by_uid",
        (None, Some(_), Some(_)) => "actions_by_state_and_kind",
        (None, Some(_), None) => "actions_by_state",
        (None, None, Some(_)) => "actions_by_kind",
        (None, None, None) => "actions_by_time",
    }
}

/// Returns the statement for a page of events, beyond one of them.
fn select_events(
    filter: &EventFilter,
    beyond: Option<(Timestamp, ActionId, u32)>,
) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new("SELECT event FROM events INDEXED BY ");
    sql.push(events_index(filter)).push(" WHERE TRUE");
    narrow_events(&mut sql, filter);
    limit_time(&mut sql, filter, beyond.is_some());
    let (compare, order) = if filter.newest_first { ("<", "DESC") } else { (">", "ASC") };
    if let Some((at, action, sequence)) = beyond {
        sql.push(format_args!(" AND (at, action, sequence) {compare} ("));
        sql.push_bind(at.millis()).push(", ").push_bind(action.to_string());
        sql.push(", ").push_bind(sequence).push(")");
    }
    sql.push(format_args!(" ORDER BY at {order}, action {order}, sequence {order} LIMIT "));
    sql.push_bind(page::n_rows(filter.limit));
    sql
}

/// Returns the index that leads to the fewest events, in their order but for those of one action. See
/// [`actions_index`].
const fn events_index(filter: &EventFilter) -> &'static str {
    match (&filter.action, &filter.uid, &filter.username, filter.kind) {
        (Some(_), _, _, _) => "sqlite_autoindex_events_1",
        (None, Some(_), _, _) if filter.version.is_some() => "events_by_version",
        (None, Some(_), _, _) => "events_by_uid",
        (None, None, Some(_), Some(_)) => "events_by_user_and_kind",
        (None, None, Some(_), None) => "events_by_user",
        (None, None, None, Some(_)) => "events_by_kind",
        (None, None, None, None) => "events_by_time",
    }
}

fn narrow_events(sql: &mut QueryBuilder<Sqlite>, filter: &EventFilter) {
    if let Some(action) = &filter.action {
        sql.push(" AND action = ").push_bind(action.to_string());
    }
    if let Some(kind) = filter.kind {
        sql.push(" AND kind = ").push_bind(kind.as_str());
    }
    if let Some(uid) = &filter.uid {
        sql.push(" AND image_uid = ").push_bind(uid.to_string());
        if let Some(version) = filter.version {
            sql.push(" AND image_version = ").push_bind(version.to_string());
        }
    }
    if let Some(username) = &filter.username {
        sql.push(" AND username = ").push_bind(username.clone());
    }
}

/// Adds the times that events have to be between.
///
/// Of two bounds in one direction SQLite takes the first for its index. A page that goes on has the one
/// that it goes on from, which is the narrower; the plus keeps the other from the index.
fn limit_time(sql: &mut QueryBuilder<Sqlite>, filter: &EventFilter, goes_on: bool) {
    let and = |is_behind| if goes_on && is_behind { " AND +" } else { " AND " };
    if let Some(from) = filter.from {
        sql.push(and(!filter.newest_first)).push("at >= ").push_bind(from.millis());
    }
    if let Some(to) = filter.to {
        sql.push(and(filter.newest_first)).push("at < ").push_bind(to.millis());
    }
}

type Ended = Option<(Outcome, Timestamp)>;

fn read_action(row: &ActionRow) -> Result<(ActionRecord, Lease, Ended), Fault> {
    let (record, owner, counter, outcome, ended) = row;
    let lease = Lease { owner: Owner(owner.clone()), counter: *counter };
    let outcome = outcome.as_ref().map(|outcome| record::read(outcome)).transpose()?;
    let ended = outcome.zip(ended.map(Timestamp::from_millis));
    Ok((record::read(record)?, lease, ended))
}
