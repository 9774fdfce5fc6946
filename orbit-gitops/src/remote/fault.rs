//! What can go wrong between here and a server, and what a caller can do about it.

use std::io;
use std::path::PathBuf;

use orbit_core::port::Kind;

/// Why a remote repository could not be reached, read or pushed to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RemoteFault {
    #[error("authentication failed for user {user} at {server}: {reason}")]
    Authentication { user: String, server: String, reason: String },
    #[error("{server} asks who connects, and no token or key is configured")]
    Anonymous { server: String },
    #[error("{server} can be reached by {expected} only, configured is {found}")]
    Access { server: String, expected: &'static str, found: &'static str },
    #[error("{server} has the host key {found}, which {why}; nothing was sent to it")]
    HostKey { server: String, found: String, why: String },
    #[error("{server} has a certificate that this system does not trust")]
    Certificate { server: String, source: git2::Error },
    #[error("there is no repository {server}, or its server does not show it to user {user}")]
    NoRepository { server: String, user: String },
    #[error("{server} refused the push to {branch}: {text}")]
    Refused { server: String, branch: String, text: String },
    #[error("{server} could not take the push to {branch}: {text}")]
    Failed { server: String, branch: String, text: String },
    #[error("{branch} was moved or locked by others {tries} times in a row")]
    Contended { branch: String, tries: u32 },
    #[error("{server} has not answered for {seconds} s, so the call was given up")]
    Silent { server: String, seconds: u64 },
    #[error("{n_calls} earlier calls to {server} still hang, so no other one is made for a while")]
    Stuck { server: String, n_calls: usize },
    #[error("the connection to {server} failed")]
    Connection { server: String, source: git2::Error },
    /// The file of a token, a key, or the known hosts.
    #[error("cannot read {}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("{} is in use by another process", path.display())]
    InUse { path: PathBuf },
    #[error("{} is no clone that Orbit made, so it is left alone: name an empty directory", path.display())]
    NotOurs { path: PathBuf },
    #[error(
        "the repository has no lists of {environments} yet; `orbit setup` adds what is missing"
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
            | Self::Stuck { .. }
            | Self::Connection { .. }
            | Self::File { .. }
            | Self::InUse { .. } => Kind::Unavailable,
        }
    }

    /// Tells whether it is about how the repository is reached, so that one who opens it must change
    /// the settings first. Nothing was accepted then that could be lost.
    pub(crate) const fn is_of_settings(&self) -> bool {
        match self {
            Self::Authentication { .. }
            | Self::Anonymous { .. }
            | Self::Access { .. }
            | Self::HostKey { .. }
            | Self::Certificate { .. }
            | Self::NoRepository { .. }
            | Self::File { .. }
            | Self::NotOurs { .. }
            | Self::NotSetUp { .. }
            | Self::OtherBranches { .. } => true,
            Self::Refused { .. }
            | Self::Failed { .. }
            | Self::Contended { .. }
            | Self::Silent { .. }
            | Self::Stuck { .. }
            | Self::Connection { .. }
            | Self::InUse { .. }
            | Self::Vanished { .. } => false,
        }
    }

    pub(crate) const fn error_type(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "push-refused",
            Self::Authentication { .. }
            | Self::Anonymous { .. }
            | Self::Access { .. }
            | Self::File { .. } => "repository-authentication",
            Self::HostKey { .. } => "repository-host-key",
            Self::Certificate { .. } => "repository-certificate",
            Self::NoRepository { .. } => "repository-not-found",
            Self::NotSetUp { .. } | Self::OtherBranches { .. } => "repository-not-set-up",
            Self::Vanished { .. } => "list-not-editable",
            Self::Contended { .. } => "repository-busy",
            Self::InUse { .. } | Self::NotOurs { .. } => "repository-cache",
            Self::Failed { .. }
            | Self::Silent { .. }
            | Self::Stuck { .. }
            | Self::Connection { .. } => "repository-unavailable",
        }
    }
}
