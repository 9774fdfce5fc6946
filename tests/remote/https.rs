//! HTTPS: a server whose certificate this system does not trust is not talked to.
//!
//! Whom the system trusts is in the environment of a process, so each of these runs in one of its own.

use std::env;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use orbit_core::port::GitOps as _;
use orbit_gitops::{Remote, RemoteSettings};

use crate::place::{setup, token};
use crate::sample::{commit, deploy, development};
use crate::servers::{Authority, Bare, ForwardProxy, HttpServer, TOKEN};

/// The variable that holds the port of the server for a process of its own.
const PORT: &str = "ORBIT_TEST_HTTPS_PORT";
/// What such a process writes before the error that it ends with.
const ERROR: &str = "refused: ";

/// A server with a certificate, and a repository on it.
struct Place {
    server: HttpServer,
    bare: Bare,
}

impl Place {
    fn new(certificate: &Path) -> Self {
        let server = HttpServer::start_with(Some(certificate));
        let bare = Bare::new(&server.root(), "deployments.git");
        Self { server, bare }
    }

    /// Deploys in a process that trusts an authority, and returns the error that it ends with, if any.
    fn deploy_trusting(&self, authority: &Authority, test: &str) -> Option<String> {
        self.deploy_with(authority, test, &[])
    }

    /// Deploys as [`deploy_trusting`](Self::deploy_trusting) does, with more in the environment.
    fn deploy_with(
        &self,
        authority: &Authority,
        test: &str,
        more: &[(&str, &str)],
    ) -> Option<String> {
        let mut alone = Command::new(env::current_exe().unwrap());
        alone.args(["--exact", &format!("https::{test}"), "--nocapture", "--test-threads=1"]);
        alone.env(PORT, self.server.port().to_string()).env_remove("SSL_CERT_DIR");
        for name in ["https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"] {
            alone.env_remove(name);
        }
        alone.envs(more.iter().copied());
        let output = alone.env("SSL_CERT_FILE", authority.file()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
        said.lines().find_map(|line| line.strip_prefix(ERROR)).map(str::to_owned)
    }
}

/// Deploys, in the process of its own, and tells whether this is one.
fn deploys_alone() -> bool {
    let Some(port) = env::var_os(PORT) else { return false };
    let (port, directory) = (port.into_string().unwrap(), tempfile::tempdir().unwrap());
    let settings = RemoteSettings {
        url: format!("https://localhost:{port}/git/deployments.git").parse().unwrap(),
        access: token(TOKEN),
        cache: directory.path().join("cache"),
        call_timeout: Duration::from_secs(60),
        commits_per_push: 20,
    };
    match Remote::set_up(&settings, &setup()) {
        Ok(_) => {
            let deploy = async {
                let repository = Remote::open(&settings, &setup()).unwrap();
                let since = repository.read(&development()).await.unwrap().commit;
                repository.commit(&commit(1, &since, deploy(1, 1, None))).await.unwrap();
            };
            tokio::runtime::Runtime::new().unwrap().block_on(deploy);
        }
        Err(error) => {
            let (kind, name) = (error.kind(), error.error_type().unwrap_or_default());
            let said = format!("\n{ERROR}{kind:?} {name} {}\n", error.chain());
            io::stdout().write_all(said.as_bytes()).unwrap();
        }
    }
    true
}

fn check_refused(place: &Place, authority: &Authority, test: &str) {
    let error = place.deploy_trusting(authority, test).unwrap();
    let address = format!("https://localhost:{}/git/deployments.git", place.server.port());
    for words in ["Rejected", "repository-certificate", &address, "does not trust"] {
        assert!(error.contains(words), "{error} does not say {words}");
    }
    assert!(!error.contains(TOKEN), "{error}");
    assert_eq!(place.bare.git(&["for-each-ref"]), "");
    assert_eq!(place.server.stop_and_read_log(), [""; 0], "something was asked");
}

#[test]
fn a_certificate_that_the_system_trusts_is_enough() {
    if deploys_alone() {
        return;
    }
    let authority = Authority::new();
    let place = Place::new(&authority.certify("DNS:localhost"));
    let test = "a_certificate_that_the_system_trusts_is_enough";
    assert_eq!(place.deploy_trusting(&authority, test), None);
    assert_eq!(place.bare.actions().len(), 1);
}

#[test]
fn a_certificate_of_an_authority_that_nobody_knows_is_refused() {
    if deploys_alone() {
        return;
    }
    let (authority, other) = (Authority::new(), Authority::new());
    let place = Place::new(&other.certify("DNS:localhost"));
    let test = "a_certificate_of_an_authority_that_nobody_knows_is_refused";
    check_refused(&place, &authority, test);
}

#[test]
fn a_certificate_of_another_host_is_refused() {
    if deploys_alone() {
        return;
    }
    let authority = Authority::new();
    let place = Place::new(&authority.certify("DNS:gitlab.example.com"));
    check_refused(&place, &authority, "a_certificate_of_another_host_is_refused");
}

#[test]
fn a_proxy_of_the_environment_is_used_and_learns_nothing() {
    if deploys_alone() {
        return;
    }
    let (authority, proxy) = (Authority::new(), ForwardProxy::start());
    let certificate = authority.certify("DNS:localhost");
    let (test, by) = ("a_proxy_of_the_environment_is_used_and_learns_nothing", proxy.address());
    let direct = [("https_proxy", by.as_str()), ("no_proxy", "example.com,localhost")];
    let place = Place::new(&certificate);
    assert_eq!(place.deploy_with(&authority, test, &direct), None);
    assert_eq!(proxy.heads(), [""; 0]);
    let place = Place::new(&certificate);
    assert_eq!(place.deploy_with(&authority, test, &[("https_proxy", &by)]), None);
    assert_eq!(place.bare.actions().len(), 1);
    let (heads, port) = (proxy.heads(), place.server.port());
    assert!(!heads.is_empty(), "nothing went by the proxy");
    for head in heads {
        assert!(head.starts_with(&format!("CONNECT localhost:{port} HTTP/1.1\r\n")), "{head}");
        assert!(!head.to_ascii_lowercase().contains("\r\nauthorization:"), "{head}");
    }
}

#[test]
fn a_proxy_that_is_no_url_is_refused_without_repeating_it() {
    if deploys_alone() {
        return;
    }
    let authority = Authority::new();
    let place = Place::new(&authority.certify("DNS:localhost"));
    let test = "a_proxy_that_is_no_url_is_refused_without_repeating_it";
    let broken = [("https_proxy", "http://ada:s3cr3t@")];
    let error = place.deploy_with(&authority, test, &broken).unwrap();
    assert!(error.contains("the environment names a proxy that is no URL"), "{error}");
    assert!(!error.contains("s3cr3t"), "{error}");
}
