//! The GitOps repository on a server: real ones over HTTP and SSH, with git itself as the other
//! writer, and a proxy that breaks what goes to them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and measures how long it waits"
)]

#[path = "support/git_setup.rs"]
mod git_setup;
#[path = "support/git_servers.rs"]
mod servers;

#[path = "remote/child.rs"]
mod child;
#[path = "remote/place.rs"]
mod place;
#[path = "remote/sample.rs"]
mod sample;

#[path = "remote/access.rs"]
mod access;
#[path = "remote/ahead.rs"]
mod ahead;
#[path = "remote/at_once.rs"]
mod at_once;
#[path = "remote/broken.rs"]
mod broken;
#[path = "remote/clone.rs"]
mod clone;
#[path = "remote/contract.rs"]
mod contract;
#[path = "remote/hands.rs"]
mod hands;
#[path = "remote/history.rs"]
mod history;
#[path = "remote/https.rs"]
mod https;
#[path = "remote/interleaved.rs"]
mod interleaved;
#[path = "remote/killed.rs"]
mod killed;
#[path = "remote/opening.rs"]
mod opening;
#[path = "remote/refused.rs"]
mod refused;
#[path = "remote/waiting.rs"]
mod waiting;
