//! Commits that are made while a push is under way.
//!
//! A server takes its time with a push, and what comes in meanwhile goes out next: its commits are made
//! on what is being pushed, one by one. If the push arrives, they are ready; if it does not, they are
//! forgotten, and made anew on what is there instead.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use git2::Oid;
use orbit_core::intent::Commit;

use crate::branch::Branch;
use crate::remote::batch::Draft;

/// Whoever hands out the work.
pub(crate) trait Dispatcher: Sync {
    /// Tells whether anybody still waits for the thread that works: who was given up must begin nothing
    /// more, as another thread may be at work on the same clone and for the same actions.
    fn has_turn(&self) -> bool;

    /// Returns one of the commits of the next round, number 0 first, as soon as it was asked for, or
    /// `None` if the round will not have so many or the time for it is over.
    fn coming(&self, n: usize, is_over: &AtomicBool) -> Option<Arc<Commit>>;

    /// Ends the time in which [`coming`](Self::coming) may wait.
    fn end(&self, is_over: &AtomicBool);
}

/// Ends the time in which [`Dispatcher::coming`] may wait when it is dropped, on whatever way.
pub(crate) struct Ending<'a> {
    pub(crate) dispatcher: &'a dyn Dispatcher,
    pub(crate) is_over: &'a AtomicBool,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.dispatcher.end(self.is_over);
    }
}

/// Commits that were made on one that was being pushed.
pub(crate) struct Ahead {
    commits: Vec<Arc<Commit>>,
    draft: Draft,
}

impl Ahead {
    /// Makes commits on `tip` of what comes, as long as it comes.
    pub(crate) fn make(
        branch: &Branch,
        tip: Oid,
        coming: impl Fn(usize) -> Option<Arc<Commit>>,
    ) -> Self {
        let (mut commits, mut draft) = (Vec::new(), Draft::new(tip));
        while let Some(commit) = coming(commits.len()) {
            // Nobody waits here for a search of the history, and who asked learns of a fault when the
            // commit is made again, in its turn.
            if !branch.has(&commit.since) || draft.add(branch, &commit).is_err() {
                break;
            }
            commits.push(commit);
        }
        Self { commits, draft }
    }

    /// Returns what was made, if it follows `head` and is what is asked for first.
    pub(crate) fn draft_of(self, head: Oid, asked: &[Arc<Commit>]) -> Option<Draft> {
        let is_first = asked.get(..self.commits.len()).is_some_and(|first| {
            first.iter().zip(&self.commits).all(|(asked, made)| Arc::ptr_eq(asked, made))
        });
        (is_first && self.draft.base == head).then_some(self.draft)
    }
}
