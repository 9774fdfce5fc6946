//! `orbit lint` and `orbit list`: the lists of a checkout, by hand and in pipelines.
//!
//! What is read, edited and found is decided by [`orbit_core::list`], as before every push; here are
//! files, and what is printed.

mod edit;
mod file;
mod lint;
mod show;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use orbit_core::list::ListError;
use orbit_core::{AppName, Environment};

use self::edit::Pair;

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
        /// The entries' names.
        #[arg(required = true, value_name = "NAME")]
        names: Vec<AppName>,
    },
}

/// Why a command was not carried out; no file was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// The list cannot be read; the text begins with the place.
    #[error("{0}")]
    Unread(String),
    /// An entry that should be put is wrong, at these places of what the file would be.
    #[error("{} stays as it is, the entry would be wrong:\n{}", file.display(), findings.join("\n"))]
    Unsound { file: PathBuf, findings: Vec<String> },
    /// A name that should be removed is not listed.
    #[error("{}: no entry has the name {name}", file.display())]
    NotListed { file: PathBuf, name: AppName },
    /// An entry without a name cannot be put anywhere.
    #[error("no name is given, expected name=…")]
    NoName,
    /// A key or the name is none that can be written.
    #[error("{key}: {reason}")]
    Key { key: String, reason: String },
    /// The file could not be read or written.
    #[error("{}: {source}", file.display())]
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
}

/// Prints what is wrong with lists; the answer tells whether nothing is.
pub(crate) fn lint(files: &[PathBuf], environment: Option<&Environment>) -> Result<bool, Refusal> {
    let findings = lint::findings(files, environment)?;
    let mut out = io::stdout().lock();
    for finding in &findings {
        writeln!(out, "{finding}")?;
    }
    Ok(findings.is_empty())
}

/// Carries out a command on one list.
pub(crate) fn run(command: &ListCommand) -> Result<(), Refusal> {
    let said = match command {
        ListCommand::Show { json: true, file } => show::json(file)?,
        ListCommand::Show { json: false, file } => show::table(file)?,
        ListCommand::Add { file, pairs } => edit::add(file, pairs)?,
        ListCommand::Remove { file, names } => edit::remove(file, names)?,
    };
    writeln!(io::stdout().lock(), "{said}")?;
    Ok(())
}
