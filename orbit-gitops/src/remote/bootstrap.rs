//! Making a remote repository what Orbit needs, and checking that it is.

use git2::build::TreeUpdateBuilder;
use git2::{FileMode, Oid, Tree};
use orbit_core::Environment;

use crate::argo::{self, ArgoSettings};
use crate::branch::Content;
use crate::fault::Fault;
use crate::remote::fault::RemoteFault;
use crate::remote::link::Pushed;
use crate::remote::mirror::Mirror;
use crate::remote::verdict::Status;
use crate::setup::orbit_file::{self, OrbitFile};
use crate::setup::{self, Setup};
use crate::tree;

/// How often the commit is made again because others pushed meanwhile.
const TRIES: u32 = 5;

/// Checks that the repository was set up for this installation and all of its environments, and that
/// every list can be read.
pub(crate) fn check(mirror: &Mirror, setup: &Setup) -> Result<(), Fault> {
    let wanted = OrbitFile::of(setup)?;
    let not_set_up = |environments: &[Environment]| {
        let environments = orbit_file::join(environments);
        Fault::from(RemoteFault::NotSetUp { environments })
    };
    let Some(head) = mirror.head_if_any()? else { return Err(not_set_up(&wanted.environments)) };
    let git = &mirror.branch.git;
    let tree = git.find_commit(head)?.tree()?;
    if tree::read(git, &tree, orbit_file::PATH)?.is_none() {
        return Err(not_set_up(&wanted.environments));
    }
    let missing = OrbitFile::read(git, &tree)?.missing(&wanted)?;
    if !missing.is_empty() {
        return Err(not_set_up(&missing));
    }
    setup::check_lists(git, &tree, wanted.environments.iter())
}

/// Makes what is missing by one commit, and returns what was done.
pub(crate) fn set_up(
    mirror: &mut Mirror,
    setup: &Setup,
    argo: &ArgoSettings,
) -> Result<Vec<String>, Fault> {
    for _ in 0..TRIES {
        let head = mirror.head_if_any()?;
        let (content, done) = mirror.sound(|mirror| missing(mirror, head, setup, argo))?;
        let Some(content) = content else { return Ok(done) };
        let parent = head.map(|head| mirror.branch.git.find_commit(head)).transpose()?;
        let id = mirror.branch.write(&content, parent.as_ref())?;
        drop(parent);
        let (server, branch) = (mirror.server(), mirror.branch.name().to_owned());
        match mirror.push(head.unwrap_or(Oid::ZERO_SHA1), id)? {
            Pushed::Answered(Status::Taken) => return Ok(done),
            Pushed::Answered(Status::Moved | Status::Locked) => mirror.sync()?,
            Pushed::Answered(Status::Refused(text)) => {
                return Err(RemoteFault::Refused { server, branch, text }.into());
            }
            Pushed::Answered(Status::Failed(text)) => {
                return Err(RemoteFault::Failed { server, branch, text }.into());
            }
            Pushed::Lost(fault) => {
                mirror.sync()?;
                return if mirror.head_if_any()? == Some(id) {
                    Ok(done)
                } else {
                    Err(fault.into())
                };
            }
        }
    }
    let branch = mirror.branch.name().to_owned();
    Err(RemoteFault::Contended { branch, tries: TRIES }.into())
}

/// Returns the commit that makes what a head lacks, or `None` if it lacks nothing, and what is done
/// by it or was found.
fn missing(
    mirror: &Mirror,
    head: Option<Oid>,
    setup: &Setup,
    argo: &ArgoSettings,
) -> Result<(Option<Content>, Vec<String>), Fault> {
    let git = &mirror.branch.git;
    let wanted = OrbitFile::of(setup)?;
    let tree = match head {
        Some(head) => git.find_commit(head)?.tree()?,
        None => tree::empty(git)?,
    };
    let mut done = Vec::new();
    let new = if tree::read(git, &tree, orbit_file::PATH)?.is_some() {
        OrbitFile::read(git, &tree)?.missing(&wanted)?
    } else {
        done.push(format!("made {}", orbit_file::PATH));
        wanted.environments.clone()
    };
    let known = wanted.environments.iter().filter(|name| !new.contains(name));
    setup::check_lists(git, &tree, known)?;
    done.extend(new.iter().map(|name| format!("added the lists of {name}")));
    let after = if new.is_empty() {
        tree.clone()
    } else {
        git.find_tree(setup::with_lists(git, &tree, &wanted, &new)?)?
    };
    setup::check_lists(git, &after, new.iter())?;
    let after = with_manifests(git, &after, setup, argo, &mut done)?;
    if after == tree.id() {
        return Ok((None, done));
    }
    let content = if new.is_empty() {
        let message = "setup: manifests for Argo CD\n".to_owned();
        Content { tree: after, message, date: setup.at }
    } else {
        setup::content(after, &new, setup.at)
    };
    Ok((Some(content), done))
}

/// Returns a tree with the manifests that are not in it; one that differs may have been edited.
fn with_manifests(
    git: &git2::Repository,
    tree: &Tree<'_>,
    setup: &Setup,
    argo: &ArgoSettings,
    done: &mut Vec<String>,
) -> Result<Oid, Fault> {
    let mut update = TreeUpdateBuilder::new();
    for (path, text) in argo::manifests(setup, argo) {
        match tree::read(git, tree, &path)? {
            None => {
                done.push(format!("made {path}"));
                update.upsert(path, git.blob(text.as_bytes())?, FileMode::Blob);
            }
            Some(file) if file == text => {}
            Some(_) => done.push(format!("{path} differs from what Orbit writes, left as it is")),
        }
    }
    Ok(update.create_updated(git, tree)?)
}
