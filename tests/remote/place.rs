//! A repository on a server of its own, and Orbit's clone of it.

use std::path::PathBuf;
use std::time::Duration;

use orbit_core::port::PortError;
use orbit_gitops::{Access, Remote, RemoteSettings, Secret};
use tempfile::TempDir;

pub(crate) use crate::git_setup::setup;

use crate::servers::{Bare, HttpServer, Proxy, SshServer, TOKEN, USERNAME, Writer};

pub(crate) const DEPLOY_LIST: &str = "environments/development/deploy-list.yaml";
pub(crate) const DELETE_LIST: &str = "environments/development/delete-list.yaml";
/// Longer than anything takes on a busy machine, so that only what hangs is cut off.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// Returns how a token is used.
pub(crate) fn token(token: &str) -> Access {
    Access::Token { username: USERNAME.to_owned(), token: Secret::new(token.to_owned()) }
}

/// An empty repository behind lighttpd, a proxy before that, and a directory for clones.
pub(crate) struct Place {
    pub(crate) proxy: Proxy,
    pub(crate) bare: Bare,
    pub(crate) server: HttpServer,
    directory: TempDir,
}

impl Place {
    /// Returns an empty repository.
    pub(crate) fn empty() -> Self {
        let server = HttpServer::start();
        let bare = Bare::new(&server.root(), "deployments.git");
        let proxy = Proxy::start(server.port());
        Self { proxy, bare, server, directory: tempfile::tempdir().unwrap() }
    }

    /// Returns a repository with the first commit.
    pub(crate) fn new() -> Self {
        let place = Self::empty();
        Remote::set_up(&place.settings(), &setup()).unwrap();
        place
    }

    /// Returns what a clone with the token, through the proxy, is opened with.
    pub(crate) fn settings(&self) -> RemoteSettings {
        self.settings_with("cache")
    }

    /// Returns the same settings with another directory.
    pub(crate) fn settings_with(&self, cache: &str) -> RemoteSettings {
        self.settings_of(self.proxy.port(), cache, token(TOKEN))
    }

    pub(crate) fn settings_of(&self, port: u16, cache: &str, access: Access) -> RemoteSettings {
        RemoteSettings {
            url: format!("http://127.0.0.1:{port}/git/deployments.git").parse().unwrap(),
            access,
            cache: self.cache(cache),
            call_timeout: CALL_TIMEOUT,
            commits_per_push: 20,
        }
    }

    /// Returns the directory of a clone.
    pub(crate) fn cache(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn open(&self) -> Remote {
        Remote::open(&self.settings(), &setup()).unwrap()
    }

    /// Opens a clone of its own, as another process would have.
    pub(crate) fn open_another(&self, cache: &str) -> Remote {
        self.try_open(&self.settings_with(cache)).unwrap()
    }

    #[expect(clippy::unused_self, reason = "the repository must be there when it is opened")]
    pub(crate) fn try_open(&self, settings: &RemoteSettings) -> Result<Remote, PortError> {
        Remote::open(settings, &setup())
    }

    pub(crate) fn writer(&self) -> Writer {
        Writer::new(&self.bare)
    }
}

/// An empty repository behind sshd, and a directory for clones.
pub(crate) struct SshPlace {
    pub(crate) bare: Bare,
    pub(crate) server: SshServer,
    pub(crate) proxy: Proxy,
    directory: TempDir,
}

impl SshPlace {
    pub(crate) fn new() -> Self {
        let server = SshServer::start();
        let bare = Bare::new(&server.root(), "deployments.git");
        let proxy = Proxy::start(server.port());
        let place = Self { bare, server, proxy, directory: tempfile::tempdir().unwrap() };
        Remote::set_up(&place.settings(), &setup()).unwrap();
        place
    }

    /// Returns what a clone with the first key is opened with.
    pub(crate) fn settings(&self) -> RemoteSettings {
        self.settings_of("ed25519", None)
    }

    pub(crate) fn settings_of(&self, key: &str, passphrase: Option<&str>) -> RemoteSettings {
        let port = self.proxy.port();
        RemoteSettings {
            url: format!("ssh://127.0.0.1:{port}{}", self.bare.path().display()).parse().unwrap(),
            access: Access::Key {
                username: SshServer::username(),
                private_key: self.server.key(key),
                passphrase: passphrase.map(|text| Secret::new(text.to_owned())),
                known_hosts: self.server.known_hosts(port, &["host-ed25519"]),
            },
            cache: self.directory.path().join("cache"),
            call_timeout: CALL_TIMEOUT,
            commits_per_push: 20,
        }
    }

    /// Returns the same settings with another file of known hosts.
    pub(crate) fn settings_knowing(&self, hosts: PathBuf) -> RemoteSettings {
        let mut settings = self.settings();
        if let Access::Key { known_hosts, .. } = &mut settings.access {
            *known_hosts = hosts;
        }
        settings
    }

    pub(crate) fn open(&self) -> Remote {
        Remote::open(&self.settings(), &setup()).unwrap()
    }
}
