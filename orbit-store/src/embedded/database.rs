//! The database: one SQLite file with one writer and a few readers.

use std::sync::Arc;
use std::time::Duration;

use orbit_core::event::ActionKind;
use orbit_core::place::{Names, RecordTable, Shelf};
use orbit_core::{Environments, Timestamp};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, Connection as _, Sqlite, SqliteConnection, Transaction};

use super::OpenFault;
use super::home::Home;
use crate::fault::Fault;

/// The schema's steps; a database's `user_version` says how many of them it has taken.
const MIGRATIONS: &[&str] = &[include_str!("schema/1.sql"), include_str!("schema/2.sql")];
/// Readers beside the writer: more than a few only wait for the same disk.
const N_READERS: u32 = 4;
/// How long a connection waits for another program, such as a shell that somebody left open.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The connections to `orbit.db`.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    writer: SqlitePool,
    readers: SqlitePool,
    _home: Arc<Home>,
}

impl Database {
    /// Opens the database, creates it if it is missing, and brings its schema up to date.
    pub(crate) async fn open(
        home: &Arc<Home>,
        environments: &Environments,
    ) -> Result<Self, OpenFault> {
        let options = SqliteConnectOptions::new()
            .filename(home.database())
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .analysis_limit(400);
        let writer = pool(1).connect_with(options.clone()).await?;
        migrate(&writer).await?;
        show_tables(&writer, environments).await?;
        let readers = pool(N_READERS).connect_with(options.pragma("query_only", "ON")).await?;
        Ok(Self { writer, readers, _home: Arc::clone(home) })
    }

    /// Begins a transaction that may write; others wait for its end.
    pub(crate) async fn write(&self) -> Result<Transaction<'static, Sqlite>, Fault> {
        self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(Fault::Database)
    }

    /// Begins a transaction that sees one state of the database.
    pub(crate) async fn snapshot(&self) -> Result<Transaction<'static, Sqlite>, Fault> {
        self.readers.begin().await.map_err(Fault::Database)
    }

    /// Returns the connections for a single query.
    pub(crate) const fn read(&self) -> &SqlitePool {
        &self.readers
    }

    /// Returns the installation's id, or `None` in a new database.
    pub(crate) async fn installation(&self) -> Result<Option<String>, sqlx::Error> {
        sqlx::query_scalar("SELECT id FROM installation").fetch_optional(&self.readers).await
    }

    /// Keeps the installation's id.
    pub(crate) async fn set_installation(&self, id: &str) -> Result<(), sqlx::Error> {
        let insert = sqlx::query("INSERT INTO installation (only_row, id) VALUES (1, ?)");
        insert.bind(id).execute(&self.writer).await.map(drop)
    }

    /// Waits for all connections to end, which leaves everything in `orbit.db` alone.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Commits a transaction.
pub(crate) async fn commit(transaction: Transaction<'static, Sqlite>) -> Result<(), Fault> {
    transaction.commit().await.map_err(Fault::Database)
}

/// Returns a count as SQLite keeps it.
pub(crate) fn integer(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Returns the two timestamps that every item carries, from one reading of the clock.
pub(crate) fn created(at: Timestamp) -> (String, String) {
    (at.utc(), at.unix())
}

fn pool(n_connections: u32) -> SqlitePoolOptions {
    let options = SqlitePoolOptions::new().max_connections(n_connections);
    options
        .test_before_acquire(false)
        .after_release(|connection, _| Box::pin(is_usable(connection)))
}

/// Tells whether a connection can be used again.
///
/// On a full disk SQLite gives a transaction up by itself and then refuses to roll it back, so that the
/// connection would believe for ever that it is within one. The ping comes after the rollback.
async fn is_usable(connection: &mut SqliteConnection) -> sqlx::Result<bool> {
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

async fn migrate(writer: &SqlitePool) -> Result<(), OpenFault> {
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    let taken: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *transaction).await?;
    let known = MIGRATIONS.len();
    let n_taken = usize::try_from(taken).ok().filter(|&n| n <= known);
    let n_taken = n_taken.ok_or(OpenFault::Newer { found: taken, known })?;
    for migration in MIGRATIONS.iter().skip(n_taken) {
        sqlx::raw_sql(*migration).execute(&mut *transaction).await?;
    }
    let version = AssertSqlSafe(format!("PRAGMA user_version = {known}"));
    sqlx::raw_sql(version).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(())
}

/// Shows charts, events and records under the mission's table names, as views, for people who open
/// the file with `sqlite3`. The names follow the environments, so they are set at every open.
async fn show_tables(writer: &SqlitePool, environments: &Environments) -> Result<(), OpenFault> {
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    let old: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'view'")
        .fetch_all(&mut *transaction)
        .await?;
    for name in old {
        let sql = format!("DROP VIEW {}", quoted(&name, '"'));
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *transaction).await?;
    }
    for (name, kept_in) in tables(environments) {
        let (view, text) = (quoted(&name, '"'), quoted(&name, '\''));
        let sql =
            format!("CREATE VIEW {view} AS SELECT * FROM {kept_in} WHERE table_name = {text}");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(())
}

fn tables(environments: &Environments) -> Vec<(String, &'static str)> {
    let names = Names::new(environments);
    let charts = Shelf::lasting(environments).map(|shelf| (names.chart_table(&shelf), "charts"));
    let events = ActionKind::ALL.map(|kind| (names.event_table(kind), "events"));
    let records = RecordTable::ALL.map(|table| (names.record_table(table), "records"));
    charts.chain(events).chain(records).collect()
}

fn quoted(text: &str, quote: char) -> String {
    let doubled = text.replace(quote, &quote.to_string().repeat(2));
    format!("{quote}{doubled}{quote}")
}
