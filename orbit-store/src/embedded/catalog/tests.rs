use std::collections::HashSet;

use orbit_core::query::{Cursor, Sort};
use orbit_core::{Status, Timestamp};

use super::*;
use crate::embedded::testing::{action, image, stores, uid};

fn for_text(text: &str) -> Search {
    Search { text: Some(text.to_owned()), limit: 20, ..Search::default() }
}

async fn names(catalog: &dyn Catalog, search: &Search) -> Vec<String> {
    let page = catalog.search(search).await.unwrap();
    assert_eq!(u64::try_from(page.rows.len()).unwrap(), page.total);
    page.rows.into_iter().map(|row| row.image.labels.name).collect()
}

#[tokio::test]
async fn wildcards_stand_for_themselves() {
    let (_dir, stores) = stores().await;
    let catalog = stores.catalog();
    let all = ["100%", "100 percent", "a_b", "axb", r"back\slash", "it's \"quoted\""];
    for (n, name) in (0..).zip(all) {
        catalog.insert(&image(n, name), &action(1)).await.unwrap();
    }
    for (text, found) in [
        ("100%", "100%"),
        ("%", "100%"),
        ("_", "a_b"),
        (r"k\s", r"back\slash"),
        ("'s \"", "it's \"quoted\""),
    ] {
        assert_eq!(names(&*catalog, &for_text(text)).await, [found], "{text}");
    }
}

#[tokio::test]
async fn case_does_not_matter_in_any_script() {
    let (_dir, stores) = stores().await;
    let catalog = stores.catalog();
    let mut flight = image(1, "Überflug ÀÉ");
    flight.labels.category = "КИНО".to_owned();
    catalog.insert(&flight, &action(1)).await.unwrap();
    catalog.insert(&image(2, "Uberflug"), &action(1)).await.unwrap();
    let by_name = Search { name: Some("üBERFLUG àé".to_owned()), ..for_text("") };
    let by_category = Search { category: Some("кино".to_owned()), ..for_text("") };
    for search in [for_text("ÜBERFLUG"), for_text("àé"), by_name, by_category] {
        assert_eq!(names(&*catalog, &search).await, ["Überflug ÀÉ"], "{search:?}");
    }
}

#[tokio::test]
async fn a_text_is_not_found_across_two_fields() {
    let (_dir, stores) = stores().await;
    let mut split = image(1, "one");
    split.labels.description = Some("two".to_owned());
    stores.catalog().insert(&split, &action(1)).await.unwrap();
    assert!(names(&*stores.catalog(), &for_text("onetwo")).await.is_empty());
    assert_eq!(names(&*stores.catalog(), &for_text("two")).await, ["one"]);
}

#[tokio::test]
async fn versions_are_ordered_as_numbers() {
    let (_dir, stores) = stores().await;
    let ordered = ["v0-0-09", "v0-0-10", "v0-0-100", "v0-2-00", "v0-10-00", "v4294967295-0-00"];
    for version in ordered.iter().rev() {
        let mut image = image(1, "Trolls");
        image.id.version = version.parse().unwrap();
        stores.catalog().insert(&image, &action(1)).await.unwrap();
    }
    let found = stores.catalog().versions(&uid(1)).await.unwrap();
    let found: Vec<_> = found.iter().map(|row| row.image.id.version.to_string()).collect();
    assert_eq!(found, ordered);
}

/// Fills the catalog in one transaction: ten thousand would take ten thousand syncs of the disk.
async fn fill(database: &Database, n_images: u32) {
    let mut transaction = database.write().await.unwrap();
    for n in 0..n_images {
        let mut image = image(n, &format!("image {}", n % 7));
        image.created = Timestamp::from_millis(i64::from(n / 100));
        image.updated = Timestamp::from_millis(-i64::from(n / 1000));
        if n % 1000 == 0 {
            image.status = Status::Deleted { at: image.updated };
        }
        let row = Row { image, revision: 1, writer: action(1) };
        write(&mut transaction, &row).await.unwrap();
    }
    commit(transaction).await.unwrap();
}

#[tokio::test]
async fn pages_show_every_image_once_in_every_order() {
    let (_dir, stores) = stores().await;
    fill(stores.database(), 2_000).await;
    for sort in [
        Sort::Newest,
        Sort::Oldest,
        Sort::LastChanged,
        Sort::FirstChanged,
        Sort::Name,
        Sort::NameBackwards,
    ] {
        let mut search = Search { sort, limit: 130, ..Search::default() };
        let mut paged = Vec::new();
        loop {
            let page = stores.catalog().search(&search).await.unwrap();
            assert_eq!((page.total, page.total_is_at_least), (2_000, false));
            paged.extend(page.rows);
            let Some(next) = page.next else { break };
            search.cursor = Some(next);
        }
        let whole = Search { sort, limit: 3_000, ..Search::default() };
        assert_eq!(paged, stores.catalog().search(&whole).await.unwrap().rows, "{sort:?}");
        let ids: HashSet<_> = paged.iter().map(|row| &row.image.id).collect();
        assert_eq!(ids.len(), 2_000);
    }
}

#[tokio::test]
async fn few_and_many_matches_are_found_the_same_way_round() {
    let (_dir, stores) = stores().await;
    fill(stores.database(), 2_000).await;
    for (text, total) in [("", 2_000), ("image", 2_000), ("image 3", 286), ("3", 748)] {
        for sort in [Sort::Newest, Sort::LastChanged, Sort::NameBackwards] {
            let search = Search { sort, limit: 2_000, ..for_text(text) };
            let environment = Some("development".parse().unwrap());
            let found = stores.catalog().search(&Search { environment, ..search }).await.unwrap();
            let everything = Search { sort, limit: 2_000, ..Search::default() };
            let everything = stores.catalog().search(&everything).await.unwrap();
            let expected = everything.rows.into_iter().filter(|row| {
                row.image.labels.name.contains(text) || row.image.id.uid.as_str().contains(text)
            });
            assert_eq!(found.rows, expected.collect::<Vec<_>>(), "{text} {sort:?}");
            assert_eq!((text, found.total), (text, total));
        }
    }
}

#[tokio::test]
async fn a_changed_text_is_found_and_the_old_one_is_not() {
    let (_dir, stores) = stores().await;
    let catalog = stores.catalog();
    catalog.insert(&image(1, "first name"), &action(1)).await.unwrap();
    catalog.swap(1, &image(1, "second name"), &action(2)).await.unwrap();
    assert!(names(&*catalog, &for_text("first")).await.is_empty());
    assert_eq!(names(&*catalog, &for_text("second")).await, ["second name"]);
}

#[tokio::test]
async fn counting_stops_at_the_limit_and_facets_do_not() {
    let (_dir, stores) = stores().await;
    fill(stores.database(), 10_001).await;
    let search = Search { limit: 1, facets: true, ..Search::default() };
    let page = stores.catalog().search(&search).await.unwrap();
    assert_eq!((page.total, page.total_is_at_least), (Search::COUNT_LIMIT, true));
    let facets = page.facets.unwrap();
    assert_eq!(facets.status, [("stored".to_owned(), 9_990), ("deleted".to_owned(), 11)]);
    assert_eq!(facets.part, []);
    let narrow = Search { status: Some(StatusName::Deleted), ..search };
    let page = stores.catalog().search(&narrow).await.unwrap();
    assert_eq!((page.total, page.total_is_at_least), (11, false));
}

#[tokio::test]
async fn a_cursor_of_another_search_is_refused() {
    let (_dir, stores) = stores().await;
    let cursor = Some(Cursor::from("bm9wZQ".to_owned()));
    let fault = stores.catalog().search(&Search { cursor, ..for_text("a") }).await.unwrap_err();
    assert_eq!(fault.kind(), Kind::Rejected);
}
