//! What users ask for, parsed.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::chart::DeploymentDetail;
use crate::chart::form::ChartForm;
use crate::event::ActionKind;
use crate::{Environment, ImageId, ImageLabels};

/// Who asks. Only `username` is trusted; the names and the address are claims of the form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Actor {
    /// The user's name in logs, commits and keys.
    pub username: String,
    /// Given name.
    #[serde(default)]
    pub first_name: String,
    /// Family name.
    #[serde(default)]
    pub last_name: String,
    /// Mail address.
    #[serde(default)]
    pub email: String,
}

/// A request for an action on one image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The image.
    pub image: ImageId,
    /// What to do with it.
    pub ask: Ask,
}

/// What to do with an image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ask {
    /// Store it in the first environment.
    Upload(Box<Upload>),
    /// Deploy it where it is.
    Deploy {
        /// Replicas, limits and port.
        detail: DeploymentDetail,
        /// The cluster that the form names, which must be the environment's.
        cluster: Option<String>,
    },
    /// Move it to the next environment.
    Transfer {
        /// The environment the user takes it to be in.
        from: Option<Environment>,
        /// The environment the user expects it to go to.
        expected: Option<Environment>,
    },
    /// Report its packages and vulnerabilities.
    Scan,
    /// Set it aside.
    Delete,
    /// Bring it back to where it was deleted from.
    Restore {
        /// The environment the user expects it to come back to.
        expected: Option<Environment>,
    },
}

/// What comes with an upload beside the archive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Upload {
    /// Name, category and what else there is to find it by.
    pub labels: ImageLabels,
    /// What the manifests are made from.
    pub form: ChartForm,
    /// True if the request named the UID: then it must exist.
    pub names_uid: bool,
    /// The metadata part as it was sent, for the metadata table.
    pub metadata: Value,
}

impl Request {
    /// Returns the kind of action this asks for.
    pub const fn kind(&self) -> ActionKind {
        match self.ask {
            Ask::Upload(_) => ActionKind::Upload,
            Ask::Deploy { .. } => ActionKind::Deploy,
            Ask::Transfer { .. } => ActionKind::Transfer,
            Ask::Scan => ActionKind::Scan,
            Ask::Delete => ActionKind::Delete,
            Ask::Restore { .. } => ActionKind::Restore,
        }
    }
}
