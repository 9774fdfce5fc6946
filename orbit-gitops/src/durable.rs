//! What is committed survives a loss of power.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use git2::{ConfigLevel, Repository};

use crate::fault::Fault;

/// The settings that only Orbit reads: git itself complains about this one.
const FILE: &str = "orbit.config";
/// Objects and references are synced to disk before they are renamed into place, and so are the
/// directories they are in.
const SETTINGS: &str = "[core]\n\tfsyncObjectFiles = true\n";

/// Opens a bare repository in which every write reaches the disk before the next.
pub(crate) fn open(path: &Path, branch: &str) -> Result<Repository, Fault> {
    let git = Repository::open_bare(path)?;
    let file = path.join(FILE);
    write_settings(&file).map_err(at(&file))?;
    let mut config = git.config()?;
    config.add_file(&file, ConfigLevel::App, true)?;
    git.set_config(&config)?;
    // A process that died may have left its last commit, but not yet the name of it, on the disk.
    let loose = path.join(branch);
    if let Some(directory) = loose.parent().filter(|directory| directory.is_dir()) {
        sync(directory)?;
    }
    sync(path)?;
    Ok(git)
}

/// Writes the settings unless they are there. They appear whole: other processes read them meanwhile.
fn write_settings(file: &Path) -> io::Result<()> {
    if fs::read(file).is_ok_and(|there| there == SETTINGS.as_bytes()) {
        return Ok(());
    }
    static N_DRAFTS: AtomicU32 = AtomicU32::new(0);
    let (process, n) = (std::process::id(), N_DRAFTS.fetch_add(1, Ordering::Relaxed));
    let draft = file.with_extension(format!("config.{process}-{n}"));
    fs::write(&draft, SETTINGS)?;
    fs::rename(&draft, file)
}

/// Syncs the directory that new directories of objects are made in.
pub(crate) fn sync_objects(git: &Repository) -> Result<(), Fault> {
    sync(&git.path().join("objects"))
}

/// Syncs a directory and all in it.
pub(crate) fn sync_all(directory: &Path) -> Result<(), Fault> {
    for entry in fs::read_dir(directory).map_err(at(directory))? {
        let path = entry.map_err(at(directory))?.path();
        if path.is_dir() {
            sync_all(&path)?;
        } else {
            sync(&path)?;
        }
    }
    sync(directory)
}

/// Syncs one file or directory.
pub(crate) fn sync(path: &Path) -> Result<(), Fault> {
    File::open(path).and_then(|file| file.sync_all()).map_err(at(path))
}

/// Says which path an error is about.
pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> Fault {
    let path = path.to_owned();
    move |source| Fault::Disk { path, source }
}
