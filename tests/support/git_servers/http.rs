//! `git http-backend` behind lighttpd, with basic authentication.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::cli::ENVIRONMENT;
use super::process::{Server, free_port, new_dir};
use super::{start, tls};

/// The user name of GitLab's tokens.
pub(crate) const USERNAME: &str = "oauth2";
/// The one token that is let in.
pub(crate) const TOKEN: &str = "glpat-dont-tell-anybody";

/// A server of the repositories in its root, with the token below `/git/`, and for everybody below `/open/`.
pub(crate) struct HttpServer {
    server: Server,
    dir: PathBuf,
}

impl HttpServer {
    pub(crate) fn start() -> Self {
        Self::start_with(None)
    }

    /// Starts a server that talks HTTPS if it has a certificate.
    pub(crate) fn start_with(certificate: Option<&Path>) -> Self {
        let (dir, port) = (new_dir("lighttpd"), free_port());
        fs::create_dir(dir.join("root")).unwrap();
        fs::write(dir.join("users"), format!("{USERNAME}:{TOKEN}\n")).unwrap();
        let tls = certificate.map(tls::config).unwrap_or_default();
        fs::write(dir.join("lighttpd.conf"), config(&dir, port) + &tls).unwrap();
        // It writes its access log when it is asked to end.
        let server = start("lighttpd", &dir, port, &["-D", "-f", "lighttpd.conf"]);
        Self { server, dir }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.dir.join("root")
    }

    pub(crate) fn port(&self) -> u16 {
        self.server.port()
    }

    /// Makes another token the only one that is let in, from now on.
    pub(crate) fn let_in(&self, token: &str) {
        fs::write(self.dir.join("users"), format!("{USERNAME}:{token}\n")).unwrap();
    }

    pub(crate) fn stop(&self) {
        self.server.stop();
    }

    pub(crate) fn start_again(&self) {
        self.server.start_again();
    }

    /// Ends the server, and returns a line for every request: its status, method and path.
    pub(crate) fn stop_and_read_log(&self) -> Vec<String> {
        self.stop();
        let log = fs::read_to_string(self.dir.join("access.log")).unwrap();
        log.lines().map(str::to_owned).collect()
    }
}

fn config(dir: &Path, port: u16) -> String {
    let backend =
        [git_exec_path().join("git-http-backend"), "/usr/lib/git-core/git-http-backend".into()];
    let backend = backend.into_iter().find(|path| path.exists());
    let backend =
        backend.expect("git-http-backend is missing; ./test.sh installs git").display().to_string();
    let path = std::env::var_os("PATH").unwrap().into_string().unwrap();
    let variables = ENVIRONMENT.map(|(key, value)| format!("\"{key}\" => \"{value}\"")).join(", ");
    let dir = dir.display();
    format!(
        r#"server.document-root = "{dir}/root"
server.bind = "127.0.0.1"
server.port = {port}
server.modules = ("mod_alias", "mod_auth", "mod_authn_file", "mod_cgi", "mod_setenv", "mod_accesslog")
server.errorlog = "{dir}/log"
server.upload-dirs = ("{dir}")
accesslog.filename = "{dir}/access.log"
accesslog.format = "%s %m %U%q"
alias.url = ("/git" => "{backend}", "/open" => "{backend}")
cgi.assign = ("" => "")
setenv.set-environment = ("GIT_PROJECT_ROOT" => "{dir}/root", "GIT_HTTP_EXPORT_ALL" => "1", "PATH" => "{path}", {variables})
$HTTP["url"] =~ "^/git/" {{
  auth.backend = "plain"
  auth.backend.plain.userfile = "{dir}/users"
  auth.require = ("" => ("method" => "basic", "realm" => "GitLab", "require" => "valid-user"))
}}
"#
    )
}

fn git_exec_path() -> PathBuf {
    let output = Command::new("git").arg("--exec-path").output().unwrap();
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}
