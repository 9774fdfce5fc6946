//! A list as it is read: entries in order, each with its keys, values and places.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use super::fault::{ListError, ListFault, Position};
use super::{MAX_BYTES, cursor, quoted, scan};

/// A piece of a list's text, in bytes.
///
/// Four bytes a bound keep what is read of a list of 1,000 entries within the processor's cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// Returns the piece between two bytes; the reader refuses a text that is longer than `u32`.
    pub(super) fn new(start: usize, end: usize) -> Self {
        let bound = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: bound(start), end: bound(end) }
    }

    pub(super) fn range(self) -> std::ops::Range<usize> {
        let bound = |at: u32| usize::try_from(at).unwrap_or(usize::MAX);
        bound(self.start)..bound(self.end)
    }

    pub(super) fn of(self, text: &str) -> &str {
        text.get(self.range()).unwrap_or_default()
    }
}

/// A key and its value as they are written, quotes included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair {
    pub(super) key: Span,
    pub(super) value: Span,
    pub(super) line: u32,
}

/// The lines of one entry.
#[derive(Debug, Clone)]
pub(super) struct Lines {
    /// Where the comment directly above begins, or else the dash's line.
    pub(super) above: usize,
    /// Where the dash's line begins.
    pub(super) start: usize,
    /// Where the line after its last key begins.
    pub(super) end: usize,
    /// The column of its keys, counted from 0.
    pub(super) column: usize,
    /// Its pairs, among the document's.
    pub(super) pairs: std::ops::Range<usize>,
    /// The pair that is its name.
    pub(super) name: Option<Pair>,
    /// The number of the dash's line, beginning at 1.
    pub(super) line: usize,
}

impl Lines {
    /// Returns the name as it is read in the document's text.
    pub(super) fn name_in<'t>(&self, text: &'t str) -> Cow<'t, str> {
        quoted::decode(self.name.map(|pair| pair.value.of(text)).unwrap_or_default())
    }
}

/// The line that holds `[]`.
#[derive(Debug, Clone)]
pub(super) struct EmptyLine {
    /// Its bytes, the line's end included.
    pub(super) range: std::ops::Range<usize>,
    /// The comment behind the brackets.
    pub(super) comment: Span,
}

/// A list that was read, as flat mappings of strings.
///
/// ```
/// use orbit_core::list::Document;
/// let list = Document::read(b"# development\n- name: a\n  imageName: 'A & B' # a film\n")?;
/// let item = list.items().next().expect("there is one");
/// let pairs: Vec<_> = item.fields().map(|field| (field.key, field.value)).collect();
/// assert_eq!(pairs, [("name".into(), "a".into()), ("imageName".into(), "A & B".into())]);
///
/// let refusal = Document::read(b"- name: a\n  imageVersion: 1.20\n").unwrap_err();
/// assert_eq!(
///     refusal.in_file("deploy-list.yaml"),
///     "deploy-list.yaml:2:17: unquoted `1.20` is read as a number, expected a string: quote it"
/// );
/// # Ok::<(), orbit_core::list::ListError>(())
/// ```
#[derive(Debug)]
pub struct Document<'a> {
    pub(super) text: &'a str,
    pub(super) limit: usize,
    pub(super) items: Vec<Lines>,
    pub(super) pairs: Vec<Pair>,
    /// The line of `[]`, if the list is written so.
    pub(super) empty: Option<EmptyLine>,
    /// Whether every name is greater than the one before it.
    pub(super) is_sorted: bool,
}

impl<'a> Document<'a> {
    /// Reads a list of at most [`MAX_BYTES`].
    ///
    /// # Errors
    /// The first fault in the text; see [`ListFault`].
    pub fn read(bytes: &'a [u8]) -> Result<Self, ListError> {
        Self::read_within(bytes, MAX_BYTES)
    }

    /// Reads a list of at most `limit` bytes (and never more than 4 GiB).
    ///
    /// # Errors
    /// The first fault in the text; see [`ListFault`].
    pub fn read_within(bytes: &'a [u8], limit: usize) -> Result<Self, ListError> {
        // Before the bytes are looked at, so that a refusal costs nothing.
        scan::check_length(bytes.len(), limit)?;
        let text = str::from_utf8(bytes).map_err(|fault| not_utf8(bytes, fault.valid_up_to()))?;
        Self::read_text(text, limit)
    }

    /// Reads a list that is known to be UTF-8.
    pub(super) fn read_text(text: &'a str, limit: usize) -> Result<Self, ListError> {
        let scan = scan::scan(text, limit);
        scan.faults.into_iter().next().map_or(Ok(scan.document), Err)
    }

    /// Returns the entries in their order.
    pub fn items(&self) -> impl ExactSizeIterator<Item = Item<'_>> {
        self.items.iter().map(|lines| Item { document: self, lines })
    }

    /// Returns the place where a pair's key or value begins.
    pub(super) fn place(&self, pair: Pair, part: Span) -> Position {
        let before = self.text.get(..part.range().start).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let before = before.get(start..).unwrap_or_default().trim_start_matches('\u{feff}');
        let line = usize::try_from(pair.line).unwrap_or(usize::MAX);
        Position { line, column: before.chars().count() + 1 }
    }
}

/// Returns the error for bytes that are UTF-8 only up to a place.
fn not_utf8(bytes: &[u8], valid: usize) -> ListError {
    let before = bytes.get(..valid).and_then(|b| str::from_utf8(b).ok()).unwrap_or_default();
    scan::error_after(before, ListFault::Encoding)
}

/// Writes a list of mappings, as any YAML reader sees it.
impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.items())
    }
}

/// One entry of a list.
#[derive(Debug, Clone, Copy)]
pub struct Item<'d> {
    document: &'d Document<'d>,
    lines: &'d Lines,
}

impl<'d> Item<'d> {
    /// Returns the value of its key `name`.
    pub fn name(&self) -> Cow<'d, str> {
        self.lines.name_in(self.document.text)
    }

    /// Returns the place of its first key.
    pub fn position(&self) -> Position {
        Position { line: self.lines.line, column: self.lines.column + 1 }
    }

    /// Returns its keys and values in their order.
    pub fn fields(&self) -> impl Iterator<Item = Field<'d>> + use<'d> {
        let document = self.document;
        self.pairs().iter().map(move |&pair| Field::new(document, pair))
    }

    /// Returns a key's value and place, or `None` if the entry lacks it.
    pub fn field(&self, key: &str) -> Option<Field<'d>> {
        let has_key = |pair: &&Pair| quoted::stands_for(pair.key.of(self.document.text), key);
        self.pairs().iter().find(has_key).map(|&pair| Field::new(self.document, pair))
    }

    fn pairs(&self) -> &'d [Pair] {
        self.document.pairs.get(self.lines.pairs.clone()).unwrap_or_default()
    }

    /// Returns the name's value and place, or `None` if the reader has found none.
    pub(super) fn name_field(&self) -> Option<Field<'d>> {
        self.lines.name.map(|pair| Field::new(self.document, pair))
    }

    pub(super) fn lines(&self) -> &'d Lines {
        self.lines
    }
}

/// Writes the keys and values in their order.
impl Serialize for Item<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.fields().map(|field| (field.key, field.value)))
    }
}

/// One key of an entry, and its value.
#[derive(Debug, Clone)]
pub struct Field<'d> {
    /// The key.
    pub key: Cow<'d, str>,
    /// The value.
    pub value: Cow<'d, str>,
    document: &'d Document<'d>,
    pair: Pair,
}

impl<'d> Field<'d> {
    fn new(document: &'d Document<'d>, pair: Pair) -> Self {
        let key = quoted::decode(pair.key.of(document.text));
        let value = quoted::decode(pair.value.of(document.text));
        Self { key, value, document, pair }
    }

    /// Returns the place of the key.
    pub fn key_position(&self) -> Position {
        self.document.place(self.pair, self.pair.key)
    }

    /// Returns the place of the value, its quote included.
    pub fn position(&self) -> Position {
        self.document.place(self.pair, self.pair.value)
    }

    pub(super) fn value_range(&self) -> std::ops::Range<usize> {
        self.pair.value.range()
    }
}

/// Returns the line break of the line that begins at a byte, or else the text's first.
pub(super) fn line_ending(text: &str, line_start: usize) -> &str {
    let of_line = |start: usize| {
        let rest = text.get(start..).unwrap_or_default();
        let end = cursor::content(rest).len();
        cursor::line_break(rest.get(end..).unwrap_or_default())
    };
    let not_empty = |line_end: &&str| !line_end.is_empty();
    let own = Some(of_line(line_start)).filter(not_empty);
    own.or_else(|| Some(of_line(0)).filter(not_empty)).unwrap_or("\n")
}
