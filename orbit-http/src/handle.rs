//! The handlers: a request that was taken apart in, an answer or a problem out.

pub(crate) mod act;
pub(crate) mod actions;
pub(crate) mod audit;
pub(crate) mod chart;
pub(crate) mod environments;
pub(crate) mod health;
pub(crate) mod images;
pub(crate) mod stream;
pub(crate) mod upload;

use orbit_core::port::{Kind, PortError};

use crate::reply::{Part, Problem};
use crate::wire::Fault;

/// Returns the problem of a failed query: what a port rejects there is the cursor.
fn query_problem(part: Part, error: &PortError) -> Problem {
    match error.kind() {
        Kind::Rejected => Problem::invalid(vec![Fault::new("?cursor", error.to_string())]),
        Kind::NotFound | Kind::Conflict | Kind::Unavailable => Problem::port(part, error),
    }
}
