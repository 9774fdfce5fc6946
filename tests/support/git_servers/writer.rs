//! Others who push to the branch, by git's own commands.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tempfile::TempDir;

use super::bare::Bare;
use super::cli::{git, succeeds};

/// Somebody with a clone.
pub(crate) struct Writer {
    work: TempDir,
}

impl Writer {
    pub(crate) fn new(bare: &Bare) -> Self {
        let work = tempfile::tempdir().unwrap();
        let url = format!("file://{}", bare.path().display());
        git(work.path(), &["clone", "--quiet", "--branch", "main", &url, "."]);
        Self { work }
    }

    /// Changes the work tree of the newest commit, commits and pushes; begins again if others were
    /// faster. Returns the id of the commit.
    pub(crate) fn push(&self, change: impl Fn(&Path)) -> String {
        let work = self.work.path();
        loop {
            git(work, &["fetch", "--quiet", "origin", "main"]);
            git(work, &["reset", "--quiet", "--hard", "FETCH_HEAD"]);
            git(work, &["clean", "--quiet", "-ffdx"]);
            change(work);
            git(work, &["add", "--all", "--force", "--no-warn-embedded-repo"]);
            git(work, &["commit", "--quiet", "--message", "by hand"]);
            if succeeds(work, &["push", "--quiet", "origin", "HEAD:main"]) {
                return git(work, &["rev-parse", "HEAD"]).trim().to_owned();
            }
        }
    }

    /// Rewrites one file.
    pub(crate) fn edit(&self, path: &str, edit: impl Fn(String) -> String) -> String {
        self.push(|work| {
            let file = work.join(path);
            let text = fs::read_to_string(&file).unwrap();
            fs::write(&file, edit(text)).unwrap();
        })
    }
}

/// The pause between two pushes; without one, nobody on a busy machine would ever be faster.
const PAUSE: Duration = Duration::from_millis(500);

/// Somebody who pushes again and again: a comment at the top of a list and a file of its own each time.
pub(crate) struct Competitor {
    is_over: Arc<AtomicBool>,
    n_pushes: Arc<AtomicU32>,
    thread: Option<JoinHandle<()>>,
}

impl Competitor {
    pub(crate) fn start(bare: &Bare, list: &'static str) -> Self {
        let (is_over, n_pushes) = (Arc::<AtomicBool>::default(), Arc::<AtomicU32>::default());
        let (over, n) = (Arc::clone(&is_over), Arc::clone(&n_pushes));
        let writer = Writer::new(bare);
        let thread = thread::spawn(move || {
            while !over.load(Ordering::SeqCst) {
                let number = n.load(Ordering::SeqCst);
                writer.push(|work| {
                    let path = work.join(list);
                    let text = fs::read_to_string(&path).unwrap();
                    fs::write(&path, format!("{}\n{text}", Self::comment(number))).unwrap();
                    let (folder, file) = (work.join("notes"), Self::file(number));
                    fs::create_dir_all(folder).unwrap();
                    fs::write(work.join(file), Self::note(number)).unwrap();
                });
                n.fetch_add(1, Ordering::SeqCst);
                thread::sleep(PAUSE);
            }
        });
        Self { is_over, n_pushes, thread: Some(thread) }
    }

    /// Returns the line that a push puts first in the list.
    pub(crate) fn comment(number: u32) -> String {
        format!("# note {number}: by hand, \u{e4}\u{f6}\u{fc}  ")
    }

    /// Returns the path of the file that a push adds.
    pub(crate) fn file(number: u32) -> String {
        format!("notes/{number}.txt")
    }

    /// Returns what is in that file.
    pub(crate) fn note(number: u32) -> String {
        format!("note {number}\r\nwithout an end of line")
    }

    pub(crate) fn n_pushes(&self) -> u32 {
        self.n_pushes.load(Ordering::SeqCst)
    }

    /// Returns how many pushes there were.
    pub(crate) fn stop(mut self) -> u32 {
        self.is_over.store(true, Ordering::SeqCst);
        self.thread.take().unwrap().join().unwrap();
        self.n_pushes()
    }
}

impl Drop for Competitor {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
    }
}
