//! The names of images, applications, actions and users: `FromStr` is the only way in.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};

use crate::{Digest, ImageVersion};

/// The characters a UID is drawn from.
const UID_ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// The length that the portal's documents give a UID.
const UID_LENGTH: usize = 60;
/// Crockford's base 32, as ULIDs are written.
const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Why a text is not the name it was read as.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentFault {
    /// The text has another length.
    #[error("{what} has {found} characters, expected {expected}")]
    Length {
        /// What the text was read as.
        what: &'static str,
        /// The characters it has.
        found: usize,
        /// The characters it should have.
        expected: &'static str,
    },
    /// The text holds a character that may not be there.
    #[error("{what} may not hold {found:?}, expected {expected}")]
    Character {
        /// What the text was read as.
        what: &'static str,
        /// The first such character.
        found: char,
        /// What may be there.
        expected: &'static str,
    },
}

/// Serialises a type as its text, and reads it through `FromStr`.
macro_rules! text_type {
    ($type:ident, $fault:ty) => {
        impl TryFrom<String> for $type {
            type Error = $fault;
            fn try_from(text: String) -> Result<Self, $fault> {
                text.parse()
            }
        }
        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}
pub(crate) use text_type;

/// Names an image for life, in every environment: 60 characters of `[A-Za-z0-9]`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageUid(String);
text_type!(ImageUid, IdentFault);

impl ImageUid {
    /// Draws a UID from random bytes without bias, or `None` if `random` ran out before 60 were found.
    ///
    /// A byte of 248 or more is passed over: 248 is the largest multiple of 62 in a byte. From 256
    /// bytes all but one draw in 10^120 succeed.
    pub fn draw(random: &[u8]) -> Option<Self> {
        let letters = random.iter().filter(|&&byte| byte < 248);
        let uid: String = letters
            .filter_map(|byte| UID_ALPHABET.get(usize::from(byte % 62)))
            .take(UID_LENGTH)
            .map(|&letter| char::from(letter))
            .collect();
        (uid.len() == UID_LENGTH).then_some(Self(uid))
    }

    /// Returns the 60 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ImageUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ImageUid {
    type Err = IdentFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(found) = text.chars().find(|c| !c.is_ascii_alphanumeric()) {
            return Err(IdentFault::Character {
                what: "imageUID",
                found,
                expected: "letters A-Z, a-z and digits",
            });
        }
        if text.len() != UID_LENGTH {
            return Err(IdentFault::Length { what: "imageUID", found: text.len(), expected: "60" });
        }
        Ok(Self(text.to_owned()))
    }
}

/// An image: its UID and version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ImageId {
    /// The UID, the same in every environment.
    pub uid: ImageUid,
    /// The version.
    pub version: ImageVersion,
}

impl fmt::Display for ImageId {
    /// Writes `<imageUID>-<imageVersion>`, which is also the name of the image's chart.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.uid, self.version)
    }
}

/// The name of an application in the repository, the registry and Kubernetes.
///
/// A DNS-1035 label of at most 50 characters: the slug of the image's name, a hyphen, and six base
/// 32 characters of SHA-256 of the UID, so that two images of one name never meet.
///
/// ```
/// use orbit_core::AppName;
/// let uid = "Het5SfSA6NJdRVdhTUhwev9A528QH4gwdJQMSA857PStLeyRnpGffDpDMJq5".parse()?;
/// let name = AppName::of("Trolls World Tour (2020)", &uid);
/// assert!(name.as_str().starts_with("trolls-world-tour-2020-"));
/// # Ok::<(), orbit_core::IdentFault>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AppName(String);
text_type!(AppName, IdentFault);

impl AppName {
    /// The longest name; Kubernetes allows 63, and the rest is for prefixes and suffixes.
    pub const MAX: usize = 50;

    /// Returns the name of the application that an image's first upload fixes.
    pub fn of(image_name: &str, uid: &ImageUid) -> Self {
        let hash = BASE32_NOPAD.encode(Digest::of(uid.as_str().as_bytes()).as_bytes());
        let hash: String = hash.chars().take(6).collect::<String>().to_ascii_lowercase();
        let mut slug = slug(image_name);
        if !slug.starts_with(|c: char| c.is_ascii_lowercase()) {
            slug = if slug.is_empty() { "image".to_owned() } else { format!("image-{slug}") };
        }
        slug.truncate(Self::MAX - hash.len() - 1);
        Self(format!("{}-{hash}", slug.trim_end_matches('-')))
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Lower-cases ASCII letters and digits and joins what lies between other characters by one hyphen.
fn slug(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

impl fmt::Display for AppName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for AppName {
    type Err = IdentFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let what = "application name";
        let expected = "a-z, 0-9 and '-', beginning with a letter and not ending with '-'";
        if text.is_empty() || text.len() > Self::MAX {
            return Err(IdentFault::Length { what, found: text.len(), expected: "1 to 50" });
        }
        let bad = text.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '-'));
        let first = text.chars().next().filter(|c| !c.is_ascii_lowercase());
        let last = text.chars().last().filter(|&c| c == '-');
        if let Some(found) = bad.or(first).or(last) {
            return Err(IdentFault::Character { what, found, expected });
        }
        Ok(Self(text.to_owned()))
    }
}

/// Names one action for ever, and orders actions by their begin: a ULID.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ActionId(String);
text_type!(ActionId, IdentFault);

impl ActionId {
    /// Returns the id of an action that begins at `at`, told apart from others by 80 random bits.
    pub fn new(at: crate::Timestamp, random: [u8; 10]) -> Self {
        let millis = u64::try_from(at.millis()).unwrap_or(0) & 0xFFFF_FFFF_FFFF;
        let mut value = u128::from(millis);
        for byte in random {
            value = (value << 8) | u128::from(byte);
        }
        let letters = (0..26).rev().map(|position| {
            let index = usize::try_from((value >> (position * 5)) & 31).unwrap_or(0);
            CROCKFORD.get(index).map_or('0', |&letter| char::from(letter))
        });
        Self(letters.collect())
    }

    /// Returns the 26 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ActionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ActionId {
    type Err = IdentFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let what = "action id";
        if let Some(found) =
            text.chars().find(|&c| u8::try_from(c).map_or(true, |byte| !CROCKFORD.contains(&byte)))
        {
            return Err(IdentFault::Character { what, found, expected: "Crockford's base 32" });
        }
        if text.len() != 26 {
            return Err(IdentFault::Length { what, found: text.len(), expected: "26" });
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    const UID: &str = "Het5SfSA6NJdRVdhTUhwev9A528QH4gwdJQMSA857PStLeyRnpGffDpDMJq5";

    #[test]
    fn a_uid_is_sixty_alphanumerics() {
        assert_eq!(UID.parse::<ImageUid>().unwrap().as_str(), UID);
        assert!(UID[1..].parse::<ImageUid>().is_err());
        assert!(format!("{}-", &UID[1..]).parse::<ImageUid>().is_err());
    }

    #[test]
    fn a_drawn_uid_skips_biased_bytes() {
        let mut random = vec![255_u8; 100];
        assert_eq!(ImageUid::draw(&random), None);
        random.extend([0_u8; 60]);
        assert_eq!(ImageUid::draw(&random).unwrap().as_str(), "A".repeat(60));
    }

    #[test]
    fn an_application_name_is_always_a_dns_label() {
        let uid: ImageUid = UID.parse().unwrap();
        for name in ["", "2020", "Ünïcode", "a".repeat(200).as_str(), "--x--", "映画", "a b  c"]
        {
            let app = AppName::of(name, &uid);
            assert_eq!(app.as_str().parse::<AppName>().as_ref(), Ok(&app), "{name}");
        }
        assert!(AppName::of("2020", &uid).as_str().starts_with("image-2020-"));
        assert!(AppName::of("映画", &uid).as_str().starts_with("image-"));
    }

    #[test]
    fn action_ids_sort_by_time_and_survive_text() {
        let early = ActionId::new(Timestamp::from_millis(1_000), [255; 10]);
        let late = ActionId::new(Timestamp::from_millis(1_001), [0; 10]);
        assert!(early < late);
        assert_eq!(early.as_str().len(), 26);
        assert_eq!(early.to_string().parse(), Ok(early));
    }
}
