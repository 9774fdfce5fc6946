//! The real servers that the stores are tested against: each on free ports of this machine, on a
//! directory of its own, and gone with the test.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a server that does not come up fails its test"
)]

#[path = "servers/process.rs"]
mod process;
#[path = "servers/specs.rs"]
mod specs;

use std::sync::LazyLock;

pub(crate) use process::Server;

/// The access key that every server of AWS's services takes, and its secret.
pub(crate) const KEY_ID: &str = "AK";
pub(crate) const SECRET: &str = "SK";
/// The password of user `orbit` in `MariaDB`, with what a URL must escape.
pub(crate) const SECRET_OF_MARIADB: &str = "orbit's secret";

/// Returns `SeaweedFS`, an S3 server that all tests of this program share.
pub(crate) fn seaweedfs() -> &'static Server {
    static SHARED: LazyLock<Server> = LazyLock::new(|| Server::start(specs::seaweedfs()));
    &SHARED
}

/// Returns ministack, an S3 and `DynamoDB` server that all tests of this program share.
pub(crate) fn ministack() -> &'static Server {
    static SHARED: LazyLock<Server> = LazyLock::new(|| Server::start(specs::ministack()));
    &SHARED
}

/// Returns moto, an S3 and `DynamoDB` server that all tests of this program share.
pub(crate) fn moto() -> &'static Server {
    static SHARED: LazyLock<Server> = LazyLock::new(|| Server::start(specs::moto()));
    &SHARED
}

/// Returns a `MariaDB` that all tests of this program share.
pub(crate) fn mariadb() -> &'static Server {
    static SHARED: LazyLock<Server> = LazyLock::new(|| Server::start(specs::mariadb()));
    &SHARED
}

/// Starts a `SeaweedFS` that cannot encrypt, for one test.
pub(crate) fn keyless_seaweedfs() -> Server {
    Server::start(specs::keyless_seaweedfs())
}

/// Starts a `SeaweedFS` for one test, which may stop it.
pub(crate) fn own_seaweedfs() -> Server {
    Server::start(specs::seaweedfs())
}

/// Starts a ministack for one test, which may stop it. It keeps what it has over a restart.
pub(crate) fn own_ministack() -> Server {
    Server::start(specs::ministack())
}

/// Starts a `MariaDB` for one test, which may stop it.
pub(crate) fn own_mariadb() -> Server {
    Server::start(specs::mariadb())
}

/// Starts microburst before a service of AWS: a proxy that breaks answers by rules, as YAML.
pub(crate) fn microburst(service: &Server, rules: &str) -> Server {
    Server::start(specs::microburst(&service.endpoint(), rules))
}
