//! The tables and their indexes as data: setup and template are derived from it.

use aws_sdk_dynamodb::types::ScalarAttributeType;
use orbit_core::event::ActionKind;
use orbit_core::place::{Names, RecordTable};

/// A table as it has to be.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) name: String,
    /// Partition key and sort key.
    pub(super) key: [Attribute; 2],
    pub(super) indexes: Vec<Index>,
    /// The attribute that holds the second after which an item is removed.
    pub(super) expires: Option<&'static str>,
}

/// An attribute of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attribute {
    pub(super) name: &'static str,
    pub(super) kind: ScalarAttributeType,
}

/// A global secondary index. Both attributes of its key are texts.
#[derive(Debug, Clone)]
pub(super) struct Index {
    pub(super) name: &'static str,
    pub(super) partition: &'static str,
    pub(super) sort: &'static str,
    /// What it shows beside the keys: what is filtered by.
    pub(super) shown: &'static [&'static str],
}

impl Table {
    /// Returns every attribute that a key names, once.
    pub(super) fn attributes(&self) -> Vec<Attribute> {
        let mut all = self.key.to_vec();
        for name in self.indexes.iter().flat_map(|index| [index.partition, index.sort]) {
            if all.iter().all(|known| known.name != name) {
                all.push(text(name));
            }
        }
        all
    }
}

/// The sort key of every index: the time, and what orders items of one time.
pub(super) const TIME: &str = "time";
/// The partition key of the index by time: `2025-01`.
pub(super) const MONTH: &str = "month";
/// When an item of the action table may go, in seconds.
pub(super) const EXPIRES: &str = "expires";

pub(super) const BY_TIME: Index =
    Index { name: "by-time", partition: MONTH, sort: TIME, shown: &[] };
pub(super) const BY_KIND: Index =
    Index { name: "by-kind", partition: "kindMonth", sort: TIME, shown: &[] };
pub(super) const BY_STATE: Index =
    Index { name: "by-state", partition: "stateMonth", sort: TIME, shown: &["kind"] };
pub(super) const ACTIONS_BY_IMAGE: Index =
    Index { name: "by-image", partition: "imageUID", sort: TIME, shown: &["kind", "state"] };
pub(super) const EVENTS_BY_IMAGE: Index = Index {
    name: "by-image",
    partition: "imageUID",
    sort: TIME,
    shown: &["imageVersion", "username"],
};
pub(super) const BY_USER: Index =
    Index { name: "by-user", partition: "username", sort: TIME, shown: &[] };
pub(super) const BY_WRITER: Index =
    Index { name: "by-writer", partition: "writer", sort: TIME, shown: &[] };

/// Returns the index that sorts a partition of a table of records by time.
pub(super) fn by_partition(table: RecordTable) -> Index {
    let [partition, _] = record_key(table);
    Index { name: "by-partition", partition, sort: TIME, shown: &[] }
}

/// The names of the key attributes of a table of records.
pub(super) const fn record_key(table: RecordTable) -> [&'static str; 2] {
    match table {
        RecordTable::UserInput | RecordTable::ImageMetadata => ["imageUID", "imageVersion"],
        RecordTable::UserData => ["username", "actionId"],
        RecordTable::ErrorLog => ["username", "errorId"],
        RecordTable::DeploymentLog => ["actionId", "resource"],
        RecordTable::ScanReport => ["actionId", "document"],
    }
}

/// The names of the key attributes of a table of charts.
pub(super) const CHART_KEY: [&str; 2] = ["imageUID", "imageVersionRevision"];
/// The names of the key attributes of a table of events.
pub(super) const EVENT_KEY: [&str; 2] = ["actionId", "sequence"];
/// The names of the key attributes of the action table, which holds items of many kinds.
pub(super) const ACTION_KEY: [&str; 2] = ["pk", "sk"];

/// Returns every table of an installation.
pub(super) fn tables(names: &Names) -> Vec<Table> {
    let records = RecordTable::ALL.map(|table| Table {
        name: names.record_table(table),
        key: record_key(table).map(text),
        indexes: vec![BY_TIME, by_partition(table), BY_WRITER],
        expires: None,
    });
    let events = ActionKind::ALL.map(|kind| Table {
        name: names.event_table(kind),
        key: [text(EVENT_KEY[0]), number(EVENT_KEY[1])],
        indexes: vec![BY_TIME, EVENTS_BY_IMAGE, BY_USER],
        expires: None,
    });
    let actions = Table {
        name: names.action_table(),
        key: ACTION_KEY.map(text),
        indexes: vec![BY_KIND, BY_STATE, ACTIONS_BY_IMAGE],
        expires: Some(EXPIRES),
    };
    let mut tables: Vec<_> = events.into_iter().chain(records).chain([actions]).collect();
    let is_chart = |name: &String| tables.iter().all(|table| table.name != *name);
    let charts: Vec<_> = names.tables().into_iter().filter(is_chart).map(charts).collect();
    tables.extend(charts);
    tables
}

fn charts(name: String) -> Table {
    Table { name, key: CHART_KEY.map(text), indexes: vec![], expires: None }
}

const fn text(name: &'static str) -> Attribute {
    Attribute { name, kind: ScalarAttributeType::S }
}

const fn number(name: &'static str) -> Attribute {
    Attribute { name, kind: ScalarAttributeType::N }
}
