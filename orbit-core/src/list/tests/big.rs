//! What edits promise, on lists of up to 2,000 entries and with up to 200 changes at once.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::document::Document;
use super::super::edit::{Change, apply};
use super::generate::{Model, Sample, drawn_changes, many, remove};
use super::{changed, damage, damaged, model, name, read_elsewhere};

/// A list and changes to it.
fn edit() -> impl Strategy<Value = (Sample, Vec<Change>)> {
    (many(), 0..=200_usize, any::<u64>()).prop_map(|(sample, n_changes, seed)| {
        let changes = drawn_changes(&sample, n_changes, seed);
        (sample, changes)
    })
}

/// Returns the names that our reader finds, in their order.
fn our_names(text: &str) -> Vec<String> {
    let list = Document::read(text.as_bytes()).unwrap();
    list.items().map(|item| item.name().into_owned()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn after_many_changes_another_reader_reads_what_was_asked_for((sample, changes) in edit()) {
        let after = apply(&sample.text, &changes).unwrap();
        let names = our_names(&after);
        let theirs = read_elsewhere(&after);
        prop_assert!(theirs.iter().map(|item| &item["name"]).eq(&names));
        prop_assert!(!sample.is_sorted || names.is_sorted());
        let theirs: Model = names.into_iter().zip(theirs).collect();
        prop_assert_eq!(theirs, changed(sample.model, &changes));
    }

    #[test]
    fn many_changes_made_twice_are_changes_made_once((sample, changes) in edit()) {
        let once = apply(&sample.text, &changes).unwrap();
        prop_assert_eq!(apply(&once, &changes).unwrap(), once);
    }

    #[test]
    fn many_changes_leave_every_other_entry_its_bytes_and_place((sample, changes) in edit()) {
        let after = apply(&sample.text, &changes).unwrap();
        let changed: BTreeSet<String> = changes.iter().map(name).collect();
        let mut rest = after.as_str();
        for (name, block) in sample.blocks.iter().filter(|(name, _)| !changed.contains(name)) {
            let found = rest.find(block);
            prop_assert!(found.is_some(), "{name} is missing");
            rest = &rest[found.unwrap() + block.len()..];
        }
    }

    #[test]
    fn many_insertions_that_are_taken_back_leave_every_byte((sample, changes) in edit()) {
        let is_new = |change: &Change| {
            matches!(change, Change::Put(_)) && !sample.model.contains_key(&name(change))
        };
        let puts: Vec<Change> = changes.into_iter().filter(is_new).collect();
        let removals: Vec<Change> = puts.iter().map(|put| remove(&name(put))).collect();
        let there = apply(&sample.text, &puts).unwrap();
        prop_assert_eq!(our_names(&there).len(), sample.blocks.len() + puts.len());
        prop_assert_eq!(apply(&there, &removals).unwrap(), sample.text);
    }

    #[test]
    fn a_long_list_that_is_damaged_is_refused_or_edited_right(
        (sample, changes) in edit(),
        damage in damage(),
    ) {
        let text = damaged(&sample.text, &damage);
        if let Ok(after) = apply(&text, &changes) {
            prop_assert_eq!(model(&after), changed(model(&text), &changes));
        }
    }
}
