//! The filters of a search, and the one of them that leads to few images.

use orbit_core::query::{Search, fold};
use sqlx::{MySql, MySqlConnection, QueryBuilder};

use super::columns::version_order;
use super::pieces::{self, Part};
use crate::mysql::fault::Stopped;

/// Up to so many images are found by one filter and sorted. Where every filter lets more through, the
/// page is soon full when the index of the order is followed instead. Both ways take some milliseconds
/// there, in a million images.
const FEW: u32 = 3_000;

/// A filter by the value of one column, which has an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) column: &'static str,
    /// Goes by the column, and then from the newest image to the oldest, but for the one of names.
    pub(super) index: &'static str,
    value: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Bytes(Vec<u8>),
    Flag(bool),
}

impl Filter {
    /// Goes on with the condition on the column.
    pub(super) fn push(&self, sql: &mut QueryBuilder<MySql>) {
        sql.push(self.column).push(" = ");
        match &self.value {
            Value::Bytes(bytes) => sql.push_bind(bytes.clone()),
            Value::Flag(flag) => sql.push_bind(*flag),
        };
    }
}

/// Everything that an image must be to be found.
#[derive(Debug)]
pub(super) struct Filters {
    /// What its text holds, folded.
    pub(super) text: Option<String>,
    /// Its columns; the first ones usually let the fewest through.
    pub(super) columns: Vec<Filter>,
}

/// What leads to images.
#[derive(Debug, Clone, Copy)]
pub(super) enum Lead<'a> {
    /// The pieces of texts.
    Part(Part<'a>),
    /// The index of a filter.
    Filter(&'a Filter),
}

impl Filters {
    /// Returns the filters of a search.
    pub(super) fn of(search: &Search) -> Self {
        let Search {
            text, name, category, environment, status, part, tail, version, scanned, ..
        } = search;
        let bytes = |text: &str| Value::Bytes(text.as_bytes().to_vec());
        let folded = |text: &str| bytes(&fold(text));
        let columns = [
            ("name_folded", "images_by_name", name.as_deref().map(folded)),
            ("part", "images_by_part", part.as_deref().map(bytes)),
            ("tail", "images_by_tail", tail.as_deref().map(bytes)),
            ("category_folded", "images_by_category", category.as_deref().map(folded)),
            ("version_order", "images_by_version", version.map(|v| Value::Bytes(version_order(v)))),
            (
                "environment",
                "images_by_environment",
                environment.as_ref().map(|e| bytes(e.as_str())),
            ),
            ("status", "images_by_status", status.map(|status| bytes(status.as_str()))),
            ("scanned", "images_by_scanned", scanned.map(Value::Flag)),
        ];
        let columns = columns.into_iter().filter_map(|(column, index, value)| {
            value.map(|value| Filter { column, index, value })
        });
        let text = text.as_deref().map(fold).filter(|text| !text.is_empty());
        Self { text, columns: columns.collect() }
    }

    /// Says whether an image is found if it has this part of the text.
    pub(super) fn are_only(&self, part: Part<'_>) -> bool {
        self.columns.is_empty() && self.text.as_deref().is_some_and(|text| part.is_whole(text))
    }

    /// Returns all that may lead.
    pub(super) fn leads(&self) -> Vec<Lead<'_>> {
        let parts = self.text.as_deref().map(pieces::parts).unwrap_or_default();
        let parts = parts.into_iter().map(Lead::Part);
        parts.chain(self.columns.iter().map(Lead::Filter)).collect()
    }
}

/// Returns the first that leads to few images.
pub(super) async fn few<'a>(
    leads: &[Lead<'a>],
    snapshot: &mut MySqlConnection,
) -> Result<Option<Lead<'a>>, Stopped> {
    for &lead in leads {
        let mut sql = QueryBuilder::new("SELECT COUNT(*) FROM (SELECT 1 FROM ");
        match lead {
            Lead::Part(part) => {
                sql.push("image_pieces WHERE ");
                part.push(&mut sql);
            }
            Lead::Filter(filter) => {
                sql.push("images FORCE INDEX (").push(filter.index).push(") WHERE ");
                filter.push(&mut sql);
            }
        }
        sql.push(" LIMIT ").push_bind(FEW + 1).push(") few");
        let n: i64 = sql.build_query_scalar().fetch_one(&mut *snapshot).await?;
        if n <= i64::from(FEW) {
            return Ok(Some(lead));
        }
    }
    Ok(None)
}
