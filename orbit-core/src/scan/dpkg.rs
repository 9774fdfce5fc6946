//! dpkg's `status`, and the entries of `status.d` in distroless images.

use super::{Manager, Package};

/// Returns the packages that are installed, and not merely remembered.
pub(super) fn packages(text: &str) -> impl Iterator<Item = Package> {
    text.split("\n\n").filter_map(package)
}

fn package(entry: &str) -> Option<Package> {
    // `Status: install ok installed`; entries in status.d have no such field.
    let status = field(entry, "Status").unwrap_or("installed");
    if status.split_whitespace().last() != Some("installed") {
        return None;
    }
    // `Source: glibc (2.36-9)`: the version stands there only if it is another.
    let source = field(entry, "Source").and_then(|source| source.split_whitespace().next());
    Some(Package {
        name: field(entry, "Package")?.to_owned(),
        version: field(entry, "Version")?.to_owned(),
        architecture: field(entry, "Architecture").map(str::to_owned),
        source: source.map(str::to_owned),
        manager: Manager::Dpkg,
    })
}

/// Returns the first line of a field, unless it is empty.
fn field<'a>(entry: &'a str, name: &str) -> Option<&'a str> {
    entry
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
        .filter(|value| !value.is_empty())
}
