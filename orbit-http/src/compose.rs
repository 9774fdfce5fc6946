//! The composition: which adapter stands behind each port. Nothing else knows any of them.

use std::sync::Arc;

use orbit_core::Orbit;
use orbit_core::port::{Clock as _, Entropy as _, Owner, PortError, Ports};
use orbit_gitops::{Identity, Repository, Setup};
use orbit_store::{Embedded, OpenFault, SystemClock, SystemEntropy};

use crate::config::Config;

/// Why an installation cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ComposeFault {
    /// The data directory cannot be used.
    #[error(transparent)]
    Stores(#[from] OpenFault),
    /// The GitOps repository cannot be used.
    #[error("cannot use the repository {}", path.display())]
    Repository {
        /// Where it lies.
        path: std::path::PathBuf,
        /// Why.
        source: PortError,
    },
    /// The random source does not answer.
    #[error(transparent)]
    Port(#[from] PortError),
}

/// Opens the installation that the configuration describes: everything in its data directory.
///
/// The stores are to be closed when the installation is not used any more.
///
/// # Errors
/// [`ComposeFault`].
pub(crate) async fn open(config: &Config) -> Result<(Orbit, Embedded), ComposeFault> {
    let stores = Embedded::open(&config.data_dir, &config.core.environments).await?;
    let gitops = open_repository(config, stores.installation())?;
    let ports = Ports {
        images: stores.images(),
        charts: stores.charts(),
        catalog: stores.catalog(),
        log: stores.log(),
        audit: stores.audit(),
        records: stores.records(),
        registry: stores.registry(),
        gitops: Arc::new(gitops),
        scanner: stores.scanner(),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
    };
    let orbit = Orbit { ports, settings: config.core.clone(), owner: new_owner()? };
    Ok((orbit, stores))
}

fn open_repository(config: &Config, installation: &str) -> Result<Repository, ComposeFault> {
    let path = config.data_dir.join("repository.git");
    let setup = Setup {
        branch: config.branch.clone(),
        environments: config.core.environments.clone(),
        installation: installation.to_owned(),
        identity: Identity { name: "Orbit".to_owned(), email: "orbit@localhost".to_owned() },
        at: SystemClock.now(),
    };
    Repository::open(&path, &setup).map_err(|source| ComposeFault::Repository { path, source })
}

/// Names this start of the process, so that its leases are told from those of any other.
fn new_owner() -> Result<Owner, PortError> {
    let mut random = [0; 10];
    SystemEntropy.fill(&mut random)?;
    let id = orbit_core::ActionId::new(SystemClock.now(), random);
    Ok(Owner(format!("process-{}-{id}", std::process::id())))
}
