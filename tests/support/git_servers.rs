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

use std::path::PathBuf;

pub(crate) use bare::Bare;
pub(crate) use cli::git;
pub(crate) use forward::ForwardProxy;
pub(crate) use http::{HttpServer, TOKEN, USERNAME};
pub(crate) use proxy::{Proxy, Rule};
pub(crate) use ssh::{PASSPHRASE, SshServer};
pub(crate) use tls::Authority;
pub(crate) use writer::{Competitor, Writer};

/// Returns a program of the system, also where only root has it on its path.
fn system(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/bin".into()]);
    let found = folders.map(|folder| folder.join(name)).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{name} is missing; ./test.sh installs it"))
}
