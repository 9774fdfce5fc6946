//! Quoted strings: reading the escapes that every YAML reader knows, and writing.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Returns the text that a scalar stands for, quoted or not.
///
/// `raw` is a scalar that the reader has accepted.
pub(super) fn decode(raw: &str) -> Cow<'_, str> {
    if let Some(inner) = within(raw, '"') {
        if inner.contains('\\') { Cow::Owned(unescape(inner)) } else { Cow::Borrowed(inner) }
    } else if let Some(inner) = within(raw, '\'') {
        if inner.contains('\'') {
            Cow::Owned(inner.replace("''", "'"))
        } else {
            Cow::Borrowed(inner)
        }
    } else {
        Cow::Borrowed(raw)
    }
}

/// Tells whether a scalar stands for a text, sooner than by [`decode`]: most keys are not quoted.
pub(super) fn stands_for(raw: &str, text: &str) -> bool {
    if raw.starts_with(['"', '\'']) { decode(raw) == text } else { raw == text }
}

fn within(raw: &str, quote: char) -> Option<&str> {
    raw.strip_prefix(quote)?.strip_suffix(quote)
}

fn unescape(inner: &str) -> String {
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        let (c, length) = escape(after).expect("the reader has accepted every escape");
        text.push(c);
        rest = after.get(length..).unwrap_or_default();
    }
    text.push_str(rest);
    text
}

/// Returns the character that an escape stands for and the bytes it takes after the backslash.
///
/// `None` for an escape that YAML 1.1, YAML 1.2 and the reader of Argo CD do not all know: `\/`, `\'`
/// and a backslash before a tab or the line's end.
pub(super) fn escape(after: &str) -> Option<(char, usize)> {
    let letter = after.chars().next()?;
    let simple = match letter {
        '0' => '\0',
        'a' => '\u{7}',
        'b' => '\u{8}',
        't' => '\t',
        'n' => '\n',
        'v' => '\u{b}',
        'f' => '\u{c}',
        'r' => '\r',
        'e' => '\u{1b}',
        ' ' | '"' | '\\' => letter,
        'N' => '\u{85}',
        '_' => '\u{a0}',
        'L' => '\u{2028}',
        'P' => '\u{2029}',
        'x' => return hex(after, 2),
        'u' => return hex(after, 4),
        'U' => return hex(after, 8),
        _ => return None,
    };
    Some((simple, 1))
}

fn hex(after: &str, n_digits: usize) -> Option<(char, usize)> {
    let length = n_digits + 1;
    let digits = after.get(1..length)?;
    // The number's own parser would take a sign for a digit.
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let code = u32::from_str_radix(digits, 16).ok()?;
    Some((char::from_u32(code)?, length))
}

/// Appends a text in double quotes, with an escape for all that is not plainly visible.
pub(super) fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if !needs_escape(c) => out.push(c),
            c => push_code(out, u32::from(c)),
        }
    }
    out.push('"');
}

fn push_code(out: &mut String, code: u32) {
    let written = match code {
        0..=0xFF => write!(out, "\\x{code:02X}"),
        0x100..=0xFFFF => write!(out, "\\u{code:04X}"),
        _ => write!(out, "\\U{code:08X}"),
    };
    written.expect("writing to a string cannot fail");
}

/// Tells whether a character is refused in a list, or would hide or reorder what stands beside it.
fn needs_escape(c: char) -> bool {
    let hidden = matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{feff}'
    ) || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}')
        || matches!(c, '\u{e0000}'..='\u{e007f}');
    let noncharacter = u32::from(c) & 0xFFFE == 0xFFFE || matches!(c, '\u{fdd0}'..='\u{fdef}');
    c.is_control() || hidden || noncharacter
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(text: &str) -> String {
        let mut out = String::new();
        push_quoted(&mut out, text);
        out
    }

    #[test]
    fn what_is_written_is_read_back_for_every_character() {
        for c in '\0'..=char::MAX {
            let text = format!("a{c}b");
            assert_eq!(decode(&quoted(&text)), text, "{c:?}");
        }
    }

    #[test]
    fn a_scalar_stands_for_what_it_is_read_as() {
        for raw in ["name", "'name'", r#""name""#, r#""n\x61me""#] {
            assert!(stands_for(raw, "name"), "{raw}");
            assert!(!stands_for(raw, "names"), "{raw}");
        }
        assert!(!stands_for("'name'", "'name'"));
    }

    #[test]
    fn nothing_invisible_is_written_as_it_is() {
        assert_eq!(quoted("a\u{202e}b\u{feff}\u{85}\0"), r#""a\u202Eb\uFEFF\x85\x00""#);
        assert_eq!(quoted("Čaj \"x\" \\ 🚀\n"), r#""Čaj \"x\" \\ 🚀\n""#);
    }

    #[test]
    fn escapes_that_some_readers_do_not_know_are_unknown() {
        for text in ["/", "'", "q", "", "x4", "x+1", "uD800", "U00110000", "u 041", "\t"] {
            assert_eq!(escape(text), None, "{text}");
        }
        assert_eq!(escape("u00e9x"), Some(('é', 5)));
        assert_eq!(escape("U0001F680"), Some(('🚀', 9)));
    }
}
