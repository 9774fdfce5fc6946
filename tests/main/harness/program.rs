//! The real program as a process.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;

use tempfile::TempDir;

use super::client::Client;

/// How much of the log a failure shows.
const MOST_LINES_SHOWN: usize = 60;

/// Returns the program with these arguments, without the variables that could configure it.
pub(crate) fn orbit(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_orbit"));
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("ORBIT_")) {
            command.env_remove(name);
        }
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

/// The program while it serves. It is killed when the value is dropped, and what it logged is shown
/// if the test fails.
pub(crate) struct Program {
    child: Child,
    address: String,
    log: PathBuf,
}

impl Program {
    /// Starts the program on a data directory and waits until it says where it listens.
    pub(crate) fn start(home: &Path, variables: &[(&str, &str)]) -> Self {
        Self::start_as(orbit(&["serve"]), home, variables)
    }

    /// Starts the program by a command that becomes it.
    fn start_as(mut command: Command, home: &Path, variables: &[(&str, &str)]) -> Self {
        let log = home.join("orbit.log");
        let stderr = File::options().create(true).append(true).open(&log).unwrap();
        let mut child = command
            .current_dir(home)
            .env("ORBIT_LISTEN", "127.0.0.1:0")
            .env("ORBIT_DATA_DIR", home.join("data"))
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.strip_prefix("Orbit listens on http://").and_then(|rest| {
            let (address, _) = rest.split_once(',')?;
            Some(address.to_owned())
        });
        let mut program = Self { child, address: String::new(), log };
        program.address = address.unwrap_or_else(|| panic!("the program says {line:?}"));
        program
    }

    /// Returns `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Returns all that was logged on this data directory.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Ends the process at once, as a crash does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks the process to end, and returns without waiting for it.
    pub(crate) fn terminate(&self) {
        let pid = self.child.id().to_string();
        let sent = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits until the process has ended by itself.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Sets how many bytes a file may have that the process writes, or `unlimited`.
    pub(crate) fn limit_files(&self, bytes: &str) {
        let pid = self.child.id().to_string();
        let set =
            Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={bytes}:")]).status();
        assert!(set.unwrap().success());
    }

    /// Returns the most memory that the process ever had, in KiB.
    pub(crate) fn peak_memory_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().strip_suffix(" kB").unwrap().parse().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
        if thread::panicking() {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            let lines: Vec<_> = log.lines().rev().take(MOST_LINES_SHOWN).collect();
            let end: String = lines.iter().rev().map(|line| format!("{line}\n")).collect();
            drop(writeln!(io::stderr(), "--- the end of the program's log ---\n{end}---"));
        }
    }
}

/// The program on a temporary data directory, and a client of it.
pub(crate) struct Server {
    program: Program,
    client: Client,
    home: TempDir,
    variables: Vec<(String, String)>,
}

impl Server {
    /// Starts the program on a new data directory.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts the program on a new data directory with these variables.
    pub(crate) fn start_with(variables: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let program = Program::start(home.path(), variables);
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let variables = variables.iter().map(owned).collect();
        Self { client: Client::new(program.address()), program, home, variables }
    }

    /// Starts the program on a new data directory so that a write beyond a limit on files is refused,
    /// as on a full disk, and does not end the process.
    pub(crate) fn start_on_limited_disk() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' XFSZ; exec \"$0\" serve", env!("CARGO_BIN_EXE_orbit")]);
        let program = Program::start_as(command, home.path(), &[]);
        Self { client: Client::new(program.address()), program, home, variables: Vec::new() }
    }

    /// Starts the program again with the same variables, after it was killed or has ended.
    pub(crate) fn start_again(&mut self) {
        let variables = self.variables.iter();
        let variables: Vec<_> =
            variables.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.program = Program::start(self.home.path(), &variables);
        self.client = Client::new(self.program.address());
    }

    pub(crate) fn program(&mut self) -> &mut Program {
        &mut self.program
    }

    pub(crate) fn log(&self) -> String {
        self.program.log()
    }

    pub(crate) fn address(&self) -> &str {
        self.program.address()
    }

    /// Returns a directory that goes with the server.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Returns the data directory.
    pub(crate) fn data(&self) -> PathBuf {
        let named = self.variables.iter().find(|(name, _)| name == "ORBIT_DATA_DIR");
        named.map_or_else(|| self.home.path().join("data"), |(_, path)| path.into())
    }
}

impl Deref for Server {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}
