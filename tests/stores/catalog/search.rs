//! The search finds what a plain filter finds, whatever the texts hold.

use orbit_core::port::{Catalog, SearchPage};
use orbit_core::query::{Search, Sort, StatusName};
use orbit_core::testing::samples::{NOW, action_id, image};
use orbit_core::{Image, ImageId, ImageVersion, Timestamp};

use super::dice::Dice;
use super::{Place, reference};

const SORTS: [Sort; 6] = [
    Sort::Newest,
    Sort::Oldest,
    Sort::LastChanged,
    Sort::FirstChanged,
    Sort::Name,
    Sort::NameBackwards,
];
/// Wildcards, quotes, letters with a case in one, two and three bytes, one that grows when it is
/// folded, characters of three and four bytes, spaces.
const ODD: [char; 20] = [
    'a', 'A', 'b', ' ', '%', '_', '\\', '\'', '"', 'É', 'é', 'ß', 'İ', 'Ⱥ', '日', '本', '🦀',
    '\u{301}', '0', '-',
];

/// Returns all pages of a search as one, each checked for its size.
pub(crate) async fn all(catalog: &dyn Catalog, mut search: Search) -> (Vec<ImageId>, SearchPage) {
    let mut found = Vec::new();
    loop {
        let page = catalog.search(&search).await.unwrap();
        assert!(page.rows.len() <= usize::try_from(search.limit).unwrap());
        found.extend(page.rows.iter().map(|row| row.image.id.clone()));
        search.cursor = page.next.clone();
        if search.cursor.is_none() {
            return (found, page);
        }
    }
}

pub(crate) fn for_text(text: &str) -> Search {
    Search { text: Some(text.to_owned()), limit: 20, ..Search::default() }
}

/// Returns an image with odd labels, and times and names that others have too.
fn odd_image(n: u32, dice: &mut Dice) -> Image {
    let mut image = image(n / 3, 1 + n % 3);
    image.labels.name = odd(dice, 6);
    image.labels.category = odd(dice, 2);
    image.labels.description = dice.once_in(2).then(|| odd(dice, 60));
    image.labels.part = dice.once_in(2).then(|| odd(dice, 2));
    image.labels.tail = dice.once_in(3).then(|| odd(dice, 2));
    image.environment = dice.of(&["development", "testing", "production"]).parse().unwrap();
    image.created = at(dice.below(20));
    image.updated = at(dice.below(20));
    match dice.below(4) {
        0 => image.deleted(image.updated),
        1 => image.scanned(action_id(7), image.updated),
        _ => image,
    }
}

fn odd(dice: &mut Dice, most: usize) -> String {
    let length = 1 + dice.below(most);
    dice.text(&ODD, length)
}

fn at(millis: usize) -> Timestamp {
    Timestamp::from_millis(NOW.millis() + i64::try_from(millis).unwrap() - 10)
}

/// Returns a search for something of an image, or of none.
fn any_search(images: &[Image], dice: &mut Dice) -> Search {
    let of = dice.of(images).clone();
    let text = match dice.below(4) {
        0 => None,
        1 => Some(odd(dice, 3)),
        _ => Some(somewhere_in(&of, dice)),
    };
    let labels = of.labels;
    Search {
        text,
        name: dice.once_in(8).then(|| labels.name.to_uppercase().to_lowercase()),
        category: dice.once_in(6).then_some(labels.category),
        environment: dice.once_in(5).then_some(of.environment),
        status: dice.once_in(5).then(|| StatusName::of(&of.status)),
        part: labels.part.filter(|_| dice.once_in(5)),
        tail: labels.tail.filter(|_| dice.once_in(5)),
        version: dice.once_in(5).then_some(of.id.version),
        scanned: dice.once_in(5).then_some(of.report.is_some()),
        sort: *dice.of(&SORTS),
        limit: u32::try_from(10 + dice.below(50)).unwrap(),
        ..Search::default()
    }
}

/// Returns some characters that follow each other in an image's text.
fn somewhere_in(image: &Image, dice: &mut Dice) -> String {
    let fields = [Some(image.labels.name.as_str()), image.labels.description.as_deref()];
    let fields: Vec<_> = fields.into_iter().flatten().chain([image.id.uid.as_str()]).collect();
    let field: Vec<char> = dice.of(&fields).chars().collect();
    let start = dice.below(field.len());
    let length = 1 + dice.below((field.len() - start).min(40));
    field[start..start + length].iter().collect()
}

#[tokio::test]
async fn a_search_finds_what_a_filter_in_memory_finds() {
    let mysql = Place::new().set_up().await;
    let catalog = mysql.catalog();
    let dice = &mut Dice::new(20_26);
    let images: Vec<_> = (0..200).map(|n| odd_image(n, dice)).collect();
    for image in &images {
        catalog.insert(image, &action_id(1)).await.unwrap();
    }
    let mut n_found = 0;
    for _ in 0..120 {
        let search = any_search(&images, dice);
        let expected = reference::found(&images, &search);
        let (found, page) = all(&*catalog, search.clone()).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{search:?}");
        assert_eq!(page.total, u64::try_from(expected.len()).unwrap(), "{search:?}");
        n_found += usize::from(!expected.is_empty());
    }
    assert!(n_found > 60, "only {n_found} searches found something");
}

#[tokio::test]
async fn wildcards_and_quotes_stand_for_themselves() {
    let mysql = Place::new().set_up().await;
    let catalog = mysql.catalog();
    let names = ["100%", "100 percent", "a_b", "axb", r"back\slash", "it's \"quoted\"", "end "];
    for (n, name) in (0..).zip(names) {
        let mut image = image(n, 1);
        image.labels.name = name.to_owned();
        image.labels.description = None;
        catalog.insert(&image, &action_id(1)).await.unwrap();
    }
    for (text, name) in
        [("100%", 0), ("%", 0), ("_", 2), (r"k\s", 4), ("'s \"", 5), ("' \"", 99), ("END ", 6)]
    {
        let (found, _) = all(&*catalog, for_text(text)).await;
        let expected: Vec<_> = (0..7).filter(|n| *n == name).map(|n| image(n, 1).id).collect();
        assert_eq!(found, expected, "{text}");
    }
    for (name, n) in [("end ", Some(6)), ("end", None), ("end  ", None), ("A_B", Some(2))] {
        let search = Search { name: Some(name.to_owned()), limit: 5, ..Search::default() };
        let expected: Vec<_> = n.into_iter().map(|n| image(n, 1).id).collect();
        assert_eq!(all(&*catalog, search).await.0, expected, "{name:?}");
    }
}

#[tokio::test]
async fn a_changed_text_is_found_and_the_old_one_is_not() {
    let mysql = Place::new().set_up().await;
    let catalog = mysql.catalog();
    let mut image = image(1, 1);
    image.labels.description = Some(format!("old {}", "text ".repeat(900)));
    catalog.insert(&image, &action_id(1)).await.unwrap();
    let unchanged = image.scanned(action_id(2), NOW);
    catalog.swap(1, &unchanged, &action_id(2)).await.unwrap();
    assert_eq!(all(&*catalog, for_text("OLD TEXT text text")).await.0.len(), 1);
    let letters: String = ('\u{4E00}'..'\u{5E00}').take(3_000).collect();
    image.labels.description = Some(format!("new {letters}"));
    catalog.swap(2, &image, &action_id(3)).await.unwrap();
    for (text, n) in [("old", 0), ("text text", 0), ("new", 1), ("w 一丁", 1), ("Sample 1", 1)] {
        assert_eq!(all(&*catalog, for_text(text)).await.0.len(), n, "{text}");
    }
}

#[tokio::test]
async fn a_cursor_with_the_key_of_another_order_is_refused() {
    use orbit_core::port::Kind;
    use orbit_core::query::Cursor;
    let mysql = Place::new().set_up().await;
    let search = Search { limit: 1, ..Search::default() };
    let key = serde_json::json!({"sorted_by": "name", "uid": "", "version": "v0-0-01"});
    for cursor in [Cursor::new(&search.identity(), &key), Cursor::from("bm9wZQ".to_owned())] {
        let search = Search { cursor: Some(cursor), ..search.clone() };
        let fault = mysql.catalog().search(&search).await.unwrap_err();
        assert_eq!(fault.kind(), Kind::Rejected, "{fault:?}");
    }
}

#[tokio::test]
async fn versions_of_one_uid_are_found_one_by_one() {
    let mysql = Place::new().set_up().await;
    let catalog = mysql.catalog();
    let versions = [(0, 0, 9), (0, 0, 10), (0, 2, 0), (u32::MAX, 0, 0)];
    for (major, minor, patch) in versions {
        let mut image = image(1, 1);
        image.id.version = ImageVersion::new(major, minor, patch);
        catalog.insert(&image, &action_id(1)).await.unwrap();
        let search = Search { version: Some(image.id.version), limit: 5, ..Search::default() };
        assert_eq!(all(&*catalog, search).await.0, [image.id]);
    }
}
