//! What is wrong with a list, and where.

use std::fmt;

use super::shown::{SHOWN, shown};

/// A place in a list's text; both numbers begin at 1, and a column is a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column; a byte-order mark has none.
    pub column: usize,
}

/// A refusal of a list: what is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {kind}")]
pub struct ListError {
    /// The line, beginning at 1.
    pub line: usize,
    /// The column in characters, beginning at 1.
    pub column: usize,
    /// What is wrong.
    pub kind: ListFault,
}

impl ListError {
    /// Returns the error at a place.
    pub(super) fn new(at: Position, kind: ListFault) -> Self {
        Self { line: at.line, column: at.column, kind }
    }

    /// Returns the place.
    pub const fn position(&self) -> Position {
        Position { line: self.line, column: self.column }
    }

    /// Returns `file:line:column: message`, the form that editors and CI systems link.
    pub fn in_file(&self, file: &str) -> String {
        format!("{}:{}:{}: {}", shown(file, usize::MAX), self.line, self.column, self.kind)
    }
}

/// What can be wrong with a list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListFault {
    /// The text is longer than the reader's limit.
    #[error("list has {found} bytes, the limit is {limit}")]
    TooLarge {
        /// The bytes it has.
        found: usize,
        /// The bytes it may have.
        limit: usize,
    },
    /// The bytes are not UTF-8.
    #[error("list is not UTF-8")]
    Encoding,
    /// A control character, a Unicode line separator, a byte-order mark inside or a noncharacter.
    #[error("U+{:04X} may only stand as an escape in double quotes", u32::from(*found))]
    Character {
        /// The character.
        found: char,
    },
    /// The file holds no list, which Argo CD reads as one application without a name.
    #[error("file holds no list, expected entries or []")]
    NoList,
    /// A second document, a document's end, or a directive.
    #[error("{found} begins another document or a directive, expected one document")]
    Document {
        /// The marker.
        found: &'static str,
    },
    /// A tab outside of quotes and comments.
    #[error("tab, expected spaces")]
    Tab,
    /// A line is neither a new entry nor a key of the entry above.
    #[error("line is indented by {found}, expected {expected}")]
    Indent {
        /// The spaces it has.
        found: usize,
        /// The spaces it should have.
        expected: usize,
    },
    /// The document is a mapping or a scalar.
    #[error("document is not a list, expected an entry or []")]
    NotAList,
    /// Something follows the empty list, or the empty list follows entries.
    #[error("[] and entries in one list")]
    NotEmpty,
    /// An entry or a line of one is not `key: value`.
    #[error("no key, expected `key: value`")]
    NotAMapping,
    /// An entry has nothing on its dash's line; Argo CD reads null.
    #[error("entry has no key on its first line, expected `- key: value`")]
    NullItem,
    /// The value is itself a mapping or a sequence, or begins below its key.
    #[error("value is nested or begins on another line, expected a string on its key's line")]
    Nested,
    /// An anchor.
    #[error("anchors are refused")]
    Anchor,
    /// An alias.
    #[error("aliases are refused")]
    Alias,
    /// A tag.
    #[error("tags are refused")]
    Tag,
    /// A merge key.
    #[error("merge keys are refused")]
    MergeKey,
    /// A collection in brackets or braces.
    #[error("flow collections are refused, expected one `key: value` a line")]
    Flow,
    /// A literal or folded block scalar.
    #[error("block scalars are refused, expected a quoted string")]
    Block,
    /// An unquoted value or key begins with a character that YAML reserves.
    #[error("{found:?} may not begin an unquoted string")]
    Reserved {
        /// The character.
        found: char,
    },
    /// A quoted string goes on beyond its line, or never ends.
    #[error("quoted string does not end on its line")]
    Unclosed,
    /// An escape that not every YAML reader knows.
    #[error("unknown escape \\{}", brief(found))]
    Escape {
        /// What follows the backslash.
        found: String,
    },
    /// Text follows a value.
    #[error("text after the value, expected the line's end")]
    Trailing,
    /// A key is longer than YAML readers look for its colon.
    #[error("key has {found} bytes, expected at most {limit}")]
    LongKey {
        /// The bytes it has.
        found: usize,
        /// The bytes it may have.
        limit: usize,
    },
    /// A key has no value.
    #[error("key has no value, which is read as null, expected a string: write \"\"")]
    NoValue,
    /// An unquoted text that YAML readers take for something else than a string.
    #[error("unquoted `{}` is read as {meaning}, expected a string: quote it", brief(text))]
    Ambiguous {
        /// The text.
        text: String,
        /// What it is read as.
        meaning: Meaning,
    },
    /// An entry has a key twice, and Argo CD would read the last.
    #[error("key {} stands twice in the entry", brief(key))]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// Two entries have one name, and Argo CD would touch neither.
    #[error("name {} stands twice in the list, first in line {first}", brief(name))]
    DuplicateName {
        /// The name.
        name: String,
        /// The line of the first.
        first: usize,
    },
    /// An entry lacks a key.
    #[error("entry has no {field}")]
    Missing {
        /// The key.
        field: &'static str,
    },
    /// A value is not of its key's form.
    #[error("{field}: {}", brief(reason))]
    Invalid {
        /// The key.
        field: &'static str,
        /// What the form's own parser says.
        reason: String,
    },
    /// A key that Argo CD overwrites silently.
    #[error("key {} is overwritten by Argo CD and may not be used", brief(key))]
    Forbidden {
        /// The key.
        key: String,
    },
    /// An entry is for another environment than its file.
    #[error("environment is \"{}\", expected \"{}\"", brief(found), brief(expected))]
    Environment {
        /// What the entry says.
        found: String,
        /// The environment of the file.
        expected: String,
    },
    /// A name is in both lists.
    #[error("{} is also in the deploy list, line {line}", brief(name))]
    InBoth {
        /// The name.
        name: String,
        /// Its line in the deploy list.
        line: usize,
    },
    /// An entry that should move is in neither list.
    #[error("{} is in neither list", brief(name))]
    NotListed {
        /// The name.
        name: String,
    },
    /// A list has as many faults as are told of one.
    #[error("list has {shown} faults up to here, and those that may follow are not shown")]
    More {
        /// The faults that are told.
        shown: usize,
    },
}

/// Returns foreign text as messages show it.
fn brief(text: &str) -> String {
    shown(text, SHOWN)
}

/// What YAML readers make of an unquoted text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// `~`, `null`, or no text at all.
    Null,
    /// `yes`, `no`, `on`, `off`, `true`, `false`, `y`, `n`.
    Bool,
    /// A number in any base or form, also `.inf` and `.nan`.
    Number,
    /// Numbers of base 60, `12:30:45`.
    Sexagesimal,
    /// A date or point in time.
    Date,
    /// `=` and `<<`, which YAML 1.1 reserves for default values and merges.
    Indicator,
}

impl fmt::Display for Meaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Number => "a number",
            Self::Sexagesimal => "a number of base 60",
            Self::Date => "a date",
            Self::Indicator => "an indicator",
        })
    }
}
