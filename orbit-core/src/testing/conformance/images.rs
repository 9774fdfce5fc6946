use futures_util::{StreamExt as _, stream};

use super::{Works as _, assert_fails};
use crate::Digest;
use crate::place::{Shelf, Slot};
use crate::port::{ByteRange, ByteStream, ImageStore, Kind, PortError, Tag};
use crate::testing::samples::{action_id, body, development, slot};

/// Checks an empty [`ImageStore`].
///
/// # Panics
/// Where the contract is broken.
pub async fn image_store(store: &dyn ImageStore) {
    what_is_put_can_be_read(store).await;
    nothing_is_overwritten(store).await;
    a_broken_stream_leaves_nothing(store).await;
    a_copy_is_one_copy_however_often_it_is_asked_for(store).await;
    a_copy_is_of_the_write_that_was_seen(store).await;
    two_tries_of_one_copy_make_one_copy(store).await;
    a_removal_removes_the_write_it_names(store).await;
    shelves_are_apart(store).await;
}

async fn bytes_of(stream: ByteStream) -> Result<Vec<u8>, PortError> {
    let chunks: Vec<_> = stream.collect().await;
    let chunks: Result<Vec<_>, _> = chunks.into_iter().collect();
    Ok(chunks?.concat())
}

async fn what_is_put_can_be_read(store: &dyn ImageStore) {
    let (slot, writer) = (slot(1), action_id(1));
    assert_eq!(store.find(&slot).await.works("looking into an empty slot"), None);
    let chunks = ["0123", "", "456789"].map(|text| Ok(bytes::Bytes::from_static(text.as_bytes())));
    let stored = store.put(&slot, &writer, stream::iter(chunks).boxed()).await.works("a put");
    assert_eq!((stored.size, stored.digest), (10, Digest::of(b"0123456789")));
    assert_eq!(stored.writer, writer);
    assert_eq!(store.find(&slot).await.works("a find"), Some(stored.clone()));
    let all = store.read(&slot, &stored.tag, None).await.works("a read");
    assert_eq!(bytes_of(all).await.works("the stream"), b"0123456789");
    for (offset, len) in [(0, 10), (3, 4), (9, 1), (10, 0)] {
        let range = Some(ByteRange { offset, len });
        let part = store.read(&slot, &stored.tag, range).await.works("a read of a range");
        let start = usize::try_from(offset).unwrap_or(0);
        let end = start + usize::try_from(len).unwrap_or(0);
        assert_eq!(bytes_of(part).await.works("the stream"), b"0123456789"[start..end]);
    }
    let other = Tag("of another write".to_owned());
    assert_fails(
        store.read(&slot, &other, None).await.map(drop),
        Kind::Conflict,
        "a read of another write",
    );
}

async fn nothing_is_overwritten(store: &dyn ImageStore) {
    let slot = slot(2);
    let first = store.put(&slot, &action_id(1), body(b"first")).await.works("a put");
    for writer in [1, 2] {
        assert_fails(
            store.put(&slot, &action_id(writer), body(b"second")).await,
            Kind::Conflict,
            "a put into an occupied slot",
        );
    }
    assert_eq!(store.find(&slot).await.works("a find"), Some(first));
}

async fn a_broken_stream_leaves_nothing(store: &dyn ImageStore) {
    let slot = slot(3);
    let cut = || PortError::new(Kind::Rejected, "cut off").typed("cut-off");
    let chunks = [Ok(bytes::Bytes::from_static(b"half")), Err(cut())];
    let error = store.put(&slot, &action_id(1), stream::iter(chunks).boxed()).await;
    let error = error.err().map(|error| (error.kind(), error.error_type()));
    assert_eq!(error, Some((Kind::Rejected, Some("cut-off"))), "the stream's own error comes back");
    assert_eq!(store.find(&slot).await.works("a find"), None, "half an object lies in the slot");
    store.put(&slot, &action_id(1), body(b"whole")).await.works("a put after a broken one");
}

async fn a_copy_is_one_copy_however_often_it_is_asked_for(store: &dyn ImageStore) {
    let (from, to) = (slot(4), slot(5));
    let source = store.put(&from, &action_id(1), body(b"content")).await.works("a put");
    let copy = store.copy((&from, &source), &to, &action_id(2)).await.works("a copy");
    assert_eq!((copy.size, copy.digest), (source.size, source.digest));
    assert_eq!(copy.writer, action_id(2));
    let again = store.copy((&from, &source), &to, &action_id(2)).await.works("the copy again");
    assert_eq!(again, copy);
    assert_fails(
        store.copy((&from, &source), &to, &action_id(3)).await,
        Kind::Conflict,
        "a copy by another action into an occupied slot",
    );
    let read = store.read(&to, &copy.tag, None).await.works("a read of the copy");
    assert_eq!(bytes_of(read).await.works("the stream"), b"content");
    store.remove(&from, &source.tag).await.works("a removal of the source");
    assert_fails(
        store.copy((&from, &source), &slot(6), &action_id(2)).await,
        Kind::NotFound,
        "a copy of what is gone",
    );
    let again = store.copy((&from, &source), &to, &action_id(2)).await;
    assert_eq!(again.works("the copy again, after its source is gone"), copy);
    assert_eq!(store.find(&to).await.works("a find"), Some(copy), "the copy went with its source");
}

async fn a_copy_is_of_the_write_that_was_seen(store: &dyn ImageStore) {
    let (from, to) = (slot(9), slot(10));
    let seen = store.put(&from, &action_id(1), body(b"seen")).await.works("a put");
    store.remove(&from, &seen.tag).await.works("a removal");
    store.put(&from, &action_id(1), body(b"seen")).await.works("a later put");
    assert_fails(
        store.copy((&from, &seen), &to, &action_id(2)).await,
        Kind::Conflict,
        "a copy of an earlier write",
    );
    assert_eq!(store.find(&to).await.works("a find"), None);
    assert_fails(
        store.read(&to, &seen.tag, None).await.map(drop),
        Kind::NotFound,
        "a read of an empty slot",
    );
}

async fn two_tries_of_one_copy_make_one_copy(store: &dyn ImageStore) {
    let (from, to) = (slot(11), slot(12));
    let source = store.put(&from, &action_id(1), body(&[7; 1 << 20])).await.works("a put");
    let writer = action_id(2);
    let tries = (0..4).map(|_| store.copy((&from, &source), &to, &writer));
    let copies = futures_util::future::join_all(tries).await;
    let found = store.find(&to).await.works("a find").expect("a copy lies there");
    for copy in copies {
        assert_eq!(copy.works("a copy beside the same copy"), found);
    }
}

async fn a_removal_removes_the_write_it_names(store: &dyn ImageStore) {
    let slot = slot(7);
    let first = store.put(&slot, &action_id(1), body(b"same")).await.works("a put");
    store.remove(&slot, &first.tag).await.works("a removal");
    store.remove(&slot, &first.tag).await.works("the removal again");
    assert_eq!(store.find(&slot).await.works("a find"), None);
    let second = store.put(&slot, &action_id(1), body(b"same")).await.works("a put");
    assert_ne!(second.tag, first.tag, "two writes have one tag");
    assert_fails(
        store.remove(&slot, &first.tag).await,
        Kind::Conflict,
        "a late removal of an earlier write",
    );
    assert_eq!(store.find(&slot).await.works("a find"), Some(second));
}

async fn shelves_are_apart(store: &dyn ImageStore) {
    let image = slot(8).image;
    let shelves = [Shelf::Temporary, Shelf::Live(development()), Shelf::Deleted(development())];
    for shelf in &shelves {
        let slot = Slot { shelf: shelf.clone(), image: image.clone() };
        let content = shelf.to_string();
        store.put(&slot, &action_id(1), body(content.as_bytes())).await.works("a put");
    }
    for shelf in shelves {
        let digest = Digest::of(shelf.to_string().as_bytes());
        let slot = Slot { shelf, image: image.clone() };
        let found = store.find(&slot).await.works("a find").map(|stored| stored.digest);
        assert_eq!(found, Some(digest), "{slot} holds another shelf's object");
    }
}
