//! Changes that are drawn from bytes, and what they make of a list's meaning.

use std::collections::BTreeMap;

use orbit_core::list::{Change, Deletion, Entry, Tombstone};
use orbit_core::{AppName, Digest};

use super::elsewhere::Pairs;

/// More changes than any fault in them needs.
const MOST: usize = 8;
/// Names that stand before, between and after those of most lists.
const NAMES: [&str; 6] = ["a", "film", "m-1", "sample", "trolls", "zz"];
/// What editors of YAML have been known to write without quotes, or to break a line at.
const VALUES: [&str; 12] = [
    "",
    " ",
    "on",
    "1.20",
    "~",
    "a: b #c",
    "- x",
    "it's \"\\",
    "\u{2028}\u{85}\u{feff}",
    "\n- name: x",
    "\r\n\t\0",
    "🚀 {{ .name }}",
];

/// Returns the changes that pieces of bytes stand for; no piece stands for one change of each kind.
///
/// The first byte of a piece says what is changed, the second picks the name, the rest is a value.
pub(super) fn changes<'i>(pieces: impl Iterator<Item = &'i [u8]>, items: &[Pairs]) -> Vec<Change> {
    let mut changes: Vec<Change> = pieces.take(MOST).map(|piece| change(piece, items)).collect();
    if changes.is_empty() {
        changes = [b"tut", b"pvt", b"qut", b"svt"].map(|piece| change(piece, items)).into();
    }
    changes
}

fn change(piece: &[u8], items: &[Pairs]) -> Change {
    let (kind, rest) = piece.split_first().unwrap_or((&0, &[]));
    let (pick, value) = rest.split_first().unwrap_or((&0, &[]));
    let value = String::from_utf8_lossy(value);
    let is_absent = kind & 1 == 1;
    let name = if is_absent { absent(*pick, items) } else { present(*pick, items) };
    match (kind >> 1) & 3 {
        0 | 3 => Change::put(&entry(name, *pick, &value)),
        1 => Change::put(&Tombstone {
            entry: entry(name, *pick, &value),
            deletion: deletion(&value),
        }),
        _ => Change::Remove(name.to_string()),
    }
}

/// Returns the name of an entry that is there, if there is one that Orbit could have named.
fn present(pick: u8, items: &[Pairs]) -> AppName {
    let names: Vec<AppName> = items.iter().filter_map(|item| name_in(item).parse().ok()).collect();
    let picked = names.get(usize::from(pick) % names.len().max(1));
    picked.cloned().unwrap_or_else(|| absent(pick, items))
}

/// Returns a name that no entry has.
fn absent(pick: u8, items: &[Pairs]) -> AppName {
    let base = NAMES[usize::from(pick) % NAMES.len()];
    let is_free = |name: &String| items.iter().all(|item| name_in(item) != name);
    let mut others = (0..).map(|n| format!("{base}{n}"));
    let name = Some(base.to_owned()).filter(is_free).or_else(|| others.find(is_free));
    name.unwrap().parse().unwrap()
}

fn entry(name: AppName, pick: u8, value: &str) -> Entry {
    let hostile = VALUES[usize::from(pick) % VALUES.len()];
    Entry {
        name,
        image_uid: "A".repeat(60).parse().unwrap(),
        image_version: "v0-0-01".parse().unwrap(),
        image_name: value.to_owned(),
        environment: "development".parse().unwrap(),
        image: hostile.to_owned(),
        digest: Digest::of(value.as_bytes()),
        namespace: format!("{value}{hostile}"),
        deployment_id: hostile.repeat(2),
    }
}

/// Returns a deletion by a user of any name.
pub(super) fn deletion(by: &str) -> Deletion {
    Deletion {
        deleted_at: "2025-01-25T10:00:00Z".to_owned(),
        deleted_by: by.to_owned(),
        action_id: "01JJACT10N0000000000000001".parse().unwrap(),
    }
}

/// Returns the name that an entry has.
pub(super) fn name_in(item: &Pairs) -> &str {
    item.iter().find(|(key, _)| key == "name").map_or("", |(_, name)| name)
}

/// Returns the name that a change is about.
pub(super) fn name_of(change: &Change) -> &str {
    match change {
        Change::Remove(name) => name,
        Change::Put(fields) => fields.iter().next().unwrap().1,
    }
}

/// Returns what a list means after changes.
pub(super) fn changed(items: &[Pairs], changes: &[Change]) -> Vec<Pairs> {
    let mut wanted: BTreeMap<&str, &Change> =
        changes.iter().map(|change| (name_of(change), change)).collect();
    let mut result = Vec::new();
    for item in items {
        match wanted.remove(name_in(item)) {
            None => result.push(item.clone()),
            Some(Change::Remove(_)) => {}
            Some(change @ Change::Put(_)) => result.push(put(item.clone(), change)),
        }
    }
    let is_put = |change: &&&Change| matches!(change, Change::Put(_));
    result.extend(wanted.values().filter(is_put).map(|change| put(Pairs::new(), change)));
    if is_sorted(items) {
        result.sort_by(|a, b| name_in(a).cmp(name_in(b)));
    }
    result
}

/// Tells whether every name is greater than the one before it.
pub(super) fn is_sorted(items: &[Pairs]) -> bool {
    items.is_sorted_by(|a, b| name_in(a) < name_in(b))
}

/// Returns an entry with the values that a change gives it.
fn put(mut item: Pairs, change: &Change) -> Pairs {
    let Change::Put(fields) = change else { return item };
    for (key, value) in fields.iter() {
        match item.iter_mut().find(|(known, _)| known == key) {
            Some((_, known)) => value.clone_into(known),
            None => item.push((key.to_owned(), value.to_owned())),
        }
    }
    item
}
