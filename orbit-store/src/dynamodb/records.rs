//! Plain records in tables.

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use orbit_core::ActionId;
use orbit_core::place::RecordTable;
use orbit_core::port::{Kind, PortError, Record, RecordFilter, RecordKey, RecordPage, Records};
use orbit_core::query::Cursor;

use super::body::{Parcel, Room};
use super::call::Written;
use super::item::{Draft, Item, key, key_of, millis, month, text_of};
use super::schema::{BY_TIME, BY_WRITER, MONTH, TIME, by_partition, record_key};
use super::tables::Tables;
use super::walk::{self, Lane, Range};
use crate::page;
use crate::record;

/// The attribute that holds a record.
const RECORD: &str = "record";
/// The most bytes that both keys of a record may have together: they and the time are one sort key of
/// an index, which has at most 1024.
const MAX_KEY: usize = 1000;
/// How many bodies are read at once.
const AT_ONCE: usize = 8;

/// The record store of an installation.
pub(super) struct DynamoRecords(pub(super) Tables);

#[async_trait]
impl Records for DynamoRecords {
    async fn put(&self, record: &Record) -> Result<(), PortError> {
        self.0.within(self.put_new(record)).await
    }

    async fn find(&self, key: &RecordKey) -> Result<Option<Record>, PortError> {
        self.0.within(self.find_one(key)).await
    }

    async fn remove(&self, key: &RecordKey, writer: &ActionId) -> Result<(), PortError> {
        self.0.within(self.remove_own(key, writer)).await
    }

    async fn query(&self, filter: &RecordFilter) -> Result<RecordPage, PortError> {
        self.0.within(self.page(filter)).await
    }
}

impl DynamoRecords {
    async fn put_new(&self, record: &Record) -> Result<(), PortError> {
        let Record { key, body: _, at, writer } = record;
        let n_bytes = key.partition.len() + key.sort.len();
        if n_bytes > MAX_KEY || key.partition.is_empty() || key.sort.is_empty() {
            let message = format!(
                "the key {} has {n_bytes} bytes, expected two texts of together at most {MAX_KEY}",
                say(key)
            );
            return Err(PortError::new(Kind::Rejected, message));
        }
        let mut parcel = Parcel::new()?;
        let what = format!("the record {}", say(key));
        let body = parcel.pack(&what, record::write(record), Room::Alone).await?;
        let item = Draft::new(item_key(key), *at)
            .text("writer", writer)
            .text(MONTH, month(*at))
            .text(TIME, position(record))
            .text("parcel", parcel.name())
            .value(RECORD, body)
            .done();
        let table = self.0.names.record_table(key.table);
        self.0.use_month(&list(key.table), *at).await?;
        self.0.send(&parcel).await?;
        let partition = record_key(key.table)[0];
        if self.0.put_new(&table, partition, &item).await? == Written::Yes {
            return Ok(());
        }
        let there = self.0.get(&table, item_key(key)).await?;
        if there.as_ref().is_none_or(|there| there.get("parcel") != item.get("parcel")) {
            self.0.recall(&parcel).await;
        }
        let there = there.ok_or_else(|| {
            let message = format!("what had the key {} was removed meanwhile", say(key));
            PortError::new(Kind::Unavailable, message)
        })?;
        let there: Record = self.0.read(&there, RECORD).await?;
        if there != *record {
            let message = format!("another record has the key {}", say(key));
            return Err(PortError::new(Kind::Conflict, message));
        }
        Ok(())
    }

    async fn find_one(&self, key: &RecordKey) -> Result<Option<Record>, PortError> {
        if key.partition.is_empty() || key.sort.is_empty() {
            return Ok(None);
        }
        let table = self.0.names.record_table(key.table);
        match self.0.get(&table, item_key(key)).await? {
            Some(item) => self.0.read(&item, RECORD).await.map(Some),
            None => Ok(None),
        }
    }

    async fn remove_own(&self, key: &RecordKey, writer: &ActionId) -> Result<(), PortError> {
        let (table, item_key) = (self.0.names.record_table(key.table), item_key(key));
        if let Some(removed) = self.0.remove(&table, &item_key, writer.as_str()).await? {
            self.0.forget(removed.as_ref().and_then(|item| item.get(RECORD))).await;
            return Ok(());
        }
        let there = self.0.get(&table, item_key).await?.unwrap_or_default();
        let (found, key) = (text_of(&there, "writer").unwrap_or("another action"), say(key));
        let message = format!("{found} wrote the record {key}, expected {writer}");
        Err(PortError::new(Kind::Conflict, message))
    }

    async fn page(&self, filter: &RecordFilter) -> Result<RecordPage, PortError> {
        let unpaged = RecordFilter { cursor: None, limit: 0, ..filter.clone() };
        let identity = format!("{unpaged:?}");
        let position = page::begin(filter.cursor.as_ref(), &identity)?;
        let range = Range::new(filter.from, filter.to, false).beyond(position);
        let lane = self.lane(filter, &range).await?;
        let (rows, next) = walk::page(&self.0, vec![lane], &range, filter.limit).await?;
        let names = record_key(filter.table);
        let keys = rows.into_iter().map(|row| (row.table, key_of(&row.item, names)));
        let items = self.0.batch(keys.collect()).await?;
        let reads = items.iter().flatten().map(|item| self.0.read(item, RECORD));
        let reads: Vec<_> = reads.collect();
        let records = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
        let next = next.map(|position| Cursor::new(&identity, &position));
        Ok(RecordPage { records, next })
    }

    /// Returns the walk that looks at the fewest records.
    async fn lane(&self, filter: &RecordFilter, range: &Range) -> Result<Lane, PortError> {
        let table = self.0.names.record_table(filter.table);
        if let Some(writer) = &filter.writer {
            let [partition, _] = record_key(filter.table);
            let equals = walk::equals([(partition, filter.partition.clone())]);
            return Ok(Lane::one(table, BY_WRITER, writer.as_str(), equals));
        }
        if let Some(partition) = &filter.partition {
            return Ok(Lane::one(table, by_partition(filter.table), partition, vec![]));
        }
        let list = list(filter.table);
        let months = self.0.months(&format!("{list}#")).await?.remove(&list).unwrap_or_default();
        Ok(Lane::monthly(table, BY_TIME, ("", months), range, vec![]))
    }
}

fn item_key(key: &RecordKey) -> Item {
    self::key(record_key(key.table), [&key.partition, &key.sort])
}

/// Orders records by time and key. Nothing in a key sorts before a tab.
fn position(Record { key, at, .. }: &Record) -> String {
    format!("{}\t{}\t{}", millis(*at), key.partition, key.sort)
}

/// The list of the months that have records.
fn list(table: RecordTable) -> String {
    format!("records/{table:?}")
}

fn say(RecordKey { table, partition, sort }: &RecordKey) -> String {
    format!("({partition}, {sort}) in {table:?}")
}
