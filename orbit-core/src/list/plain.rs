//! What YAML readers make of an unquoted text that looks like something else than a string.

use super::fault::Meaning;

/// Returns what some YAML reader takes an unquoted text for, or `None` if it is a string to all.
///
/// The answer is the union of YAML 1.1, YAML 1.2's core schema, and the reader that Argo CD uses, so
/// that a text that passes here is the same string everywhere.
pub(super) fn meaning(text: &str) -> Option<Meaning> {
    match text.bytes().next() {
        None => Some(Meaning::Null),
        Some(b'0'..=b'9' | b'+' | b'-' | b'.') => number(text),
        Some(_) => word(text),
    }
}

/// Tells whether a text is ASCII letters, digits, `_` and `-` that every reader takes for a string.
pub(super) fn is_word(text: &str) -> bool {
    let is_sign = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(is_sign)
        && meaning(text).is_none()
}

fn word(text: &str) -> Option<Meaning> {
    let is_one_of = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is_one_of(&["~", "null"]) {
        Some(Meaning::Null)
    } else if is_one_of(&["true", "false", "yes", "no", "on", "off", "y", "n"]) {
        Some(Meaning::Bool)
    } else {
        is_one_of(&["=", "<<"]).then_some(Meaning::Indicator)
    }
}

fn number(text: &str) -> Option<Meaning> {
    if is_date(text) {
        return Some(Meaning::Date);
    }
    if is_underscores(text) {
        return Some(Meaning::Number);
    }
    let digits = text.replace('_', "");
    let unsigned = without_sign(&digits);
    let special = unsigned.eq_ignore_ascii_case(".inf") || unsigned.eq_ignore_ascii_case(".nan");
    if special || is_radix(unsigned) || is_decimal(unsigned) {
        return Some(Meaning::Number);
    }
    is_sexagesimal(unsigned).then_some(Meaning::Sexagesimal)
}

fn without_sign(text: &str) -> &str {
    text.strip_prefix(['+', '-']).unwrap_or(text)
}

/// `-_`, `._`, `+.__e+1`: some reader's pattern of a number has underscores where digits should be.
fn is_underscores(text: &str) -> bool {
    let unsigned = without_sign(text);
    let fraction = unsigned.strip_prefix('.').unwrap_or(unsigned);
    let exponent = fraction.trim_start_matches('_');
    let (has_sign, has_point) = (unsigned != text, fraction != unsigned);
    let has_underscores = exponent.len() < fraction.len() || (has_sign && has_point);
    let is_exponent = |text: &str| {
        text.strip_prefix(['e', 'E']).is_some_and(|digits| is_digits(without_sign(digits)))
    };
    has_underscores && (exponent.is_empty() || is_exponent(exponent))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// `0x1f`, `0o17`, `0b11`; Argo CD's reader also allows a sign after the prefix.
fn is_radix(text: &str) -> bool {
    let Some((prefix, rest)) = text.split_at_checked(2) else {
        return false;
    };
    let base = match prefix {
        "0x" | "0X" => 16,
        "0o" | "0O" => 8,
        "0b" | "0B" => 2,
        _ => return false,
    };
    // Underscores alone, now gone, are digits to some.
    without_sign(rest).chars().all(|c| c.is_digit(base))
}

/// `0123`, `1.20`, `.5`, `1.`, `1e3`, `1.5E-3`.
fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(without_sign(exponent))),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let has_digits = !(whole.is_empty() && fraction.is_empty());
    let all_digits = whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit());
    has_digits && all_digits && exponent.is_none_or(is_digits)
}

/// `12:30`, `190:20:30.15`.
fn is_sexagesimal(text: &str) -> bool {
    let digits =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    text.contains(':') && text.split(':').all(digits)
}

/// `2025-01-25`, alone or with a time after it.
fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let (Some(year), Some(month), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let n_digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let time = rest.get(n_digits..).unwrap_or_default().trim_start_matches(['T', 't', ' ']);
    let has_time = time.is_empty() || time.starts_with(|c: char| c.is_ascii_digit());
    let date = year.len() == 4 && is_digits(year) && month.len() <= 2 && is_digits(month);
    date && (1..=2).contains(&n_digits) && has_time
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_any_yaml_reader_takes_for_something_else_is_no_string() {
        use Meaning::{Bool, Date, Indicator, Null, Number, Sexagesimal};
        let cases = [
            (Null, "| ~ |null|Null|NULL"),
            (Bool, "y|Y|n|N|yes|Yes|YES|no|on|On|ON|off|true|True|FALSE"),
            (Number, "0|1.20|0123|089|1_000|1e3|1234567e10|1E+3|.5|1.|+1|-1|-.5e-3|0x1F|0o17|0b11"),
            (
                Number,
                "._|-_|+_|+.|-._|.__|._e+1|0b+1|0X_f|-0b1|.nan|.NaN|.inf|-.INF|+.Inf|99999999999999999999|1_|0_1|0x_",
            ),
            (Sexagesimal, "12:30:45|1:2|190:20:30.15|-1:30"),
            (Date, "2025-01-25|2025-1-5|2001-12-14t21:59:43.10-05:00|2001-12-14 21:59:43"),
            (Indicator, "=|<<"),
        ];
        for (expected, texts) in cases {
            for text in texts.split('|') {
                assert_eq!(meaning(text.trim()), Some(expected), "{text}");
            }
        }
    }

    #[test]
    fn what_every_yaml_reader_takes_for_a_string_is_one() {
        let texts = "v0-0-01|a|trolls-world-tour|sha256:0f0f|10.0.0.1|1.2.3|8jBycF|1e|0xg|1-2|\
                     2025-01|2025-01-25x|20250125T10|-x|+|.|..|.x|e3|nope|nulls|yes sir|2 Guns|12:|\
                     _1|2025-01-25 Show|0b2|12:a|docker.io/a|1 000|-";
        for text in texts.split('|') {
            assert_eq!(meaning(text), None, "{text}");
        }
    }
}
