//! A data directory, and the parts of it that an installation uses.

use std::path::Path;
use std::sync::Arc;

use orbit_core::Environments;
use orbit_core::place::Names;
use orbit_core::port::{
    Audit, Catalog, ChartStore, Clock, EventLog, ImageStore, Records, Registry, Scanner,
};

use super::OpenFault;
use super::audit::TableAudit;
use super::catalog::TableCatalog;
use super::charts::TableCharts;
use super::database::Database;
use super::home::Home;
use super::images::DirectoryImages;
use super::installation;
use super::log::TableLog;
use super::records::TableRecords;
use super::registry::LayoutRegistry;
use super::scanner::PackageScanner;
use crate::SystemClock;

/// Whether other processes may have a data directory open as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// No other process: images or tables lie in it, which allow one only.
    Alone,
    /// Others that share it too: what lies elsewhere is shared, and so is the registry.
    Shared,
}

/// A data directory of which any part may be used, while the others lie in shared stores.
///
/// [`Embedded`](super::Embedded) is one of which all is used. It stays locked until the value and
/// every store that it gave out are dropped.
#[derive(Debug, Clone)]
pub struct Directory {
    home: Arc<Home>,
    environments: Environments,
    sharing: Sharing,
    registry: Arc<LayoutRegistry>,
}

/// Charts, catalog, events and records in the SQLite database of a data directory.
#[derive(Debug, Clone)]
pub struct SqliteStores {
    database: Database,
    names: Names,
}

impl Directory {
    /// Opens a data directory, creates what is missing in it, and removes what a crash left behind.
    ///
    /// # Errors
    /// [`OpenFault::InUse`] if another process has it open that does not share it, or if it is to be
    /// opened alone and any has; [`OpenFault::File`].
    pub fn open(
        data_dir: &Path,
        environments: &Environments,
        sharing: Sharing,
    ) -> Result<Self, OpenFault> {
        let home = Arc::new(Home::claim(data_dir, sharing)?);
        let registry = Arc::new(LayoutRegistry::open(&home)?);
        Ok(Self { home, environments: environments.clone(), sharing, registry })
    }

    /// Returns the store of archives in the directory, after removing what a crash left in it.
    ///
    /// # Errors
    /// [`OpenFault::Shared`], [`OpenFault::Bucket`], [`OpenFault::File`].
    pub fn images(&self) -> Result<Arc<dyn ImageStore>, OpenFault> {
        self.expect_alone("images")?;
        Ok(Arc::new(DirectoryImages::open(&self.home, &self.environments)?))
    }

    /// Opens the database, creates it if it is missing, and brings its schema up to date.
    ///
    /// # Errors
    /// [`OpenFault::Shared`], [`OpenFault::Database`], [`OpenFault::Newer`].
    pub async fn database(&self) -> Result<SqliteStores, OpenFault> {
        self.expect_alone("tables")?;
        let database = Database::open(&self.home, &self.environments).await?;
        Ok(SqliteStores { database, names: Names::new(&self.environments) })
    }

    /// Returns the registry.
    pub fn registry(&self) -> Arc<dyn Registry> {
        Arc::<LayoutRegistry>::clone(&self.registry)
    }

    /// Returns the scanner.
    pub fn scanner(&self) -> Arc<dyn Scanner> {
        Arc::new(PackageScanner)
    }

    /// Returns the id of the installation that the directory and its database, if it is used, belong
    /// to, or `None` if they are new.
    ///
    /// # Errors
    /// [`OpenFault::Mixed`] if they are not of one installation.
    pub async fn installation(
        &self,
        database: Option<&SqliteStores>,
    ) -> Result<Option<String>, OpenFault> {
        installation::find(&self.home, database.map(|stores| &stores.database)).await
    }

    /// Gives the new directory and its new database, if it is used, the id of an installation.
    ///
    /// # Errors
    /// [`OpenFault::File`], [`OpenFault::Database`].
    pub async fn join(
        &self,
        database: Option<&SqliteStores>,
        installation: &str,
    ) -> Result<(), OpenFault> {
        let database = database.map(|stores| &stores.database);
        installation::join(&self.home, database, installation).await
    }

    fn expect_alone(&self, what: &'static str) -> Result<(), OpenFault> {
        match self.sharing {
            Sharing::Alone => Ok(()),
            Sharing::Shared => Err(OpenFault::Shared { what }),
        }
    }
}

impl SqliteStores {
    /// Returns the store of charts.
    pub fn charts(&self) -> Arc<dyn ChartStore> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Arc::new(TableCharts::new(self.database.clone(), self.names.clone(), clock))
    }

    /// Returns the catalog.
    pub fn catalog(&self) -> Arc<dyn Catalog> {
        Arc::new(TableCatalog::new(self.database.clone()))
    }

    /// Returns the log of actions.
    pub fn log(&self) -> Arc<dyn EventLog> {
        Arc::new(TableLog::new(self.database.clone(), self.names.clone()))
    }

    /// Returns the questions about the log.
    pub fn audit(&self) -> Arc<dyn Audit> {
        Arc::new(TableAudit::new(self.database.clone()))
    }

    /// Returns the store of plain records.
    pub fn records(&self) -> Arc<dyn Records> {
        Arc::new(TableRecords::new(self.database.clone(), self.names.clone()))
    }

    /// Closes the database, after which `orbit.db` alone holds everything; its stores fail from then on.
    pub async fn close(&self) {
        self.database.close().await;
    }

    #[cfg(test)]
    pub(crate) const fn database(&self) -> &Database {
        &self.database
    }
}
