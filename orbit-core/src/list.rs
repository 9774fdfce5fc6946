//! `deploy-list.yaml` and `delete-list.yaml`: reading, editing and checking them.
//!
//! Argo CD makes an application of every entry of a deploy list. A list that it reads otherwise than
//! Orbit meant is applications lost, so what is read here is a dialect of YAML that every reader
//! understands alike: a list of flat mappings of strings. All else is refused, with line and column.
//!
//! | | read | refused |
//! |---|---|---|
//! | document | one, with at most one `---` line before it; a byte-order mark; LF, CR LF or both; no final newline | a second document, `...`, `%` directives; no list at all: an empty file, comments only, a mapping, a scalar |
//! | empty list | `[]`, `[ ]`, before and after comments | any other collection in brackets or braces |
//! | entries | `- key: value`, dashes in one column, keys in one column of an entry | an entry without a key on its dash's line, another indentation, tabs |
//! | keys | any, quoted or not, of at most 1,000 bytes; `name` in every entry | a key twice, a name twice, `<<`, `? key` |
//! | values | one string on the key's line: plain, `'single'`, `"double"` | nested values, block scalars, strings over several lines, anchors, aliases, tags |
//! | plain | what is a string to every reader | `on`, `1.20`, `0123`, `1e3`, `12:30`, `2025-01-25`, `~`, nothing |
//! | escapes | `\0 \a \b \t \n \v \f \r \e \" \\ \N \_ \L \P \xXX \uXXXX \UXXXXXXXX`, backslash and space | all others, also `\/` and `\'` |
//! | characters | all of UTF-8 that is printable, tabs in quotes and comments | control characters, CR alone, U+2028, U+2029, U+FEFF inside, noncharacters U+FFFE and U+FFFF |
//! | size | 16 MiB | more |
//!
//! Reading has two layers: a [`Document`] gives mappings with any keys, [`DeployList`] and [`DeleteList`]
//! give typed entries and pass over keys that are not Orbit's. A document serialises as it was read, key
//! by key. [`apply`] edits the text in place, also by [`Fields`] with keys of your own;
//! [`deploy`] and [`retire`] move an entry between the two lists of an environment; [`check()`] says all
//! that is wrong with both. All of them take time and memory linear in the text.
//!
//! # What edits promise
//!
//! Making a change twice is making it once, and a change that undoes an insertion restores the text
//! byte for byte (`[]` comes back without the spaces in it, and a comment behind it on a line of its
//! own). Changes to different names can be made in any order: the entries are the same, and in
//! a list sorted by name their order too. The bytes are the same where only entries with the comments
//! that are theirs stand in the list, apart from the head, and one is left all the time. Otherwise the
//! place of blank lines and comments between entries that come and go can depend on the order.

mod both;
mod characters;
mod check;
mod cursor;
mod distinct;
mod document;
mod edit;
mod entry;
mod fault;
mod fields;
mod plain;
mod quoted;
mod scan;
mod shown;
#[cfg(test)]
mod tests;

pub use both::{Finding, ListFile, deploy, retire};
pub use check::{check, check_entry, read_sound};
pub use document::{Document, Field, Item};
pub use edit::{Change, apply};
pub use entry::{DeleteList, Deletion, DeployList, Entry, KEYS, List, Listed, Tombstone};
pub use fault::{ListError, ListFault, Meaning, Position};
pub use fields::Fields;
pub use shown::{SHOWN, is_hidden, shown};

/// The longest list that is read, in bytes: the limit for YAML of every kind.
pub const MAX_BYTES: usize = 16 << 20;
