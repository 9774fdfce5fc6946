//! The ports: what the decisions need from the world, in Orbit's own words.
//!
//! Every method is idempotent: a request that is repeated because its answer was lost has one
//! effect. The conformance suites in `testing::conformance` are the contract; every adapter and
//! `testing::World` pass them.

mod catalog;
mod charts;
mod error;
mod gitops;
mod images;
mod log;
mod records;

use std::sync::Arc;

pub use catalog::{Catalog, Facets, Row, SearchPage};
pub use charts::{ChartStore, StoredChart};
pub use error::{Kind, PortError, chain};
pub use gitops::{GitOps, Lists, Registry, Scanner};
pub use images::{BlobSource, ByteRange, ByteStream, ImageStore, Stored, Tag};
pub use log::{
    ActionFilter, ActionPage, ActionRecord, Audit, Begin, BeginKey, Begun, End, Entry, EventFilter,
    EventLog, EventPage, History, Lease, Owner, State,
};
pub use records::{Record, RecordFilter, RecordKey, RecordPage, Records};

use crate::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Returns the present.
    fn now(&self) -> Timestamp;
}

/// Draws random bytes.
pub trait Entropy: Send + Sync {
    /// Fills `bytes` from the operating system's random source.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] if there is none.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), PortError>;
}

/// Every port of one installation.
#[derive(Clone)]
pub struct Ports {
    /// Image archives.
    pub images: Arc<dyn ImageStore>,
    /// Charts.
    pub charts: Arc<dyn ChartStore>,
    /// The rows of images.
    pub catalog: Arc<dyn Catalog>,
    /// Actions, facts, events, locks and leases.
    pub log: Arc<dyn EventLog>,
    /// Questions about actions and events.
    pub audit: Arc<dyn Audit>,
    /// Everything else that is kept.
    pub records: Arc<dyn Records>,
    /// The image registry.
    pub registry: Arc<dyn Registry>,
    /// The GitOps repository.
    pub gitops: Arc<dyn GitOps>,
    /// The scanner.
    pub scanner: Arc<dyn Scanner>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The random source.
    pub entropy: Arc<dyn Entropy>,
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ports").finish_non_exhaustive()
    }
}
