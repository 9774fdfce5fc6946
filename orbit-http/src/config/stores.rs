//! Which store stands behind each port.

use std::fmt;
use std::time::Duration;

use orbit_core::Environments;
use orbit_core::place::{Names, Naming, NamingFault};
use orbit_store::{AwsSettings, MySqlSettings, Sharing};

use super::keys::Keys;
use super::{Config, ConfigFault, GitIn};
use crate::settings::Driving;
use crate::wire::suggestion;

/// The stores of an installation. What is not elsewhere is in the data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stores {
    /// Where archives lie.
    pub images: ImagesIn,
    /// Where charts, events and records lie.
    pub tables: TablesIn,
    /// Where the rows of images lie.
    pub catalog: CatalogIn,
    /// What buckets and tables are called.
    pub names: Names,
}

/// Where archives lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImagesIn {
    /// In the data directory.
    Directory,
    /// In S3.
    S3 {
        /// How it is reached.
        aws: AwsSettings,
        /// Bytes of a part of an upload, if it is not the default.
        part_bytes: Option<u64>,
        /// Bytes above which a copy goes by parts, if it is not the default.
        copy_bytes: Option<u64>,
    },
}

/// Where charts, events and records lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TablesIn {
    /// In `orbit.db` in the data directory.
    Sqlite,
    /// In `DynamoDB`.
    DynamoDb(AwsSettings),
}

/// Where the rows of images lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CatalogIn {
    /// In `orbit.db` in the data directory.
    Sqlite,
    /// In `MySQL` or `MariaDB`.
    MySql {
        /// How it is reached.
        settings: Box<MySqlSettings>,
        /// Whether the schema is brought up to date at every start, and not by `orbit setup` alone.
        migrate_at_start: bool,
    },
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(pub(crate) String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

impl Stores {
    /// Returns whether several processes can work on the installation.
    pub const fn sharing(&self) -> Sharing {
        match (&self.images, &self.tables, &self.catalog) {
            (ImagesIn::S3 { .. }, TablesIn::DynamoDb(_), CatalogIn::MySql { .. }) => {
                Sharing::Shared
            }
            (ImagesIn::Directory | ImagesIn::S3 { .. }, _, _) => Sharing::Alone,
        }
    }
}

impl Config {
    /// Says where everything is kept, in a sentence.
    pub(crate) fn places(&self) -> String {
        let mut elsewhere = Vec::new();
        if let ImagesIn::S3 { .. } = self.stores.images {
            elsewhere.push("images in S3".to_owned());
        }
        if let TablesIn::DynamoDb(_) = self.stores.tables {
            elsewhere.push("charts, events and records in DynamoDB".to_owned());
        }
        if let CatalogIn::MySql { .. } = self.stores.catalog {
            elsewhere.push("the catalog in MySQL".to_owned());
        }
        if let GitIn::Remote { url, .. } = &self.git {
            elsewhere.push(format!("the repository on {}", url.host()));
        }
        let data_dir = self.data_dir.display();
        if elsewhere.is_empty() {
            format!("Its data are in {data_dir}.")
        } else {
            let elsewhere = elsewhere.join(", ");
            format!("It keeps {elsewhere}; the rest in {data_dir}.")
        }
    }
}

impl CatalogIn {
    /// Says whether every start brings the schema up to date.
    pub const fn migrates_at_start(&self) -> bool {
        match self {
            Self::Sqlite => true,
            Self::MySql { migrate_at_start, .. } => *migrate_at_start,
        }
    }
}

/// Reads the stores.
pub(super) fn stores(
    keys: &mut Keys,
    environments: &Environments,
    call_timeout: Duration,
) -> Result<Stores, ConfigFault> {
    let images = images(keys, call_timeout)?;
    let tables = tables(keys, call_timeout)?;
    let catalog = catalog(keys, call_timeout)?;
    let names = names(keys, environments)?;
    let default = Names::new(environments);
    let own = |names: &Names| (names.buckets(), names.tables());
    let ((buckets, tables_named), (all_buckets, all_tables)) = (own(&names), own(&default));
    if images == ImagesIn::Directory && buckets != all_buckets {
        return Err(keys.unused_names("images.store = \"s3\""));
    }
    if tables == TablesIn::Sqlite && tables_named != all_tables {
        return Err(keys.unused_names("tables.store = \"dynamodb\""));
    }
    Ok(Stores { images, tables, catalog, names })
}

/// A call ends before a lease does, or else another process could be at the same action meanwhile.
pub(super) fn call_timeout(keys: &mut Keys, driving: &Driving) -> Result<Duration, ConfigFault> {
    let default = AwsSettings::default().call_timeout.min(driving.lease / 3);
    let expected = "a number of seconds that is less than half of limits.lease_seconds";
    let timeout = keys.number_below("limits.call_seconds", driving.lease / 2, expected)?;
    Ok(timeout.unwrap_or(default))
}

fn images(keys: &mut Keys, call_timeout: Duration) -> Result<ImagesIn, ConfigFault> {
    match keys.one_of("images.store", &["directory", "s3"])?.as_deref() {
        Some("s3") => Ok(ImagesIn::S3 {
            aws: AwsSettings {
                endpoint: keys.endpoint("images.endpoint")?,
                region: keys.text("images.region")?,
                key: None,
                call_timeout,
            },
            part_bytes: keys.number("images.part_bytes")?,
            copy_bytes: keys.number("images.copy_bytes")?,
        }),
        Some(_) | None => Ok(ImagesIn::Directory),
    }
}

fn tables(keys: &mut Keys, call_timeout: Duration) -> Result<TablesIn, ConfigFault> {
    match keys.one_of("tables.store", &["sqlite", "dynamodb"])?.as_deref() {
        Some("dynamodb") => Ok(TablesIn::DynamoDb(AwsSettings {
            endpoint: keys.endpoint("tables.endpoint")?,
            region: keys.text("tables.region")?,
            key: None,
            call_timeout,
        })),
        Some(_) | None => Ok(TablesIn::Sqlite),
    }
}

fn catalog(keys: &mut Keys, call_timeout: Duration) -> Result<CatalogIn, ConfigFault> {
    match keys.one_of("catalog.store", &["sqlite", "mysql"])?.as_deref() {
        Some("mysql") => {
            let url = keys.secret("catalog.url", "catalog.url_file")?;
            let Secret(url) = url.ok_or_else(|| keys.missing("catalog.url_file"))?;
            let mut settings = MySqlSettings::new(url.parse().map_err(ConfigFault::CatalogUrl)?);
            settings.call_timeout = call_timeout;
            if let Some(connections) = keys.number("catalog.connections")? {
                settings.connections = u32::try_from(connections).unwrap_or(u32::MAX);
            }
            let migrate_at_start = keys.flag("catalog.migrate_at_start")?.unwrap_or_default();
            let settings = Box::new(settings);
            Ok(CatalogIn::MySql { settings, migrate_at_start })
        }
        Some(_) | None => Ok(CatalogIn::Sqlite),
    }
}

fn names(keys: &mut Keys, environments: &Environments) -> Result<Names, ConfigFault> {
    let naming = Naming {
        bucket_suffix: keys.text("images.bucket_suffix")?.unwrap_or_default(),
        table_suffix: keys.text("tables.table_suffix")?.unwrap_or_default(),
        own: keys.names(),
    };
    Names::named(environments, naming).map_err(|fault| match fault {
        NamingFault::Unknown { name } => {
            let default = Names::new(environments);
            let known: Vec<_> = default.buckets().into_iter().chain(default.tables()).collect();
            let near = suggestion(&name, known.iter().map(String::as_str));
            keys.unknown_name(&name, near)
        }
        fault @ (NamingFault::Bucket { .. }
        | NamingFault::Table { .. }
        | NamingFault::Twice { .. }) => ConfigFault::Names(fault),
    })
}
