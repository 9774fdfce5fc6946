//! Charts, actions, events and records in DynamoDB.
//!
//! # Keys
//!
//! The portal's tables have the keys that the portal reads them by:
//!
//! | table | key |
//! |---|---|
//! | charts of an environment | `imageUID`, `imageVersionRevision` = `<imageVersion>#<revision>`; in the table of the deleted ones, `imageUID` = `<environment>/<UID>` |
//! | events, one table for each kind of action | `actionId`, `sequence` |
//! | records 1606 and 1615 | `imageUID`, `imageVersion` |
//! | records 1612, 1624 | `username`, `actionId` or `errorId` |
//! | records 1618, 1636 | `actionId`, `resource` or `document` |
//!
//! The action table is Orbit's own, and its keys `pk`, `sk` hold items of many kinds: `action#<id>`
//! with `action`, `record` and `entry#<number>`; `lock#<UID>`; `key#<digest of the scope>`; `months` with
//! one item for each month that a list has something in; `part#<name>`; `installation`.
//!
//! Every item has `createdTimestampUTC` and `createdTimestampUnix`. What an item says is JSON in one
//! attribute: a text up to 8 KiB, compressed beyond, and beyond an item's size in parts in the action
//! table. 32 MiB of JSON is the limit, and 96 events for one entry.
//!
//! # Indexes
//!
//! No question scans a table. Every index sorts by `time`: milliseconds, then what orders items of one
//! millisecond. It shows keys and what is filtered by; the items themselves are read from their tables,
//! as they are at that moment.
//!
//! | table | index | partition | for |
//! |---|---|---|---|
//! | actions | `by-kind` | `<kind>#<month>` | all actions, or those of a kind |
//! | actions | `by-state` | `running`, or `<state>#<month>` | the worker's poll reads `running` alone, which holds what runs now |
//! | actions | `by-image` | UID | the actions of an image; the running one is read from the lock |
//! | events | `by-time` | month | all events, the six tables side by side |
//! | events | `by-image` | UID | the events of an image |
//! | events | `by-user` | username | the events of a user |
//! | records | `by-time` | month | all records of a table |
//! | records | `by-partition` | the table's | the records of a user or image by time |
//! | records | `by-writer` | action | the records of an action |
//!
//! Which months a list has stands in the action table before anything is written in one, and every
//! process remembers what it has written there: after these tables were restored from a backup, all
//! processes have to be started again.
//!
//! A partition of an index takes 1,000 writes a second: so many events of one kind of action, in every
//! second of a month, is what these tables are made for. More is throttled and repeated.
//!
//! # What is seen when
//!
//! `begin`, `append`, `load`, `lease`, `find`, `list` and the events of one action read the tables
//! themselves, consistently. An index is behind them by a moment: a new action, event or record comes
//! into the pages of `Audit` and `Records::query` within about a second. It may be missing from a page
//! that was read meanwhile, and from the pages after it if it is newer than where they go on. For the
//! worker's poll this means that it sees an orphaned action one look later. What was ended or removed
//! meanwhile is left out of a page, which may then be shorter than asked for.

mod audit;
mod body;
mod call;
mod charts;
mod check;
mod item;
mod log;
mod offer;
mod records;
mod schema;
mod setup;
mod tables;
mod template;
mod walk;

use std::fmt;
use std::sync::Arc;

use orbit_core::place::Names;
use orbit_core::port::{Audit, ChartStore, EventLog, Records};

use self::audit::DynamoAudit;
use self::charts::DynamoCharts;
use self::log::DynamoLog;
use self::records::DynamoRecords;
use self::tables::Tables;
use crate::{AwsSettings, SystemClock, aws};

/// The tables of an installation in DynamoDB.
#[derive(Clone)]
pub struct DynamoDb {
    tables: Tables,
}

impl fmt::Debug for DynamoDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoDb").field("names", &self.tables.names).finish_non_exhaustive()
    }
}

impl DynamoDb {
    /// Returns the tables of these names. Nothing is asked but the credentials chain.
    pub async fn connect(settings: &AwsSettings, names: &Names) -> Self {
        let config = aws_sdk_dynamodb::config::Builder::from(&aws::connect(settings).await);
        let config = config.retry_partition(aws::own_retries()).build();
        let client = aws_sdk_dynamodb::Client::from_conf(config);
        let clock = Arc::new(SystemClock);
        let tables = Tables::new(client, names.clone(), clock, settings.call_timeout);
        Self { tables }
    }

    /// Returns the store of charts.
    pub fn charts(&self) -> Arc<dyn ChartStore> {
        Arc::new(DynamoCharts(self.tables.clone()))
    }

    /// Returns the log of actions.
    pub fn log(&self) -> Arc<dyn EventLog> {
        Arc::new(DynamoLog(self.tables.clone()))
    }

    /// Returns the questions about the log.
    pub fn audit(&self) -> Arc<dyn Audit> {
        Arc::new(DynamoAudit(self.tables.clone()))
    }

    /// Returns the store of plain records.
    pub fn records(&self) -> Arc<dyn Records> {
        Arc::new(DynamoRecords(self.tables.clone()))
    }
}
