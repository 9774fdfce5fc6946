//! What every store that processes share can be asked, whatever lies in it.

use std::fmt;

use async_trait::async_trait;
use orbit_core::port::PortError;
use serde_json::{Map, Value};

/// A store that any number of processes share: buckets, tables or a database.
#[async_trait]
pub trait SharedStore: Send + Sync {
    /// Returns the id of the installation that the store belongs to, or `None` if it belongs to none
    /// yet.
    ///
    /// # Errors
    /// `Rejected` if the place of the id is missing: the store was never set up. `Unavailable`.
    async fn installation(&self) -> Result<Option<String>, PortError>;

    /// Makes the store part of an installation, unless it belongs to one already, and returns the id
    /// that it has from then on.
    ///
    /// # Errors
    /// As [`installation`](Self::installation).
    async fn join(&self, installation: &str) -> Result<String, PortError>;

    /// Creates what is missing, changes what is not as it should be, and returns what was done; a
    /// second call does nothing.
    ///
    /// # Errors
    /// `Rejected` if something is there that cannot be made into what is needed. `Unavailable`.
    async fn setup(&self) -> Result<Vec<Step>, PortError>;

    /// Returns once the store has answered, with everything that is needed there.
    ///
    /// # Errors
    /// `Rejected` if something is missing that [`setup`](Self::setup) makes. `Unavailable`.
    async fn ready(&self) -> Result<(), PortError>;

    /// Returns the resources of a CloudFormation template that makes what
    /// [`setup`](Self::setup) makes, by their logical names; none where CloudFormation does not apply.
    fn template(&self) -> Map<String, Value>;
}

/// One thing that a setup did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it was done to, such as `bucket app-image-1206-bkt-k8d-aws`.
    pub resource: String,
    /// What was done, such as `created` or `turned versioning on`.
    pub done: String,
}

impl Step {
    /// Returns a step.
    pub fn new(resource: impl Into<String>, done: impl Into<String>) -> Self {
        Self { resource: resource.into(), done: done.into() }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.resource, self.done)
    }
}
