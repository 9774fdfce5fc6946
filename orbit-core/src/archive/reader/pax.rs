//! Extended headers: `<length> <key>=<value>\n`, over and over.

use super::super::fault::Situation;
use super::header::OCTAL_MAX;

/// What an extended header says that matters here; times, owners and attributes are passed over.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pax {
    pub(super) path: Option<Vec<u8>>,
    pub(super) target: Option<Vec<u8>>,
    size: Option<u64>,
}

impl Pax {
    /// Reads an extended header; each key may stand there once.
    pub(super) fn parse(mut bytes: &[u8]) -> Result<Self, Situation> {
        let mut pax = Self::default();
        let mut keys = std::collections::BTreeSet::new();
        while !bytes.is_empty() {
            let (key, value) = record(&mut bytes)?;
            if !keys.insert(key) {
                return Err(Situation::Pax("a key stands there twice"));
            }
            match key {
                b"path" => pax.path = Some(name(value)?),
                b"linkpath" => pax.target = Some(name(value)?),
                b"size" => pax.size = Some(decimal(value).ok_or(BAD_SIZE)?),
                _ if key.starts_with(b"GNU.sparse.") => return Err(Situation::Kind("sparse file")),
                _ => {}
            }
        }
        Ok(pax)
    }

    /// Returns the entry's size, which must be the one that the header itself has.
    ///
    /// Only one that does not fit there may stand here alone, beside a size of 0.
    pub(super) fn size_beside(&self, header: u64) -> Result<u64, Situation> {
        match self.size {
            Some(pax) if pax > OCTAL_MAX && header == 0 => Ok(pax),
            Some(pax) if pax != header => Err(Situation::PaxSize { pax, header }),
            Some(_) | None => Ok(header),
        }
    }

    /// Refuses a header for all entries that would change what an entry is.
    pub(super) fn only_comments(&self) -> Result<(), Situation> {
        if *self == Self::default() {
            return Ok(());
        }
        Err(Situation::Pax("a path, link or size for all entries"))
    }
}

const BAD_SIZE: Situation = Situation::Pax("the size is no number");

/// Splits one record off the front.
fn record<'a>(bytes: &mut &'a [u8]) -> Result<(&'a [u8], &'a [u8]), Situation> {
    let gap = bytes.iter().position(|&byte| byte == b' ');
    let gap = gap.ok_or(Situation::Pax("a record has no length"))?;
    let digits = bytes.get(..gap).unwrap_or_default();
    let length = decimal(digits).ok_or(Situation::Pax("a record's length is no number"))?;
    let (record, rest) = usize::try_from(length)
        .ok()
        .and_then(|length| bytes.split_at_checked(length))
        .ok_or(Situation::Pax("a record is longer than its header"))?;
    let record = record.get(gap + 1..).and_then(|record| record.strip_suffix(b"\n"));
    let record = record.ok_or(Situation::Pax("a record does not end with a line feed"))?;
    let equals = record.iter().position(|&byte| byte == b'=').filter(|&at| at > 0);
    let (key, value) = record.split_at(equals.ok_or(Situation::Pax("a record has no key"))?);
    if key.contains(&0) {
        return Err(Situation::Pax("a key holds NUL"));
    }
    *bytes = rest;
    Ok((key, value.get(1..).unwrap_or_default()))
}

fn name(value: &[u8]) -> Result<Vec<u8>, Situation> {
    if value.is_empty() {
        return Err(Situation::Pax("a path is empty"));
    }
    Ok(value.to_vec())
}

/// Reads digits and nothing else, without a zero in front.
fn decimal(digits: &[u8]) -> Option<u64> {
    let plain =
        digits.iter().all(u8::is_ascii_digit) && !(digits.len() > 1 && digits.starts_with(b"0"));
    let text = std::str::from_utf8(digits).ok()?;
    text.parse().ok().filter(|_| plain)
}
