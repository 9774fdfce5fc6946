//! The SHA-256 digest that names an OCI blob.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A SHA-256 digest in the form of the OCI image specification, `sha256:` and 64 lower-case hex digits.
///
/// No other algorithm is accepted: Orbit pins what it deploys by digest, and one algorithm means
/// that equal content has one name everywhere.
///
/// ```
/// use orbit_core::Digest;
/// let digest = Digest::of(b"");
/// assert_eq!(
///     digest.to_string(),
///     "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
/// );
/// assert_eq!(digest.to_string().parse(), Ok(digest));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// Returns the digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Returns the digest that a finished hash stands for.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the 32 bytes of the hash.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the 64 hex digits without the algorithm, as a blob's file is called in an OCI layout.
    pub fn hex(&self) -> String {
        HEXLOWER.encode(&self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestFault {
    /// The text does not begin with `sha256:`.
    #[error("digest is of another algorithm, expected sha256:<64 lower-case hex digits>")]
    Algorithm,
    /// What follows the algorithm is not 64 lower-case hex digits.
    #[error("digest is not sha256:<64 lower-case hex digits>")]
    Form,
}

impl FromStr for Digest {
    type Err = DigestFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hex = text.strip_prefix("sha256:").ok_or(DigestFault::Algorithm)?;
        let bytes = HEXLOWER.decode(hex.as_bytes()).map_err(|_| DigestFault::Form)?;
        bytes.try_into().map(Self).map_err(|_| DigestFault::Form)
    }
}

impl TryFrom<String> for Digest {
    type Error = DigestFault;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_digests_are_refused() {
        let short = format!("sha256:{}", "a".repeat(63));
        let upper = format!("sha256:{}", "A".repeat(64));
        let path = format!("sha256:../{}", "a".repeat(61));
        for text in [short, upper, path] {
            assert_eq!(text.parse::<Digest>(), Err(DigestFault::Form), "{text}");
        }
        for text in ["", "sha512:00", "SHA256:00", "md5:0"] {
            assert_eq!(text.parse::<Digest>(), Err(DigestFault::Algorithm), "{text}");
        }
    }
}
