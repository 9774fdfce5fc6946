//! The lists that are edited, and the edits.
//!
//! An entry has seven keys, and only those that are updated or removed have Orbit's nine: `imageUID` and
//! `imageName` are the two that others lack. So the lines that must change are those of the values that
//! do, and 1,000 entries have the 289 KB that the design speaks of. Reading typed entries and checking
//! want all nine keys everywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fmt::Write as _;

use orbit_core::list::{Change, Entry, Listed as _};
use orbit_core::{ActionId, Digest, Environment, Timestamp};

/// An entry as any YAML reader gives it.
pub(crate) type Record = BTreeMap<String, String>;

/// The keys that not every entry has.
const OFTEN_ABSENT: [&str; 2] = ["imageUID", "imageName"];

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Update,
    Insert,
    Remove,
    Hundred,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Update => "three values of one entry",
            Self::Insert => "one entry more",
            Self::Remove => "one entry less",
            Self::Hundred => "34 updates, 33 insertions and 33 removals",
        })
    }
}

/// One change, with the index in the list as it is read that it is at.
pub(crate) enum Edit {
    Update { index: usize, new: Entry },
    Insert { index: usize, new: Entry },
    Remove { index: usize },
}

impl Edit {
    /// Returns the index of the entry that is there before and is meant.
    fn old(&self) -> Option<usize> {
        match self {
            Self::Update { index, .. } | Self::Remove { index } => Some(*index),
            Self::Insert { .. } => None,
        }
    }
}

pub(crate) fn environment() -> Environment {
    "development".parse().unwrap()
}

/// Returns an entry; numbers are in the order of the names.
fn entry(number: usize, revision: u32) -> Entry {
    let seed = Digest::of(format!("{number}-{revision}").as_bytes());
    let name = format!("web-portal-{number:07}");
    let millis = 1_737_799_200_000 + i64::try_from(number).unwrap();
    let random = std::array::from_fn(|at| seed.as_bytes().get(at).copied().unwrap());
    Entry {
        image_uid: format!("Het5{}", seed.hex().chars().take(56).collect::<String>())
            .parse()
            .unwrap(),
        image_version: format!("v0-0-{revision:02}").parse().unwrap(),
        image_name: format!("Film portal ({number})"),
        environment: environment(),
        image: format!("k8or-orbit-aws/{name}"),
        digest: seed,
        namespace: "films".to_owned(),
        deployment_id: ActionId::new(Timestamp::from_millis(millis), random).to_string(),
        name: name.parse().unwrap(),
    }
}

/// Returns the entry at an index of a list.
fn listed(index: usize) -> Entry {
    entry(index * 10, 1)
}

/// Returns the list that is edited.
pub(crate) fn text_for(n_entries: usize, edits: &[Edit]) -> String {
    let whole = whole(edits);
    text(n_entries, |index| whole.contains(&index))
}

/// Returns the indexes of the entries that have nine keys.
fn whole(edits: &[Edit]) -> BTreeSet<usize> {
    edits.iter().filter_map(Edit::old).collect()
}

/// Returns a list sorted by name; some entries have comments above or beside, some stand apart.
pub(crate) fn text(n_entries: usize, is_whole: impl Fn(usize) -> bool) -> String {
    let mut text = "# Orbit deploy list, environment development. Comments are kept.\n".to_owned();
    for index in 0..n_entries {
        match index % 10 {
            1 => write!(text, "\n# Group {index}: ask the film team first.\n").unwrap(),
            6 => writeln!(text, "# Portal {index} shows one film a week.").unwrap(),
            _ => {}
        }
        let fields = listed(index).fields();
        let is_written = |key| is_whole(index) || !OFTEN_ABSENT.contains(&key);
        for (key, value) in fields.iter().filter(|(key, _)| is_written(key)) {
            let indent = if key == "name" { "- " } else { "  " };
            write!(text, "{indent}{key}: \"{value}\"").unwrap();
            if key == "imageVersion" && index % 10 == 8 {
                write!(text, " # pinned by team {index}").unwrap();
            }
            text.push('\n');
        }
    }
    text
}

/// Returns the changes of a kind, the last entry first, so that indexes stay right.
pub(crate) fn edits(n_entries: usize, kind: Kind) -> Vec<Edit> {
    let middle = n_entries / 2 + 5;
    match kind {
        Kind::Update => vec![update(middle)],
        Kind::Insert => vec![insert(middle)],
        Kind::Remove => vec![Edit::Remove { index: middle }],
        Kind::Hundred => {
            let index = |n_before: usize| n_before * (n_entries / 10) / 100 * 10 + 5;
            let edit = |n_before: usize| match n_before % 3 {
                0 => update(index(n_before)),
                1 => insert(index(n_before)),
                _ => Edit::Remove { index: index(n_before) },
            };
            (0..100).rev().map(edit).collect()
        }
    }
}

fn update(index: usize) -> Edit {
    let changed = entry(index * 10, 2);
    let new = Entry {
        image_version: changed.image_version,
        digest: changed.digest,
        deployment_id: changed.deployment_id,
        ..listed(index)
    };
    Edit::Update { index, new }
}

fn insert(index: usize) -> Edit {
    Edit::Insert { index, new: entry(index * 10 - 5, 1) }
}

/// Returns the changes as Orbit takes them.
pub(crate) fn changes(edits: &[Edit]) -> Vec<Change> {
    let change = |edit: &Edit| match edit {
        Edit::Update { new, .. } | Edit::Insert { new, .. } => Change::put(new),
        Edit::Remove { index } => Change::Remove(listed(*index).name.to_string()),
    };
    edits.iter().map(change).collect()
}

/// Returns the changes as the peers take them: they are told indexes and the values that differ.
pub(crate) fn json(edits: &[Edit]) -> String {
    let pairs = |entry: &Entry, old: Record| -> Vec<(String, String)> {
        let fields = entry.fields();
        let pairs = fields.iter().map(|(key, value)| (key.to_owned(), value.to_owned()));
        pairs.filter(|(key, value)| old.get(key) != Some(value)).collect()
    };
    let edit = |edit: &Edit| match edit {
        Edit::Update { index, new } => {
            let old = record(&listed(*index));
            serde_json::json!({"op": "update", "index": index, "fields": pairs(new, old)})
        }
        Edit::Insert { index, new } => {
            serde_json::json!({"op": "insert", "index": index, "fields": pairs(new, Record::new())})
        }
        Edit::Remove { index } => serde_json::json!({"op": "remove", "index": index}),
    };
    serde_json::to_string(&edits.iter().map(edit).collect::<Vec<_>>()).unwrap()
}

/// Returns the entries after the edits, and how many lines must come and go for that.
pub(crate) fn expected(n_entries: usize, edits: &[Edit]) -> (Vec<Record>, usize) {
    let whole = whole(edits);
    let of_list = |index| {
        let mut record = record(&listed(index));
        record.retain(|key, _| whole.contains(&index) || !OFTEN_ABSENT.contains(&key.as_str()));
        record
    };
    let mut records: Vec<Record> = (0..n_entries).map(of_list).collect();
    let mut n_lines = 0;
    for edit in edits {
        match edit {
            Edit::Update { index, new } => {
                *records.get_mut(*index).unwrap() = record(new);
                n_lines += 2 * 3;
            }
            Edit::Insert { index, new } => {
                records.insert(*index, record(new));
                n_lines += new.fields().iter().count();
            }
            Edit::Remove { index } => {
                n_lines += records.remove(*index).len();
            }
        }
    }
    (records, n_lines)
}

fn record(entry: &Entry) -> Record {
    entry.fields().iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}
