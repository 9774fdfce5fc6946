//! Many intents on one head: a commit each, in the order they were asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use git2::Oid;
use orbit_core::Environment;
use orbit_core::intent::{Commit, Intent, deploy_list_path};

use crate::branch::{Branch, Next};
use crate::commit;
use crate::fault::Fault;
use crate::remote::fault::RemoteFault;

/// What becomes of the intents of a batch once its last commit is the branch's head.
pub(crate) struct Draft {
    /// What the first commit follows.
    pub(crate) base: Oid,
    /// The last commit, or the head where nothing is to be pushed.
    pub(crate) tip: Oid,
    /// One outcome for each commit that was asked for, as far as they were made.
    pub(crate) outcomes: Vec<Outcome>,
}

/// What becomes of one intent.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Its commit is in the batch.
    Made(Oid),
    /// Its commit was there already.
    There(Oid),
    /// It does not fit, which is no matter of the others.
    Unfit(Fault),
}

impl Draft {
    /// Begins a batch on a commit.
    pub(crate) const fn new(base: Oid) -> Self {
        Self { base, tip: base, outcomes: Vec::new() }
    }

    /// Applies an intent to what the one before it left.
    ///
    /// # Errors
    /// What concerns all of them: the repository cannot be read, or its history is not deep enough.
    pub(crate) fn add(&mut self, branch: &Branch, commit: &Commit) -> Result<(), Fault> {
        let tip = branch.git.find_commit(self.tip)?;
        self.outcomes.push(match commit::next(branch, &tip, commit) {
            Ok(Next::Done(id)) => Outcome::There(id),
            Ok(Next::Commit(content)) => {
                self.tip = branch.write(&content, Some(&tip))?;
                Outcome::Made(self.tip)
            }
            Err(fault @ (Fault::Truncated { .. } | Fault::Git(_) | Fault::Disk { .. })) => {
                return Err(fault);
            }
            Err(fault) => Outcome::Unfit(fault),
        });
        Ok(())
    }

    /// Returns how many commits are to be pushed.
    pub(crate) fn n_made(&self) -> usize {
        self.outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Made(_))).count()
    }
}

/// Applies each intent to what the one before it left, and checks the whole; the first of them may
/// have been applied already.
///
/// # Errors
/// What concerns all of them: the repository cannot be read, its history is not deep enough, or an
/// entry would vanish.
pub(crate) fn draft(
    branch: &Branch,
    begun: Draft,
    commits: &[Arc<Commit>],
) -> Result<Draft, Fault> {
    let mut draft = begun;
    for commit in commits.iter().skip(draft.outcomes.len()) {
        draft.add(branch, commit)?;
    }
    check_vanished(branch, &draft, commits)?;
    Ok(draft)
}

/// Refuses a batch that takes an entry out of a deploy list that none of its commits names.
fn check_vanished(branch: &Branch, draft: &Draft, commits: &[Arc<Commit>]) -> Result<(), Fault> {
    let tree = |commit| branch.git.find_commit(commit)?.tree();
    let (before, after) = (tree(draft.base)?, tree(draft.tip)?);
    for (environment, asked) in removals(draft, commits) {
        let lists = |tree| branch.known.read(&branch.git, tree, environment);
        let (had, has) = (lists(&before)?.lists, lists(&after)?.lists);
        let has: BTreeSet<_> = has.deploy().entries().iter().map(|entry| &entry.name).collect();
        let had = had.deploy().entries().iter().map(|entry| &entry.name);
        let gone = had.filter(|name| !has.contains(name) && !asked.contains(name));
        let gone: Vec<_> = gone.map(ToString::to_string).collect();
        if !gone.is_empty() {
            let (path, names) = (deploy_list_path(environment), gone.join(", "));
            return Err(RemoteFault::Vanished { path, names }.into());
        }
    }
    Ok(())
}

/// Returns the names that the batch's commits take out, environment by environment.
fn removals<'a>(
    draft: &Draft,
    commits: &'a [Arc<Commit>],
) -> BTreeMap<&'a Environment, BTreeSet<&'a orbit_core::AppName>> {
    let mut asked = BTreeMap::<_, BTreeSet<_>>::new();
    for (commit, outcome) in commits.iter().zip(&draft.outcomes) {
        if !matches!(outcome, Outcome::Made(_)) {
            continue;
        }
        let names = asked.entry(&commit.environment).or_default();
        match &commit.intent {
            Intent::Retire { tombstone } => drop(names.insert(&tombstone.entry.name)),
            Intent::Deploy { .. } | Intent::Clear { .. } => {}
        }
    }
    asked
}

#[cfg(test)]
mod tests;
