//! What tests of all crates build on; compiled with the feature `testing` only.

pub mod archives;
