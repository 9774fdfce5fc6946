//! The connections to a database, and how work is done on one.

use std::time::Duration;

use async_trait::async_trait;
use orbit_core::port::PortError;
use sqlx::mysql::{MySqlConnectOptions, MySqlPool, MySqlPoolOptions};
use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, MySqlConnection};
use tokio::time::{Instant, sleep, timeout_at};

use super::fault::Stopped;
use super::{MySqlSettings, MySqlUrl};

/// How often work is tried. Deadlocks come in twos and threes, and a server that has restarted takes
/// one try to notice; the call's time ends it in any case.
const TRIES: u32 = 5;
/// The pause before the second try; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(5);

/// The connections to a database.
#[derive(Debug, Clone)]
pub(super) struct Database {
    url: MySqlUrl,
    pool: MySqlPool,
    call_timeout: Duration,
}

/// Something to do on a connection, as often as it takes: what an earlier try did, or may have done,
/// is success.
#[async_trait]
pub(super) trait Work: Sync {
    /// What comes of it.
    type Output: Send;

    /// Does it, in one transaction.
    async fn run(&self, connection: &mut MySqlConnection) -> Result<Self::Output, Stopped>;
}

impl Database {
    /// Returns the database, without a connection yet.
    pub(super) fn new(settings: &MySqlSettings) -> Self {
        let MySqlSettings { url, connections, call_timeout } = settings;
        let session = session(*call_timeout);
        let pool = MySqlPoolOptions::new()
            .max_connections(*connections)
            .acquire_timeout(*call_timeout)
            .after_connect(move |connection, _| {
                let session = AssertSqlSafe(session.clone());
                Box::pin(async move { connection.execute(session).await.map(drop) })
            })
            .connect_lazy_with(options(url));
        Self { url: url.clone(), pool, call_timeout: *call_timeout }
    }

    /// Returns where it is.
    pub(super) const fn url(&self) -> &MySqlUrl {
        &self.url
    }

    /// Returns how long one call may take.
    pub(super) const fn call_timeout(&self) -> Duration {
        self.call_timeout
    }

    /// Does work, again if it fails by something that passes, within the time of one call.
    pub(super) async fn run<W: Work>(&self, work: &W) -> Result<W::Output, PortError> {
        self.attempt(work).await.map_err(|stopped| stopped.told(&self.url))
    }

    /// Does work like [`run`](Self::run), for somebody who begins to use the database.
    pub(super) async fn run_at_start<W: Work>(&self, work: &W) -> Result<W::Output, PortError> {
        self.attempt(work).await.map_err(|stopped| stopped.told_at_start(&self.url))
    }

    async fn attempt<W: Work>(&self, work: &W) -> Result<W::Output, Stopped> {
        let deadline = Instant::now() + self.call_timeout;
        let mut pause = FIRST_PAUSE;
        for _ in 1..TRIES {
            match self.once(work, deadline).await {
                Err(stopped) if stopped.is_passing() => {}
                result => return result,
            }
            sleep(pause).await;
            pause *= 2;
        }
        self.once(work, deadline).await
    }

    async fn once<W: Work>(&self, work: &W, deadline: Instant) -> Result<W::Output, Stopped> {
        let connection = timeout_at(deadline, self.pool.acquire()).await;
        let mut held =
            Held { connection: connection.map_err(|_| Stopped::Late)??, may_return: false };
        let result = timeout_at(deadline, work.run(&mut held.connection)).await;
        held.may_return = match &result {
            Ok(Ok(_)) => true,
            Ok(Err(stopped)) => !stopped.is_astray(),
            Err(_) => false,
        };
        result.map_err(|_| Stopped::Late)?
    }

    /// Waits for all connections to end.
    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

/// A connection that is closed if it leads to the wrong server, or if work on it was left in the middle,
/// by time or because nobody waits for it any more: who gets it next would wait for an answer that may
/// not come.
struct Held {
    connection: PoolConnection<sqlx::MySql>,
    may_return: bool,
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.may_return {
            self.connection.close_on_drop();
        }
    }
}

/// Returns how to connect to a database.
pub(super) fn options(url: &MySqlUrl) -> MySqlConnectOptions {
    // Statements are not logged: the pages of a search would fill a log.
    url.options().pipes_as_concat(false).disable_statement_logging()
}

/// Returns what is said on each new connection, so that it does not depend on the server's settings.
/// A value that does not fit is an error, never cut, and nothing waits for a lock longer than a call
/// may take.
pub(super) fn session(call_timeout: Duration) -> String {
    let lock_wait = (call_timeout.as_secs() / 2).max(1);
    format!(
        "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', \
         SESSION innodb_lock_wait_timeout = {lock_wait}; \
         SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"
    )
}
