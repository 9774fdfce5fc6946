//! Buckets that are made, joined and looked after.

use aws_sdk_s3::types::{
    BucketLifecycleConfiguration, BucketVersioningStatus, ExpirationStatus, LifecycleExpiration,
    LifecycleRule, LifecycleRuleFilter, ServerSideEncryption, VersioningConfiguration,
};
use orbit_core::place::Shelf;
use orbit_core::port::Kind;
use orbit_core::testing::samples::{action_id, body};
use orbit_store::{SharedStore as _, Step};

use super::bench::{Bench, settings, upload_slot};
use super::on_every_server;
use crate::servers::{self, Server};

on_every_server!(
    setups_make_what_is_missing_and_a_later_one_nothing,
    a_setup_changes_only_what_is_not_as_it_should_be,
    buckets_belong_to_the_first_installation_that_joins,
    buckets_that_are_missing_or_not_versioned_are_not_ready,
);

async fn setups_make_what_is_missing_and_a_later_one_nothing(server: &Server) {
    let bench = Bench::bare(&server.endpoint()).await;
    let (steps, beside) = tokio::join!(bench.s3.setup(), bench.s3.setup());
    let steps = [steps.unwrap(), beside.unwrap()].concat();
    for bucket in bench.names.buckets() {
        for done in ["created", "turned versioning on", "set rules for its life cycle"] {
            assert!(steps.contains(&Step::new(format!("bucket {bucket}"), done)), "{steps:?}");
        }
    }
    bench.s3.ready().await.unwrap();
    assert_eq!(bench.s3.setup().await.unwrap(), []);
}

async fn a_setup_changes_only_what_is_not_as_it_should_be(server: &Server) {
    let bench = Bench::new(server).await;
    let bucket = bench.names.bucket(&Shelf::Temporary);
    let own = LifecycleRule::builder()
        .id("somebody-elses")
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().prefix("elsewhere/").build())
        .expiration(LifecycleExpiration::builder().days(3).build())
        .build();
    let rules = BucketLifecycleConfiguration::builder().rules(own.unwrap()).build().unwrap();
    let put = bench.client.put_bucket_lifecycle_configuration().bucket(&bucket);
    put.lifecycle_configuration(rules).send().await.unwrap();
    let steps = bench.s3.setup().await.unwrap();
    let changed: Vec<_> = steps.iter().filter(|step| !step.done.starts_with("left")).collect();
    assert_eq!(changed, [&Step::new(format!("bucket {bucket}"), "set rules for its life cycle")]);
    let get = bench.client.get_bucket_lifecycle_configuration().bucket(&bucket);
    let answer = get.send().await.unwrap();
    let mut ids: Vec<_> = answer.rules().iter().map(|rule| rule.id().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["orbit-temporary", "orbit-uploads", "somebody-elses"]);
    assert_eq!(bench.s3.setup().await.unwrap(), []);
}

async fn buckets_belong_to_the_first_installation_that_joins(server: &Server) {
    let bench = Bench::bare(&server.endpoint()).await;
    for error in [bench.s3.installation().await.map(drop), bench.s3.join("one").await.map(drop)] {
        let error = error.unwrap_err();
        assert_eq!(error.kind(), Kind::Rejected);
        let bucket = bench.names.deleted_bucket();
        assert_eq!(
            error.to_string(),
            format!("bucket {bucket} does not exist; `orbit setup` creates it")
        );
    }
    bench.s3.setup().await.unwrap();
    assert_eq!(bench.s3.installation().await.unwrap(), None);
    let (one, two) = tokio::join!(bench.s3.join("one"), bench.s3.join("two"));
    let first = bench.s3.installation().await.unwrap().unwrap();
    assert_eq!([one.unwrap(), two.unwrap()], [first.clone(), first.clone()]);
    assert_eq!(bench.s3.join("three").await.unwrap(), first);
    assert_eq!(bench.s3.join(&first).await.unwrap(), first);
    assert_eq!(bench.s3.setup().await.unwrap(), []);
}

async fn buckets_that_are_missing_or_not_versioned_are_not_ready(server: &Server) {
    let bench = Bench::bare(&server.endpoint()).await;
    let error = bench.s3.ready().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Rejected);
    let is_named = |bucket: &String| {
        error.to_string() == format!("bucket {bucket} does not exist; `orbit setup` creates it")
    };
    assert!(bench.names.buckets().iter().any(is_named), "{error}");
    for bucket in bench.names.buckets() {
        bench.client.create_bucket().bucket(bucket).send().await.unwrap();
    }
    let error = bench.s3.ready().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Rejected);
    assert!(
        error
            .to_string()
            .ends_with("is not versioned, expected it to be; `orbit setup` turns it on")
    );
}

/// `SeaweedFS` has no block of public access.
#[tokio::test]
async fn a_setup_repairs_what_somebody_turned_off() {
    let bench = Bench::new(servers::ministack()).await;
    let bucket = bench.names.bucket(&Shelf::Temporary);
    let client = &bench.client;
    client.delete_public_access_block().bucket(&bucket).send().await.unwrap();
    client.delete_bucket_lifecycle().bucket(&bucket).send().await.unwrap();
    client.delete_bucket_encryption().bucket(&bucket).send().await.unwrap();
    let suspended = VersioningConfiguration::builder().status(BucketVersioningStatus::Suspended);
    let put = client.put_bucket_versioning().bucket(&bucket);
    put.versioning_configuration(suspended.build()).send().await.unwrap();
    let error = bench.s3.ready().await.unwrap_err();
    assert!(error.to_string().starts_with(&format!("bucket {bucket} is not versioned")), "{error}");
    let steps = bench.s3.setup().await.unwrap();
    let done: Vec<_> = steps.iter().map(|step| step.done.as_str()).collect();
    let expected =
        ["turned versioning on", "blocked public access", "set rules for its life cycle"];
    assert_eq!(done, expected);
    bench.s3.ready().await.unwrap();
    assert_eq!(bench.s3.setup().await.unwrap(), []);
}

/// What a server does not have is said once, beside what was done.
#[tokio::test]
async fn a_setup_says_what_the_server_does_not_have() {
    let server = servers::keyless_seaweedfs();
    let bench = Bench::bare(&server.endpoint()).await;
    let steps = bench.s3.setup().await.unwrap();
    let bucket = format!("bucket {}", bench.names.deleted_bucket());
    let of_bucket = steps.iter().filter(|step| step.resource == bucket);
    let done: Vec<_> = of_bucket.map(|step| step.done.as_str()).collect();
    let expected = [
        "created",
        "turned versioning on",
        "left without a block of public access: not supported by this server",
        "left without encryption by default: not supported by this server",
        "set rules for its life cycle",
    ];
    assert_eq!(done, expected);
    assert_eq!(bench.s3.setup().await.unwrap(), []);
    assert_eq!(bench.versions().await, [""; 0], "a probe stays");
    // It takes objects as before.
    bench.images.put(&upload_slot(1), &action_id(1), body(b"plain")).await.unwrap();
}

/// The shared `SeaweedFS` has a key.
#[tokio::test]
async fn a_setup_turns_encryption_on_where_the_server_can() {
    let bench = Bench::bare(&servers::seaweedfs().endpoint()).await;
    let steps = bench.s3.setup().await.unwrap();
    for bucket in bench.names.buckets() {
        let step = Step::new(format!("bucket {bucket}"), "turned encryption by default on");
        assert!(steps.contains(&step), "{steps:?}");
    }
    assert_eq!(bench.versions().await, [""; 0], "a probe stays");
    bench.images.put(&upload_slot(1), &action_id(1), body(b"hidden")).await.unwrap();
    let bucket = bench.bucket(&upload_slot(1));
    let head = bench.client.head_object().bucket(bucket).key(upload_slot(1).key()).send().await;
    assert_eq!(head.unwrap().server_side_encryption(), Some(&ServerSideEncryption::Aes256));
}

#[tokio::test]
async fn a_bucket_is_made_in_its_region_and_says_so_elsewhere() {
    let server = servers::ministack();
    let here = Bench::bare(&server.endpoint()).await;
    let mut elsewhere = settings(&server.endpoint());
    elsewhere.aws.region = Some("eu-central-1".to_owned());
    here.with(&elsewhere).await.setup().await.unwrap();
    let bucket = here.names.bucket(&Shelf::Temporary);
    let location = here.client.get_bucket_location().bucket(&bucket).send().await.unwrap();
    assert_eq!(location.location_constraint().unwrap().as_str(), "eu-central-1");
    let errors = [
        here.images.put(&upload_slot(1), &action_id(1), body(b"x")).await.map(drop),
        here.s3.ready().await,
        here.s3.join("one").await.map(drop),
        here.s3.setup().await.map(drop),
    ];
    for error in errors.map(Result::unwrap_err) {
        assert_eq!(error.kind(), Kind::Rejected);
        let text = error.to_string();
        let is_named = here.names.buckets().iter().any(|bucket| {
            text == format!(
                "bucket {bucket} lies in eu-central-1, expected the region of the settings"
            )
        });
        assert!(is_named, "{text}");
    }
}
