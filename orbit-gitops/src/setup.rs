//! Making a repository, and checking that one is this installation's.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use git2::build::TreeUpdateBuilder;
use git2::{FileMode, Oid, RepositoryInitOptions, Tree};
use orbit_core::intent::{delete_list_path, deploy_list_path};
use orbit_core::{Environment, Environments, Timestamp};
use tracing::info;

use crate::branch::{Branch, Content, Next};
use crate::durable::{self, at};
use crate::fault::Fault;
use crate::lists::Known;
use crate::setup::orbit_file::OrbitFile;
use crate::tree;

pub(crate) mod orbit_file;

/// Who commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The name of author and committer.
    pub name: String,
    /// Their email address.
    pub email: String,
}

/// What a repository is opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// The branch that Argo CD reads, `main`.
    pub branch: String,
    /// The environments that have lists, in order.
    pub environments: Environments,
    /// The installation, whose id lies in every one of its stores.
    pub installation: String,
    /// Who commits.
    pub identity: Identity,
    /// The date of a commit that makes the repository or adds an environment to it.
    pub at: Timestamp,
}

/// Opens a repository, which is made first if nothing is there.
pub(crate) fn open(path: &Path, setup: &Setup) -> Result<Branch, Fault> {
    let name = branch_name(setup)?;
    let wanted = OrbitFile::of(setup)?;
    if is_vacant(path)? {
        create_in_turn(path, &name, setup, &wanted)?;
    }
    let branch = Branch::open(path, name, setup.identity.clone())?;
    update(&branch, setup, &wanted)?;
    Ok(branch)
}

/// Returns the branch, `refs/heads/…`, of a setup by which one can commit.
pub(crate) fn branch_name(setup: &Setup) -> Result<String, Fault> {
    let name = format!("refs/heads/{}", setup.branch);
    if !git2::Reference::is_valid_name(&name) {
        return Err(Fault::BranchName { branch: setup.branch.clone() });
    }
    check_identity(&setup.identity)?;
    Ok(name)
}

/// Refuses an identity that would break the lines of a commit.
fn check_identity(identity: &Identity) -> Result<(), Fault> {
    let is_odd = |text: &String| {
        text.trim().is_empty() || text.contains(|c: char| c.is_control() || matches!(c, '<' | '>'))
    };
    match [&identity.name, &identity.email].into_iter().find(|text| is_odd(text)) {
        Some(found) => Err(Fault::Identity { found: found.clone() }),
        None => Ok(()),
    }
}

fn is_vacant(path: &Path) -> Result<bool, Fault> {
    if !path.try_exists().map_err(at(path))? {
        return Ok(true);
    }
    Ok(fs::read_dir(path).map_err(at(path))?.next().is_none())
}

/// Makes the repository unless another process was faster: those that start together wait for the
/// first of them.
fn create_in_turn(path: &Path, name: &str, setup: &Setup, wanted: &OrbitFile) -> Result<(), Fault> {
    let turn = beside(path, ".lock");
    if let Some(dir) = turn.parent() {
        fs::create_dir_all(dir).map_err(at(dir))?;
    }
    let lock = File::options().create(true).truncate(false).write(true).open(&turn);
    let lock = lock.and_then(|lock| lock.lock().map(|()| lock)).map_err(at(&turn))?;
    if is_vacant(path)? {
        create(path, name, setup, wanted)?;
        // Who waits for it, or comes now, finds the repository; so it is of no more use.
        fs::remove_file(&turn).map_err(at(&turn))?;
    }
    drop(lock);
    Ok(())
}

/// Makes the repository beside its place and moves it there whole, so that no crash leaves a part.
fn create(path: &Path, name: &str, setup: &Setup, wanted: &OrbitFile) -> Result<(), Fault> {
    let draft = beside(path, ".new");
    if draft.try_exists().map_err(at(&draft))? {
        fs::remove_dir_all(&draft).map_err(at(&draft))?;
    }
    let mut options = RepositoryInitOptions::new();
    options.bare(true).mkpath(true).external_template(false).initial_head(name);
    let git = git2::Repository::init_opts(&draft, &options)?;
    let tree = with_lists(&git, &tree::empty(&git)?, wanted, &wanted.environments)?;
    let content = content(tree, &wanted.environments, setup.at);
    Branch::found(git, name, &setup.identity, &content)?;
    durable::sync_all(&draft)?;
    fs::rename(&draft, path).map_err(at(path))?;
    path.canonicalize().map_err(at(path))?.parent().map_or(Ok(()), durable::sync)?;
    info!(repository = %path.display(), branch = name, "Made repository {}", path.display());
    Ok(())
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.components().as_path().as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Checks that the repository is this installation's and every list can be read, and adds the
/// environments that are new.
fn update(branch: &Branch, setup: &Setup, wanted: &OrbitFile) -> Result<(), Fault> {
    branch.advance(|head| {
        let tree = head.tree()?;
        let new = OrbitFile::read(&branch.git, &tree)?.missing(wanted)?;
        let known = wanted.environments.iter().filter(|name| !new.contains(name));
        check_lists(&branch.git, &tree, known)?;
        if new.is_empty() {
            return Ok(Next::Done(head.id()));
        }
        let tree = branch.git.find_tree(with_lists(&branch.git, &tree, wanted, &new)?)?;
        check_lists(&branch.git, &tree, new.iter())?;
        Ok(Next::Commit(content(tree.id(), &new, setup.at)))
    })?;
    Ok(())
}

/// Checks that the lists of some environments are there and can be read.
pub(crate) fn check_lists<'a>(
    git: &git2::Repository,
    tree: &Tree<'_>,
    mut environments: impl Iterator<Item = &'a Environment>,
) -> Result<(), Fault> {
    let known = Known::default();
    environments.try_for_each(|name| known.read(git, tree, name).map(drop))
}

/// Returns the commit that adds environments.
pub(crate) fn content(tree: Oid, environments: &[Environment], date: Timestamp) -> Content {
    Content { tree, message: format!("setup: {}\n", orbit_file::join(environments)), date }
}

/// Returns a tree with `orbit.yaml` and lists for the new environments: empty ones, unless somebody
/// prepared them. A list that an older environment lost is not made up for: it was not empty.
pub(crate) fn with_lists(
    git: &git2::Repository,
    tree: &Tree<'_>,
    wanted: &OrbitFile,
    new: &[Environment],
) -> Result<Oid, Fault> {
    let mut update = TreeUpdateBuilder::new();
    let mut put = |path: String, text: String| -> Result<(), Fault> {
        update.upsert(path, git.blob(text.as_bytes())?, FileMode::Blob);
        Ok(())
    };
    put(orbit_file::PATH.to_owned(), wanted.render())?;
    for environment in new {
        let lists =
            [("deploy", deploy_list_path(environment)), ("delete", delete_list_path(environment))];
        for (kind, path) in lists {
            if tree::read(git, tree, &path)?.is_none() {
                put(path, empty_list(kind, environment))?;
            }
        }
    }
    Ok(update.create_updated(git, tree)?)
}

/// Returns a list without entries. Argo CD reads an empty file as one application, not as none.
fn empty_list(kind: &str, environment: &Environment) -> String {
    format!("# Orbit {kind} list, environment {environment}. Comments are kept.\n[]\n")
}

/// Returns the setup that tests begin with.
#[cfg(test)]
pub(crate) fn sample() -> Setup {
    Setup {
        branch: "main".to_owned(),
        environments: Environments::default(),
        installation: "01JCZXAMPLE".to_owned(),
        identity: Identity { name: "Orbit".to_owned(), email: "orbit@k8or.com".to_owned() },
        at: Timestamp::from_millis(1_737_799_200_000),
    }
}
