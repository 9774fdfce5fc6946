//! The repository that Argo CD reads: its lists, and the commits that actions make to it.
//!
//! [`Repository`] lies on this machine's disk, [`Remote`] on a server.
//!
//! Nothing is checked out. Trees are made in memory, and a branch is advanced by comparing and
//! swapping it, so that a change is there whole or not at all, whoever else pushes.

pub mod argo;
mod branch;
mod commit;
mod durable;
mod fast_blob;
mod fault;
mod history;
mod lists;
mod message;
mod remote;
mod repository;
mod setup;
mod tree;

pub use argo::ArgoSettings;
pub use remote::access::{Access, Secret};
pub use remote::url::{RemoteUrl, UrlFault};
pub use remote::{Remote, RemoteSettings};
pub use repository::Repository;
pub use setup::{Identity, Setup};
