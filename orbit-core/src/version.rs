//! The version of an image.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ident::text_type;

/// A version of an image, `v<major>-<minor>-<patch>` with at least two digits of patch.
///
/// Versions are compared as three numbers. The written form is unique: no number has more leading
/// zeros than the patch's two digits need.
///
/// ```
/// use orbit_core::ImageVersion;
/// let old: ImageVersion = "v0-0-09".parse()?;
/// let new: ImageVersion = "v0-0-10".parse()?;
/// assert!(old < new);
/// # Ok::<(), orbit_core::VersionFault>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageVersion {
    major: u32,
    minor: u32,
    patch: u32,
}
text_type!(ImageVersion, VersionFault);

/// The text is not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "image version is not v<major>-<minor>-<patch> with a patch of at least two digits, such as v0-0-01"
)]
pub struct VersionFault;

impl ImageVersion {
    /// Returns the version of these three numbers.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }

    /// Returns the version as Semantic Versioning writes it, `0.0.1` for `v0-0-01`.
    pub fn semver(self) -> String {
        format!("{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl fmt::Display for ImageVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}-{}-{:02}", self.major, self.minor, self.patch)
    }
}

impl FromStr for ImageVersion {
    type Err = VersionFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut numbers = text.strip_prefix('v').ok_or(VersionFault)?.splitn(3, '-');
        let mut next = || numbers.next().and_then(|n| n.parse().ok()).ok_or(VersionFault);
        let version = Self { major: next()?, minor: next()?, patch: next()? };
        // One version, one text: the text is a key in every store.
        if version.to_string() == text { Ok(version) } else { Err(VersionFault) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semantic_versions_have_no_leading_zeros() {
        let version: ImageVersion = "v1-20-03".parse().unwrap();
        assert_eq!(version.semver(), "1.20.3");
    }

    #[test]
    fn only_the_canonical_text_is_a_version() {
        for text in ["v0-0-01", "v1-22-333", "v4294967295-0-00"] {
            assert_eq!(text.parse::<ImageVersion>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "v0-0-1",
            "v00-0-01",
            "v0-0-001",
            "v+1-0-01",
            "0-0-01",
            "v0-0-01-1",
            "v4294967296-0-01",
            "V0-0-01",
        ] {
            assert_eq!(text.parse::<ImageVersion>(), Err(VersionFault), "{text}");
        }
    }
}
