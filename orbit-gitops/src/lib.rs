//! The repository that Argo CD reads: its lists, and the commits that actions make to it.
//!
//! Nothing is checked out. Trees are made in memory, and a branch is advanced by comparing and
//! swapping it, so that a change is there whole or not at all, whoever else pushes.

mod branch;
mod commit;
mod durable;
mod fault;
mod message;
mod repository;
mod setup;
mod tree;

pub use repository::Repository;
pub use setup::{Identity, Setup};
