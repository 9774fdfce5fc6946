//! Copies that the server makes.

use bytes::Bytes;
use futures_util::future;
use orbit_core::port::Kind;
use orbit_core::testing::samples::{action_id, body, slot};
use orbit_store::S3Settings;

use super::bench::{Bench, PART, all, long_body, settings, upload_slot};
use super::on_every_server;
use crate::servers::Server;

on_every_server!(
    a_copy_by_parts_is_the_same_bytes,
    a_copy_of_many_parts_can_be_one_call,
    tries_of_one_long_copy_make_one_copy,
    many_tries_of_one_copy_agree_on_it,
    a_copy_above_what_others_hid_can_be_repeated,
    a_copy_of_nothing_is_a_copy,
    a_copy_that_is_not_the_same_bytes_is_removed,
);

async fn a_copy_by_parts_is_the_same_bytes(server: &Server) {
    let (bench, from, to) = (Bench::new(server).await, upload_slot(1), slot(1));
    let size = 3 * PART + 77;
    let source = bench.images.put(&from, &action_id(1), long_body(size)).await.unwrap();
    let copy = bench.images.copy((&from, &source), &to, &action_id(1)).await.unwrap();
    assert_eq!((copy.size, copy.digest), (source.size, source.digest));
    assert_eq!(bench.images.find(&to).await.unwrap(), Some(copy.clone()));
    let read = all(bench.images.read(&to, &copy.tag, None).await.unwrap()).await.unwrap();
    assert!(read == all(long_body(size)).await.unwrap());
    // A copy of the copy, by a process whose parts are of another size.
    let own = S3Settings { part_bytes: PART + (1 << 20), ..settings(&server.endpoint()) };
    let other = bench.with(&own).await.images();
    let again = other.copy((&to, &copy), &slot(2), &action_id(2)).await.unwrap();
    assert_eq!((again.size, again.digest), (source.size, source.digest));
    bench.images.remove(&from, &source.tag).await.unwrap();
    bench.images.remove(&to, &copy.tag).await.unwrap();
    assert_eq!(bench.versions().await, [slot(2).key()]);
    assert_eq!(bench.open_uploads().await, [""; 0]);
}

async fn a_copy_of_many_parts_can_be_one_call(server: &Server) {
    let (bench, from, to) = (Bench::new(server).await, upload_slot(1), slot(1));
    let size = 2 * PART + 77;
    let source = bench.images.put(&from, &action_id(1), long_body(size)).await.unwrap();
    let at_once = S3Settings { copy_bytes: size, ..settings(&server.endpoint()) };
    let other = bench.with(&at_once).await.images();
    let copy = other.copy((&from, &source), &to, &action_id(1)).await.unwrap();
    assert_eq!((copy.size, copy.digest), (source.size, source.digest));
    // And by parts again, of an object that has none.
    let again = bench.images.copy((&to, &copy), &slot(2), &action_id(2)).await.unwrap();
    assert_eq!((again.size, again.digest), (source.size, source.digest));
}

async fn tries_of_one_long_copy_make_one_copy(server: &Server) {
    let (bench, from, to) = (Bench::new(server).await, upload_slot(1), slot(1));
    let source = bench.images.put(&from, &action_id(1), long_body(PART + 77)).await.unwrap();
    let writer = action_id(2);
    let tries = (0..3).map(|_| bench.images.copy((&from, &source), &to, &writer));
    let copies = future::join_all(tries).await;
    let found = bench.images.find(&to).await.unwrap().unwrap();
    for copy in copies {
        assert_eq!(copy.unwrap(), found);
    }
    bench.images.remove(&from, &source.tag).await.unwrap();
    let again = bench.images.copy((&from, &source), &to, &writer).await.unwrap();
    assert_eq!(again, found, "the copy again, after its source is gone");
    let error = bench.images.copy((&from, &source), &slot(2), &writer).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
    assert_eq!(bench.versions().await, [to.key()]);
    assert_eq!(bench.open_uploads().await, [""; 0]);
}

/// Each try's answer is the copy that stays, never one that gives way to it in a moment.
async fn many_tries_of_one_copy_agree_on_it(server: &Server) {
    let (bench, from, writer) = (Bench::new(server).await, upload_slot(1), action_id(2));
    let source = bench.images.put(&from, &action_id(1), body(&[7; 1 << 20])).await.unwrap();
    for n in 1..=6 {
        let to = slot(n);
        let tries = (0..8).map(|_| bench.images.copy((&from, &source), &to, &writer));
        let copies = future::join_all(tries).await;
        let found = bench.images.find(&to).await.unwrap().unwrap();
        for copy in copies {
            assert_eq!(copy.unwrap(), found, "copy {n}");
        }
    }
    assert_eq!(bench.open_uploads().await, [""; 0]);
}

async fn a_copy_above_what_others_hid_can_be_repeated(server: &Server) {
    let (bench, from, to) = (Bench::new(server).await, upload_slot(1), slot(1));
    let source = bench.images.put(&from, &action_id(1), body(b"ours")).await.unwrap();
    let (bucket, key) = (bench.bucket(&to), to.key());
    let foreign = bench.client.put_object().bucket(&bucket).key(&key);
    foreign.body(Bytes::from_static(b"foreign").into()).send().await.unwrap();
    bench.client.delete_object().bucket(&bucket).key(&key).send().await.unwrap();
    let copy = bench.images.copy((&from, &source), &to, &action_id(1)).await.unwrap();
    let again = bench.images.copy((&from, &source), &to, &action_id(1)).await.unwrap();
    assert_eq!(again, copy);
    assert_eq!(bench.images.find(&to).await.unwrap(), Some(copy));
    bench.client.delete_object().bucket(&bucket).key(&key).send().await.unwrap();
    // What is hidden is not there, however many versions it has.
    let other = bench.images.copy((&from, &source), &to, &action_id(2)).await.unwrap();
    assert_eq!(bench.images.find(&to).await.unwrap(), Some(other));
}

async fn a_copy_of_nothing_is_a_copy(server: &Server) {
    let (bench, from, to) = (Bench::new(server).await, upload_slot(1), slot(1));
    let source = bench.images.put(&from, &action_id(1), body(b"")).await.unwrap();
    let copy = bench.images.copy((&from, &source), &to, &action_id(1)).await.unwrap();
    assert_eq!((copy.size, copy.digest), (0, source.digest));
    let again = bench.images.copy((&from, &source), &to, &action_id(1)).await.unwrap();
    assert_eq!(again, copy);
    assert_eq!(all(bench.images.read(&to, &copy.tag, None).await.unwrap()).await.unwrap(), b"");
}

async fn a_copy_that_is_not_the_same_bytes_is_removed(server: &Server) {
    let bench = Bench::new(server).await;
    for (n, size) in [(1, 10), (2, PART + 10)] {
        let (from, to) = (upload_slot(n), slot(n));
        let mut source = bench.images.put(&from, &action_id(1), long_body(size)).await.unwrap();
        source.digest = orbit_core::Digest::of(b"what was expected");
        let error = bench.images.copy((&from, &source), &to, &action_id(1)).await.unwrap_err();
        let found = (error.kind(), error.error_type());
        assert_eq!(found, (Kind::Rejected, Some("storage-damaged")), "{error:?}");
        assert_eq!(bench.images.find(&to).await.unwrap(), None);
    }
}
