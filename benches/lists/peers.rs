//! The other editors: what they need is built and installed, and each run is a process of its own.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::Took;

/// How long a peer may take for all its runs of one edit.
const PATIENCE: Duration = Duration::from_secs(60);

/// An editor beside Orbit.
pub(crate) struct Peer {
    name: &'static str,
    program: PathBuf,
    /// What the program is given before the tool's name.
    script: Option<PathBuf>,
}

impl Peer {
    /// Builds the crate `benches/peers` and a Python environment, and returns all peers.
    pub(crate) fn all() -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let (source, target) = (root.join("benches/peers"), root.join("target/peers"));
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--release", "--locked", "--manifest-path"]);
        build.arg(source.join("Cargo.toml")).arg("--target-dir").arg(&target);
        must(&mut build);
        let venv = target.join("venv");
        must(Command::new("python3").args(["-m", "venv"]).arg(&venv));
        let mut pip = Command::new(venv.join("bin/pip"));
        pip.args(["install", "--quiet", "--only-binary", ":all:", "--requirement"]);
        must(pip.arg(source.join("requirements.txt")));

        let rust = target.join("release/orbit-peers");
        let python = venv.join("bin/python");
        let peer = |name, program: &Path, script| Self { name, program: program.into(), script };
        vec![
            peer("yamlpatch", &rust, None),
            peer("yaml-edit", &rust, None),
            peer("ruamel.yaml", &python, Some(source.join("peers.py"))),
            peer("PyYAML", &python, Some(source.join("peers.py"))),
        ]
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Edits a list and writes the result, and returns what it took.
    ///
    /// # Errors
    /// Says why there is no result.
    pub(crate) fn run(&self, list: &Path, changes: &Path, result: &Path) -> Result<String, String> {
        let mut command = Command::new(&self.program);
        command.args(&self.script).arg(self.name).args([list, changes, result]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let start = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if start.elapsed() > PATIENCE {
                child.kill().unwrap();
                child.wait().unwrap();
                return Err(format!("fails: not done after {} s", PATIENCE.as_secs()));
            }
            thread::sleep(Duration::from_millis(20));
        };
        let (mut said, mut complaint) = (String::new(), String::new());
        child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        child.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
        if !status.success() {
            return Err(format!("fails: {}", complaint.lines().last().unwrap_or_default()));
        }
        let mut numbers = said.split_whitespace().map(|number| number.parse::<u64>().unwrap());
        let mut next = || numbers.next().unwrap();
        let (median, shortest) = (Duration::from_nanos(next()), Duration::from_nanos(next()));
        let took = Took { median, shortest, n_runs: next().try_into().unwrap() };
        Ok(format!("{took}, peak {} KiB", next()))
    }
}

fn must(command: &mut Command) {
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
}
