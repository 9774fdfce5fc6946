//! What can go wrong, and what a caller can do about it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use git2::ErrorClass;
use orbit_core::AppName;
use orbit_core::intent::Misfit;
use orbit_core::port::{Kind, PortError};

use crate::remote::fault::RemoteFault;

/// Why the repository could not be opened, read or committed to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error(transparent)]
    Misfit(#[from] Misfit),
    #[error("{path} is not in the repository")]
    Missing { path: String },
    #[error("{path} is {found}, expected {expected}")]
    NotRegular { path: String, found: String, expected: &'static str },
    #[error("{path} has {found} bytes, the limit is {limit}")]
    TooLarge { path: String, found: usize, limit: usize },
    #[error("{path}:{line}:{column}: not UTF-8")]
    Encoding { path: String, line: usize, column: usize },
    #[error("orbit.yaml:{line}:{column}: {reason}")]
    OrbitFile { line: u64, column: u64, reason: String },
    #[error("orbit.yaml is of schema {found}, expected {expected}")]
    Schema { found: u32, expected: u32 },
    #[error("orbit.yaml belongs to installation {found:?}, expected {expected:?}")]
    Installation { found: String, expected: String },
    #[error("installation {id:?} is not one or more letters, digits and hyphens")]
    InstallationId { id: String },
    #[error(
        "orbit.yaml names the environments {recorded}, configured are {configured}; \
         environments can be added, but not removed or put in another order"
    )]
    Environments { recorded: String, configured: String },
    #[error("{found:?} cannot be the name or address of who commits")]
    Identity { found: String },
    #[error("{branch:?} cannot be the name of a branch")]
    BranchName { branch: String },
    #[error("{branch} is not in the repository")]
    NoBranch { branch: String },
    #[error("{branch} points to another branch, expected a commit")]
    NotDirect { branch: String },
    #[error("{branch} was moved or locked by others {tries} times in a row")]
    Busy { branch: String, tries: u32 },
    #[error("{what} of the commit holds {found:?}, expected one line of text")]
    NotOneLine { what: String, found: char },
    #[error("trailers of the commit do not name action {action}, expected {expected:?}")]
    Unsigned { action: String, expected: String },
    #[error("{path:?} cannot be a file of an application: {reason}")]
    Path { path: String, reason: &'static str },
    #[error("deployment of {name} has no files")]
    NoFiles { name: AppName },
    #[error("edit of {path} does not read back as the change to {name} and nothing else")]
    Unasked { path: String, name: AppName },
    #[error("the commit would change nothing: {name} is already as the action wants it")]
    NoChange { name: AppName },
    #[error("the history before {commit} is not here, though it may hold what is looked for")]
    Truncated { commit: git2::Oid },
    #[error(transparent)]
    Remote(#[from] RemoteFault),
    /// What several calls failed by at once.
    #[error(transparent)]
    Shared(Arc<Self>),
    #[error("the repository cannot be read or written")]
    Git(#[source] git2::Error),
    #[error(
        "the settings of this user's git cannot be looked for; HOME must be a directory that Orbit may enter"
    )]
    Home(#[source] git2::Error),
    #[error("cannot write {}", path.display())]
    Disk { path: PathBuf, source: io::Error },
    #[error("the work on the repository was cut off")]
    CutOff(#[from] tokio::task::JoinError),
    #[error("cannot start a thread")]
    Thread { source: io::Error },
    #[error("the work on the repository ended without an answer")]
    Unanswered,
}

impl From<git2::Error> for Fault {
    fn from(error: git2::Error) -> Self {
        // libgit2 looks for `.gitconfig` in HOME, whether it is needed or not.
        let is_of_home =
            error.class() == ErrorClass::Config && error.message().starts_with("failed to stat");
        if is_of_home { Self::Home(error) } else { Self::Git(error) }
    }
}

impl Fault {
    /// Returns the port's error for a call that was `doing` something.
    pub(crate) fn while_doing(self, doing: String) -> PortError {
        let kind = self.kind();
        self.with_kind(kind, doing)
    }

    /// Returns the port's error for one who opens a repository: what only other settings can mend is
    /// refused then, while an action that was accepted waits for an operator.
    pub(crate) fn while_opening(self, doing: String) -> PortError {
        let is_of_settings = matches!(&self, Self::Home(_))
            || matches!(&self, Self::Remote(fault) if fault.is_of_settings());
        let kind = if is_of_settings { Kind::Rejected } else { self.kind() };
        self.with_kind(kind, doing)
    }

    fn with_kind(self, kind: Kind, doing: String) -> PortError {
        let error_type = self.error_type();
        let error = PortError::caused(kind, doing, self);
        match error_type {
            Some(name) => error.typed(name),
            None => error,
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Misfit(Misfit::Unexpected { .. }) | Self::NoChange { .. } => Kind::Conflict,
            Self::Misfit(Misfit::List { .. } | Misfit::Unsound { .. })
            | Self::Missing { .. }
            | Self::NotRegular { .. }
            | Self::TooLarge { .. }
            | Self::Encoding { .. }
            | Self::OrbitFile { .. }
            | Self::Schema { .. }
            | Self::Installation { .. }
            | Self::InstallationId { .. }
            | Self::Environments { .. }
            | Self::Identity { .. }
            | Self::BranchName { .. }
            | Self::NotOneLine { .. }
            | Self::Unsigned { .. }
            | Self::Path { .. }
            | Self::NoFiles { .. }
            | Self::Unasked { .. } => Kind::Rejected,
            // Without its head nobody can tell whether an action's commit arrived.
            Self::NoBranch { .. }
            | Self::NotDirect { .. }
            | Self::Busy { .. }
            | Self::Truncated { .. }
            | Self::Git(_)
            | Self::Home(_)
            | Self::Disk { .. }
            | Self::CutOff(_)
            | Self::Thread { .. }
            | Self::Unanswered => Kind::Unavailable,
            Self::Remote(fault) => fault.kind(),
            Self::Shared(fault) => fault.kind(),
        }
    }

    fn error_type(&self) -> Option<&'static str> {
        match self {
            Self::Misfit(Misfit::Unexpected { .. }) | Self::NoChange { .. } => {
                Some("repository-conflict")
            }
            Self::Misfit(Misfit::List { .. } | Misfit::Unsound { .. })
            | Self::NotRegular { .. }
            | Self::TooLarge { .. }
            | Self::Encoding { .. }
            | Self::Unasked { .. } => Some("list-not-editable"),
            Self::Missing { .. } => Some("list-missing"),
            Self::OrbitFile { .. }
            | Self::Schema { .. }
            | Self::Installation { .. }
            | Self::InstallationId { .. }
            | Self::Environments { .. }
            | Self::Identity { .. }
            | Self::BranchName { .. }
            | Self::NoBranch { .. }
            | Self::NotDirect { .. }
            | Self::Busy { .. }
            | Self::NotOneLine { .. }
            | Self::Unsigned { .. }
            | Self::Path { .. }
            | Self::NoFiles { .. }
            | Self::Truncated { .. }
            | Self::Git(_)
            | Self::Home(_)
            | Self::Disk { .. }
            | Self::CutOff(_)
            | Self::Thread { .. }
            | Self::Unanswered => None,
            Self::Remote(fault) => Some(fault.error_type()),
            Self::Shared(fault) => fault.error_type(),
        }
    }
}
