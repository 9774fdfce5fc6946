//! A repository in a directory of its own, and git's own view of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use orbit_core::port::PortError;
use orbit_gitops::{Repository, Setup};
use tempfile::TempDir;

pub(crate) use crate::git_setup::setup;

pub(crate) const DEPLOY_LIST: &str = "environments/development/deploy-list.yaml";
pub(crate) const DELETE_LIST: &str = "environments/development/delete-list.yaml";

/// A directory with the repository that is tested.
pub(crate) struct Place {
    directory: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("gitops.git")
    }

    pub(crate) fn open(&self) -> Repository {
        self.open_with(&setup()).unwrap()
    }

    pub(crate) fn open_with(&self, setup: &Setup) -> Result<Repository, PortError> {
        Repository::open(&self.path(), setup)
    }

    /// Runs git in the repository and returns what it printed.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        git(&self.path(), arguments)
    }

    /// Returns what the branch holds at a path.
    pub(crate) fn show(&self, path: &str) -> String {
        self.git(&["show", &format!("main:{path}")])
    }

    /// Returns the paths of all files on the branch below a directory.
    pub(crate) fn files(&self, below: &str) -> Vec<String> {
        let listed = self.git(&["ls-tree", "-r", "--name-only", "main", below]);
        listed.lines().map(str::to_owned).collect()
    }

    pub(crate) fn n_commits(&self) -> usize {
        self.git(&["rev-list", "--count", "main"]).trim().parse().unwrap()
    }

    /// Lets git check every object of the repository.
    pub(crate) fn fsck(&self) {
        assert_eq!(self.git(&["fsck", "--strict", "--full", "--no-dangling"]), "");
    }

    /// Lets a foreign writer clone the branch, change the work tree, commit and push.
    pub(crate) fn push(&self, change: impl FnOnce(&Path)) {
        let work = tempfile::tempdir().unwrap();
        let (path, here) = (self.path(), work.path());
        git(here, &["clone", "--quiet", "--branch", "main", path.to_str().unwrap(), "."]);
        change(here);
        git(here, &["add", "--all", "--no-warn-embedded-repo"]);
        git(here, &["commit", "--quiet", "--message", "by hand"]);
        git(here, &["push", "--quiet", "origin", "HEAD:main"]);
    }

    /// Lets a foreign writer rewrite one file.
    pub(crate) fn edit(&self, path: &str, edit: impl FnOnce(String) -> String) {
        self.push(|work| {
            let file = work.join(path);
            let text = fs::read_to_string(&file).unwrap();
            fs::write(&file, edit(text)).unwrap();
        });
    }
}

/// Runs git without this machine's configuration; it must succeed and complain about nothing.
pub(crate) fn git(directory: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(directory)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .args(["-c", "user.name=Jane", "-c", "user.email=jane@example.com"])
        .args(["-c", "protocol.file.allow=always"])
        .args(arguments)
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaint.is_empty(), "git {arguments:?}: {complaint}");
    String::from_utf8(output.stdout).unwrap()
}
