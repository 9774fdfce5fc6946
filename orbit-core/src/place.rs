//! Every place that something is kept in: shelves, slots, buckets, tables.

mod names;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::chart::ChartRevision;
use crate::{Environment, Environments, ImageId, ImageUid, ImageVersion};

pub use names::{Names, Naming, NamingFault};

/// Where an image and its charts can lie.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shelf {
    /// An upload that is not validated yet.
    Temporary,
    /// The images of an environment.
    Live(Environment),
    /// What left an environment by transfer or delete.
    Deleted(Environment),
}

impl Shelf {
    /// Returns one shelf for each bucket and table that keeps images and charts for good: those of the
    /// environments, and one for all that left any of them.
    pub fn lasting(environments: &Environments) -> impl Iterator<Item = Self> {
        let live = environments.iter().map(|spec| Self::Live(spec.name.clone()));
        live.chain([Self::Deleted(environments.first().name.clone())])
    }

    /// Returns the partition key of a UID's charts: the UID, prefixed with the environment it left in
    /// the deleted table.
    pub fn chart_partition(&self, uid: &ImageUid) -> String {
        match self {
            Self::Temporary | Self::Live(_) => uid.to_string(),
            Self::Deleted(left) => format!("{left}/{uid}"),
        }
    }
}

impl fmt::Display for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Temporary => f.write_str("temporary"),
            Self::Live(environment) => write!(f, "live/{environment}"),
            Self::Deleted(environment) => write!(f, "deleted/{environment}"),
        }
    }
}

/// The place of one image's archive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Slot {
    /// The shelf.
    pub shelf: Shelf,
    /// The image.
    pub image: ImageId,
}

impl Slot {
    /// Returns the object's key in its bucket: `<imageUID>-<imageVersion>.tar`, prefixed with the
    /// environment it left (`development/…`) in the deleted bucket.
    pub fn key(&self) -> String {
        let image = &self.image;
        match &self.shelf {
            Shelf::Temporary | Shelf::Live(_) => format!("{image}.tar"),
            Shelf::Deleted(left) => format!("{left}/{image}.tar"),
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.shelf, self.image)
    }
}

/// The place of one revision of an image's chart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChartPlace {
    /// The shelf.
    pub shelf: Shelf,
    /// The image.
    pub image: ImageId,
    /// The content's address.
    pub revision: ChartRevision,
}

impl ChartPlace {
    /// Returns the partition key, by [`Shelf::chart_partition`].
    pub fn partition(&self) -> String {
        self.shelf.chart_partition(&self.image.uid)
    }

    /// Returns the sort key, `<imageVersion>#<revision>`.
    pub fn sort(&self) -> String {
        format!("{}{}", Self::sorts_of(self.image.version), self.revision)
    }

    /// Returns what the sort keys of all revisions of a version begin with.
    pub fn sorts_of(version: ImageVersion) -> String {
        format!("{version}#")
    }
}

impl fmt::Display for ChartPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}#{}", self.shelf, self.image, self.revision)
    }
}

/// The tables of plain records: what Orbit keeps beside images, charts and the event log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordTable {
    /// What a user typed for the manifests, by `(imageUID, imageVersion)`.
    UserInput,
    /// Who uploaded what, by `(username, actionId)`.
    UserData,
    /// An image's metadata and what validation found, by `(imageUID, imageVersion)`.
    ImageMetadata,
    /// One record per Kubernetes resource of a deployment, by `(actionId, resource)`.
    DeploymentLog,
    /// Every refused or failed action, by `(username, errorId)`.
    ErrorLog,
    /// Scan reports, by `(actionId, "report")`.
    ScanReport,
}

impl RecordTable {
    /// Every table.
    pub const ALL: [Self; 6] = [
        Self::UserInput,
        Self::UserData,
        Self::ImageMetadata,
        Self::DeploymentLog,
        Self::ErrorLog,
        Self::ScanReport,
    ];
}
