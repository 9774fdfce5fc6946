//! The statements of a search.
//!
//! They say which index to use and which table to begin with. The servers would choose by estimates,
//! and one that is wrong by a factor of ten makes a search slower by a factor of a hundred.

use orbit_core::port::{Kind, PortError, Row};
use orbit_core::query::{Cursor, Search, Sort, fold};
use serde::{Deserialize, Serialize};
use sqlx::{MySql, QueryBuilder};

use super::columns::version_order;
use super::lead::{Filters, Lead};
use crate::page;

/// How images are found.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way<'a> {
    /// By one filter, to be filtered by the others, and sorted.
    Lead(Lead<'a>),
    /// In the order of an index, to be filtered.
    Index(&'static str),
}

/// Where a page ends.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct End {
    sorted_by: SortKey,
    uid: String,
    version: orbit_core::ImageVersion,
}

/// The value that a search is sorted by.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum SortKey {
    Time(i64),
    Name(String),
}

/// Returns the statement that reads a page, and the row after it if there is one.
pub(super) fn rows(
    search: &Search,
    filters: &Filters,
    way: Way<'_>,
    end: Option<&End>,
) -> QueryBuilder<MySql> {
    let Order { column, direction, .. } = Order::of(search.sort);
    let mut sql = QueryBuilder::new("SELECT d.image, d.revision, d.writer FROM (SELECT ");
    sql.push(distinct(way));
    sql.push(format_args!("i.id, i.{column}, i.image_uid, i.version_order"));
    narrow(&mut sql, filters, way);
    if let Some(end) = end {
        after(&mut sql, search.sort, end);
    }
    let by = |table| {
        format!(" ORDER BY {table}.{column} {direction}, {table}.image_uid, {table}.version_order")
    };
    sql.push(by("i")).push(" LIMIT ").push_bind(page::n_rows(search.limit));
    sql.push(") page STRAIGHT_JOIN image_documents d ON d.id = page.id").push(by("page"));
    sql
}

/// Returns the statement that counts the matches, but no further than one beyond the limit.
pub(super) fn count(filters: &Filters, way: Way<'_>) -> QueryBuilder<MySql> {
    let mut sql = QueryBuilder::new("SELECT COUNT(*) FROM (SELECT ");
    sql.push(distinct(way));
    match way {
        // The pieces alone say which images have the text.
        Way::Lead(Lead::Part(part)) if filters.are_only(part) => {
            sql.push("p.id FROM image_pieces p WHERE p.");
            part.push(&mut sql);
        }
        Way::Lead(Lead::Part(_) | Lead::Filter(_)) | Way::Index(_) => {
            sql.push("i.id");
            narrow(&mut sql, filters, way);
        }
    }
    sql.push(" LIMIT ").push_bind(Search::COUNT_LIMIT + 1).push(") matching");
    sql
}

/// Returns the statement that counts the matches by the values of a column.
pub(super) fn facet(filters: &Filters, way: Way<'_>, column: &'static str) -> QueryBuilder<MySql> {
    let mut sql = QueryBuilder::new("SELECT value, COUNT(*) AS n FROM (SELECT ");
    sql.push(distinct(way)).push("i.id, i.").push(column).push(" AS value");
    narrow(&mut sql, filters, way);
    sql.push(" AND i.").push(column).push(" IS NOT NULL) matching");
    sql.push(" GROUP BY value ORDER BY n DESC, value");
    sql
}

/// Returns how to go through all images. The index of ids is the narrowest.
pub(super) const fn through_all() -> Way<'static> {
    Way::Index("images_by_id")
}

/// Returns how to follow an order.
///
/// A filter's index leads from the newest to the oldest image too. In the other orders the filter is
/// applied to what the order's index says of each image.
pub(super) fn in_order(sort: Sort, filters: &Filters) -> Way<'static> {
    let by_filter = filters.columns.iter().find(|filter| filter.column != "name_folded");
    match (sort, by_filter) {
        (Sort::Newest, Some(filter)) => Way::Index(filter.index),
        _ => Way::Index(Order::of(sort).index),
    }
}

/// An image may have several pieces that begin with a text.
fn distinct(way: Way<'_>) -> &'static str {
    match way {
        Way::Lead(Lead::Part(part)) if part.repeats() => "DISTINCT ",
        Way::Lead(Lead::Part(_) | Lead::Filter(_)) | Way::Index(_) => "",
    }
}

/// Goes on with the images that every filter lets through.
fn narrow(sql: &mut QueryBuilder<MySql>, filters: &Filters, way: Way<'_>) {
    let mut is_text_found = false;
    match way {
        Way::Lead(Lead::Part(part)) => {
            sql.push(" FROM image_pieces p STRAIGHT_JOIN images i ON i.id = p.id WHERE p.");
            part.push(sql);
            is_text_found = filters.text.as_deref().is_some_and(|text| part.is_whole(text));
        }
        Way::Lead(Lead::Filter(filter)) => {
            sql.push(format_args!(" FROM images i FORCE INDEX ({}) WHERE TRUE", filter.index));
        }
        Way::Index(index) => {
            sql.push(format_args!(" FROM images i FORCE INDEX ({index}) WHERE TRUE"));
        }
    }
    for filter in &filters.columns {
        sql.push(" AND i.");
        filter.push(sql);
    }
    if let Some(text) = filters.text.as_ref().filter(|_| !is_text_found) {
        sql.push(" AND INSTR(i.text_folded, ").push_bind(text.clone().into_bytes()).push(") > 0");
    }
}

/// Goes on behind the end of a page, by conditions that are each a range of the order's index.
fn after(sql: &mut QueryBuilder<MySql>, sort: Sort, end: &End) {
    let Order { column, direction, .. } = Order::of(sort);
    let beyond = if direction == "ASC" { ">" } else { "<" };
    let (uid, version) = (end.uid.as_bytes(), version_order(end.version));
    sql.push(format_args!(" AND (i.{column} {beyond} "));
    end.sorted_by.push(sql);
    sql.push(format_args!(" OR (i.{column} = "));
    end.sorted_by.push(sql);
    sql.push(" AND i.image_uid > ").push_bind(uid.to_vec());
    sql.push(format_args!(") OR (i.{column} = "));
    end.sorted_by.push(sql);
    sql.push(" AND i.image_uid = ").push_bind(uid.to_vec());
    sql.push(" AND i.version_order > ").push_bind(version).push("))");
}

/// How a search is sorted, before images that are equal in it are sorted by their ids.
struct Order {
    column: &'static str,
    direction: &'static str,
    /// Has the images in this order.
    index: &'static str,
}

impl Order {
    const fn of(sort: Sort) -> Self {
        let (column, direction, index) = match sort {
            Sort::Newest => ("created", "DESC", "images_by_newest"),
            Sort::Oldest => ("created", "ASC", "images_by_oldest"),
            Sort::LastChanged => ("updated", "DESC", "images_by_last_change"),
            Sort::FirstChanged => ("updated", "ASC", "images_by_change"),
            Sort::Name => ("name_folded", "ASC", "images_by_name"),
            Sort::NameBackwards => ("name_folded", "DESC", "images_by_name_back"),
        };
        Self { column, direction, index }
    }
}

impl End {
    /// Returns where a page of a search ends with this row.
    pub(super) fn of(row: &Row, sort: Sort) -> Self {
        let image = &row.image;
        let sorted_by = match sort {
            Sort::Newest | Sort::Oldest => SortKey::Time(image.created.millis()),
            Sort::LastChanged | Sort::FirstChanged => SortKey::Time(image.updated.millis()),
            Sort::Name | Sort::NameBackwards => SortKey::Name(fold(&image.labels.name)),
        };
        Self { sorted_by, uid: image.id.uid.to_string(), version: image.id.version }
    }

    /// Returns where a search's last page ended, or `None` if this is its first.
    pub(super) fn before(search: &Search) -> Result<Option<Self>, PortError> {
        let end: Option<Self> = page::begin(search.cursor.as_ref(), &search.identity())?;
        let is_by_name = matches!(search.sort, Sort::Name | Sort::NameBackwards);
        match &end {
            Some(end) if matches!(end.sorted_by, SortKey::Name(_)) != is_by_name => {
                Err(PortError::new(Kind::Rejected, "cursor is not one that this query returned"))
            }
            _ => Ok(end),
        }
    }

    /// Returns the cursor of what follows.
    pub(super) fn cursor(&self, search: &Search) -> Cursor {
        Cursor::new(&search.identity(), self)
    }
}

impl SortKey {
    fn push(&self, sql: &mut QueryBuilder<MySql>) {
        match self {
            Self::Time(at) => sql.push_bind(*at),
            Self::Name(name) => sql.push_bind(name.clone().into_bytes()),
        };
    }
}
