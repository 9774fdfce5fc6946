//! Actions with their facts, events, locks, leases and idempotency keys.
//!
//! What belongs to an action lies in one partition of the action table, `action#<id>`: the item
//! `action` with what changes (lease, state, how many entries and events), the item `record` with what
//! does not, and an item for each entry. The lock of a UID and an idempotency key are items of their
//! own. Begin and append are transactions that are decided by conditions on these; if one does not
//! hold, the items are read to say which.

mod append;
mod begin;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use orbit_core::event::Event;
use orbit_core::port::{
    ActionRecord, Begin, Begun, Entry, EventLog, History, Kind, Lease, Owner, PortError, State,
};
use orbit_core::{ActionId, Timestamp};
use sha2::{Digest as _, Sha256};

use super::body::{Parcel, Room};
use super::call::{Miss, persist};
use super::item::{
    Draft, Item, damaged, key, millis, month, number, number_of, parsed, text, text_of,
};
use super::schema::{ACTION_KEY, EVENT_KEY, MONTH, TIME};
use super::tables::Tables;
use crate::record;

pub(super) use self::begin::lock_key;

/// How often a write is tried whose condition did not hold although afterwards it does.
const ROUNDS: u32 = 8;

/// The sort key of what changes of an action.
pub(super) const ACTION: &str = "action";
/// The sort key, and the attribute, of what does not.
pub(super) const RECORD: &str = "record";
/// Begins the sort keys of entries; the attribute that holds one.
pub(super) const ENTRY: &str = "entry";
/// The attribute that holds an event.
pub(super) const EVENT: &str = "event";
/// The attribute that holds how an action ended.
pub(super) const OUTCOME: &str = "outcome";
/// The most that an event's detail may take to be shown beside the event.
const SHOWN: usize = 2048;

/// The event log of an installation.
pub(super) struct DynamoLog(pub(super) Tables);

#[async_trait]
impl EventLog for DynamoLog {
    async fn begin(&self, begin: &Begin) -> Result<Begun, PortError> {
        self.0.within(self.begin_action(begin)).await
    }

    async fn append(
        &self,
        action: &ActionId,
        owner: &Owner,
        entry: &Entry,
    ) -> Result<(), PortError> {
        self.0.within(self.append_entry(action, owner, entry)).await
    }

    async fn load(&self, action: &ActionId) -> Result<Option<History>, PortError> {
        self.0.within(self.history(action)).await
    }

    async fn lease(
        &self,
        action: &ActionId,
        seen: &Lease,
        owner: &Owner,
    ) -> Result<Lease, PortError> {
        self.0.within(self.take(action, seen, owner)).await
    }
}

impl DynamoLog {
    fn table(&self) -> String {
        self.0.names.action_table()
    }

    /// Returns what changes of an action, as it is now.
    async fn action(&self, action: &ActionId) -> Result<Option<Item>, PortError> {
        self.0.get(&self.table(), action_key(action, ACTION)).await
    }

    /// Reads an action in one go.
    ///
    /// The items of a partition are not read at one time, so an entry may be seen and one before it
    /// not: what follows a gap is left out. The rest is what the log was a moment ago.
    async fn history(&self, action: &ActionId) -> Result<Option<History>, PortError> {
        let partition = format!("action#{action}");
        let items = self.0.partition(&self.table(), ACTION_KEY, [&partition, ""]).await?;
        let (mut lease, mut record, mut entries) = (None, None, Vec::<Entry>::new());
        for item in &items {
            match text_of(item, ACTION_KEY[1])? {
                ACTION => lease = Some(lease_of(item)?),
                RECORD => record = Some(self.0.read::<ActionRecord>(item, RECORD).await?),
                _ => entries.push(self.0.read(item, ENTRY).await?),
            }
        }
        let (Some(lease), Some(record)) = (lease, record) else { return Ok(None) };
        let n_known = entries.iter().zip(1..).take_while(|(entry, n)| entry.number == *n).count();
        entries.truncate(n_known);
        let n_events = entries.iter().map(|entry| entry.events.len()).sum::<usize>();
        let n_events = u32::try_from(n_events).unwrap_or(u32::MAX).saturating_add(1);
        Ok(Some(History { record, lease, entries, n_events }))
    }

    async fn take(
        &self,
        action: &ActionId,
        seen: &Lease,
        owner: &Owner,
    ) -> Result<Lease, PortError> {
        let wanted = Lease { owner: owner.clone(), counter: seen.counter.saturating_add(1) };
        let (table, key) = (self.table(), action_key(action, ACTION));
        let update = || async {
            let update = self.0.client.update_item().table_name(&table).set_key(Some(key.clone()));
            let update = update
                .update_expression("SET #owner = :owner, #lease = :lease")
                .condition_expression("#state = :running AND #owner = :seen AND #lease = :counter")
                .expression_attribute_names("#owner", "owner")
                .expression_attribute_names("#lease", "lease")
                .expression_attribute_names("#state", "state")
                .expression_attribute_values(":owner", text(owner))
                .expression_attribute_values(":lease", number(wanted.counter))
                .expression_attribute_values(":running", text(State::Running.as_str()))
                .expression_attribute_values(":seen", text(&seen.owner))
                .expression_attribute_values(":counter", number(seen.counter));
            update.send().await.map_err(|error| Miss::of("UpdateItem", &table, &error))
        };
        if persist(update).await?.is_some() {
            return Ok(wanted);
        }
        let there = self.action(action).await?.ok_or_else(|| missing(action))?;
        if !is_running(&there)? {
            return Err(ended(action));
        }
        let lease = lease_of(&there)?;
        if lease == wanted {
            return Ok(wanted);
        }
        let Lease { owner, counter } = lease;
        let message = format!("{owner} holds lease {counter} of action {action} by now");
        Err(PortError::new(Kind::Conflict, message))
    }

    /// Returns the item of an event, whose body may go into the parcel.
    async fn event_item(&self, event: &Event, parcel: &mut Parcel) -> Result<Item, PortError> {
        let what = format!("event {} of action {}", event.sequence, event.action);
        let body = parcel.pack(&what, record::write(event), Room::Shared).await?;
        let [partition, sort] = EVENT_KEY;
        let key = Item::from([
            (partition.to_owned(), text(&event.action)),
            (sort.to_owned(), number(event.sequence)),
        ]);
        let item = Draft::new(key, event.at)
            .text("action", event.draft.event.action())
            .text("eventType", event.draft.event)
            .text("PID", event.draft.pid)
            .index_text("username", &event.username)
            .text("imageUID", &event.image.uid)
            .text("imageVersion", event.image.version)
            .text("environment", &event.environment)
            .text(MONTH, month(event.at))
            .text(TIME, event_position(event))
            .value(EVENT, body);
        let detail = event.draft.detail.to_string();
        let is_shown = !event.draft.detail.is_null() && detail.len() <= SHOWN;
        Ok(if is_shown { item.text("detail", detail) } else { item }.done())
    }

    /// Returns the puts of events, and makes sure that their months are on the lists.
    async fn event_puts(
        &self,
        events: &[Event],
        parcel: &mut Parcel,
    ) -> Result<Vec<TransactWriteItem>, PortError> {
        let mut puts = Vec::with_capacity(events.len());
        for event in events {
            let kind = event.draft.event.action();
            self.0.use_month(&format!("events/{kind}"), event.at).await?;
            let item = self.event_item(event, parcel).await?;
            puts.push(put(self.0.names.event_table(kind), item, None));
        }
        Ok(puts)
    }
}

/// Returns a put as part of a transaction; `absent` names the partition key if nothing may lie there.
fn put(table: String, item: Item, absent: Option<&str>) -> TransactWriteItem {
    let mut put = Put::builder().table_name(table).set_item(Some(item));
    if let Some(partition) = absent {
        put = put.condition_expression("attribute_not_exists(#p)");
        put = put.expression_attribute_names("#p", partition);
    }
    TransactWriteItem::builder().put(put.build().expect("it has a table and an item")).build()
}

/// Returns the key of an item of an action.
pub(super) fn action_key(action: &ActionId, sort: &str) -> Item {
    key(ACTION_KEY, [&format!("action#{action}"), sort])
}

fn entry_key(action: &ActionId, number: u32) -> Item {
    action_key(action, &format!("{ENTRY}#{number:010}"))
}

/// Returns the key of an idempotency key. Its scope may be longer than a key can be.
fn idempotency_key(scope: &str) -> Item {
    let digest = Sha256::digest(scope.as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    key(ACTION_KEY, [&format!("key#{hex}"), "key"])
}

/// Returns what orders an action among all.
pub(super) fn action_position(at: Timestamp, action: &ActionId) -> String {
    format!("{}#{action}", millis(at))
}

/// Returns when an action began, by what orders it.
fn begun(position: &str) -> Result<Timestamp, PortError> {
    let millis = position.split('#').next().and_then(|digits| digits.parse().ok());
    millis.map(Timestamp::from_millis).ok_or_else(|| damaged(TIME))
}

/// Returns what orders an event among all: time, action, sequence.
pub(super) fn event_position(event: &Event) -> String {
    format!("{}#{}#{:010}", millis(event.at), event.action, event.sequence)
}

/// Returns who drives an action.
pub(super) fn lease_of(item: &Item) -> Result<Lease, PortError> {
    let owner = Owner(text_of(item, "owner")?.to_owned());
    Ok(Lease { owner, counter: number_of(item, "lease")? })
}

/// Returns whether an action has not ended.
pub(super) fn is_running(item: &Item) -> Result<bool, PortError> {
    Ok(text_of(item, "state")? == State::Running.as_str())
}

/// Returns the action that an item belongs to.
pub(super) fn action_of(item: &Item) -> Result<ActionId, PortError> {
    parsed(item, "actionId")
}

fn is_of(item: &Item, action: &ActionId) -> bool {
    item.get("actionId") == Some(&AttributeValue::S(action.to_string()))
}

fn missing(action: &ActionId) -> PortError {
    PortError::new(Kind::NotFound, format!("there is no action {action}"))
}

fn ended(action: &ActionId) -> PortError {
    PortError::new(Kind::Rejected, format!("action {action} has ended"))
}

/// The failure of a write that others were in the way of again and again.
fn crowded(action: &ActionId) -> PortError {
    let message = format!("action {action} changed at each of {ROUNDS} tries");
    PortError::new(Kind::Unavailable, message)
}
