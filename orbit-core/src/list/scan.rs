//! Reads a text line by line into a [`Document`], and collects what is wrong with it.

use super::cursor::Cursor;
use super::document::{Document, EmptyLine, Lines, Pair, Span};
use super::fault::{ListError, ListFault, Position};
use super::{characters, distinct, plain, quoted};

/// YAML readers look for a key's colon within 1,024 characters only.
pub(super) const MAX_KEY: usize = 1000;
/// Nobody reads more faults of one list, and a hostile one could hold millions.
pub(super) const MAX_FAULTS: usize = 1000;

/// What was read of a text, and what is wrong with it.
pub(super) struct Scan<'a> {
    pub(super) document: Document<'a>,
    /// In the order of their places.
    pub(super) faults: Vec<ListError>,
    /// Whether the text was read to its end.
    pub(super) is_whole: bool,
}

/// Reads a text of at most `limit` bytes.
pub(super) fn scan(text: &str, limit: usize) -> Scan<'_> {
    let mut scanner = Scanner::new(text, limit);
    let end = scanner.read();
    let is_whole = end.is_ok() && scanner.cursor.at == text.len();
    scanner.faults.extend(end.err());
    let Scanner { mut document, mut faults, .. } = scanner;
    document.is_sorted = distinct::are_names_sorted(&document);
    if !document.is_sorted {
        faults.extend(distinct::repeated_names(&document));
    }
    faults.sort_by_key(ListError::position);
    Scan { document, faults, is_whole }
}

/// Refuses a length that is over the limit, or over what a [`Span`] can name.
pub(super) fn check_length(found: usize, limit: usize) -> Result<(), ListError> {
    let limit = limit.min(usize::try_from(u32::MAX).unwrap_or(usize::MAX));
    if found > limit {
        let start = Position { line: 1, column: 1 };
        return Err(ListError::new(start, ListFault::TooLarge { found, limit }));
    }
    Ok(())
}

/// Returns an error at the end of a text.
pub(super) fn error_after(before: &str, kind: ListFault) -> ListError {
    let mut cursor = Cursor::new(before);
    cursor.line = 1;
    while cursor.at < before.len() {
        cursor.skip_line();
        if before.get(..cursor.at).is_some_and(|passed| passed.ends_with('\n')) {
            cursor.line += 1;
            cursor.line_start = cursor.at;
        }
    }
    cursor.error(before.len(), kind)
}

/// What stands directly above a line.
#[derive(Debug, Clone, Copy)]
enum Above {
    /// The beginning of the file or the `---` line, and comments without a blank line between.
    Head,
    /// Comments that belong to an entry below, from this byte.
    Comment(usize),
    /// Anything else.
    Other,
}

#[derive(Debug, Clone, Copy)]
enum List {
    Unknown,
    Empty,
    /// Entries whose dashes have this column, counted from 0.
    Block(usize),
}

struct Scanner<'a> {
    cursor: Cursor<'a>,
    document: Document<'a>,
    faults: Vec<ListError>,
    list: List,
    above: Above,
    has_marker: bool,
    /// The pairs of the last entry whose keys are known to differ.
    distinct: std::ops::Range<usize>,
    /// Whether the keys of the open entry are the first of those, in their order.
    has_expected_keys: bool,
    /// Whether a key of the open entry is no string to every reader.
    has_ambiguous_key: bool,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str, limit: usize) -> Self {
        let (items, pairs) = (Vec::new(), Vec::new());
        Self {
            cursor: Cursor::new(text),
            document: Document { text, limit, items, pairs, empty: None, is_sorted: true },
            faults: Vec::new(),
            list: List::Unknown,
            above: Above::Head,
            has_marker: false,
            distinct: 0..0,
            has_expected_keys: true,
            has_ambiguous_key: false,
        }
    }

    fn read(&mut self) -> Result<(), ListError> {
        let text = self.document.text;
        check_length(text.len(), self.document.limit)?;
        if let Some((at, found)) = characters::refused(text, self.cursor.at) {
            let before = text.get(..at).unwrap_or_default();
            return Err(error_after(before, ListFault::Character { found }));
        }
        while self.cursor.at < text.len() && self.faults.len() < MAX_FAULTS {
            self.line()?;
        }
        // An entry that was not read to its end may have its name below.
        self.close_entry(self.cursor.at == text.len());
        match self.list {
            List::Unknown => Err(error_after(text, ListFault::NoList)),
            List::Empty | List::Block(_) => Ok(()),
        }
    }

    fn line(&mut self) -> Result<(), ListError> {
        self.cursor.line += 1;
        self.cursor.line_start = self.cursor.at;
        let indent = self.cursor.spaces();
        match self.cursor.peek() {
            None | Some(b'\n' | b'\r') => {
                self.above = Above::Other;
                self.cursor.skip_line();
                Ok(())
            }
            Some(b'#') => {
                self.comment();
                Ok(())
            }
            Some(b'\t') => Err(self.error(ListFault::Tab)),
            Some(b'-') if self.cursor.is_blank(self.cursor.at + 1) => self.entry(indent),
            Some(b'[') if !matches!(self.list, List::Block(_)) => self.empty_list(),
            Some(_) => match self.marker(indent) {
                Some(found) => self.document_marker(found),
                None => self.key_line(indent),
            },
        }
    }

    fn comment(&mut self) {
        if matches!(self.above, Above::Other) {
            self.above = Above::Comment(self.cursor.line_start);
        }
        self.cursor.skip_line();
    }

    /// Returns the document marker or directive that the line begins with.
    fn marker(&self, indent: usize) -> Option<&'static str> {
        let rest = self.cursor.rest();
        let is_marker = |marker: &&str| {
            let ends = *marker == "%" || self.cursor.is_blank(self.cursor.at + marker.len());
            rest.starts_with(*marker) && ends
        };
        ["---", "...", "%"].into_iter().find(is_marker).filter(|_| indent == 0)
    }

    /// One `---` may stand before the list, on a line of its own.
    fn document_marker(&mut self, found: &'static str) -> Result<(), ListError> {
        let is_first = matches!(self.list, List::Unknown) && !self.has_marker;
        if found != "---" || !is_first {
            return Err(self.error(ListFault::Document { found }));
        }
        self.has_marker = true;
        self.above = Above::Head;
        self.cursor.at += found.len();
        self.cursor.end_value()
    }

    fn empty_list(&mut self) -> Result<(), ListError> {
        if matches!(self.list, List::Empty) {
            return Err(self.error(ListFault::NotEmpty));
        }
        let (start, bracket) = (self.cursor.line_start, self.cursor.at);
        self.cursor.at += 1;
        self.cursor.spaces();
        if self.cursor.peek() != Some(b']') {
            return Err(self.cursor.error(bracket, ListFault::Flow));
        }
        self.cursor.at += 1;
        let behind = self.cursor.at;
        self.cursor.end_value()?;
        let line = Span::new(behind, self.cursor.at);
        let comment = self.cursor.slice(line).trim();
        let comment_at = behind + self.cursor.slice(line).find('#').unwrap_or_default();
        self.document.empty = Some(EmptyLine {
            range: start..self.cursor.at,
            comment: Span::new(comment_at, comment_at + comment.len()),
        });
        self.list = List::Empty;
        Ok(())
    }

    fn entry(&mut self, indent: usize) -> Result<(), ListError> {
        match self.list {
            List::Empty => return Err(self.error(ListFault::NotEmpty)),
            List::Block(expected) if expected != indent => {
                return Err(self.misplaced(indent, expected));
            }
            List::Unknown | List::Block(_) => self.list = List::Block(indent),
        }
        self.close_entry(true);
        let (start, line) = (self.cursor.line_start, self.cursor.line);
        self.cursor.at += 1;
        let column = indent + 1 + self.cursor.spaces();
        if self.cursor.is_line_end() || self.cursor.peek() == Some(b'#') {
            return Err(self.error(ListFault::NullItem));
        }
        let above = match self.above {
            Above::Comment(above) => above,
            Above::Head | Above::Other => start,
        };
        let first = self.document.pairs.len();
        let pairs = first..first;
        self.has_expected_keys = true;
        self.has_ambiguous_key = false;
        self.document.items.push(Lines {
            above,
            start,
            end: start,
            column,
            pairs,
            name: None,
            line,
        });
        self.pair(column)
    }

    fn key_line(&mut self, indent: usize) -> Result<(), ListError> {
        let Some(column) = self.document.items.last().map(|lines| lines.column) else {
            let kind = match (self.list, self.cursor.peek()) {
                (List::Unknown, Some(b'{')) => ListFault::Flow,
                (List::Unknown, _) => ListFault::NotAList,
                (List::Empty | List::Block(_), _) => ListFault::NotEmpty,
            };
            return Err(self.error(kind));
        };
        if indent != column {
            return Err(self.misplaced(indent, column));
        }
        self.pair(column)
    }

    fn pair(&mut self, column: usize) -> Result<(), ListError> {
        self.above = Above::Other;
        let line = u32::try_from(self.cursor.line).unwrap_or(u32::MAX);
        let key = self.key()?;
        let value = self.value(column)?;
        let pair = Pair { key, value, line };
        self.document.pairs.push(pair);
        if let Some(lines) = self.document.items.last_mut() {
            lines.end = self.cursor.at;
        }
        Ok(())
    }

    fn key(&mut self) -> Result<Span, ListError> {
        let start = self.cursor.at;
        if let Some(length) = self.expected_key() {
            self.cursor.at += length + 1;
            return Ok(Span::new(start, start + length));
        }
        self.has_expected_keys = false;
        let key = self.cursor.scalar()?;
        self.cursor.spaces();
        if self.cursor.peek() != Some(b':') || !self.cursor.is_blank(self.cursor.at + 1) {
            return Err(self.cursor.error(start, ListFault::NotAMapping));
        }
        let found = self.cursor.at - start;
        if found > MAX_KEY {
            return Err(self.cursor.error(start, ListFault::LongKey { found, limit: MAX_KEY }));
        }
        if quoted::decode(self.cursor.slice(key)) == "<<" {
            return Err(self.cursor.error(start, ListFault::MergeKey));
        }
        let n_faults = self.faults.len();
        self.note_ambiguous(key);
        self.has_ambiguous_key |= self.faults.len() > n_faults;
        self.cursor.at += 1;
        Ok(key)
    }

    /// Returns the length of the key that the last entry with distinct keys has in this place, if it
    /// stands here too.
    ///
    /// Most entries have the same keys, so that most keys need not be looked at twice.
    fn expected_key(&self) -> Option<usize> {
        let n_before = self.document.pairs.len() - self.document.items.last()?.pairs.start;
        let known = self.document.pairs.get(self.distinct.clone())?.get(n_before)?;
        let key = self.cursor.slice(known.key);
        let value = self.cursor.rest().strip_prefix(key)?;
        value.starts_with(": ").then_some(key.len())
    }

    /// Passes a value and its line's end.
    fn value(&mut self, column: usize) -> Result<Span, ListError> {
        self.cursor.spaces();
        if !self.cursor.is_line_end() && self.cursor.peek() != Some(b'#') {
            let is_plain = !matches!(self.cursor.peek(), Some(b'"' | b'\''));
            let value = self.cursor.scalar()?;
            if is_plain {
                self.note_ambiguous(value);
            }
            self.cursor.end_value()?;
            return Ok(value);
        }
        if self.goes_on_below(column) {
            return Err(self.error(ListFault::Nested));
        }
        let at = self.cursor.at;
        self.faults.push(self.error(ListFault::NoValue));
        self.cursor.skip_line();
        Ok(Span::new(at, at))
    }

    /// Notes a text that is no string to every reader; reading goes on, so that `check` finds them all.
    fn note_ambiguous(&mut self, span: Span) {
        let text = self.cursor.slice(span);
        if text.starts_with(['"', '\'']) {
            return;
        }
        if let Some(meaning) = plain::meaning(text) {
            let kind = ListFault::Ambiguous { text: text.to_owned(), meaning };
            self.faults.push(self.cursor.error(span.range().start, kind));
        }
    }

    /// Tells whether the next line that is neither blank nor comment is part of an empty value.
    fn goes_on_below(&self, column: usize) -> bool {
        let mut lines = self.cursor.rest().lines().skip(1);
        let next = lines.find(|line| {
            let text = line.trim_start_matches(' ');
            !text.is_empty() && !text.starts_with('#')
        });
        next.is_some_and(|line| {
            let text = line.trim_start_matches(' ');
            let indent = line.len() - text.len();
            indent > column || indent == column && (text == "-" || text.starts_with("- "))
        })
    }

    fn error(&self, kind: ListFault) -> ListError {
        self.cursor.error(self.cursor.at, kind)
    }

    fn misplaced(&self, found: usize, expected: usize) -> ListError {
        self.error(ListFault::Indent { found, expected })
    }

    /// Finds the name of the entry that ends here, and compares its keys.
    fn close_entry(&mut self, is_whole: bool) {
        let Self {
            cursor, document, faults, distinct, has_expected_keys, has_ambiguous_key, ..
        } = self;
        let Some(lines) = document.items.last_mut() else {
            return;
        };
        lines.pairs.end = document.pairs.len();
        let pairs = document.pairs.get(lines.pairs.clone()).unwrap_or_default();
        let is_name =
            |pair: &&Pair| matches!(cursor.slice(pair.key), "name" | "\"name\"" | "'name'");
        lines.name = pairs.iter().find(is_name).copied();
        if lines.name.is_none() && is_whole {
            let at = Position { line: lines.line, column: lines.column + 1 };
            faults.push(ListError::new(at, ListFault::Missing { field: "name" }));
        }
        if *has_expected_keys {
            return;
        }
        let range = lines.pairs.clone();
        let repeated = distinct::repeated_keys(document, range.clone());
        // Keys that are passed over for being known are not noted again.
        if repeated.is_empty() && !*has_ambiguous_key {
            *distinct = range;
        }
        faults.extend(repeated);
    }
}
