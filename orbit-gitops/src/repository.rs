//! The port `GitOps` on a bare repository on disk.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use orbit_core::intent::{Commit, CommitId};
use orbit_core::port::{GitOps, Lists, PortError};
use orbit_core::{ActionId, Environment};

use crate::branch::Branch;
use crate::commit::commit;
use crate::fault::Fault;
use crate::lists;
use crate::setup::{self, Setup};

/// A bare repository on this machine's disk, whose branch is advanced in place.
///
/// Others may push to it meanwhile: the branch is compared and swapped, under git's own lock.
///
/// ```
/// use orbit_core::{Environments, Timestamp};
/// use orbit_gitops::{Identity, Repository, Setup};
///
/// let directory = tempfile::tempdir()?;
/// let setup = Setup {
///     branch: "main".to_owned(),
///     environments: Environments::default(),
///     installation: "01JJEEEV80CDHP6RV3CDHP6RV3".to_owned(),
///     identity: Identity { name: "Orbit".to_owned(), email: "orbit@k8or.com".to_owned() },
///     at: Timestamp::from_millis(1_737_799_200_000),
/// };
/// let repository = Repository::open(&directory.path().join("gitops.git"), &setup)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Repository {
    // One thread at a time: that saves the work of losing a race against oneself.
    branch: Arc<Mutex<Branch>>,
}

impl Repository {
    /// Opens a repository; where nothing is, or an empty directory, it is made.
    ///
    /// A new repository's first commit holds `orbit.yaml` and the empty lists of every environment.
    /// In an existing one, the lists of environments that were configured since are added by a commit.
    /// It waits for the disk.
    ///
    /// # Errors
    /// `Rejected` if the repository is another installation's, misses an environment that it had,
    /// or has a list that is missing or cannot be read; with file, line and column.
    pub fn open(path: &Path, setup: &Setup) -> Result<Self, PortError> {
        let branch = setup::open(path, setup)
            .map_err(|fault| fault.while_opening(format!("cannot open {}", path.display())))?;
        Ok(Self { branch: Arc::new(Mutex::new(branch)) })
    }

    /// Runs a piece of work where it may wait for the disk.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Branch) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let branch = Arc::clone(&self.branch);
        let work = move || work(&branch.lock().unwrap_or_else(PoisonError::into_inner));
        tokio::task::spawn_blocking(work).await?
    }
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repository").finish_non_exhaustive()
    }
}

#[async_trait]
impl GitOps for Repository {
    async fn read(&self, environment: &Environment) -> Result<Lists, PortError> {
        let name = environment.clone();
        let read = self.run(move |branch| lists::of(branch, &branch.head()?, &name));
        let doing = || format!("cannot read the lists of {environment}");
        read.await.map_err(|fault| fault.while_doing(doing()))
    }

    async fn commit(&self, change: &Commit) -> Result<CommitId, PortError> {
        let (action, name) = (&change.action, change.intent.name());
        let doing = || format!("cannot commit {name} for action {action}");
        let change = change.clone();
        let id = self.run(move |branch| commit(branch, &change)).await;
        id.map(|id| CommitId(id.to_string())).map_err(|fault| fault.while_doing(doing()))
    }

    async fn find(
        &self,
        action: &ActionId,
        since: &CommitId,
    ) -> Result<Option<CommitId>, PortError> {
        let (id, since) = (action.clone(), since.clone());
        let found = self.run(move |branch| branch.find(&id, &since, &branch.head()?)).await;
        let doing = || format!("cannot search for the commit of action {action}");
        let found = found.map_err(|fault| fault.while_doing(doing()))?;
        Ok(found.map(|id| CommitId(id.to_string())))
    }
}
