//! What one archive may cost.

use super::fault::Situation;

/// The most that one archive may hold, before it is refused by the limit's name.
///
/// ```
/// use orbit_core::archive::Limits;
/// let limits = Limits { layers: 40, ..Limits::default() };
/// assert_eq!(limits.entries, 100_000);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the archive as it is fed: 10 GiB.
    pub archive: u64,
    /// Entries of one tar, the archive's own or a layer's, extended headers included: 100,000.
    pub entries: u64,
    /// Layers of the image: 127, as many as overlay file systems take.
    pub layers: usize,
    /// Bytes of one JSON document (config, manifest, index): 4 MiB.
    pub document: u64,
    /// Bytes of all files that are kept because they may be such a document: 16 MiB.
    ///
    /// Beyond it files are hashed and forgotten; it is a fault only if the image names one.
    pub documents: u64,
    /// Bytes of all names in the archive's own tar: 8 MiB.
    pub names: u64,
    /// Arrays and objects within each other in a JSON document: 64.
    pub json_depth: usize,
    /// Values in one JSON document: 100,000, which bounds what it takes in memory once it is read.
    pub json_values: usize,
    /// Bytes of one component of a path: 255, as file systems have it.
    pub component: usize,
    /// Bytes of a path or of a link's target: 4,096, as Linux has it.
    pub path: usize,
    /// Bytes of one extended (PAX) header: 1 MiB.
    pub extended_header: u64,
    /// Bytes that one compressed byte may become: 1,000. The first MiB of a stream is free.
    pub ratio: u64,
    /// Bytes that the archive and all its layers may decompress to, added up: 40 GiB.
    pub expanded: u64,
    /// Gzip members and zstd frames, added up: 1,000,000.
    pub frames: u64,
    /// Binary logarithm of the window of a zstd frame in bytes: 23, 8 MiB, which is what RFC 8878
    /// asks every decoder to support and encoders not to exceed.
    pub zstd_window_log: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            archive: 10 << 30,
            entries: 100_000,
            layers: 127,
            document: 4 << 20,
            documents: 16 << 20,
            names: 8 << 20,
            json_depth: 64,
            json_values: 100_000,
            component: 255,
            path: 4096,
            extended_header: 1 << 20,
            ratio: 1000,
            expanded: 40 << 30,
            frames: 1_000_000,
            zstd_window_log: 23,
        }
    }
}

impl Limits {
    /// Returns the limits of reading once more what was inspected: only memory is bounded.
    pub(crate) fn inspected() -> Self {
        Self {
            ratio: u64::MAX,
            expanded: u64::MAX,
            frames: u64::MAX,
            entries: u64::MAX,
            component: usize::MAX,
            path: 1 << 20,
            extended_header: 16 << 20,
            zstd_window_log: 27,
            ..Self::default()
        }
    }
}

/// What is left of the limits that all streams of an archive share.
#[derive(Debug)]
pub(crate) struct Budget {
    limits: Limits,
    expanded: u64,
    frames: u64,
}

impl Budget {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, expanded: 0, frames: 0 }
    }

    /// Takes `bytes` that came out of a decompressor.
    pub(crate) fn expand(&mut self, bytes: u64) -> Result<(), Situation> {
        self.expanded = self.expanded.saturating_add(bytes);
        within("decompressed bytes", self.expanded, self.limits.expanded)
    }

    /// Takes one gzip member or zstd frame.
    pub(crate) fn frame(&mut self) -> Result<(), Situation> {
        self.frames += 1;
        within("gzip members and zstd frames", self.frames, self.limits.frames)
    }
}

/// Refuses `found` beyond `max`, by the limit's `name`.
pub(crate) fn within(name: &'static str, found: u64, max: u64) -> Result<(), Situation> {
    if found > max { Err(Situation::Limit { name, max }) } else { Ok(()) }
}

/// Returns a length in the type that sizes of archives have.
pub(crate) fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// Splits at most `max` bytes off the front of `input`.
pub(crate) fn take<'a>(input: &mut &'a [u8], max: u64) -> &'a [u8] {
    let n = usize::try_from(max).unwrap_or(usize::MAX).min(input.len());
    let (taken, rest) = input.split_at(n);
    *input = rest;
    taken
}
