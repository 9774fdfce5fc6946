//! The two lists of an environment, as files beside each other.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use orbit_core::Environment;
use orbit_core::list::{self, Finding, ListFault, ListFile, shown};

use super::file::{Place, Text};
use super::{Refusal, named};

/// The folder that holds a folder for every environment.
const ENVIRONMENTS: &str = "environments";

/// One of the two lists, as far as it is known.
#[derive(Debug, Default)]
pub(super) enum Side {
    /// Nobody named it, and it is nowhere to be expected.
    #[default]
    None,
    /// Nobody named it, and it is not where it should be.
    Missing(PathBuf),
    /// It cannot be read, which was told.
    Unread,
    /// It was read.
    Read(Text),
}

impl Side {
    /// Returns the list, if it was read.
    pub(super) fn read(&self) -> Option<&Text> {
        match self {
            Self::Read(text) => Some(text),
            Self::None | Self::Missing(_) | Self::Unread => None,
        }
    }
}

/// The lists of one environment; what is not there is empty.
#[derive(Debug, Default)]
pub(super) struct Lists {
    pub(super) deploy: Side,
    pub(super) delete: Side,
}

impl Lists {
    pub(super) fn side(&self, kind: ListFile) -> &Side {
        match kind {
            ListFile::Deploy => &self.deploy,
            ListFile::Delete => &self.delete,
        }
    }

    pub(super) fn side_mut(&mut self, kind: ListFile) -> &mut Side {
        match kind {
            ListFile::Deploy => &mut self.deploy,
            ListFile::Delete => &mut self.delete,
        }
    }

    /// Reads the list beside one that is named, for what must hold of both.
    ///
    /// # Errors
    /// The list is there, and cannot be read.
    pub(super) fn complete(&mut self, place: &Place) -> Result<(), Refusal> {
        let beside = other(place.kind);
        let Some(path) = place.named.as_ref().map(|path| path.with_file_name(beside.to_string()))
        else {
            return Ok(());
        };
        if !matches!(self.side(beside), Side::None) {
            return Ok(());
        }
        let (side, refusal) = match Text::read(&path) {
            Ok(text) => (Side::Read(text), None),
            Err(refusal) if !refusal.is_not_found() => (Side::Unread, Some(refusal)),
            Err(_) if environment_folder(&path).is_some() => (Side::Missing(path), None),
            Err(_) => (Side::None, None),
        };
        *self.side_mut(beside) = side;
        refusal.map_or(Ok(()), Err)
    }

    /// Returns what to say of a list that should be there and is not.
    pub(super) fn missing(&self) -> Option<String> {
        let say = |path: &Path, reason| format!("{}:1:1: file is missing, {reason}", named(path));
        match (&self.deploy, &self.delete) {
            (Side::Missing(path), _) => {
                Some(say(path, "and Argo CD would delete every application"))
            }
            (_, Side::Missing(path)) => Some(say(path, "expected a list or []")),
            _ => None,
        }
    }

    /// Returns what is wrong with both.
    pub(super) fn findings(&self, environment: Option<&Environment>) -> Vec<Finding> {
        let text = |side: &Side| {
            let text = side.read().and_then(|side| side.text.as_ref().ok());
            text.map_or("[]", String::as_str).to_owned()
        };
        let mut findings: Vec<Finding> = Vec::new();
        for file in [ListFile::Deploy, ListFile::Delete] {
            let unread = self.side(file).read().and_then(|side| side.text.as_ref().err());
            findings.extend(unread.map(|error| Finding { file, error: error.clone() }));
        }
        let checked = list::check(&text(&self.deploy), &text(&self.delete), environment);
        findings.extend(checked.err().unwrap_or_default());
        findings
    }

    /// Returns `file:line:column: message`.
    pub(super) fn line(&self, finding: &Finding) -> String {
        let path = |kind| self.side(kind).read().map(|side| side.path.display().to_string());
        let name = path(finding.file).unwrap_or_else(|| finding.file.to_string());
        // The message names a line of the other file, which may be anywhere.
        match (&finding.error.kind, path(ListFile::Deploy)) {
            (ListFault::InBoth { name: both, line }, Some(deploy)) => {
                let (at, both) = (finding.error.position(), shown(both, list::SHOWN));
                let (name, deploy) = (shown(&name, usize::MAX), shown(&deploy, usize::MAX));
                let (row, column) = (at.line, at.column);
                format!("{name}:{row}:{column}: {both} is also in {deploy}, line {line}")
            }
            _ => finding.error.in_file(&name),
        }
    }
}

/// Returns the other list of an environment.
pub(super) fn other(kind: ListFile) -> ListFile {
    match kind {
        ListFile::Deploy => ListFile::Delete,
        ListFile::Delete => ListFile::Deploy,
    }
}

/// Returns the folder of a list, with no link on the way.
pub(super) fn folder(path: &Path) -> io::Result<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    fs::canonicalize(folder.unwrap_or(Path::new(".")))
}

/// Returns the name of the folder `<env>` of a path `environments/<env>/<file>`.
///
/// A folder is what its path leads to; one that lies elsewhere, and is linked to from a folder
/// `environments`, counts by the link's name.
fn environment_folder(path: &Path) -> Option<String> {
    let name_of = |folder: &Path| {
        let is_one = folder.parent()?.file_name().is_some_and(|name| name == ENVIRONMENTS);
        let name = folder.file_name().filter(|_| is_one)?;
        Some(name.to_string_lossy().into_owned())
    };
    let linked = || name_of(std::path::absolute(path).ok()?.parent()?);
    folder(path).ok().and_then(|folder| name_of(&folder)).or_else(linked)
}

/// Returns the environment of a path `environments/<env>/<file>`, if it is one.
///
/// # Errors
/// What to say of a folder whose name is no environment's.
pub(super) fn environment(path: &Path) -> Result<Option<Environment>, String> {
    let Some(name) = environment_folder(path) else {
        return Ok(None);
    };
    name.parse().map(Some).map_err(|fault| {
        let name = shown(&name, list::SHOWN);
        format!("{}:1:1: folder {name} is no environment: {fault}", named(path))
    })
}
