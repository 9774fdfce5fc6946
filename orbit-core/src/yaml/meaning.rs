//! What a bare YAML scalar is read as by go-yaml, the library beneath kustomize, Helm and Argo CD.

use jiff::civil::Date;

/// Returns whether `text` without quotes is read as the same text.
///
/// False for what YAML 1.1 or 1.2 take for null, a truth value, a number or a point in time.
pub(super) fn is_read_as_text(text: &str) -> bool {
    let is_other = match text.bytes().next() {
        None => true,
        Some(b'.') => is_word(text) || is_point_number(text),
        Some(b'+' | b'-' | b'0'..=b'9') => {
            is_word(text) || is_time(text) || is_number(text) || is_sexagesimal(text)
        }
        Some(_) => is_word(text),
    };
    !is_other
}

/// Returns whether `text` is one of the words with a meaning: in lower case, upper case, or the first
/// letter in upper case.
fn is_word(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let is_special = matches!(
        lower.as_str(),
        "y" | "yes" | "true" | "on" | "n" | "no" | "false" | "off" | "~" | "null"
    );
    let is_float = matches!(text, ".nan" | ".NaN" | ".NAN") || {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        matches!(unsigned, ".inf" | ".Inf" | ".INF")
    };
    let mut rest = text.chars();
    rest.next();
    let is_capital = rest.all(|c| !c.is_ascii_uppercase());
    is_float || is_special && (is_capital || text == text.to_ascii_uppercase())
}

/// Returns whether `text` is a whole number in any of Go's bases, or a decimal one.
fn is_number(text: &str) -> bool {
    let plain = text.replace('_', "");
    is_whole(&plain) || is_decimal(&plain)
}

/// Returns whether `text` fits 64 bits; a leading zero alone means base 8.
fn is_whole(text: &str) -> bool {
    let (digits, max) = match (text.strip_prefix('-'), text.strip_prefix('+')) {
        (Some(digits), _) => (digits, 1 << 63),
        (None, Some(digits)) => (digits, (1 << 63) - 1),
        (None, None) => (text, u64::MAX),
    };
    let (digits, base) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (digits.get(2..), 16),
        [b'0', b'o' | b'O', ..] => (digits.get(2..), 8),
        [b'0', b'b' | b'B', ..] => (digits.get(2..), 2),
        [b'0', _, ..] => (digits.get(1..), 8),
        _ => (Some(digits), 10),
    };
    let digits = digits.filter(|digits| digits.chars().all(|c| c.is_digit(base)));
    let value = digits.and_then(|digits| u64::from_str_radix(digits, base).ok());
    value.is_some_and(|value| value <= max)
}

/// Returns whether `text` is a decimal number of finite size.
fn is_decimal(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'))
        && text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// Returns whether `text`, which begins with a point, is a decimal number; an underscore may stand
/// between two of its digits.
fn is_point_number(text: &str) -> bool {
    let mut sides = text.split('_').peekable();
    while let (Some(left), Some(right)) = (sides.next(), sides.peek()) {
        let is_between = left.ends_with(|c: char| c.is_ascii_digit())
            && right.starts_with(|c: char| c.is_ascii_digit());
        if !is_between {
            return false;
        }
    }
    is_decimal(&text.replace('_', ""))
}

/// Returns whether `text` is a number to base 60, `1:30`: YAML 1.2 dropped these, old readers did not.
fn is_sexagesimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut parts = whole.split(':');
    let first = parts.next().unwrap_or_default();
    let mut parts = parts.peekable();
    first.starts_with(|c: char| c.is_ascii_digit())
        && parts.peek().is_some()
        && [first, fraction].iter().all(|part| part.bytes().all(is_digit_or_underscore))
        && parts.all(|part| matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']))
}

fn is_digit_or_underscore(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b'_'
}

/// Returns whether `text` is a date, or a date and a time with a zone, or without one after a space.
fn is_time(text: &str) -> bool {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(text.len());
    let (date, time) = text.split_at(end);
    if !is_date(date) {
        return false;
    }
    match (time.strip_prefix(['T', 't']), time.strip_prefix(' ')) {
        (Some(time), _) => is_clock_and_zone(time),
        (None, Some(time)) => is_clock(time),
        (None, None) => time.is_empty(),
    }
}

fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let mut part = |width: std::ops::RangeInclusive<usize>| number(parts.next()?, width);
    let (year, month, day) = (part(4..=4), part(1..=2), part(1..=2));
    let date = || {
        let [month, day] = [month?, day?].map(i8::try_from);
        Date::new(year?.try_into().ok()?, month.ok()?, day.ok()?).ok()
    };
    date().is_some()
}

fn is_clock_and_zone(text: &str) -> bool {
    if let Some(clock) = text.strip_suffix('Z') {
        return is_clock(clock);
    }
    let Some((clock, offset)) = text.rsplit_once(['+', '-']) else { return false };
    let mut parts = offset.splitn(2, ':');
    let mut part =
        |max| parts.next().and_then(|text| number(text, 2..=2)).is_some_and(|n| n <= max);
    is_clock(clock) && part(24) && part(60)
}

fn is_clock(text: &str) -> bool {
    let mut parts = text.splitn(3, ':');
    let part = |text: Option<&str>, max| {
        text.and_then(|text| number(text, 1..=2)).is_some_and(|number| number < max)
    };
    let (hour, minute) = (parts.next(), parts.next());
    let second = parts.next().unwrap_or_default();
    let (second, fraction) = second.split_once(['.', ',']).unwrap_or((second, "0"));
    part(hour, 24)
        && part(minute, 60)
        && part(Some(second), 60)
        && !fraction.is_empty()
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads a number of as many digits as `width` allows.
fn number(text: &str, width: std::ops::RangeInclusive<usize>) -> Option<u16> {
    let is_sound = width.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_sound.then(|| text.parse().ok())?
}
