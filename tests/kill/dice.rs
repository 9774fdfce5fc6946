//! Chance that a seed repeats.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};

/// Returns another seed in every run.
pub(crate) fn seed() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// A sequence of numbers (`SplitMix64`).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns the dice of one of several players.
    pub(crate) fn of(mut self, player: u64) -> Self {
        for _ in 0..=player {
            self = Self(self.next());
        }
        self
    }

    /// Returns a number from 0 to one less than the limit.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// Returns one of some values.
    pub(crate) fn one_of<'a, T>(&mut self, values: &'a [T]) -> Option<&'a T> {
        let n_values = u64::try_from(values.len()).unwrap();
        let index = self.next().checked_rem(n_values)?;
        values.get(usize::try_from(index).unwrap())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
