//! The git program.

use std::path::Path;
use std::process::Command;

/// What git is told instead of this machine's configuration.
pub(super) const ENVIRONMENT: [(&str, &str); 3] = [
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_TERMINAL_PROMPT", "0"),
];

/// Returns git as Jane uses it, without this machine's configuration.
pub(crate) fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.current_dir(directory).envs(ENVIRONMENT);
    command.args(["-c", "user.name=Jane", "-c", "user.email=jane@example.com"]);
    command.args(["-c", "protocol.file.allow=always", "-c", "gc.auto=0"]);
    command.args(arguments);
    command
}

/// Runs git, which must succeed, and returns what it printed.
#[track_caller]
pub(crate) fn git(directory: &Path, arguments: &[&str]) -> String {
    let output = command(directory, arguments).output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {complaint}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs git and tells whether it succeeded.
pub(crate) fn succeeds(directory: &Path, arguments: &[&str]) -> bool {
    command(directory, arguments).output().unwrap().status.success()
}
