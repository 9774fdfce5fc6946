//! Servers that break, lie or are not there.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use orbit_core::Digest;
use orbit_core::place::Names;
use orbit_core::port::{ByteRange, Kind, PortError};
use orbit_core::testing::samples::{action_id, body, slot};
use orbit_store::{AwsKey, AwsSettings, S3, S3Settings, SharedStore as _};

use super::bench::{Bench, PART, all, long_body, settings, upload_slot};
use super::on_every_server;
use crate::cutter::{Cut, Cutter};
use crate::servers::{self, Server};

on_every_server!(
    a_read_goes_on_where_the_server_broke_off,
    a_read_that_breaks_off_again_and_again_is_an_error,
    a_short_answer_that_looks_whole_is_not_taken_for_the_whole,
    a_write_whose_answer_is_lost_is_found_out,
    a_copy_whose_answer_is_lost_is_found_out,
    an_object_in_a_bucket_without_versions_is_refused,
    a_bucket_that_was_deleted_is_not_an_empty_one,
);

async fn a_read_goes_on_where_the_server_broke_off(server: &Server) {
    let (bench, slot) = (Bench::new(server).await, upload_slot(1));
    let size = 2 * PART;
    let stored = bench.images.put(&slot, &action_id(1), long_body(size)).await.unwrap();
    let proxy =
        Cutter::start(server, &[Cut { of: "GET ", times: 3, after: 2 << 20, looks_whole: false }]);
    let images = bench.with(&settings(&proxy.endpoint())).await.images();
    let read = images.read(&slot, &stored.tag, None).await.unwrap();
    assert_eq!(Digest::of(&all(read).await.unwrap()), stored.digest);
    let range = ByteRange { offset: PART - 7, len: 14 };
    let read = images.read(&slot, &stored.tag, Some(range)).await.unwrap();
    let begin = usize::try_from(range.offset).unwrap();
    assert_eq!(all(read).await.unwrap(), all(long_body(size)).await.unwrap()[begin..begin + 14]);
    assert_eq!(proxy.n_cuts(), 3);
}

async fn a_read_that_breaks_off_again_and_again_is_an_error(server: &Server) {
    let (bench, slot) = (Bench::new(server).await, upload_slot(1));
    let stored = bench.images.put(&slot, &action_id(1), long_body(PART)).await.unwrap();
    let proxy = Cutter::start(
        server,
        &[Cut { of: "GET ", times: 1000, after: 100_000, looks_whole: false }],
    );
    let images = bench.with(&settings(&proxy.endpoint())).await.images();
    let read = images.read(&slot, &stored.tag, None).await.unwrap();
    let error = all(read).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(error.to_string().contains("broke off at byte"), "{error}");
    bench.images.remove(&slot, &stored.tag).await.unwrap();
}

/// `SeaweedFS` tells the size of the whole beside a range; ministack ignores ranges, so it is asked.
async fn a_short_answer_that_looks_whole_is_not_taken_for_the_whole(server: &Server) {
    let (bench, slot) = (Bench::new(server).await, upload_slot(1));
    let stored = bench.images.put(&slot, &action_id(1), long_body(PART)).await.unwrap();
    let short = Cut { of: "GET ", times: 2, after: 2 << 20, looks_whole: true };
    let proxy = Cutter::start(server, &[short]);
    let images = bench.with(&settings(&proxy.endpoint())).await.images();
    let read = images.read(&slot, &stored.tag, None).await.unwrap();
    assert_eq!(Digest::of(&all(read).await.unwrap()), stored.digest);
    assert_eq!(proxy.n_cuts(), 2);
}

async fn a_write_whose_answer_is_lost_is_found_out(server: &Server) {
    let bench = Bench::new(server).await;
    // An object, a part, the completion of an upload.
    let cuts = [
        Cut::lost("PUT /temporary"),
        Cut::lost("&partNumber=1"),
        Cut::lost("POST /temporary*uploadId="),
    ];
    let proxy = Cutter::start(server, &cuts);
    let images = bench.with(&settings(&proxy.endpoint())).await.images();
    for (n, size) in [(1, 10), (2, PART + 10)] {
        let slot = upload_slot(n);
        let stored = images.put(&slot, &action_id(1), long_body(size)).await.unwrap();
        assert_eq!(bench.images.find(&slot).await.unwrap(), Some(stored));
    }
    assert_eq!(proxy.n_cuts(), 3);
    assert_eq!(bench.open_uploads().await, [""; 0]);
}

async fn a_copy_whose_answer_is_lost_is_found_out(server: &Server) {
    let (bench, from) = (Bench::new(server).await, upload_slot(1));
    let source = bench.images.put(&from, &action_id(1), long_body(PART + 10)).await.unwrap();
    let cuts = [Cut::lost("PUT /app*partNumber=1"), Cut::lost("POST /app*uploadId=")];
    let proxy = Cutter::start(server, &cuts);
    let images = bench.with(&settings(&proxy.endpoint())).await.images();
    let copy = images.copy((&from, &source), &slot(1), &action_id(1)).await.unwrap();
    assert_eq!(bench.images.find(&slot(1)).await.unwrap(), Some(copy));
    assert_eq!(proxy.n_cuts(), 2);
    assert_eq!(bench.open_uploads().await, [""; 0]);
}

async fn an_object_in_a_bucket_without_versions_is_refused(server: &Server) {
    let bench = Bench::bare(&server.endpoint()).await;
    for bucket in bench.names.buckets() {
        bench.client.create_bucket().bucket(bucket).send().await.unwrap();
    }
    for size in [10, PART + 10] {
        let error = bench.images.put(&slot(1), &action_id(1), long_body(size)).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Rejected);
        let expected = format!("bucket {} is not versioned", bench.bucket(&slot(1)));
        assert!(error.to_string().starts_with(&expected), "{error}");
        let left = bench.versions().await;
        assert!(left.iter().all(|key| *key != slot(1).key()), "{left:?}");
    }
}

#[tokio::test]
async fn a_wrong_secret_is_refused_and_never_told() {
    let bench = Bench::new(servers::seaweedfs()).await;
    let mut settings = settings(&servers::seaweedfs().endpoint());
    let secret = "a wrong and very secret secret".to_owned();
    settings.aws.key = Some(AwsKey { id: servers::KEY_ID.to_owned(), secret: secret.clone() });
    let s3 = bench.with(&settings).await;
    let images = s3.images();
    let errors = [
        images.find(&slot(1)).await.map(drop).unwrap_err(),
        images.put(&slot(1), &action_id(1), body(b"x")).await.map(drop).unwrap_err(),
        s3.ready().await.unwrap_err(),
        s3.installation().await.map(drop).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), Kind::Unavailable);
        assert!(error.to_string().ends_with("refuses what this access key asks for"), "{error}");
        assert!(!format!("{error:?} {}", error.chain()).contains(&secret));
    }
    let error = s3.setup().await.unwrap_err();
    assert!(!format!("{error:?}").contains(&secret) && !format!("{s3:?}").contains(&secret));
}

async fn a_bucket_that_was_deleted_is_not_an_empty_one(server: &Server) {
    let (bench, slot, writer) = (Bench::new(server).await, upload_slot(1), action_id(1));
    let stored = bench.images.put(&slot, &writer, body(b"bytes")).await.unwrap();
    bench.images.remove(&slot, &stored.tag).await.unwrap();
    bench.client.delete_bucket().bucket(bench.bucket(&slot)).send().await.unwrap();
    for error in [
        bench.images.find(&slot).await.map(drop).unwrap_err(),
        bench.images.remove(&slot, &stored.tag).await.unwrap_err(),
        bench.images.read(&slot, &stored.tag, None).await.map(drop).unwrap_err(),
        bench.images.put(&slot, &writer, body(b"bytes")).await.unwrap_err(),
    ] {
        let bucket = bench.bucket(&slot);
        let expected = format!("bucket {bucket} does not exist; `orbit setup` creates it");
        assert_eq!((error.kind(), error.to_string()), (Kind::Unavailable, expected));
    }
    bench.s3.setup().await.unwrap();
    bench.images.put(&slot, &writer, body(b"bytes")).await.unwrap();
}

#[tokio::test]
async fn an_upload_that_could_not_be_aborted_is_aborted_by_the_next_write() {
    let server = Arc::new(servers::own_seaweedfs());
    let (bench, slot) = (Bench::new(&server).await, upload_slot(1));
    let stopped = Arc::clone(&server);
    let stop = stream::once(async move {
        stopped.stop();
        Err(PortError::new(Kind::Rejected, "cut off"))
    });
    let broken = long_body(3 * PART).chain(stop).boxed();
    bench.images.put(&slot, &action_id(1), broken).await.unwrap_err();
    server.start_again();
    assert_eq!(bench.open_uploads().await, [slot.key()]);
    bench.images.put(&slot, &action_id(1), body(b"whole")).await.unwrap();
    assert_eq!(bench.open_uploads().await, [""; 0]);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_in_time() {
    let aws = AwsSettings {
        call_timeout: Duration::from_secs(2),
        // The port of no service.
        ..settings("http://127.0.0.1:1").aws
    };
    let settings = S3Settings { aws, ..S3Settings::default() };
    let names = Names::new(&orbit_core::Environments::default());
    let s3 = S3::connect(&settings, &names).await.unwrap();
    let calls = async { (s3.ready().await, s3.images().find(&slot(1)).await.map(drop)) };
    // Two calls, one after the other.
    let (ready, found) = tokio::time::timeout(Duration::from_secs(6), calls).await.unwrap();
    for error in [ready.unwrap_err(), found.unwrap_err()] {
        assert_eq!(error.kind(), Kind::Unavailable, "{error:?}");
    }
}

#[tokio::test]
async fn settings_out_of_bounds_are_refused() {
    let names = Names::new(&orbit_core::Environments::default());
    let fine = settings("http://127.0.0.1:1");
    let cases = [
        S3Settings { part_bytes: PART - 1, ..fine.clone() },
        S3Settings { copy_bytes: 0, ..fine.clone() },
        S3Settings { copy_bytes: (5 << 30) + 1, ..fine.clone() },
        S3Settings { parts_at_once: 0, ..fine.clone() },
        S3Settings { parts_at_once: 16, ..fine },
    ];
    for settings in cases {
        let error = S3::connect(&settings, &names).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Rejected);
        assert!(error.to_string().contains("expected"), "{error}");
    }
}
