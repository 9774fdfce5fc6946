//! One blob out of an archive that was inspected.

use std::fmt;

use super::expand::Expander;
use super::fault::{ArchiveFault, Place, Situation};
use super::limits::{Budget, Limits, length, take};
use super::{Blob, Compression, Inspection};

/// Cuts the bytes of one blob out of an archive that is fed to it in chunks of any size.
///
/// It decompresses the archive where that is compressed; the bytes of the blob are given as they
/// are stored. Where the archive is not compressed the same bytes are those at the blob's offset,
/// so that a caller who can read ranges needs no window.
///
/// It reads what was inspected before and so has no limit on what comes out; feed chunks of a few
/// KiB to bound what one call returns.
///
/// ```
/// use orbit_core::archive::{Compression, Window};
/// let mut window = Window::new(Compression::None, 3, 4);
/// assert_eq!(window.feed(b"01234").unwrap(), b"34");
/// assert_eq!(window.feed(b"56789").unwrap(), b"56");
/// assert!(window.is_done());
/// ```
pub struct Window {
    compression: Compression,
    budget: Budget,
    expander: Expander,
    skip: u64,
    left: u64,
}

impl Window {
    /// Returns a window on the `len` bytes at `offset` of the uncompressed archive.
    pub fn new(compression: Compression, offset: u64, len: u64) -> Self {
        let limits = Limits::inspected();
        Self {
            compression,
            budget: Budget::new(limits),
            expander: Expander::eager(limits),
            skip: offset,
            left: len,
        }
    }

    /// Returns a window on a blob of an inspected archive.
    pub fn of(inspection: &Inspection, blob: &Blob) -> Self {
        Self::new(inspection.compression, blob.offset, blob.size)
    }

    /// Takes the next bytes of the archive as it is stored, and returns those of the blob.
    ///
    /// Once the window is done, further bytes are not looked at.
    ///
    /// # Errors
    /// [`ArchiveFault`] if the archive does not decompress: it is not the one that was inspected.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<Vec<u8>, ArchiveFault> {
        let mut blob = Vec::new();
        let mut chunk = chunk;
        match self.compression {
            Compression::None => self.cut(chunk, &mut blob),
            Compression::Gzip | Compression::Zstd => {
                while !self.is_done() {
                    let next = self.expander.next(&mut chunk, false, &mut self.budget);
                    let next = next.map_err(|situation| situation.at(Place::archive()))?;
                    let Some((compression, plain)) = next else { break };
                    if compression != self.compression {
                        let fault = Situation::Corrupt(self.compression);
                        return Err(fault.at(Place::archive()));
                    }
                    cut(&mut self.skip, &mut self.left, plain, &mut blob);
                }
            }
        }
        Ok(blob)
    }

    /// Returns whether all bytes of the blob were given.
    pub fn is_done(&self) -> bool {
        self.left == 0
    }

    fn cut(&mut self, plain: &[u8], blob: &mut Vec<u8>) {
        cut(&mut self.skip, &mut self.left, plain, blob);
    }
}

/// Appends what of `plain` lies beyond `skip`, and within `left` after it.
fn cut(skip: &mut u64, left: &mut u64, mut plain: &[u8], blob: &mut Vec<u8>) {
    *skip -= length(take(&mut plain, *skip).len());
    let bytes = take(&mut plain, *left);
    *left -= length(bytes.len());
    blob.extend_from_slice(bytes);
}

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Window")
            .field("skip", &self.skip)
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}
