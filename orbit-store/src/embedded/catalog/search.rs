//! The search: filters, pages, counts and facets.

use orbit_core::port::{Facets, PortError, Row, SearchPage};
use orbit_core::query::{Cursor, Search, Sort, fold};
use serde::{Deserialize, Serialize};
use sqlx::{QueryBuilder, Sqlite, Transaction};

use super::{read, version_order};
use crate::embedded::database::{Database, integer};
use crate::fault::Fault;
use crate::page;

/// Up to so many matches are found by the filters' indexes and sorted. Where there are more, the page
/// is soon full when the index of the order is followed instead. In a million images this makes the
/// difference between half a second and some milliseconds, either way.
const FEW: u64 = 1_000;

/// How a page's rows are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Path {
    /// By the filters, to be sorted.
    Filters,
    /// In their order, to be filtered.
    Order,
}

type Snapshot = Transaction<'static, Sqlite>;

/// Where a page ends.
#[derive(Debug, Serialize, Deserialize)]
struct End {
    sorted_by: SortKey,
    uid: String,
    version_order: String,
}

/// The value that a search is sorted by.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum SortKey {
    Time(i64),
    Name(String),
}

/// Returns a page, its count and its facets, all as of one moment.
pub(super) async fn answer(database: &Database, search: &Search) -> Result<SearchPage, PortError> {
    let identity = search.identity();
    let end = page::begin(search.cursor.as_ref(), &identity)?;
    let mut snapshot = database.snapshot().await?;
    let n_matches = count(&mut snapshot, search).await?;
    let path = if n_matches <= FEW { Path::Filters } else { Path::Order };
    let mut rows = rows(&mut snapshot, search, path, end).await?;
    let next = page::cut(&mut rows, search.limit);
    let next = next.map(|row| Cursor::new(&identity, &End::of(row, search.sort)));
    let facets = if search.facets { Some(facets(&mut snapshot, search).await?) } else { None };
    Ok(SearchPage {
        rows,
        next,
        total: n_matches.min(Search::COUNT_LIMIT),
        total_is_at_least: n_matches > Search::COUNT_LIMIT,
        facets,
    })
}

async fn rows(
    snapshot: &mut Snapshot,
    search: &Search,
    path: Path,
    end: Option<End>,
) -> Result<Vec<Row>, Fault> {
    let mut sql = select(search, path, end);
    let rows = sql.build().fetch_all(&mut **snapshot).await.map_err(Fault::Database)?;
    rows.iter().map(read).collect()
}

/// Returns the statement for the rows of a page.
fn select(search: &Search, path: Path, end: Option<End>) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new("SELECT image, revision, writer");
    narrow(&mut sql, search, path);
    if let Some(end) = end {
        after(&mut sql, search.sort, end);
    }
    let (column, order) = column(search.sort);
    sql.push(format_args!(" ORDER BY {column} {order}, image_uid, version_order LIMIT "));
    sql.push_bind(page::n_rows(search.limit));
    sql
}

/// Counts the matches, but no further than one beyond the limit.
async fn count(snapshot: &mut Snapshot, search: &Search) -> Result<u64, Fault> {
    let mut sql = QueryBuilder::new("SELECT count(*) FROM (SELECT 1");
    narrow(&mut sql, search, Path::Filters);
    sql.push(" LIMIT ").push_bind(integer(Search::COUNT_LIMIT) + 1).push(")");
    sql.build_query_scalar().fetch_one(&mut **snapshot).await.map_err(Fault::Database)
}

async fn facets(snapshot: &mut Snapshot, search: &Search) -> Result<Facets, Fault> {
    Ok(Facets {
        category: facet(snapshot, search, "category").await?,
        environment: facet(snapshot, search, "environment").await?,
        status: facet(snapshot, search, "status").await?,
        part: facet(snapshot, search, "part").await?,
        tail: facet(snapshot, search, "tail").await?,
    })
}

async fn facet(
    snapshot: &mut Snapshot,
    search: &Search,
    column: &'static str,
) -> Result<Vec<(String, u64)>, Fault> {
    let mut sql = QueryBuilder::new("SELECT ");
    sql.push(column).push(", count(*)");
    narrow(&mut sql, search, Path::Filters);
    sql.push(" AND ").push(column).push(" IS NOT NULL");
    sql.push(" GROUP BY ").push(column).push(" ORDER BY count(*) DESC, ").push(column);
    sql.build_query_as().fetch_all(&mut **snapshot).await.map_err(Fault::Database)
}

/// Goes on with the rows that every filter lets through.
fn narrow(sql: &mut QueryBuilder<Sqlite>, search: &Search, path: Path) {
    let Search { text, name, category, environment, status, part, tail, version, scanned, .. } =
        search;
    let text = text.as_deref().map(fold);
    let text = text.as_deref();
    match text {
        None => sql.push(" FROM ").push(images(search, path)).push(" WHERE TRUE"),
        Some(text) => contain(sql, text, images(search, path), path),
    };
    // The first ones usually let the fewest through.
    let equal = [
        ("name_folded", name.as_deref().map(fold)),
        ("part", part.clone()),
        ("tail", tail.clone()),
        ("category_folded", category.as_deref().map(fold)),
        ("image_version", version.map(|version| version.to_string())),
        ("environment", environment.as_ref().map(ToString::to_string)),
        ("status", status.map(|status| status.to_string())),
    ];
    // SQLite, which does not know how many rows have a value, uses the index of no column with a sign.
    let mut may_lead = leads(text, search.sort, path);
    let mut sign = || if std::mem::take(&mut may_lead) { "" } else { "+" };
    for (column, value) in equal {
        if let Some(value) = value {
            sql.push(format_args!(" AND {}{column} = ", sign())).push_bind(value);
        }
    }
    if let Some(scanned) = scanned {
        sql.push(format_args!(" AND {}scanned = ", sign())).push_bind(*scanned);
    }
}

/// Goes on with the rows that hold a text. Neither way to find them knows wildcards, so there is
/// nothing in a text to escape but the quotes of a phrase.
fn contain<'a>(
    sql: &'a mut QueryBuilder<Sqlite>,
    text: &str,
    images: &str,
    path: Path,
) -> &'a mut QueryBuilder<Sqlite> {
    if is_indexed(text) && path == Path::Filters {
        let phrase = format!("\"{}\"", text.replace('"', "\"\""));
        // The join is a CROSS JOIN because SQLite keeps the order of one: first the text.
        sql.push(" FROM images_text CROSS JOIN images ON row = images_text.rowid");
        sql.push(" WHERE images_text MATCH ").push_bind(phrase)
    } else {
        sql.push(" FROM ").push(images).push(" WHERE instr(text_folded, ");
        sql.push_bind(text.to_owned()).push(") > 0")
    }
}

/// Returns the table, with the index that leads to the order where no filter's index does: SQLite would
/// rather sort a million images than follow an index that leaves the last two columns of the order open.
fn images(search: &Search, path: Path) -> &'static str {
    let Search { name, category, environment, status, part, tail, version, scanned, .. } = search;
    let texts = [name, category, part, tail];
    let is_filtered = texts.iter().any(|text| text.is_some())
        || (environment.is_some() || status.is_some() || version.is_some() || scanned.is_some());
    match (path, search.sort) {
        (Path::Filters, _) => "images",
        (Path::Order, Sort::Newest | Sort::Oldest) if is_filtered => "images",
        (Path::Order, Sort::Newest | Sort::Oldest) => "images INDEXED BY images_by_created",
        (Path::Order, Sort::LastChanged | Sort::FirstChanged) => {
            "images INDEXED BY images_by_updated"
        }
        (Path::Order, Sort::Name | Sort::NameBackwards) => "images INDEXED BY images_by_name",
    }
}

/// Tells whether the index of a filter may lead to the rows: not where a text does, or where it would
/// not lead to their order.
fn leads(text: Option<&str>, sort: Sort, path: Path) -> bool {
    match (path, sort) {
        (Path::Filters, _) => !text.is_some_and(is_indexed),
        (Path::Order, Sort::Newest | Sort::Oldest) => true,
        (
            Path::Order,
            Sort::LastChanged | Sort::FirstChanged | Sort::Name | Sort::NameBackwards,
        ) => false,
    }
}

/// Tells whether the index of texts knows a folded text.
fn is_indexed(text: &str) -> bool {
    text.chars().count() >= 3 && !text.contains('\0')
}

/// Goes on behind the end of a page. The sort key is bounded by itself, so that an index leads to it.
fn after(sql: &mut QueryBuilder<Sqlite>, sort: Sort, end: End) {
    let (column, order) = column(sort);
    let beyond = if order == "ASC" { ">" } else { "<" };
    sql.push(format_args!(" AND {column} {beyond}= "));
    end.sorted_by.push(sql);
    sql.push(format_args!(" AND ({column} {beyond} "));
    end.sorted_by.push(sql);
    sql.push(" OR (image_uid, version_order) > (").push_bind(end.uid);
    sql.push(", ").push_bind(end.version_order).push("))");
}

/// Returns the column and the direction of an order.
const fn column(sort: Sort) -> (&'static str, &'static str) {
    match sort {
        Sort::Newest => ("created", "DESC"),
        Sort::Oldest => ("created", "ASC"),
        Sort::LastChanged => ("updated", "DESC"),
        Sort::FirstChanged => ("updated", "ASC"),
        Sort::Name => ("name_folded", "ASC"),
        Sort::NameBackwards => ("name_folded", "DESC"),
    }
}

impl End {
    fn of(row: &Row, sort: Sort) -> Self {
        let image = &row.image;
        let sorted_by = match sort {
            Sort::Newest | Sort::Oldest => SortKey::Time(image.created.millis()),
            Sort::LastChanged | Sort::FirstChanged => SortKey::Time(image.updated.millis()),
            Sort::Name | Sort::NameBackwards => SortKey::Name(fold(&image.labels.name)),
        };
        let uid = image.id.uid.to_string();
        Self { sorted_by, uid, version_order: version_order(image.id.version) }
    }
}

impl SortKey {
    fn push(&self, sql: &mut QueryBuilder<Sqlite>) {
        match self {
            Self::Time(at) => sql.push_bind(*at),
            Self::Name(name) => sql.push_bind(name.clone()),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::testing::{development, plan, stores};

    #[tokio::test]
    async fn of_several_filters_the_one_that_lets_the_fewest_through_leads() {
        let (_dir, stores) = stores().await;
        let mut search = Search { scanned: Some(true), ..Search::default() };
        let check = async |search: &Search, index: &str| {
            for path in [Path::Filters, Path::Order] {
                let plan = plan(&stores, &select(search, path, None)).await;
                assert!(plan.contains(&format!("USING INDEX {index} ")), "{search:?}: {plan}");
            }
        };
        check(&search, "images_by_scanned").await;
        search.environment = Some(development());
        check(&search, "images_by_environment").await;
        search.version = Some("v0-0-01".parse().unwrap());
        check(&search, "images_by_version").await;
        search.category = Some("Film".to_owned());
        check(&search, "images_by_category").await;
        search.text = Some("engine".to_owned());
        let plan = plan(&stores, &select(&search, Path::Filters, None)).await;
        assert!(plan.contains("images_text") && !plan.contains("images_by_"), "{plan}");
    }

    #[tokio::test]
    async fn a_first_page_of_many_images_does_not_sort_them_all() {
        let (_dir, stores) = stores().await;
        let all = Search { limit: 20, ..Search::default() };
        let text = Search { text: Some("engine".to_owned()), ..all.clone() };
        let filtered = Search { environment: Some(development()), ..text.clone() };
        for (sort, index) in [
            (Sort::Newest, "images_by_created"),
            (Sort::Oldest, "images_by_created"),
            (Sort::LastChanged, "images_by_updated"),
            (Sort::FirstChanged, "images_by_updated"),
            (Sort::Name, "images_by_name"),
            (Sort::NameBackwards, "images_by_name"),
        ] {
            for search in [&all, &text, &filtered] {
                let search = Search { sort, ..search.clone() };
                let plan = plan(&stores, &select(&search, Path::Order, None)).await;
                let is_led = plan.contains(index) || plan.contains("images_by_environment");
                let sorts_all = plan.contains("USE TEMP B-TREE FOR ORDER BY");
                assert!(is_led && !sorts_all, "{search:?}: {plan}");
            }
        }
    }
}
