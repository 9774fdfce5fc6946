//! The HTTP adapter of Orbit, and the `orbit` program.
//!
//! A [`Server`] answers the HTTP API on any [`Orbit`](orbit_core::Orbit) and drives its actions;
//! [`run`] is the program, which composes one from its configuration.

mod announce;
mod app;
mod compose;
mod config;
mod handle;
mod inflow;
mod lists;
mod program;
mod reply;
mod respond;
mod route;
mod serve;
mod settings;
mod setup;
mod stop;
mod telemetry;
mod wire;
mod worker;

pub use config::{CatalogIn, Config, ConfigFault, GitIn, ImagesIn, LogForm, Stores, TablesIn};
pub use program::run;
pub use serve::Server;
pub use settings::{Driving, Limits, Settings, TakeOver};
