use super::{Works as _, assert_fails};
use crate::port::{Catalog, Kind};
use crate::testing::samples::{NOW, action_id, image, image_id, uid};

/// Checks an empty [`Catalog`], all but its search.
///
/// # Panics
/// Where the contract is broken.
pub async fn catalog(store: &dyn Catalog) {
    a_row_is_inserted_once(store).await;
    a_swap_needs_the_revision_it_saw(store).await;
    versions_are_ordered_as_numbers(store).await;
}

async fn a_row_is_inserted_once(store: &dyn Catalog) {
    let first = image(1, 1);
    assert_eq!(store.find(&first.id).await.works("a find"), None);
    let row = store.insert(&first, &action_id(1)).await.works("an insert");
    assert_eq!((&row.image, row.revision), (&first, 1));
    let again = store.insert(&first, &action_id(1)).await.works("the insert again");
    assert_eq!(again, row);
    assert_fails(
        store.insert(&first, &action_id(2)).await,
        Kind::Conflict,
        "an insert by another action",
    );
    assert_fails(
        store.insert(&first.deleted(NOW), &action_id(1)).await,
        Kind::Conflict,
        "an insert of another row",
    );
    assert_eq!(store.find(&first.id).await.works("a find"), Some(row));
}

async fn a_swap_needs_the_revision_it_saw(store: &dyn Catalog) {
    let first = image(2, 1);
    assert_fails(
        store.swap(1, &first, &action_id(1)).await,
        Kind::NotFound,
        "a swap of a row that is not there",
    );
    store.insert(&first, &action_id(1)).await.works("an insert");
    let deleted = first.deleted(NOW);
    let row = store.swap(1, &deleted, &action_id(2)).await.works("a swap");
    assert_eq!((&row.image, row.revision, &row.writer), (&deleted, 2, &action_id(2)));
    let again = store.swap(1, &deleted, &action_id(2)).await.works("the swap again");
    assert_eq!(again, row);
    assert_fails(
        store.swap(1, &deleted, &action_id(3)).await,
        Kind::Conflict,
        "the same swap by another action",
    );
    assert_fails(
        store.swap(1, &first, &action_id(2)).await,
        Kind::Conflict,
        "a late swap from a revision that is past",
    );
    assert_fails(
        store.swap(9, &first, &action_id(2)).await,
        Kind::Conflict,
        "a swap from a revision that never was",
    );
    assert_fails(
        store.insert(&first, &action_id(1)).await,
        Kind::Conflict,
        "a late insert after a swap",
    );
    assert_eq!(store.find(&first.id).await.works("a find"), Some(row));
}

async fn versions_are_ordered_as_numbers(store: &dyn Catalog) {
    for patch in [100, 9, 10] {
        store.insert(&image(3, patch), &action_id(1)).await.works("an insert");
    }
    let rows = store.versions(&uid(3)).await.works("the versions");
    let ids: Vec<_> = rows.into_iter().map(|row| row.image.id).collect();
    assert_eq!(ids, [image_id(3, 9), image_id(3, 10), image_id(3, 100)]);
    assert_eq!(store.versions(&uid(999)).await.works("the versions of no image"), []);
}
