//! An event log that says aloud what is written to it.

use std::sync::Arc;

use async_trait::async_trait;
use orbit_core::ActionId;
use orbit_core::port::{Begin, Begun, Entry, EventLog, History, Lease, Owner, PortError};
use orbit_core::saga::Fact;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// How much news a slow listener may miss before it only learns that it missed some.
const BACKLOG: usize = 256;

/// Something was written to an action's log.
#[derive(Debug, Clone)]
struct News {
    action: ActionId,
    ended: bool,
}

/// Hands an event log on, and tells listeners in this process of every entry.
pub(crate) struct Announced {
    log: Arc<dyn EventLog>,
    news: broadcast::Sender<News>,
}

/// Where listeners come from.
#[derive(Debug, Clone)]
pub(crate) struct Announcer(broadcast::Sender<News>);

/// Hears what is written from now on.
#[derive(Debug)]
pub(crate) struct Listener(broadcast::Receiver<News>);

impl Announced {
    /// Returns the log that speaks, and where to listen to it.
    pub(crate) fn new(log: Arc<dyn EventLog>) -> (Self, Announcer) {
        let (news, _) = broadcast::channel(BACKLOG);
        (Self { log, news: news.clone() }, Announcer(news))
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl EventLog for Announced {
    async fn begin(&self, begin: &Begin) -> Result<Begun, PortError> {
        self.log.begin(begin).await
    }

    async fn append(
        &self,
        action: &ActionId,
        owner: &Owner,
        entry: &Entry,
    ) -> Result<(), PortError> {
        self.log.append(action, owner, entry).await?;
        let ended = matches!(entry.fact, Fact::Ended(_));
        // An error means that nobody listens.
        drop(self.news.send(News { action: action.clone(), ended }));
        Ok(())
    }

    async fn load(&self, action: &ActionId) -> Result<Option<History>, PortError> {
        self.log.load(action).await
    }

    async fn lease(
        &self,
        action: &ActionId,
        seen: &Lease,
        owner: &Owner,
    ) -> Result<Lease, PortError> {
        self.log.lease(action, seen, owner).await
    }
}

impl Announcer {
    /// Returns a new listener.
    pub(crate) fn listen(&self) -> Listener {
        Listener(self.0.subscribe())
    }
}

impl Listener {
    /// Returns once an entry was written to an action's log, or may have been.
    pub(crate) async fn entry_of(&mut self, action: &ActionId) {
        self.hear(|news| news.action == *action).await;
    }

    /// Returns once an action ended, or may have ended.
    pub(crate) async fn end_of(&mut self, action: &ActionId) {
        self.hear(|news| news.ended && news.action == *action).await;
    }

    async fn hear(&mut self, is_meant: impl Fn(&News) -> bool + Send) {
        loop {
            match self.0.recv().await {
                Ok(news) if is_meant(&news) => return,
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => return,
                Err(RecvError::Closed) => std::future::pending::<()>().await,
            }
        }
    }
}
