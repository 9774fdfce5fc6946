//! Lists as files: read, kept for oneself, and replaced.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, fchown};
use std::path::{Path, PathBuf};

use orbit_core::list::{Document, ListError, ListFault, ListFile, MAX_BYTES};

use super::Refusal;

/// One list: where it is, and what is in it.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) path: PathBuf,
    pub(super) text: Result<String, ListError>,
}

impl Text {
    /// Reads a file that is there, and no more of it than a list may have.
    pub(super) fn read(path: &Path) -> Result<Self, Refusal> {
        let (size, bytes) = bytes(path).map_err(Refusal::file(path))?;
        let text = if size > MAX_BYTES {
            let kind = ListFault::TooLarge { found: size, limit: MAX_BYTES };
            Err(ListError { line: 1, column: 1, kind })
        } else {
            String::from_utf8(bytes).map_err(|error| {
                Document::read(error.as_bytes()).expect_err("a list that is not UTF-8 is refused")
            })
        };
        Ok(Self { path: path.to_owned(), text })
    }

    /// Returns the text, or the refusal of a file that is none.
    pub(super) fn text(&self) -> Result<&str, Refusal> {
        self.text.as_deref().map_err(|error| Refusal::read(&self.path, error))
    }

    /// Returns the list, or the refusal of its first fault.
    pub(super) fn document(&self) -> Result<Document<'_>, Refusal> {
        let text = self.text()?;
        Document::read(text.as_bytes()).map_err(|error| Refusal::read(&self.path, &error))
    }
}

/// Returns the size of a file and its bytes, which are left out where there are too many.
fn bytes(path: &Path) -> io::Result<(usize, Vec<u8>)> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let size = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
    if metadata.is_file() && size > MAX_BYTES {
        return Ok((size, Vec::new()));
    }
    // What is no file has no size, and may have no end.
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    Ok((bytes.len(), bytes))
}

/// What the name of a path says of it.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Which of an environment's lists it is.
    pub(super) kind: ListFile,
    /// The path whose name says which list it is, if there is one.
    pub(super) named: Option<PathBuf>,
}

impl Place {
    /// Returns the place of a list; a link of any other name is what it leads to.
    pub(super) fn of(path: &Path) -> Self {
        let target = || fs::canonicalize(path).ok();
        let named = Some(path.to_owned()).filter(|path| kind(path).is_some());
        let named = named.or_else(|| target().filter(|target| kind(target).is_some()));
        // Any other name is a deploy list.
        let kind = named.as_deref().and_then(kind).unwrap_or(ListFile::Deploy);
        Self { kind, named }
    }
}

fn kind(path: &Path) -> Option<ListFile> {
    let is_named = |kind: &ListFile| path.file_name().is_some_and(|n| *n == *kind.to_string());
    [ListFile::Deploy, ListFile::Delete].into_iter().find(is_named)
}

/// A file that one process edits at a time.
///
/// The folder is locked and not the file, which is another one after every edit. The lock ends with the
/// value, or with the process.
#[derive(Debug)]
pub(super) struct Edited {
    /// Where the file is, with no link on the way.
    target: PathBuf,
    folder: File,
}

impl Edited {
    /// Waits until nobody else edits a list in the same folder.
    pub(super) fn begin(path: &Path) -> Result<Self, Refusal> {
        let open = || {
            let target = fs::canonicalize(path)?;
            let folder = File::open(target.parent().unwrap_or(Path::new("/")))?;
            if !fs::metadata(&target)?.is_file() {
                return Err(io::Error::other("is no regular file, and cannot be edited"));
            }
            // A file that may not be written must not be replaced by another one either.
            drop(OpenOptions::new().append(true).open(&target)?);
            folder.lock()?;
            Ok(Self { target, folder })
        };
        open().map_err(Refusal::file(path))
    }

    /// Replaces the content, whole or not at all; a symbolic link stays one.
    pub(super) fn replace(&self, path: &Path, text: &str) -> Result<(), Refusal> {
        self.write(text).map_err(Refusal::file(path))
    }

    fn write(&self, text: &str) -> io::Result<()> {
        let folder = self.target.parent().unwrap_or(Path::new("/"));
        let mut prefix = std::ffi::OsString::from(".");
        prefix.push(self.target.file_name().unwrap_or_default());
        prefix.push(".");
        let mut new = tempfile::Builder::new().prefix(&prefix).tempfile_in(folder)?;
        new.write_all(text.as_bytes())?;
        let old = fs::metadata(&self.target)?;
        keep_owner(new.as_file(), &old)?;
        new.as_file().set_permissions(old.permissions())?;
        new.as_file().sync_all()?;
        new.persist(&self.target)?;
        self.folder.sync_all()
    }
}

/// Gives a file the owner and group of another, as far as this user may.
fn keep_owner(file: &File, old: &Metadata) -> io::Result<()> {
    let new = file.metadata()?;
    if (new.uid(), new.gid()) == (old.uid(), old.gid()) {
        return Ok(());
    }
    match fchown(file, Some(old.uid()), Some(old.gid())) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        done => done,
    }
}
