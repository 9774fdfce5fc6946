//! What can go wrong between here and a server, and what a caller can do about it.

use std::io;
use std::path::PathBuf;

use orbit_core::port::Kind;

/// Why a remote repository could not be reached, read or pushed to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RemoteFault {
    #[error("authentication failed for user {user} at {host}: {reason}")]
    Authentication { user: String, host: String, reason: String },
    #[error("{host} asks who connects, and no token or key is configured")]
    Anonymous { host: String },
    #[error("{url} can be reached by {expected} only, configured is {found}")]
    Access { url: String, expected: &'static str, found: &'static str },
    #[error("{host} has the key {key}, which {why}, so nothing was sent to it", key = .found)]
    HostKey { host: String, found: String, why: String },
    #[error("{host} has a certificate that this system does not trust")]
    Certificate { host: String, source: git2::Error },
    #[error("{host} knows no repository {url}, or does not show it to user {user}")]
    NoRepository { host: String, url: String, user: String },
    #[error("{host} refused the push to {branch}: {text}")]
    Refused { host: String, branch: String, text: String },
    #[error("{host} could not take the push to {branch}: {text}")]
    Failed { host: String, branch: String, text: String },
    #[error("{branch} was moved or locked by others {tries} times in a row")]
    Contended { branch: String, tries: u32 },
    #[error("{host} has not answered for {seconds} s, so the call was given up")]
    Silent { host: String, seconds: u64 },
    #[error("the connection to {host} failed")]
    Connection { host: String, source: git2::Error },
    #[error("cannot read {}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("{} is in use by another process", path.display())]
    InUse { path: PathBuf },
    #[error("{} is no clone that Orbit made, so it is left alone: name an empty directory", path.display())]
    NotOurs { path: PathBuf },
    #[error(
        "the lists of {environments} are not in the repository yet; setting it up again adds them"
    )]
    NotSetUp { environments: String },
    #[error("{branch} is not in the repository, which has {found}; expected an empty repository")]
    OtherBranches { branch: String, found: String },
    #[error("the push would take {names} out of {path}, which nobody asked for")]
    Vanished { path: String, names: String },
}

impl RemoteFault {
    /// An action must outlive what an operator can mend: a token that ran out, a server that is full.
    /// So only what the server refuses about the commit itself is final, and a server that is not
    /// who it should be.
    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::Refused { .. }
            | Self::HostKey { .. }
            | Self::Access { .. }
            | Self::NotOurs { .. }
            | Self::NotSetUp { .. }
            | Self::OtherBranches { .. }
            | Self::Vanished { .. } => Kind::Rejected,
            Self::Authentication { .. }
            | Self::Anonymous { .. }
            | Self::Certificate { .. }
            | Self::NoRepository { .. }
            | Self::Failed { .. }
            | Self::Contended { .. }
            | Self::Silent { .. }
            | Self::Connection { .. }
            | Self::File { .. }
            | Self::InUse { .. } => Kind::Unavailable,
        }
    }

    pub(crate) const fn error_type(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "push-refused",
            Self::Authentication { .. } | Self::Anonymous { .. } | Self::Access { .. } => {
                "repository-authentication"
            }
            Self::HostKey { .. } => "repository-host-key",
            Self::Certificate { .. } => "repository-certificate",
            Self::NoRepository { .. } => "repository-not-found",
            Self::NotSetUp { .. } | Self::OtherBranches { .. } => "repository-not-set-up",
            Self::Vanished { .. } => "list-not-editable",
            Self::Contended { .. } => "repository-busy",
            Self::File { .. } | Self::InUse { .. } | Self::NotOurs { .. } => "repository-cache",
            Self::Failed { .. } | Self::Silent { .. } | Self::Connection { .. } => {
                "repository-unavailable"
            }
        }
    }
}
