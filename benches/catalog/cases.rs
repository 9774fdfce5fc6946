//! What is searched for.

use std::time::Duration;

use orbit_core::query::{Search, Sort, StatusName};

use super::dice::Dice;
use super::fill;

/// A kind of search.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// Returns the search number `n` of the kind.
    pub(crate) search: Box<dyn Fn(u32) -> Search>,
}

/// The same rows, asked for without any of what Orbit does.
pub(crate) trait Peer {
    /// Reads a page and returns how long it took and how many rows it has.
    async fn page(&mut self, search: &Search, offset: u32) -> (Duration, u64);
}

/// Returns the condition of a search that has a text, a category, an environment or a status, and the
/// order, as they are written first. The values are the bench's own, so nothing is quoted.
pub(crate) fn naive(search: &Search) -> String {
    let mut sql = "TRUE".to_owned();
    let mut add = |condition: String| sql.push_str(&format!(" AND {condition}"));
    if let Some(text) = &search.text {
        add(format!("text_folded LIKE '%{}%'", text.to_lowercase()));
    }
    let texts = [
        ("category_folded", search.category.as_ref().map(|text| text.to_lowercase())),
        ("name_folded", search.name.as_ref().map(|text| text.to_lowercase())),
        ("environment", search.environment.as_ref().map(ToString::to_string)),
        ("status", search.status.map(|status| status.to_string())),
        ("part", search.part.clone()),
        ("tail", search.tail.clone()),
        ("image_version", search.version.map(|version| version.to_string())),
        ("scanned", search.scanned.map(|scanned| u8::from(scanned).to_string())),
    ];
    for (column, value) in texts {
        if let Some(value) = value {
            add(format!("{column} = '{value}'"));
        }
    }
    let order = match search.sort {
        Sort::Newest => "created DESC",
        Sort::Oldest => "created",
        Sort::LastChanged => "updated DESC",
        Sort::FirstChanged => "updated",
        Sort::Name => "name_folded",
        Sort::NameBackwards => "name_folded DESC",
    };
    format!("{sql} ORDER BY {order}, image_uid, version_order")
}

/// Returns all kinds of searches in a collection of so many images.
pub(crate) fn all(n_images: u32) -> Vec<Case> {
    let any = move |n: u32| {
        let n_any = Dice::new(u64::from(n) + 1_000_000).below(usize::try_from(n_images).unwrap());
        fill::made(u32::try_from(n_any).unwrap())
    };
    let case = |name, search: Box<dyn Fn(u32) -> Search>| Case { name, search };
    vec![
        case("no filter", Box::new(move |_| base())),
        case("no filter, by name", Box::new(move |_| Search { sort: Sort::Name, ..base() })),
        case("text, 1 letter", Box::new(move |n| text(letters(n, 1)))),
        case("text, 2 letters", Box::new(move |n| text(letters(n, 2)))),
        case("text, 3 letters of a UID", Box::new(move |n| text(part(&any(n), 3)))),
        case("text, 4 letters of a UID", Box::new(move |n| text(part(&any(n), 4)))),
        case("text, 30 letters of a UID", Box::new(move |n| text(part(&any(n), 30)))),
        case("text, a word in a fifth", Box::new(move |n| text(word(n)))),
        case(
            "text, a word in a fifth, last change",
            Box::new(move |n| Search { sort: Sort::LastChanged, ..text(word(n)) }),
        ),
        case("text, two words in 2 of 100", Box::new(move |n| text(phrase(n)))),
        case(
            "text, two words in 2 of 100, by name",
            Box::new(move |n| Search { sort: Sort::Name, ..text(phrase(n)) }),
        ),
        case(
            "text, one aircraft, 1 of 1,000",
            Box::new(move |n| text(format!("aircraft {}", 100 + n))),
        ),
        case("text, three words, 1 of 1,600", Box::new(move |n| text(long(&any(n))))),
        case("text, a whole name", Box::new(move |n| text(any(n).labels.name))),
        case("text, nothing", Box::new(move |n| text(format!("no such text {n}")))),
        case("name", Box::new(move |n| Search { name: Some(any(n).labels.name), ..base() })),
        case(
            "category",
            Box::new(move |n| Search { category: Some(any(n).labels.category), ..base() }),
        ),
        case(
            "category, oldest",
            Box::new(move |n| Search {
                category: Some(any(n).labels.category),
                sort: Sort::Oldest,
                ..base()
            }),
        ),
        case(
            "environment",
            Box::new(move |n| Search { environment: Some(any(n).environment), ..base() }),
        ),
        case(
            "status deleted",
            Box::new(move |_| Search { status: Some(StatusName::Deleted), ..base() }),
        ),
        case(
            "part",
            Box::new(move |n| Search { part: Some(format!("{}-1", 20_000 + n)), ..base() }),
        ),
        case("tail", Box::new(move |n| Search { tail: Some(format!("G-{n:04}")), ..base() })),
        case("version", Box::new(move |n| Search { version: Some(any(n).id.version), ..base() })),
        case("scanned", Box::new(move |n| Search { scanned: Some(n % 2 == 0), ..base() })),
        case("environment, category, version, scanned", Box::new(move |n| four(&any(n), base()))),
        case(
            "environment, category, version, by name",
            Box::new(move |n| Search { sort: Sort::Name, scanned: None, ..four(&any(n), base()) }),
        ),
        case(
            "text in a fifth, category, environment",
            Box::new(move |n| {
                let of = any(n);
                let (category, environment) = (Some(of.labels.category), Some(of.environment));
                Search { category, environment, ..text(word(n)) }
            }),
        ),
    ]
}

fn base() -> Search {
    Search { limit: 20, ..Search::default() }
}

fn text(text: String) -> Search {
    Search { text: Some(text), ..base() }
}

fn letters(n: u32, length: usize) -> String {
    let letters: Vec<char> = ('a'..='z').collect();
    Dice::new(n.into()).text(&letters, length)
}

fn part(image: &orbit_core::Image, length: usize) -> String {
    image.id.uid.as_str()[20..20 + length].to_owned()
}

fn word(n: u32) -> String {
    (*Dice::new(n.into()).of(&fill::THINGS)).to_owned()
}

fn phrase(n: u32) -> String {
    let dice = &mut Dice::new(n.into());
    format!("{} {}", dice.of(&fill::QUALITIES), dice.of(&fill::THINGS))
}

/// Returns `movie for the red`, as the description has it.
fn long(image: &orbit_core::Image) -> String {
    let description = image.labels.description.clone().unwrap();
    let words: Vec<_> = description.split(' ').collect();
    words[1..5].join(" ")
}

fn four(image: &orbit_core::Image, base: Search) -> Search {
    Search {
        environment: Some(image.environment.clone()),
        category: Some(image.labels.category.clone()),
        version: Some(image.id.version),
        scanned: Some(image.report.is_some()),
        ..base
    }
}
