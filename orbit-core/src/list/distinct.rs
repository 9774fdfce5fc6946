//! Keys and names that stand twice.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::document::Document;
use super::fault::{ListError, ListFault};
use super::quoted;

/// Returns a fault for every key of an entry that stood in it before.
pub(super) fn repeated_keys(list: &Document<'_>, own: Range<usize>) -> Vec<ListError> {
    let mut seen = HashSet::new();
    let mut faults = Vec::new();
    for pair in list.pairs.get(own).unwrap_or_default() {
        let key = quoted::decode(pair.key.of(list.text));
        if !seen.insert(key.clone()) {
            let at = list.place(*pair, pair.key);
            faults.push(ListError::new(at, ListFault::DuplicateKey { key: key.into_owned() }));
        }
    }
    faults
}

/// Tells whether every name is greater than the one before it.
pub(super) fn are_names_sorted(list: &Document<'_>) -> bool {
    list.items().map(|item| item.name()).is_sorted_by(|a, b| a < b)
}

/// Returns a fault for every name that an entry above has.
pub(super) fn repeated_names(list: &Document<'_>) -> Vec<ListError> {
    let mut lines = HashMap::new();
    let mut faults = Vec::new();
    // An entry without a name is a fault already.
    for field in list.items().filter_map(|item| item.name_field()) {
        let at = field.position();
        let first = *lines.entry(field.value.clone()).or_insert(at.line);
        if first != at.line {
            let name = field.value.into_owned();
            faults.push(ListError::new(at, ListFault::DuplicateName { name, first }));
        }
    }
    faults
}
