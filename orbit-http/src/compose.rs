//! The composition: which adapter stands behind each port. Nothing else knows any of them.

mod installation;
mod repository;
mod stores;

use std::time::Duration;

use orbit_core::Orbit;
use orbit_core::port::{Clock as _, Entropy as _, Kind, Owner, PortError, chain};
use orbit_store::{OpenFault, Step, SystemClock, SystemEntropy};
use serde_json::{Map, Value};
use tokio::time::sleep;
use tracing::warn;

use self::stores::Shared;
pub(crate) use self::stores::Stores;
use crate::config::Config;

/// How often a store that is away is tried at the start.
const START_TRIES: u32 = 15;
/// The pause before each further try.
const START_PAUSE: Duration = Duration::from_secs(1);

/// Why an installation cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ComposeFault {
    /// The data directory cannot be used.
    #[error(transparent)]
    Directory(#[from] OpenFault),
    /// A shared store does not answer, or not as it must.
    #[error("cannot use {name}")]
    Store {
        /// The store.
        name: &'static str,
        /// Why.
        source: PortError,
    },
    /// A store belongs to no installation yet.
    #[error("{store} belongs to no installation yet; `orbit setup` creates what is missing")]
    NotSetUp {
        /// The store.
        store: &'static str,
    },
    /// Two stores belong to different installations.
    #[error(
        "{first} belongs to installation {id} and {other} to {other_id}, expected the same one: \
         check which stores are configured"
    )]
    Mixed {
        /// A store.
        first: &'static str,
        /// Its installation.
        id: String,
        /// Another store.
        other: &'static str,
        /// Its installation.
        other_id: String,
    },
    /// A new store that is to hold part of an installation which is in use already.
    #[error(
        "{store} is new, and {other} belongs to installation {installation}: check its name, bring back \
         what was used, or configure stores that are all new"
    )]
    Newcomer {
        /// The new store.
        store: &'static str,
        /// One that joins after it, and has joined.
        other: &'static str,
        /// The installation.
        installation: String,
    },
    /// The GitOps repository cannot be used.
    #[error("cannot use the repository")]
    Repository(#[source] PortError),
    /// There is no place for the clone of a repository on a server.
    #[error("cannot make a clone in {}", path.display())]
    Clone {
        /// The directory of clones.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Work on the repository was broken off.
    #[error("the work on the repository was broken off")]
    BrokenOff(#[from] tokio::task::JoinError),
    /// The random source does not answer.
    #[error(transparent)]
    Port(#[from] PortError),
}

impl ComposeFault {
    /// Says whether a later try may succeed.
    fn is_passing(&self) -> bool {
        match self {
            Self::Store { source, .. } | Self::Repository(source) => {
                source.kind() == Kind::Unavailable
            }
            Self::Directory(_)
            | Self::NotSetUp { .. }
            | Self::Mixed { .. }
            | Self::Newcomer { .. }
            | Self::Clone { .. }
            | Self::BrokenOff(_)
            | Self::Port(_) => false,
        }
    }

    fn store(name: &'static str) -> impl FnOnce(PortError) -> Self {
        move |source| Self::Store { name, source }
    }
}

/// Opens the installation that the configuration describes.
///
/// The stores are to be closed when the installation is not used any more.
///
/// # Errors
/// [`ComposeFault`].
pub(crate) async fn open(config: &Config) -> Result<(Orbit, Stores), ComposeFault> {
    let mut stores = Stores::open(config).await?;
    let installation = patiently(|| find_installation(config, &stores)).await?;
    let repository = patiently(|| repository::open(config, &installation)).await?;
    stores.turn = repository.turn;
    let ports = stores.ports(repository.gitops);
    let orbit = Orbit { ports, settings: config.core.clone(), owner: new_owner()? };
    Ok((orbit, stores))
}

async fn find_installation(config: &Config, stores: &Stores) -> Result<String, ComposeFault> {
    if config.stores.catalog.migrates_at_start() {
        stores.shared.migrate().await?;
    }
    for (name, store) in stores.shared.all() {
        store.ready().await.map_err(ComposeFault::store(name))?;
    }
    installation::find(stores).await
}

/// Tries again for some time while a store is away: where all of a system starts at once, the stores
/// may be up last.
async fn patiently<T, F>(work: impl Fn() -> F) -> Result<T, ComposeFault>
where
    F: Future<Output = Result<T, ComposeFault>>,
{
    for _ in 1..START_TRIES {
        match work().await {
            Err(fault) if fault.is_passing() => {
                warn_of(&fault);
                sleep(START_PAUSE).await;
            }
            result => return result,
        }
    }
    work().await
}

fn warn_of(fault: &ComposeFault) {
    warn!(error = %chain(fault), "{fault} yet; it is tried again");
}

/// Creates what is missing of the stores that the configuration names, and calls `tell` with every
/// step once it is done. Returns the id of the installation.
///
/// # Errors
/// [`ComposeFault`].
pub(crate) async fn set_up(
    config: &Config,
    mut tell: impl FnMut(&Step) + Send,
) -> Result<String, ComposeFault> {
    let stores = Stores::open(config).await?;
    for (name, store) in stores.shared.all() {
        let steps = store.setup().await.map_err(ComposeFault::store(name))?;
        steps.iter().for_each(&mut tell);
    }
    let (installation, steps) = installation::set_up(&stores).await?;
    steps.iter().for_each(&mut tell);
    let steps = repository::set_up(config, &installation).await?;
    steps.iter().for_each(&mut tell);
    stores.close().await;
    Ok(installation)
}

/// Returns the `CloudFormation` template of all that the configuration has on AWS, or `None` if that is
/// nothing.
///
/// # Errors
/// [`ComposeFault`].
pub(crate) async fn template(config: &Config) -> Result<Option<Value>, ComposeFault> {
    let shared = Shared::connect(config).await?;
    let resources: Map<String, Value> =
        shared.all().into_iter().flat_map(|(_, store)| store.template()).collect();
    if resources.is_empty() {
        return Ok(None);
    }
    Ok(Some(serde_json::json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Buckets and tables of Orbit, as `orbit setup` creates them",
        "Resources": resources,
    })))
}

/// Names this start of the process, so that its leases are told from those of any other.
fn new_owner() -> Result<Owner, PortError> {
    let mut random = [0; 10];
    SystemEntropy.fill(&mut random)?;
    let id = orbit_core::ActionId::new(SystemClock.now(), random);
    Ok(Owner(format!("process-{}-{id}", std::process::id())))
}
