//! What a server is told: where it listens, what it takes, how it drives actions.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// The settings of a server.
///
/// ```
/// use orbit_http::{Limits, Settings};
/// let limits = Limits { uploads_at_once: 2, ..Limits::default() };
/// let settings = Settings { limits, ..Settings::default() };
/// assert!(settings.listen.ip().is_loopback());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The address to listen on; port 0 takes any free one.
    pub listen: SocketAddr,
    /// The limits on requests.
    pub limits: Limits,
    /// How actions are driven.
    pub driving: Driving,
}

/// The limits on requests. What is refused names its limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of an archive as it is sent: 10 GiB.
    pub archive_bytes: u64,
    /// Bytes of a JSON body, and of the metadata of an upload: 1 MiB.
    pub json_bytes: usize,
    /// Bytes of a request's line and headers: 32 KiB.
    pub header_bytes: usize,
    /// Connections at once; more wait in the system's queue: 1,024.
    pub connections: usize,
    /// Uploads at once; more are told to come back: 8.
    pub uploads_at_once: usize,
    /// How long a client may be silent within a request or between two: 30 s.
    pub idle: Duration,
    /// How long one upload may take: 2 h.
    pub upload: Duration,
    /// How long running requests may take when the server ends: 30 s.
    pub shutdown: Duration,
}

/// How actions are driven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Driving {
    /// How many actions are driven at once, beside those that requests wait for: 4.
    pub actions_at_once: usize,
    /// How long a lease lasts that is not renewed; it is renewed three times as often: 30 s.
    pub lease: Duration,
    /// When to take over what another process left.
    pub take_over: TakeOver,
    /// How often to look for actions that nobody drives: 3 s.
    pub tick: Duration,
}

/// When to take over the actions of another process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakeOver {
    /// At once: the stores admit one process, so the other one has ended.
    Immediately,
    /// Once its lease was seen unchanged for this long.
    After(Duration),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            limits: Limits::default(),
            driving: Driving::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            archive_bytes: 10 << 30,
            json_bytes: 1 << 20,
            header_bytes: 32 << 10,
            connections: 1024,
            uploads_at_once: 8,
            idle: Duration::from_secs(30),
            upload: Duration::from_secs(2 * 60 * 60),
            shutdown: Duration::from_secs(30),
        }
    }
}

impl Default for Driving {
    fn default() -> Self {
        Self {
            actions_at_once: 4,
            lease: Duration::from_secs(30),
            take_over: TakeOver::Immediately,
            tick: Duration::from_secs(3),
        }
    }
}
