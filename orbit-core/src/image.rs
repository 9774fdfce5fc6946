//! An image as the catalog knows it, and what may become of it.

use serde::{Deserialize, Serialize};

use crate::chart::ChartRevision;
use crate::{ActionId, AppName, Digest, Environment, ImageId, Timestamp};

/// An image's row in the catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// UID and version.
    pub id: ImageId,
    /// The application, fixed by the UID's first upload.
    pub app: AppName,
    /// What the user typed about it.
    pub labels: ImageLabels,
    /// The environment it is in; of a deleted image, the one it was deleted from.
    pub environment: Environment,
    /// What it is there.
    pub status: Status,
    /// The action whose report is the last one, or `None` before the first scan.
    pub report: Option<ActionId>,
    /// The digest of its OCI manifest.
    pub digest: Digest,
    /// The size of its archive, in bytes.
    pub size: u64,
    /// The chart as it was uploaded or last deployed.
    pub chart: ChartRevision,
    /// When it was uploaded.
    pub created: Timestamp,
    /// When its row changed last.
    pub updated: Timestamp,
}

/// What a user says about an image, for people to find it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageLabels {
    /// `Trolls World Tour (2020)`.
    pub name: String,
    /// `Movie`.
    pub category: String,
    /// Free text.
    pub description: Option<String>,
    /// The part number, `21117-1`.
    pub part: Option<String>,
    /// The tail number, `G-AAAA`.
    pub tail: Option<String>,
    /// The airline's ICAO code or name.
    pub icao: Option<String>,
}

/// What an image is in its environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Kept, not deployed.
    Stored,
    /// Deployed.
    Deployed {
        /// Since when.
        since: Timestamp,
        /// The deploy action.
        deployment: ActionId,
        /// How sure that is.
        cluster: ClusterState,
    },
    /// Set aside; a restore brings it back.
    Deleted {
        /// Since when.
        at: Timestamp,
    },
}

/// How Orbit knows that something is deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClusterState {
    /// Argo CD reported it.
    Confirmed,
    /// No cluster is attached: the commit is all that is known.
    NotAttached,
}

impl Image {
    /// Returns the image as a deployment leaves it.
    #[must_use]
    pub fn deployed(&self, deployment: Deployment) -> Self {
        let Deployment { action, chart, cluster, at } = deployment;
        let status = Status::Deployed { since: at, deployment: action, cluster };
        Self { status, chart, updated: at, ..self.clone() }
    }

    /// Returns the image after another version of its application was deployed.
    #[must_use]
    pub fn replaced(&self, at: Timestamp) -> Self {
        Self { status: Status::Stored, updated: at, ..self.clone() }
    }

    /// Returns the image in the next environment, where it is not deployed.
    #[must_use]
    pub fn moved(&self, to: Environment, at: Timestamp) -> Self {
        Self { environment: to, status: Status::Stored, updated: at, ..self.clone() }
    }

    /// Returns the image marked deleted, in the environment it was in.
    #[must_use]
    pub fn deleted(&self, at: Timestamp) -> Self {
        Self { status: Status::Deleted { at }, updated: at, ..self.clone() }
    }

    /// Returns the deleted image as a restore brings it back: stored, not deployed.
    #[must_use]
    pub fn restored(&self, at: Timestamp) -> Self {
        Self { status: Status::Stored, updated: at, ..self.clone() }
    }

    /// Returns the image with the report of a scan.
    #[must_use]
    pub fn scanned(&self, report: ActionId, at: Timestamp) -> Self {
        Self { report: Some(report), updated: at, ..self.clone() }
    }

    /// Says whether the image is deleted.
    pub const fn is_deleted(&self) -> bool {
        match self.status {
            Status::Deleted { .. } => true,
            Status::Stored | Status::Deployed { .. } => false,
        }
    }

    /// Returns the portal's words for the status: `Deployed: none` or `Deployed: Jan 25, 2025`.
    pub fn deployed_label(&self) -> String {
        match &self.status {
            Status::Deployed { since, .. } => format!("Deployed: {}", since.day()),
            Status::Stored | Status::Deleted { .. } => "Deployed: none".to_owned(),
        }
    }
}

/// What a deployment changes in an image's row.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// The deploy action.
    pub action: ActionId,
    /// The chart's revision.
    pub chart: ChartRevision,
    /// How sure it is.
    pub cluster: ClusterState,
    /// When.
    pub at: Timestamp,
}
