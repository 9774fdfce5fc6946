//! Changes to a list that touch no byte beyond the lines that must change.

use std::collections::BTreeMap;
use std::ops::Range;

use super::document::{Document, Item, line_ending};
use super::entry::Listed;
use super::fault::ListError;
use super::fields::Fields;
use super::{MAX_BYTES, plain, quoted, scan};

/// What a list without entries is written as.
const EMPTY: &str = "[]";

/// A change to one entry.
///
/// Of two changes to one name the later counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The entry is to have these values: a new entry, or new values of the one that is there.
    Put(Fields),
    /// There is to be no entry of this name.
    ///
    /// Any text, so that an entry whose name is no application's can leave too.
    Remove(String),
}

impl Change {
    /// Returns the change after which a list holds this entry.
    pub fn put(entry: &impl Listed) -> Self {
        Self::Put(entry.fields())
    }

    /// Returns what is put.
    fn fields(&self) -> Option<&Fields> {
        match self {
            Self::Put(fields) => Some(fields),
            Self::Remove(_) => None,
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Put(fields) => fields.name(),
            Self::Remove(name) => name.as_str(),
        }
    }
}

/// Returns a list's text after changes, which are made in one pass.
///
/// See [`Document::apply`].
///
/// # Errors
/// The first fault in the text, or [`TooLarge`](super::ListFault::TooLarge) for the text before or after the changes.
pub fn apply(text: &str, changes: &[Change]) -> Result<String, ListError> {
    Document::read_text(text, MAX_BYTES)?.apply(changes)
}

/// New text for a piece of the old.
#[derive(Debug)]
struct Splice {
    at: Range<usize>,
    text: String,
    /// Whether the text is lines, which begin on a line of their own.
    is_lines: bool,
}

impl Document<'_> {
    /// Returns the text after changes, which are made in one pass.
    ///
    /// Only the lines of the named entries change, and of them only the values that differ; comments,
    /// blank lines, order, quoting, indentation, line ends, a byte-order mark and a missing final
    /// newline stay. A comment directly above an entry leaves with it, unless it begins the file or the
    /// entry is the last one left; if several leave as the last ones, the first keeps its comment. A new
    /// entry stands after the one whose name comes before its own if the list is sorted by name, and
    /// else after the last. Making the same changes again changes nothing.
    ///
    /// # Errors
    /// [`TooLarge`](super::ListFault::TooLarge) if the new text is over the limit that the list was read within.
    pub fn apply(&self, changes: &[Change]) -> Result<String, ListError> {
        let mut edit = Edit { document: self, splices: Vec::new(), removed: Vec::new() };
        // In the order of the names, so that the order of the changes does not matter.
        let mut wanted: BTreeMap<&str, &Change> =
            changes.iter().map(|change| (change.name(), change)).collect();
        for item in self.items() {
            if wanted.is_empty() {
                break;
            }
            match wanted.remove(&*item.name()) {
                None => {}
                Some(Change::Remove(_)) => edit.removed.push(item),
                Some(Change::Put(fields)) => edit.update(item, fields),
            }
        }
        let new: Vec<&Fields> = wanted.into_values().filter_map(Change::fields).collect();
        if self.items.is_empty() {
            edit.fill(&new);
        } else {
            edit.insert(&new);
            edit.remove(new.is_empty());
        }
        let text = edit.text();
        scan::check_length(text.len(), self.limit)?;
        Ok(text)
    }
}

/// The pieces that changes replace, in a document.
struct Edit<'d> {
    document: &'d Document<'d>,
    splices: Vec<Splice>,
    removed: Vec<Item<'d>>,
}

impl<'d> Edit<'d> {
    /// Replaces the values of an entry that differ, and adds the keys that it lacks.
    fn update(&mut self, item: Item<'d>, fields: &Fields) {
        let lines = item.lines();
        let mut added = String::new();
        for (key, value) in fields.iter() {
            match item.field(key) {
                Some(field) if field.value == value => {}
                Some(field) => {
                    let mut text = String::new();
                    quoted::push_quoted(&mut text, value);
                    self.splices.push(Splice { at: field.value_range(), text, is_lines: false });
                }
                None => {
                    added.extend(std::iter::repeat_n(' ', lines.column));
                    push_pair(&mut added, key, value);
                    added.push_str(line_ending(self.document.text, lines.start));
                }
            }
        }
        if !added.is_empty() {
            self.push_lines(lines.end..lines.end, added);
        }
    }

    /// Replaces the line of `[]` by new entries; a comment behind it gets a line of its own.
    fn fill(&mut self, new: &[&Fields]) {
        let (Some(empty), false) = (&self.document.empty, new.is_empty()) else {
            return;
        };
        let style =
            Style { indent: "", gap: " ", column: 2, line_end: self.line_end(empty.range.start) };
        let mut text = String::new();
        let comment = empty.comment.of(self.document.text);
        if !comment.is_empty() {
            text.push_str(comment);
            text.push_str(style.line_end);
        }
        for fields in new {
            style.push_entry(&mut text, fields);
        }
        self.push_lines(empty.range.clone(), text);
    }

    /// Adds new entries to a list that has some.
    fn insert(&mut self, new: &[&Fields]) {
        for fields in new {
            let (neighbour, at) = self.place(fields.name());
            let mut text = String::new();
            self.style(neighbour).push_entry(&mut text, fields);
            self.push_lines(at..at, text);
        }
    }

    /// Returns the entry that a new one stands beside, and where.
    fn place(&self, name: &str) -> (usize, usize) {
        let items = &self.document.items;
        let n_before = if self.document.is_sorted {
            items.partition_point(|lines| *lines.name_in(self.document.text) < *name)
        } else {
            items.len()
        };
        match n_before.checked_sub(1) {
            Some(last) => (last, items.get(last).map_or(0, |lines| lines.end)),
            None => (0, items.first().map_or(0, |lines| lines.above)),
        }
    }

    /// Removes entries with the comments above them; a list that loses all becomes `[]`.
    fn remove(&mut self, nothing_new: bool) {
        let removed = std::mem::take(&mut self.removed);
        let is_emptied = nothing_new && removed.len() == self.document.items.len();
        for (n_before, item) in removed.iter().enumerate() {
            let lines = item.lines();
            // A comment above `[]` is the first entry's once there are entries, and comes back to it.
            if is_emptied && n_before == 0 {
                let text = format!("{EMPTY}{}", self.line_end(lines.start));
                self.push_lines(lines.start..lines.end, text);
            } else {
                self.push_lines(lines.above..lines.end, String::new());
            }
        }
    }

    fn push_lines(&mut self, at: Range<usize>, text: String) {
        self.splices.push(Splice { at, text, is_lines: true });
    }

    fn line_end(&self, line_start: usize) -> &'d str {
        line_ending(self.document.text, line_start)
    }

    fn style(&self, neighbour: usize) -> Style<'d> {
        let lines =
            self.document.items.get(neighbour).expect("the neighbour was found in the list");
        let line = self.document.text.get(lines.start..).unwrap_or_default();
        let (indent, rest) = line.split_once('-').unwrap_or_default();
        let gap = lines.column - indent.len() - 1;
        Style {
            indent,
            gap: rest.get(..gap).unwrap_or_default(),
            column: lines.column,
            line_end: self.line_end(lines.start),
        }
    }

    /// Returns the document with every piece replaced.
    fn text(mut self) -> String {
        let old = self.document.text;
        // New lines at a place come before the lines that leave there, in the order they were made.
        self.splices.sort_by_key(|splice| splice.at.start);
        let added: usize = self.splices.iter().map(|splice| splice.text.len()).sum();
        let mut text = String::with_capacity(old.len() + added + 2);
        let line_end = line_ending(old, 0);
        let mut n_done = 0;
        for splice in &self.splices {
            text.push_str(old.get(n_done..splice.at.start).unwrap_or_default());
            if splice.is_lines && !splice.text.is_empty() {
                end_last_line(&mut text, line_end);
            }
            text.push_str(&splice.text);
            n_done = splice.at.end;
        }
        text.push_str(old.get(n_done..).unwrap_or_default());
        if !old.ends_with('\n') {
            let lines = text.strip_suffix('\n').unwrap_or(&text);
            let length = lines.strip_suffix('\r').unwrap_or(lines).len();
            text.truncate(length);
        }
        text
    }
}

/// Ends the last line of a text, if there is one that does not end yet.
fn end_last_line(text: &mut String, line_end: &str) {
    if !text.trim_start_matches('\u{feff}').is_empty() && !text.ends_with('\n') {
        text.push_str(line_end);
    }
}

/// How the entries around a new one are written.
struct Style<'d> {
    indent: &'d str,
    gap: &'d str,
    column: usize,
    line_end: &'d str,
}

impl Style<'_> {
    fn push_entry(&self, out: &mut String, fields: &Fields) {
        for (n_before, (key, value)) in fields.iter().enumerate() {
            if n_before == 0 {
                out.push_str(self.indent);
                out.push('-');
                out.push_str(self.gap);
            } else {
                out.extend(std::iter::repeat_n(' ', self.column));
            }
            push_pair(out, key, value);
            out.push_str(self.line_end);
        }
    }
}

fn push_pair(out: &mut String, key: &str, value: &str) {
    if plain::is_word(key) {
        out.push_str(key);
    } else {
        quoted::push_quoted(out, key);
    }
    out.push_str(": ");
    quoted::push_quoted(out, value);
}
