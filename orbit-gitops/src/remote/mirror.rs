//! The clone of a remote repository that is kept between calls and between runs.
//!
//! It is bare, without a work tree, and shallow where the server allows it. Everything in it is on
//! the server: it may be deleted at any time, and is made anew when it is damaged.

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use git2::{Config, ConfigLevel, Oid, Repository, RepositoryInitOptions, RepositoryOpenFlags};
use orbit_core::ActionId;
use orbit_core::intent::CommitId;
use tracing::{info, warn};

use crate::branch::Branch;
use crate::durable::at;
use crate::fault::Fault;
use crate::remote::ahead::{Ahead, Dispatcher, Ending};
use crate::remote::fault::RemoteFault;
use crate::remote::link::{Link, Pushed};
use crate::remote::loose;
use crate::remote::verdict::Status;
use crate::remote::worker::THREAD;
use crate::setup::Identity;

/// The file that tells a clone of Orbit's from all else; nothing without it is ever deleted.
const MARK: &str = "orbit-clone";
/// How deep the history is made when more of it is needed, step by step, the last one being git's
/// number for all of it.
const DEPTHS: [i32; 3] = [64, 1024, i32::MAX];
/// How many files one of the 256 directories of objects may hold, and how many packs there may be,
/// before the clone is made anew: nobody packs it, and of old lists only the server needs to know.
const MAX_FILES: usize = 48;
/// The setting that bounds what libgit2 keeps to find deltas in. By default it compares each list with
/// the ten before it, which is most of the work of a large push.
const WINDOW: &str = "pack.windowMemory";

/// How often a clone is tried to be taken, and the pause between two tries.
const LOCK_TRIES: u32 = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// What a clone is made of and by.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    pub(crate) branch: String,
    pub(crate) identity: Identity,
    pub(crate) link: Link,
}

/// A clone, open, with the server's head as it was last seen.
pub(crate) struct Mirror {
    pub(crate) branch: Branch,
    /// What was made on the last commit that was pushed, while it was.
    pub(crate) ahead: Option<Ahead>,
    /// A second handle on the same repository, for the thread that pushes. It is opened anew when the
    /// history was made deeper: where a shallow one ends, a handle knows as of when it was opened.
    pushing: Option<Repository>,
    place: Place,
    head: Option<Oid>,
    others: Vec<String>,
}

/// Takes a clone for this process, until what is returned is dropped.
pub(crate) fn lock(path: &Path) -> Result<File, Fault> {
    let mut name = path.components().as_path().as_os_str().to_owned();
    name.push(".lock");
    let lock = PathBuf::from(name);
    if let Some(directory) = lock.parent() {
        fs::create_dir_all(directory).map_err(at(directory))?;
    }
    let options = File::options().create(true).truncate(false).write(true).open(&lock);
    let file = options.map_err(at(&lock))?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            // A process that is just being started holds all files of this one for a moment.
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(error)) => return Err(at(&lock)(error)),
        }
    }
    Err(RemoteFault::InUse { path: path.to_owned() }.into())
}

impl Mirror {
    /// Opens the clone as it was left, or makes it; then the server is asked for its head.
    pub(crate) fn open(place: &Place) -> Result<Self, Fault> {
        if is_clone_of(place)? && loose::are_whole(&place.path).unwrap_or(false) {
            remove_locks(&place.path, true)?;
            match Self::reopen(place).and_then(|mut mirror| mirror.sync().map(|()| mirror)) {
                Err(Fault::Git(error)) => warn!(
                    clone = %place.path.display(),
                    "The clone {} is damaged: {}", place.path.display(), error.message()
                ),
                result => return result,
            }
        }
        Self::make(place)
    }

    /// Opens the clone as it was left.
    pub(crate) fn reopen(place: &Place) -> Result<Self, Fault> {
        let branch = Branch::of_cache(open(place)?, place.branch.clone(), place.identity.clone());
        let (place, others) = (place.clone(), Vec::new());
        Ok(Self { branch, ahead: None, pushing: None, place, head: None, others })
    }

    /// Makes the clone, in the place of the one that was there.
    pub(crate) fn make(place: &Place) -> Result<Self, Fault> {
        let path = &place.path;
        if path.try_exists().map_err(at(path))? {
            if !path.join(MARK).is_file() && !is_begun_only(path, true)? {
                return Err(RemoteFault::NotOurs { path: path.clone() }.into());
            }
            fs::remove_dir_all(path).map_err(at(path))?;
        }
        fs::create_dir_all(path).map_err(at(path))?;
        let mark = path.join(MARK);
        fs::write(&mark, mark_of(place)).map_err(at(&mark))?;
        let mut options = RepositoryInitOptions::new();
        options.bare(true).external_template(false).initial_head(&place.branch);
        Repository::init_opts(path, &options)?;
        let mut mirror = Self::reopen(place)?;
        mirror.fetch_newest()?;
        info!(clone = %path.display(), "Cloned {} to {}", place.link.url(), path.display());
        Ok(mirror)
    }

    /// Reads from the clone, which is made anew, once, if it turns out to be damaged.
    pub(crate) fn sound<T>(
        &mut self,
        work: impl Fn(&Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        match work(self) {
            Err(Fault::Git(error)) => {
                warn!("The clone {} is damaged: {}", self.place.path.display(), error.message());
                *self = Self::make(&self.place)?;
                work(self)
            }
            result => result,
        }
    }

    /// Asks the server for its head, and fetches what is new.
    pub(crate) fn sync(&mut self) -> Result<(), Fault> {
        if is_bulky(&self.place.path)? {
            *self = Self::make(&self.place)?;
            Ok(())
        } else if self.branch.head().is_ok() {
            self.fetch(0)
        } else {
            self.fetch_newest()
        }
    }

    pub(crate) fn server(&self) -> String {
        self.place.link.server()
    }

    /// Returns the server's head as it was last seen.
    pub(crate) fn head(&self) -> Result<Oid, Fault> {
        self.head.ok_or_else(|| Fault::NoBranch { branch: self.place.branch.clone() })
    }

    /// Returns the server's head as it was last seen, or `None` of a repository without branches.
    pub(crate) fn head_if_any(&self) -> Result<Option<Oid>, Fault> {
        if self.head.is_some() || self.others.is_empty() {
            return Ok(self.head);
        }
        let (branch, found) = (self.place.branch.clone(), self.others.join(", "));
        Err(RemoteFault::OtherBranches { branch, found }.into())
    }

    /// Pushes a commit that follows `from`, the head as it was last seen, or zero where there is none.
    pub(crate) fn push(&mut self, from: Oid, to: Oid) -> Result<Pushed, Fault> {
        let Self { branch, place, .. } = self;
        let pushed = place.link.push(&branch.git, &place.branch, from, to)?;
        self.pushed(&pushed, to)?;
        Ok(pushed)
    }

    /// Pushes a commit as [`push`](Self::push) does, and makes commits on it meanwhile, of what comes.
    pub(crate) fn push_and_go_ahead(
        &mut self,
        (from, to): (Oid, Oid),
        dispatcher: &dyn Dispatcher,
    ) -> Result<Pushed, Fault> {
        let Self { branch, pushing, place, .. } = self;
        let pushing = match pushing {
            Some(pushing) => pushing,
            None => pushing.insert(open(place)?),
        };
        let is_over = AtomicBool::new(false);
        let (pushed, ahead) = thread::scope(|scope| {
            let ending = Ending { dispatcher, is_over: &is_over };
            let coming = |n| dispatcher.coming(n, &is_over);
            let make = move || Ahead::make(branch, to, coming);
            // Without a thread, or if it ends badly, nothing is made ahead.
            let maker = thread::Builder::new().name(THREAD.to_owned()).spawn_scoped(scope, make);
            let pushed = place.link.push(pushing, &place.branch, from, to);
            drop(ending);
            (pushed, maker.ok().and_then(|maker| maker.join().ok()))
        });
        self.ahead = ahead;
        let pushed = pushed?;
        self.pushed(&pushed, to)?;
        Ok(pushed)
    }

    fn pushed(&mut self, pushed: &Pushed, to: Oid) -> Result<(), Fault> {
        if matches!(pushed, Pushed::Answered(Status::Taken)) {
            self.branch.git.reference(self.branch.name(), to, true, "orbit")?;
            self.head = Some(to);
        }
        Ok(())
    }

    /// Returns the commit of an action that lies after `since`, and fetches as much of the history as
    /// it takes to know.
    pub(crate) fn find(
        &mut self,
        action: &ActionId,
        since: &CommitId,
    ) -> Result<Option<Oid>, Fault> {
        self.deeply(|mirror| {
            let head = mirror.branch.git.find_commit(mirror.head()?)?;
            mirror.branch.find(action, since, &head)
        })
    }

    /// Does something, again and again with more of the history, until there is enough of it.
    pub(crate) fn deeply<T>(
        &mut self,
        work: impl Fn(&Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        for depth in DEPTHS {
            match work(self) {
                Err(Fault::Truncated { .. }) => self.deepen(depth)?,
                result => return result,
            }
        }
        work(self)
    }

    fn deepen(&mut self, depth: i32) -> Result<(), Fault> {
        info!(depth, "Fetching more of the history of {}", self.place.link.url());
        self.fetch(depth)?;
        // The commits that are in memory still end where the history ended before.
        *self = Self { head: self.head, ..Self::reopen(&self.place)? };
        Ok(())
    }

    /// Fetches the newest commit alone, or all of them from a server that cannot do that.
    fn fetch_newest(&mut self) -> Result<(), Fault> {
        match self.fetch(1) {
            Err(Fault::Remote(RemoteFault::Connection { source, .. }))
                if source.message().contains("shallow") =>
            {
                self.fetch(0)
            }
            result => result,
        }
    }

    fn fetch(&mut self, depth: i32) -> Result<(), Fault> {
        let (git, branch) = (&self.branch.git, self.branch.name());
        let (head, others) = self.place.link.fetch(git, branch, depth)?;
        if depth > 0 {
            self.pushing = None;
        }
        if let Some(head) = head {
            git.find_commit(head)?;
        }
        (self.head, self.others) = (head, others);
        Ok(())
    }
}

/// Opens the repository of a clone.
fn open(place: &Place) -> Result<Repository, Fault> {
    // The plain `open_bare` does not read where the history of a shallow clone ends.
    let flags =
        RepositoryOpenFlags::BARE | RepositoryOpenFlags::NO_SEARCH | RepositoryOpenFlags::NO_DOTGIT;
    let git = Repository::open_ext(&place.path, flags, None::<&OsStr>)?;
    // Settings of whoever runs Orbit must not send it to another server.
    let mut config = Config::new()?;
    config.add_file(&place.path.join("config"), ConfigLevel::Local, true)?;
    // A list is a delta of the newest one: beyond a byte, libgit2 forgets all but the last base.
    if config.get_i64(WINDOW).is_err() {
        config.set_i64(WINDOW, 1)?;
    }
    git.set_config(&config)?;
    Ok(git)
}

/// Tells whether there is a clone of this very branch that was once complete.
fn is_clone_of(place: &Place) -> Result<bool, Fault> {
    let mark = place.path.join(MARK);
    if !mark.try_exists().map_err(at(&mark))? {
        return Ok(false);
    }
    let is_same = fs::read(&mark).map_err(at(&mark))? == mark_of(place).as_bytes();
    Ok(is_same && place.path.join("HEAD").is_file())
}

/// Tells whether so much was pushed and fetched that a new clone is the smaller one.
fn is_bulky(path: &Path) -> Result<bool, Fault> {
    // Ids are spread evenly, so one directory of objects tells of all.
    for directory in ["objects/17", "objects/pack"] {
        let directory = path.join(directory);
        if directory.is_dir()
            && fs::read_dir(&directory).map_err(at(&directory))?.count() > MAX_FILES
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn mark_of(place: &Place) -> String {
    format!("{}\n{}\n", place.link.url(), place.branch)
}

/// Tells whether a directory holds no file but those that git begins a repository with.
fn is_begun_only(directory: &Path, is_top: bool) -> Result<bool, Fault> {
    for entry in fs::read_dir(directory).map_err(at(directory))? {
        let entry = entry.map_err(at(directory))?;
        let is_first = || ["HEAD", "config", "description"].iter().any(|n| entry.file_name() == *n);
        let is_fine = if entry.file_type().map_err(at(directory))?.is_dir() {
            is_begun_only(&entry.path(), false)?
        } else {
            is_top && is_first()
        };
        if !is_fine {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Removes the locks of a process that was killed: only one process uses the clone at a time.
fn remove_locks(directory: &Path, is_top: bool) -> Result<(), Fault> {
    for entry in fs::read_dir(directory).map_err(at(directory))? {
        let path = entry.map_err(at(directory))?.path();
        if path.is_dir() {
            if !is_top || path.ends_with("refs") {
                remove_locks(&path, false)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "lock") {
            fs::remove_file(&path).map_err(at(&path))?;
        }
    }
    Ok(())
}
