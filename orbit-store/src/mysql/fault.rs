//! What goes wrong between Orbit and a database.

use orbit_core::port::{Kind, PortError};
use sqlx::mysql::MySqlDatabaseError;

use super::url::MySqlUrl;
use crate::fault::Fault;

/// Numbers of the servers' errors, which are the same in MySQL and `MariaDB`.
pub(super) mod number {
    pub(in crate::mysql) const DATABASE_DENIED: u16 = 1044;
    pub(in crate::mysql) const ACCESS_DENIED: u16 = 1045;
    pub(in crate::mysql) const UNKNOWN_DATABASE: u16 = 1049;
    pub(in crate::mysql) const SHUTDOWN: u16 = 1053;
    pub(in crate::mysql) const DUPLICATE: u16 = 1062;
    pub(in crate::mysql) const COMMAND_DENIED: u16 = 1142;
    pub(in crate::mysql) const NO_TABLE: u16 = 1146;
    pub(in crate::mysql) const LOCK_WAIT: u16 = 1205;
    pub(in crate::mysql) const DEADLOCK: u16 = 1213;
    /// A server takes no writes: somebody said so, or another one has taken its place.
    pub(in crate::mysql) const READ_ONLY: [u16; 3] = [1290, 1792, 1836];
    /// A client is told so by MySQL when somebody, or an idle time-out, ends its connection.
    pub(in crate::mysql) const CONNECTION_ENDED: [u16; 2] = [1927, 4031];
}

/// Why work on a database ended.
#[derive(Debug)]
pub(super) enum Stopped {
    /// By what the database said, or did not say.
    Sql(sqlx::Error),
    /// By time.
    Late,
    /// By a decision that another try would not change.
    Decided(PortError),
}

impl Stopped {
    /// Says whether the same work may succeed at once, on another connection if need be.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Sql(error) if is_lost(error) || is_read_only(error) => true,
            Self::Sql(error) => matches!(
                error_number(error),
                Some(number::LOCK_WAIT | number::DEADLOCK | number::SHUTDOWN)
            ),
            Self::Late | Self::Decided(_) => false,
        }
    }

    /// Says whether the connection leads to a server that takes no writes. After a failover a new one
    /// leads to the server that does.
    pub(super) fn is_astray(&self) -> bool {
        matches!(self, Self::Sql(error) if is_read_only(error))
    }

    /// Returns what the caller of a catalog is told. Nothing that a database refuses is the fault of
    /// what was asked for, so everything may succeed later.
    pub(super) fn told(self, url: &MySqlUrl) -> PortError {
        match self {
            Self::Decided(error) => error,
            Self::Late => {
                PortError::new(Kind::Unavailable, format!("{url} did not answer in time"))
            }
            Self::Sql(error) => {
                let message = format!("{url} failed{}", advice(&error));
                PortError::caused(Kind::Unavailable, message, Fault::Database(error))
            }
        }
    }

    /// Returns what somebody is told who sets a database up or begins to use it: what is wrong there
    /// stays so until it is put right.
    pub(super) fn told_at_start(self, url: &MySqlUrl) -> PortError {
        match self {
            Self::Sql(error) if is_lasting(&error) => {
                let message = format!("{url} cannot be used{}", advice(&error));
                PortError::caused(Kind::Rejected, message, Fault::Database(error))
            }
            other @ (Self::Sql(_) | Self::Late | Self::Decided(_)) => other.told(url),
        }
    }
}

impl From<sqlx::Error> for Stopped {
    fn from(error: sqlx::Error) -> Self {
        // What the pool says when no connection came about in time.
        if matches!(error, sqlx::Error::PoolTimedOut) { Self::Late } else { Self::Sql(error) }
    }
}

impl From<PortError> for Stopped {
    fn from(error: PortError) -> Self {
        Self::Decided(error)
    }
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Self {
        Self::Decided(fault.into())
    }
}

/// Returns the server's number of an error, if the server said it.
pub(super) fn error_number(error: &sqlx::Error) -> Option<u16> {
    let error = error.as_database_error()?.try_downcast_ref::<MySqlDatabaseError>()?;
    Some(error.number())
}

/// Says whether the connection is gone.
fn is_lost(error: &sqlx::Error) -> bool {
    let is_ended =
        error_number(error).is_some_and(|number| number::CONNECTION_ENDED.contains(&number));
    is_ended || matches!(error, sqlx::Error::Io(_))
}

fn is_read_only(error: &sqlx::Error) -> bool {
    error_number(error).is_some_and(|number| number::READ_ONLY.contains(&number))
}

/// Says whether an error stays until somebody does something about it.
fn is_lasting(error: &sqlx::Error) -> bool {
    let is_refused = matches!(
        error_number(error),
        Some(
            number::DATABASE_DENIED
                | number::ACCESS_DENIED
                | number::UNKNOWN_DATABASE
                | number::COMMAND_DENIED
                | number::NO_TABLE
        )
    );
    is_refused || matches!(error, sqlx::Error::Tls(_) | sqlx::Error::Configuration(_))
}

/// Returns what to do about an error, if there is more to say than the server says.
fn advice(error: &sqlx::Error) -> &'static str {
    match error_number(error) {
        Some(number::UNKNOWN_DATABASE) => "; `orbit setup` makes what is missing",
        Some(number::NO_TABLE) => "; `orbit setup` tells whether it was lost",
        Some(number::DATABASE_DENIED | number::ACCESS_DENIED | number::COMMAND_DENIED) => {
            "; expected a user, password and rights that the server accepts"
        }
        Some(number) if number::READ_ONLY.contains(&number) => "; the server takes no writes",
        _ if matches!(error, sqlx::Error::Tls(_)) => {
            "; `ssl-mode` asks for TLS that the server does not offer, or its certificate is not trusted"
        }
        _ => "",
    }
}
