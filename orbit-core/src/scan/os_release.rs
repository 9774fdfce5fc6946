//! `os-release`, as systemd specifies it.

use super::Distribution;

/// Returns the distribution that an `os-release` names.
pub(super) fn distribution(text: &str) -> Option<Distribution> {
    let field = |name: &str| {
        // As in the shell that may read the file, the last assignment counts.
        let value = text.lines().rev().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        value.map(unquoted).filter(|value| !value.is_empty()).map(str::to_owned)
    };
    Some(Distribution {
        id: field("ID")?,
        version: field("VERSION_ID"),
        name: field("PRETTY_NAME"),
    })
}

fn unquoted(value: &str) -> &str {
    let value = value.trim();
    let within = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    within('"').or_else(|| within('\'')).unwrap_or(value)
}
