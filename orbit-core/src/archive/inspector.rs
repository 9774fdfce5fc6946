//! The one pass over an archive.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::Digest;

use super::contents::Contents;
use super::expand::Expander;
use super::fault::{ArchiveFault, Place, Situation};
use super::limits::{Budget, Limits, length, take};
use super::reader::{End, Reader};
use super::{Format, Inspection, image};

/// Inspects an image archive that is fed to it in chunks of any size, in one pass.
///
/// How the archive is split into chunks makes no difference to what is found, a fault included.
/// After a fault every further call returns the same one.
///
/// Memory is bounded whatever the archive holds: documents and names by [`Limits`] (24 MiB), two
/// zstd windows (8 MiB each), an extended header in each of two tars (1 MiB each), some ten MiB for
/// a document that is read, less than 400 bytes for each entry of the archive's own tar, and
/// 300 KiB of buffers. An ordinary archive takes less than a MiB beside the windows.
///
/// ```
/// use orbit_core::archive::{Inspector, Limits};
/// let mut inspector = Inspector::new(Limits::default());
/// inspector.feed(b"no ").unwrap();
/// inspector.feed(b"archive").unwrap();
/// let fault = inspector.finish().unwrap_err();
/// assert_eq!(fault.kind(), "archive-truncated");
/// assert_eq!(fault.place.to_string(), "tar header at byte 0");
/// ```
pub struct Inspector {
    limits: Limits,
    budget: Budget,
    size: u64,
    hash: Sha256,
    expander: Expander,
    reader: Reader,
    contents: Contents,
    fault: Option<ArchiveFault>,
}

impl Inspector {
    /// Returns an inspector that has seen nothing yet.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            budget: Budget::new(limits),
            size: 0,
            hash: Sha256::new(),
            expander: Expander::new(limits),
            reader: Reader::new(limits),
            contents: Contents::default(),
            fault: None,
        }
    }

    /// Takes the next bytes of the archive.
    ///
    /// # Errors
    /// The first [`ArchiveFault`] that shows in what was fed so far.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), ArchiveFault> {
        self.sound()?;
        let mut rest = bytes;
        let allowed = take(&mut rest, self.limits.archive - self.size);
        self.size += length(allowed.len());
        self.hash.update(allowed);
        let mut fed = self.read(allowed, false);
        if fed.is_ok() && !rest.is_empty() {
            let limit = Situation::Limit { name: "bytes of archive", max: self.limits.archive };
            fed = Err(limit.at(Place::archive()));
        }
        fed.inspect_err(|fault| self.fault = Some(fault.clone()))
    }

    /// Takes the end of the archive, and returns what was found.
    ///
    /// # Errors
    /// The first [`ArchiveFault`]: one that was returned before, one that the end shows, or one
    /// that shows when all that the image names is put together.
    pub fn finish(mut self) -> Result<Inspection, ArchiveFault> {
        self.sound()?;
        self.read(&[], true)?;
        self.expander.finish().map_err(|situation| situation.at(Place::archive()))?;
        match self.reader.finish()? {
            End::Marked => {}
            End::Unmarked => return Err(Situation::Truncated.at(Place::archive())),
        }
        let (is_layout, image) = image::find(&self.contents, &self.limits)?;
        Ok(Inspection {
            format: if is_layout { Format::OciLayout } else { Format::DockerArchive },
            compression: self.expander.compression(),
            size: self.size,
            digest: Digest::from_bytes(self.hash.finalize().into()),
            platform: image.platform,
            manifest: image.manifest,
            config: image.config,
            layers: image.layers,
        })
    }

    fn sound(&self) -> Result<(), ArchiveFault> {
        self.fault.clone().map_or(Ok(()), Err)
    }

    fn read(&mut self, mut bytes: &[u8], last: bool) -> Result<(), ArchiveFault> {
        let Self { limits, budget, expander, reader, contents, .. } = self;
        let at = |situation: Situation| situation.at(Place::archive());
        while let Some((_, mut plain)) = expander.next(&mut bytes, last, budget).map_err(at)? {
            while let Some(event) = reader.next(&mut plain)? {
                contents.take(event, limits, budget)?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Inspector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inspector").field("size", &self.size).finish_non_exhaustive()
    }
}
