//! The stores that Orbit keeps images, charts, events and metadata in.
//!
//! It is a crate of its own because it alone knows how things are persisted: in files, in tables, in
//! an OCI image layout. A decision in `orbit-core` or the HTTP surface never sees more than the ports,
//! so another store is another adapter here and a change nowhere else.
//!
//! [`Embedded`] is the default: everything below one data directory, for one process.

#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "aws")]
mod dynamodb;
mod embedded;
mod fault;
#[cfg(feature = "mysql")]
mod mysql;
mod page;
mod record;
#[cfg(feature = "aws")]
mod s3;
mod shared;
mod system;

#[cfg(feature = "aws")]
pub use aws::{AwsKey, AwsSettings};
#[cfg(feature = "aws")]
pub use dynamodb::DynamoDb;
pub use embedded::{Directory, Embedded, OpenFault, Sharing, SqliteStores};
#[cfg(feature = "mysql")]
pub use mysql::{MySql, MySqlSettings, MySqlUrl, MySqlUrlFault};
#[cfg(feature = "aws")]
pub use s3::{S3, S3Settings};
pub use shared::{SharedStore, Step};
pub use system::{SystemClock, SystemEntropy, draw_name};
