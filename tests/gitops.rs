//! The GitOps repository on disk, with git itself as the foreign writer.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/git_setup.rs"]
mod git_setup;
#[path = "gitops/place.rs"]
mod place;
#[path = "gitops/sample.rs"]
mod sample;

#[path = "gitops/commits.rs"]
mod commits;
#[path = "gitops/foreign.rs"]
mod foreign;
#[path = "gitops/hostile.rs"]
mod hostile;
#[path = "gitops/opening.rs"]
mod opening;
