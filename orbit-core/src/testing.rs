//! For tests of Orbit and of what embeds it: every port in memory, and the contract of each port.

pub mod archives;
#[expect(
    clippy::cognitive_complexity,
    clippy::indexing_slicing,
    reason = "a suite is a straight line of assertions, and fails by panicking"
)]
pub mod conformance;
pub mod samples;
mod world;

use std::pin::pin;
use std::task::{Context, Poll, Waker};

pub use world::{Break, Fault, World};

/// Runs a future that waits for nothing outside of itself, as all that only call a [`World`] do.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}
