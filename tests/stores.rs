//! The shared stores keep the contracts of their ports on real servers, and survive what those do.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "the stores that use the servers come one after the other")]

#[path = "stores/images.rs"]
mod images;
#[path = "support/servers.rs"]
mod servers;
#[path = "stores/tables.rs"]
mod tables;

#[path = "stores/catalog.rs"]
mod catalog;
