//! The catalog in `MariaDB` keeps its contract, and survives what its server does.

#![allow(
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and measures how long a call takes"
)]

#[path = "catalog/contract.rs"]
mod contract;
#[path = "catalog/dice.rs"]
pub(crate) mod dice;
#[path = "catalog/fill.rs"]
mod fill;
#[path = "catalog/outage.rs"]
mod outage;
#[path = "catalog/plans.rs"]
mod plans;
#[path = "catalog/reference.rs"]
mod reference;
#[path = "catalog/rows.rs"]
mod rows;
#[path = "catalog/schema.rs"]
mod schema;
#[path = "catalog/search.rs"]
mod search;
#[path = "catalog/writers.rs"]
mod writers;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use orbit_store::{MySql, MySqlSettings, SharedStore as _};
use sqlx::{AssertSqlSafe, Connection as _, MySqlConnection};

use crate::servers::{self, Server};

/// A database of a test's own on the shared server.
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) settings: MySqlSettings,
}

impl Place {
    /// Returns a database that does not exist yet on the server that all tests share.
    pub(crate) fn new() -> Self {
        Self::on(servers::mariadb())
    }

    /// Returns a database that does not exist yet.
    pub(crate) fn on(server: &Server) -> Self {
        static N_PLACES: AtomicU32 = AtomicU32::new(0);
        let name = format!("t_{}", N_PLACES.fetch_add(1, Ordering::Relaxed));
        let url = format!("mysql://orbit:orbit%27s%20secret@127.0.0.1:{}/{name}", server.port());
        Self { name, settings: MySqlSettings::new(url.parse().unwrap()) }
    }

    /// Returns the same place for a call that may take no longer.
    pub(crate) fn within(mut self, call_timeout: Duration) -> Self {
        self.settings.call_timeout = call_timeout;
        self
    }

    pub(crate) fn connect(&self) -> MySql {
        MySql::connect(&self.settings).unwrap()
    }

    /// Sets the database up.
    pub(crate) async fn set_up(&self) -> MySql {
        let mysql = self.connect();
        mysql.setup().await.unwrap();
        mysql
    }
}

/// Returns a connection of the server's root to a database.
pub(crate) async fn root(server: &Server, database: &str) -> MySqlConnection {
    let url = format!("mysql://root@127.0.0.1:{}/{database}", server.port());
    MySqlConnection::connect(&url).await.unwrap()
}

/// Says something to the server.
pub(crate) async fn say(connection: &mut MySqlConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.unwrap();
}
