//! Which actions have a commit, as far as the history was read.
//!
//! A commit never changes, so a stretch of history is read once: the actions of a batch, which were
//! mostly planned at the same head, all ask for the same one.

use std::cell::RefCell;
use std::collections::HashMap;

use git2::{Commit, Oid, Repository, Sort};
use orbit_core::ActionId;

use crate::fault::Fault;
use crate::message;

/// How many stretches are remembered.
const MAX_STRETCHES: usize = 8;
/// How many commits are followed one by one.
const MAX_LINE: usize = 32;

/// The stretches that were read last.
#[derive(Default)]
pub(crate) struct History(RefCell<Vec<Stretch>>);

/// All commits after `since` up to `tip`, of which `since` is an ancestor.
struct Stretch {
    since: Oid,
    tip: Oid,
    commits: HashMap<String, Oid>,
}

impl History {
    /// Returns the commit of an action after `since` if that is known to be an ancestor of `head`;
    /// `None` if it is not known.
    pub(crate) fn look_up(
        &self,
        git: &Repository,
        action: &ActionId,
        since: Oid,
        head: Oid,
    ) -> Result<Option<Option<Oid>>, Fault> {
        let mut stretches = self.0.borrow_mut();
        let Some(place) = stretches.iter().position(|stretch| stretch.since == since) else {
            return Ok(None);
        };
        let mut stretch = stretches.remove(place);
        if !stretch.follow(git, head)? {
            if !git.graph_descendant_of(head, stretch.tip)? {
                return Ok(None);
            }
            stretch.extend(git, head)?;
        }
        let found = stretch.commits.get(action.as_str()).copied();
        stretches.push(stretch);
        Ok(Some(found))
    }

    /// Reads the stretch from `since`, an ancestor of `head`, and returns the commit of an action.
    pub(crate) fn read(
        &self,
        git: &Repository,
        action: &ActionId,
        since: Oid,
        head: Oid,
    ) -> Result<Option<Oid>, Fault> {
        let mut stretch = Stretch { since, tip: since, commits: HashMap::new() };
        stretch.extend(git, head)?;
        let found = stretch.commits.get(action.as_str()).copied();
        let mut stretches = self.0.borrow_mut();
        stretches.push(stretch);
        if stretches.len() > MAX_STRETCHES {
            stretches.remove(0);
        }
        Ok(found)
    }
}

impl Stretch {
    /// Adds the commits up to a `head` that follows its end in a line of a few commits, and tells
    /// whether it does. Each commit of a batch follows the last; a walk of git's would read some that
    /// lie before them, each time.
    fn follow(&mut self, git: &Repository, head: Oid) -> Result<bool, Fault> {
        let (mut line, mut next) = (Vec::new(), head);
        while next != self.tip {
            let commit = git.find_commit(next)?;
            if commit.parent_count() != 1 || line.len() == MAX_LINE {
                return Ok(false);
            }
            next = commit.parent_id(0)?;
            line.push(commit);
        }
        for commit in &line {
            self.add(commit);
        }
        self.tip = head;
        Ok(true)
    }

    fn add(&mut self, commit: &Commit<'_>) {
        for action in message::actions(&String::from_utf8_lossy(commit.message_bytes())) {
            self.commits.entry(action.to_owned()).or_insert(commit.id());
        }
    }

    /// Adds the commits that lie between its end and `head`.
    fn extend(&mut self, git: &Repository, head: Oid) -> Result<(), Fault> {
        if self.tip == head {
            return Ok(());
        }
        let mut walk = git.revwalk()?;
        walk.set_sorting(Sort::TIME)?;
        walk.push(head)?;
        walk.hide(self.tip)?;
        for id in walk {
            let commit = git.find_commit(id?)?;
            self.add(&commit);
            if is_truncated(&commit) {
                return Err(Fault::Truncated { commit: commit.id() });
            }
        }
        self.tip = head;
        Ok(())
    }
}

/// Tells whether a commit has parents that a shallow clone left out: git hides them.
pub(crate) fn is_truncated(commit: &Commit<'_>) -> bool {
    let names_parent = |line: &[u8]| line.starts_with(b"parent ");
    commit.parent_count() == 0
        && commit.raw_header_bytes().split(|byte| *byte == b'\n').any(names_parent)
}
