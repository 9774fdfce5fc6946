//! The embedded default: one data directory, one process, no other service.
//!
//! ```text
//! <data directory>/lock            held by the process that has the directory open
//! <data directory>/installation    the installation's id, as the database has it
//! <data directory>/orbit.db        charts, rows, events, records (SQLite)
//! <data directory>/images/…        archives: <bucket>/<key>, each with what is known of it in <key>.json
//! <data directory>/registry/…      the registry, an OCI image layout
//! <data directory>/partial/…       what is being written, emptied at the next open
//! ```

mod audit;
mod catalog;
mod charts;
mod database;
mod directory;
mod file;
mod home;
mod images;
mod installation;
mod log;
mod records;
mod registry;
mod scanner;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use orbit_core::Environments;
use orbit_core::port::{
    Audit, Catalog, ChartStore, EventLog, ImageStore, Records, Registry, Scanner,
};

pub use self::directory::{Directory, Sharing, SqliteStores};
use crate::system::draw_name;

/// The stores of one data directory.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use orbit_core::Environments;
/// use orbit_store::Embedded;
///
/// let data_dir = tempfile::tempdir()?;
/// let stores = Embedded::open(data_dir.path(), &Environments::default()).await?;
/// let uid = "Het5SfSA6NJdRVdhTUhwev9A528QH4gwdJQMSA857PStLeyRnpGffDpDMJq5".parse()?;
/// assert!(stores.catalog().versions(&uid).await?.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Embedded {
    installation: String,
    directory: Directory,
    stores: SqliteStores,
    images: Arc<dyn ImageStore>,
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { installation, directory, .. } = self;
        let mut debug = f.debug_struct("Embedded");
        debug.field("installation", installation).field("directory", directory);
        debug.finish_non_exhaustive()
    }
}

/// Why a data directory cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenFault {
    /// Another process holds the lock.
    #[error(
        "the data directory {} is open in another process, expected to be the only one",
        dir.display()
    )]
    InUse {
        /// The directory.
        dir: PathBuf,
    },
    /// A part that one process needs for itself was asked of a directory that is open to several.
    #[error("{what} in the data directory are for one process, and it is open to several")]
    Shared {
        /// The part.
        what: &'static str,
    },
    /// A file or directory cannot be made, read or locked.
    #[error("cannot open {}", path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The database cannot be opened.
    #[error("cannot open the database")]
    Database {
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The database was written by a later version of this program.
    #[error("the database has schema version {found}, expected at most {known}")]
    Newer {
        /// The version of its schema.
        found: i64,
        /// The last version that this program knows.
        known: usize,
    },
    /// The file and the database are not of one installation.
    #[error(
        "{} names installation {file} and the database names {database}, expected the same one",
        path.display()
    )]
    Mixed {
        /// The file.
        path: PathBuf,
        /// What the file says, or `none`.
        file: String,
        /// What the database says, or `none`.
        database: String,
    },
    /// A bucket's name, which the configuration makes, is no name of a directory.
    #[error("bucket {bucket:?} cannot be a directory, expected a name without a path")]
    Bucket {
        /// The name.
        bucket: String,
    },
    /// There are no random bytes to draw an installation id from.
    #[error("cannot draw an installation id: {reason}")]
    Random {
        /// Why not.
        reason: String,
    },
}

impl OpenFault {
    fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { path: path.to_owned(), source }
    }
}

impl From<sqlx::Error> for OpenFault {
    fn from(source: sqlx::Error) -> Self {
        Self::Database { source: Box::new(source) }
    }
}

impl Embedded {
    /// Opens a data directory, creates what is missing in it, and removes what a crash left behind.
    ///
    /// It stays locked until the value and every store that it gave out are dropped.
    ///
    /// # Errors
    /// [`OpenFault`].
    pub async fn open(data_dir: &Path, environments: &Environments) -> Result<Self, OpenFault> {
        let directory = Directory::open(data_dir, environments, Sharing::Alone)?;
        let images = directory.images()?;
        let stores = directory.database().await?;
        let installation = match directory.installation(Some(&stores)).await? {
            Some(installation) => installation,
            None => {
                let id =
                    draw_name().map_err(|fault| OpenFault::Random { reason: fault.chain() })?;
                directory.join(Some(&stores), &id).await?;
                id
            }
        };
        Ok(Self { installation, directory, stores, images })
    }

    /// Returns the installation's id, which every store that is configured must share.
    pub fn installation(&self) -> &str {
        &self.installation
    }

    /// Returns the store of archives.
    pub fn images(&self) -> Arc<dyn ImageStore> {
        Arc::clone(&self.images)
    }

    /// Returns the store of charts.
    pub fn charts(&self) -> Arc<dyn ChartStore> {
        self.stores.charts()
    }

    /// Returns the catalog.
    pub fn catalog(&self) -> Arc<dyn Catalog> {
        self.stores.catalog()
    }

    /// Returns the log of actions.
    pub fn log(&self) -> Arc<dyn EventLog> {
        self.stores.log()
    }

    /// Returns the questions about the log.
    pub fn audit(&self) -> Arc<dyn Audit> {
        self.stores.audit()
    }

    /// Returns the store of plain records.
    pub fn records(&self) -> Arc<dyn Records> {
        self.stores.records()
    }

    /// Returns the registry.
    pub fn registry(&self) -> Arc<dyn Registry> {
        self.directory.registry()
    }

    /// Returns the scanner.
    pub fn scanner(&self) -> Arc<dyn Scanner> {
        self.directory.scanner()
    }

    /// Closes the database, after which `orbit.db` alone holds everything; its stores fail from then on.
    pub async fn close(&self) {
        self.stores.close().await;
    }

    #[cfg(test)]
    const fn database(&self) -> &database::Database {
        self.stores.database()
    }
}
