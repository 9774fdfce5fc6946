//! The shared stores keep the contracts of their ports on real servers, and survive what those do.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "stores/catalog.rs"]
mod catalog;
#[path = "support/cutter.rs"]
mod cutter;
#[path = "stores/images.rs"]
mod images;
#[expect(dead_code, reason = "the servers serve the tests of whole fleets as well")]
#[path = "support/servers.rs"]
mod servers;
#[path = "stores/tables.rs"]
mod tables;
