//! Whether a thread that waits for a server still gets anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A counter that a working thread advances, so that another can tell whether it hangs.
///
/// libgit2 has no time-out that is set without unsafe code, and no callback runs while a socket is
/// silent: a thread that hangs cannot be stopped, but it can be left behind.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heartbeat(Arc<AtomicU64>);

impl Heartbeat {
    pub(crate) fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
