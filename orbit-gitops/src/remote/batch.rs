//! Many intents on one head: a commit each, in the order they were asked for.

use std::collections::{BTreeMap, BTreeSet};

use git2::Oid;
use orbit_core::Environment;
use orbit_core::intent::{Commit, Intent, deploy_list_path};

use crate::branch::{Branch, Next};
use crate::commit;
use crate::fault::Fault;
use crate::remote::fault::RemoteFault;

/// What becomes of the intents of a batch once its last commit is the branch's head.
pub(crate) struct Draft {
    /// The last commit, or the head where nothing is to be pushed.
    pub(crate) tip: Oid,
    /// One outcome for each commit that was asked for.
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
    /// Returns how many commits are to be pushed.
    pub(crate) fn n_made(&self) -> usize {
        self.outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Made(_))).count()
    }
}

/// Applies each intent to what the one before it left, and checks the whole.
///
/// # Errors
/// What concerns all of them: the repository cannot be read, or its history is not deep enough.
pub(crate) fn draft(branch: &Branch, head: Oid, commits: &[&Commit]) -> Result<Draft, Fault> {
    let mut tip = branch.git.find_commit(head)?;
    let mut outcomes = Vec::with_capacity(commits.len());
    for commit in commits {
        outcomes.push(match commit::next(branch, &tip, commit) {
            Ok(Next::Done(id)) => Outcome::There(id),
            Ok(Next::Commit(content)) => {
                let id = branch.write(&content, Some(&tip))?;
                tip = branch.git.find_commit(id)?;
                Outcome::Made(id)
            }
            Err(fault @ (Fault::Truncated { .. } | Fault::Git(_) | Fault::Disk { .. })) => {
                return Err(fault);
            }
            Err(fault) => Outcome::Unfit(fault),
        });
    }
    let draft = Draft { tip: tip.id(), outcomes };
    check_vanished(branch, head, &draft, commits)?;
    Ok(draft)
}

/// Refuses a batch that takes an entry out of a deploy list that none of its commits names.
fn check_vanished(
    branch: &Branch,
    head: Oid,
    draft: &Draft,
    commits: &[&Commit],
) -> Result<(), Fault> {
    let (before, after) =
        (branch.git.find_commit(head)?.tree()?, branch.git.find_commit(draft.tip)?.tree()?);
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
    commits: &[&'a Commit],
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
