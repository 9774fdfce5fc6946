//! The lists of an environment, as they are stored and as they are read.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

use git2::{FileMode, Oid, Repository, Tree};
use orbit_core::Environment;
use orbit_core::intent::{ListTexts, delete_list_path, deploy_list_path};
use orbit_core::list::{DeleteList, DeployList, Entry, Tombstone};

use crate::fault::Fault;
use crate::tree;

/// How many pairs of lists are remembered: of two environments, as they were and as they are.
const MAX_KNOWN: usize = 4;

/// The two lists of an environment.
pub(crate) struct Lists {
    pub(crate) texts: ListTexts,
    pub(crate) deploy: Vec<Entry>,
    pub(crate) delete: Vec<Tombstone>,
}

/// Two lists in a tree.
pub(crate) struct Stored {
    pub(crate) deploy_mode: FileMode,
    pub(crate) delete_mode: FileMode,
    pub(crate) lists: Arc<Lists>,
}

/// The lists that were read or written last, by the ids of their files: the commits of a batch follow
/// each other, so that what one writes the next one reads.
#[derive(Default)]
pub(crate) struct Known(RefCell<VecDeque<(Ids, Arc<Lists>)>>);

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
                self.keep(ids, Lists::of(environment, texts)?)
            }
        };
        Ok(Stored { deploy_mode, delete_mode, lists })
    }

    /// Remembers lists by the ids of their files.
    pub(crate) fn keep(&self, ids: Ids, lists: Lists) -> Arc<Lists> {
        let lists = Arc::new(lists);
        let mut known = self.0.borrow_mut();
        known.push_back((ids, Arc::clone(&lists)));
        if known.len() > MAX_KNOWN {
            known.pop_front();
        }
        lists
    }
}

impl Lists {
    /// Reads the two lists of an environment.
    pub(crate) fn of(environment: &Environment, texts: ListTexts) -> Result<Self, Fault> {
        let in_list = |path| move |source| Fault::List { path, source };
        let deploy =
            DeployList::read(&texts.deploy).map_err(in_list(deploy_list_path(environment)))?;
        let delete =
            DeleteList::read(&texts.delete).map_err(in_list(delete_list_path(environment)))?;
        Ok(Self { deploy: deploy.into_entries(), delete: delete.into_entries(), texts })
    }
}
