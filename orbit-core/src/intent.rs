//! What an action wants of the GitOps repository, and how that changes its two lists.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::list::{self, Change, Entry, Finding, ListError, ListFile, Tombstone};
use crate::{ActionId, AppName, Environment, Timestamp};

mod lists;

pub use lists::{ListTexts, ReadLists, delete_list_path, deploy_list_path};

/// A git commit's id: 40 lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommitId(pub String);

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One commit that an action wants on the branch. It holds every byte and date of the commit but its
/// parent and the lines of the lists that others may have changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The action; at most one commit of it ever arrives.
    pub action: ActionId,
    /// The environment whose lists and directories change.
    pub environment: Environment,
    /// The first line of the message.
    pub subject: String,
    /// The trailers of the message, in order.
    pub trailers: Vec<(String, String)>,
    /// Author and committer date.
    pub date: Timestamp,
    /// The head that the plan saw: the action's own commit can only lie after it.
    pub since: CommitId,
    /// What changes.
    pub intent: Intent,
}

/// What changes in the repository. An intent states what it expects to find.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Intent {
    /// Put the entry and its directory; take a tombstone of the name away.
    Deploy {
        /// The new entry.
        entry: Box<Entry>,
        /// The files of the application's directory, path by path.
        files: BTreeMap<String, String>,
        /// The deployment id of the entry it replaces, or `None` where there must be none.
        replaces: Option<String>,
    },
    /// Move the entry to the delete list; its directory stays.
    Retire {
        /// What takes the entry's place.
        tombstone: Box<Tombstone>,
    },
    /// Take the tombstone and the directory away.
    Clear {
        /// The application.
        name: AppName,
        /// The action that left the tombstone.
        left_by: ActionId,
    },
}

/// Why an intent does not fit what the repository holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// A list cannot be read or edited.
    #[error("cannot work with {path}")]
    List {
        /// The file.
        path: String,
        /// The place and the reason.
        source: ListError,
    },
    /// The lists would not be sound after the edit, or were not before.
    #[error("{}", place(findings, environment))]
    Unsound {
        /// The environment.
        environment: Environment,
        /// Every fault, in the order of its place.
        findings: Vec<Finding>,
    },
    /// The entry is not the one the plan saw.
    #[error("{name} in {path} is {found}, expected {expected}")]
    Unexpected {
        /// The application.
        name: AppName,
        /// The file.
        path: String,
        /// What is there.
        found: String,
        /// What the plan saw.
        expected: String,
    },
}

/// Says the first finding with its file, line and column.
fn place(findings: &[Finding], environment: &Environment) -> String {
    let Some(first) = findings.first() else { return "the lists are not sound".to_owned() };
    let path = match first.file {
        ListFile::Deploy => deploy_list_path(environment),
        ListFile::Delete => delete_list_path(environment),
    };
    first.error.in_file(&path)
}

/// Returns the path of an application's directory.
pub fn app_path(environment: &Environment, name: &AppName) -> String {
    format!("environments/{environment}/apps/{name}")
}

impl Intent {
    /// Returns the application it is about.
    pub fn name(&self) -> &AppName {
        match self {
            Self::Deploy { entry, .. } => &entry.name,
            Self::Retire { tombstone } => &tombstone.entry.name,
            Self::Clear { name, .. } => name,
        }
    }

    /// Returns the lists with the intent's changes; nothing but its own lines is touched.
    ///
    /// # Errors
    /// [`Misfit::Unexpected`] where a list does not hold what the plan saw, [`Misfit::List`] where it
    /// cannot be edited, [`Misfit::Unsound`] where Argo CD could not work with the result.
    pub fn apply(&self, environment: &Environment, lists: &ReadLists) -> Result<ReadLists, Misfit> {
        let (deploy, delete) = self.changes(environment, lists)?;
        let edit = |path: String, text: &str, changes: &[Change]| {
            list::apply(text, changes).map_err(|source| Misfit::List { path, source })
        };
        let before = lists.texts();
        let after = ListTexts {
            deploy: edit(deploy_list_path(environment), &before.deploy, &deploy)?,
            delete: edit(delete_list_path(environment), &before.delete, &delete)?,
        };
        ReadLists::sound(environment, after).map_err(|findings| {
            // What was wrong before is told by its place in the file as it is.
            let before = list::check(&before.deploy, &before.delete, Some(environment)).err();
            let findings = before.unwrap_or(findings);
            Misfit::Unsound { environment: environment.clone(), findings }
        })
    }

    /// Returns the changes to the deploy list and to the delete list.
    fn changes(
        &self,
        environment: &Environment,
        lists: &ReadLists,
    ) -> Result<(Vec<Change>, Vec<Change>), Misfit> {
        let entry = lists.deploy().find(self.name()).map(|entry| entry.deployment_id.as_str());
        let tombstone = lists.delete().find(self.name());
        let tombstone = tombstone.map(|stone| stone.deletion.action_id.as_str());
        let expect = |path: String, found: Option<&str>, expected: Option<&str>| {
            if found == expected {
                return Ok(());
            }
            let say = |id: Option<&str>| id.map_or("absent".to_owned(), |id| format!("of {id:?}"));
            let name = self.name().clone();
            Err(Misfit::Unexpected { name, path, found: say(found), expected: say(expected) })
        };
        let deploy_path = deploy_list_path(environment);
        match self {
            Self::Deploy { entry: new, replaces, .. } => {
                expect(deploy_path, entry, replaces.as_deref())?;
                Ok((vec![Change::put(new.as_ref())], vec![Change::Remove(new.name.to_string())]))
            }
            Self::Retire { tombstone } => {
                expect(deploy_path, entry, Some(&tombstone.entry.deployment_id))?;
                let name = tombstone.entry.name.to_string();
                Ok((vec![Change::Remove(name)], vec![Change::put(tombstone.as_ref())]))
            }
            Self::Clear { name, left_by } => {
                expect(deploy_path, entry, None)?;
                expect(delete_list_path(environment), tombstone, Some(left_by.as_str()))?;
                Ok((vec![], vec![Change::Remove(name.to_string())]))
            }
        }
    }
}
