use super::{Works as _, assert_fails};
use crate::image::Image;
use crate::port::{Catalog, Kind};
use crate::query::{Search, Sort, StatusName};
use crate::testing::samples::{NOW, action_id, image};
use crate::{ClusterState, Deployment, ImageId};

/// Checks the search of an empty [`Catalog`].
///
/// # Panics
/// Where the contract is broken.
pub async fn search(store: &dyn Catalog) {
    let images = fill(store).await;
    every_filter_selects(store, &images).await;
    text_is_taken_literally(store).await;
    every_order_gives_whole_pages(store, &images).await;
    facets_count_what_matches(store).await;
    a_cursor_belongs_to_its_search(store).await;
}

/// Inserts twelve images: one deployed, one deleted, one scanned, one with odd letters.
async fn fill(store: &dyn Catalog) -> Vec<Image> {
    let mut images: Vec<_> = (0..12).map(|n| image(n, 1)).collect();
    if let [zero, one, two, three, ..] = images.as_mut_slice() {
        *zero = zero.deployed(Deployment {
            action: action_id(9),
            chart: zero.chart,
            cluster: ClusterState::NotAttached,
            at: NOW,
        });
        *one = one.deleted(NOW);
        *two = two.scanned(action_id(9), NOW);
        three.labels.name = "ÜBER \u{130}stanbul's 50%_\\ \"quote\"".to_owned();
    }
    for image in &images {
        store.insert(image, &action_id(1)).await.works("an insert");
    }
    images
}

async fn ids(store: &dyn Catalog, mut search: Search) -> Vec<ImageId> {
    let mut found = Vec::new();
    loop {
        let page = store.search(&search).await.works("a search");
        found.extend(page.rows.into_iter().map(|row| row.image.id));
        search.cursor = page.next;
        if search.cursor.is_none() {
            return found;
        }
    }
}

/// A search, and which images it selects.
type Case = (Search, fn(&Image) -> bool);

async fn every_filter_selects(store: &dyn Catalog, images: &[Image]) {
    let base = || Search { limit: 5, sort: Sort::Oldest, ..Search::default() };
    let text = |text: &str| Some(text.to_owned());
    let development = "development".parse().ok();
    let cases: [Case; 14] = [
        (base(), |_| true),
        (Search { name: text("sample 4"), ..base() }, |i| i.labels.name == "Sample 4"),
        (Search { category: text("movie"), ..base() }, |i| i.labels.category == "Movie"),
        (Search { part: text("21117-1"), ..base() }, |i| i.labels.part.is_some()),
        (Search { tail: text("G-AAAA"), ..base() }, |i| i.labels.tail.is_some()),
        (Search { scanned: Some(true), ..base() }, |i| i.report.is_some()),
        (Search { scanned: Some(false), ..base() }, |i| i.report.is_none()),
        (Search { environment: development, ..base() }, |_| true),
        (Search { environment: "testing".parse().ok(), ..base() }, |_| false),
        (Search { version: "v0-0-01".parse().ok(), ..base() }, |_| true),
        (Search { version: "v0-0-02".parse().ok(), ..base() }, |_| false),
        (Search { status: Some(StatusName::Deleted), ..base() }, Image::is_deleted),
        (Search { text: text("THE 7TH"), ..base() }, |i| i.id == image(7, 1).id),
        (Search { text: text("g-aaaa"), category: text("Movie"), ..base() }, |i| {
            i.labels.tail.is_some() && i.labels.category == "Movie"
        }),
    ];
    for (search, selects) in cases {
        let expected: Vec<_> =
            images.iter().filter(|image| selects(image)).map(|image| image.id.clone()).collect();
        assert_eq!(ids(store, search.clone()).await, expected, "{search:?}");
        let page = store.search(&search).await.works("a search");
        let total = u64::try_from(expected.len()).unwrap_or(0);
        assert_eq!((page.total, page.total_is_at_least), (total, false), "{search:?}");
    }
}

/// `%`, `_`, `\` and quotes mean themselves, and letters outside of ASCII have a case too.
async fn text_is_taken_literally(store: &dyn Catalog) {
    let odd = vec![image(3, 1).id];
    for text in ["über", "50%_\\", "\"quote\"", "l's"] {
        let search = Search { text: Some(text.to_owned()), limit: 5, ..Search::default() };
        assert_eq!(ids(store, search).await, odd, "{text}");
    }
    for text in ["5_%", "50__", "' OR 1=1 --", "%%"] {
        let search = Search { text: Some(text.to_owned()), limit: 5, ..Search::default() };
        assert_eq!(ids(store, search).await, [], "{text}");
    }
}

async fn every_order_gives_whole_pages(store: &dyn Catalog, images: &[Image]) {
    let name = |image: &Image| image.labels.name.to_lowercase();
    for sort in [
        Sort::Newest,
        Sort::Oldest,
        Sort::LastChanged,
        Sort::FirstChanged,
        Sort::Name,
        Sort::NameBackwards,
    ] {
        let mut expected: Vec<_> = images.iter().collect();
        expected.sort_by(|a, b| {
            let by = match sort {
                Sort::Newest => b.created.cmp(&a.created),
                Sort::Oldest => a.created.cmp(&b.created),
                Sort::LastChanged => b.updated.cmp(&a.updated),
                Sort::FirstChanged => a.updated.cmp(&b.updated),
                Sort::Name => name(a).cmp(&name(b)),
                Sort::NameBackwards => name(b).cmp(&name(a)),
            };
            by.then_with(|| a.id.cmp(&b.id))
        });
        let expected: Vec<_> = expected.into_iter().map(|image| image.id.clone()).collect();
        for limit in [1, 5, 12, 100] {
            let search = Search { sort, limit, ..Search::default() };
            assert_eq!(ids(store, search).await, expected, "{sort:?} by {limit}");
        }
    }
}

async fn facets_count_what_matches(store: &dyn Catalog) {
    let search = Search { facets: true, limit: 1, ..Search::default() };
    let facets = store.search(&search).await.works("a search").facets.unwrap_or_default();
    let count = |pairs: &[(&str, u64)]| {
        pairs.iter().map(|(value, n)| ((*value).to_owned(), *n)).collect::<Vec<_>>()
    };
    assert_eq!(facets.category, count(&[("Movie", 6), ("Music", 6)]));
    assert_eq!(facets.status, count(&[("stored", 10), ("deleted", 1), ("deployed", 1)]));
    assert_eq!(facets.environment, count(&[("development", 12)]));
    assert_eq!(facets.part, count(&[("21117-1", 4)]));
    assert_eq!(facets.tail, count(&[("G-AAAA", 3)]));
    let music = Search { category: Some("Music".to_owned()), ..search };
    let facets = store.search(&music).await.works("a search").facets.unwrap_or_default();
    assert_eq!(facets.category, count(&[("Music", 6)]));
    let plain = Search { limit: 1, ..Search::default() };
    assert_eq!(store.search(&plain).await.works("a search").facets, None);
}

async fn a_cursor_belongs_to_its_search(store: &dyn Catalog) {
    let search = Search { limit: 2, ..Search::default() };
    let cursor = store.search(&search).await.works("a search").next;
    let other = Search { sort: Sort::Name, cursor, ..search };
    assert_fails(store.search(&other).await, Kind::Rejected, "a cursor of another search");
}
