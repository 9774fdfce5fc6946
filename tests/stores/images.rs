//! Images in S3, on a strict server and on another.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]
#![expect(clippy::cognitive_complexity, reason = "every assertion counts as a branch")]

#[path = "images/bench.rs"]
mod bench;
#[path = "images/copies.rs"]
mod copies;
#[path = "images/faults.rs"]
mod faults;
#[path = "images/setup.rs"]
mod setup;
#[path = "images/uploads.rs"]
mod uploads;

/// Runs each check on every server.
macro_rules! on_every_server {
    ($($check:ident),* $(,)?) => {
        mod on_seaweedfs {
            $(#[tokio::test]
            async fn $check() {
                super::$check(crate::servers::seaweedfs()).await;
            })*
        }
        mod on_ministack {
            $(#[tokio::test]
            async fn $check() {
                super::$check(crate::servers::ministack()).await;
            })*
        }
    };
}
use on_every_server;
