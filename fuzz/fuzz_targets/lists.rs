//! Any bytes, taken for a list and edited.

#![no_main]

#[path = "lists/mutate.rs"]
mod mutate;
#[path = "../../tests/lists/oracle.rs"]
mod oracle;

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|input: &[u8]| oracle::check(input));

// As often as not whole lines change, because few lists survive the change of a byte.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let is_of_lines = seed.is_multiple_of(2);
    let input = data.get(..size).filter(|_| is_of_lines);
    let mutated = input.map(|input| mutate::lines(input, seed)).unwrap_or_default();
    if mutated.is_empty() || mutated.len() > max_size {
        return fuzzer_mutate(data, size, max_size);
    }
    data[..mutated.len()].copy_from_slice(&mutated);
    mutated.len()
});
