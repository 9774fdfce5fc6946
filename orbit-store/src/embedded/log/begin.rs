//! The begin of an action.

use orbit_core::place::Names;
use orbit_core::port::{ActionRecord, Begin, BeginKey, Begun, Lease, State};
use orbit_core::{ActionId, Digest};

use super::{Write, find, insert_event};
use crate::embedded::database::integer;
use crate::fault::Fault;
use crate::record;

/// The counter of an action's first lease.
const FIRST_LEASE: u64 = 1;

/// Begins an action, unless it has begun, its key stands for another, or its UID is locked.
pub(super) async fn begin(
    transaction: &mut Write,
    names: &Names,
    begin: &Begin,
) -> Result<Begun, Fault> {
    let Begin { record, key, event, owner } = begin;
    if let Some(there) = find(&mut **transaction, &record.id).await? {
        return Ok(Begun::New(there.lease));
    }
    if let Some(key) = key
        && let Some((earlier, fingerprint)) = remember(transaction, key).await?
    {
        let is_same = fingerprint == key.fingerprint;
        return Ok(if is_same { Begun::Earlier(earlier) } else { Begun::OtherRequest(earlier) });
    }
    if let Some(holder) = holder(transaction, record).await? {
        return Ok(Begun::Busy(holder));
    }
    let lease = Lease { owner: owner.clone(), counter: FIRST_LEASE };
    insert_action(transaction, record, &lease).await?;
    insert_event(transaction, names, event, 0).await?;
    if let Some(key) = key {
        insert_key(transaction, key, record).await?;
    }
    Ok(Begun::New(lease))
}

/// Returns the action and the request that a key stands for, after forgetting what has expired.
async fn remember(
    transaction: &mut Write,
    key: &BeginKey,
) -> Result<Option<(ActionId, Digest)>, Fault> {
    let forget = sqlx::query("DELETE FROM idempotency_keys WHERE at < ?");
    let forget = forget.bind(key.expired_before.millis()).execute(&mut **transaction);
    forget.await.map_err(Fault::Database)?;
    let select = sqlx::query_scalar("SELECT meaning FROM idempotency_keys WHERE scope = ?");
    let select = select.bind(&key.scope).fetch_optional(&mut **transaction);
    let meaning: Option<String> = select.await.map_err(Fault::Database)?;
    meaning.map(|meaning| record::read(&meaning)).transpose()
}

/// Returns the action that holds the lock of the UID.
async fn holder(transaction: &mut Write, record: &ActionRecord) -> Result<Option<ActionId>, Fault> {
    let select =
        sqlx::query_scalar("SELECT record FROM actions WHERE image_uid = ? AND state = 'running'");
    let uid = record.request.image.uid.as_str();
    let holder: Option<String> =
        select.bind(uid).fetch_optional(&mut **transaction).await.map_err(Fault::Database)?;
    let holder = holder.map(|record| record::read::<ActionRecord>(&record)).transpose()?;
    Ok(holder.map(|record| record.id))
}

async fn insert_action(
    transaction: &mut Write,
    record: &ActionRecord,
    lease: &Lease,
) -> Result<(), Fault> {
    let insert = sqlx::query(
        "INSERT INTO actions (id, kind, image_uid, state, begun, record, owner, lease)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    );
    let insert = insert
        .bind(record.id.as_str())
        .bind(record.request.kind().as_str())
        .bind(record.request.image.uid.as_str())
        .bind(State::Running.as_str())
        .bind(record.at.millis())
        .bind(record::write(record))
        .bind(&lease.owner.0)
        .bind(integer(lease.counter));
    insert.execute(&mut **transaction).await.map(drop).map_err(Fault::Database)
}

async fn insert_key(
    transaction: &mut Write,
    key: &BeginKey,
    record: &ActionRecord,
) -> Result<(), Fault> {
    let insert = sqlx::query(
        "INSERT INTO idempotency_keys (scope, action, meaning, at) VALUES (?, ?, ?, ?)",
    );
    let insert = insert
        .bind(&key.scope)
        .bind(record.id.as_str())
        .bind(record::write(&(&record.id, key.fingerprint)))
        .bind(record.at.millis());
    insert.execute(&mut **transaction).await.map(drop).map_err(Fault::Database)
}
