//! Whether the objects of a clone that lie in files of their own are whole.
//!
//! They are not synced to disk, as they can be fetched again, so a loss of power may cut them short.
//! libgit2 must never get to see such a file: it reads it without end.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use flate2::read::ZlibDecoder;

use crate::durable::at;
use crate::fault::Fault;

/// How many objects are read before a new clone is the faster way to whole ones.
const MAX_FILES: usize = 1_000;

/// Tells whether each object can be unpacked to its end, and there are not too many of them.
pub(super) fn are_whole(clone: &Path) -> Result<bool, Fault> {
    let objects = clone.join("objects");
    let mut n_files = 0;
    for directory in fs::read_dir(&objects).map_err(at(&objects))? {
        let directory = directory.map_err(at(&objects))?;
        // Objects are named by 40 hex digits, of which the directory is the first two.
        if directory.file_name().len() != 2 {
            continue;
        }
        let path = directory.path();
        for file in fs::read_dir(&path).map_err(at(&path))? {
            n_files += 1;
            if n_files > MAX_FILES || !is_whole(&file.map_err(at(&path))?.path())? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn is_whole(path: &Path) -> Result<bool, Fault> {
    let file = File::open(path).map_err(at(path))?;
    let unpacked = io::copy(&mut ZlibDecoder::new(file), &mut io::sink());
    Ok(unpacked.is_ok_and(|n_bytes| n_bytes > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_that_is_cut_anywhere_is_not_whole() {
        let directory = tempfile::tempdir().unwrap();
        let git = git2::Repository::init_bare(directory.path()).unwrap();
        assert!(are_whole(directory.path()).unwrap());
        let id = git.blob(&b"some text ".repeat(100)).unwrap().to_string();
        assert!(are_whole(directory.path()).unwrap());
        let path = directory.path().join("objects").join(&id[..2]).join(&id[2..]);
        let whole = fs::read(&path).unwrap();
        for n_bytes in 0..whole.len() {
            fs::remove_file(&path).unwrap();
            fs::write(&path, &whole[..n_bytes]).unwrap();
            assert!(!are_whole(directory.path()).unwrap(), "{n_bytes} of {}", whole.len());
        }
    }
}
