//! The two lists of an environment, and what moves between them.

use std::fmt;

use super::edit::{Change, apply};
use super::entry::{DeleteList, Deletion, DeployList, Entry, Tombstone};
use super::fault::{ListError, ListFault, Position};
use crate::AppName;

/// One of the two lists of an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ListFile {
    /// `deploy-list.yaml`.
    Deploy,
    /// `delete-list.yaml`.
    Delete,
}

impl fmt::Display for ListFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deploy => "deploy-list.yaml",
            Self::Delete => "delete-list.yaml",
        })
    }
}

/// A fault and the list it is in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {error}")]
pub struct Finding {
    /// The list.
    pub file: ListFile,
    /// What is wrong, and where.
    pub error: ListError,
}

pub(super) fn in_deploy(error: ListError) -> Finding {
    Finding { file: ListFile::Deploy, error }
}

pub(super) fn in_delete(error: ListError) -> Finding {
    Finding { file: ListFile::Delete, error }
}

/// Returns the deploy list and the delete list after an application was deployed.
///
/// The entry is put into the first list, and its tombstone leaves the second. Keys of the tombstone that
/// are not Orbit's leave with it, and do not move. [`check`](super::check()) must follow before the lists
/// are pushed: what is wrong with other entries is not looked at here.
///
/// # Errors
/// The first fault in either text, with the list it is in.
pub fn deploy(deploy: &str, delete: &str, entry: &Entry) -> Result<(String, String), Finding> {
    let deploy = apply(deploy, &[Change::put(entry)]).map_err(in_deploy)?;
    let tombstone = Change::Remove(entry.name.to_string());
    let delete = apply(delete, &[tombstone]).map_err(in_delete)?;
    Ok((deploy, delete))
}

/// Returns the deploy list and the delete list after an entry moved from the first to the second.
///
/// An entry that has moved already is left as it is, so that the call may be repeated. Keys of the entry
/// that are not Orbit's leave with it, and do not move. [`check`](super::check()) must follow before the
/// lists are pushed: what is wrong with other entries is not looked at here.
///
/// # Errors
/// The first fault in either text, or [`ListFault::NotListed`], with the list it is in.
pub fn retire(
    deploy: &str,
    delete: &str,
    name: &AppName,
    deletion: Deletion,
) -> Result<(String, String), Finding> {
    let entries = DeployList::read(deploy).map_err(in_deploy)?;
    let Some(entry) = entries.find(name) else {
        let tombstones = DeleteList::read(delete).map_err(in_delete)?;
        return match tombstones.find(name) {
            Some(_) => Ok((deploy.to_owned(), delete.to_owned())),
            None => Err(in_deploy(not_listed(name))),
        };
    };
    let tombstone = Tombstone { entry: entry.clone(), deletion };
    let removal = Change::Remove(name.to_string());
    let deploy = apply(deploy, &[removal]).map_err(in_deploy)?;
    let delete = apply(delete, &[Change::put(&tombstone)]).map_err(in_delete)?;
    Ok((deploy, delete))
}

fn not_listed(name: &AppName) -> ListError {
    let start = Position { line: 1, column: 1 };
    ListError::new(start, ListFault::NotListed { name: name.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "# tombstones\n[]\n";

    fn trolls() -> Entry {
        Entry {
            name: "trolls".parse().unwrap(),
            image_uid: "A".repeat(60).parse().unwrap(),
            image_version: "v0-0-01".parse().unwrap(),
            image_name: "Trolls: \"World\" Tour".to_owned(),
            environment: "development".parse().unwrap(),
            image: "docker.io/k8or-orbit-aws/trolls".to_owned(),
            digest: crate::Digest::of(b""),
            namespace: "development".to_owned(),
            deployment_id: "d1".to_owned(),
        }
    }

    fn deletion() -> Deletion {
        Deletion {
            deleted_at: "2025-01-25T10:00:00Z".to_owned(),
            deleted_by: "ada".to_owned(),
            action_id: "01JJACT10N0000000000000001".parse().unwrap(),
        }
    }

    #[test]
    fn an_entry_moves_to_the_delete_list_and_back_without_a_trace() {
        let entry = trolls();
        let (deployed, none) = deploy("[]\n", EMPTY, &entry).unwrap();
        assert_eq!(none, EMPTY);
        let (empty, retired) = retire(&deployed, EMPTY, &entry.name, deletion()).unwrap();
        assert_eq!(empty, "[]\n");
        let tombstones = DeleteList::read(&retired).unwrap();
        let expected = Tombstone { entry: entry.clone(), deletion: deletion() };
        assert_eq!(tombstones.entries(), [expected]);
        assert_eq!(deploy(&empty, &retired, &entry).unwrap(), (deployed, EMPTY.to_owned()));
    }

    #[test]
    fn an_entry_that_moved_already_is_left_as_it_is() {
        let entry = trolls();
        let deployed = deploy("[]\n", EMPTY, &entry).unwrap().0;
        let once = retire(&deployed, EMPTY, &entry.name, deletion()).unwrap();
        let later = Deletion { deleted_by: "grace".to_owned(), ..deletion() };
        assert_eq!(retire(&once.0, &once.1, &entry.name, later).unwrap(), once);
    }

    #[test]
    fn an_entry_in_neither_list_does_not_move() {
        let refusal = retire("[]\n", EMPTY, &trolls().name, deletion()).unwrap_err();
        let expected = "deploy-list.yaml: line 1, column 1: trolls is in neither list";
        assert_eq!(refusal.to_string(), expected);
    }
}
