//! One header block of a tar.

use super::super::fault::Situation;
use super::Kind;

const CHECKSUM: std::ops::Range<usize> = 148..156;
/// The largest size that eleven octal digits hold, 8 GiB less one byte.
pub(super) const OCTAL_MAX: u64 = 0o777_7777_7777;

/// A header as it stands, before extended headers change it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) flag: Flag,
    pub(super) name: Vec<u8>,
    pub(super) target: Vec<u8>,
    pub(super) size: u64,
}

/// What a header begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flag {
    Entry(Kind),
    LongName,
    LongTarget,
    Pax,
    PaxGlobal,
}

impl Header {
    pub(super) fn parse(block: &[u8]) -> Result<Self, Situation> {
        let field = |range: std::ops::Range<usize>| block.get(range).unwrap_or_default();
        let expected =
            number(field(CHECKSUM)).ok_or(Situation::Header("the checksum is no number"))?;
        if checksum(block) != expected {
            return Err(Situation::Header("the checksum is wrong"));
        }
        let size = number(field(124..136)).ok_or(Situation::Header("the size is no number"))?;
        let mut name = text(field(0..100)).to_vec();
        if has_prefix(field(257..265), field(508..512))? {
            let prefix = text(field(345..500));
            if !prefix.is_empty() {
                name = [prefix, b"/", &name].concat();
            }
        }
        let target = text(field(157..257)).to_vec();
        let flag = flag(field(156..157), &name)?;
        Ok(Self { flag, name, target, size })
    }
}

/// Returns whether the format that the magic names has a prefix of the name.
fn has_prefix(magic: &[u8], trailer: &[u8]) -> Result<bool, Situation> {
    if magic.starts_with(b"ustar\0") {
        // Its prefix is shorter, and readers that do not know it take other fields as a name.
        if trailer == b"tar\0" {
            return Err(Situation::Header("the star format is not read"));
        }
        return Ok(true);
    }
    let known = magic == b"ustar  \0" || magic.iter().all(|&byte| byte == 0);
    if known { Ok(false) } else { Err(Situation::Header("the magic is unknown")) }
}

fn flag(byte: &[u8], name: &[u8]) -> Result<Flag, Situation> {
    Ok(match byte {
        // From before there were directories: a name that ends with a slash.
        b"0" | b"\0" if name.ends_with(b"/") => Flag::Entry(Kind::Directory),
        b"0" | b"\0" => Flag::Entry(Kind::File),
        b"1" => Flag::Entry(Kind::HardLink),
        b"2" => Flag::Entry(Kind::SymbolicLink),
        b"3" => Flag::Entry(Kind::CharacterDevice),
        b"4" => Flag::Entry(Kind::BlockDevice),
        b"5" => Flag::Entry(Kind::Directory),
        b"6" => Flag::Entry(Kind::Fifo),
        b"L" => Flag::LongName,
        b"K" => Flag::LongTarget,
        b"x" => Flag::Pax,
        b"g" => Flag::PaxGlobal,
        b"S" => return Err(Situation::Kind("sparse file")),
        _ => return Err(Situation::Kind("entry of an unknown type")),
    })
}

/// Returns the sum of all bytes, with the checksum itself taken as spaces.
fn checksum(block: &[u8]) -> u64 {
    let sum = |bytes: &[u8]| bytes.iter().map(|&byte| u64::from(byte)).sum::<u64>();
    let own = block.get(CHECKSUM).unwrap_or_default();
    sum(block) - sum(own) + 8 * u64::from(b' ')
}

/// Returns the text up to the first NUL.
fn text(field: &[u8]) -> &[u8] {
    field.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// Reads a number: octal digits ended by NUL or space, or big endian with the first bit set.
fn number(field: &[u8]) -> Option<u64> {
    let (&first, rest) = field.split_first()?;
    if first & 0x80 != 0 {
        let (high, low) = rest.split_at_checked(rest.len().checked_sub(8)?)?;
        let small = first == 0x80 && high.iter().all(|&byte| byte == 0);
        return low.try_into().ok().filter(|_| small).map(u64::from_be_bytes);
    }
    let digits = field.trim_ascii_start();
    let end = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at(end);
    if rest.iter().any(|byte| !matches!(byte, 0 | b' ')) {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, &digit| {
        let digit = u64::from(digit - b'0');
        (digit < 8).then_some(value.checked_mul(8)?.checked_add(digit)?)
    })
}
