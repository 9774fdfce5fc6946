//! Writing large files to a repository that is a cache.
//!
//! A list is written anew by every commit. libgit2 hashes it with a guard against forged collisions and
//! packs it with whatever zlib the system has; both take longer than all else that Orbit does.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use git2::{OdbLookupFlags, Oid, Repository};
use sha1::{Digest as _, Sha1};

use crate::fault::Fault;

/// Writes a text as a blob, as [`Repository::blob`] does, without syncing it to disk.
pub(crate) fn write(git: &Repository, text: &str) -> Result<Oid, Fault> {
    let header = format!("blob {}\0", text.len());
    let hash = Sha1::new().chain_update(&header).chain_update(text).finalize();
    let id = Oid::from_bytes(&hash)?;
    if git.odb()?.exists_ext(id, OdbLookupFlags::NO_REFRESH) {
        return Ok(id);
    }
    match put(&git.path().join("objects"), id, [header.as_bytes(), text.as_bytes()]) {
        Ok(()) => Ok(id),
        // libgit2 meets the same obstacle, or finds a way; who calls knows what its errors mean.
        Err(_) => Ok(git.blob(text.as_bytes())?),
    }
}

fn put(objects: &Path, id: Oid, parts: [&[u8]; 2]) -> io::Result<()> {
    let name = id.to_string();
    let (first, rest) = name.split_at(2);
    let directory = objects.join(first);
    match fs::create_dir(&directory) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => {}
    }
    // A thread that was left behind may write the same object.
    let part = objects.join(format!("tmp_{name}_{:08x}", getrandom::u32().unwrap_or_default()));
    let written = pack(&part, parts).and_then(|()| fs::rename(&part, directory.join(rest)));
    written.inspect_err(|_| drop(fs::remove_file(&part)))
}

fn pack(path: &Path, parts: [&[u8]; 2]) -> io::Result<()> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
    for part in parts {
        packed.write_all(part)?;
    }
    File::options().write(true).create_new(true).open(path)?.write_all(&packed.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_git_would_write() {
        let directory = tempfile::tempdir().unwrap();
        let git = Repository::init_bare(directory.path().join("one")).unwrap();
        let other = Repository::init_bare(directory.path().join("other")).unwrap();
        for text in ["", "a", &"- name: film-portal\n".repeat(100_000)] {
            let id = write(&git, text).unwrap();
            assert_eq!(id, other.blob(text.as_bytes()).unwrap());
            let again = Repository::open_bare(git.path()).unwrap();
            assert_eq!(again.find_blob(id).unwrap().content(), text.as_bytes());
            assert_eq!(write(&git, text).unwrap(), id);
        }
        let left = fs::read_dir(git.path().join("objects")).unwrap();
        let names = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let left: Vec<_> = names.filter(|name| name.starts_with("tmp_")).collect();
        assert_eq!(left, Vec::<String>::new());
    }
}
