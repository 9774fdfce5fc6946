//! The one signal that a server is to end.

use tokio::sync::watch;

/// Says whether the server is to end. Every copy hears the same signal.
#[derive(Debug, Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

/// Gives the signal; dropping it gives it too.
#[derive(Debug)]
pub(crate) struct Stopper(watch::Sender<bool>);

impl Stop {
    /// Returns a signal that is not given yet, and who gives it.
    pub(crate) fn new() -> (Stopper, Self) {
        let (sender, receiver) = watch::channel(false);
        (Stopper(sender), Self(receiver))
    }

    /// Says whether the signal was given.
    pub(crate) fn is_given(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }

    /// Returns once the signal was given.
    pub(crate) async fn given(&self) {
        // An error means that nobody is left to give it, which is the same.
        drop(self.0.clone().wait_for(|given| *given).await);
    }
}

impl Stopper {
    /// Gives the signal.
    pub(crate) fn stop(&self) {
        tracing::info!("The server is ending");
        self.0.send_replace(true);
    }
}
