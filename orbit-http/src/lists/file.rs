//! The two lists of an environment, as files beside each other.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use orbit_core::Environment;
use orbit_core::list::{self, Document, Finding, ListError, ListFault, ListFile};

use super::Refusal;

/// The folder that holds a folder for every environment.
const ENVIRONMENTS: &str = "environments";

/// One list: where it is, and what is in it.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) path: PathBuf,
    pub(super) text: Result<String, ListError>,
}

impl Text {
    /// Reads a file that is there.
    pub(super) fn read(path: &Path) -> Result<Self, Refusal> {
        let bytes = fs::read(path).map_err(Refusal::file(path))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            Document::read(error.as_bytes()).expect_err("a list that is not UTF-8 is refused")
        });
        Ok(Self { path: path.to_owned(), text })
    }

    /// Returns the text, or the refusal of a file that is none.
    pub(super) fn text(&self) -> Result<&str, Refusal> {
        self.text.as_deref().map_err(|error| Refusal::read(&self.path, error))
    }
}

/// The lists of one environment that can be found; what is not there is empty.
#[derive(Debug, Default)]
pub(super) struct Lists {
    pub(super) deploy: Option<Text>,
    pub(super) delete: Option<Text>,
}

impl Lists {
    pub(super) fn side(&mut self, kind: ListFile) -> &mut Option<Text> {
        match kind {
            ListFile::Deploy => &mut self.deploy,
            ListFile::Delete => &mut self.delete,
        }
    }

    fn path(&self, kind: ListFile) -> Option<&Path> {
        let side = match kind {
            ListFile::Deploy => &self.deploy,
            ListFile::Delete => &self.delete,
        };
        side.as_ref().map(|side| side.path.as_path())
    }

    /// Reads the list beside one that is named, for what must hold of both.
    pub(super) fn complete(&mut self) {
        for (there, beside) in
            [(ListFile::Deploy, ListFile::Delete), (ListFile::Delete, ListFile::Deploy)]
        {
            let named = self.path(there).filter(|path| kind(path).1);
            let Some(path) = named.map(|path| path.with_file_name(beside.to_string())) else {
                continue;
            };
            if self.side(beside).is_none() {
                *self.side(beside) = Text::read(&path).ok();
            }
        }
    }

    /// Returns what is wrong with both.
    pub(super) fn findings(&self, environment: Option<&Environment>) -> Vec<Finding> {
        let text = |side: &Option<Text>| {
            let text = side.as_ref().and_then(|side| side.text.as_ref().ok());
            text.map_or("[]", String::as_str).to_owned()
        };
        let mut findings: Vec<Finding> = Vec::new();
        for (file, side) in [(ListFile::Deploy, &self.deploy), (ListFile::Delete, &self.delete)] {
            let unread = side.as_ref().and_then(|side| side.text.as_ref().err());
            findings.extend(unread.map(|error| Finding { file, error: error.clone() }));
        }
        let checked = list::check(&text(&self.deploy), &text(&self.delete), environment);
        findings.extend(checked.err().unwrap_or_default());
        findings
    }

    /// Returns `file:line:column: message`.
    pub(super) fn line(&self, finding: &Finding) -> String {
        let path = self.path(finding.file).map(|path| path.display().to_string());
        let mut line = finding.error.in_file(&path.unwrap_or_else(|| finding.file.to_string()));
        // The message names a line of the other file, which may be anywhere.
        if let (ListFault::InBoth { .. }, Some(other)) =
            (&finding.error.kind, self.path(ListFile::Deploy))
        {
            line = line.replace("the deploy list", &other.display().to_string());
        }
        line
    }
}

/// Returns which list a file is, and whether its name says so: any other name is a deploy list.
pub(super) fn kind(path: &Path) -> (ListFile, bool) {
    let is_named = |kind: &ListFile| path.file_name().is_some_and(|n| *n == *kind.to_string());
    let named = [ListFile::Deploy, ListFile::Delete].into_iter().find(is_named);
    (named.unwrap_or(ListFile::Deploy), named.is_some())
}

/// Returns the environment of a path `environments/<env>/<file>`.
pub(super) fn environment(path: &Path) -> Option<Environment> {
    let path = std::path::absolute(path).ok()?;
    let folder = path.parent()?;
    let is_one = folder.parent()?.file_name().is_some_and(|name| name == ENVIRONMENTS);
    folder.file_name()?.to_str().filter(|_| is_one)?.parse().ok()
}

/// Replaces a file's content, whole or not at all; a symbolic link stays one.
pub(super) fn replace(path: &Path, text: &str) -> Result<(), Refusal> {
    let write = || {
        let path = fs::canonicalize(path)?;
        let folder = path.parent().unwrap_or(Path::new("/"));
        let mut new = tempfile::NamedTempFile::new_in(folder)?;
        new.write_all(text.as_bytes())?;
        new.as_file().set_permissions(fs::metadata(&path)?.permissions())?;
        new.as_file().sync_all()?;
        new.persist(&path)?;
        Ok(())
    };
    write().map_err(Refusal::file(path))
}
