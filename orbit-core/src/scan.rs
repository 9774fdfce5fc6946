//! What is installed in an image, read out of the package databases in its layers.
//!
//! [`Inventory`] takes the same bytes that were inspected, push style and without unpacking them,
//! and reads dpkg's `status` and `status.d`, apk's `installed` and `os-release`. A file in an upper
//! layer replaces the one below it; whiteouts and opaque directories hide what is below. No link
//! is followed, so a database behind one is not found.

mod apk;
mod dpkg;
mod evidence;
mod inventory;
mod layer;
mod os_release;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use inventory::{Findings, Inventory};

/// A package that is installed in an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version, as the package manager writes it.
    pub version: String,
    /// The architecture it was built for, `amd64` or `x86_64`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// The source package it was built from, if its database names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The package manager that knows of it.
    pub manager: Manager,
}

/// A package manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Manager {
    /// Debian's and its descendants'.
    Dpkg,
    /// Alpine's.
    Apk,
}

/// The distribution that an image says it is, in its `os-release`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution {
    /// `ID`, `debian`.
    pub id: String,
    /// `VERSION_ID`, `12`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// `PRETTY_NAME`, `Debian GNU/Linux 12 (bookworm)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What a scan says about an image: the same bytes for the same image, whenever it ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The packages, by name and version.
    pub packages: Vec<Package>,
    /// The distribution, if the image says which.
    pub distribution: Option<Distribution>,
    /// What the packages were compared with.
    pub advisories: Advisories,
    /// How many vulnerabilities were found. Without advisories they are zero and mean nothing.
    pub counts: Counts,
}

impl Report {
    /// Returns the report on an image's packages, compared with no advisories.
    pub fn of(findings: Findings) -> Self {
        let Findings { packages, distribution } = findings;
        let (advisories, counts) = (Advisories::NotConfigured, Counts::default());
        Self { packages, distribution, advisories, counts }
    }
}

impl Report {
    /// Returns the report in short.
    pub fn summary(&self) -> Summary {
        let Self { advisories, counts, .. } = *self;
        Summary { advisories, packages: self.packages.len(), counts }
    }
}

/// A report in short: how many packages and vulnerabilities, and what was compared with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// What the packages were compared with. Without advisories the counts mean nothing.
    pub advisories: Advisories,
    /// How many packages there are.
    pub packages: usize,
    /// How many vulnerabilities.
    #[serde(flatten)]
    pub counts: Counts,
}

/// Where known vulnerabilities come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Advisories {
    /// From nowhere: packages are listed, and nothing is said about their vulnerabilities.
    NotConfigured,
}

/// Numbers of vulnerabilities by severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Critical ones.
    pub critical: u64,
    /// Those of high severity.
    pub high: u64,
    /// Those of medium severity.
    pub medium: u64,
    /// Those of low severity.
    pub low: u64,
    /// Those whose severity nobody has judged.
    pub unknown: u64,
}
