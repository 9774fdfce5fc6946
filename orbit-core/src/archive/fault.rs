//! Why an archive is refused, and where.

use std::fmt;

use crate::{Digest, DigestFault};

use super::Compression;

/// Why an archive is refused: what is wrong, and its place.
///
/// Text that the archive holds is shown escaped and cut, so the message is one line of harmless
/// characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {situation}")]
pub struct ArchiveFault {
    /// Where it was found.
    pub place: Place,
    /// What was found, and what was expected.
    pub situation: Situation,
}

impl ArchiveFault {
    /// Returns the stable name of the situation, as answers and error logs carry it.
    pub fn kind(&self) -> &'static str {
        self.situation.kind()
    }

    /// Returns the same fault as one of an entry inside `outer`.
    pub(crate) fn within(mut self, outer: &Place) -> Self {
        self.place = Place(format!("{} in {outer}", self.place));
        self
    }

    /// Returns whether the archive costs too much, which is a fault whether or not the image
    /// names what is at fault.
    pub(crate) fn is_limit(&self) -> bool {
        matches!(self.situation, Situation::Limit { .. })
    }
}

/// A place in an archive: an entry (`"etc/passwd" in "abc/layer.tar"`), a header that has no name
/// yet (`tar header at byte 512`), or a field (`config rootfs.diff_ids[2]`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(String);

impl Place {
    /// Returns the archive as a whole.
    pub(crate) fn archive() -> Self {
        Self("archive".to_owned())
    }

    /// Returns the entry of that name.
    pub(crate) fn entry(name: &[u8]) -> Self {
        Self(Excerpt::from(name).to_string())
    }

    /// Returns the header that begins at `offset` of its tar.
    pub(crate) fn header(offset: u64) -> Self {
        Self(format!("tar header at byte {offset}"))
    }

    /// Returns a field of a document; both are written by Orbit, never by the archive.
    pub(crate) fn field(document: &str, path: &str) -> Self {
        let gap = if path.is_empty() { "" } else { " " };
        Self(format!("{document}{gap}{path}"))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Text out of an archive, shown in quotes, escaped, and cut after 100 characters.
#[derive(Clone, PartialEq, Eq)]
pub struct Excerpt(String);

/// Enough to recognise a name or a digest by.
const EXCERPT_CHARACTERS: usize = 100;
/// As many bytes as that many characters can have.
const EXCERPT_BYTES: usize = EXCERPT_CHARACTERS * 4;

impl From<&[u8]> for Excerpt {
    fn from(bytes: &[u8]) -> Self {
        let cut = bytes.get(..EXCERPT_BYTES).unwrap_or(bytes);
        let text = String::from_utf8_lossy(cut);
        let mut excerpt: String = text.chars().take(EXCERPT_CHARACTERS).collect();
        if excerpt.len() < bytes.len() && text.chars().count() > EXCERPT_CHARACTERS {
            excerpt.push('…');
        }
        Self(excerpt)
    }
}

impl From<&str> for Excerpt {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What is wrong with an archive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Situation {
    /// It holds more than a limit allows.
    #[error("exceeds the limit of {max} {name}")]
    Limit {
        /// What is limited, in which unit.
        name: &'static str,
        /// How much is allowed.
        max: u64,
    },
    /// The bytes end within something.
    #[error("ends too early, the archive is truncated")]
    Truncated,
    /// Bytes follow after the end.
    #[error("data follows after its end")]
    Trailing,
    /// A compressed stream does not decompress, or fails its own checksum.
    #[error("is not valid {0} data")]
    Corrupt(Compression),
    /// A tar header is not in the form of ustar, GNU or PAX.
    #[error("malformed tar header, {0}")]
    Header(&'static str),
    /// An extended header is malformed.
    #[error("malformed PAX header, {0}")]
    Pax(&'static str),
    /// An extended header gives another size than the header, so readers would disagree.
    #[error("PAX header says {pax} bytes, its tar header says {header}")]
    PaxSize {
        /// The size in the extended header.
        pax: u64,
        /// The size in the header itself.
        header: u64,
    },
    /// A GNU long name is malformed, or another name stands beside it.
    #[error("malformed GNU long name, {0}")]
    LongName(&'static str),
    /// A path or the target of a link is not one of a file inside the archive.
    #[error("unsafe path, {0}")]
    Path(&'static str),
    /// A kind of entry that has no place here.
    #[error("is a {0}, which is not accepted here")]
    Kind(&'static str),
    /// A name occurs a second time.
    #[error("occurs twice")]
    DuplicateEntry,
    /// It is a tar, but neither kind of image.
    #[error("holds neither manifest.json nor oci-layout and index.json")]
    NotAnImage,
    /// A file that the image names is not in the archive.
    #[error("names {0}, which is not in the archive")]
    Missing(Excerpt),
    /// What the image names is a link or a directory.
    #[error("names {0}, which is not a regular file")]
    NotRegular(Excerpt),
    /// What the image names as a layer is no tar.
    #[error("names {0}, which is neither a tar nor a tar compressed with gzip or zstd")]
    NotALayer(Excerpt),
    /// A document is not JSON.
    #[error("is not valid JSON: {0}")]
    Json(Excerpt),
    /// A key occurs twice in an object, or in another case as well, so readers would disagree.
    #[error("holds the key {0} twice")]
    DuplicateKey(Excerpt),
    /// A field is missing or has another type or value.
    #[error("expected {0}")]
    Field(&'static str),
    /// The archive holds several images, or none.
    #[error("expected exactly one image, found {count}: {names}")]
    Images {
        /// How many there are.
        count: usize,
        /// Their names or digests.
        names: Excerpt,
    },
    /// A digest is not a SHA-256 in lower case.
    #[error("{found} is no digest: {fault}")]
    Digest {
        /// What stands there.
        found: Excerpt,
        /// What is wrong with it.
        fault: DigestFault,
    },
    /// The content has another digest than its name or its descriptor says.
    #[error("content has the digest {found}, expected {expected}")]
    DigestMismatch {
        /// The digest of the content.
        found: Digest,
        /// The digest it should have.
        expected: Digest,
    },
    /// The content has another size than its descriptor says.
    #[error("content has {found} bytes, expected {expected}")]
    SizeMismatch {
        /// The size of the content.
        found: u64,
        /// The size it should have.
        expected: u64,
    },
    /// A layer's uncompressed content has another digest than the config says.
    #[error("uncompressed layer has the digest {found}, expected {expected}")]
    DiffId {
        /// The digest of the layer's uncompressed content.
        found: Digest,
        /// The diff id in the config.
        expected: Digest,
    },
    /// The config and the manifest have different numbers of layers.
    #[error("holds {diff_ids} diff ids for {layers} layers")]
    LayerCount {
        /// Diff ids in the config.
        diff_ids: usize,
        /// Layers in the manifest.
        layers: usize,
    },
    /// The same layer stands twice in the image.
    #[error("layer {0} is listed twice")]
    LayerTwice(Digest),
    /// A layer's content lies elsewhere, to be fetched from a URL.
    #[error("is a foreign layer, its content must be in the archive")]
    Foreign,
    /// A descriptor or document is of a type that does not fit.
    #[error("media type {found}, expected {expected}")]
    MediaType {
        /// The type that stands there.
        found: Excerpt,
        /// What would fit.
        expected: &'static str,
    },
    /// The operating system or architecture is not a known one.
    #[error("{0} is not known")]
    Platform(Excerpt),
    /// `manifest.json` and `index.json` describe different images.
    #[error("differs from the image that index.json describes")]
    Disagree,
}

impl Situation {
    /// Returns the situation at its place.
    pub(crate) fn at(self, place: Place) -> ArchiveFault {
        ArchiveFault { place, situation: self }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Limit { .. } => "limit-exceeded",
            Self::Truncated => "archive-truncated",
            Self::Trailing => "trailing-data",
            Self::Corrupt(_) => "compression-corrupt",
            Self::Header(_) => "tar-header-malformed",
            Self::Pax(_) => "pax-header-malformed",
            Self::PaxSize { .. } => "pax-size-mismatch",
            Self::LongName(_) => "long-name-malformed",
            Self::Path(_) => "path-unsafe",
            Self::Kind(_) => "entry-not-accepted",
            Self::DuplicateEntry => "entry-duplicate",
            Self::NotAnImage => "not-an-image",
            Self::Missing(_) => "file-missing",
            Self::NotRegular(_) => "file-not-regular",
            Self::NotALayer(_) => "layer-malformed",
            Self::Json(_) => "json-malformed",
            Self::DuplicateKey(_) => "json-duplicate-key",
            Self::Field(_) => "json-field-unexpected",
            Self::Images { .. } => "image-count",
            Self::Digest { .. } => "digest-malformed",
            Self::DigestMismatch { .. } => "digest-mismatch",
            Self::SizeMismatch { .. } => "size-mismatch",
            Self::DiffId { .. } => "layer-digest-mismatch",
            Self::LayerCount { .. } => "layer-count-mismatch",
            Self::LayerTwice(_) => "layer-duplicate",
            Self::Foreign => "layer-foreign",
            Self::MediaType { .. } => "media-type-unexpected",
            Self::Platform(_) => "platform-unknown",
            Self::Disagree => "manifests-differ",
        }
    }
}
