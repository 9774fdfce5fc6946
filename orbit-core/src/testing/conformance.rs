//! The contract of every port, as a suite that each adapter runs on an empty store.
//!
//! A suite panics with a sentence where the contract is broken. Every suite repeats its requests,
//! because a port must take a repeated request for the same one.

mod catalog;
mod charts;
mod delivery;
mod images;
mod log;
mod records;
mod repository;
mod search;

pub use catalog::catalog;
pub use charts::chart_store;
pub use delivery::{registry, scanner};
pub use images::image_store;
pub use log::{audit, event_log};
pub use records::records;
pub use repository::git_ops;
pub use search::search;

use crate::port::{Kind, PortError};

/// Asserts that a call failed, and how.
#[track_caller]
#[expect(clippy::panic, reason = "a suite fails by panicking")]
fn assert_fails<T: std::fmt::Debug>(result: Result<T, PortError>, kind: Kind, situation: &str) {
    match result {
        Err(error) => assert_eq!(error.kind(), kind, "{situation}: {error:?}"),
        Ok(value) => panic!("{situation} succeeded with {value:?}"),
    }
}

/// Returns the value of a call that must succeed.
trait Works<T> {
    fn works(self, situation: &str) -> T;
}

impl<T> Works<T> for Result<T, PortError> {
    #[track_caller]
    #[expect(clippy::panic, reason = "a suite fails by panicking")]
    fn works(self, situation: &str) -> T {
        match self {
            Ok(value) => value,
            Err(error) => panic!("{situation} failed: {error:?}"),
        }
    }
}
