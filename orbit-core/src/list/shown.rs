//! Foreign text in messages.

/// As many characters of a foreign text as a message shows.
pub const SHOWN: usize = 200;

/// Returns a text so that it forges no line, moves no cursor and reorders nothing.
///
/// Control and format characters stand as `\u{…}`, those of writing direction among them; all letters
/// and marks stay. What is longer than so many characters is cut, with `…` at its end.
///
/// ```
/// assert_eq!(orbit_core::list::shown("a\nहिन्दी\u{202e}", 200), "a\\u{a}हिन्दी\\u{202e}");
/// assert_eq!(orbit_core::list::shown("long", 2), "lo…");
/// ```
pub fn shown(text: &str, n_most: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(n_most));
    for (n_before, c) in text.chars().enumerate() {
        if n_before == n_most {
            shown.push('…');
            break;
        }
        if is_hidden(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Tells whether a character is a control or format character (`Cc`, `Cf`, `Zl`, `Zp`).
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
            | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0001}'
            | '\u{e0020}'..='\u{e007f}')
}
