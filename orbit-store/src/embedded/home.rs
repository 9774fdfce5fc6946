//! The data directory: who may use it, and where in it things lie.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::OpenFault;
use super::directory::Sharing;
use super::file;

/// How often a process that shares the directory tries for its lock, which another one that opens it
/// holds alone for a moment.
const TRIES: u32 = 40;
const PAUSE: Duration = Duration::from_millis(25);

/// A data directory that this process holds, alone or beside others, until the value is dropped.
#[derive(Debug)]
pub(crate) struct Home {
    dir: PathBuf,
    lock: File,
}

impl Home {
    /// Creates what is missing of the directory, takes its lock, and removes the writes that a process
    /// left unfinished, if no other one can be at them.
    ///
    /// The lock is the operating system's: it ends with the process, however that ends.
    pub(crate) fn claim(dir: &Path, sharing: Sharing) -> Result<Self, OpenFault> {
        fs::create_dir_all(dir).map_err(OpenFault::file(dir))?;
        let path = dir.join("lock");
        let lock = File::options().create(true).truncate(false).write(true).open(&path);
        let home = Self { dir: dir.to_owned(), lock: lock.map_err(OpenFault::file(&path))? };
        match sharing {
            Sharing::Alone => {
                home.take(File::try_lock)?;
                home.make_folders()?;
            }
            Sharing::Shared => home.share()?,
        }
        Ok(home)
    }

    /// Who comes first clears up; the others find nothing of their own in the way.
    fn share(&self) -> Result<(), OpenFault> {
        if self.take(File::try_lock).is_ok() {
            self.make_folders()?;
        }
        let mut refused = self.take(File::try_lock_shared);
        for _ in 1..TRIES {
            match refused {
                Err(OpenFault::InUse { .. }) => thread::sleep(PAUSE),
                Err(_) | Ok(()) => break,
            }
            refused = self.take(File::try_lock_shared);
        }
        refused
    }

    fn take(&self, take: fn(&File) -> Result<(), TryLockError>) -> Result<(), OpenFault> {
        take(&self.lock).map_err(|refusal| match refusal {
            TryLockError::WouldBlock => OpenFault::InUse { dir: self.dir.clone() },
            TryLockError::Error(source) => OpenFault::file(&self.dir.join("lock"))(source),
        })
    }

    fn make_folders(&self) -> Result<(), OpenFault> {
        for dir in [self.registry(), self.partial()] {
            fs::create_dir_all(&dir).map_err(OpenFault::file(&dir))?;
        }
        file::clear(&self.partial()).map_err(OpenFault::file(&self.partial()))
    }

    /// Waits until no other process works on what a file of this name stands for; the turn lasts until
    /// the value is dropped.
    pub(crate) fn take_turn(&self, name: &str) -> io::Result<File> {
        let path = self.dir.join(name);
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        file.lock()?;
        Ok(file)
    }

    /// Returns the database's file.
    pub(crate) fn database(&self) -> PathBuf {
        self.dir.join("orbit.db")
    }

    /// Returns the file that holds the installation's id.
    pub(crate) fn installation(&self) -> PathBuf {
        self.dir.join("installation")
    }

    /// Returns the directory of all buckets.
    pub(crate) fn images(&self) -> PathBuf {
        self.dir.join("images")
    }

    /// Returns the registry's OCI image layout.
    pub(crate) fn registry(&self) -> PathBuf {
        self.dir.join("registry")
    }

    /// Returns the directory of files that are still being written, on the same file system as
    /// the places they go to.
    pub(crate) fn partial(&self) -> PathBuf {
        self.dir.join("partial")
    }
}
