//! What edits promise, on generated lists.

mod big;
mod generate;
mod typed;

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};

use self::generate::{Density, Model, Sample, change, list, put, remove, value};
use super::document::Document;
use super::edit::{Change, apply};
use super::quoted;

/// Returns what a YAML reader that shares no line with ours makes of a list.
fn read_elsewhere(text: &str) -> Vec<BTreeMap<String, String>> {
    serde_saphyr::from_str(text).unwrap_or_else(|fault| panic!("{fault}\n{text:?}"))
}

fn model(text: &str) -> Model {
    read_elsewhere(text).into_iter().map(|item| (item["name"].clone(), item)).collect()
}

fn names(text: &str) -> Vec<String> {
    read_elsewhere(text).into_iter().map(|mut item| item.remove("name").unwrap()).collect()
}

fn changed(mut model: Model, changes: &[Change]) -> Model {
    for change in changes {
        match change {
            Change::Remove(name) => drop(model.remove(name.as_str())),
            Change::Put(fields) => {
                let pairs = || fields.iter().map(|(key, value)| (key.to_owned(), value.to_owned()));
                let (_, name) = pairs().next().unwrap();
                model.entry(name).or_default().extend(pairs());
            }
        }
    }
    model
}

fn name(change: &Change) -> String {
    match change {
        Change::Remove(name) => name.clone(),
        Change::Put(fields) => fields.iter().next().unwrap().1.to_owned(),
    }
}

fn loose() -> impl Strategy<Value = Sample> {
    list(Density::Loose)
}

/// Changes to different names.
fn changes() -> impl Strategy<Value = Vec<Change>> {
    vec(change(), 0..5).prop_map(|changes| {
        let mut seen = BTreeSet::new();
        changes.into_iter().filter(|change| seen.insert(name(change))).collect()
    })
}

proptest! {
    #[test]
    fn a_list_means_to_another_reader_what_it_means_to_us(sample in loose()) {
        prop_assert_eq!(model(&sample.text), sample.model.clone());
        let read = Document::read(sample.text.as_bytes()).unwrap();
        let ours: Vec<BTreeMap<String, String>> = read
            .items()
            .map(|item| item.fields().map(|f| (f.key.into_owned(), f.value.into_owned())).collect())
            .collect();
        prop_assert_eq!(ours, read_elsewhere(&sample.text));
    }

    #[test]
    fn after_an_edit_another_reader_reads_what_was_asked_for(
        sample in loose(),
        changes in changes(),
    ) {
        let after = apply(&sample.text, &changes).unwrap();
        prop_assert_eq!(model(&after), changed(sample.model, &changes));
    }

    #[test]
    fn changes_made_twice_are_changes_made_once(sample in loose(), changes in changes()) {
        let once = apply(&sample.text, &changes).unwrap();
        prop_assert_eq!(apply(&once, &changes).unwrap(), once);
    }

    #[test]
    fn an_insertion_that_is_taken_back_leaves_every_byte(
        sample in loose(),
        text in value(),
        name in "[a-g]{1,2}",
    ) {
        prop_assume!(!sample.model.contains_key(&name));
        let there = apply(&sample.text, &[put(&name, &BTreeMap::from([("note", text)]))]).unwrap();
        prop_assert_eq!(apply(&there, &[remove(&name)]).unwrap(), sample.text);
    }

    #[test]
    fn an_empty_list_comes_back_empty_with_its_comments(
        head in "(\u{feff})?((# [a-z]{0,3}|  # é|)(\n|\r\n)){0,4}(---\n)?",
        closing in "((# [a-z]{0,3}|  # é|)\r?\n){0,4}(# end)?",
        end in "(\n|\r\n)",
        new in subsequence(vec!["a", "b", "c"], 1..4),
    ) {
        let before = if closing.is_empty() { format!("{head}[]") } else { format!("{head}[]{end}{closing}") };
        let puts: Vec<Change> = new.iter().map(|name| put(name, &BTreeMap::new())).collect();
        let removals: Vec<Change> = new.iter().map(|name| remove(name)).collect();
        let there = apply(&before, &puts).unwrap();
        prop_assert_eq!(names(&there), new);
        prop_assert_eq!(apply(&there, &removals).unwrap(), before);
    }

    #[test]
    fn an_entry_whose_change_was_not_asked_for_keeps_its_bytes_and_place(
        sample in loose(),
        changes in changes(),
    ) {
        let after = apply(&sample.text, &changes).unwrap();
        let changed: BTreeSet<String> = changes.iter().map(name).collect();
        let mut rest = after.as_str();
        for (name, block) in sample.blocks.iter().filter(|(name, _)| !changed.contains(name)) {
            let found = rest.find(block);
            prop_assert!(found.is_some(), "{name} is missing in {after:?}");
            rest = &rest[found.unwrap() + block.len()..];
        }
    }

    #[test]
    fn no_comment_is_lost_but_those_of_removed_entries(sample in loose(), changes in changes()) {
        let after = apply(&sample.text, &changes).unwrap();
        for comment in ["# head", "# free", "# - free", "# closing", "--- # start"] {
            prop_assert_eq!(after.matches(comment).count(), sample.text.matches(comment).count());
        }
    }

    #[test]
    fn an_entry_at_the_end_stands_before_closing_comments(sample in loose()) {
        let after = apply(&sample.text, &[put("z", &BTreeMap::new())]).unwrap();
        let (_, last) = sample.blocks.last().unwrap();
        let n_before = sample.text.find(last).unwrap() + last.len();
        let (before, closing) = sample.text.split_at(n_before);
        let new = after.strip_prefix(before).and_then(|rest| rest.strip_suffix(closing)).unwrap();
        prop_assert!(new.trim_start().starts_with('-'), "{new:?}");
        prop_assert_eq!(names(&after).pop().unwrap(), "z");
    }

    #[test]
    fn an_update_touches_no_byte_but_the_value(
        sample in loose(),
        entry in any::<Index>(),
        text in value(),
    ) {
        let list = Document::read(sample.text.as_bytes()).unwrap();
        let item = list.items().nth(entry.index(sample.blocks.len())).unwrap();
        let Some(field) = item.field("note") else { return Ok(()) };
        let mut expected = sample.text.clone();
        if field.value != text {
            let mut value = String::new();
            quoted::push_quoted(&mut value, &text);
            expected.replace_range(field.value_range(), &value);
        }
        let update = put(&item.name(), &BTreeMap::from([("note", text)]));
        prop_assert_eq!(apply(&sample.text, &[update]).unwrap(), expected);
    }

    #[test]
    fn a_file_keeps_its_mark_its_line_ends_and_how_it_ends(
        sample in loose(),
        changes in changes(),
    ) {
        let after = apply(&sample.text, &changes).unwrap();
        let n_returns = |text: &str| text.matches("\r\n").count();
        let n_lines = |text: &str| text.matches('\n').count();
        if n_returns(&sample.text) == 0 {
            prop_assert_eq!(n_returns(&after), 0);
        }
        if n_returns(&sample.text) == n_lines(&sample.text) {
            prop_assert_eq!(n_returns(&after), n_lines(&after));
        }
        prop_assert_eq!(after.starts_with('\u{feff}'), sample.text.starts_with('\u{feff}'));
        prop_assert_eq!(after.ends_with('\n'), sample.text.ends_with('\n'));
    }

    #[test]
    fn a_list_that_loses_every_entry_in_any_order_is_written_as_empty(
        (sample, names) in loose().prop_flat_map(|sample| {
            let names: Vec<String> = sample.model.keys().cloned().collect();
            (Just(sample), Just(names).prop_shuffle())
        }),
        is_one_pass in any::<bool>(),
    ) {
        let removals: Vec<Change> = names.iter().map(|name| remove(name)).collect();
        let n_at_once = if is_one_pass { removals.len() } else { 1 };
        let after = removals
            .chunks(n_at_once)
            .fold(sample.text.clone(), |text, removals| apply(&text, removals).unwrap());
        prop_assert_eq!(after.lines().filter(|line| line.trim_matches('\u{feff}') == "[]").count(), 1);
        prop_assert_eq!(model(&after), Model::new());
    }

    #[test]
    fn changes_made_at_once_are_changes_made_one_by_one_in_any_order(
        sample in loose(),
        (changes, shuffled) in changes().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
    ) {
        let at_once = apply(&sample.text, &changes).unwrap();
        let one_by_one = shuffled.iter().fold(sample.text.clone(), |text, change| {
            apply(&text, std::slice::from_ref(change)).unwrap()
        });
        prop_assert_eq!(model(&one_by_one), model(&at_once));
        if sample.is_sorted {
            prop_assert_eq!(names(&one_by_one), names(&at_once));
        }
    }

    #[test]
    fn changes_to_different_names_commute_as_entries(
        sample in loose(),
        first in change(),
        second in change(),
    ) {
        prop_assume!(name(&first) != name(&second));
        let (one, other) = both_orders(&sample.text, &first, &second);
        prop_assert_eq!(model(&one), model(&other));
        if sample.is_sorted {
            prop_assert_eq!(names(&one), names(&other));
        }
    }

    #[test]
    fn in_a_sorted_list_without_gaps_changes_to_different_names_commute_to_the_byte(
        sample in list(Density::Dense),
        first in change(),
        second in change(),
    ) {
        prop_assume!(name(&first) != name(&second));
        let (one, other) = both_orders(&sample.text, &first, &second);
        prop_assume!(!is_emptied(&sample, &[&first, &second]));
        prop_assert_eq!(&one, &other);
        prop_assert_eq!(apply(&sample.text, &[first, second]).unwrap(), one);
    }

    #[test]
    fn a_damaged_list_is_refused_or_edited_right(
        sample in loose(),
        damage in damage(),
        changes in changes(),
    ) {
        let text = damaged(&sample.text, &damage);
        if let Ok(after) = apply(&text, &changes) {
            prop_assert_eq!(model(&after), changed(model(&text), &changes));
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in vec(any::<u8>(), 0..200)) {
        let _ = Document::read(&bytes).is_ok();
    }

    #[test]
    fn no_text_of_yamls_own_characters_is_read_otherwise_elsewhere(
        text in r#"(- |  |name: |a: |[a-z"'#:&*!|>%@`,\[\]{}?\-\\~.0-9=<]|\n|\r|\t| |\u{e9}){0,30}"#,
    ) {
        if let Ok(list) = Document::read(text.as_bytes()) {
            let ours: Vec<_> = list.items().map(|item| item.name().into_owned()).collect();
            prop_assert_eq!(ours, names(&text));
        }
    }
}

/// Returns places in a text, and what is put there.
fn damage() -> impl Strategy<Value = Vec<(Index, Index)>> {
    vec((any::<Index>(), any::<Index>()), 1..4)
}

/// Returns a text with characters replaced by what YAML takes for something, or by nothing.
fn damaged(text: &str, damage: &[(Index, Index)]) -> String {
    const PIECES: [&str; 24] = [
        " ", "  ", "\t", "\n", "\r", "\"", "'", "#", ":", ": ", "-", "- ", "[", "]", "{", "&a ",
        "*a", "!!str ", "|", "\\", "\u{2028}", "\u{feff}", "---\n", "a",
    ];
    let mut text: Vec<char> = text.chars().collect();
    for (place, piece) in damage {
        let at = place.index(text.len());
        let piece = PIECES.get(piece.index(PIECES.len() + 1)).copied().unwrap_or_default();
        text.splice(at..=at, piece.chars());
    }
    text.into_iter().collect()
}

/// Tells whether changes remove every entry that was there.
fn is_emptied(sample: &Sample, changes: &[&Change]) -> bool {
    let removes = |name: &String| changes.iter().any(|change| **change == remove(name));
    sample.model.keys().all(removes)
}

/// Returns a list after two changes, made one after the other in both orders.
fn both_orders(text: &str, first: &Change, second: &Change) -> (String, String) {
    let made = |changes: [&Change; 2]| {
        changes.iter().fold(text.to_owned(), |text, &change| {
            apply(&text, std::slice::from_ref(change)).unwrap()
        })
    };
    (made([first, second]), made([second, first]))
}

#[test]
fn a_list_of_many_lines_is_edited_in_one_pass() {
    let entry = |i: usize| format!("- name: \"n{i:05}\"\n  note: \"x\"\n# about the next\n");
    let text: String = (0..20_000).map(|i| entry(i * 2)).collect();
    let changes: Vec<Change> =
        (0..100).map(|i| put(&format!("n{:05}", i * 300 + 1), &BTreeMap::new())).collect();
    let after = apply(&text, &changes).unwrap();
    assert_eq!(after.lines().count(), text.lines().count() + 100);
    let removals: Vec<Change> = changes.iter().map(|change| remove(&name(change))).collect();
    assert_eq!(apply(&after, &removals).unwrap(), text);
}

#[test]
fn a_list_over_the_limit_is_refused_before_and_after_an_edit() {
    let text = "- name: \"a\"\n";
    let refusal = Document::read_within(text.as_bytes(), text.len() - 1).unwrap_err();
    assert_eq!(refusal.to_string(), "line 1, column 1: list has 12 bytes, the limit is 11");
    let list = Document::read_within(text.as_bytes(), text.len()).unwrap();
    assert_eq!(list.apply(&[]).unwrap(), text);
    assert!(list.apply(&[put("b", &BTreeMap::new())]).is_err());
}
