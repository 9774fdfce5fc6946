//! Characters that no list may hold as they are.

/// Returns the first character that may not stand in a list as it is.
///
/// Control characters and noncharacters stop YAML readers; Unicode's line separators end a comment
/// for some of them, and so could hide an entry in it.
pub(super) fn refused(text: &str, from: usize) -> Option<(usize, char)> {
    /// As many bytes as are compared at once where the processor can.
    const AT_ONCE: usize = 64;
    let bytes = text.as_bytes();
    let mut start = from;
    for chunk in bytes.get(from..).unwrap_or_default().chunks(AT_ONCE) {
        let is_plain = |all: bool, &b: &u8| all & ((0x20..0x7f).contains(&b) | (b == b'\n'));
        if !chunk.iter().fold(true, is_plain) {
            let found = (start..start + chunk.len()).find(|&at| is_refused(bytes, at));
            if let Some(at) = found {
                return text.get(at..).and_then(|rest| rest.chars().next()).map(|c| (at, c));
            }
        }
        start += chunk.len();
    }
    None
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
