//! The lines of a list that an edit has no business with.

use std::collections::{BTreeMap, BTreeSet};

use orbit_core::list::{Change, Document, Item};

use super::plan::name_of;

/// A list's text and what was read of it.
pub(super) struct Side<'t> {
    text: &'t str,
    items: Vec<Place>,
}

/// Where an entry stands; lines are counted from 0.
struct Place {
    name: String,
    first: usize,
    last: usize,
    /// Its keys, their values and lines.
    fields: BTreeMap<String, (String, usize)>,
}

impl Place {
    fn of(item: &Item<'_>) -> Self {
        let fields: BTreeMap<_, _> = item
            .fields()
            .map(|field| {
                let line = field.position().line - 1;
                (field.key.into_owned(), (field.value.into_owned(), line))
            })
            .collect();
        Self {
            name: item.name().into_owned(),
            first: item.position().line - 1,
            last: fields.values().map(|&(_, line)| line).max().unwrap_or(0),
            fields,
        }
    }

    /// Returns the lines of keys whose values are others than in another place.
    fn differing(&self, other: &Self) -> Vec<usize> {
        let value = |place: &Self, key: &str| place.fields.get(key).map(|(value, _)| value.clone());
        let differs = |key: &&String| value(self, key) != value(other, key);
        self.fields.keys().filter(differs).map(|key| self.fields[key].1).collect()
    }
}

impl<'t> Side<'t> {
    /// Returns a text and the entries that our reader found in it.
    pub(super) fn new(text: &'t str, list: &Document<'_>) -> Self {
        Self { text, items: list.items().map(|item| Place::of(&item)).collect() }
    }

    fn find(&self, name: &str) -> Option<&Place> {
        self.items.iter().find(|place| place.name == name)
    }

    /// Returns the lines; the last may be empty if the texts do not end in line breaks.
    fn lines(&self, is_ended: bool) -> Vec<&'t str> {
        let text = self.text.strip_prefix('\u{feff}').unwrap_or(self.text);
        let text = if is_ended { text.strip_suffix('\n').unwrap() } else { text };
        text.split('\n').collect()
    }

    /// Returns the line end of all lines, or `None` if there are none or both kinds.
    fn line_end(&self) -> Option<&'static str> {
        let n_returns = self.text.matches("\r\n").count();
        match self.text.matches('\n').count() - n_returns {
            0 if n_returns > 0 => Some("\r\n"),
            n_alone if n_alone > 0 && n_returns == 0 => Some("\n"),
            _ => None,
        }
    }

    /// Returns the line of `[]`.
    fn brackets(lines: &[&str]) -> Option<usize> {
        lines.iter().position(|line| line.trim_start_matches(' ').starts_with('['))
    }
}

/// Checks that an edit changed no line but those of what it changed.
pub(super) fn check(before: &Side<'_>, after: &Side<'_>, changes: &[Change]) {
    let is_ended = before.text.ends_with('\n');
    assert_eq!(before.text.starts_with('\u{feff}'), after.text.starts_with('\u{feff}'));
    let (old, new) = (before.lines(is_ended), after.lines(is_ended));
    let mut gone = gone(before, after, &old, changes);
    let mut added = added(before, after);
    let mut moved = None;
    if before.items.is_empty() && !after.items.is_empty() {
        let at = Side::brackets(&old).unwrap();
        moved = old[at].find('#').map(|start| (at, old[at][start..].trim_end()));
        if moved.is_none() {
            gone.insert(at);
        }
    }
    if after.items.is_empty() && !before.items.is_empty() {
        added.extend(Side::brackets(&new));
    }
    let kept = old.iter().enumerate().filter(|(at, _)| !gone.contains(at));
    let kept: Vec<_> = kept
        .map(|(at, line)| match &moved {
            Some((place, comment)) if *place == at => Line::new(comment, false),
            _ => Line::new(line, is_ended || at + 1 < old.len()),
        })
        .collect();
    let found = new.iter().enumerate().filter(|(at, _)| !added.contains(at));
    let found: Vec<_> =
        found.map(|(at, line)| Line::new(line, is_ended || at + 1 < new.len())).collect();
    let is_same = kept.len() == found.len() && kept.iter().zip(&found).all(|(a, b)| a.is_same(b));
    assert!(is_same, "{kept:?}\nbecame {found:?}\nin {:?}\nand {:?}", before.text, after.text);
    if before.line_end().is_some() && after.text.contains('\n') {
        assert_eq!(after.line_end(), before.line_end(), "{:?}", after.text);
    }
}

/// A line, and whether its break has a carriage return if it is certain to have one of its own.
#[derive(Debug)]
struct Line<'l> {
    content: &'l str,
    has_return: Option<bool>,
}

impl<'l> Line<'l> {
    fn new(line: &'l str, has_break: bool) -> Self {
        let content = line.strip_suffix('\r').unwrap_or(line);
        Self { content, has_return: has_break.then_some(content.len() < line.len()) }
    }

    fn is_same(&self, other: &Self) -> bool {
        let is_break_same = match (self.has_return, other.has_return) {
            (Some(own), Some(others)) => own == others,
            (None, _) | (_, None) => true,
        };
        self.content == other.content && is_break_same
    }
}

/// Returns the lines that leave: of removed entries, with the comments above, and of old values.
fn gone(before: &Side<'_>, after: &Side<'_>, old: &[&str], changes: &[Change]) -> BTreeSet<usize> {
    let named: BTreeSet<&str> = changes.iter().map(name_of).collect();
    let mut gone = BTreeSet::new();
    for (n_before, place) in before.items.iter().enumerate() {
        let there = after.find(&place.name);
        assert!(there.is_some() || named.contains(&*place.name), "{} is lost", place.name);
        match there {
            Some(there) => gone.extend(place.differing(there)),
            None => {
                let keeps_comment = after.items.is_empty() && n_before == 0;
                let first = if keeps_comment { place.first } else { above(old, place.first) };
                gone.extend(first..=place.last);
            }
        }
    }
    gone
}

/// Returns where the comment directly above a line begins, unless it is the head of the file.
fn above(old: &[&str], first: usize) -> usize {
    let is_comment = |line: &&&str| line.trim_start_matches(' ').starts_with('#');
    let top = first - old[..first].iter().rev().take_while(is_comment).count();
    let is_head = top == 0 || old[top - 1].starts_with("---");
    if is_head { first } else { top }
}

/// Returns the lines that came: of new entries, and of new values.
fn added(before: &Side<'_>, after: &Side<'_>) -> BTreeSet<usize> {
    let mut added = BTreeSet::new();
    for place in &after.items {
        match before.find(&place.name) {
            Some(there) => added.extend(place.differing(there)),
            None => added.extend(place.first..=place.last),
        }
    }
    added
}
