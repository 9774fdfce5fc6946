//! Making the database what this program works with.

use sqlx::mysql::MySqlConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, MySqlConnection};

use orbit_core::Digest;
use orbit_core::port::{Kind, PortError};
use tokio::time::timeout;

use super::database::{Database, options, session};
use super::fault::{Stopped, error_number, number};
use super::schema::{KNOWN, MIGRATIONS, RECORD, refuse_gaps, refuse_newer, version};
use crate::shared::Step;

/// Creates the database if it is missing, and the tables that are missing in it.
///
/// It uses a connection of its own: the lock that keeps a second setup waiting belongs to it, and
/// ends with it however that ends. The server does not cut a migration short after the time of a call,
/// because an index on a large table takes longer.
pub(super) async fn setup(database: &Database) -> Result<Vec<Step>, Stopped> {
    let mut steps = Vec::new();
    let mut connection = open(database, &mut steps).await?;
    connection.execute(AssertSqlSafe(session(database.call_timeout()))).await?;
    lock(&mut connection, database).await?;
    migrate(&mut connection, database, &mut steps).await?;
    connection.close().await?;
    Ok(steps)
}

async fn open(database: &Database, steps: &mut Vec<Step>) -> Result<MySqlConnection, Stopped> {
    let (url, known) = (database.url(), options(database.url()));
    match connect(database, &known).await {
        Err(Stopped::Sql(error)) if error_number(&error) == Some(number::UNKNOWN_DATABASE) => {}
        result => return result,
    }
    // The options of an address cannot be without a database again, so these name one that is
    // always there.
    let anywhere = known.clone().database("information_schema");
    let mut connection = connect(database, &anywhere).await?;
    let name = url.database().replace('`', "``");
    let create = format!("CREATE DATABASE IF NOT EXISTS `{name}` DEFAULT CHARACTER SET utf8mb4");
    connection.execute(AssertSqlSafe(create)).await?;
    connection.close().await?;
    steps.push(Step::new(format!("database {}", url.database()), "created"));
    connect(database, &known).await
}

async fn connect(
    database: &Database,
    options: &MySqlConnectOptions,
) -> Result<MySqlConnection, Stopped> {
    let connection = timeout(database.call_timeout(), options.connect()).await;
    Ok(connection.map_err(|_| Stopped::Late)??)
}

/// Waits until no other setup works on the database.
async fn lock(connection: &mut MySqlConnection, database: &Database) -> Result<(), Stopped> {
    // The locks are the server's, and their names have at most 64 characters.
    let of_database = Digest::of(database.url().database().as_bytes());
    let name = format!("orbit-setup-{}", &of_database.hex()[..40]);
    let seconds = database.call_timeout().as_secs().max(1);
    let select = sqlx::query_scalar("SELECT GET_LOCK(?, ?)").bind(name).bind(seconds);
    let locked: Option<i64> = select.fetch_one(connection).await?;
    if locked == Some(1) {
        return Ok(());
    }
    let url = database.url();
    let message = format!("another setup of {url} is running, expected it to end in {seconds} s");
    Err(PortError::new(Kind::Unavailable, message).into())
}

async fn migrate(
    connection: &mut MySqlConnection,
    database: &Database,
    steps: &mut Vec<Step>,
) -> Result<(), Stopped> {
    let found = version(connection).await?;
    refuse_newer(found, database.url())?;
    if found == KNOWN {
        return refuse_gaps(connection, database.url()).await;
    }
    connection.execute(RECORD).await?;
    for (number, migration) in (1..).zip(MIGRATIONS).skip_while(|(number, _)| *number <= found) {
        connection.execute(migration).await?;
        let record = sqlx::query("INSERT INTO orbit_schema (version) VALUES (?)").bind(number);
        record.execute(&mut *connection).await?;
    }
    let (name, done) = (database.url().database(), format!("schema {found} became {KNOWN}"));
    steps.push(Step::new(format!("database {name}"), done));
    Ok(())
}
