use super::{Works as _, assert_fails};
use crate::place::Shelf;
use crate::port::{ChartStore, Kind};
use crate::testing::samples::{action_id, chart, chart_place, development};

/// Checks an empty [`ChartStore`].
///
/// # Panics
/// Where the contract is broken.
pub async fn chart_store(store: &dyn ChartStore) {
    a_chart_is_put_once(store).await;
    revisions_are_listed_by_place(store).await;
    only_its_writers_removal_removes(store).await;
}

async fn a_chart_is_put_once(store: &dyn ChartStore) {
    let chart_1 = chart(1, 1);
    let place = chart_place(Shelf::Live(development()), &chart_1);
    assert_eq!(store.find(&place).await.works("a find"), None);
    let stored = store.put(&place, &action_id(1), &chart_1).await.works("a put");
    assert_eq!((&stored.place, &stored.chart), (&place, &chart_1));
    for writer in [1, 2] {
        let again = store.put(&place, &action_id(writer), &chart_1).await.works("the put again");
        assert_eq!(again, stored, "the first writer stays");
    }
    assert_fails(
        store.put(&place, &action_id(1), &chart(1, 2)).await,
        Kind::Conflict,
        "another chart in the same place",
    );
    assert_eq!(store.find(&place).await.works("a find"), Some(stored));
}

async fn revisions_are_listed_by_place(store: &dyn ChartStore) {
    let shelf = Shelf::Deleted(development());
    let mut put = Vec::new();
    for replicas in 1..=3 {
        let chart = chart(2, replicas);
        let place = chart_place(shelf.clone(), &chart);
        put.push(store.put(&place, &action_id(1), &chart).await.works("a put"));
    }
    put.sort_by(|a, b| a.place.cmp(&b.place));
    let image = chart(2, 1).image;
    assert_eq!(store.list(&shelf, &image).await.works("a list"), put);
    let live = Shelf::Live(development());
    assert_eq!(store.list(&live, &image).await.works("a list of another shelf"), []);
}

async fn only_its_writers_removal_removes(store: &dyn ChartStore) {
    let chart = chart(3, 1);
    let place = chart_place(Shelf::Live(development()), &chart);
    store.remove(&place, &action_id(1)).await.works("a removal of nothing");
    store.put(&place, &action_id(1), &chart).await.works("a put");
    assert_fails(
        store.remove(&place, &action_id(2)).await,
        Kind::Conflict,
        "a removal by another writer",
    );
    for _ in 0..2 {
        store.remove(&place, &action_id(1)).await.works("a removal");
        assert_eq!(store.find(&place).await.works("a find"), None);
    }
}
