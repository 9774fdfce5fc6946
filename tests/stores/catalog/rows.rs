//! Rows are kept whole or refused.

use orbit_core::port::Kind;
use orbit_core::query::Search;
use orbit_core::testing::samples::{action_id, image};

use super::Place;

#[tokio::test]
async fn the_longest_texts_of_a_request_are_kept_whole() {
    let mysql = Place::new().set_up().await;
    let catalog = mysql.catalog();
    let mut long = image(1, 1);
    long.labels.name = "🦀".repeat(200);
    long.labels.category = "Ⱥ".repeat(100);
    long.labels.description = Some("İ日".repeat(2_500));
    long.labels.part = Some("🦀".repeat(100));
    long.labels.tail = Some("日".repeat(100));
    long.labels.icao = Some("ß".repeat(100));
    let row = catalog.insert(&long, &action_id(1)).await.unwrap();
    assert_eq!(catalog.find(&long.id).await.unwrap(), Some(row.clone()));
    let search = Search {
        text: Some("İ日".repeat(100)),
        name: Some(long.labels.name.clone()),
        category: Some("ⱥ".repeat(100)),
        part: long.labels.part.clone(),
        limit: 1,
        ..Search::default()
    };
    assert_eq!(catalog.search(&search).await.unwrap().rows, [row]);
}

#[tokio::test]
async fn a_text_that_is_longer_than_its_column_is_refused_with_its_limit() {
    let mysql = Place::new().set_up().await;
    let catalog = mysql.catalog();
    let first = image(1, 1);
    catalog.insert(&first, &action_id(1)).await.unwrap();
    let mut name = first.clone();
    name.labels.name = "n".repeat(801);
    let mut part = first.clone();
    part.labels.part = Some("p".repeat(401));
    let mut description = first.clone();
    description.labels.description = Some("d".repeat(70_000));
    for (long, expected) in [
        (name, "the name of image "),
        (part, "the part of image "),
        (description, "the searched text of image "),
    ] {
        let fault = catalog.swap(1, &long, &action_id(2)).await.unwrap_err();
        let text = fault.chain();
        assert_eq!(fault.kind(), Kind::Rejected, "{text}");
        assert!(text.starts_with(expected) && text.contains("bytes, expected at most"), "{text}");
        let fault = catalog.insert(&long, &action_id(2)).await.unwrap_err();
        assert_eq!(fault.kind(), Kind::Rejected);
    }
    assert_eq!(catalog.find(&first.id).await.unwrap().unwrap().image, first);
}
