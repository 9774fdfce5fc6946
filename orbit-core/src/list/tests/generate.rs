//! Lists as people leave them: comments, blank lines, odd spacing, every quote and line end.

mod many;

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use super::super::edit::Change;
use super::super::fields::Fields;
use super::super::{characters, plain, quoted};
pub(super) use many::{drawn_changes, many, text_of};

/// What a list means: names, and the keys and values under each.
pub(super) type Model = BTreeMap<String, BTreeMap<String, String>>;

const NAMES: [&str; 8] = ["a", "ab", "b", "c", "c-1", "d", "e", "film"];
const KEYS: [&str; 5] = ["imageUID", "note", "team", "x y", "é: \"#"];
const COMMENTS: [&str; 3] = ["# own", "  # own: \"x\"", "#- name: no"];
const BETWEEN: [&str; 5] = ["", "  ", "# free", "", "    # - free"];
const INSIDE: [&str; 3] = ["", "    # inside", "# inside"];
const BEHIND: [&str; 6] = ["", "", "", "  ", " # why: \"x\"", "   #"];
const BEFORE_COLON: [&str; 3] = ["", "", " "];
const QUOTES: [Quotes; 3] = [Quotes::Double, Quotes::Single, Quotes::None];
const LINE_ENDS: [&str; 2] = ["\n", "\r\n"];
/// What is hard to write, or to read back as it was.
const HARD: [&str; 22] = [
    "",
    " ",
    "on",
    "1.20",
    "0123",
    "~",
    "a: b",
    "a #b",
    "- x",
    "it's",
    "\"",
    "\\",
    "{{ .name }}",
    "\u{2028}",
    "\u{85}",
    "\u{feff}",
    "\n- name: x",
    "\r\n",
    "\t",
    "\0",
    "\u{202e}",
    "🚀 茶",
];

/// A generated list.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) text: String,
    pub(super) model: Model,
    /// The lines of every entry, its own comment included, in the order of the file.
    pub(super) blocks: Vec<(String, String)>,
    pub(super) is_sorted: bool,
}

/// How much stands between the entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Density {
    /// Blank lines and comments anywhere, every line with a line end of its own choice.
    Loose,
    /// Only the comments that belong to entries, one style, sorted by name.
    Dense,
}

#[derive(Debug, Clone)]
struct Entry {
    between: Vec<&'static str>,
    comment: Vec<&'static str>,
    pairs: Vec<Pair>,
    inside: Vec<&'static str>,
}

#[derive(Debug, Clone)]
struct Pair {
    key: String,
    value: String,
    quotes: Quotes,
    before_colon: &'static str,
    behind: &'static str,
}

#[derive(Debug, Clone, Copy)]
enum Quotes {
    Double,
    Single,
    None,
}

/// How a list is written as a whole.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    head: Vec<&'static str>,
    has_mark: bool,
    has_start: bool,
    is_ended: bool,
    /// The line ends, which take turns.
    ends: Vec<&'static str>,
    indent: usize,
    gap: usize,
}

pub(super) fn shape() -> impl Strategy<Value = Shape> {
    let head = vec(select(vec!["# head", "", "  # head"]), 0..3);
    let marks = (any::<bool>(), any::<bool>(), any::<bool>());
    let end = || select(LINE_ENDS.to_vec());
    let ends = prop_oneof![end().prop_map(|end| vec![end]), vec(end(), 1..7)];
    (head, marks, ends, 0..3_usize, 1..4_usize).prop_map(
        |(head, (has_mark, has_start, is_ended), ends, indent, gap)| Shape {
            head,
            has_mark,
            has_start,
            is_ended,
            ends,
            indent,
            gap,
        },
    )
}

pub(super) fn value() -> impl Strategy<Value = String> {
    let hard = select(HARD.to_vec()).prop_map(str::to_owned);
    prop_oneof![3 => "[a-z][a-z0-9.-]{0,8}", 2 => hard, 1 => any::<String>()]
}

fn pair(key: String) -> impl Strategy<Value = Pair> {
    let (quotes, behind) = (select(QUOTES.to_vec()), select(BEHIND.to_vec()));
    (Just(key), value(), quotes, select(BEFORE_COLON.to_vec()), behind).prop_map(
        |(key, value, quotes, before_colon, behind)| Pair {
            key,
            value,
            quotes,
            before_colon,
            behind,
        },
    )
}

fn entry(name: &'static str) -> impl Strategy<Value = Entry> {
    let comment = vec(select(COMMENTS.to_vec()), 0..3);
    let between = vec(select(BETWEEN.to_vec()), 0..3);
    let inside = vec(select(INSIDE.to_vec()), 0..2);
    let keys = subsequence(KEYS.to_vec(), 0..KEYS.len()).prop_shuffle();
    let others = keys
        .prop_flat_map(|keys| keys.into_iter().map(|key| pair(key.to_owned())).collect::<Vec<_>>());
    (between, comment, pair("name".to_owned()), others, any::<Index>(), inside).prop_map(
        move |(between, comment, mut named, mut pairs, place, inside)| {
            named.value = name.to_owned();
            pairs.insert(place.index(pairs.len() + 1), named);
            Entry { between, comment, pairs, inside }
        },
    )
}

/// Returns lists of one entry or more.
pub(super) fn list(density: Density) -> impl Strategy<Value = Sample> {
    let names = subsequence(NAMES.to_vec(), 1..NAMES.len());
    let names = match density {
        Density::Dense => names.boxed(),
        Density::Loose => prop_oneof![names.clone(), names.prop_shuffle()].boxed(),
    };
    let entries = names.prop_flat_map(|names| names.into_iter().map(entry).collect::<Vec<_>>());
    (entries, shape()).prop_map(move |(entries, mut shape)| {
        if density == Density::Dense {
            shape.ends.truncate(1);
        }
        Writer::new(shape, density).list(&entries)
    })
}

struct Writer {
    text: String,
    shape: Shape,
    n_lines: usize,
    density: Density,
}

impl Writer {
    fn new(shape: Shape, density: Density) -> Self {
        Self { text: String::new(), shape, n_lines: 0, density }
    }

    fn list(mut self, entries: &[Entry]) -> Sample {
        if self.shape.has_mark {
            self.text.push('\u{feff}');
        }
        self.shape.head.clone().into_iter().for_each(|line| self.line(line));
        if self.shape.has_start {
            self.line("--- # start");
        }
        if self.density == Density::Dense {
            // A comment that touches the head of the file belongs to it, whatever is below.
            self.line("");
        }
        let blocks: Vec<_> = entries.iter().map(|entry| self.entry(entry)).collect();
        if blocks.is_empty() {
            self.line("[]");
        }
        self.line("# closing");
        if !self.shape.is_ended {
            self.text.truncate(self.text.trim_end_matches(['\r', '\n']).len());
        }
        Sample {
            text: self.text,
            model: entries.iter().map(Entry::model).collect(),
            is_sorted: blocks.is_sorted_by_key(|(name, _)| name),
            blocks,
        }
    }

    fn entry(&mut self, entry: &Entry) -> (String, String) {
        if self.density == Density::Loose {
            entry.between.iter().for_each(|line| self.line(line));
            // Whose a comment is would depend on what is above.
            self.line("");
        }
        let start = self.text.len();
        entry.comment.iter().for_each(|line| self.line(line));
        for (n_before, pair) in entry.pairs.iter().enumerate() {
            let indent = " ".repeat(self.shape.indent);
            let lead = match n_before {
                0 => format!("{indent}-{}", " ".repeat(self.shape.gap)),
                _ => format!("{indent} {}", " ".repeat(self.shape.gap)),
            };
            if n_before == 1 {
                entry.inside.iter().for_each(|line| self.line(line));
            }
            self.line(&format!("{lead}{}", pair.written()));
        }
        let (name, _) = entry.model();
        (name, self.text[start..].to_owned())
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push_str(self.shape.ends[self.n_lines % self.shape.ends.len()]);
        self.n_lines += 1;
    }
}

impl Entry {
    fn model(&self) -> (String, BTreeMap<String, String>) {
        let pairs = self.pairs.iter().map(|pair| (pair.key.clone(), pair.value.clone()));
        let pairs: BTreeMap<_, _> = pairs.collect();
        (pairs["name"].clone(), pairs)
    }
}

impl Pair {
    fn written(&self) -> String {
        let mut key = self.key.clone();
        if key.contains([':', '#']) {
            key = format!("'{key}'");
        }
        format!("{key}{}: {}{}", self.before_colon, written(&self.value, self.quotes), self.behind)
    }
}

/// Returns a value in the quotes that are wanted, or in double quotes where they cannot hold it.
fn written(value: &str, quotes: Quotes) -> String {
    let is_line = characters::refused(value, 0).is_none() && !value.contains(['\n', '\r']);
    let is_word =
        value.chars().all(|c| c.is_ascii_alphanumeric()) && plain::meaning(value).is_none();
    match quotes {
        Quotes::Single if is_line => format!("'{}'", value.replace('\'', "''")),
        Quotes::None if is_word => value.to_owned(),
        Quotes::Double | Quotes::Single | Quotes::None => {
            let mut text = String::new();
            quoted::push_quoted(&mut text, value);
            text
        }
    }
}

/// Returns changes to names that may be in a list or not.
pub(super) fn change() -> impl Strategy<Value = Change> {
    let name = || select(NAMES.to_vec());
    let values = btree_map(select(vec!["imageUID", "note", "added"]), value(), 0..4);
    let put = (name(), values).prop_map(|(name, values)| put(name, &values));
    prop_oneof![put, name().prop_map(remove)]
}

pub(super) fn put(name: &str, values: &BTreeMap<&'static str, String>) -> Change {
    let mut fields = Fields::new(&name.parse().unwrap());
    for (key, value) in values {
        fields.push(key, value);
    }
    Change::Put(fields)
}

pub(super) fn remove(name: &str) -> Change {
    Change::Remove(name.to_owned())
}
