//! The repository that is worked on, the server that has it, and what is deployed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use orbit_core::intent::{Commit, CommitId, Intent, app_path, deploy_list_path};
use orbit_core::list::{self, Change, Entry};
use orbit_core::port::GitOps as _;
use orbit_core::testing::samples::{action_id, image};
use orbit_core::{Environment, Timestamp};
use orbit_gitops::{Access, Remote, RemoteSettings, Secret};
use tempfile::TempDir;

pub(crate) use crate::git_setup::setup;

use crate::servers::{Bare, HttpServer, Proxy, TOKEN, USERNAME};

const N_APPS: u32 = 5_000;
const NAMES: [&str; 3] = ["kustomization.yaml", "base/deployment.yaml", "base/service.yaml"];

/// A server with the repository, and a proxy before it.
pub(crate) struct Site {
    pub(crate) proxy: Proxy,
    pub(crate) bare: Bare,
    server: HttpServer,
    directory: TempDir,
    since: CommitId,
    n_deployed: AtomicU32,
}

/// Returns what the repository behind a port is opened with.
pub(crate) fn settings(port: u16, cache: PathBuf) -> RemoteSettings {
    RemoteSettings {
        url: format!("http://127.0.0.1:{port}/git/deployments.git").parse().unwrap(),
        access: Access::Token { username: USERNAME.to_owned(), token: Secret::new(TOKEN) },
        cache,
        call_timeout: Duration::from_secs(60),
        commits_per_push: 20,
    }
}

fn entry(environment: &Environment, n: u32, by: u32) -> Entry {
    let image = image(n, 1);
    Entry {
        name: image.app.clone(),
        image_uid: image.id.uid.clone(),
        image_version: image.id.version,
        image_name: format!("Film portal ({n})"),
        environment: environment.clone(),
        image: format!("docker.io/k8or-orbit-aws/{}", image.app),
        digest: image.digest,
        namespace: environment.to_string(),
        deployment_id: action_id(by).to_string(),
    }
}

/// Returns files of the size that Orbit's have.
fn files(n: u32, by: u32) -> BTreeMap<String, String> {
    let file = |path: &str| {
        let mut text = format!("# {path} of {n} by {by}\n");
        while text.len() < 600 {
            writeln!(text, "key{}: \"value {n}\"", text.len()).unwrap();
        }
        text
    };
    NAMES.map(|path| (path.to_owned(), file(path))).into()
}

fn development() -> Environment {
    "development".parse().unwrap()
}

/// Returns the deployment of application `n` by action `by` in the first environment.
pub(crate) fn deployment(n: u32, by: u32, since: &CommitId, replaces: Option<String>) -> Commit {
    let entry = entry(&development(), n, by);
    Commit {
        action: action_id(by),
        environment: development(),
        subject: format!("deploy(development): {} v0-0-01", entry.name),
        trailers: vec![("Orbit-Action".to_owned(), action_id(by).to_string())],
        date: Timestamp::from_millis(1_737_800_000_000),
        since: since.clone(),
        intent: Intent::Deploy { entry: Box::new(entry), files: files(n, by), replaces },
    }
}

/// Writes commits to the branch of a bare repository.
pub(crate) fn import(bare: &Bare, write: impl FnOnce(&mut dyn std::io::Write)) {
    let mut import = Command::new("git");
    import.current_dir(bare.path()).args(["-c", "core.compression=1", "fast-import", "--quiet"]);
    let mut import = import.stdin(Stdio::piped()).spawn().unwrap();
    let mut stream = BufWriter::new(import.stdin.take().unwrap());
    write(&mut stream);
    stream.flush().unwrap();
    drop(stream);
    assert!(import.wait().unwrap().success());
}

fn put(stream: &mut dyn std::io::Write, path: &str, text: &str) {
    write!(stream, "M 644 inline {path}\ndata {}\n{text}\n", text.len()).unwrap();
}

impl Site {
    /// Returns a server with 5,000 applications, in three environments.
    pub(crate) fn new() -> Self {
        let server = HttpServer::start();
        let bare = Bare::new(&server.root(), "deployments.git");
        let proxy = Proxy::start(server.port());
        let directory = tempfile::tempdir().unwrap();
        Remote::set_up(&settings(server.port(), directory.path().join("set-up")), &setup())
            .unwrap();
        let environments: Vec<_> =
            setup().environments.iter().map(|spec| spec.name.clone()).collect();
        import(&bare, |stream| {
            write!(
                stream,
                "commit refs/heads/main\ncommitter Jane <j@example.com> 1737799300 +0000\n"
            )
            .unwrap();
            write!(stream, "data 4\nmany\nfrom refs/heads/main^0\n").unwrap();
            let mut lists = vec![Vec::new(); environments.len()];
            for n in 0..N_APPS {
                let index = usize::try_from(n).unwrap() % environments.len();
                let environment = &environments[index];
                let entry = entry(environment, n, 0);
                for (path, text) in files(n, 0) {
                    put(stream, &format!("{}/{path}", app_path(environment, &entry.name)), &text);
                }
                lists[index].push(entry);
            }
            for (environment, mut entries) in environments.iter().zip(lists) {
                entries.sort_by(|one, other| one.name.cmp(&other.name));
                let changes: Vec<_> = entries.iter().map(Change::put).collect();
                let text = list::apply("# Comments are kept.\n[]\n", &changes).unwrap();
                put(stream, &deploy_list_path(environment), &text);
            }
        });
        bare.git(&["repack", "-adq"]);
        let since = CommitId(bare.head());
        Self { proxy, bare, server, directory, since, n_deployed: AtomicU32::new(1) }
    }

    pub(crate) fn describe(&self) -> String {
        let n_files = self.bare.files("environments").len();
        let list = self.bare.show("environments/development/deploy-list.yaml");
        let n_entries = list.lines().filter(|line| line.starts_with("- ")).count();
        let n_bytes = list.len();
        format!("{n_files} files; a deploy list has {n_entries} entries, {n_bytes} bytes")
    }

    /// Opens the repository through the proxy.
    pub(crate) fn open(&self) -> Remote {
        Remote::open(&settings(self.proxy.port(), self.cache()), &setup()).unwrap()
    }

    /// Returns the directory of Orbit's clone.
    pub(crate) fn cache(&self) -> PathBuf {
        self.directory.path().join("cache")
    }

    /// Returns the directory that the server serves.
    pub(crate) fn root(&self) -> PathBuf {
        self.server.root()
    }

    /// Returns a new directory that stays until the end: ext4 makes files slowly for minutes after many
    /// were deleted, which would count for whoever comes next.
    pub(crate) fn keep(&self) -> PathBuf {
        tempfile::tempdir_in(&self.directory).unwrap().keep()
    }

    /// Returns the address for git's own commands.
    pub(crate) fn url_with_token(&self) -> String {
        let port = self.proxy.port();
        format!("http://{USERNAME}:{TOKEN}@127.0.0.1:{port}/git/deployments.git")
    }

    /// Returns the next deployment: another application each time, of those that are deployed.
    pub(crate) fn next(&self) -> Commit {
        let by = self.n_deployed.fetch_add(1, Ordering::SeqCst);
        // Each third application is in the first environment.
        let n = by * 3 % (N_APPS / 3 * 3);
        let text = self.bare.show(&deploy_list_path(&development()));
        let list = list::DeployList::read(&text).unwrap();
        let there = list.find(&image(n, 1).app).unwrap();
        deployment(n, by, &self.since, Some(there.deployment_id.clone()))
    }

    /// Deploys once, so that what is done once is done.
    pub(crate) async fn deploy(&self, repository: &Remote) {
        repository.commit(&self.next()).await.unwrap();
    }

    /// Checks that the branch has what was deployed, and that git finds nothing wrong with it.
    pub(crate) fn check(&self) {
        let n_commits = usize::try_from(self.n_deployed.load(Ordering::SeqCst)).unwrap() - 1 + 2;
        assert_eq!(self.bare.n_commits(), n_commits, "a deployment has two commits, or none");
        self.bare.fsck();
    }
}

/// Writes a file and the directories above it.
pub(crate) fn write_file(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
}
