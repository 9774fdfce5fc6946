//! What every test needs: the program on a data directory of its own, a client, images, and a look
//! at what lies where.

#[path = "harness/actions.rs"]
mod actions;
#[path = "harness/client.rs"]
mod client;
#[path = "harness/form.rs"]
mod form;
#[path = "harness/held.rs"]
mod held;
#[path = "harness/images.rs"]
mod images;
#[path = "harness/program.rs"]
mod program;
#[path = "harness/tools.rs"]
mod tools;
#[path = "harness/world.rs"]
mod world;

pub(crate) use actions::{Image, pointers, refused};
pub(crate) use client::{Answer, Client, encoded};
pub(crate) use form::{BOUNDARY, CONTENT_TYPE, Form, metadata};
pub(crate) use held::HeldUpload;
pub(crate) use images::{image, random_bytes};
pub(crate) use program::{Program, Server, orbit};
pub(crate) use tools::{git, skopeo};
