//! Scalars and the order of keys as kustomize prints them: quotes only where they are needed, lines
//! folded after column 80.

use super::meaning::is_read_as_text;
use super::{INDENT, Writer, is_break};

/// The column after which the next space becomes a line break.
const WIDTH: usize = 80;
/// The length in bytes from which a key is written after a question mark.
const LONG_KEY: usize = 129;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    Single,
    Double,
    Literal,
}

impl Writer {
    pub(super) fn kustomize_key(&mut self, key: &str, indent: usize) {
        let form = form(key);
        let is_simple = key.len() < LONG_KEY && !key.contains(is_break);
        if !is_simple {
            self.write("? ");
        }
        match form {
            Form::Plain => self.write(key),
            Form::Single => self.single(key, indent + INDENT),
            Form::Double | Form::Literal => self.double(key, indent + INDENT),
        }
        if !is_simple {
            self.line(indent);
        }
    }

    pub(super) fn kustomize_text(&mut self, text: &str, indent: usize) {
        match form(text) {
            Form::Plain => self.plain(text, indent),
            Form::Single => self.single(text, indent),
            Form::Double => self.double(text, indent),
            Form::Literal => self.literal(text, indent),
        }
    }

    fn plain(&mut self, text: &str, indent: usize) {
        let mut last = None;
        let mut rest = text.chars().peekable();
        while let Some(letter) = rest.next() {
            let is_edge_of_word = last != Some(' ') && rest.peek() != Some(&' ');
            if letter == ' ' && is_edge_of_word && self.column > WIDTH {
                self.line(indent);
            } else {
                self.push(letter);
            }
            last = Some(letter);
        }
    }

    fn single(&mut self, text: &str, indent: usize) {
        self.push('\'');
        let mut last = None;
        let mut rest = text.chars().peekable();
        while let Some(letter) = rest.next() {
            let is_edge_of_word =
                !matches!(last, None | Some(' ')) && rest.peek().is_some_and(|&next| next != ' ');
            if last.is_some_and(is_break) && !is_break(letter) {
                self.line(indent);
            }
            match letter {
                ' ' if is_edge_of_word && self.column > WIDTH => self.line(indent),
                '\'' => self.write("''"),
                _ => self.push(letter),
            }
            last = Some(letter);
        }
        self.push('\'');
    }

    fn double(&mut self, text: &str, indent: usize) {
        self.push('"');
        let mut last = None;
        let mut rest = text.chars().peekable();
        while let Some(letter) = rest.next() {
            let is_after_word = !matches!(last, None | Some(' ')) && rest.peek().is_some();
            if letter == ' ' && is_after_word && self.column > WIDTH {
                self.line(indent);
                if rest.peek() == Some(&' ') {
                    self.push('\\');
                }
            } else if is_escaped(letter) {
                self.escaped(letter);
            } else {
                self.push(letter);
            }
            last = Some(letter);
        }
        self.push('"');
    }

    fn escaped(&mut self, letter: char) {
        let short = match letter {
            '\0' => "\\0",
            '\u{7}' => "\\a",
            '\u{8}' => "\\b",
            '\t' => "\\t",
            '\n' => "\\n",
            '\u{b}' => "\\v",
            '\u{c}' => "\\f",
            '\r' => "\\r",
            '\u{1b}' => "\\e",
            '"' => "\\\"",
            '\\' => "\\\\",
            '\u{85}' => "\\N",
            '\u{2028}' => "\\L",
            '\u{2029}' => "\\P",
            _ => return self.write(&super::escape(letter)),
        };
        self.write(short);
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.push('|');
        if text.starts_with([' ', '\n', '\u{2028}', '\u{2029}']) {
            self.write(&INDENT.to_string());
        }
        let mut back = text.chars().rev();
        match (back.next().is_some_and(is_break), back.next().is_none_or(is_break)) {
            (false, _) => self.push('-'),
            (true, true) => self.push('+'),
            (true, false) => {}
        }
        self.push('\n');
        let mut is_new_line = true;
        for letter in text.chars() {
            if is_new_line && !is_break(letter) {
                self.line(indent);
            }
            self.push(letter);
            is_new_line = is_break(letter);
        }
    }
}

/// Returns the first form that may hold `text`.
fn form(text: &str) -> Form {
    let is_unprintable = text.chars().any(|letter| !is_printable(letter));
    let pairs = || text.chars().zip(text.chars().skip(1));
    let is_space_before_break = pairs().any(|(left, right)| left == ' ' && is_break(right));
    let is_space_after_break = pairs().any(|(left, right)| is_break(left) && right == ' ');
    let is_fragile = is_unprintable || is_space_before_break;
    if text.contains('\n') {
        return if is_fragile || text.ends_with(' ') { Form::Double } else { Form::Literal };
    }
    if !is_read_as_text(text) || is_fragile || is_space_after_break {
        return Form::Double;
    }
    let is_padded = text.starts_with(' ') || text.ends_with(' ');
    if is_padded || text.contains(is_break) || has_indicator(text) {
        return Form::Single;
    }
    Form::Plain
}

/// Returns whether a part of `text` has a meaning in YAML.
fn has_indicator(text: &str) -> bool {
    let is_blank = |letter: char| letter == ' ' || letter == '\t';
    let mut letters = text.chars();
    let first = letters.next();
    let is_alone = letters.next().is_none_or(is_blank);
    text.starts_with("---")
        || text.starts_with("...")
        || text.starts_with(|c| "#,[]{}&*!|>'\"%@`".contains(c))
        || matches!(first, Some('?' | ':' | '-')) && is_alone
        || text.ends_with(':')
        || text.contains(": ")
        || text.contains(" #")
}

/// Returns whether go-yaml writes `letter` as it is; it has no four-byte UTF-8.
fn is_printable(letter: char) -> bool {
    matches!(letter, '\n' | ' '..='~' | '\u{a0}'..='\u{fffd}') && letter != '\u{feff}'
}

fn is_escaped(letter: char) -> bool {
    !is_printable(letter) || is_break(letter) || letter == '"' || letter == '\\'
}

/// Returns whether kustomize prints the key `left` before `right`: runs of digits by their number,
/// letters after all else.
pub(super) fn is_before(left: &str, right: &str) -> bool {
    let pairs = left.char_indices().zip(right.chars());
    let Some(((at, a), b)) = pairs.into_iter().find(|((_, a), b)| a != b) else {
        return left.len() < right.len();
    };
    if a.is_alphabetic() || b.is_alphabetic() {
        return if a.is_alphabetic() && b.is_alphabetic() { a < b } else { b.is_alphabetic() };
    }
    let (same, rest_of_left) = left.split_at(at);
    let rest_of_right = right.get(at..).unwrap_or_default();
    // After digits other than 0, a zero is no leading one.
    let digits = same.rsplit(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    let is_inside = (a == '0' || b == '0') && digits.bytes().any(|byte| byte != b'0');
    let run = |text: &str| {
        let digits = text.bytes().take_while(u8::is_ascii_digit);
        let number = digits.clone().fold(i64::from(is_inside), |number, digit| {
            number.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'))
        });
        (number, digits.count())
    };
    (run(rest_of_left), a) < (run(rest_of_right), b)
}
