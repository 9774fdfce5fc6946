//! The data directory: who may use it, and where in it things lie.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use super::OpenFault;

/// A data directory that this process holds for itself until the value is dropped.
#[derive(Debug)]
pub(crate) struct Home {
    dir: PathBuf,
    _lock: File,
}

impl Home {
    /// Creates what is missing of the directory and takes its lock.
    ///
    /// The lock is the operating system's: it ends with the process, however that ends.
    pub(crate) fn claim(dir: &Path) -> Result<Self, OpenFault> {
        fs::create_dir_all(dir).map_err(OpenFault::file(dir))?;
        let path = dir.join("lock");
        let lock = File::options().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(OpenFault::file(&path))?;
        lock.try_lock().map_err(|refusal| match refusal {
            TryLockError::WouldBlock => OpenFault::InUse { dir: dir.to_owned() },
            TryLockError::Error(source) => OpenFault::file(&path)(source),
        })?;
        let home = Self { dir: dir.to_owned(), _lock: lock };
        for dir in [home.images(), home.registry(), home.partial()] {
            fs::create_dir_all(&dir).map_err(OpenFault::file(&dir))?;
        }
        Ok(home)
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
