//! How each server is started.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::process::{Spec, free_port, new_dir};
use super::{KEY_ID, SECRET, SECRET_OF_MARIADB};

/// Returns a program that `scripts/tools.sh` installs.
fn tool(name: &str) -> PathBuf {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("target/tools");
    let path = tools.join("servers/bin").join(name);
    assert!(path.exists(), "{name} is missing; scripts/tools.sh installs it, or ./test.sh");
    path
}

/// Returns a program of the system, also where only root has it on its path.
fn system(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/bin".into()]);
    let found = folders.map(|folder| folder.join(name)).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{name} is missing; ./test.sh installs it"))
}

/// It encrypts what it keeps, as S3 does.
pub(crate) fn seaweedfs() -> Spec {
    let keyless = keyless_seaweedfs();
    let command = move || {
        let mut command = (keyless.command)();
        command.env("WEED_S3_SSE_KEY", "a key of its own");
        command
    };
    Spec { command: Box::new(command), ..keyless }
}

/// It has no key, so it takes the setting of encryption and then no object.
pub(crate) fn keyless_seaweedfs() -> Spec {
    let (dir, weed) = (new_dir("seaweedfs"), tool("weed"));
    // It grows seven volumes a bucket by default, and runs out of them at the third.
    fs::write(dir.join("master.toml"), "[master.volume_growth]\ncopy_1 = 1\ncopy_other = 1\n")
        .unwrap();
    let identities = format!(
        r#"{{"identities":[{{"name":"orbit","credentials":[{{"accessKey":"{KEY_ID}","secretKey":"{SECRET}"}}],
            "actions":["Admin","Read","List","Tagging","Write"]}}]}}"#
    );
    fs::write(dir.join("s3.json"), identities).unwrap();
    fs::create_dir(dir.join("data")).unwrap();
    let ports: Vec<_> = (0..8).map(|_| free_port()).collect();
    let names = ["master", "volume", "filer", "s3"];
    let flags = names.iter().zip(ports.chunks(2)).flat_map(|(name, ports)| {
        [format!("-{name}.port={}", ports[0]), format!("-{name}.port.grpc={}", ports[1])]
    });
    let flags: Vec<_> = flags.collect();
    let data = dir.join("data");
    let command = move || {
        let mut command = Command::new(&weed);
        command.args(["server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3"]);
        command.args(["-s3.config=s3.json", "-volume.max=500", "-master.volumeSizeLimitMB=64"]);
        command.args(["-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"]);
        command.arg(flag("-dir=", &data));
        command.args(&flags);
        command
    };
    let (port, command) = (ports[6], Box::new(command));
    Spec { name: "SeaweedFS", dir, port, command, ready: Some("/status"), ends_when_asked: false }
}

pub(crate) fn ministack() -> Spec {
    let (dir, port, program) = (new_dir("ministack"), free_port(), tool("ministack"));
    let state = dir.join("state");
    fs::create_dir(&state).unwrap();
    let command = move || {
        let mut command = Command::new(&program);
        // Without BIND_HOST it listens on every address of the machine.
        command.env("BIND_HOST", "127.0.0.1").env("GATEWAY_PORT", port.to_string());
        command.env("PERSIST_STATE", "1").env("STATE_DIR", &state);
        command
    };
    Spec {
        name: "ministack",
        dir,
        port,
        command: Box::new(command),
        ready: Some("/_ministack/health"),
        ends_when_asked: true,
    }
}

pub(crate) fn moto() -> Spec {
    let (dir, port, program) = (new_dir("moto"), free_port(), tool("moto_server"));
    let command = move || {
        let mut command = Command::new(&program);
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        command
    };
    Spec {
        name: "moto",
        dir,
        port,
        command: Box::new(command),
        ready: Some("/moto-api/"),
        ends_when_asked: false,
    }
}

pub(crate) fn microburst(upstream: &str, rules: &str) -> Spec {
    let (dir, port, control) = (new_dir("microburst"), free_port(), free_port());
    fs::write(dir.join("rules.yaml"), rules).unwrap();
    let (program, upstream) = (tool("microburst"), upstream.to_owned());
    let command = move || {
        let mut command = Command::new(&program);
        command.args(["-u", &upstream, "--host", "127.0.0.1", "--port", &port.to_string()]);
        command.args(["--control-port", &control.to_string(), "--config", "rules.yaml"]);
        command
    };
    Spec {
        name: "microburst",
        dir,
        port,
        command: Box::new(command),
        ready: None,
        ends_when_asked: false,
    }
}

/// Its root takes any client of this machine, without a password; user `orbit` has one, and may do
/// everything too.
pub(crate) fn mariadb() -> Spec {
    let (dir, port) = (new_dir("mariadb"), free_port());
    let data = dir.join("data");
    let is_root = fs::metadata("/proc/self").is_ok_and(|own| {
        use std::os::unix::fs::MetadataExt as _;
        own.uid() == 0
    });
    let as_user: &[&str] = if is_root { &["--user=root"] } else { &[] };
    let mut install = Command::new(system("mariadb-install-db"));
    install.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]);
    install.arg(flag("--datadir=", &data)).args(as_user);
    let output = install.output().unwrap();
    assert!(output.status.success(), "mariadb-install-db: {output:?}");
    let password = SECRET_OF_MARIADB.replace('\'', "''");
    let users = format!(
        "CREATE USER IF NOT EXISTS 'orbit'@'%' IDENTIFIED BY '{password}';\n\
         GRANT ALL ON *.* TO 'orbit'@'%';\n"
    );
    fs::write(dir.join("users.sql"), users).unwrap();
    let program = system("mariadbd");
    let home = dir.clone();
    let command = move || {
        let mut command = Command::new(&program);
        command.args(["--no-defaults", "--skip-log-bin", "--bind-address=127.0.0.1"]);
        command.args(["--innodb-buffer-pool-size=64M", &format!("--port={port}")]);
        command.arg(flag("--datadir=", &data)).args(as_user);
        command.arg(flag("--socket=", &home.join("sock")));
        command.arg(flag("--pid-file=", &home.join("pid")));
        command.arg(flag("--init-file=", &home.join("users.sql")));
        command
    };
    Spec {
        name: "MariaDB",
        dir,
        port,
        command: Box::new(command),
        ready: None,
        ends_when_asked: false,
    }
}

fn flag(name: &str, value: &Path) -> std::ffi::OsString {
    let mut flag = std::ffi::OsString::from(name);
    flag.push(OsStr::new(value));
    flag
}
