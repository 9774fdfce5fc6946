//! The real program, asked over HTTP as its users ask it, on a data directory of its own.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "main/harness.rs"]
mod harness;

#[path = "main/actions.rs"]
mod actions;
#[path = "main/bad_archives.rs"]
mod bad_archives;
#[path = "main/bad_input.rs"]
mod bad_input;
#[path = "main/chart.rs"]
mod chart;
#[path = "main/delete.rs"]
mod delete;
#[path = "main/deploy.rs"]
mod deploy;
#[path = "main/full_disk.rs"]
mod full_disk;
#[path = "main/hostile.rs"]
mod hostile;
#[path = "main/journey.rs"]
mod journey;
#[path = "main/program.rs"]
mod program;
#[path = "main/restore.rs"]
mod restore;
#[path = "main/scan.rs"]
mod scan;
#[path = "main/search.rs"]
mod search;
#[path = "main/transfer.rs"]
mod transfer;
#[path = "main/upload.rs"]
mod upload;
