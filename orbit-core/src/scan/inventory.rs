//! The pass over an inspected archive.

use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::Digest;
use crate::archive::expand::Expander;
use crate::archive::limits::{Budget, Limits};
use crate::archive::reader::{Entry, Event, Reader};
use crate::archive::{ArchiveFault, Inspection, Place, Situation};

use super::evidence::{self, Evidence, Kept};
use super::layer::LayerScan;
use super::{Distribution, Package};

/// What is installed in an image.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings {
    /// The packages, sorted, each once.
    pub packages: Vec<Package>,
    /// The distribution, if the image says which.
    pub distribution: Option<Distribution>,
}

/// Takes stock of an image whose archive was inspected, fed once more in chunks of any size.
///
/// Memory: one database at a time (64 MiB at most), what all layers say (128 MiB at most, a few MiB
/// in practice) and buffers.
///
/// ```
/// use orbit_core::archive::{ArchiveFault, Inspector, Limits};
/// use orbit_core::scan::{Inventory, Report};
/// fn report(archive: &[u8]) -> Result<Report, ArchiveFault> {
///     let mut inspector = Inspector::new(Limits::default());
///     inspector.feed(archive)?;
///     let mut inventory = Inventory::new(&inspector.finish()?);
///     inventory.feed(archive)?;
///     Ok(Report::of(inventory.finish()?))
/// }
/// assert!(report(b"no archive").is_err());
/// ```
pub struct Inventory {
    expected: Digest,
    hash: Sha256,
    limits: Limits,
    budget: Budget,
    kept: Kept,
    expander: Expander,
    reader: Reader,
    /// The layers, from the base up, by where their bytes begin.
    positions: BTreeMap<u64, usize>,
    passing: Option<(usize, LayerScan)>,
    found: BTreeMap<usize, Evidence>,
}

impl Inventory {
    /// Returns an inventory of the image that was found in the archive.
    pub fn new(inspection: &Inspection) -> Self {
        let limits = Limits::inspected();
        let layers = inspection.layers.iter().enumerate();
        Self {
            expected: inspection.digest,
            hash: Sha256::new(),
            limits,
            budget: Budget::new(limits),
            kept: Kept::default(),
            expander: Expander::new(limits),
            reader: Reader::new(limits),
            positions: layers.map(|(index, blob)| (blob.offset, index)).collect(),
            passing: None,
            found: BTreeMap::new(),
        }
    }

    /// Takes the next bytes of the archive.
    ///
    /// # Errors
    /// [`Situation::Limit`] if a database or all packages are too large; any other [`ArchiveFault`]
    /// if it is not the archive that was inspected.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), ArchiveFault> {
        self.hash.update(bytes);
        self.read(bytes, false)
    }

    /// Takes the end of the archive, and returns what is installed.
    ///
    /// # Errors
    /// As [`Inventory::feed`], and [`Situation::DigestMismatch`] if it is not the archive that was
    /// inspected: a report is never about other bytes.
    pub fn finish(mut self) -> Result<Findings, ArchiveFault> {
        self.read(&[], true)?;
        let (found, expected) = (Digest::from_bytes(self.hash.finalize().into()), self.expected);
        if found != expected {
            return Err(Situation::DigestMismatch { found, expected }.at(Place::archive()));
        }
        Ok(evidence::merge(self.found.into_values()))
    }

    fn read(&mut self, mut bytes: &[u8], last: bool) -> Result<(), ArchiveFault> {
        let Self { limits, budget, kept, expander, reader, positions, passing, found, .. } = self;
        let at = |situation: Situation| situation.at(Place::archive());
        while let Some((_, mut plain)) = expander.next(&mut bytes, last, budget).map_err(at)? {
            while let Some(event) = reader.next(&mut plain)? {
                match event {
                    Event::Entry(entry) => *passing = begin(&entry, positions, limits),
                    Event::Data(data) => {
                        if let Some((_, layer)) = passing {
                            layer.feed(data, budget, kept)?;
                        }
                    }
                    Event::Close => {
                        if let Some((index, layer)) = passing.take() {
                            found.insert(index, layer.finish(budget, kept)?);
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

fn begin(
    entry: &Entry,
    positions: &BTreeMap<u64, usize>,
    limits: &Limits,
) -> Option<(usize, LayerScan)> {
    let index = positions.get(&entry.offset).filter(|_| entry.size > 0)?;
    Some((*index, LayerScan::new(&entry.name, *limits)))
}

impl fmt::Debug for Inventory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inventory").field("archive", &self.expected).finish_non_exhaustive()
    }
}
