//! The catalog in MySQL 8 or `MariaDB`, which any number of processes share.
//!
//! ```text
//! images            what images are searched and sorted by, with an index per order and filter
//! image_documents   the whole image as JSON, its revision and its writer
//! image_pieces      which images hold a short text: the index of the text search
//! installation      the id of the installation
//! orbit_schema      which of the program's migrations the database has taken
//! ```
//!
//! Only statements that both servers document are used. A server of MySQL 8 that keeps passwords with
//! `caching_sha2_password`, its default, takes one over TLS only.

mod catalog;
mod database;
mod fault;
mod schema;
mod setup;
mod shared;
mod url;

use std::sync::Arc;
use std::time::Duration;

use orbit_core::port::{Catalog, Kind, PortError};

use self::catalog::MySqlCatalog;
use self::database::Database;
pub use self::url::{MySqlUrl, MySqlUrlFault};

/// How a database is reached.
///
/// ```
/// use orbit_store::MySqlSettings;
/// let settings = MySqlSettings::new("mysql://orbit:very%20secret@db.example.com".parse()?);
/// assert!(!format!("{settings:?}").contains("secret"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MySqlSettings {
    /// Where it is, and who asks.
    pub url: MySqlUrl,
    /// How many connections there are at most: 8.
    pub connections: u32,
    /// How long one call may take with all its tries: 10 s. Shorter than half a lease.
    pub call_timeout: Duration,
}

impl MySqlSettings {
    /// Returns the settings of a database, with the defaults for the rest.
    pub const fn new(url: MySqlUrl) -> Self {
        Self { url, connections: 8, call_timeout: Duration::from_secs(10) }
    }
}

/// A database that holds the catalog. Clones share its connections.
#[derive(Debug, Clone)]
pub struct MySql {
    database: Database,
}

impl MySql {
    /// Returns the database of the settings. Nobody is asked yet, so it need not be there. Call it
    /// within a tokio runtime.
    ///
    /// # Errors
    /// `Rejected` if the settings allow no connection or no time.
    pub fn connect(settings: &MySqlSettings) -> Result<Self, PortError> {
        if settings.connections == 0 || settings.call_timeout.is_zero() {
            let (n, time) = (settings.connections, settings.call_timeout);
            let message = format!(
                "{} may have {n} connections and {time:?} for a call, expected more than none",
                settings.url
            );
            return Err(PortError::new(Kind::Rejected, message));
        }
        Ok(Self { database: Database::new(settings) })
    }

    /// Returns the catalog.
    pub fn catalog(&self) -> Arc<dyn Catalog> {
        Arc::new(MySqlCatalog::new(self.database.clone()))
    }

    /// Waits for all connections to end. Later calls fail.
    pub async fn close(&self) {
        self.database.close().await;
    }
}
