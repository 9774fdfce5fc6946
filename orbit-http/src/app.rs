//! What every handler works with.

use std::sync::Arc;
use std::time::Duration;

use hyper::{HeaderMap, Method};
use orbit_core::port::History;
use orbit_core::{ActionId, Orbit};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::announce::{Announced, Announcer};
use crate::inflow::Inflow;
use crate::reply::{Part, Problem};
use crate::settings::{Limits, Settings};
use crate::stop::Stop;
use crate::wire::{ActionView, Query};
use crate::worker::{Queue, Worker};

/// How long to wait for news before looking whether another process has written any.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// One server's installation, worker and limits.
pub(crate) struct App {
    /// The installation; its event log announces what is written to it.
    pub(crate) orbit: Orbit,
    /// Drives what requests began.
    pub(crate) worker: Arc<Worker>,
    /// Where to hear what is written to the event log.
    pub(crate) news: Announcer,
    /// The limits on requests.
    pub(crate) limits: Limits,
    /// One permit an upload.
    pub(crate) uploads: Semaphore,
    /// Whether the server is to end.
    pub(crate) stop: Stop,
}

/// A request, taken apart.
pub(crate) struct Call {
    /// The method.
    pub(crate) method: Method,
    /// The path.
    pub(crate) path: String,
    /// The query.
    pub(crate) query: Query,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) body: Inflow,
}

impl App {
    /// Returns the app on an installation, and the queue of its worker.
    pub(crate) fn new(mut orbit: Orbit, settings: &Settings, stop: Stop) -> (Arc<Self>, Queue) {
        let (log, news) = Announced::new(Arc::clone(&orbit.ports.log));
        orbit.ports.log = Arc::new(log);
        let (worker, queue) = Worker::new(orbit.clone(), settings.driving.clone(), stop.clone());
        let limits = settings.limits.clone();
        let uploads = Semaphore::new(limits.uploads_at_once);
        (Arc::new(Self { orbit, worker, news, limits, uploads, stop }), queue)
    }

    /// Returns an action's history.
    ///
    /// # Errors
    /// `action-not-found`, `port-unavailable`.
    pub(crate) async fn history(&self, action: &ActionId) -> Result<History, Problem> {
        let history = self.orbit.ports.log.load(action).await;
        let history = history.map_err(|error| Problem::port(Part::Log, &error))?;
        history
            .ok_or_else(|| Problem::of("action-not-found", format!("there is no action {action}")))
    }

    /// Returns an action's history once it has ended, or as it is after `wait` or when the server
    /// ends.
    ///
    /// # Errors
    /// As [`history`](Self::history).
    pub(crate) async fn history_after(
        &self,
        action: &ActionId,
        wait: Duration,
    ) -> Result<History, Problem> {
        let deadline = Instant::now() + wait;
        let mut listener = self.news.listen();
        loop {
            let history = self.history(action).await?;
            let has_ended = ActionView::of(&history).outcome().is_some();
            if has_ended || self.stop.is_given() || Instant::now() >= deadline {
                return Ok(history);
            }
            let until = deadline.min(Instant::now() + LOOK_EVERY);
            tokio::select! {
                () = self.stop.given() => {}
                // Whether there is news or not, the log is what tells.
                _ = timeout_at(until, listener.end_of(action)) => {}
            }
        }
    }
}
