//! `orbit lint` and `orbit list`: the lists of a checkout, by hand and in pipelines.
//!
//! What is read, edited and found is decided by [`orbit_core::list`], as before every push; here are
//! files, and what is printed.

mod edit;
mod file;
mod lint;
mod show;
mod sides;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use orbit_core::Environment;
use orbit_core::list::{self, ListError, shown};

use self::edit::Pair;
pub(crate) use self::lint::Report;

/// What can be done with one list.
#[derive(Debug, Subcommand)]
pub(crate) enum ListCommand {
    /// Print the entries of a list.
    Show {
        /// Print a JSON list of objects, every key and value exactly as read.
        #[arg(long)]
        json: bool,
        /// The list.
        file: PathBuf,
    },
    /// Add an entry, or change keys of an entry that is there.
    ///
    /// A new entry needs all keys. Whatever its folder, a file of another name than deploy-list.yaml and
    /// delete-list.yaml is checked as a deploy list, unless it is a link to one of those.
    Add {
        /// The list.
        file: PathBuf,
        /// name=… and the other keys, such as imageVersion=v0-0-01.
        #[arg(required = true, value_name = "KEY=VALUE")]
        pairs: Vec<Pair>,
    },
    /// Remove entries, each with the comment directly above it.
    Remove {
        /// The list.
        file: PathBuf,
        /// The entries' names, which need not be valid ones.
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
}

/// Why a command was not carried out; no file was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// The list cannot be read; the text begins with the place.
    #[error("{0}")]
    Unread(String),
    /// An entry that should be put is wrong, at these places of what the file would be.
    #[error("{} stays as it is, the entry would be wrong:\n{}", named(file), findings.join("\n"))]
    Unsound { file: PathBuf, findings: Vec<String> },
    /// A name that should be removed is not listed.
    #[error("{}: no entry has the name {name}", named(file), name = shown(name, list::SHOWN))]
    NotListed { file: PathBuf, name: String },
    /// An entry without a name cannot be put anywhere.
    #[error("no name is given, expected name=…")]
    NoName,
    /// A key or the name is none that can be written.
    #[error("{}: {reason}", shown(key, list::SHOWN))]
    Key { key: String, reason: String },
    /// The file could not be read or written.
    #[error("{}: {source}", named(file))]
    File { file: PathBuf, source: io::Error },
    /// Standard output is closed.
    #[error("standard output: {0}")]
    Output(#[from] io::Error),
}

impl Refusal {
    fn read(file: &Path, error: &ListError) -> Self {
        Self::Unread(error.in_file(&file.display().to_string()))
    }

    fn file(file: &Path) -> impl FnOnce(io::Error) -> Self + use<'_> {
        |source| Self::File { file: file.to_owned(), source }
    }

    fn is_not_found(&self) -> bool {
        match self {
            Self::File { source, .. } => source.kind() == io::ErrorKind::NotFound,
            Self::Unread(_)
            | Self::Unsound { .. }
            | Self::NotListed { .. }
            | Self::NoName
            | Self::Key { .. }
            | Self::Output(_) => false,
        }
    }
}

/// Returns a path so that it forges no line.
fn named(path: &Path) -> String {
    shown(&path.display().to_string(), usize::MAX)
}

/// Prints what is wrong with lists, and returns it with what could not be read.
pub(crate) fn lint(
    files: &[PathBuf],
    environment: Option<&Environment>,
) -> Result<Report, Refusal> {
    let report = lint::report(files, environment);
    let mut out = io::stdout().lock();
    for finding in &report.findings {
        writeln!(out, "{finding}")?;
    }
    Ok(report)
}

/// Carries out a command on one list.
pub(crate) fn run(command: &ListCommand) -> Result<(), Refusal> {
    let (said, is_edit) = match command {
        ListCommand::Show { json: true, file } => (show::json(file)?, false),
        ListCommand::Show { json: false, file } => (show::table(file)?, false),
        ListCommand::Add { file, pairs } => (edit::add(file, pairs)?, true),
        ListCommand::Remove { file, names } => (edit::remove(file, names)?, true),
    };
    match writeln!(io::stdout().lock(), "{said}") {
        // The file is as it should be, and who tries again would be told otherwise.
        Err(error) if is_edit => {
            drop(writeln!(io::stderr(), "{said}, but standard output: {error}"));
            Ok(())
        }
        done => Ok(done?),
    }
}
