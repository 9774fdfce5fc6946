//! The ports of what an image is delivered to: the repository, the registry, the scanner.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::archive::Inspection;
use crate::intent::{Commit, CommitId};
use crate::list::{Entry, Tombstone};
use crate::port::{BlobSource, ByteStream, PortError};
use crate::scan::Report;
use crate::{ActionId, Environment};

/// An environment's lists, as of one commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lists {
    /// The head they were read at.
    pub commit: CommitId,
    /// The entries of the deploy list, in the file's order.
    pub deploy: Vec<Entry>,
    /// The tombstones of the delete list, in the file's order.
    pub delete: Vec<Tombstone>,
}

/// Commits to the repository that Argo CD reads.
#[async_trait]
pub trait GitOps: Send + Sync {
    /// Returns an environment's lists at the head of the branch.
    ///
    /// # Errors
    /// `Rejected` if a list is missing or cannot be read, with file, line and column.
    async fn read(&self, environment: &Environment) -> Result<Lists, PortError>;

    /// Commits a change and returns the commit's id once the branch has it.
    ///
    /// At most one commit of an action ever arrives: if one lies between `since` and the head, its
    /// id is returned and nothing is committed.
    ///
    /// # Errors
    /// `Conflict` if the repository does not hold what the intent expects; `Rejected` if a list
    /// cannot be edited, if the lists would not be sound, or if the server refuses for good.
    async fn commit(&self, commit: &Commit) -> Result<CommitId, PortError>;

    /// Returns the id of the commit of `action` that lies after `since`, or `None`.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn find(
        &self,
        action: &ActionId,
        since: &CommitId,
    ) -> Result<Option<CommitId>, PortError>;
}

/// Keeps images for the cluster to pull.
#[async_trait]
pub trait Registry: Send + Sync {
    /// Pushes an image: its blobs, then its manifest, then the tag. What is there is not sent again.
    ///
    /// `repository` is `<registry>/<organisation>/<name>`; the tag is moved if it exists.
    ///
    /// # Errors
    /// `Rejected` if a blob's bytes are not what its digest says, or the registry refuses for good.
    async fn push(
        &self,
        repository: &str,
        tag: &str,
        image: &Inspection,
        source: &dyn BlobSource,
    ) -> Result<(), PortError>;
}

/// Looks into images.
#[async_trait]
pub trait Scanner: Send + Sync {
    /// Returns the report on an archive: the same for the same image and the same advisories.
    ///
    /// # Errors
    /// `Rejected` if the archive cannot be scanned.
    async fn scan(&self, image: &Inspection, archive: ByteStream) -> Result<Report, PortError>;
}
