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
    let texts = texts(n_images).into_iter();
    texts.chain(filters(n_images)).chain(several(n_images)).collect()
}

fn texts(n_images: u32) -> Vec<Case> {
    let any = move |n| any(n_images, n);
    let by = |sort, search| Search { sort, ..search };
    vec![
        Case::new("no filter", |_| base()),
        Case::new("no filter, by name", move |_| by(Sort::Name, base())),
        Case::new("text, 1 letter", |n| text(letters(n, 1))),
        Case::new("text, 2 letters", |n| text(letters(n, 2))),
        Case::new("text, 3 letters of a UID", move |n| text(part(&any(n), 3))),
        Case::new("text, 4 letters of a UID", move |n| text(part(&any(n), 4))),
        Case::new("text, 30 letters of a UID", move |n| text(part(&any(n), 30))),
        Case::new("text, a word in a fifth", |n| text(word(n))),
        Case::new("text, a word in a fifth, last change", move |n| {
            by(Sort::LastChanged, text(word(n)))
        }),
        Case::new("text, two words in 1 of 100", |n| text(phrase(n))),
        Case::new("text, two words in 1 of 100, by name", move |n| by(Sort::Name, text(phrase(n)))),
        Case::new("text, one aircraft, 1 of 1,000", |n| text(format!("aircraft {}", 100 + n))),
        Case::new("text, four words, 1 of 256", move |n| text(long(&any(n)))),
        Case::new("text, a whole name", move |n| text(any(n).labels.name)),
        Case::new("text, nothing", |n| text(format!("no such text {n}"))),
    ]
}

fn filters(n_images: u32) -> Vec<Case> {
    let any = move |n| any(n_images, n);
    let category = move |n| Search { category: Some(any(n).labels.category), ..base() };
    vec![
        Case::new("name", move |n| Search { name: Some(any(n).labels.name), ..base() }),
        Case::new("category", category),
        Case::new("category, oldest", move |n| Search { sort: Sort::Oldest, ..category(n) }),
        Case::new("environment", move |n| Search {
            environment: Some(any(n).environment),
            ..base()
        }),
        Case::new("status deleted", |_| Search { status: Some(StatusName::Deleted), ..base() }),
        Case::new("part", |n| Search { part: Some(format!("{}-1", 20_000 + n)), ..base() }),
        Case::new("tail", |n| Search { tail: Some(format!("G-{n:04}")), ..base() }),
        Case::new("version", move |n| Search { version: Some(any(n).id.version), ..base() }),
        Case::new("scanned", |n| Search { scanned: Some(n % 2 == 0), ..base() }),
    ]
}

fn several(n_images: u32) -> Vec<Case> {
    let four = move |n| four(&any(n_images, n));
    vec![
        Case::new("environment, category, version, scanned", four),
        Case::new("environment, category, version, scanned, by name", move |n| Search {
            sort: Sort::Name,
            ..four(n)
        }),
        Case::new("text in a fifth, category, environment", move |n| {
            let both = Search { version: None, scanned: None, ..four(n) };
            Search { text: Some(word(n)), ..both }
        }),
    ]
}

impl Case {
    fn new(name: &'static str, search: impl Fn(u32) -> Search + 'static) -> Self {
        Self { name, search: Box::new(search) }
    }
}

fn any(n_images: u32, n: u32) -> orbit_core::Image {
    let any = Dice::new(u64::from(n) + 1_000_000).below(usize::try_from(n_images).unwrap());
    fill::made(u32::try_from(any).unwrap())
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

fn four(image: &orbit_core::Image) -> Search {
    Search {
        environment: Some(image.environment.clone()),
        category: Some(image.labels.category.clone()),
        version: Some(image.id.version),
        scanned: Some(image.report.is_some()),
        ..base()
    }
}
