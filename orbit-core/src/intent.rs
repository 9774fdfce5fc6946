//! What an action wants of the GitOps repository, and how that changes its two lists.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::list::{
    self, Change, DeleteList, DeployList, Entry, Finding, ListError, ListFile, Tombstone,
};
use crate::{ActionId, AppName, Environment, Timestamp};

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
    /// A list cannot be edited.
    #[error("cannot edit {path}")]
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

/// The text of an environment's two lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListTexts {
    /// `deploy-list.yaml`.
    pub deploy: String,
    /// `delete-list.yaml`.
    pub delete: String,
}

/// Returns the path of an environment's deploy list.
pub fn deploy_list_path(environment: &Environment) -> String {
    format!("environments/{environment}/deploy-list.yaml")
}

/// Returns the path of an environment's delete list.
pub fn delete_list_path(environment: &Environment) -> String {
    format!("environments/{environment}/delete-list.yaml")
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
    /// [`Misfit::List`] where a list is outside of the dialect, [`Misfit::Unexpected`] where it does
    /// not hold what the plan saw, [`Misfit::Unsound`] where Argo CD could not work with the result.
    pub fn apply(&self, environment: &Environment, lists: &ListTexts) -> Result<ListTexts, Misfit> {
        let (deploy_path, delete_path) =
            (deploy_list_path(environment), delete_list_path(environment));
        let in_list = |path: &str| {
            let path = path.to_owned();
            move |source| Misfit::List { path, source }
        };
        let deployed = DeployList::read(&lists.deploy).map_err(in_list(&deploy_path))?;
        let retired = DeleteList::read(&lists.delete).map_err(in_list(&delete_path))?;
        let entry = deployed.find(self.name()).map(|entry| entry.deployment_id.as_str());
        let tombstone = retired.find(self.name()).map(|stone| stone.deletion.action_id.as_str());
        let expect = |path: &str, found: Option<&str>, expected: Option<&str>| {
            if found == expected {
                return Ok(());
            }
            let say = |id: Option<&str>| id.map_or("absent".to_owned(), |id| format!("of {id:?}"));
            let (name, path) = (self.name().clone(), path.to_owned());
            Err(Misfit::Unexpected { name, path, found: say(found), expected: say(expected) })
        };
        let (deploy, delete) = match self {
            Self::Deploy { entry: new, replaces, .. } => {
                expect(&deploy_path, entry, replaces.as_deref())?;
                (vec![Change::put(new.as_ref())], vec![Change::Remove(new.name.to_string())])
            }
            Self::Retire { tombstone } => {
                expect(&deploy_path, entry, Some(&tombstone.entry.deployment_id))?;
                (
                    vec![Change::Remove(tombstone.entry.name.to_string())],
                    vec![Change::put(tombstone.as_ref())],
                )
            }
            Self::Clear { name, left_by } => {
                expect(&deploy_path, entry, None)?;
                expect(&delete_path, tombstone, Some(left_by.as_str()))?;
                (vec![], vec![Change::Remove(name.to_string())])
            }
        };
        let after = ListTexts {
            deploy: list::apply(&lists.deploy, &deploy).map_err(in_list(&deploy_path))?,
            delete: list::apply(&lists.delete, &delete).map_err(in_list(&delete_path))?,
        };
        let findings = list::check(&after.deploy, &after.delete, Some(environment)).err();
        let Some(findings) = findings else { return Ok(after) };
        // What was wrong before is told by its place in the file as it is.
        let before = list::check(&lists.deploy, &lists.delete, Some(environment)).err();
        let findings = before.unwrap_or(findings);
        Err(Misfit::Unsound { environment: environment.clone(), findings })
    }
}
