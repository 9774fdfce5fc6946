//! What must hold of any bytes that are taken for a list.
//!
//! The fuzzer looks for bytes of which it does not hold, and `tests/lists.rs` asks it of all those that
//! the fuzzer found worth keeping.

mod elsewhere;
mod lines;
mod plan;

use orbit_core::Environment;
use orbit_core::list::{
    self, Change, DeleteList, DeployList, Document, Entry, ListError, Tombstone, apply,
};
use serde::de::DeserializeOwned;

use self::elsewhere::Pairs;
use self::lines::Side;

const EMPTY: &str = "[]\n";

/// Panics if Orbit reads or edits a list otherwise than it promises.
///
/// What stands before the first zero byte is the list, and every piece between zero bytes is a change.
pub(super) fn check(input: &[u8]) {
    let mut pieces = input.split(|&byte| byte == 0);
    let bytes = pieces.next().unwrap_or_default();
    let read = Document::read(bytes);
    let Ok(text) = str::from_utf8(bytes) else {
        assert!(read.is_err());
        return;
    };
    faults_have_places(text, read.as_ref().err());
    check_agrees(text);
    let Ok(list) = read else { return };
    let items = same_elsewhere(text, &list);
    let changes = plan::changes(pieces, &items);
    edits_are_right(text, &list, &items, &changes);
    insertions_leave_nothing(text, &items, &changes);
    order_does_not_matter(text, &items, &changes);
    moves_are_complete(text, &changes);
}

/// Returns the entries of a list, which another reader reads alike.
fn same_elsewhere(text: &str, list: &Document<'_>) -> Vec<Pairs> {
    let pairs = |item: list::Item<'_>| -> Pairs {
        item.fields().map(|field| (field.key.into_owned(), field.value.into_owned())).collect()
    };
    let ours: Vec<Pairs> = list.items().map(pairs).collect();
    assert_eq!(elsewhere::read(text).as_ref(), Ok(&ours), "{text:?}");
    ours
}

/// A place is in the text, or directly behind a line of it.
fn faults_have_places<'e>(text: &str, faults: impl IntoIterator<Item = &'e ListError>) {
    let lines: Vec<&str> = text.strip_prefix('\u{feff}').unwrap_or(text).split('\n').collect();
    for fault in faults {
        let line = fault.line.checked_sub(1).and_then(|index| lines.get(index));
        let n_columns = line.map_or(0, |line| line.chars().count() + 1);
        assert!((1..=n_columns).contains(&fault.column), "{fault} in {text:?}");
    }
}

/// What passes the check before a push can be read, and what cannot be read does not pass.
fn check_agrees(text: &str) {
    let development: Environment = "development".parse().unwrap();
    let environment = Some(&development);
    let (deploy, delete) = (DeployList::read(text), DeleteList::read(text));
    let outcomes = [
        (list::check(text, EMPTY, environment), deploy.is_ok()),
        (list::check(EMPTY, text, environment), delete.is_ok()),
    ];
    for (outcome, is_read) in outcomes {
        let findings = outcome.err();
        assert!(is_read || findings.is_some(), "{text:?}");
        let findings = findings.unwrap_or_default();
        faults_have_places(text, findings.iter().map(|finding| &finding.error));
    }
    let is_empty = Document::read(text.as_bytes()).is_ok_and(|list| list.items().len() == 0);
    assert_eq!(list::check(text, text, environment).is_ok(), is_empty, "{text:?}");
}

fn edits_are_right(text: &str, list: &Document<'_>, items: &[Pairs], changes: &[Change]) {
    let after = list.apply(changes).unwrap();
    let again =
        Document::read(after.as_bytes()).unwrap_or_else(|fault| panic!("{fault}\n{after:?}"));
    let expected = plan::changed(items, changes);
    assert_eq!(same_elsewhere(&after, &again), expected, "{text:?}\nbecame {after:?}");
    assert_eq!(again.apply(changes).as_ref(), Ok(&after), "{text:?}");
    if expected == items {
        assert_eq!(after, text);
    }
    lines::check(&Side::new(text, list), &Side::new(&after, &again), changes);
}

/// What is put and taken out again leaves the bytes, but for what stands beside `[]`.
fn insertions_leave_nothing(text: &str, items: &[Pairs], changes: &[Change]) {
    let is_new =
        |change: &&Change| items.iter().all(|item| plan::name_in(item) != plan::name_of(change));
    let puts = changes.iter().filter(|change| matches!(change, Change::Put(_))).filter(is_new);
    let puts: Vec<Change> = puts.cloned().collect();
    let removals: Vec<Change> =
        puts.iter().map(|put| Change::Remove(plan::name_of(put).to_owned())).collect();
    let there = apply(text, &puts).unwrap();
    let back = apply(&there, &removals).unwrap();
    if puts.is_empty() || !items.is_empty() || text.lines().any(|line| line == "[]") {
        assert_eq!(back, text, "by way of {there:?}");
    } else {
        // The second time nothing stands beside it.
        let there = apply(&back, &puts).unwrap();
        assert_eq!(apply(&there, &removals).as_ref(), Ok(&back), "{text:?}");
    }
}

fn order_does_not_matter(text: &str, items: &[Pairs], changes: &[Change]) {
    let [first, .., last] = changes else { return };
    if plan::name_of(first) == plan::name_of(last) {
        return;
    }
    let made = |changes: [&Change; 2]| {
        let after = changes.iter().fold(text.to_owned(), |text, &change| {
            apply(&text, std::slice::from_ref(change)).unwrap()
        });
        let mut made = elsewhere::read(&after).unwrap();
        if !plan::is_sorted(items) {
            made.sort();
        }
        made
    };
    assert_eq!(made([first, last]), made([last, first]), "{text:?}");
}

/// An entry that moves to the other list, or back, is in that one only.
fn moves_are_complete(text: &str, changes: &[Change]) {
    let by = plan::deletion(changes.first().map(plan::name_of).unwrap_or_default());
    let entries = DeployList::read(text).map_or_else(|_| Vec::new(), DeployList::into_entries);
    for entry in entries.iter().take(2) {
        let (deploy, delete) = list::retire(text, EMPTY, &entry.name, by.clone()).unwrap();
        assert_eq!(DeployList::read(&deploy).unwrap().find(&entry.name), None);
        let tombstone = Tombstone { entry: entry.clone(), deletion: by.clone() };
        assert_eq!(typed::<Tombstone>(&delete), [tombstone]);
    }
    let tombstones = DeleteList::read(text).map_or_else(|_| Vec::new(), DeleteList::into_entries);
    for Tombstone { entry, .. } in tombstones.iter().take(2) {
        let (deploy, delete) = list::deploy(EMPTY, text, entry).unwrap();
        assert_eq!(DeleteList::read(&delete).unwrap().find(&entry.name), None);
        assert_eq!(typed::<Entry>(&deploy), std::slice::from_ref(entry));
    }
    if !entries.is_empty() {
        assert_eq!(typed::<Entry>(text), entries);
    }
    if !tombstones.is_empty() {
        assert_eq!(typed::<Tombstone>(text), tombstones);
    }
}

/// Returns what `serde` makes of a list by way of the other reader.
fn typed<T: DeserializeOwned>(text: &str) -> Vec<T> {
    serde_saphyr::from_str(text).unwrap_or_else(|fault| panic!("{fault}\n{text:?}"))
}
