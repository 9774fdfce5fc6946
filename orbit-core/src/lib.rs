//! Orbit's decisions: images, environments, manifests and deploy lists as typed, pure operations.
//!
//! This crate does no input or output, knows no clock and draws no random number. It parses, it
//! plans and it checks; the other crates act on what it decides.

pub mod action;
pub mod archive;
pub mod chart;
pub mod check;
mod digest;
mod drive;
mod environment;
pub mod event;
mod ident;
mod image;
pub mod intent;
pub mod list;
pub mod place;
pub mod plan;
pub mod port;
pub mod process;
pub mod quantity;
pub mod query;
pub mod request;
pub mod saga;
pub mod scan;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod time;
mod version;
mod yaml;

pub use digest::{Digest, DigestFault};
pub use drive::{Accepted, LoggedError, NotBegun, Orbit, StoredBlobs, Until};
pub use environment::{Environment, EnvironmentSpec, Environments, EnvironmentsFault};
pub use ident::{ActionId, AppName, IdentFault, ImageId, ImageUid};
pub use image::{ClusterState, Deployment, Image, ImageLabels, Status};
pub use time::{TimeFault, Timestamp};
pub use version::{ImageVersion, VersionFault};
