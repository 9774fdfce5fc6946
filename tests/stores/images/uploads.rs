//! What is put, read and removed.

use bytes::Bytes;
use futures_util::{StreamExt as _, future, stream};
use orbit_core::Digest;
use orbit_core::port::{ByteRange, Kind, PortError};
use orbit_core::testing::conformance;
use orbit_core::testing::samples::{action_id, body};

use orbit_store::{S3Settings, SharedStore as _};
use sha2::Digest as _;

use super::bench::{Bench, PART, all, long_body, settings, upload_slot};
use super::on_every_server;
use crate::servers::{self, Server};

on_every_server!(
    images_keep_the_contract,
    a_long_upload_is_found_whole_and_removed_whole,
    an_upload_that_breaks_leaves_nothing,
    an_upload_that_is_dropped_is_aborted_by_the_next_write,
    of_two_uploads_to_one_slot_one_wins,
    a_removal_that_comes_late_removes_nothing_else,
    what_others_did_is_neither_taken_nor_lost,
);

async fn images_keep_the_contract(server: &Server) {
    let bench = Bench::new(server).await;
    conformance::image_store(bench.images.as_ref()).await;
    assert_eq!(bench.open_uploads().await, [""; 0]);
}

async fn a_long_upload_is_found_whole_and_removed_whole(server: &Server) {
    let (bench, slot) = (Bench::new(server).await, upload_slot(1));
    let size = 2 * PART + 4321;
    let stored = bench.images.put(&slot, &action_id(1), long_body(size)).await.unwrap();
    let expected = all(long_body(size)).await.unwrap();
    assert_eq!((stored.size, stored.digest), (size, Digest::of(&expected)));
    // Another process knows as much of it.
    let other = bench.with(&settings(&server.endpoint())).await.images();
    assert_eq!(other.find(&slot).await.unwrap(), Some(stored.clone()));
    let range = ByteRange { offset: PART - 10, len: 20 };
    let part = all(other.read(&slot, &stored.tag, Some(range)).await.unwrap()).await.unwrap();
    let begin = usize::try_from(range.offset).unwrap();
    assert_eq!(part, expected[begin..begin + 20]);
    assert!(all(other.read(&slot, &stored.tag, None).await.unwrap()).await.unwrap() == expected);
    let past = Some(ByteRange { offset: size, len: 1 });
    let error = other.read(&slot, &stored.tag, past).await.map(drop).unwrap_err();
    assert_eq!(error.kind(), Kind::Rejected);
    other.remove(&slot, &stored.tag).await.unwrap();
    assert_eq!(bench.versions().await, [""; 0], "its receipt stays");
    assert_eq!(bench.open_uploads().await, [""; 0]);
}

/// Where the test below finds its server when it runs in a process of its own.
const ALONE: &str = "ORBIT_TEST_ALONE_ON";

/// Other tests need memory at the same time, so this one runs alone.
#[test]
fn a_big_upload_is_never_in_memory() {
    if let Some(endpoint) = std::env::var_os(ALONE) {
        let endpoint = endpoint.into_string().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        return runtime.block_on(put_and_read_much(&endpoint));
    }
    let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
    alone.args(["--exact", "images::uploads::a_big_upload_is_never_in_memory"]);
    let output = alone.env(ALONE, servers::seaweedfs().endpoint()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

async fn put_and_read_much(endpoint: &str) {
    let (bench, slot) = (Bench::bare(endpoint).await, upload_slot(1));
    bench.s3.setup().await.unwrap();
    // As a process of its own would have it.
    let usual = S3Settings { aws: settings(endpoint).aws, ..S3Settings::default() };
    let images = bench.with(&usual).await.images();
    let size = 96 << 20;
    let before = peak_memory();
    let stored = images.put(&slot, &action_id(1), long_body(size)).await.unwrap();
    let mut hash = sha2::Sha256::default();
    let mut read = images.read(&slot, &stored.tag, None).await.unwrap();
    while let Some(chunk) = read.next().await {
        hash.update(chunk.unwrap());
    }
    let digest = Digest::from_bytes(hash.finalize().into());
    assert_eq!((stored.size, stored.digest), (size, digest));
    let grown = (peak_memory() - before) >> 20;
    assert!(grown <= 64, "an upload of 96 MiB took {grown} MiB of memory");
}

/// Returns the most memory that this process ever had, in bytes.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

async fn an_upload_that_breaks_leaves_nothing(server: &Server) {
    let (bench, slot) = (Bench::new(server).await, upload_slot(1));
    let cut = || Err(PortError::new(Kind::Rejected, "cut off").typed("cut-off"));
    for whole in [0, PART - 1, PART, 3 * PART] {
        let broken = long_body(whole).chain(stream::iter([cut()])).boxed();
        let error = bench.images.put(&slot, &action_id(1), broken).await.unwrap_err();
        assert_eq!(error.error_type(), Some("cut-off"), "after {whole} bytes");
    }
    assert_eq!(bench.open_uploads().await, [""; 0]);
    assert_eq!(bench.versions().await, [""; 0]);
    bench.images.put(&slot, &action_id(1), long_body(3 * PART)).await.unwrap();
}

async fn an_upload_that_is_dropped_is_aborted_by_the_next_write(server: &Server) {
    let (bench, slot) = (Bench::new(server).await, upload_slot(1));
    let (shown, stalled) = tokio::sync::oneshot::channel();
    let stall = stream::once(async move {
        shown.send(()).unwrap();
        future::pending::<Result<Bytes, PortError>>().await
    });
    let endless = long_body(3 * PART).chain(stall).boxed();
    let writer = action_id(1);
    let put = bench.images.put(&slot, &writer, endless);
    drop(future::select(put, stalled).await);
    assert_eq!(bench.open_uploads().await, [slot.key()]);
    bench.images.put(&slot, &action_id(1), body(b"whole")).await.unwrap();
    assert_eq!(bench.open_uploads().await, [""; 0]);
    assert_eq!(bench.versions().await, [slot.key()]);
}

async fn of_two_uploads_to_one_slot_one_wins(server: &Server) {
    let bench = Bench::new(server).await;
    let sizes = [10, PART + 10].repeat(4);
    for (n, size) in (1..).zip(sizes) {
        let (slot, writers) = (upload_slot(n), [1, 2, 3].map(action_id));
        let puts = writers.iter().map(|writer| bench.images.put(&slot, writer, long_body(size)));
        let results = future::join_all(puts).await;
        let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        let won: Vec<_> = won.into_iter().map(Result::unwrap).collect();
        assert_eq!(won, [bench.images.find(&slot).await.unwrap().unwrap()]);
        for error in lost.into_iter().map(Result::unwrap_err) {
            assert_eq!(error.kind(), Kind::Conflict, "{error:?}");
        }
    }
    assert_eq!(bench.open_uploads().await, [""; 0]);
    let receipts = bench.versions().await.into_iter().filter(|key| key.starts_with("receipts/"));
    assert_eq!(receipts.count(), 4, "a lost upload left its receipt");
}

async fn a_removal_that_comes_late_removes_nothing_else(server: &Server) {
    let (bench, slot) = (Bench::new(server).await, upload_slot(1));
    let first = bench.images.put(&slot, &action_id(1), body(b"same")).await.unwrap();
    let (bucket, key) = (bench.bucket(&slot), slot.key());
    // A removal that has looked already, and whose last request is late.
    let late = bench.client.delete_object().bucket(bucket).key(key).version_id(&first.tag.0);
    bench.images.remove(&slot, &first.tag).await.unwrap();
    let second = bench.images.put(&slot, &action_id(2), body(b"same")).await.unwrap();
    late.send().await.unwrap();
    assert_eq!(bench.images.find(&slot).await.unwrap(), Some(second.clone()));
    let read = bench.images.read(&slot, &second.tag, None).await.unwrap();
    assert_eq!(all(read).await.unwrap(), b"same");
}

async fn what_others_did_is_neither_taken_nor_lost(server: &Server) {
    let (bench, slot, other) = (Bench::new(server).await, upload_slot(1), upload_slot(2));
    let (bucket, key) = (bench.bucket(&slot), slot.key());
    let foreign = bench.client.put_object().bucket(&bucket).key(&key);
    let foreign = foreign.body(Bytes::from_static(b"foreign").into()).send().await.unwrap();
    let error = bench.images.find(&slot).await.unwrap_err();
    assert_eq!((error.kind(), error.error_type()), (Kind::Rejected, Some("storage-foreign")));
    assert!(error.to_string().contains(&bucket), "{error}");
    let error = bench.images.put(&slot, &action_id(1), body(b"ours")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict);
    let source = bench.images.put(&other, &action_id(1), body(b"ours")).await.unwrap();
    let error = bench.images.copy((&other, &source), &slot, &action_id(1)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict);
    // A delete marker makes the slot empty, and what lies beneath stays.
    bench.client.delete_object().bucket(&bucket).key(&key).send().await.unwrap();
    assert_eq!(bench.images.find(&slot).await.unwrap(), None);
    let ours = bench.images.put(&slot, &action_id(1), body(b"ours")).await.unwrap();
    bench.client.delete_object().bucket(&bucket).key(&key).send().await.unwrap();
    assert_eq!(bench.images.find(&slot).await.unwrap(), None);
    bench.images.remove(&slot, &ours.tag).await.unwrap();
    let gone = bench.client.get_object().bucket(&bucket).key(&key).version_id(&ours.tag.0);
    assert!(gone.send().await.is_err(), "a hidden write was not removed");
    let version = foreign.version_id().unwrap();
    let beneath = bench.client.get_object().bucket(&bucket).key(&key).version_id(version);
    let beneath = beneath.send().await.unwrap().body.collect().await.unwrap();
    assert_eq!(beneath.into_bytes(), "foreign");
}
