//! The repository on the server, and what git says of it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::cli::git;

/// An empty bare repository, which checks all objects that it is sent, as GitLab does.
pub(crate) struct Bare {
    path: PathBuf,
}

impl Bare {
    pub(crate) fn new(root: &Path, name: &str) -> Self {
        let bare = Self { path: root.join(name) };
        fs::create_dir_all(&bare.path).unwrap();
        bare.git(&["init", "--quiet", "--bare", "--initial-branch=main", "--template="]);
        for (key, value) in [
            ("http.receivepack", "true"),
            ("core.logAllRefUpdates", "always"),
            ("receive.fsckObjects", "true"),
            ("receive.autogc", "false"),
        ] {
            bare.git(&["config", key, value]);
        }
        bare
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    #[track_caller]
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        git(&self.path, arguments)
    }

    pub(crate) fn head(&self) -> String {
        self.git(&["rev-parse", "refs/heads/main"]).trim().to_owned()
    }

    /// Returns what the branch holds at a path.
    pub(crate) fn show(&self, path: &str) -> String {
        self.git(&["show", &format!("main:{path}")])
    }

    /// Returns mode, object and path of every file on the branch below a directory.
    pub(crate) fn files(&self, below: &str) -> Vec<String> {
        let listed = self.git(&["ls-tree", "-r", "main", below]);
        listed.lines().map(str::to_owned).collect()
    }

    pub(crate) fn n_commits(&self) -> usize {
        self.git(&["rev-list", "--count", "main"]).trim().parse().unwrap()
    }

    /// Returns how often the branch was moved or made, which every push that arrives does once.
    pub(crate) fn n_pushes(&self) -> usize {
        self.pushed().len()
    }

    /// Returns what was the newest commit after each push, the first one first.
    pub(crate) fn pushed(&self) -> Vec<String> {
        let log = fs::read_to_string(self.path.join("logs/refs/heads/main")).unwrap_or_default();
        let new = log.lines().filter_map(|line| line.split(' ').nth(1));
        new.map(str::to_owned).collect()
    }

    /// Returns the actions whose commits are on the branch, the newest first, and the ids of those.
    pub(crate) fn actions(&self) -> Vec<(String, String)> {
        let format = "--format=%(trailers:key=Orbit-Action,valueonly,separator=) %H";
        let log = self.git(&["log", format, "main"]);
        let carried = log.lines().filter_map(|line| line.split_once(' '));
        let own = carried.filter(|(action, _)| !action.is_empty());
        own.map(|(action, id)| (action.to_owned(), id.to_owned())).collect()
    }

    /// Puts a hook into the repository; the script is run by `sh`.
    pub(crate) fn hook(&self, name: &str, script: &str) {
        let hooks = self.path.join("hooks");
        fs::create_dir_all(&hooks).unwrap();
        // Written beside and moved, so that no server runs a part of it or finds it open.
        let draft = self.path.join("hook.new");
        fs::write(&draft, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&draft, Permissions::from_mode(0o755)).unwrap();
        fs::rename(&draft, hooks.join(name)).unwrap();
    }

    pub(crate) fn remove_hook(&self, name: &str) {
        fs::remove_file(self.path.join("hooks").join(name)).unwrap();
    }

    /// Lets git check every object of the repository.
    #[track_caller]
    pub(crate) fn fsck(&self) {
        assert_eq!(self.git(&["fsck", "--strict", "--full", "--no-dangling"]), "");
    }
}
