//! Orbit's decisions: images, environments, manifests and deploy lists as typed, pure operations.
//!
//! This crate does no input or output, knows no clock and draws no random number. It parses, it
//! plans and it checks; the other crates act on what it decides.
//!
//! # Editing deploy lists in a service of your own
//!
//! Three calls are enough, on texts that come from where you like: read a list, plan a change, apply
//! it. Nothing of the file changes but the lines that must, and a text that cannot be edited safely
//! is refused with its line and column.
//!
//! ```
//! use orbit_core::list::{self, Change, DeployList, Document};
//!
//! let text = r#"# Ask the film team first.
//! - name:         trolls
//!   imageUID:     Het5SfSA6NJdRVdhTUhwev9A528QH4gwdJQMSA857PStLeyRnpGffDpDMJq5
//!   imageVersion: v0-0-01    # the first
//!   imageName:    'Trolls World Tour (2020)'
//!   environment:  development
//!   image:        docker.io/k8or-orbit-aws/trolls
//!   digest:       sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
//!   namespace:    development
//!   deploymentId: 01JJDEPL0YMENT000000000001
//! "#;
//!
//! // Read: what is in the list, typed, every field of its form.
//! let document = Document::read(text.as_bytes())?;
//! let entries = DeployList::of(&document)?;
//! let mut trolls = entries.find(&"trolls".parse()?).ok_or("not deployed")?.clone();
//!
//! // Plan: values in, values out. A change says what is to be, whatever is there now.
//! trolls.image_version = "v0-0-02".parse()?;
//! let changes = [Change::put(&trolls)];
//!
//! // Apply: one pass for any number of changes. One line differs, its comment is still there.
//! let after = document.apply(&changes)?;
//! assert_eq!(after, text.replace("v0-0-01 ", "\"v0-0-02\" "));
//!
//! // Prove, before anything is pushed, that Argo CD will read what was meant.
//! assert_eq!(list::check(&after, "[]\n", Some(&"development".parse()?)), Ok(()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`list`] says what dialect of YAML is read and what edits promise. `orbit-core/examples` has the
//! three steps as programs: `read_list`, `plan_list_edit`, `apply_list_edit`.
//!
//! # The rest of it
//!
//! | what | where |
//! |---|---|
//! | names, versions, digests, times: `FromStr` is the only way in | [`AppName`], [`ImageUid`], [`ImageVersion`], [`Digest`], [`Timestamp`] |
//! | an image archive, checked as it streams by | [`archive`] |
//! | the manifests of a deployment, and its Helm chart | [`chart`] |
//! | a change of lists and application directories, as one value | [`intent`] |
//! | what an action will do, and how it goes on after a crash | [`plan`], [`saga`] |
//! | what Orbit needs of the world, and the loop that acts on it | [`port`], [`Orbit`] |
//!
//! With the feature `testing`, `testing` holds every port in memory, and the contract of each as a
//! suite that an adapter of yours can run.

pub mod action;
pub mod archive;
pub mod chart;
pub mod check;
mod digest;
mod drive;
mod environment;
pub mod event;
mod ident;
mod image;
pub mod intent;
pub mod list;
pub mod place;
pub mod plan;
pub mod port;
pub mod process;
pub mod quantity;
pub mod query;
pub mod request;
pub mod saga;
pub mod scan;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod time;
mod version;
mod yaml;

pub use digest::{Digest, DigestFault};
pub use drive::{Accepted, LoggedError, NotBegun, Orbit, StoredBlobs, Until};
pub use environment::{Environment, EnvironmentSpec, Environments, EnvironmentsFault};
pub use ident::{ActionId, AppName, IdentFault, ImageId, ImageUid};
pub use image::{ClusterState, Deployment, Image, ImageLabels, Status};
pub use time::{TimeFault, Timestamp};
pub use version::{ImageVersion, VersionFault};
pub use yaml::quote as quote_yaml;
