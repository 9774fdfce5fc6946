//! The tools that Orbit's files are looked at with.

use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

/// Runs git in a directory without this machine's configuration, and returns what it printed.
pub(crate) fn git(directory: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.current_dir(directory);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    run(command.args(arguments))
}

/// Runs skopeo, and returns what it printed.
pub(crate) fn skopeo(arguments: &[&str]) -> String {
    run(Command::new("skopeo").args(arguments))
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| {
        let tool = command.get_program().display();
        assert_ne!(error.kind(), ErrorKind::NotFound, "{tool} is missing; ./test.sh installs it");
        panic!("{tool} cannot be run: {error}")
    });
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {complaint}");
    String::from_utf8(output.stdout).unwrap()
}
