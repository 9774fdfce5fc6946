//! The schema's migrations, and which of them a database has taken.

use async_trait::async_trait;
use orbit_core::port::{Kind, PortError};
use sqlx::Executor as _;
use sqlx::MySqlConnection;

use super::database::Work;
use super::fault::{Stopped, error_number, number};
use super::url::MySqlUrl;

/// What each version adds to the one before. Every statement of a migration can be repeated.
pub(super) const MIGRATIONS: [&str; 1] = [include_str!("schema/1.sql")];
/// The version that this program works with.
pub(super) const KNOWN: u32 = 1;

/// The tables that it has then.
const TABLES: [&str; 4] = ["installation", "images", "image_documents", "image_pieces"];

/// Where the taken migrations are recorded.
pub(super) const RECORD: &str = "CREATE TABLE IF NOT EXISTS orbit_schema (
    version INT UNSIGNED NOT NULL PRIMARY KEY
) ENGINE = InnoDB";

/// Reads the version of a database's schema.
pub(super) async fn version(connection: &mut MySqlConnection) -> Result<u32, Stopped> {
    let select = sqlx::query_scalar("SELECT MAX(version) FROM orbit_schema");
    match select.fetch_one(connection).await {
        Ok(version) => Ok(Option::<u32>::unwrap_or_default(version)),
        Err(error) if error_number(&error) == Some(number::NO_TABLE) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// Refuses a schema that a later program has changed.
pub(super) fn refuse_newer(found: u32, url: &MySqlUrl) -> Result<(), PortError> {
    if found <= KNOWN {
        return Ok(());
    }
    let message = format!(
        "{url} has schema version {found}, this program works with {KNOWN}: expected a later program"
    );
    Err(PortError::new(Kind::Rejected, message))
}

/// Refuses a database without one of the tables that its schema has made: an empty one in its place
/// would hide what was lost.
pub(super) async fn refuse_gaps(
    connection: &mut MySqlConnection,
    url: &MySqlUrl,
) -> Result<(), Stopped> {
    let select = sqlx::query_scalar(
        "SELECT CAST(table_name AS BINARY) FROM information_schema.tables
         WHERE table_schema = DATABASE()",
    );
    let there: Vec<Vec<u8>> = select.fetch_all(connection).await?;
    let is_gone = |table: &&str| there.iter().all(|found| found != table.as_bytes());
    let Some(table) = TABLES.iter().copied().find(is_gone) else { return Ok(()) };
    let message = format!("{url} has lost its table {table}, expected it, as a backup has it");
    Err(PortError::new(Kind::Rejected, message).into())
}

/// Succeeds if the schema is the one that this program works with.
pub(super) struct Check<'a> {
    /// Where.
    pub(super) url: &'a MySqlUrl,
}

#[async_trait]
impl Work for Check<'_> {
    type Output = ();

    async fn run(&self, connection: &mut MySqlConnection) -> Result<(), Stopped> {
        // A server that takes no writes refuses this.
        connection.execute("START TRANSACTION READ WRITE").await?;
        connection.execute("ROLLBACK").await?;
        let found = version(connection).await?;
        refuse_newer(found, self.url)?;
        if found < KNOWN {
            let url = self.url;
            let message = format!(
                "{url} has schema version {found}, this program works with {KNOWN}: run `orbit setup`"
            );
            return Err(PortError::new(Kind::Rejected, message).into());
        }
        refuse_gaps(connection, self.url).await
    }
}
