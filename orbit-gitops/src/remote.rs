//! The port `GitOps` on a repository of a server.

use std::fmt;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use orbit_core::intent::{Commit, CommitId};
use orbit_core::port::{GitOps, Lists, PortError};
use orbit_core::{ActionId, Environment};

use crate::argo::ArgoSettings;
use crate::fault::Fault;
use crate::remote::access::Access;
use crate::remote::heartbeat::Heartbeat;
use crate::remote::link::Link;
use crate::remote::mirror::{Mirror, Place};
use crate::remote::round::{Answer, Ask};
use crate::remote::url::RemoteUrl;
use crate::remote::worker::{Watch, Worker};
use crate::setup::{self, Setup};

pub(crate) mod access;
mod ahead;
mod batch;
mod bootstrap;
pub(crate) mod fault;
mod heartbeat;
mod known_hosts;
mod link;
mod loose;
mod mirror;
mod queue;
mod round;
mod thread_limit;
pub(crate) mod url;
mod verdict;
mod worker;

/// How a remote repository is reached, and how it is worked on.
#[derive(Debug, Clone)]
pub struct RemoteSettings {
    /// Where it is.
    pub url: RemoteUrl,
    /// Who connects.
    pub access: Access,
    /// The directory of the clone that is kept. It is made, deleted and made anew as needed; nothing
    /// in it is lost then. One process uses it at a time.
    pub cache: PathBuf,
    /// How long a server may be silent before a call is given up.
    pub call_timeout: Duration,
    /// How many commits go into one push: GitLab tells Argo CD of the newest 20 only.
    pub commits_per_push: usize,
}

/// A branch of a repository on a server, reached over HTTPS or SSH.
///
/// Calls that come together are answered together: reads share a fetch, and commits a push, with a
/// commit for each. While a push is under way, the commits of the next one are made. Nothing is merged:
/// when the branch moved, the same intents are applied to its new head. The clones of one `Remote` share
/// all of that.
///
/// libgit2 can neither be interrupted nor told a time limit without unsafe code. A call to a server
/// that is silent for the time-out ends with an error, but its thread is left behind until the
/// connection is closed; a push that it still sends finds the branch elsewhere, or is the commit that
/// a later try finds. When many are left behind, calls fail at once, but for one now and then.
#[derive(Clone)]
pub struct Remote {
    worker: Arc<Worker>,
    // A thread that was left behind does not hold it.
    _lock: Arc<File>,
}

impl Remote {
    /// Connects to a repository that was set up, and checks `orbit.yaml`, its environments and their
    /// lists. It blocks, for as long as the server answers.
    ///
    /// # Errors
    /// `Rejected` if the repository is another installation's or lacks an environment, if a list
    /// cannot be read, with file, line and column, or if the server is not who it should be or does
    /// not take the token or key. Once it is open, the last of these is `Unavailable`, of type
    /// `repository-authentication`: an operator can give another token, and no action is lost.
    /// `Unavailable` if the server cannot be reached or another process uses the clone.
    pub fn open(settings: &RemoteSettings, setup: &Setup) -> Result<Self, PortError> {
        let connected = Self::connect(settings, setup);
        let doing = || format!("cannot open {}", settings.url);
        let (worker, lock) = connected.map_err(|fault| fault.while_opening(doing()))?;
        Ok(Self { worker: Arc::new(worker), _lock: Arc::new(lock) })
    }

    /// Makes what a repository lacks, by one commit: in an empty one all of it, in one that was set
    /// up what was configured since. Returns what was done, line by line, and nothing the next time.
    /// It blocks, for as long as the server answers.
    ///
    /// The manifests for Argo CD are those of [`ArgoSettings::of`].
    ///
    /// # Errors
    /// As of [`open`](Self::open); and `Rejected` if there are branches, but not the configured one.
    pub fn set_up(settings: &RemoteSettings, setup: &Setup) -> Result<Vec<String>, PortError> {
        Self::set_up_with(settings, setup, &ArgoSettings::of(&settings.url))
    }

    /// Makes what a repository lacks, as [`set_up`](Self::set_up) does, with manifests of your own
    /// settings. A manifest that differs is reported and left: somebody may have edited it.
    ///
    /// # Errors
    /// As of [`set_up`](Self::set_up).
    pub fn set_up_with(
        settings: &RemoteSettings,
        setup: &Setup,
        argo: &ArgoSettings,
    ) -> Result<Vec<String>, PortError> {
        let done = Self::bootstrap(settings, setup, argo);
        done.map_err(|fault| fault.while_opening(format!("cannot set up {}", settings.url)))
    }

    fn connect(settings: &RemoteSettings, setup: &Setup) -> Result<(Worker, File), Fault> {
        let (place, watch) = place(settings, setup)?;
        let lock = mirror::lock(&place.path)?;
        let (there, wanted) = (place.clone(), setup.clone());
        let mirror = watch.run(move || {
            let mut mirror = Mirror::open(&there)?;
            mirror.sound(|mirror| bootstrap::check(mirror, &wanted))?;
            Ok(mirror)
        })?;
        Ok((Worker::new(mirror, place, watch, settings.commits_per_push.max(1)), lock))
    }

    fn bootstrap(
        settings: &RemoteSettings,
        setup: &Setup,
        argo: &ArgoSettings,
    ) -> Result<Vec<String>, Fault> {
        let (place, watch) = place(settings, setup)?;
        let lock = mirror::lock(&place.path)?;
        let (wanted, argo) = (setup.clone(), argo.clone());
        let done = watch.run(move || bootstrap::set_up(&mut Mirror::open(&place)?, &wanted, &argo));
        drop(lock);
        done
    }

    async fn ask(&self, ask: Ask, doing: impl Fn() -> String + Send) -> Result<Answer, PortError> {
        self.worker.ask(ask).await.map_err(|fault| fault.while_doing(doing()))
    }
}

fn place(settings: &RemoteSettings, setup: &Setup) -> Result<(Place, Watch), Fault> {
    let branch = setup::branch_name(setup)?;
    let heartbeat = Heartbeat::default();
    let link = Link::new(&settings.url, &settings.access, heartbeat.clone())?;
    let (server, limit) = (link.server(), settings.call_timeout);
    let (path, identity) = (settings.cache.clone(), setup.identity.clone());
    Ok((Place { path, branch, identity, link }, Watch { server, limit, heartbeat }))
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").finish_non_exhaustive()
    }
}

#[async_trait]
impl GitOps for Remote {
    async fn read(&self, environment: &Environment) -> Result<Lists, PortError> {
        let doing = || format!("cannot read the lists of {environment}");
        match self.ask(Ask::Read(environment.clone()), doing).await? {
            Answer::Lists(lists) => Ok(*lists),
            Answer::Found(_) | Answer::Committed(_) => Err(Fault::Unanswered.while_doing(doing())),
        }
    }

    async fn commit(&self, change: &Commit) -> Result<CommitId, PortError> {
        let (action, name) = (&change.action, change.intent.name());
        let doing = || format!("cannot commit {name} for action {action}");
        match self.ask(Ask::Commit(Arc::new(change.clone())), doing).await? {
            Answer::Committed(id) => Ok(id),
            Answer::Found(_) | Answer::Lists(_) => Err(Fault::Unanswered.while_doing(doing())),
        }
    }

    async fn find(
        &self,
        action: &ActionId,
        since: &CommitId,
    ) -> Result<Option<CommitId>, PortError> {
        let doing = || format!("cannot search for the commit of action {action}");
        match self.ask(Ask::Find(action.clone(), since.clone()), doing).await? {
            Answer::Found(id) => Ok(id),
            Answer::Lists(_) | Answer::Committed(_) => Err(Fault::Unanswered.while_doing(doing())),
        }
    }
}
