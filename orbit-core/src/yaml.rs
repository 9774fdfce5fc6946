//! YAML as Orbit writes it: blocks, two spaces, LF, and one text for one value.
//!
//! There are two styles of scalars. [`quoted`] is for files that Orbit commits: every string stands
//! in double quotes and is safe for any reader. [`as_kustomize`] is for showing what would be
//! applied: the bytes that kustomize prints for the same object.

mod kustomize;
mod meaning;

use serde_json::{Map, Value};

use self::meaning::is_read_as_text;

/// The spaces that a level is indented by.
const INDENT: usize = 2;

/// Returns `value` with every string in double quotes.
///
/// A key stands bare if it is a plain word that no reader takes for anything else.
pub(crate) fn quoted(value: &Value) -> String {
    document(value, Style::Quoted)
}

/// Returns `value` as `kustomize build` prints it, byte by byte.
pub(crate) fn as_kustomize(value: &Value) -> String {
    document(value, Style::Kustomize)
}

/// Returns `text` as a YAML string in double quotes.
///
/// ASCII and the letters of any script stand as they are. All else is escaped, so that nothing
/// invisible, nothing that changes the direction of writing and no line break reaches the file.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            ' '..='~' => quoted.push(letter),
            _ if letter.is_alphanumeric() => quoted.push(letter),
            _ => quoted.push_str(&escape(letter)),
        }
    }
    quoted.push('"');
    quoted
}

/// Returns the shortest of YAML's three escapes by number.
fn escape(letter: char) -> String {
    match u32::from(letter) {
        code @ 0..=0xFF => format!("\\x{code:02X}"),
        code @ 0x100..=0xFFFF => format!("\\u{code:04X}"),
        code => format!("\\U{code:08X}"),
    }
}

#[derive(Clone, Copy)]
enum Style {
    Quoted,
    Kustomize,
}

fn document(value: &Value, style: Style) -> String {
    let mut writer = Writer { text: String::new(), column: 0, style };
    writer.item(value, 0);
    writer.line(0);
    writer.text
}

/// The text so far; `indent` is everywhere the column of the block that something stands in.
struct Writer {
    text: String,
    column: usize,
    style: Style,
}

impl Writer {
    fn mapping(&mut self, map: &Map<String, Value>, indent: usize) {
        for (position, (key, value)) in in_order(map).into_iter().enumerate() {
            if position > 0 {
                self.line(indent);
            }
            self.key(key, indent);
            self.value(value, indent);
        }
    }

    fn sequence(&mut self, items: &[Value], indent: usize) {
        for (position, item) in items.iter().enumerate() {
            if position > 0 {
                self.line(indent);
            }
            self.write("- ");
            self.item(item, indent + INDENT);
        }
    }

    fn key(&mut self, key: &str, indent: usize) {
        match self.style {
            Style::Quoted if is_plain_word(key) => self.write(key),
            Style::Quoted => self.write(&quote(key)),
            Style::Kustomize => self.kustomize_key(key, indent),
        }
        self.write(":");
    }

    /// Writes what follows a key: a list at the column of the key, all else further in.
    fn value(&mut self, value: &Value, indent: usize) {
        if is_block(value) {
            self.line(if value.is_array() { indent } else { indent + INDENT });
            self.item(value, self.column);
        } else {
            self.write(" ");
            self.item(value, indent + INDENT);
        }
    }

    /// Writes what begins where the writer stands.
    fn item(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Object(map) if !map.is_empty() => self.mapping(map, indent),
            Value::Array(items) if !items.is_empty() => self.sequence(items, indent),
            Value::String(text) => self.string(text, indent),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => self.write(&value.to_string()),
        }
    }

    fn string(&mut self, text: &str, indent: usize) {
        match self.style {
            Style::Quoted => self.write(&quote(text)),
            Style::Kustomize => self.kustomize_text(text, indent),
        }
    }

    /// Goes to `indent` of a new line, or of this one if nothing stands in it.
    fn line(&mut self, indent: usize) {
        if self.column > 0 {
            self.push('\n');
        }
        while self.column < indent {
            self.push(' ');
        }
    }

    fn write(&mut self, text: &str) {
        text.chars().for_each(|letter| self.push(letter));
    }

    fn push(&mut self, letter: char) {
        self.text.push(letter);
        self.column = if is_break(letter) { 0 } else { self.column + 1 };
    }
}

/// Returns whether a value stands on lines of its own; empty maps and lists are written `{}` and `[]`.
fn is_block(value: &Value) -> bool {
    let is_map = value.as_object().is_some_and(|map| !map.is_empty());
    is_map || value.as_array().is_some_and(|items| !items.is_empty())
}

/// Returns whether YAML 1.1, which kustomize writes, ends a line at `letter`.
fn is_break(letter: char) -> bool {
    matches!(letter, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Returns whether a key needs no quotes in any reader.
fn is_plain_word(key: &str) -> bool {
    key.starts_with(|first: char| first.is_ascii_alphabetic())
        && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '-'))
        && is_read_as_text(key)
}

/// Returns the entries in the order in which kustomize prints them.
///
/// Its comparison is no order: it has 2 before 10, 10 before 1a and 1a before 2. Rust's sort may
/// panic on that, so each entry goes before the first one that is not before it.
fn in_order(map: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut entries: Vec<(&String, &Value)> = Vec::with_capacity(map.len());
    for entry in map {
        let place = entries.partition_point(|(key, _)| kustomize::is_before(key, entry.0));
        entries.insert(place, entry);
    }
    entries
}

#[cfg(test)]
mod tests;
