//! An authority that certifies servers, and nobody trusts but those who are told to.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::process::new_dir;
use super::system;

/// An authority with a directory of its own.
pub(crate) struct Authority {
    dir: PathBuf,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let authority = Self { dir: new_dir("authority") };
        let ext = "basicConstraints=critical,CA:TRUE";
        authority
            .openssl(&["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=CA", "-addext", ext]);
        authority
    }

    /// Returns the file of its own certificate.
    pub(crate) fn file(&self) -> PathBuf {
        self.dir.join("ca.pem")
    }

    /// Returns a file with a key and a certificate for a name, such as `DNS:gitlab.example.com`.
    pub(crate) fn certify(&self, name: &str) -> PathBuf {
        let names = format!("subjectAltName={name}");
        let by = ["-CA", "ca.pem", "-CAkey", "ca.key"];
        let new = ["-keyout", "key", "-out", "certificate", "-subj", "/CN=server"];
        let ext = ["-addext", &names, "-addext", "basicConstraints=critical,CA:FALSE"];
        self.openssl(&[new.as_slice(), &by, &ext].concat());
        let both = self.dir.join("both.pem");
        let text =
            ["key", "certificate"].map(|file| fs::read_to_string(self.dir.join(file)).unwrap());
        fs::write(&both, text.concat()).unwrap();
        both
    }

    fn openssl(&self, arguments: &[&str]) {
        let mut openssl = Command::new(system("openssl"));
        openssl.current_dir(&self.dir).args(["req", "-x509", "-days", "2", "-nodes"]);
        openssl.args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
        let output = openssl.args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Returns what lighttpd must be told to have a key and a certificate.
pub(super) fn config(certificate: &Path) -> String {
    let module = Path::new("/usr/lib/lighttpd/mod_openssl.so");
    assert!(module.exists(), "{} is missing; ./test.sh installs it", module.display());
    format!(
        "server.modules += (\"mod_openssl\")\nssl.engine = \"enable\"\nssl.pemfile = \"{}\"\n",
        certificate.display()
    )
}
