//! One branch of a bare repository, and how it is advanced.

use std::path::Path;
use std::time::Duration;
use std::{fs, thread};

use git2::{ErrorCode, Oid, Signature, Sort, Time};
use orbit_core::intent::CommitId;
use orbit_core::{ActionId, Timestamp};
use tracing::warn;

use crate::durable;
use crate::fast_blob;
use crate::fault::Fault;
use crate::history::{History, is_truncated};
use crate::lists::Known;
use crate::message;
use crate::setup::Identity;

/// How often a change is made again because others moved or locked the branch meanwhile.
const TRIES: u32 = 100;
/// The pause before a locked branch is tried again; whoever holds the lock writes one line.
const LOCK_PAUSE: Duration = Duration::from_millis(10);
/// The age at which a lock's holder is taken for dead.
const STALE_LOCK: Duration = Duration::from_secs(3);
/// How many commits are searched, newest first, where the history does not say where to stop.
const NEWEST: usize = 100_000;

/// A branch that is there.
pub(crate) struct Branch {
    pub(crate) git: git2::Repository,
    pub(crate) known: Known,
    history: History,
    name: String,
    identity: Identity,
    is_cache: bool,
}

/// What a head calls for.
pub(crate) enum Next {
    /// Nothing: this commit already did it.
    Done(Oid),
    /// A commit.
    Commit(Content),
}

/// A commit but for its parent and identity.
pub(crate) struct Content {
    pub(crate) tree: Oid,
    pub(crate) message: String,
    pub(crate) date: Timestamp,
}

impl Branch {
    /// Opens the branch `refs/heads/…` of a bare repository.
    pub(crate) fn open(path: &Path, name: String, identity: Identity) -> Result<Self, Fault> {
        let branch = Self::of(durable::open(path, &name)?, name, identity);
        branch.head()?;
        Ok(branch)
    }

    /// Returns the branch of a repository, whether it is there or not.
    pub(crate) fn of(git: git2::Repository, name: String, identity: Identity) -> Self {
        let (known, history) = (Known::default(), History::default());
        Self { git, known, history, name, identity, is_cache: false }
    }

    /// Returns the branch of a repository that may be lost, whether it is there or not.
    pub(crate) fn of_cache(git: git2::Repository, name: String, identity: Identity) -> Self {
        Self { is_cache: true, ..Self::of(git, name, identity) }
    }

    /// Writes a file's text.
    pub(crate) fn write_text(&self, text: &str) -> Result<Oid, Fault> {
        if self.is_cache {
            fast_blob::write(&self.git, text)
        } else {
            Ok(self.git.blob(text.as_bytes())?)
        }
    }

    /// Returns its name, `refs/heads/…`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Makes the first commit of a repository that has none.
    pub(crate) fn found(
        git: git2::Repository,
        name: &str,
        identity: &Identity,
        content: &Content,
    ) -> Result<(), Fault> {
        let branch = Self::of(git, name.to_owned(), identity.clone());
        let id = branch.write(content, None)?;
        branch.git.reference(name, id, false, "orbit")?;
        Ok(())
    }

    /// Returns the newest commit.
    pub(crate) fn head(&self) -> Result<git2::Commit<'_>, Fault> {
        let reference = match self.git.find_reference(&self.name) {
            Ok(reference) => reference,
            Err(error) if error.code() == ErrorCode::NotFound => {
                return Err(Fault::NoBranch { branch: self.name.clone() });
            }
            Err(error) => return Err(error.into()),
        };
        let Some(id) = reference.target() else {
            return Err(Fault::NotDirect { branch: self.name.clone() });
        };
        Ok(self.git.find_commit(id)?)
    }

    /// Makes the commit that the head calls for, and returns its id once the branch has it.
    ///
    /// When the branch moved meanwhile, the new head is asked again: nothing is ever merged.
    pub(crate) fn advance(
        &self,
        next: impl Fn(&git2::Commit<'_>) -> Result<Next, Fault>,
    ) -> Result<Oid, Fault> {
        for _ in 0..TRIES {
            let head = self.head()?;
            let content = match next(&head)? {
                Next::Done(id) => return Ok(id),
                Next::Commit(content) => content,
            };
            let id = self.write(&content, Some(&head))?;
            if self.swap(head.id(), id)? {
                return Ok(id);
            }
        }
        Err(Fault::Busy { branch: self.name.clone(), tries: TRIES })
    }

    /// Returns the commit of an action that lies after `since`, if there is one.
    ///
    /// # Errors
    /// [`Fault::Truncated`] if a part of the history that may hold it is not here.
    pub(crate) fn find(
        &self,
        action: &ActionId,
        since: &CommitId,
        head: &git2::Commit<'_>,
    ) -> Result<Option<Oid>, Fault> {
        let Ok(since) = Oid::from_str(&since.0) else { return self.search(action, head) };
        if since == head.id() {
            return Ok(None);
        }
        if let Some(found) = self.history.look_up(&self.git, action, since, head.id())? {
            return Ok(found);
        }
        if self.is_ancestor(since, head)? {
            return self.history.read(&self.git, action, since, head.id());
        }
        self.search(action, head)
    }

    /// Tells whether a commit is here.
    pub(crate) fn has(&self, commit: &CommitId) -> bool {
        Oid::from_str(&commit.0).is_ok_and(|id| self.git.find_commit(id).is_ok())
    }

    /// Searches the newest commits for the one of an action.
    fn search(&self, action: &ActionId, head: &git2::Commit<'_>) -> Result<Option<Oid>, Fault> {
        let mut walk = self.git.revwalk()?;
        walk.set_sorting(Sort::TIME)?;
        walk.push(head.id())?;
        for id in walk.take(NEWEST) {
            let commit = self.git.find_commit(id?)?;
            if message::carries(&String::from_utf8_lossy(commit.message_bytes()), action) {
                return Ok(Some(commit.id()));
            }
            if is_truncated(&commit) {
                return Err(Fault::Truncated { commit: commit.id() });
            }
        }
        Ok(None)
    }

    /// Tells whether a commit lies before the head.
    fn is_ancestor(&self, id: Oid, head: &git2::Commit<'_>) -> Result<bool, Fault> {
        match self.git.find_commit(id) {
            Ok(_) => Ok(self.git.graph_descendant_of(head.id(), id)?),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes a commit that no reference names yet.
    pub(crate) fn write(
        &self,
        content: &Content,
        parent: Option<&git2::Commit<'_>>,
    ) -> Result<Oid, Fault> {
        let Identity { name, email } = &self.identity;
        let signature = Signature::new(name, email, &Time::new(content.date.seconds(), 0))?;
        let tree = self.git.find_tree(content.tree)?;
        let parents: Vec<_> = parent.into_iter().collect();
        let message = &content.message;
        Ok(self.git.commit(None, &signature, &signature, message, &tree, &parents)?)
    }

    /// Moves the branch if it still is at `old`, and tells whether it did.
    fn swap(&self, old: Oid, new: Oid) -> Result<bool, Fault> {
        durable::sync_objects(&self.git)?;
        match self.git.reference_matching(&self.name, new, true, old, "orbit") {
            Ok(_) => Ok(true),
            Err(error) if error.code() == ErrorCode::Modified => Ok(false),
            Err(error) if error.code() == ErrorCode::Locked => {
                self.break_stale_lock();
                thread::sleep(LOCK_PAUSE);
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Removes the branch's lock if whoever took it is gone: it is held for as long as one line takes
    /// to write, so a process that was killed meanwhile left an old one.
    fn break_stale_lock(&self) {
        let lock = self.git.path().join(format!("{}.lock", self.name));
        let age = lock.metadata().and_then(|file| file.modified()).map(|at| at.elapsed());
        if let Ok(Ok(age)) = age
            && age > STALE_LOCK
        {
            warn!(lock = %lock.display(), "Removing the lock of a writer that is gone");
            // Another writer may have been faster; the branch is tried again in either case.
            drop(fs::remove_file(&lock));
        }
    }
}

#[cfg(test)]
mod tests;
