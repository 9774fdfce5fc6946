//! Reading and making git trees, without ever following what is not a regular file.

use std::collections::BTreeMap;
use std::path::Path;

use git2::build::TreeUpdateBuilder;
use git2::{ErrorCode, FileMode, Oid, Repository, Tree, TreeEntry};

use crate::fault::Fault;

/// The longest file that is read, in bytes: the limit for YAML of every kind.
const MAX_BYTES: usize = 16 << 20;
/// The longest component of a path, in bytes, that file systems take.
const MAX_COMPONENT: usize = 255;

const TREE: i32 = 0o040_000;
const REGULAR: i32 = 0o100_644;
const EXECUTABLE: i32 = 0o100_755;
const LINK: i32 = 0o120_000;
const SUBMODULE: i32 = 0o160_000;

/// Returns the text of the regular file at a path, or `None` if nothing is there.
pub(crate) fn read(git: &Repository, tree: &Tree<'_>, path: &str) -> Result<Option<String>, Fault> {
    let Some((id, _)) = find_file(git, tree, path)? else { return Ok(None) };
    text(git, path, id).map(Some)
}

/// Returns the id and the mode of the regular file at a path, which is not too long to be read, or
/// `None` if nothing is there.
pub(crate) fn find_file(
    git: &Repository,
    tree: &Tree<'_>,
    path: &str,
) -> Result<Option<(Oid, FileMode)>, Fault> {
    let Some(entry) = find(tree, path)? else { return Ok(None) };
    let mode = match entry.filemode_raw() {
        REGULAR => FileMode::Blob,
        EXECUTABLE => FileMode::BlobExecutable,
        odd => return Err(not_regular(path, odd, "a regular file")),
    };
    let (found, _) = git.odb()?.read_header(entry.id())?;
    if found > MAX_BYTES {
        return Err(Fault::TooLarge { path: path.to_owned(), found, limit: MAX_BYTES });
    }
    Ok(Some((entry.id(), mode)))
}

/// Returns the text of the file that was found at a path.
pub(crate) fn text(git: &Repository, path: &str, id: Oid) -> Result<String, Fault> {
    decode(path, git.find_blob(id)?.content())
}

fn decode(path: &str, bytes: &[u8]) -> Result<String, Fault> {
    let fault = match std::str::from_utf8(bytes) {
        Ok(text) => return Ok(text.to_owned()),
        Err(fault) => fault,
    };
    let before = String::from_utf8_lossy(bytes.get(..fault.valid_up_to()).unwrap_or_default());
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    Err(Fault::Encoding { path: path.to_owned(), line, column })
}

/// Tells whether there is a directory at a path; anything else there is refused.
pub(crate) fn has_directory(tree: &Tree<'_>, path: &str) -> Result<bool, Fault> {
    match find(tree, path)? {
        Some(entry) => expect_directory(path, &entry).map(|()| true),
        None => Ok(false),
    }
}

/// Returns what is at a path; all on the way to it must be directories.
fn find(tree: &Tree<'_>, path: &str) -> Result<Option<TreeEntry<'static>>, Fault> {
    for (end, _) in path.match_indices('/') {
        let (parent, _) = path.split_at(end);
        match entry(tree, parent)? {
            Some(entry) => expect_directory(parent, &entry)?,
            None => return Ok(None),
        }
    }
    entry(tree, path)
}

fn entry(tree: &Tree<'_>, path: &str) -> Result<Option<TreeEntry<'static>>, Fault> {
    match tree.get_path(Path::new(path)) {
        Ok(entry) => Ok(Some(entry)),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn expect_directory(path: &str, entry: &TreeEntry<'_>) -> Result<(), Fault> {
    match entry.filemode_raw() {
        TREE => Ok(()),
        other => Err(not_regular(path, other, "a directory")),
    }
}

fn not_regular(path: &str, mode: i32, expected: &'static str) -> Fault {
    let found = match mode {
        TREE => "a directory".to_owned(),
        REGULAR | EXECUTABLE => "a file".to_owned(),
        LINK => "a symbolic link".to_owned(),
        SUBMODULE => "a submodule".to_owned(),
        odd => format!("of mode {odd:06o}"),
    };
    Fault::NotRegular { path: path.to_owned(), found, expected }
}

/// Writes a directory of regular files, and returns its tree.
pub(crate) fn write(git: &Repository, files: &BTreeMap<String, String>) -> Result<Oid, Fault> {
    let mut update = TreeUpdateBuilder::new();
    for (path, text) in files {
        check_path(path, files)?;
        update.upsert(path.as_str(), git.blob(text.as_bytes())?, FileMode::Blob);
    }
    Ok(update.create_updated(git, &empty(git)?)?)
}

/// Returns the tree without entries.
pub(crate) fn empty(git: &Repository) -> Result<Tree<'_>, Fault> {
    let id = git.treebuilder(None)?.write()?;
    Ok(git.find_tree(id)?)
}

/// Refuses a path that could mean something else than a file below the directory, to any system
/// that checks it out, or that Argo CD would take for its own settings.
fn check_path(path: &str, files: &BTreeMap<String, String>) -> Result<(), Fault> {
    let refuse = |reason| Err(Fault::Path { path: path.to_owned(), reason });
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    for component in path.split('/') {
        if component.is_empty() {
            return refuse("it has an empty component");
        }
        if component.starts_with('.') {
            return refuse("a component begins with a dot");
        }
        if !component.chars().all(is_plain) {
            return refuse("a component holds more than letters, digits, '.', '_' and '-'");
        }
        if component.len() > MAX_COMPONENT {
            return refuse("a component is longer than 255 bytes");
        }
    }
    let mut parents = path.match_indices('/').map(|(end, _)| path.split_at(end).0);
    if parents.any(|parent| files.contains_key(parent)) {
        return refuse("a file is where its directory would be");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
