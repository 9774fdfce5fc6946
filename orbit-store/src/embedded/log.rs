//! Actions with their facts, events, locks, leases and idempotency keys, in tables.
//!
//! The lock of a UID is an index that allows one running action for it; an action's begin, and each
//! of its entries with the entry's events, is one transaction.

mod append;
mod begin;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use orbit_core::event::Event;
use orbit_core::place::Names;
use orbit_core::port::{
    Begin, Begun, Entry, EventLog, History, Kind, Lease, Owner, PortError, State,
};
use orbit_core::{ActionId, Timestamp};
use sqlx::{Sqlite, SqliteExecutor, Transaction};

use super::database::{Database, commit, created, integer};
use crate::fault::Fault;
use crate::record;

/// The event log of a data directory.
pub(crate) struct TableLog {
    database: Database,
    names: Names,
}

impl TableLog {
    /// Returns the log of a database.
    pub(crate) fn new(database: Database, names: Names) -> Self {
        Self { database, names }
    }
}

type Write = Transaction<'static, Sqlite>;

/// What an action's row says.
struct Action {
    record: String,
    lease: Lease,
    is_running: bool,
}

#[async_trait]
impl EventLog for TableLog {
    async fn begin(&self, begin: &Begin) -> Result<Begun, PortError> {
        let mut transaction = self.database.write().await?;
        let begun = begin::begin(&mut transaction, &self.names, begin).await?;
        commit(transaction).await?;
        Ok(begun)
    }

    async fn append(
        &self,
        action: &ActionId,
        owner: &Owner,
        entry: &Entry,
    ) -> Result<(), PortError> {
        let mut transaction = self.database.write().await?;
        append::append(&mut transaction, &self.names, (action, owner), entry).await?;
        Ok(commit(transaction).await?)
    }

    async fn load(&self, action: &ActionId) -> Result<Option<History>, PortError> {
        let mut snapshot = self.database.snapshot().await?;
        let Some(Action { record, lease, .. }) = find(&mut *snapshot, action).await? else {
            return Ok(None);
        };
        let entries = entries(&mut snapshot, action, 1).await?;
        let n_events = n_events(&mut snapshot, action).await?;
        Ok(Some(History { record: record::read(&record)?, lease, entries, n_events }))
    }

    async fn lease(
        &self,
        action: &ActionId,
        seen: &Lease,
        owner: &Owner,
    ) -> Result<Lease, PortError> {
        let counter = seen.counter.saturating_add(1);
        let wanted = Lease { owner: owner.clone(), counter };
        let mut transaction = self.database.write().await?;
        let there = find(&mut *transaction, action).await?;
        let there = there.ok_or_else(|| missing(action))?;
        if !there.is_running {
            let message = format!("action {action} has ended");
            return Err(PortError::new(Kind::Rejected, message));
        }
        if there.lease == wanted {
            return Ok(wanted);
        }
        if there.lease != *seen {
            let Lease { owner, counter } = there.lease;
            let message = format!("{owner} holds lease {counter} of action {action} by now");
            return Err(PortError::new(Kind::Conflict, message));
        }
        let update = sqlx::query("UPDATE actions SET owner = ?, lease = ? WHERE id = ?");
        let update = update.bind(&owner.0).bind(integer(counter)).bind(action.as_str());
        update.execute(&mut *transaction).await.map_err(Fault::Database)?;
        commit(transaction).await?;
        Ok(wanted)
    }
}

async fn find(
    database: impl SqliteExecutor<'_>,
    action: &ActionId,
) -> Result<Option<Action>, Fault> {
    let select = sqlx::query_as("SELECT record, owner, lease, state FROM actions WHERE id = ?");
    let row: Option<(String, String, u64, String)> =
        select.bind(action.as_str()).fetch_optional(database).await.map_err(Fault::Database)?;
    Ok(row.map(|(record, owner, counter, state)| Action {
        record,
        lease: Lease { owner: Owner(owner), counter },
        is_running: state == State::Running.as_str(),
    }))
}

/// Reads an action's entries from `first` on, each with the events that were written with it.
async fn entries(database: &mut Write, action: &ActionId, first: u32) -> Result<Vec<Entry>, Fault> {
    let facts = sqlx::query_as(
        "SELECT number, fact, at FROM entries WHERE action = ? AND number >= ? ORDER BY number",
    );
    let facts = facts.bind(action.as_str()).bind(first).fetch_all(&mut **database);
    let facts: Vec<(u32, String, i64)> = facts.await.map_err(Fault::Database)?;
    let events = sqlx::query_as(
        "SELECT entry, event FROM events WHERE action = ? AND entry >= ? ORDER BY sequence",
    );
    let events = events.bind(action.as_str()).bind(first).fetch_all(&mut **database);
    let events: Vec<(u32, String)> = events.await.map_err(Fault::Database)?;
    let mut events = events.into_iter().peekable();
    let mut entries = Vec::with_capacity(facts.len());
    for (number, fact, at) in facts {
        let (fact, at) = (record::read(&fact)?, Timestamp::from_millis(at));
        let mut with_it = Vec::new();
        while let Some((_, event)) = events.next_if(|(entry, _)| *entry == number) {
            with_it.push(record::read(&event)?);
        }
        entries.push(Entry { number, fact, events: with_it, at });
    }
    Ok(entries)
}

async fn n_events(database: &mut Write, action: &ActionId) -> Result<u32, Fault> {
    let select =
        sqlx::query_scalar("SELECT coalesce(max(sequence), 0) FROM events WHERE action = ?");
    let select = select.bind(action.as_str()).fetch_one(&mut **database);
    select.await.map_err(Fault::Database)
}

/// Inserts an event that was written with an entry.
async fn insert_event(
    transaction: &mut Write,
    names: &Names,
    event: &Event,
    entry: u32,
) -> Result<(), Fault> {
    let kind = event.draft.event.action();
    let (utc, unix) = created(event.at);
    let insert = sqlx::query(
        "INSERT INTO events (action, sequence, entry, table_name, kind, event_type, pid, image_uid,
                             image_version, environment, username, at, event,
                             created_timestamp_utc, created_timestamp_unix)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    let insert = insert
        .bind(event.action.as_str())
        .bind(event.sequence)
        .bind(entry)
        .bind(names.event_table(kind))
        .bind(kind.as_str())
        .bind(event.draft.event.as_str())
        .bind(event.draft.pid.to_string())
        .bind(event.image.uid.as_str())
        .bind(event.image.version.to_string())
        .bind(event.environment.as_str())
        .bind(&event.username)
        .bind(event.at.millis())
        .bind(record::write(event))
        .bind(utc)
        .bind(unix);
    insert.execute(&mut **transaction).await.map(drop).map_err(Fault::Database)
}

fn missing(action: &ActionId) -> PortError {
    PortError::new(Kind::NotFound, format!("there is no action {action}"))
}
