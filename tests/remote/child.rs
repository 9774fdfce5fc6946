//! Another process with a clone: this test program, which a test starts again with a task.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use orbit_core::intent::CommitId;
use orbit_core::port::{GitOps as _, Kind};
use orbit_gitops::{Remote, RemoteSettings};
use tokio::task::JoinSet;

use crate::place::{setup, token};
use crate::sample::{commit, deploy};
use crate::servers::TOKEN;

/// The variable that holds the task of a child.
const TASK: &str = "ORBIT_TEST_TASK";
/// How often a request is repeated that the server could not take.
const TRIES: u32 = 20;

/// Deployments to be made at once, each by the action of its number.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) port: u16,
    pub(crate) cache: PathBuf,
    pub(crate) since: String,
    pub(crate) first: u32,
    pub(crate) n_actions: u32,
}

impl Task {
    /// Starts a process that does it; `test` is the test that calls [`Task::run_if_child`] first.
    pub(crate) fn start(&self, test: &str) -> Process {
        let Self { port, cache, since, first, n_actions } = self;
        let task = format!("{port} {first} {n_actions} {since} {}", cache.display());
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(env::current_exe().unwrap());
        command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(TASK, task);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        Process(command.spawn().unwrap())
    }

    /// Does the task of this process, if it has one.
    pub(crate) fn run_if_child() -> bool {
        let Some(task) = env::var_os(TASK) else { return false };
        let task = task.into_string().unwrap();
        let words: Vec<_> = task.splitn(5, ' ').collect();
        let task = Self {
            port: words[0].parse().unwrap(),
            first: words[1].parse().unwrap(),
            n_actions: words[2].parse().unwrap(),
            since: words[3].to_owned(),
            cache: words[4].into(),
        };
        tokio::runtime::Runtime::new().unwrap().block_on(task.run());
        true
    }

    async fn run(self) {
        let settings = RemoteSettings {
            url: format!("http://127.0.0.1:{}/git/deployments.git", self.port).parse().unwrap(),
            access: token(TOKEN),
            cache: self.cache,
            call_timeout: std::time::Duration::from_secs(60),
            commits_per_push: 20,
        };
        let repository = Arc::new(Remote::open(&settings, &setup()).unwrap());
        let since = CommitId(self.since);
        let mut tasks = JoinSet::new();
        for n in self.first..self.first + self.n_actions {
            let repository = Arc::clone(&repository);
            let mine = commit(n, &since, deploy(n, n, None));
            tasks.spawn(async move { insist(&repository, &mine).await });
        }
        tasks.join_all().await;
    }
}

/// Repeats a request until the server has taken it, as an action does.
pub(crate) async fn insist(repository: &Remote, mine: &orbit_core::intent::Commit) -> CommitId {
    for _ in 0..TRIES {
        match repository.commit(mine).await {
            Ok(id) => return id,
            Err(error) => assert_eq!(error.kind(), Kind::Unavailable, "{error:?}"),
        }
    }
    panic!("{} is still not there", mine.action)
}

/// A process with a task.
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn expect_success(self) {
        let output = self.0.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
    }

    /// Kills it, as the machine may.
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Tells whether it has not ended yet.
    pub(crate) fn runs(&self) -> bool {
        let status = fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap();
        status.rsplit(')').next().is_some_and(|rest| !rest.starts_with(" Z"))
    }
}
