//! Inserts and swaps in the filled catalog, one after the other.

use std::time::Instant;

use orbit_core::port::Catalog;
use orbit_core::testing::samples::{NOW, action_id};

use super::dice::Dice;
use super::{fill, times};

/// Measures writes, of images that are new in each run.
pub(crate) async fn measure(catalog: &dyn Catalog, n_images: u32) {
    let mut random = [0; 4];
    getrandom::fill(&mut random).unwrap();
    let first = n_images + u32::from_le_bytes(random) / 2;
    let inserts = times(async |n| {
        let image = fill::made(first + n);
        let begun = Instant::now();
        catalog.insert(&image, &action_id(1)).await.unwrap();
        (begun.elapsed(), 1)
    });
    println!("{:44}        {}", "insert", inserts.await);
    let swaps = times(async |n| {
        let image = fill::made(first + 1_000 + n);
        catalog.insert(&image, &action_id(1)).await.unwrap();
        let scanned = image.scanned(action_id(2), NOW);
        let begun = Instant::now();
        catalog.swap(1, &scanned, &action_id(2)).await.unwrap();
        (begun.elapsed(), 1)
    });
    println!("{:44}        {}", "swap, same text", swaps.await);
    let renames = times(async |n| {
        let mut image = fill::made(first + 2_000 + n);
        catalog.insert(&image, &action_id(1)).await.unwrap();
        image.labels.name = format!("renamed {}", Dice::new(n.into()).below(1_000_000));
        let begun = Instant::now();
        catalog.swap(1, &image, &action_id(2)).await.unwrap();
        (begun.elapsed(), 1)
    });
    println!("{:44}        {}", "swap, another name", renames.await);
}
