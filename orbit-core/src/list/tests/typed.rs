//! Typed entries, in both lists, as `serde` reads them from another YAML reader.

use std::collections::{BTreeMap, BTreeSet};

use proptest::array::uniform10;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;

use super::super::both::{deploy, retire};
use super::super::check::check;
use super::super::edit::{Change, apply};
use super::super::entry::{DeleteList, Deletion, DeployList, Entry, Listed, Tombstone};
use super::generate::{Shape, shape, text_of, value};
use crate::{ActionId, AppName, Digest, Environment, ImageVersion, Timestamp};

fn development() -> Environment {
    "development".parse().unwrap()
}

fn app_name() -> impl Strategy<Value = AppName> {
    prop_oneof!["[a-f]", "[a-z]([a-z0-9-]{0,48}[a-z0-9])?"].prop_map(|name| name.parse().unwrap())
}

prop_compose! {
    fn entry()(
        name in app_name(),
        uid in "[A-Za-z0-9]{60}",
        (major, minor, patch) in any::<(u32, u32, u32)>(),
        image_name in value(),
        image in "[a-z]{1,8}\\.io/[a-z0-9]{1,8}/[a-z0-9]{1,8}(__|_|-{1,3}|\\.)[a-z0-9]{1,4}",
        digest in any::<[u8; 32]>(),
        namespace in "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
        deployment_id in value().prop_filter("a blank id is a fault", |id| !id.trim().is_empty()),
    ) -> Entry {
        Entry {
            name,
            image_uid: uid.parse().unwrap(),
            image_version: ImageVersion::new(major, minor, patch),
            image_name,
            environment: development(),
            image,
            digest: Digest::from_bytes(digest),
            namespace,
            deployment_id,
        }
    }
}

prop_compose! {
    fn deletion()(
        deleted_at in select(vec!["2025-01-25T10:00:00Z", "2025-01-25T10:00:00.123456+01:00"]),
        deleted_by in value(),
        at in 0..4_000_000_000_000_i64,
        random in uniform10(any::<u8>()),
    ) -> Deletion {
        Deletion {
            deleted_at: deleted_at.to_owned(),
            deleted_by,
            action_id: ActionId::new(Timestamp::from_millis(at), random),
        }
    }
}

/// Both lists of an environment, and what is in them.
#[derive(Debug, Clone)]
struct Lists {
    deploy: String,
    delete: String,
    entries: BTreeMap<AppName, Entry>,
    tombstones: BTreeMap<AppName, Tombstone>,
}

/// Lists as people leave them; no name is in both.
fn lists() -> impl Strategy<Value = Lists> {
    let all = vec((entry(), proptest::option::of(deletion())), 0..8);
    (all, shape(), shape(), any::<u64>()).prop_map(|(all, of_deploy, of_delete, seed)| {
        let (mut entries, mut tombstones) = (BTreeMap::new(), BTreeMap::new());
        let mut seen = BTreeSet::new();
        for (entry, deletion) in
            all.into_iter().filter(|(entry, _)| seen.insert(entry.name.clone()))
        {
            let name = entry.name.clone();
            match deletion {
                None => drop(entries.insert(name, entry)),
                Some(deletion) => drop(tombstones.insert(name, Tombstone { entry, deletion })),
            }
        }
        let deploy = written(entries.values(), of_deploy, seed);
        let delete = written(tombstones.values(), of_delete, seed);
        Lists { deploy, delete, entries, tombstones }
    })
}

fn written<'l, T: Listed + 'l>(
    entries: impl Iterator<Item = &'l T>,
    shape: Shape,
    seed: u64,
) -> String {
    text_of(&entries.map(Listed::fields).collect::<Vec<_>>(), shape, seed)
}

impl Lists {
    /// Checks that two readers find in both texts what is in them, and that they may be pushed.
    fn agree(&self) {
        let entries: Vec<_> = self.entries.values().cloned().collect();
        assert_eq!(by_name(DeployList::read(&self.deploy).unwrap().into_entries()), entries);
        assert_eq!(by_name::<Entry>(serde_saphyr::from_str(&self.deploy).unwrap()), entries);
        let tombstones: Vec<_> = self.tombstones.values().cloned().collect();
        assert_eq!(by_name(DeleteList::read(&self.delete).unwrap().into_entries()), tombstones);
        assert_eq!(by_name::<Tombstone>(serde_saphyr::from_str(&self.delete).unwrap()), tombstones);
        assert!(self.entries.keys().all(|name| !self.tombstones.contains_key(name)));
        assert_eq!(check(&self.deploy, &self.delete, Some(&development())), Ok(()));
    }

    fn make(&mut self, step: &Step) {
        match step {
            Step::Deploy(entry) => {
                (self.deploy, self.delete) = deploy(&self.deploy, &self.delete, entry).unwrap();
                self.entries.insert(entry.name.clone(), entry.clone());
                self.tombstones.remove(&entry.name);
            }
            Step::Retire(name, deletion) => {
                let Some(entry) = self.entries.remove(name) else {
                    return;
                };
                let lists = retire(&self.deploy, &self.delete, name, deletion.clone());
                (self.deploy, self.delete) = lists.unwrap();
                let tombstone = Tombstone { entry, deletion: deletion.clone() };
                self.tombstones.insert(name.clone(), tombstone);
            }
        }
    }

    fn texts(&self) -> (String, String) {
        (self.deploy.clone(), self.delete.clone())
    }
}

fn by_name<T: Listed>(mut entries: Vec<T>) -> Vec<T> {
    entries.sort_by(|a, b| a.name().cmp(b.name()));
    entries
}

#[derive(Debug, Clone)]
enum Step {
    Deploy(Entry),
    Retire(AppName, Deletion),
}

/// Steps with names of one letter more often than not, so that most are about what is there.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let retire = (app_name(), deletion()).prop_map(|(name, deletion)| Step::Retire(name, deletion));
    vec(prop_oneof![entry().prop_map(Step::Deploy), retire], 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn typed_entries_in_any_style_are_the_same_to_serde(lists in lists()) {
        lists.agree();
    }

    #[test]
    fn what_is_put_is_what_serde_reads_back(
        lists in lists(),
        new in btree_map(app_name(), (entry(), deletion()), 0..8),
    ) {
        let mut lists = lists;
        let new = new.into_iter().map(|(name, (entry, deletion))| Tombstone { entry: Entry { name, ..entry }, deletion });
        let new: Vec<Tombstone> = new.collect();
        let (in_deploy, in_delete) = new.split_at(new.len() / 2);
        let puts: Vec<Change> = in_deploy.iter().map(|new| Change::put(&new.entry)).collect();
        lists.deploy = apply(&lists.deploy, &puts).unwrap();
        let puts: Vec<Change> = in_delete.iter().map(Change::put).collect();
        lists.delete = apply(&lists.delete, &puts).unwrap();
        let entries = in_deploy.iter().map(|new| (new.name().clone(), new.entry.clone()));
        lists.entries.extend(entries);
        lists.tombstones.extend(in_delete.iter().map(|new| (new.name().clone(), new.clone())));
        let is_in_both = lists.entries.keys().any(|name| lists.tombstones.contains_key(name));
        prop_assume!(!is_in_both);
        lists.agree();
    }

    #[test]
    fn an_entry_is_never_in_both_lists(lists in lists(), steps in steps()) {
        let mut lists = lists;
        for step in steps {
            lists.make(&step);
            lists.agree();
            let once = lists.texts();
            // A step that is made again changes nothing.
            match &step {
                Step::Deploy(entry) => {
                    prop_assert_eq!(deploy(&once.0, &once.1, entry).unwrap(), once);
                }
                Step::Retire(name, deletion) if lists.tombstones.contains_key(name) => {
                    prop_assert_eq!(retire(&once.0, &once.1, name, deletion.clone()).unwrap(), once);
                }
                Step::Retire(..) => {}
            }
        }
    }

    #[test]
    fn a_move_there_and_back_leaves_every_byte(
        lists in lists(),
        entry in entry(),
        deletion in deletion(),
    ) {
        prop_assume!(!lists.entries.contains_key(&entry.name));
        prop_assume!(!lists.tombstones.contains_key(&entry.name));
        let mut moved = lists.clone();
        moved.make(&Step::Deploy(entry.clone()));
        let deployed = moved.texts();
        prop_assert_eq!(&deployed.1, &lists.delete);
        moved.make(&Step::Retire(entry.name.clone(), deletion.clone()));
        let retired = moved.texts();
        prop_assert_eq!(&retired.0, &lists.deploy);
        moved.make(&Step::Deploy(entry.clone()));
        prop_assert_eq!(moved.texts(), deployed);
        moved.make(&Step::Retire(entry.name, deletion));
        prop_assert_eq!(moved.texts(), retired);
    }
}
