//! Which keys a server may have: a file in the form of OpenSSH's `known_hosts`.
//!
//! Orbit compares itself instead of asking the SSH library, which would also look into the file of
//! whoever runs it, and does not read all forms of a line.

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

/// The port that a name without one stands for.
const SSH: u16 = 22;

/// What a file says about a server's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is one of the server's.
    Known,
    /// The server has other keys of this type.
    Changed { line: usize },
    /// The server has keys, but only of other types.
    OtherType { types: Vec<String> },
    /// The key is withdrawn.
    Revoked { line: usize },
    /// There is nothing about the server.
    Unknown,
}

/// Looks a server's key up. `key` is in the form of the SSH protocol, its type first.
pub(crate) fn look_up(file: &str, host: &str, port: u16, key: &[u8]) -> Verdict {
    let name = match port {
        SSH => host.to_ascii_lowercase(),
        port => format!("[{}]:{port}", host.to_ascii_lowercase()),
    };
    let mut lines: Vec<_> = file.lines().zip(1..).filter_map(read).collect();
    lines.retain(|line| is_about(line.names, &name));
    if let Some(revoked) = lines.iter().find(|line| line.mark == Mark::Revoked && line.key == key) {
        return Verdict::Revoked { line: revoked.number };
    }
    lines.retain(|line| line.mark == Mark::None);
    if lines.iter().any(|line| line.key == key) {
        return Verdict::Known;
    }
    let kind = key_type(key);
    if let Some(other) = lines.iter().find(|line| kind == Some(line.kind)) {
        return Verdict::Changed { line: other.number };
    }
    if lines.is_empty() {
        return Verdict::Unknown;
    }
    Verdict::OtherType { types: lines.iter().map(|line| line.kind.to_owned()).collect() }
}

#[derive(PartialEq)]
enum Mark {
    None,
    Revoked,
    /// A certificate authority: certificates of hosts are not read, so it says nothing about a key.
    Authority,
}

struct Line<'a> {
    number: usize,
    mark: Mark,
    names: &'a str,
    kind: &'a str,
    key: Vec<u8>,
}

/// Returns what a line says, or `None` of one that says nothing or cannot be read: a key that is
/// not read is not known.
fn read((text, number): (&str, usize)) -> Option<Line<'_>> {
    let mut words = text.split_ascii_whitespace().peekable();
    let mark = match *words.peek()? {
        "@revoked" => Mark::Revoked,
        word if word.starts_with('@') => Mark::Authority,
        word if word.starts_with('#') => return None,
        _ => Mark::None,
    };
    if mark != Mark::None {
        words.next();
    }
    let (names, kind, key) = (words.next()?, words.next()?, words.next()?);
    let key = BASE64.decode(key.as_bytes()).ok()?;
    (key_type(&key) == Some(kind)).then_some(Line { number, mark, names, kind, key })
}

/// Returns the type that a key begins with.
pub(crate) fn key_type(key: &[u8]) -> Option<&str> {
    let (length, rest) = key.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    std::str::from_utf8(rest.get(..length)?).ok()
}

fn is_about(names: &str, name: &str) -> bool {
    if let Some(hashed) = names.strip_prefix("|1|") {
        return is_hash_of(hashed, name).unwrap_or(false);
    }
    let mut is_named = false;
    for pattern in names.split(',') {
        let pattern = pattern.to_ascii_lowercase();
        match pattern.strip_prefix('!') {
            Some(excluded) if fits(excluded.as_bytes(), name.as_bytes()) => return false,
            Some(_) => {}
            None => is_named |= fits(pattern.as_bytes(), name.as_bytes()),
        }
    }
    is_named
}

fn is_hash_of(hashed: &str, name: &str) -> Option<bool> {
    let (salt, hash) = hashed.split_once('|')?;
    let (salt, hash) = (BASE64.decode(salt.as_bytes()).ok()?, BASE64.decode(hash.as_bytes()).ok()?);
    let mut mac = Hmac::<Sha1>::new_from_slice(&salt).ok()?;
    mac.update(name.as_bytes());
    Some(mac.verify_slice(&hash).is_ok())
}

/// Tells whether a name fits a pattern, in which `*` is any text and `?` any one letter.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, rest) => rest.is_none(),
        (Some((b'*', pattern)), _) => {
            (0..=name.len()).any(|start| fits(pattern, name.get(start..).unwrap_or_default()))
        }
        (Some((letter, pattern)), Some((found, name))) => {
            (*letter == b'?' || letter == found) && fits(pattern, name)
        }
        (Some(_), None) => false,
    }
}

#[cfg(test)]
mod tests;
