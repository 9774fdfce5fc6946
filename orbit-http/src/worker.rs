//! Drives accepted actions to their end, whatever happens to the requests that began them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use orbit_core::port::{ActionFilter, Kind, Lease, PortError, State};
use orbit_core::saga::Outcome;
use orbit_core::{ActionId, Digest, Orbit, Until};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tracing::{info, warn};

use crate::settings::{Driving, TakeOver};
use crate::stop::Stop;

/// The first pause after a failed try; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How many running actions are asked for at once.
const PAGE: u32 = 1000;

/// Drives actions, each by at most one task or request of this process at a time.
pub(crate) struct Worker {
    orbit: Orbit,
    driving: Driving,
    held: Mutex<HashMap<ActionId, Lease>>,
    queue: mpsc::UnboundedSender<ActionId>,
    permits: Semaphore,
    stop: Stop,
}

/// The actions that were let go of and are to be driven on.
pub(crate) type Queue = mpsc::UnboundedReceiver<ActionId>;

/// An action that a request works on itself. When it is dropped, on whatever way, the worker drives
/// the action on.
pub(crate) struct Held {
    worker: Arc<Worker>,
    action: ActionId,
    has_ended: bool,
}

impl Held {
    /// Returns the action.
    pub(crate) const fn action(&self) -> &ActionId {
        &self.action
    }

    /// Lets go of an action that has ended.
    pub(crate) fn end(mut self) {
        self.has_ended = true;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let is_queued = !self.has_ended && self.worker.queue.send(self.action.clone()).is_ok();
        if !is_queued {
            self.worker.release(&self.action);
        }
    }
}

impl Worker {
    /// Returns a worker and its queue, which [`run`](Self::run) works off.
    pub(crate) fn new(orbit: Orbit, driving: Driving, stop: Stop) -> (Arc<Self>, Queue) {
        let (queue, receiver) = mpsc::unbounded_channel();
        let permits = Semaphore::new(driving.actions_at_once);
        let held = Mutex::default();
        (Arc::new(Self { orbit, driving, held, queue, permits, stop }), receiver)
    }

    /// Holds an action that this process has the lease of.
    pub(crate) fn hold(self: &Arc<Self>, action: ActionId, lease: Lease) -> Held {
        self.held().insert(action.clone(), lease);
        Held { worker: Arc::clone(self), action, has_ended: false }
    }

    /// Works until the signal to stop is given and every action rests between two steps.
    pub(crate) async fn run(self: Arc<Self>, queue: Queue) {
        tokio::select! {
            () = self.work_off(queue) => {}
            () = self.renew_leases() => {}
            () = self.look_round() => {}
        }
    }

    async fn work_off(self: &Arc<Self>, mut queue: Queue) {
        let mut tasks = JoinSet::new();
        loop {
            tokio::select! {
                () = self.stop.given() => break,
                Some(action) = queue.recv() => {
                    tasks.spawn(Arc::clone(self).carry(action));
                }
                Some(result) = tasks.join_next() => warn_of_panic(result),
            }
        }
        while let Some(result) = tasks.join_next().await {
            warn_of_panic(result);
        }
    }

    /// Drives one action until it ends, is lost to another process, or the server ends.
    async fn carry(self: Arc<Self>, action: ActionId) {
        // Held until then, also if driving it panics: the next look takes it up again.
        let _released = Released { worker: &self, action: &action };
        let mut n_failures = 0;
        while let Err(error) = self.drive(&action).await {
            if self.is_lost(&action).await {
                break;
            }
            self.rest(&action, &error, pause(&action, n_failures)).await;
            n_failures += 1;
        }
    }

    async fn rest(&self, action: &ActionId, error: &PortError, pause: Duration) {
        let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        warn!(
            action.id = %action, error = %error.chain(), pause_ms,
            "Action {action} cannot go on yet and is tried again"
        );
        // An error means that the whole pause went by.
        drop(timeout(pause, self.stop.given()).await);
    }

    /// Drives an action until it ends or the server does; that it stopped is no error.
    async fn drive(&self, action: &ActionId) -> Result<Option<Outcome>, PortError> {
        let permit = tokio::select! {
            () = self.stop.given() => return Ok(None),
            permit = self.permits.acquire() => permit,
        };
        let outcome = self.orbit.drive_while(action, Until::Ended, &|| !self.stop.is_given()).await;
        drop(permit);
        outcome
    }

    /// Says whether another process has the lease, or there is no such action.
    async fn is_lost(&self, action: &ActionId) -> bool {
        match self.orbit.ports.log.load(action).await {
            Ok(Some(history)) => history.lease.owner != self.orbit.owner,
            Ok(None) => true,
            Err(_) => false,
        }
    }

    /// Renews every lease, three times as often as it would last.
    async fn renew_leases(&self) {
        let mut ticks = ticks(self.driving.lease / 3);
        loop {
            ticks.tick().await;
            let held: Vec<_> =
                self.held().iter().map(|(id, lease)| (id.clone(), lease.clone())).collect();
            // Side by side: a store that is slow to answer for one must not cost the others theirs.
            let renewals = held.into_iter().map(|(action, lease)| self.renew(action, lease));
            join_all(renewals).await;
        }
    }

    async fn renew(&self, action: ActionId, lease: Lease) {
        match self.orbit.ports.log.lease(&action, &lease, &self.orbit.owner).await {
            Ok(renewed) => {
                if let Some(lease) = self.held().get_mut(&action) {
                    *lease = renewed;
                }
            }
            // It has ended meanwhile.
            Err(error) if matches!(error.kind(), Kind::Rejected | Kind::NotFound) => {}
            Err(error) => warn_of_lease(&action, &error),
        }
    }

    /// Looks for actions that nobody drives, at once and then again and again.
    async fn look_round(self: &Arc<Self>) {
        let mut ticks = ticks(self.driving.tick);
        let mut seen = HashMap::new();
        loop {
            ticks.tick().await;
            match self.unheld().await {
                Ok(unheld) => self.take_over(unheld, &mut seen).await,
                Err(error) => {
                    warn!(error = %error.chain(), "The unfinished actions cannot be listed");
                }
            }
        }
    }

    /// Returns the running actions that this process does not drive.
    async fn unheld(&self) -> Result<HashMap<ActionId, Lease>, PortError> {
        let mut filter =
            ActionFilter { state: Some(State::Running), limit: PAGE, ..ActionFilter::default() };
        let mut unheld = HashMap::new();
        loop {
            let page = self.orbit.ports.audit.actions(&filter).await?;
            for (record, lease, _) in page.actions {
                unheld.insert(record.id, lease);
            }
            filter.cursor = page.next;
            if filter.cursor.is_none() {
                let held = self.held();
                unheld.retain(|action, _| !held.contains_key(action));
                return Ok(unheld);
            }
        }
    }

    /// Takes what was seen unchanged for long enough.
    async fn take_over(self: &Arc<Self>, unheld: HashMap<ActionId, Lease>, seen: &mut Seen) {
        let now = Instant::now();
        seen.retain(|action, (lease, _)| unheld.get(action) == Some(lease));
        for (action, lease) in unheld {
            let (_, since) = seen.entry(action.clone()).or_insert_with(|| (lease.clone(), now));
            if now.duration_since(*since) >= self.patience(&lease) {
                self.take(action, &lease).await;
            }
        }
    }

    /// An action of this process that is not held was let go of by a request that was broken off,
    /// or is about to be held by one that has just begun it: the next look shows which.
    fn patience(&self, lease: &Lease) -> Duration {
        match self.driving.take_over {
            _ if lease.owner == self.orbit.owner => self.driving.tick,
            TakeOver::Immediately => Duration::ZERO,
            TakeOver::After(patience) => patience,
        }
    }

    async fn take(self: &Arc<Self>, action: ActionId, seen: &Lease) {
        // An error means that it has ended or that another process was faster; else it is seen again.
        if let Ok(lease) = self.orbit.ports.log.lease(&action, seen, &self.orbit.owner).await {
            info!(action.id = %action, "Resumed action {action}");
            drop(self.hold(action, lease));
        }
    }

    fn release(&self, action: &ActionId) {
        self.held().remove(action);
    }

    fn held(&self) -> MutexGuard<'_, HashMap<ActionId, Lease>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets go of an action when it is dropped.
struct Released<'a> {
    worker: &'a Worker,
    action: &'a ActionId,
}

impl Drop for Released<'_> {
    fn drop(&mut self) {
        self.worker.release(self.action);
    }
}

/// Leases, each with when it was first seen, by this process's own clock.
type Seen = HashMap<ActionId, (Lease, Instant)>;

fn ticks(period: Duration) -> tokio::time::Interval {
    let mut ticks = interval(period.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Returns how long to wait after a failure: twice as long as after the one before, up to a limit,
/// and shortened by up to a half that depends on the action, so that not all come back at once.
fn pause(action: &ActionId, n_failures: u32) -> Duration {
    let factor = 2_u32.saturating_pow(n_failures);
    let longest = FIRST_PAUSE.saturating_mul(factor).min(LONGEST_PAUSE);
    let hash = Digest::of(format!("{action}#{n_failures}").as_bytes());
    let jitter = hash.as_bytes().first().map_or(0, |byte| u32::from(*byte));
    longest / 2 + longest / 2 * jitter / 255
}

fn warn_of_lease(action: &ActionId, error: &PortError) {
    warn!(
        action.id = %action, error = %error.chain(),
        "The lease of action {action} was not renewed"
    );
}

fn warn_of_panic(result: Result<(), tokio::task::JoinError>) {
    if let Err(error) = result {
        tracing::error!(%error, "A task that drove an action broke down");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_differ_between_actions() {
        let id = |text: &str| text.parse::<ActionId>().unwrap();
        let (one, other) = (id("01ARZ3NDEKTSV4RRFFQ69G5FAV"), id("01ARZ3NDEKTSV4RRFFQ69G5FAW"));
        for n_failures in 0..40 {
            let longest = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(n_failures));
            let pause = pause(&one, n_failures);
            assert!(pause >= longest.min(LONGEST_PAUSE) / 2, "{n_failures}: {pause:?}");
            assert!(pause <= longest.min(LONGEST_PAUSE), "{n_failures}: {pause:?}");
        }
        assert!((0..10).any(|n_failures| pause(&one, n_failures) != pause(&other, n_failures)));
    }
}
