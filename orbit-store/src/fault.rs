//! What goes wrong beneath a store.

use std::io;
use std::path::{Path, PathBuf};

use orbit_core::port::{Kind, PortError};

/// A store's own failure: nothing that the caller did.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The database did not answer, or not as expected.
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
    /// A record was not written by this program.
    #[error("a record cannot be read")]
    Record(#[source] serde_json::Error),
    /// The file system refused.
    #[error("cannot {verb} {}", path.display())]
    File {
        /// What was tried.
        verb: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Work on another thread was stopped.
    #[error("background work was stopped")]
    Stopped(#[source] tokio::task::JoinError),
}

impl Fault {
    /// Returns a function that tells what was tried on which file.
    pub(crate) fn file(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { verb, path: path.to_owned(), source }
    }
}

impl From<Fault> for PortError {
    fn from(fault: Fault) -> Self {
        Self::caused(Kind::Unavailable, "the store failed", fault)
    }
}
