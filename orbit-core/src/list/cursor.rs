//! A place in a list's text, and the tokens that begin there.

use memchr::{memchr, memchr2, memchr3};

use super::document::Span;
use super::fault::{ListError, ListFault, Position};
use super::quoted;

/// Reads tokens; none goes beyond its line.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    /// The next byte.
    pub(super) at: usize,
    /// The current line, beginning at 1.
    pub(super) line: usize,
    /// Where the current line begins.
    pub(super) line_start: usize,
}

impl<'a> Cursor<'a> {
    /// Returns a cursor before the first line; a byte-order mark is no part of it.
    pub(super) fn new(text: &'a str) -> Self {
        let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Self { text, at, line: 0, line_start: at }
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn slice(&self, span: Span) -> &'a str {
        span.of(self.text)
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.byte(self.at)
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    fn bytes_from(&self, at: usize) -> &'a [u8] {
        self.text.as_bytes().get(at..).unwrap_or_default()
    }

    /// Tells whether a place is a blank, a line's end or the text's end.
    pub(super) fn is_blank(&self, at: usize) -> bool {
        matches!(self.byte(at), None | Some(b' ' | b'\t' | b'\n' | b'\r'))
    }

    /// Tells whether the line ends here.
    pub(super) fn is_line_end(&self) -> bool {
        matches!(self.peek(), None | Some(b'\n' | b'\r'))
    }

    /// Passes spaces and returns how many there were.
    pub(super) fn spaces(&mut self) -> usize {
        let found = self.bytes_from(self.at).iter().take_while(|&&b| b == b' ').count();
        self.at += found;
        found
    }

    /// Passes all that is left of the line, its end included.
    pub(super) fn skip_line(&mut self) {
        let rest = self.bytes_from(self.at);
        self.at += memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
    }

    /// Passes spaces, a comment and the line's end.
    pub(super) fn end_value(&mut self) -> Result<(), ListError> {
        if self.peek() == Some(b'\n') {
            self.at += 1;
            return Ok(());
        }
        let n_spaces = self.spaces();
        match self.peek() {
            None | Some(b'\n' | b'\r') => self.skip_line(),
            Some(b'#') if n_spaces > 0 => self.skip_line(),
            Some(b'\t') => return Err(self.error(self.at, ListFault::Tab)),
            Some(b':') => return Err(self.error(self.at, ListFault::Nested)),
            Some(_) => return Err(self.error(self.at, ListFault::Trailing)),
        }
        Ok(())
    }

    /// Passes a quoted or plain scalar.
    pub(super) fn scalar(&mut self) -> Result<Span, ListError> {
        let start = self.at;
        match self.peek() {
            Some(b'"') => self.double()?,
            Some(b'\'') => self.single()?,
            Some(_) | None => self.plain()?,
        }
        Ok(Span::new(start, self.at))
    }

    fn double(&mut self) -> Result<(), ListError> {
        let mut at = self.at + 1;
        loop {
            let rest = self.bytes_from(at);
            at += memchr3(b'"', b'\\', b'\n', rest).unwrap_or(rest.len());
            match self.byte(at) {
                Some(b'"') => break,
                Some(b'\\') => at += 1 + self.escape(at)?,
                Some(_) | None => return Err(self.error(self.at, ListFault::Unclosed)),
            }
        }
        self.at = at + 1;
        Ok(())
    }

    /// Returns the length of the escape whose backslash is at `at`.
    fn escape(&self, at: usize) -> Result<usize, ListError> {
        let after = self.text.get(at + 1..).unwrap_or_default();
        match quoted::escape(after) {
            Some((_, length)) => Ok(length),
            None if content(after).is_empty() => Err(self.error(self.at, ListFault::Unclosed)),
            None => {
                let found = after.chars().take(1).collect();
                Err(self.error(at, ListFault::Escape { found }))
            }
        }
    }

    fn single(&mut self) -> Result<(), ListError> {
        let mut at = self.at + 1;
        loop {
            let rest = self.bytes_from(at);
            at += memchr2(b'\'', b'\n', rest).unwrap_or(rest.len());
            match (self.byte(at), self.byte(at + 1)) {
                (Some(b'\''), Some(b'\'')) => at += 2,
                (Some(b'\''), _) => break,
                _ => return Err(self.error(self.at, ListFault::Unclosed)),
            }
        }
        self.at = at + 1;
        Ok(())
    }

    /// Passes an unquoted text: to the line's end, a comment or a colon with a blank after it.
    fn plain(&mut self) -> Result<(), ListError> {
        if let Some(fault) = self.reserved() {
            return Err(self.error(self.at, fault));
        }
        // Most keys are a word and nothing else.
        let word = self.bytes_from(self.at).iter().take_while(|b| b.is_ascii_alphanumeric());
        let mut end = self.at + word.count();
        for (at, b) in (end..).zip(self.bytes_from(end)) {
            match b {
                b'\n' | b'\r' => break,
                b':' if self.is_blank(at + 1) => break,
                b'#' if end < at => break,
                b' ' => {}
                b'\t' => return Err(self.error(at, ListFault::Tab)),
                _ => end = at + 1,
            }
        }
        self.at = end;
        Ok(())
    }

    /// Returns why no unquoted text can begin here.
    fn reserved(&self) -> Option<ListFault> {
        let found = self.rest().chars().next()?;
        Some(match found {
            '&' => ListFault::Anchor,
            '*' => ListFault::Alias,
            '!' => ListFault::Tag,
            '|' | '>' => ListFault::Block,
            '[' | '{' => ListFault::Flow,
            '\t' => ListFault::Tab,
            '-' if self.is_blank(self.at + 1) => ListFault::Nested,
            '?' | ':' if self.is_blank(self.at + 1) => ListFault::Reserved { found },
            ',' | ']' | '}' | '#' | '%' | '@' | '`' => ListFault::Reserved { found },
            _ => return None,
        })
    }

    /// Returns an error at a byte of the current line.
    pub(super) fn error(&self, at: usize, kind: ListFault) -> ListError {
        let before = self.text.get(self.line_start..at).unwrap_or_default();
        let position = Position { line: self.line, column: before.chars().count() + 1 };
        ListError::new(position, kind)
    }
}

/// Returns the line break that a text begins with, or nothing.
pub(super) fn line_break(text: &str) -> &str {
    let length = match text.as_bytes() {
        [b'\r', b'\n', ..] => 2,
        [b'\n', ..] => 1,
        _ => 0,
    };
    text.get(..length).unwrap_or_default()
}

/// Returns a text up to its first line break.
pub(super) fn content(text: &str) -> &str {
    let end = memchr(b'\n', text.as_bytes()).unwrap_or(text.len());
    let line = text.get(..end).unwrap_or_default();
    line.strip_suffix('\r').unwrap_or(line)
}
