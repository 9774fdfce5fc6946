//! What one layer says about packages, and how layers lie on each other.

use std::collections::{BTreeMap, BTreeSet};

use crate::archive::Situation;
use crate::archive::limits::{length, within};

use super::{Distribution, Findings, Package, apk, dpkg, os_release};

/// Bytes that what all layers together say may take in memory: 128 MiB.
const KEPT: u64 = 128 << 20;
/// What a package or a path takes beside its texts, roughly.
const OVERHEAD: u64 = 128;
const STATUS_ENTRIES: &[u8] = b"var/lib/dpkg/status.d";
/// What is read out of an image, beside the entries of `status.d`.
const FILES: [(&[u8], Source); 5] = [
    (b"var/lib/dpkg/status", Source::Dpkg),
    (b"lib/apk/db/installed", Source::Apk),
    // Where it lies once `lib` is a link to `usr/lib`.
    (b"usr/lib/apk/db/installed", Source::Apk),
    (b"etc/os-release", Source::OsRelease),
    (b"usr/lib/os-release", Source::OsRelease),
];

/// How a file that matters is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Dpkg,
    Apk,
    OsRelease,
}

impl Source {
    /// Returns how the file at `path` is read, if it matters.
    pub(super) fn at(path: &[u8]) -> Option<Self> {
        if let Some((_, source)) = FILES.iter().find(|(file, _)| *file == path) {
            return Some(*source);
        }
        let name = path.strip_prefix(STATUS_ENTRIES)?.strip_prefix(b"/")?;
        let is_entry = !name.contains(&b'/') && !name.ends_with(b".md5sums");
        is_entry.then_some(Self::Dpkg)
    }
}

/// What is kept of all layers, in bytes.
#[derive(Debug, Default)]
pub(super) struct Kept(u64);

impl Kept {
    fn add(&mut self, bytes: usize) -> Result<(), Situation> {
        self.0 = self.0.saturating_add(length(bytes)).saturating_add(OVERHEAD);
        within("bytes of packages", self.0, KEPT)
    }
}

/// What a layer holds and hides of the files that matter.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    files: BTreeMap<Vec<u8>, Found>,
    /// Paths at which, and below which, nothing of lower layers is seen.
    hidden: BTreeSet<Vec<u8>>,
}

#[derive(Debug)]
enum Found {
    Packages(Vec<Package>),
    Distribution(Option<Distribution>),
}

impl Evidence {
    /// Takes a whiteout or an opaque directory, which counts for lower layers only.
    pub(super) fn hide(&mut self, path: &[u8], kept: &mut Kept) -> Result<(), Situation> {
        let matters = FILES.iter().any(|(file, _)| covers(path, file))
            || covers(path, STATUS_ENTRIES)
            || Source::at(path).is_some();
        if matters && self.hidden.insert(path.to_vec()) {
            kept.add(path.len())?;
        }
        Ok(())
    }

    /// Takes an entry that is no directory, and so replaces whatever was at its path.
    pub(super) fn replace(&mut self, path: &[u8], kept: &mut Kept) -> Result<(), Situation> {
        self.files.remove(path);
        self.hide(path, kept)
    }

    /// Takes a file that matters.
    pub(super) fn read(
        &mut self,
        path: Vec<u8>,
        source: Source,
        bytes: &[u8],
        kept: &mut Kept,
    ) -> Result<(), Situation> {
        kept.add(path.len())?;
        let text = String::from_utf8_lossy(bytes);
        let found = match source {
            Source::Dpkg => Found::Packages(collect(dpkg::packages(&text), kept)?),
            Source::Apk => Found::Packages(collect(apk::packages(&text), kept)?),
            Source::OsRelease => Found::Distribution(os_release::distribution(&text)),
        };
        self.files.insert(path, found);
        Ok(())
    }

    /// Whether the layer hides what lower layers have at `path`: there, or at a directory above.
    fn hides(&self, path: &[u8]) -> bool {
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        let ends = slashes.map(|(at, _)| at).chain([0, path.len()]);
        ends.filter_map(|end| path.get(..end)).any(|top| self.hidden.contains(top))
    }
}

fn collect(
    packages: impl Iterator<Item = Package>,
    kept: &mut Kept,
) -> Result<Vec<Package>, Situation> {
    let mut all = Vec::new();
    for package in packages {
        let options = [&package.architecture, &package.source];
        let texts: usize = options.into_iter().flatten().map(String::len).sum();
        kept.add(package.name.len() + package.version.len() + texts)?;
        all.push(package);
    }
    Ok(all)
}

/// Whether `path` is `top` or lies below it.
fn covers(top: &[u8], path: &[u8]) -> bool {
    let Some(rest) = path.strip_prefix(top) else { return false };
    top.is_empty() || rest.is_empty() || rest.starts_with(b"/")
}

/// Lays the layers on each other, from the base up, and returns what is seen from above.
pub(super) fn merge(layers: impl IntoIterator<Item = Evidence>) -> Findings {
    let mut seen = BTreeMap::new();
    for layer in layers {
        seen.retain(|path: &Vec<u8>, _| !layer.hides(path));
        seen.extend(layer.files);
    }
    let mut findings = Findings::default();
    // In the order of their paths, so that `etc/os-release` is found first.
    for found in seen.into_values() {
        match found {
            Found::Packages(packages) => findings.packages.extend(packages),
            Found::Distribution(named) => {
                findings.distribution = findings.distribution.or(named);
            }
        }
    }
    findings.packages.sort();
    findings.packages.dedup();
    findings
}
