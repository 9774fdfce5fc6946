//! Real git servers, each on a free port of this machine and gone with the test: `git http-backend`
//! behind lighttpd, `sshd`, a proxy that breaks or delays what goes to them, and git itself as the
//! other writer.

#[path = "git_servers/bare.rs"]
mod bare;
#[path = "git_servers/cli.rs"]
mod cli;
#[path = "git_servers/forward.rs"]
mod forward;
#[path = "git_servers/http.rs"]
mod http;
#[expect(dead_code, reason = "the stores use more of it")]
#[path = "servers/process.rs"]
mod process;
#[path = "git_servers/proxy.rs"]
mod proxy;
#[path = "git_servers/ssh.rs"]
mod ssh;
#[path = "git_servers/tls.rs"]
mod tls;
#[path = "git_servers/writer.rs"]
mod writer;

use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) use bare::Bare;
pub(crate) use cli::git;
pub(crate) use forward::ForwardProxy;
pub(crate) use http::{HttpServer, TOKEN, USERNAME};
use process::{Server, Spec};
pub(crate) use proxy::{Proxy, Rule};
pub(crate) use ssh::{PASSPHRASE, SshServer};
pub(crate) use tls::Authority;
pub(crate) use writer::{Competitor, Writer};

/// Starts a program of the system as a server that has its configuration in a directory.
fn start(name: &'static str, dir: &Path, port: u16, arguments: &[&str]) -> Server {
    let program = system(name);
    let arguments: Vec<_> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    let command = move || {
        let mut command = Command::new(&program);
        command.args(&arguments);
        command
    };
    let (dir, command) = (dir.to_owned(), Box::new(command));
    Server::start(Spec { name, dir, port, command, ready: None, ends_when_asked: true })
}

/// Returns a program of the system, also where only root has it on its path.
fn system(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/bin".into()]);
    let found = folders.map(|folder| folder.join(name)).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{name} is missing; ./test.sh installs it"))
}
