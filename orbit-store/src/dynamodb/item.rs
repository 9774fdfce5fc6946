//! Items: how they are written and read.

use std::collections::HashMap;
use std::fmt::Display;
use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;
use orbit_core::Timestamp;
use orbit_core::port::{Kind, PortError};

/// An item of a table, or the key of one.
pub(super) type Item = HashMap<String, AttributeValue>;

/// An item that is being written.
#[derive(Debug, Clone)]
pub(super) struct Draft(Item);

impl Draft {
    /// Begins an item with its key, and both timestamps from one reading of the clock.
    pub(super) fn new(key: Item, at: Timestamp) -> Self {
        Self(key).text("createdTimestampUTC", at.utc()).text("createdTimestampUnix", at.unix())
    }

    /// Adds a text.
    pub(super) fn text(self, name: &str, value: impl Display) -> Self {
        self.value(name, text(value))
    }

    /// Adds a text that is the key of an index, unless it cannot be one: it is then not found by it.
    pub(super) fn index_text(self, name: &str, value: &str) -> Self {
        if is_partition(value) { self.text(name, value) } else { self }
    }

    /// Adds a number.
    pub(super) fn number(self, name: &str, value: impl Display) -> Self {
        self.value(name, number(value))
    }

    /// Adds an attribute.
    pub(super) fn value(mut self, name: &str, value: AttributeValue) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    /// Returns the item.
    pub(super) fn done(self) -> Item {
        self.0
    }
}

/// Returns whether a text can be a partition key: it is neither empty nor longer than 2048 bytes.
pub(super) fn is_partition(value: &str) -> bool {
    (1..=2048).contains(&value.len())
}

/// Returns a text.
pub(super) fn text(value: impl Display) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

/// Returns a number.
pub(super) fn number(value: impl Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Returns a key of two texts.
pub(super) fn key(names: [&str; 2], values: [&str; 2]) -> Item {
    names.iter().zip(values).map(|(name, value)| ((*name).to_owned(), text(value))).collect()
}

/// Returns the part of an item that is its key.
pub(super) fn key_of(item: &Item, names: [&str; 2]) -> Item {
    let pairs =
        names.iter().filter_map(|name| Some(((*name).to_owned(), item.get(*name)?.clone())));
    pairs.collect()
}

/// Returns a text of an item.
pub(super) fn text_of<'i>(item: &'i Item, name: &str) -> Result<&'i str, PortError> {
    item.get(name)
        .and_then(|value| value.as_s().ok())
        .map(String::as_str)
        .ok_or_else(|| damaged(name))
}

/// Returns a number of an item.
pub(super) fn number_of<T: FromStr>(item: &Item, name: &str) -> Result<T, PortError> {
    let digits = item.get(name).and_then(|value| value.as_n().ok());
    digits.and_then(|digits| digits.parse().ok()).ok_or_else(|| damaged(name))
}

/// Returns what a text of an item names.
pub(super) fn parsed<T: FromStr>(item: &Item, name: &str) -> Result<T, PortError> {
    text_of(item, name)?.parse().map_err(|_| damaged(name))
}

/// The failure of an item that this program did not write.
pub(super) fn damaged(name: &str) -> PortError {
    let message = format!("an item has no attribute {name} of the kind that is expected");
    PortError::new(Kind::Unavailable, message)
}

/// Returns the sortable form of a time: fifteen digits of milliseconds, up to the year 9999.
pub(super) fn millis(at: Timestamp) -> String {
    format!("{:015}", at.millis().clamp(0, LAST_MILLIS))
}

/// The last millisecond of the year 9999.
const LAST_MILLIS: i64 = 253_402_300_799_999;

/// Returns the month that an index by time is partitioned by, `2025-01`.
pub(super) fn month(at: Timestamp) -> String {
    let at = Timestamp::from_millis(at.millis().clamp(0, LAST_MILLIS));
    at.utc().chars().take(7).collect()
}
