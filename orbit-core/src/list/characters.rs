//! Characters that no list may hold as they are.

use memchr::memchr_iter;

/// Returns the first character that may not stand in a list as it is.
///
/// Control characters and noncharacters stop YAML readers. Unicode's line separators and a carriage
/// return alone end a line, and so a comment, for some of them, and could hide an entry in it.
pub(super) fn refused(text: &str, from: usize) -> Option<(usize, char)> {
    let bytes = text.as_bytes();
    let is_alone = |at: &usize| bytes.get(at + 1) != Some(&b'\n');
    let carriage_return = memchr_iter(b'\r', bytes).find(is_alone);
    let other = first_other(bytes, from);
    let at = [carriage_return, other].into_iter().flatten().min()?;
    text.get(at..)?.chars().next().map(|found| (at, found))
}

fn first_other(bytes: &[u8], from: usize) -> Option<usize> {
    /// As many bytes as are compared at once where the processor can.
    const AT_ONCE: usize = 64;
    let is_plain = |b: u8| (0x20..0x7f).contains(&b) | (b == b'\n') | (b == b'\r');
    let chunks = bytes.get(from..).unwrap_or_default().chunks(AT_ONCE);
    (from..).step_by(AT_ONCE).zip(chunks).find_map(|(start, chunk)| {
        if chunk.iter().fold(true, |all, &b| all & is_plain(b)) {
            return None;
        }
        (start..start + chunk.len()).find(|&at| is_refused(bytes, at))
    })
}

fn is_refused(bytes: &[u8], at: usize) -> bool {
    match bytes.get(at..).unwrap_or_default() {
        [b'\t' | b'\n' | b'\r', ..] => false,
        [0..=0x1f | 0x7f, ..] | [0xc2, 0x80..=0x9f, ..] => true,
        [0xe2, 0x80, 0xa8 | 0xa9, ..] | [0xef, 0xbb, 0xbf, ..] | [0xef, 0xbf, 0xbe | 0xbf, ..] => {
            true
        }
        _ => false,
    }
}
