//! Image archives: what is in them, and whether it is what they say.
//!
//! An archive is a docker-archive (`docker save`, `skopeo copy … docker-archive:`, buildah) or an
//! OCI image layout, as a tar, plain or compressed with gzip or zstd. [`Inspector`] reads it in one
//! pass, push style, without unpacking anything: every size, digest and diff id is checked, every
//! layer must be a well-formed tar, and where two readers could see different images in the same
//! bytes the archive is refused. The first fault is named with its place.
//!
//! What is accepted beyond the obvious:
//!
//! - Links in the archive's own tar, if their target stays inside it by its text. `skopeo` and
//!   `docker save` write them (`<id>/layer.tar` → `../<digest>.tar`) beside other files of older
//!   formats (`repositories`, `<id>/json`, `<id>/VERSION`). They are never followed, and an image
//!   that names one as config or layer is refused.
//! - Several gzip members or zstd frames in a row, as both specifications have it and eStargz and
//!   zstd:chunked layers are made. Anything else after the last one is refused.
//! - Several tags of one image, and `BuildKit`'s attestations about it. Several images are refused.
//! - Files that no image names. They are hashed, and must fit the limits.
//! - Layers of which the two blocks of zeros at the end are missing; not so the archive itself.
//!
//! # Digests
//!
//! The manifest of an OCI layout is kept byte for byte. For a docker-archive Orbit makes it, always
//! the same bytes for the same config and layers as they are stored. So an image has one digest
//! however often it is uploaded in one format. The same image as a docker-archive and as a layout
//! has the same config digest, and the same layer digests if the layers are stored in the same
//! compression; the manifest's digest is then the same too if the layout's tool writes the compact
//! form without annotations that Orbit writes (skopeo does), and may differ with other tools.

mod contents;
mod docker;
pub(crate) mod expand;
mod fault;
mod image;
mod inspector;
mod json;
mod layer;
pub(crate) mod limits;
mod media;
mod oci;
pub(crate) mod reader;
mod window;

#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Digest;

pub use fault::{ArchiveFault, Excerpt, Place, Situation};
pub use inspector::Inspector;
pub use limits::Limits;
pub use window::Window;

/// What an archive was found to hold: one image, of which every digest was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Inspection {
    /// The format of the archive.
    pub format: Format,
    /// How the archive as a whole is compressed.
    pub compression: Compression,
    /// Bytes of the archive as it was fed.
    pub size: u64,
    /// The digest of the archive as it was fed.
    pub digest: Digest,
    /// What the image runs on.
    pub platform: Platform,
    /// The image's manifest; its digest is the image's.
    pub manifest: Manifest,
    /// The image's config.
    pub config: Blob,
    /// The image's layers, from the base up.
    pub layers: Vec<Blob>,
}

/// The format of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// `manifest.json` names config and layers.
    DockerArchive,
    /// `index.json` names a manifest; `manifest.json` may stand beside it and say the same.
    OciLayout,
}

/// How bytes are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compression {
    /// Not at all.
    None,
    /// By gzip.
    Gzip,
    /// By zstd.
    Zstd,
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "uncompressed",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}

/// What an image runs on, as its config says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    /// The operating system, `linux`.
    pub os: String,
    /// The architecture by its Go name, `amd64`.
    pub architecture: String,
    /// The variant of the architecture, `v7`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// The manifest of an image, as it is pushed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// The digest of its bytes.
    pub digest: Digest,
    /// Its media type, of OCI or of Docker's schema 2.
    pub media_type: String,
    /// The manifest itself.
    pub bytes: String,
}

/// A config or layer, and where it lies in the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Blob {
    /// The digest of its bytes as they are stored.
    pub digest: Digest,
    /// Bytes as they are stored.
    pub size: u64,
    /// Its media type.
    pub media_type: String,
    /// Where its bytes begin in the archive, once that is uncompressed.
    pub offset: u64,
}
