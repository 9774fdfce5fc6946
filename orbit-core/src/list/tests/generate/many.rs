//! Long lists: numbers say how every entry is written, so that what proptest holds and shrinks is small.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::super::super::edit::Change;
use super::super::super::fields::Fields;
use super::super::name;
use super::{
    BEFORE_COLON, BEHIND, BETWEEN, COMMENTS, Density, Entry, HARD, INSIDE, KEYS, Pair, QUOTES,
    Sample, Shape, Writer, put, remove, shape,
};

/// Numbers that follow from a first one: `SplitMix64`.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    /// Returns the numbers for one of many things that are drawn from one seed.
    fn new(seed: u64, index: usize) -> Self {
        let mut dice = Self(seed.wrapping_add(u64::try_from(index).unwrap()));
        Self(dice.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number less than `bound`.
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).unwrap()).unwrap()
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn some(&mut self, from: &[&'static str], bound: usize) -> Vec<&'static str> {
        (0..self.below(bound)).map(|_| self.pick(from)).collect()
    }

    fn word(&mut self) -> String {
        let length = self.pick(&[1, 3, 3, 8, 40]);
        (0..length).map(|_| char::from(self.pick(b"abcdefghijklmnopqrstuvwxyz"))).collect()
    }

    fn value(&mut self) -> String {
        match self.below(6) {
            0..3 => self.word(),
            3 | 4 => self.pick(&HARD).to_owned(),
            _ => (0..self.below(12)).map(|_| self.char()).collect(),
        }
    }

    /// Returns a character, from the first ones or from all.
    fn char(&mut self) -> char {
        let bound = self.pick(&[0x80, 0x3000, 0x11_0000]);
        let code = u32::try_from(self.below(bound)).unwrap();
        char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
    }

    fn pair(&mut self, key: &str, value: String) -> Pair {
        Pair {
            key: key.to_owned(),
            value,
            quotes: self.pick(&QUOTES),
            before_colon: self.pick(&BEFORE_COLON),
            behind: self.pick(&BEHIND),
        }
    }

    /// Returns an entry of these values and of some that are not Orbit's, in any order.
    fn entry<'f>(&mut self, fields: impl Iterator<Item = (&'f str, &'f str)>) -> Entry {
        let own: Vec<Pair> = fields.map(|(key, value)| self.pair(key, value.to_owned())).collect();
        let mut pairs = Vec::new();
        let is_free = |key: &&str| own.iter().all(|pair| pair.key != *key);
        for key in KEYS.into_iter().filter(is_free) {
            if self.below(4) == 0 {
                let value = self.value();
                pairs.push(self.pair(key, value));
            }
        }
        for pair in own {
            pairs.insert(self.below(pairs.len() + 1), pair);
        }
        Entry {
            between: self.some(&BETWEEN, 3),
            comment: self.some(&COMMENTS, 3),
            pairs,
            inside: self.some(&INSIDE, 2),
        }
    }
}

/// Returns lists of up to 2,000 entries.
pub(in super::super) fn many() -> impl Strategy<Value = Sample> {
    let n_entries = prop_oneof![1 => 1..100_usize, 4 => 1000..=2000_usize];
    (n_entries, any::<u64>(), any::<bool>(), shape()).prop_map(
        |(n_entries, seed, is_sorted, shape)| {
            let mut names: Vec<String> =
                (0..n_entries).map(|index| drawn_name(seed, index)).collect();
            if is_sorted {
                names.sort();
            }
            let entries: Vec<Entry> = names
                .iter()
                .zip(n_entries..)
                .map(|(name, index)| Dice::new(seed, index).entry([("name", &**name)].into_iter()))
                .collect();
            Writer::new(shape, Density::Loose).list(&entries)
        },
    )
}

/// Returns a name that differs for every index; of sixteen, one is none that Orbit gives.
fn drawn_name(seed: u64, index: usize) -> String {
    let mut dice = Dice::new(seed, index);
    let word = dice.word();
    if dice.below(16) == 0 { format!("{word}: é#{index}") } else { format!("{word}{index}") }
}

/// Returns changes to different names of a list, there or not, of every kind.
pub(in super::super) fn drawn_changes(sample: &Sample, n_changes: usize, seed: u64) -> Vec<Change> {
    let mut seen = BTreeSet::new();
    let changes = (0..n_changes).map(|index| {
        let mut dice = Dice::new(seed, index);
        let (there, _) = &sample.blocks[dice.below(sample.blocks.len())];
        let is_present = dice.below(2) == 0 && there.parse::<crate::AppName>().is_ok();
        let absent = format!("{}{}", dice.word(), 10_000 + index);
        let name = if is_present { there } else { &absent };
        if dice.below(3) == 0 {
            return remove(name);
        }
        let keys = dice.some(&["imageUID", "note", "added"], 4);
        put(name, &keys.into_iter().map(|key| (key, dice.value())).collect::<BTreeMap<_, _>>())
    });
    changes.filter(|change| seen.insert(name(change))).collect()
}

/// Returns a list of these entries as people might write them.
pub(in super::super) fn text_of(entries: &[Fields], shape: Shape, seed: u64) -> String {
    let dice = (0..).map(|index| Dice::new(seed, index));
    let entries: Vec<Entry> =
        entries.iter().zip(dice).map(|(fields, mut dice)| dice.entry(fields.iter())).collect();
    Writer::new(shape, Density::Loose).list(&entries).text
}
