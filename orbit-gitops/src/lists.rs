//! The lists of an environment, as they are stored and as they are read.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

use git2::{Commit, FileMode, Oid, Repository, Tree};
use orbit_core::Environment;
use orbit_core::intent::{CommitId, ListTexts, ReadLists, delete_list_path, deploy_list_path};
use orbit_core::port::Lists;

use crate::branch::Branch;
use crate::fault::Fault;
use crate::tree;

/// How many pairs of lists are remembered: of two environments, as they were and as they are.
const MAX_KNOWN: usize = 4;

/// Two lists in a tree.
pub(crate) struct Stored {
    pub(crate) deploy_mode: FileMode,
    pub(crate) delete_mode: FileMode,
    pub(crate) lists: Arc<ReadLists>,
}

/// The lists that were read or written last, by the ids of their files: the commits of a batch follow
/// each other, so that what one writes the next one reads.
#[derive(Default)]
pub(crate) struct Known(RefCell<VecDeque<(Ids, Arc<ReadLists>)>>);

/// The ids of a deploy list's file and of a delete list's.
type Ids = (Oid, Oid);

impl Known {
    /// Returns the lists of an environment in a tree.
    pub(crate) fn read(
        &self,
        git: &Repository,
        tree: &Tree<'_>,
        environment: &Environment,
    ) -> Result<Stored, Fault> {
        let find = |path: String| {
            let found = tree::find_file(git, tree, &path)?;
            let (id, mode) = found.ok_or_else(|| Fault::Missing { path: path.clone() })?;
            Ok::<_, Fault>((path, id, mode))
        };
        let (deploy_path, deploy, deploy_mode) = find(deploy_list_path(environment))?;
        let (delete_path, delete, delete_mode) = find(delete_list_path(environment))?;
        let ids = (deploy, delete);
        let known = self.0.borrow().iter().find(|(pair, _)| *pair == ids).cloned();
        let lists = match known {
            Some((_, lists)) => lists,
            None => {
                let texts = ListTexts {
                    deploy: tree::text(git, &deploy_path, deploy)?,
                    delete: tree::text(git, &delete_path, delete)?,
                };
                self.keep(ids, ReadLists::read(environment, texts)?)
            }
        };
        Ok(Stored { deploy_mode, delete_mode, lists })
    }

    /// Remembers lists by the ids of their files.
    pub(crate) fn keep(&self, ids: Ids, lists: ReadLists) -> Arc<ReadLists> {
        let lists = Arc::new(lists);
        let mut known = self.0.borrow_mut();
        known.push_back((ids, Arc::clone(&lists)));
        if known.len() > MAX_KNOWN {
            known.pop_front();
        }
        lists
    }
}

/// Returns the lists of an environment at a commit, as a caller gets them.
pub(crate) fn of(
    branch: &Branch,
    commit: &Commit<'_>,
    environment: &Environment,
) -> Result<Lists, Fault> {
    let lists = branch.known.read(&branch.git, &commit.tree()?, environment)?.lists;
    let (deploy, delete) = (lists.deploy().entries().to_vec(), lists.delete().entries().to_vec());
    Ok(Lists { commit: CommitId(commit.id().to_string()), deploy, delete })
}
