//! How many threads wait for a server that hangs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How many threads may be alive before the next one has to wait: each that was left behind holds a
/// socket and the files of a clone.
const MOST: usize = 32;
/// How long it waits. A server that takes connections and never answers nor closes them costs less
/// than 300 threads a day then.
const REST: Duration = Duration::from_secs(300);

/// The threads that work on one repository, those included that were left behind.
#[derive(Debug, Default)]
pub(crate) struct ThreadLimit {
    alive: Arc<()>,
    last: Mutex<Option<Instant>>,
}

/// The permit of one thread, free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Permit(#[expect(dead_code, reason = "it is counted")] Arc<()>);

impl ThreadLimit {
    /// Returns a permit for a thread, or how many are there already if it has to wait.
    pub(crate) fn acquire(&self, now: Instant) -> Result<Permit, usize> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let n_alive = Arc::strong_count(&self.alive) - 1;
        let is_resting = last.is_some_and(|last| now.saturating_duration_since(last) < REST);
        if n_alive >= MOST && is_resting {
            return Err(n_alive);
        }
        *last = Some(now);
        Ok(Permit(Arc::clone(&self.alive)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_hangs_gets_one_more_thread_now_and_then() {
        let (threads, now) = (ThreadLimit::default(), Instant::now());
        let mut hung: Vec<_> = (0..MOST).map(|_| threads.acquire(now).unwrap()).collect();
        assert_eq!(threads.acquire(now).unwrap_err(), MOST);
        hung.push(threads.acquire(now + REST).unwrap());
        assert_eq!(threads.acquire(now + REST).unwrap_err(), MOST + 1);
        hung.truncate(MOST - 1);
        let free = threads.acquire(now + REST).unwrap();
        assert_eq!(threads.acquire(now + REST).unwrap_err(), MOST);
        drop(free);
        drop(threads.acquire(now + REST).unwrap());
    }
}
