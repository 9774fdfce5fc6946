//! Searching images: filters, orders and keyset pages.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::image::{Image, ImageLabels, Status};
use crate::{Digest, Environment, ImageVersion};

/// Where a page begins: opaque to clients, and bound to the query it came from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(String);

/// The cursor is not one that this query handed out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cursor is not one that this query returned")]
pub struct CursorFault;

impl Cursor {
    /// Returns a cursor that stands behind `key` in the query that `query` describes.
    #[expect(clippy::missing_panics_doc, reason = "keys are strings and numbers")]
    pub fn new(query: &str, key: &impl Serialize) -> Self {
        let key = serde_json::to_string(key).expect("keys are strings and numbers");
        let bound = format!("{}{key}", short_hash(query));
        Self(BASE64URL_NOPAD.encode(bound.as_bytes()))
    }

    /// Returns the key, if the cursor came from the same query.
    ///
    /// # Errors
    /// [`CursorFault`].
    pub fn open<K: DeserializeOwned>(&self, query: &str) -> Result<K, CursorFault> {
        let bytes = BASE64URL_NOPAD.decode(self.0.as_bytes()).map_err(|_| CursorFault)?;
        let text = String::from_utf8(bytes).map_err(|_| CursorFault)?;
        let key = text.strip_prefix(&short_hash(query)).ok_or(CursorFault)?;
        serde_json::from_str(key).map_err(|_| CursorFault)
    }

    /// Returns the text that clients send back.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Cursor {
    fn from(text: String) -> Self {
        Self(text)
    }
}

fn short_hash(query: &str) -> String {
    Digest::of(query.as_bytes()).hex().chars().take(8).collect()
}

/// The order of a search. Images that compare equal are ordered by UID and version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Sort {
    /// Newest upload first, `-createdAt`.
    #[default]
    Newest,
    /// Oldest upload first, `createdAt`.
    Oldest,
    /// Last change first, `-updatedAt`.
    LastChanged,
    /// First change first, `updatedAt`.
    FirstChanged,
    /// By name, `imageName`.
    Name,
    /// By name backwards, `-imageName`.
    NameBackwards,
}

/// The text is not the name of an order or a status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected one of {expected}")]
pub struct NotOneOf {
    /// The names.
    pub expected: &'static str,
}

impl FromStr for Sort {
    type Err = NotOneOf;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "-createdAt" => Self::Newest,
            "createdAt" => Self::Oldest,
            "-updatedAt" => Self::LastChanged,
            "updatedAt" => Self::FirstChanged,
            "imageName" => Self::Name,
            "-imageName" => Self::NameBackwards,
            _ => {
                let expected =
                    "createdAt, -createdAt, updatedAt, -updatedAt, imageName, -imageName";
                return Err(NotOneOf { expected });
            }
        })
    }
}

/// A status, without what belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StatusName {
    /// [`Status::Stored`].
    Stored,
    /// [`Status::Deployed`].
    Deployed,
    /// [`Status::Deleted`].
    Deleted,
}

impl StatusName {
    /// Returns the name of a status.
    pub const fn of(status: &Status) -> Self {
        match status {
            Status::Stored => Self::Stored,
            Status::Deployed { .. } => Self::Deployed,
            Status::Deleted { .. } => Self::Deleted,
        }
    }

    /// Returns the lower-case word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Deployed => "deployed",
            Self::Deleted => "deleted",
        }
    }
}

impl fmt::Display for StatusName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for StatusName {
    type Err = NotOneOf;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "stored" => Self::Stored,
            "deployed" => Self::Deployed,
            "deleted" => Self::Deleted,
            _ => return Err(NotOneOf { expected: "stored, deployed, deleted" }),
        })
    }
}

/// A search for images. Every filter that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// Case-insensitive, anywhere in name, description, part, tail or UID.
    pub text: Option<String>,
    /// The whole name, case-insensitive.
    pub name: Option<String>,
    /// The whole category, case-insensitive.
    pub category: Option<String>,
    /// The environment the image is in.
    pub environment: Option<Environment>,
    /// The status.
    pub status: Option<StatusName>,
    /// The whole part number.
    pub part: Option<String>,
    /// The whole tail number.
    pub tail: Option<String>,
    /// The version.
    pub version: Option<ImageVersion>,
    /// Whether it was ever scanned.
    pub scanned: Option<bool>,
    /// The order.
    pub sort: Sort,
    /// Where to go on.
    pub cursor: Option<Cursor>,
    /// How many at most.
    pub limit: u32,
    /// Whether to count facets.
    pub facets: bool,
}

impl Search {
    /// Up to here matches are counted exactly.
    pub const COUNT_LIMIT: u64 = 10_000;

    /// Returns what a cursor of this search is bound to: everything but the page.
    pub fn identity(&self) -> String {
        let page_free = Self { cursor: None, limit: 0, facets: false, ..self.clone() };
        format!("{page_free:?}")
    }
}

/// Returns a text in which upper and lower case are the same, in every script: what a database knows of
/// case differs from one to the next, and every catalog must find the same images.
///
/// It is the same whatever stands beside a character, so that a part of a text is folded as within it:
/// the Greek sigma, which has another form at the end of a word, has one here.
pub fn fold(text: &str) -> String {
    let one_sigma = |c| if c == 'ς' { 'σ' } else { c };
    text.chars().flat_map(char::to_lowercase).map(one_sigma).collect()
}

/// Returns what [`Search::text`] looks through, folded, with a character between the fields that none of
/// them is searched for.
pub fn searched_text(image: &Image) -> String {
    let ImageLabels { name, category: _, description, part, tail, icao: _ } = &image.labels;
    let fields = [Some(name), description.as_ref(), part.as_ref(), tail.as_ref()];
    let fields = fields.into_iter().flatten().map(String::as_str);
    fold(&fields.chain([image.id.uid.as_str()]).collect::<Vec<_>>().join("\u{1f}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_text_is_folded_as_within_it() {
        let text = "Ο ΔΡΟΜΟΣ ΤΗΣ ΟΔΥΣΣΕΙΑΣ, Straße, İstanbul";
        let chars: Vec<char> = text.chars().collect();
        for len in 1..=chars.len() {
            for part in chars.windows(len) {
                let part: String = part.iter().collect();
                assert!(fold(text).contains(&fold(&part)), "{part}");
                assert_eq!(fold(&fold(&part)), fold(&part));
            }
        }
        assert_eq!(fold("δρόμος"), fold("ΔΡΌΜΟΣ"));
    }

    #[test]
    fn a_cursor_opens_only_for_its_own_query() {
        let cursor = Cursor::new("a", &("x", 1));
        assert_eq!(cursor.open::<(String, u32)>("a"), Ok(("x".to_owned(), 1)));
        assert_eq!(cursor.open::<(String, u32)>("b"), Err(CursorFault));
        assert_eq!(Cursor::from("💥".to_owned()).open::<u32>("a"), Err(CursorFault));
    }

    #[test]
    fn a_search_is_the_same_on_every_page() {
        let search = Search { text: Some("x".to_owned()), limit: 20, ..Search::default() };
        let next = Search { cursor: Some(Cursor::new("", &1)), limit: 5, ..search.clone() };
        assert_eq!(search.identity(), next.identity());
        assert_ne!(search.identity(), Search::default().identity());
    }
}
