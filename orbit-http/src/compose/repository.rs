//! The GitOps repository, in the data directory or on a server.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use orbit_core::port::{Clock as _, GitOps};
use orbit_gitops::{Access, Remote, RemoteSettings, RemoteUrl, Repository, Setup};
use orbit_store::{Step, SystemClock};
use tokio::task::spawn_blocking;

use super::ComposeFault;
use crate::config::{Config, GitIn};

/// How many commits go into one push, because GitLab tells Argo CD of no more.
const COMMITS_PER_PUSH: usize = 20;
/// How many processes may share a data directory, each with a clone of its own.
const MOST_CLONES: u32 = 100;

/// A repository that is open.
pub(super) struct Opened {
    pub(super) gitops: Arc<dyn GitOps>,
    /// What keeps other processes from the clone, as long as it is there.
    pub(super) turn: Option<File>,
}

/// Opens the repository; one in the data directory is made if it is not there.
pub(super) async fn open(config: &Config, installation: &str) -> Result<Opened, ComposeFault> {
    let setup = setup(config, installation);
    let GitIn::Remote { url, access, .. } = &config.git else {
        let path = config.data_dir.join("repository.git");
        let opened = spawn_blocking(move || Repository::open(&path, &setup)).await?;
        let gitops = Arc::new(opened.map_err(ComposeFault::Repository)?);
        return Ok(Opened { gitops, turn: None });
    };
    let (settings, turn) = settings(config, url, access)?;
    let opened = spawn_blocking(move || Remote::open(&settings, &setup)).await?;
    let gitops = Arc::new(opened.map_err(ComposeFault::Repository)?);
    Ok(Opened { gitops, turn: Some(turn) })
}

/// Makes what a repository on a server lacks, and returns what was done.
pub(super) async fn set_up(config: &Config, installation: &str) -> Result<Vec<Step>, ComposeFault> {
    let GitIn::Remote { url, access, argo } = &config.git else { return Ok(Vec::new()) };
    let ((settings, _turn), setup) = (settings(config, url, access)?, setup(config, installation));
    let argo = argo.clone();
    let made = spawn_blocking(move || Remote::set_up_with(&settings, &setup, &argo)).await?;
    let made = made.map_err(ComposeFault::Repository)?;
    Ok(made.into_iter().map(|done| Step::new("repository", done)).collect())
}

fn setup(config: &Config, installation: &str) -> Setup {
    Setup {
        branch: config.branch.clone(),
        environments: config.core.environments.clone(),
        installation: installation.to_owned(),
        identity: config.identity.clone(),
        at: SystemClock.now(),
    }
}

/// Returns how the repository on a server is reached, with a clone that no other process uses as long
/// as the file is open.
fn settings(
    config: &Config,
    url: &RemoteUrl,
    access: &Access,
) -> Result<(RemoteSettings, File), ComposeFault> {
    let dir = config.data_dir.join("clones");
    let (cache, turn) =
        free_clone(&dir).map_err(|source| ComposeFault::Clone { path: dir, source })?;
    let settings = RemoteSettings {
        url: url.clone(),
        access: access.clone(),
        cache,
        call_timeout: config.call_timeout,
        commits_per_push: COMMITS_PER_PUSH,
    };
    Ok((settings, turn))
}

/// Takes the first clone that no other process has, which in most cases is one that is there already.
fn free_clone(dir: &Path) -> io::Result<(PathBuf, File)> {
    fs::create_dir_all(dir)?;
    for number in 1..=MOST_CLONES {
        let path = dir.join(format!("{number}.process"));
        let turn = File::options().create(true).truncate(false).write(true).open(path)?;
        match turn.try_lock() {
            Ok(()) => return Ok((dir.join(format!("{number}.git")), turn)),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(io::Error::other(format!("{MOST_CLONES} processes have one already")))
}
