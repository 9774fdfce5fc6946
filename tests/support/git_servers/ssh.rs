//! An SSH server of this user's own.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use super::cli::ENVIRONMENT;
use super::process::{Server, free_port, new_dir};
use super::{start, system};

/// What opens the key that needs it.
pub(crate) const PASSPHRASE: &str = "open, sesame";

/// A server that takes three keys, and has host keys of three kinds as most servers do.
pub(crate) struct SshServer {
    server: Server,
    dir: PathBuf,
}

impl SshServer {
    pub(crate) fn start() -> Self {
        let (dir, port) = (new_dir("sshd"), free_port());
        put_keys(&dir);
        fs::create_dir(dir.join("root")).unwrap();
        fs::write(dir.join("sshd_config"), config(&dir, port)).unwrap();
        if fs::metadata("/proc/self").unwrap().uid() == 0 {
            // A package manager's script makes it when the service starts, and none is started here.
            fs::create_dir_all("/run/sshd").unwrap();
        }
        let file = dir.join("sshd_config");
        let server = start("sshd", &dir, port, &["-D", "-e", "-f", file.to_str().unwrap()]);
        Self { server, dir }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.dir.join("root")
    }

    pub(crate) fn port(&self) -> u16 {
        self.server.port()
    }

    /// Returns the user that logs in.
    pub(crate) fn username() -> String {
        let output = Command::new("id").arg("-un").output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Returns a private key: `ed25519`, `rsa` or `guarded`, which the server takes, or `stranger`.
    pub(crate) fn key(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Writes a file of known hosts: the server at a port, by its host keys of some kinds.
    pub(crate) fn known_hosts(&self, port: u16, host_keys: &[&str]) -> PathBuf {
        let mut text = String::new();
        for name in host_keys {
            let key = fs::read_to_string(self.dir.join(format!("{name}.pub"))).unwrap();
            write!(text, "[127.0.0.1]:{port} {key}").unwrap();
        }
        let path = self.dir.join(format!("known-{port}-{}", host_keys.join("-")));
        fs::write(&path, text).unwrap();
        path
    }

    /// Hashes the names in a file of known hosts, as many systems do.
    pub(crate) fn hash(&self, known_hosts: &Path) {
        let mut command = Command::new(system("ssh-keygen"));
        command.current_dir(&self.dir).args(["-q", "-H", "-f"]).arg(known_hosts);
        assert!(command.output().unwrap().status.success());
    }
}

/// Puts keys into a server's directory. All servers of this program have the same, because to make
/// some kinds takes long.
fn put_keys(dir: &Path) {
    static KEYS: LazyLock<PathBuf> = LazyLock::new(|| {
        let dir = new_dir("keys");
        make_keys(&dir);
        dir
    });
    for entry in fs::read_dir(&*KEYS).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, dir.join(path.file_name().unwrap())).unwrap();
    }
}

fn make_keys(dir: &Path) {
    for (name, kind, passphrase) in [
        ("host-ed25519", "ed25519", ""),
        ("host-ecdsa", "ecdsa", ""),
        ("host-rsa", "rsa", ""),
        ("host-other", "ed25519", ""),
        ("ed25519", "ed25519", ""),
        ("rsa", "rsa", ""),
        ("guarded", "ed25519", PASSPHRASE),
        ("stranger", "ed25519", ""),
    ] {
        let mut command = Command::new(system("ssh-keygen"));
        command.args(["-q", "-t", kind, "-N", passphrase, "-C", name, "-f"]).arg(dir.join(name));
        assert!(command.status().unwrap().success(), "ssh-keygen cannot make {name}");
    }
    let mut authorized = String::new();
    for name in ["ed25519", "rsa", "guarded"] {
        authorized += &fs::read_to_string(dir.join(format!("{name}.pub"))).unwrap();
    }
    fs::write(dir.join("authorized_keys"), authorized).unwrap();
}

fn config(dir: &Path, port: u16) -> String {
    let path = std::env::var_os("PATH").unwrap().into_string().unwrap();
    let mut text = format!(
        "Port {port}\nListenAddress 127.0.0.1\nPidFile none\nStrictModes no\nUsePAM no\n\
         PasswordAuthentication no\nKbdInteractiveAuthentication no\nMaxStartups 100\n\
         SetEnv \"PATH={path}\""
    );
    for (key, value) in ENVIRONMENT {
        write!(text, " {key}={value}").unwrap();
    }
    let dir = dir.display();
    for kind in ["ed25519", "ecdsa", "rsa"] {
        write!(text, "\nHostKey {dir}/host-{kind}").unwrap();
    }
    write!(text, "\nAuthorizedKeysFile {dir}/authorized_keys\n").unwrap();
    text
}
