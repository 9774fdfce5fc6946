//! The log of a data directory, and the same questions with `OFFSET` on the same tables.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use orbit_core::Environments;
use orbit_core::event::Event;
use orbit_core::place::Names;
use orbit_core::port::{ActionFilter, EventFilter};
use orbit_store::Embedded;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions as _, SqliteConnection};
use tempfile::TempDir;

use super::cases::{Key, PAGE, Question};
use super::history::{Action, History};
use super::{Peer, json, percentiles};

/// So many actions are made before their rows are written.
const CHUNK: usize = 1_000;
/// So many rows are in one statement: with 15 values each they are within the 32,766 of SQLite.
const ROWS: usize = 1_000;

/// A filled data directory.
pub(crate) struct Filled {
    pub(crate) stores: Embedded,
    pub(crate) peer: Naive,
    _dir: Option<TempDir>,
}

/// A connection that says the naive statements.
pub(crate) struct Naive(SqliteConnection);

/// Opens a data directory with a history, and fills it if it is empty.
pub(crate) async fn open(history: &History, n_events: u32, is_kept: bool) -> Filled {
    let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let dir = (!is_kept).then(|| tempfile::tempdir_in(tmp).unwrap());
    let kept = || tmp.join(format!("audit-{n_events}"));
    let path: PathBuf = dir.as_ref().map_or_else(kept, |dir| dir.path().to_owned());
    let environments = Environments::default();
    Embedded::open(&path, &environments).await.unwrap().close().await;
    let file = path.join("orbit.db");
    let options = SqliteConnectOptions::new().filename(&file).foreign_keys(false);
    let mut connection = options.clone().connect().await.unwrap();
    if count(&mut connection, "SELECT COUNT(*) FROM actions").await == 0 {
        drop(connection);
        fill(&options, history).await;
        connection = options.connect().await.unwrap();
    }
    let n_bytes = std::fs::metadata(&file).unwrap().len();
    let n = count(&mut connection, "SELECT COUNT(*) FROM events").await;
    println!(
        "SQLite has {n} events of {} actions in {} MB",
        history.n_actions,
        n_bytes / 1_000_000
    );
    let stores = Embedded::open(&path, &environments).await.unwrap();
    Filled { stores, peer: Naive(connection), _dir: dir }
}

/// Fills the tables in one transaction that a crash would spoil.
async fn fill(options: &SqliteConnectOptions, history: &History) {
    let begun = Instant::now();
    let options = options.clone().journal_mode(SqliteJournalMode::Off);
    let options = options.synchronous(SqliteSynchronous::Off).pragma("cache_size", "-6000000");
    let mut connection = options.connect().await.unwrap();
    let names = Names::new(&Environments::default());
    sqlx::raw_sql("BEGIN").execute(&mut connection).await.unwrap();
    let all: Vec<u32> = (0..history.n_actions).collect();
    for numbers in all.chunks(CHUNK) {
        let actions: Vec<_> = numbers.iter().map(|n| history.action(*n)).collect();
        insert_actions(&mut connection, &actions).await;
        insert_events(&mut connection, &names, &actions).await;
    }
    sqlx::raw_sql("COMMIT").execute(&mut connection).await.unwrap();
    println!("SQLite was filled in {:.0?}", begun.elapsed());
}

async fn insert_actions(connection: &mut SqliteConnection, actions: &[Action]) {
    let columns =
        "actions (id, kind, image_uid, state, begun, record, owner, lease, outcome, ended)";
    let sql = inserts(columns, 10, actions.len());
    let mut insert = sqlx::query(AssertSqlSafe(sql));
    for Action { record, state, end, .. } in actions {
        insert = insert
            .bind(record.id.to_string())
            .bind(record.request.kind().as_str())
            .bind(record.request.image.uid.to_string())
            .bind(state.as_str())
            .bind(record.at.millis())
            .bind(json(record))
            .bind("bench")
            .bind(1)
            .bind(end.as_ref().map(|(outcome, _)| json(outcome)))
            .bind(end.as_ref().map(|(_, at)| at.millis()));
    }
    insert.execute(connection).await.unwrap();
}

async fn insert_events(connection: &mut SqliteConnection, names: &Names, actions: &[Action]) {
    let columns = "events (action, sequence, entry, table_name, kind, event_type, pid, image_uid,
        image_version, environment, username, at, event, created_timestamp_utc,
        created_timestamp_unix)";
    let events: Vec<&(u32, Event)> = actions.iter().flat_map(|action| &action.events).collect();
    for rows in events.chunks(ROWS) {
        let mut insert = sqlx::query(AssertSqlSafe(inserts(columns, 15, rows.len())));
        for (entry, event) in rows {
            let kind = event.draft.event.action();
            insert = insert
                .bind(event.action.to_string())
                .bind(event.sequence)
                .bind(*entry)
                .bind(names.event_table(kind))
                .bind(kind.as_str())
                .bind(event.draft.event.as_str())
                .bind(event.draft.pid.to_string())
                .bind(event.image.uid.to_string())
                .bind(event.image.version.to_string())
                .bind(event.environment.to_string())
                .bind(event.username.clone())
                .bind(event.at.millis())
                .bind(json(event))
                .bind(event.at.utc())
                .bind(event.at.unix());
        }
        insert.execute(&mut *connection).await.unwrap();
    }
}

fn inserts(columns: &str, n_columns: usize, n_rows: usize) -> String {
    let row = format!("({})", vec!["?"; n_columns].join(", "));
    format!("INSERT INTO {columns} VALUES {}", vec![row; n_rows].join(", "))
}

/// Returns how long a transaction takes that inserts one row as long as an entry is: what the disk
/// asks for.
pub(crate) async fn bare(dir: &Path, history: &History) -> String {
    let options = SqliteConnectOptions::new().filename(dir.join("bare.db")).create_if_missing(true);
    let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    let mut connection = options.connect().await.unwrap();
    let table = "CREATE TABLE entries (n INTEGER PRIMARY KEY, fact TEXT) STRICT";
    sqlx::raw_sql(table).execute(&mut connection).await.unwrap();
    let entry = json(&history.entries(&history.action(0))[0]);
    let (begun, mut times) = (Instant::now(), Vec::new());
    while begun.elapsed() < Duration::from_secs(5) {
        let before = Instant::now();
        let insert = sqlx::query("INSERT INTO entries (fact) VALUES (?)").bind(&entry);
        insert.execute(&mut connection).await.unwrap();
        times.push(before.elapsed());
    }
    percentiles(times)
}

async fn count(connection: &mut SqliteConnection, sql: &str) -> u64 {
    let sql = AssertSqlSafe(sql.to_owned());
    let n: i64 = sqlx::query_scalar(sql).fetch_one(connection).await.unwrap();
    u64::try_from(n).unwrap()
}

impl Peer for Naive {
    async fn count(&mut self, question: &Question) -> u64 {
        let (table, _, condition, _) = parts(question);
        count(&mut self.0, &format!("SELECT COUNT(*) FROM {table} WHERE {condition}")).await
    }

    async fn page(&mut self, question: &Question, offset: u64) -> (Option<Duration>, Vec<Key>) {
        let (table, columns, condition, order) = parts(question);
        let sql = format!(
            "SELECT {columns} FROM {table} WHERE {condition} ORDER BY {order}
             LIMIT {PAGE} OFFSET {offset}"
        );
        let begun = Instant::now();
        let rows: Vec<(String, u32, String)> =
            sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&mut self.0).await.unwrap();
        let elapsed = begun.elapsed();
        (Some(elapsed), rows.into_iter().map(|(action, sequence, _)| (action, sequence)).collect())
    }
}

/// Returns table, columns, condition and order of a question. The values are the bench's own, so
/// nothing is quoted.
fn parts(question: &Question) -> (&'static str, &'static str, String, String) {
    match question {
        Question::Events(filter) => {
            let order = if filter.newest_first { "DESC" } else { "ASC" };
            let order = format!("at {order}, action {order}, sequence {order}");
            ("events", "action, sequence, event", of_events(filter), order)
        }
        Question::Actions(filter) => (
            "actions",
            "id, 0, record || coalesce(outcome, '')",
            of_actions(filter),
            "begun DESC, id DESC".to_owned(),
        ),
    }
}

fn of_events(filter: &EventFilter) -> String {
    let texts = [
        ("action", filter.action.as_ref().map(ToString::to_string)),
        ("kind", filter.kind.map(|kind| kind.to_string())),
        ("image_uid", filter.uid.as_ref().map(ToString::to_string)),
        ("image_version", filter.version.map(|version| version.to_string())),
        ("username", filter.username.clone()),
    ];
    let mut condition = equal(texts);
    let times = [(">=", filter.from), ("<", filter.to)];
    for (compare, time) in times.iter().filter_map(|(compare, time)| Some((compare, (*time)?))) {
        condition.push_str(&format!(" AND at {compare} {}", time.millis()));
    }
    condition
}

fn of_actions(filter: &ActionFilter) -> String {
    equal([
        ("state", filter.state.map(|state| state.as_str().to_owned())),
        ("kind", filter.kind.map(|kind| kind.to_string())),
        ("image_uid", filter.uid.as_ref().map(ToString::to_string)),
    ])
}

fn equal<const N: usize>(texts: [(&str, Option<String>); N]) -> String {
    let texts = texts.into_iter().filter_map(|(column, value)| Some((column, value?)));
    texts.fold("TRUE".to_owned(), |sql, (column, value)| format!("{sql} AND {column} = '{value}'"))
}
