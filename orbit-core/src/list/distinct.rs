//! Keys and names that stand twice.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::document::Document;
use super::fault::{ListError, ListFault};
use super::quoted;
use super::scan::MAX_FAULTS;

/// Returns a fault for every key of an entry that stood in it before.
pub(super) fn repeated_keys(list: &Document<'_>, own: Range<usize>) -> Vec<ListError> {
    let mut seen = HashSet::new();
    let repeated = list.pairs.get(own).unwrap_or_default().iter().filter_map(|pair| {
        let key = quoted::decode(pair.key.of(list.text));
        if seen.insert(key.clone()) {
            return None;
        }
        let kind = ListFault::DuplicateKey { key: key.into_owned() };
        Some(ListError::new(list.place(*pair, pair.key), kind))
    });
    repeated.take(MAX_FAULTS).collect()
}

/// Tells whether every name is greater than the one before it.
pub(super) fn are_names_sorted(list: &Document<'_>) -> bool {
    list.items().map(|item| item.name()).is_sorted_by(|a, b| a < b)
}

/// Returns a fault for every name that an entry above has.
pub(super) fn repeated_names(list: &Document<'_>) -> Vec<ListError> {
    let mut lines = HashMap::new();
    // An entry without a name is a fault already.
    let names = list.items().filter_map(|item| item.name_field());
    let repeated = names.filter_map(|field| {
        let at = field.position();
        let first = *lines.entry(field.value.clone()).or_insert(at.line);
        let name = field.value.into_owned();
        let kind = ListFault::DuplicateName { name, first };
        (first != at.line).then(|| ListError::new(at, kind))
    });
    repeated.take(MAX_FAULTS).collect()
}
