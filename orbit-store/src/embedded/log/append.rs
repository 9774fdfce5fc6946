//! The next entry of an action.

use orbit_core::ActionId;
use orbit_core::place::Names;
use orbit_core::port::{Entry, Kind, Owner, PortError, State};
use orbit_core::saga::{Fact, Outcome};

use super::{Write, entries, find, insert_event, missing, n_events};
use crate::fault::Fault;
use crate::record;

/// Appends an entry, unless it is there, or the action's log says that it cannot be the next one.
pub(super) async fn append(
    transaction: &mut Write,
    names: &Names,
    (action, owner): (&ActionId, &Owner),
    entry: &Entry,
) -> Result<(), PortError> {
    let there = find(&mut **transaction, action).await?.ok_or_else(|| missing(action))?;
    let number = entry.number;
    if let Some(earlier) = entries(transaction, action, number).await?.first() {
        let message = format!("action {action} has another entry {number}");
        return if earlier == entry { Ok(()) } else { Err(conflict(message)) };
    }
    if !there.is_running {
        return Err(rejected(format!("action {action} has ended")));
    }
    let holder = there.lease.owner;
    if holder != *owner {
        return Err(conflict(format!("{holder} holds the lease of action {action}, not {owner}")));
    }
    let next = last_number(transaction, action).await? + 1;
    if number != next {
        return Err(conflict(format!("entry {number} of action {action} is not the next, {next}")));
    }
    expect_in_sequence(action, n_events(transaction, action).await?, entry)?;
    insert(transaction, names, action, entry).await?;
    if let Fact::Ended(outcome) = &entry.fact {
        end(transaction, action, entry, outcome).await?;
    }
    Ok(())
}

fn expect_in_sequence(action: &ActionId, n_before: u32, entry: &Entry) -> Result<(), PortError> {
    for (next, event) in (n_before + 1..).zip(&entry.events) {
        let found = event.sequence;
        if found != next {
            let message = format!("event {found} of action {action} is not the next, {next}");
            return Err(rejected(message));
        }
    }
    Ok(())
}

async fn last_number(transaction: &mut Write, action: &ActionId) -> Result<u32, Fault> {
    let select =
        sqlx::query_scalar("SELECT coalesce(max(number), 0) FROM entries WHERE action = ?");
    let select = select.bind(action.as_str()).fetch_one(&mut **transaction);
    select.await.map_err(Fault::Database)
}

async fn insert(
    transaction: &mut Write,
    names: &Names,
    action: &ActionId,
    entry: &Entry,
) -> Result<(), Fault> {
    let insert =
        sqlx::query("INSERT INTO entries (action, number, name, fact, at) VALUES (?, ?, ?, ?, ?)");
    let insert = insert
        .bind(action.as_str())
        .bind(entry.number)
        .bind(entry.fact.name())
        .bind(record::write(&entry.fact))
        .bind(entry.at.millis());
    insert.execute(&mut **transaction).await.map_err(Fault::Database)?;
    for event in &entry.events {
        insert_event(transaction, names, event, entry.number).await?;
    }
    Ok(())
}

/// Ends the action, which frees the lock of its UID.
async fn end(
    transaction: &mut Write,
    action: &ActionId,
    entry: &Entry,
    outcome: &Outcome,
) -> Result<(), Fault> {
    let state = State::of(Some(outcome));
    let update = sqlx::query("UPDATE actions SET state = ?, outcome = ?, ended = ? WHERE id = ?");
    let update = update
        .bind(state.as_str())
        .bind(record::write(outcome))
        .bind(entry.at.millis())
        .bind(action.as_str());
    update.execute(&mut **transaction).await.map_err(Fault::Database)?;
    match outcome {
        Outcome::Failed(failure) if failure.refused => forget_key(transaction, action).await,
        Outcome::Failed(_) | Outcome::Done(_) | Outcome::Unchanged { .. } => Ok(()),
    }
}

/// Forgets the key of a refused action: asked again, it may be accepted.
async fn forget_key(transaction: &mut Write, action: &ActionId) -> Result<(), Fault> {
    let delete = sqlx::query("DELETE FROM idempotency_keys WHERE action = ?");
    let delete = delete.bind(action.as_str()).execute(&mut **transaction);
    delete.await.map(drop).map_err(Fault::Database)
}

fn conflict(message: String) -> PortError {
    PortError::new(Kind::Conflict, message)
}

fn rejected(message: String) -> PortError {
    PortError::new(Kind::Rejected, message)
}
