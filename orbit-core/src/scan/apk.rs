//! apk's `installed`.

use super::{Manager, Package};

/// Returns the packages that are installed.
pub(super) fn packages(text: &str) -> impl Iterator<Item = Package> {
    text.split("\n\n").filter_map(package)
}

fn package(entry: &str) -> Option<Package> {
    let field = |name: &str| {
        let value = entry.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        value.map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned)
    };
    Some(Package {
        name: field("P")?,
        version: field("V")?,
        architecture: field("A"),
        source: field("o"),
        manager: Manager::Apk,
    })
}
