//! From an action's intent to the tree of its commit.

use git2::build::TreeUpdateBuilder;
use git2::{FileMode, Oid, Tree};
use orbit_core::Environment;
use orbit_core::intent::{Commit, Intent, ReadLists, app_path, delete_list_path, deploy_list_path};
use orbit_core::list::Entry;

use crate::branch::{Branch, Content, Next};
use crate::fault::Fault;
use crate::message;
use crate::tree;

/// Commits what an action wants, unless its commit is there already, and returns the commit's id.
pub(crate) fn commit(branch: &Branch, commit: &Commit) -> Result<Oid, Fault> {
    branch.advance(|head| next(branch, head, commit))
}

/// Returns what an action wants of a head: a commit, unless its commit is there already.
pub(crate) fn next(
    branch: &Branch,
    head: &git2::Commit<'_>,
    commit: &Commit,
) -> Result<Next, Fault> {
    let message = message::compose(commit)?;
    if let Some(id) = branch.find(&commit.action, &commit.since, head)? {
        return Ok(Next::Done(id));
    }
    let tree = changed(branch, &head.tree()?, commit)?;
    if tree == head.tree_id() {
        return Err(Fault::NoChange { name: commit.intent.name().clone() });
    }
    Ok(Next::Commit(Content { tree, message, date: commit.date }))
}

/// Returns the tree with an intent's changes.
fn changed(branch: &Branch, tree: &Tree<'_>, commit: &Commit) -> Result<Oid, Fault> {
    let (git, environment, intent) = (&branch.git, &commit.environment, &commit.intent);
    let stored = branch.known.read(git, tree, environment)?;
    let after = intent.apply(environment, &stored.lists)?;
    check(environment, intent, &stored.lists, &after)?;
    let deploy = branch.write_text(&after.texts().deploy)?;
    let delete = branch.write_text(&after.texts().delete)?;
    branch.known.keep((deploy, delete), after);
    let mut update = TreeUpdateBuilder::new();
    update.upsert(deploy_list_path(environment), deploy, stored.deploy_mode);
    update.upsert(delete_list_path(environment), delete, stored.delete_mode);
    put_directory(git, tree, commit, &mut update)?;
    Ok(update.create_updated(git, tree)?)
}

/// Adds what an intent makes of the application's directory: replaced as a whole, left, or removed.
fn put_directory(
    git: &git2::Repository,
    tree: &Tree<'_>,
    commit: &Commit,
    update: &mut TreeUpdateBuilder,
) -> Result<(), Fault> {
    let directory = app_path(&commit.environment, commit.intent.name());
    match &commit.intent {
        Intent::Deploy { entry, files, .. } => {
            if files.is_empty() {
                return Err(Fault::NoFiles { name: entry.name.clone() });
            }
            tree::has_directory(tree, &directory)?;
            update.upsert(directory, tree::write(git, files)?, FileMode::Tree);
        }
        Intent::Retire { .. } => {}
        Intent::Clear { .. } => {
            if tree::has_directory(tree, &directory)? {
                update.remove(directory);
            }
        }
    }
    Ok(())
}

/// Refuses an edit that does not read back as what was asked for: the entry and the tombstone of the
/// name are the intent's, and all others are there, unchanged and in order. So no entry leaves the
/// deploy list but the one that the intent names.
fn check(
    environment: &Environment,
    intent: &Intent,
    before: &ReadLists,
    after: &ReadLists,
) -> Result<(), Fault> {
    let name = intent.name();
    let is_own = |entry: &Entry| entry.name == *name;
    let (entry, tombstone) = match intent {
        Intent::Deploy { entry, .. } => (Some(entry.as_ref()), None),
        Intent::Retire { tombstone } => (None, Some(tombstone.as_ref())),
        Intent::Clear { .. } => (before.deploy().find(name), None),
    };
    let unasked = |path| Err(Fault::Unasked { path, name: name.clone() });
    if !is_edit(before.deploy().entries(), after.deploy().entries(), is_own, entry) {
        return unasked(deploy_list_path(environment));
    }
    if !is_edit(
        before.delete().entries(),
        after.delete().entries(),
        |stone| is_own(&stone.entry),
        tombstone,
    ) {
        return unasked(delete_list_path(environment));
    }
    Ok(())
}

/// Tells whether a list differs at most in its own item, which is now the `wanted` one.
fn is_edit<T: PartialEq>(
    before: &[T],
    after: &[T],
    is_own: impl Fn(&T) -> bool,
    wanted: Option<&T>,
) -> bool {
    let others = |list| <[T]>::iter(list).filter(|item| !is_own(item));
    let own = after.iter().filter(|item| is_own(item));
    others(before).eq(others(after)) && own.eq(wanted)
}

#[cfg(test)]
mod tests;
