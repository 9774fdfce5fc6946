//! Pages that go on where the last one ended.

use orbit_core::port::{Kind, PortError};
use orbit_core::query::Cursor;
use serde::de::DeserializeOwned;

/// Returns where a page begins, or `None` on the first one.
pub(crate) fn begin<K: DeserializeOwned>(
    cursor: Option<&Cursor>,
    query: &str,
) -> Result<Option<K>, PortError> {
    let key = cursor.map(|cursor| cursor.open(query)).transpose();
    key.map_err(|fault| PortError::new(Kind::Rejected, fault.to_string()))
}

/// Returns how many rows to read for a page: one more than it holds, to see whether there is another.
pub(crate) fn n_rows(limit: u32) -> i64 {
    i64::from(limit) + 1
}

/// Takes the row too many off a page, and returns the last row if another page follows.
pub(crate) fn cut<T>(rows: &mut Vec<T>, limit: u32) -> Option<&T> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    rows.last().filter(|_| more)
}
