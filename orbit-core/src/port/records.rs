//! The port of plain records.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::place::RecordTable;
use crate::port::PortError;
use crate::query::Cursor;
use crate::{ActionId, Timestamp};

/// Names a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordKey {
    /// The table.
    pub table: RecordTable,
    /// The partition key.
    pub partition: String,
    /// The sort key.
    pub sort: String,
}

/// A record, written once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its name.
    pub key: RecordKey,
    /// What it says; an object.
    pub body: Value,
    /// When it was written: both of its timestamps come from this one reading.
    pub at: Timestamp,
    /// The action that wrote it.
    pub writer: ActionId,
}

/// Which records to return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordFilter {
    /// The table.
    pub table: RecordTable,
    /// Only this partition.
    pub partition: Option<String>,
    /// Only records of this action.
    pub writer: Option<ActionId>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub to: Option<Timestamp>,
    /// Where to go on.
    pub cursor: Option<Cursor>,
    /// How many at most.
    pub limit: u32,
}

/// A page of records, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordPage {
    /// The records.
    pub records: Vec<Record>,
    /// Where the next page begins, or `None` on the last one.
    pub next: Option<Cursor>,
}

/// Keeps plain records, each written once.
#[async_trait]
pub trait Records: Send + Sync {
    /// Puts a new record. The same record again is success.
    ///
    /// # Errors
    /// `Conflict` if another record has the key.
    async fn put(&self, record: &Record) -> Result<(), PortError>;

    /// Returns a record, or `None`.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn find(&self, key: &RecordKey) -> Result<Option<Record>, PortError>;

    /// Removes the record that `writer` wrote. No record is success.
    ///
    /// # Errors
    /// `Conflict` if another action wrote it: it stays.
    async fn remove(&self, key: &RecordKey, writer: &ActionId) -> Result<(), PortError>;

    /// Returns a page of records, newest first; of one time, those with the greater key first.
    ///
    /// # Errors
    /// `Rejected` if the cursor is of another query.
    async fn query(&self, filter: &RecordFilter) -> Result<RecordPage, PortError>;
}
