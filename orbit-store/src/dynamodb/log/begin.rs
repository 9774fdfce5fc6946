//! The begin of an action.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use orbit_core::port::{ActionRecord, Begin, BeginKey, Begun, Lease, PortError, State};
use orbit_core::{Digest, ImageUid, Timestamp};

use super::{
    ACTION, DynamoLog, RECORD, ROUNDS, action_key, action_of, action_position, crowded,
    idempotency_key, lease_of, put,
};
use crate::dynamodb::body::{Parcel, Room};
use crate::dynamodb::call::Written;
use crate::dynamodb::item::{Draft, Item, key, month, number, number_of, parsed};
use crate::dynamodb::schema::{ACTION_KEY, BY_KIND, BY_STATE, EXPIRES, TIME};
use crate::record;

/// The counter of an action's first lease.
const FIRST_LEASE: u64 = 1;
/// How long a key that has expired stays at least: clocks differ, and it is forgotten by its time.
const GRACE: i64 = 24 * 60 * 60;

impl DynamoLog {
    /// Begins an action, unless it has begun, its key stands for another, or its UID is locked.
    pub(super) async fn begin_action(&self, begin: &Begin) -> Result<Begun, PortError> {
        let Begin { record, owner, .. } = begin;
        let mut parcel = Parcel::new()?;
        let items = self.items(begin, &mut parcel).await?;
        self.0.send(&parcel).await?;
        for _ in 0..ROUNDS {
            if self.0.transact(items.clone()).await? == Written::Yes {
                return Ok(Begun::New(Lease { owner: owner.clone(), counter: FIRST_LEASE }));
            }
            if let Some((begun, is_ours)) = self.in_the_way(begin, &parcel).await? {
                if !is_ours {
                    self.0.recall(&parcel).await;
                }
                return Ok(begun);
            }
        }
        self.0.recall(&parcel).await;
        Err(crowded(&record.id))
    }

    /// Returns what the transaction of a begin writes.
    async fn items(
        &self,
        begin: &Begin,
        parcel: &mut Parcel,
    ) -> Result<Vec<TransactWriteItem>, PortError> {
        let Begin { record, key, event, owner } = begin;
        let kind = record.request.kind();
        self.0.use_month(&format!("actions/{kind}"), record.at).await?;
        let (table, absent) = (self.table(), Some(ACTION_KEY[0]));
        let uid = &record.request.image.uid;
        let mut action = Draft::new(action_key(&record.id, ACTION), record.at)
            .text("actionId", &record.id)
            .text("kind", kind)
            .text("imageUID", uid)
            .text("imageVersion", record.request.image.version)
            .text("environment", &record.environment)
            .text("username", &record.actor.username)
            .text("state", State::Running.as_str())
            .text("owner", owner)
            .number("lease", FIRST_LEASE)
            .number("entries", 0)
            .number("events", event.sequence)
            .text(TIME, action_position(record.at, &record.id))
            .text(BY_KIND.partition, format!("{kind}#{}", month(record.at)))
            .text(BY_STATE.partition, State::Running.as_str())
            .text("parcel", parcel.name());
        if let Some(key) = key {
            action = action.text("scope", &key.scope);
        }
        let what = format!("the request of action {}", record.id);
        let body = parcel.pack(&what, record::write(record), Room::Shared).await?;
        let kept = Draft::new(action_key(&record.id, RECORD), record.at);
        let kept = kept.text("actionId", &record.id).value(RECORD, body);
        let lock = Draft::new(lock_key(uid), record.at).text("actionId", &record.id);
        let mut items = vec![
            put(table.clone(), action.done(), absent),
            put(table.clone(), kept.done(), None),
            put(table.clone(), lock.done(), absent),
        ];
        items.extend(self.event_puts(std::slice::from_ref(event), parcel).await?);
        items.extend(key.as_ref().map(|key| self.key_put(table, record, key)));
        Ok(items)
    }

    /// Returns the put of an idempotency key where there is none, or one that has expired.
    fn key_put(&self, table: String, record: &ActionRecord, key: &BeginKey) -> TransactWriteItem {
        let lifetime = record.at.millis().saturating_sub(key.expired_before.millis()).max(0);
        let expires = self.0.clock.now().seconds().saturating_add(lifetime / 1000 + GRACE);
        let item = Draft::new(idempotency_key(&key.scope), record.at)
            .text("actionId", &record.id)
            .text("scope", &key.scope)
            .text("fingerprint", key.fingerprint)
            .number("recorded", record.at.millis())
            .number(EXPIRES, expires);
        let put = Put::builder().table_name(table).set_item(Some(item.done()));
        let put = put
            .condition_expression("attribute_not_exists(#p) OR #recorded < :before")
            .expression_attribute_names("#p", ACTION_KEY[0])
            .expression_attribute_names("#recorded", "recorded")
            .expression_attribute_values(":before", number(key.expired_before.millis()));
        TransactWriteItem::builder().put(put.build().expect("it has a table and an item")).build()
    }

    /// Returns what a begin came up against, and whether that is this very begin, whose answer was
    /// lost; `None` if it is gone by now.
    async fn in_the_way(
        &self,
        begin: &Begin,
        parcel: &Parcel,
    ) -> Result<Option<(Begun, bool)>, PortError> {
        let Begin { record, key, .. } = begin;
        if let Some(there) = self.action(&record.id).await? {
            let is_ours = there
                .get("parcel")
                .is_some_and(|name| name.as_s().is_ok_and(|name| name == parcel.name()));
            return Ok(Some((Begun::New(lease_of(&there)?), is_ours)));
        }
        if let Some(key) = key
            && let Some(begun) = self.earlier(key).await?
        {
            return Ok(Some((begun, false)));
        }
        let uid = &record.request.image.uid;
        let lock = self.0.get(&self.table(), lock_key(uid)).await?;
        let holder = lock.map(|lock| action_of(&lock)).transpose()?;
        Ok(holder.map(|holder| (Begun::Busy(holder), false)))
    }

    /// Returns what a key stands for, unless it has expired.
    async fn earlier(&self, key: &BeginKey) -> Result<Option<Begun>, PortError> {
        let there = self.0.get(&self.table(), idempotency_key(&key.scope)).await?;
        let Some(there) = there else { return Ok(None) };
        if Timestamp::from_millis(number_of(&there, "recorded")?) < key.expired_before {
            return Ok(None);
        }
        let (earlier, fingerprint) = (action_of(&there)?, parsed::<Digest>(&there, "fingerprint")?);
        let is_same = fingerprint == key.fingerprint;
        Ok(Some(if is_same { Begun::Earlier(earlier) } else { Begun::OtherRequest(earlier) }))
    }
}

/// Returns the key of the lock of a UID.
pub(in crate::dynamodb) fn lock_key(uid: &ImageUid) -> Item {
    key(ACTION_KEY, [&format!("lock#{uid}"), "lock"])
}
