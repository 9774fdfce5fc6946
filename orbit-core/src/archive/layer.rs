//! Checking that a file is a layer, while it passes by.

use sha2::{Digest as _, Sha256};

use crate::Digest;

use super::Compression;
use super::expand::Expander;
use super::fault::{ArchiveFault, Place, Situation};
use super::limits::{Budget, Limits};
use super::reader::{Event, Reader, layer_path};

/// What is known of a file that is a well-formed layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layer {
    pub(crate) compression: Compression,
    /// The digest of its uncompressed content; `None` if that is the digest of the file itself.
    pub(crate) diff_id: Option<Digest>,
}

/// Reads a file as a layer: a tar, plain or compressed, of any kinds of entries.
///
/// Links, devices and whiteouts are accepted, nothing of them is followed. The two blocks of zeros
/// at the end may be missing, because some builders leave them out and the diff id shows whether
/// anything was lost.
pub(crate) struct LayerCheck {
    place: Place,
    limits: Limits,
    expander: Expander,
    reader: Reader,
    hash: Sha256,
}

impl LayerCheck {
    pub(crate) fn new(place: Place, limits: Limits) -> Self {
        Self {
            place,
            limits,
            expander: Expander::new(limits),
            reader: Reader::new(limits),
            hash: Sha256::new(),
        }
    }

    /// Returns whether the file is meant to be a layer, whether or not it is well formed.
    pub(crate) fn recognised(&self) -> bool {
        self.expander.compression() != Compression::None || self.reader.recognised()
    }

    pub(crate) fn feed(&mut self, bytes: &[u8], budget: &mut Budget) -> Result<(), ArchiveFault> {
        self.read(bytes, false, budget)
    }

    pub(crate) fn finish(&mut self, budget: &mut Budget) -> Result<Layer, ArchiveFault> {
        self.read(&[], true, budget)?;
        self.expander.finish().map_err(|situation| situation.at(self.place.clone()))?;
        self.reader.finish().map_err(|fault| fault.within(&self.place))?;
        let compression = self.expander.compression();
        let diff_id = (compression != Compression::None)
            .then(|| Digest::from_bytes(self.hash.finalize_reset().into()));
        Ok(Layer { compression, diff_id })
    }

    fn read(
        &mut self,
        mut bytes: &[u8],
        last: bool,
        budget: &mut Budget,
    ) -> Result<(), ArchiveFault> {
        let Self { place, limits, expander, reader, hash } = self;
        let next = |situation: Situation| situation.at(place.clone());
        while let Some((compression, mut plain)) =
            expander.next(&mut bytes, last, budget).map_err(next)?
        {
            // The digest of a plain layer is taken of the file already.
            if compression != Compression::None {
                hash.update(plain);
            }
            read_tar(reader, &mut plain, limits).map_err(|fault| fault.within(place))?;
        }
        Ok(())
    }
}

fn read_tar(reader: &mut Reader, plain: &mut &[u8], limits: &Limits) -> Result<(), ArchiveFault> {
    while let Some(event) = reader.next(plain)? {
        match event {
            Event::Entry(entry) => {
                layer_path(&entry.name, limits)
                    .map_err(|situation| situation.at(Place::entry(&entry.name)))?;
            }
            Event::Data(_) | Event::Close => {}
        }
    }
    Ok(())
}
