//! No search reads more than it must, by what the server says of the statements that it was sent.

use orbit_core::Image;
use orbit_core::port::Catalog;
use orbit_core::query::{Search, Sort, StatusName};
use orbit_core::testing::samples::{action_id, image};
use sqlx::{AssertSqlSafe, MySqlConnection, Row as _};

use super::search::{all, for_text};
use super::{Place, fill, reference, root, say};
use crate::servers;

/// More than what one filter may lead to before the order is followed.
const N_IMAGES: u32 = 20_000;
/// A page reads what leads to few images (3,000) and what is counted (10,000), with their rows; of a text
/// of one letter each image has several pieces. All pieces are 2.5 million.
const MOST_READS: u64 = 100_000;
/// Up to 3,000 are sorted, of which the server estimates at most twice as many.
const MOST_SORTED: u64 = 6_500;

/// Returns a search by each filter, selective or not, and by some at once.
fn filters(of: &Image) -> Vec<Search> {
    let base = || Search { limit: 20, ..Search::default() };
    let labels = of.labels.clone();
    let uid = of.id.uid.as_str();
    let mut searches: Vec<_> =
        ["e", "engine", "blue engine", "engine for the", "of aircraft 97", "zzzzzz", &uid[7..40]]
            .map(for_text)
            .into();
    searches.extend([
        base(),
        Search { name: Some(labels.name.to_uppercase()), ..base() },
        Search { category: Some("movie".to_owned()), ..base() },
        Search { category: Some("maintenance".to_owned()), ..base() },
        Search { environment: Some("development".parse().unwrap()), ..base() },
        Search { status: Some(StatusName::Stored), ..base() },
        Search { status: Some(StatusName::Deleted), ..base() },
        Search { part: Some("20007-1".to_owned()), ..base() },
        Search { tail: Some("G-0042".to_owned()), ..base() },
        Search { version: Some(of.id.version), ..base() },
        Search { scanned: Some(true), ..base() },
        Search { scanned: Some(false), status: Some(StatusName::Stored), ..base() },
        Search { category: Some("Movie".to_owned()), ..for_text("engine") },
        Search { scanned: Some(false), ..for_text("for the blue engine") },
    ]);
    searches
}

/// Reads what a plan says of one table.
struct Access {
    table: String,
    how: String,
    /// By the server's estimate.
    n_rows: u64,
    extra: String,
}

/// Returns the statements on the catalog that the server got, and forgets them.
async fn statements(log: &mut MySqlConnection) -> Vec<String> {
    let said = "SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log
        WHERE command_type = 'Execute' AND user_host LIKE 'orbit%' AND argument LIKE 'SELECT%'";
    let said: Vec<String> = sqlx::query_scalar(said).fetch_all(&mut *log).await.unwrap();
    say(log, "TRUNCATE mysql.general_log").await;
    said
}

async fn plan(connection: &mut MySqlConnection, statement: &str) -> Vec<Access> {
    let explain = format!("EXPLAIN {statement}");
    let rows = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_all(connection).await.unwrap();
    let text = |row: &sqlx::mysql::MySqlRow, column: &str| {
        row.get::<Option<String>, _>(column).unwrap_or_default()
    };
    let access = |row| Access {
        table: text(row, "table"),
        how: text(row, "type"),
        n_rows: text(row, "rows").parse().unwrap_or_default(),
        extra: text(row, "Extra"),
    };
    rows.iter().map(access).collect()
}

/// Asserts that tables are read by an index, and sorted only where few images are led to.
fn check(statement: &str, plan: &[Access]) {
    for Access { table, how, n_rows, extra } in plan {
        let is_small = table.starts_with("<derived");
        assert!(how != "ALL" || is_small, "a full scan of {table}: {statement}");
        let is_walk = how == "index";
        assert!(!is_walk || statement.contains("LIMIT"), "a whole index of {table}: {statement}");
        let is_sort = extra.contains("filesort") && !is_small;
        let is_few = *n_rows <= MOST_SORTED;
        assert!(!is_sort || is_few, "a sort of {n_rows} rows of {table}: {statement}");
    }
}

async fn n_reads(connection: &mut MySqlConnection) -> u64 {
    let status = sqlx::query("SHOW GLOBAL STATUS LIKE 'Handler_read%'");
    let rows = status.fetch_all(connection).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>(1).parse::<u64>().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_search_goes_through_an_index_and_finds_what_a_filter_finds() {
    let server = servers::own_mariadb();
    let place = Place::on(&server);
    let catalog = place.set_up().await.catalog();
    let images: Vec<_> = (0..N_IMAGES).map(fill::made).collect();
    let connection = &mut root(&server, &place.name).await;
    let dir = tempfile::tempdir().unwrap();
    fill::load(connection, dir.path(), images.iter().cloned()).await;
    say(connection, "SET GLOBAL log_output = 'TABLE', GLOBAL general_log = 1").await;
    let mut n_statements = 0;
    for filter in filters(&images[4_321]) {
        for sort in [
            Sort::Newest,
            Sort::Oldest,
            Sort::LastChanged,
            Sort::FirstChanged,
            Sort::Name,
            Sort::NameBackwards,
        ] {
            let search = Search { sort, ..filter.clone() };
            let before = n_reads(connection).await;
            some_pages(&*catalog, &images, &search).await;
            let reads = (n_reads(connection).await - before) / 3;
            assert!(reads < MOST_READS, "{reads} reads a page: {search:?}");
            for statement in statements(connection).await {
                check(&statement, &plan(connection, &statement).await);
                n_statements += 1;
            }
        }
    }
    assert!(n_statements > 1_000, "the log of the server has only {n_statements} statements");
}

/// Compares the first page, the second, and one far behind, with what a filter in memory finds.
async fn some_pages(catalog: &dyn Catalog, images: &[Image], search: &Search) {
    let expected = reference::found(images, search);
    let first = catalog.search(search).await.unwrap();
    let next = Search { cursor: first.next.clone(), ..search.clone() };
    let second = catalog.search(&next).await.unwrap();
    let found = first.rows.iter().chain(second.rows.iter().filter(|_| first.next.is_some()));
    let found: Vec<_> = found.map(|row| &row.image.id).collect();
    assert_eq!(found, expected[..expected.len().min(40)], "{search:?}");
    let total = u64::try_from(expected.len()).unwrap();
    assert_eq!(first.total, total.min(Search::COUNT_LIMIT), "{search:?}");
    assert_eq!(first.total_is_at_least, total > Search::COUNT_LIMIT, "{search:?}");
    let far = Search { limit: 3_000, ..search.clone() };
    let far = catalog.search(&far).await.unwrap();
    let behind = Search { cursor: far.next.clone(), ..search.clone() };
    let behind = catalog.search(&behind).await.unwrap();
    let found: Vec<_> = behind.rows.iter().map(|row| &row.image.id).collect();
    let skipped = if far.next.is_some() { 3_000 } else { 0 };
    let last = expected.len().min(skipped + 20);
    assert_eq!(found, expected[skipped..last], "{search:?}");
}

#[tokio::test]
async fn facets_of_common_and_rare_texts_count_what_a_filter_finds() {
    let place = Place::new();
    let catalog = place.set_up().await.catalog();
    let images: Vec<_> = (0..4_000).map(fill::made).collect();
    let connection = &mut root(servers::mariadb(), &place.name).await;
    let dir = tempfile::tempdir().unwrap();
    fill::load(connection, dir.path(), images.iter().cloned()).await;
    for text in ["e", "engine", "of aircraft 97", "for the silent valve", "no such text"] {
        let search = Search { facets: true, ..for_text(text) };
        let facets = catalog.search(&search).await.unwrap().facets.unwrap();
        let found = reference::found(&images, &search).len();
        let sum = |counts: &[(String, u64)]| counts.iter().map(|(_, n)| n).sum::<u64>();
        let found = u64::try_from(found).unwrap();
        assert_eq!((sum(&facets.category), sum(&facets.status)), (found, found), "{text}");
        let deleted = Search { status: Some(StatusName::Deleted), ..for_text(text) };
        let deleted = reference::found(&images, &deleted).len();
        let counted = facets.status.iter().find(|(status, _)| status == "deleted");
        assert_eq!(counted.map_or(0, |(_, n)| *n), u64::try_from(deleted).unwrap(), "{text}");
    }
}

/// A loaded image has the rows that one has which was inserted, or the other tests prove nothing.
#[tokio::test]
async fn loaded_images_are_like_inserted_ones() {
    let (loaded, inserted) = (Place::new(), Place::new());
    let (_, mysql) = (loaded.set_up().await, inserted.set_up().await);
    let dir = tempfile::tempdir().unwrap();
    let mut rows = Vec::new();
    let load = &mut root(servers::mariadb(), &loaded.name).await;
    fill::load(load, dir.path(), (0..20).map(fill::made)).await;
    for n in 0..20 {
        mysql.catalog().insert(&fill::made(n), &action_id(1)).await.unwrap();
    }
    for place in [&loaded, &inserted] {
        let connection = &mut root(servers::mariadb(), &place.name).await;
        let sums = "CHECKSUM TABLE images, image_documents, image_pieces";
        let sums = sqlx::raw_sql(sums).fetch_all(connection).await.unwrap();
        rows.push(sums.iter().map(|row| row.get::<i64, _>(1)).collect::<Vec<_>>());
    }
    assert_eq!(rows[0], rows[1]);
    let (found, _) = all(&*mysql.catalog(), for_text("aircraft")).await;
    assert_eq!(found.len(), 20);
    assert!(!found.contains(&image(1, 1).id));
}
