//! The stores that are configured, opened.

use std::fs::File;
use std::sync::Arc;

use orbit_core::port::{Audit, Catalog, ChartStore, EventLog, GitOps, ImageStore, Ports, Records};
use orbit_store::{
    Directory, DynamoDb, MySql, OpenFault, S3, S3Settings, SharedStore, Sharing, SqliteStores,
    SystemClock, SystemEntropy,
};

use super::ComposeFault;
use crate::config::{CatalogIn, Config, ImagesIn, TablesIn};

/// What people call the store of the catalog.
const MYSQL: &str = "MySQL";

/// The stores that processes share, of those that are configured.
pub(crate) struct Shared {
    dynamodb: Option<DynamoDb>,
    mysql: Option<MySql>,
    s3: Option<S3>,
}

/// Every store of an installation.
pub(crate) struct Stores {
    /// What is shared with other processes.
    pub(crate) shared: Shared,
    /// What is on this machine.
    pub(crate) own: Own,
    /// What keeps other processes from this one's clone of a repository on a server.
    pub(super) turn: Option<File>,
    images: Arc<dyn ImageStore>,
    tables: Tables,
    catalog: Arc<dyn Catalog>,
}

/// What an installation keeps on this machine.
pub(crate) struct Own {
    /// The data directory.
    pub(crate) directory: Directory,
    /// The database in it, if it is used.
    pub(crate) sqlite: Option<SqliteStores>,
    /// Whether images lie in it or in its database anything, so that it is a store like the others.
    pub(crate) is_a_store: bool,
}

/// The ports on tables.
struct Tables {
    charts: Arc<dyn ChartStore>,
    log: Arc<dyn EventLog>,
    audit: Arc<dyn Audit>,
    records: Arc<dyn Records>,
}

impl Shared {
    /// Prepares the clients; no store is asked anything yet.
    pub(crate) async fn connect(config: &Config) -> Result<Self, ComposeFault> {
        let stores = &config.stores;
        let s3 = match &stores.images {
            ImagesIn::Directory => None,
            ImagesIn::S3 { aws, part_bytes, copy_bytes } => {
                let default = S3Settings::default();
                let settings = S3Settings {
                    aws: aws.clone(),
                    part_bytes: part_bytes.unwrap_or(default.part_bytes),
                    copy_bytes: copy_bytes.unwrap_or(default.copy_bytes),
                    ..default
                };
                Some(S3::connect(&settings, &stores.names).await?)
            }
        };
        let dynamodb = match &stores.tables {
            TablesIn::Sqlite => None,
            TablesIn::DynamoDb(aws) => Some(DynamoDb::connect(aws, &stores.names).await),
        };
        let mysql = match &stores.catalog {
            CatalogIn::Sqlite => None,
            CatalogIn::MySql { settings, .. } => Some(MySql::connect(settings)?),
        };
        Ok(Self { dynamodb, mysql, s3 })
    }

    /// Brings the schema of the catalog up to date, if it is in a store that processes share.
    pub(super) async fn migrate(&self) -> Result<(), ComposeFault> {
        let Some(mysql) = &self.mysql else { return Ok(()) };
        mysql.setup().await.map(drop).map_err(ComposeFault::store(MYSQL))
    }

    /// Returns each with the name that people know it by, in the order in which they join an
    /// installation.
    pub(crate) fn all(&self) -> Vec<(&'static str, &dyn SharedStore)> {
        let mut all: Vec<(_, &dyn SharedStore)> = Vec::new();
        if let Some(dynamodb) = &self.dynamodb {
            all.push(("DynamoDB", dynamodb));
        }
        if let Some(mysql) = &self.mysql {
            all.push((MYSQL, mysql));
        }
        if let Some(s3) = &self.s3 {
            all.push(("S3", s3));
        }
        all
    }
}

impl Own {
    /// Returns the database, which is opened when it is first asked for.
    async fn database(&mut self) -> Result<SqliteStores, OpenFault> {
        if let Some(sqlite) = &self.sqlite {
            return Ok(sqlite.clone());
        }
        let sqlite = self.directory.database().await?;
        self.sqlite = Some(sqlite.clone());
        Ok(sqlite)
    }
}

impl Stores {
    /// Opens what is on this machine, and prepares the clients of what is not.
    pub(crate) async fn open(config: &Config) -> Result<Self, ComposeFault> {
        let shared = Shared::connect(config).await?;
        let sharing = config.stores.sharing();
        let directory = Directory::open(&config.data_dir, &config.core.environments, sharing)?;
        let is_a_store = sharing == Sharing::Alone;
        let mut own = Own { directory, sqlite: None, is_a_store };
        let images = match &shared.s3 {
            Some(s3) => s3.images(),
            None => own.directory.images()?,
        };
        let tables = match &shared.dynamodb {
            Some(dynamodb) => Tables::in_dynamodb(dynamodb),
            None => Tables::in_sqlite(&own.database().await?),
        };
        let catalog = match &shared.mysql {
            Some(mysql) => mysql.catalog(),
            None => own.database().await?.catalog(),
        };
        Ok(Self { shared, own, turn: None, images, tables, catalog })
    }

    /// Returns the ports, with this repository.
    pub(crate) fn ports(&self, gitops: Arc<dyn GitOps>) -> Ports {
        let Tables { charts, log, audit, records } = &self.tables;
        Ports {
            images: Arc::clone(&self.images),
            charts: Arc::clone(charts),
            catalog: Arc::clone(&self.catalog),
            log: Arc::clone(log),
            audit: Arc::clone(audit),
            records: Arc::clone(records),
            registry: self.own.directory.registry(),
            gitops,
            scanner: self.own.directory.scanner(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
        }
    }

    /// Ends all connections to databases.
    pub(crate) async fn close(&self) {
        if let Some(mysql) = &self.shared.mysql {
            mysql.close().await;
        }
        if let Some(sqlite) = &self.own.sqlite {
            sqlite.close().await;
        }
    }
}

impl Tables {
    fn in_dynamodb(tables: &DynamoDb) -> Self {
        let (charts, log) = (tables.charts(), tables.log());
        Self { charts, log, audit: tables.audit(), records: tables.records() }
    }

    fn in_sqlite(tables: &SqliteStores) -> Self {
        let (charts, log) = (tables.charts(), tables.log());
        Self { charts, log, audit: tables.audit(), records: tables.records() }
    }
}
