//! What lies in the buckets of a fleet, asked of S3 itself.

use std::collections::BTreeSet;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region};
use orbit_core::Environments;
use orbit_core::place::{Names, Naming};
use serde_json::Value;

use crate::fleet::Stores;
use crate::harness::Server;
use crate::servers::{KEY_ID, SECRET};

const TEMPORARY: &str = "temporary-app-image-1203-bkt-k8d-aws";
/// The object that holds the id of the installation.
const INSTALLATION: &str = "deleted-image-bucket/orbit/installation.json";

fn client(stores: &Stores) -> Client {
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new(KEY_ID, SECRET, None, None, "test"))
        .endpoint_url(stores.s3.endpoint())
        .force_path_style(true)
        .build();
    Client::from_conf(config)
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// Deletes a bucket in which nothing lies.
pub(crate) fn delete_bucket(stores: &Stores, name: &str) {
    let client = client(stores);
    block_on(async { client.delete_bucket().bucket(name).send().await.unwrap() });
}

/// Returns `<bucket>/<key>` of every image, with the bucket's name without the suffix. An object has
/// one version, and what is gone has none.
pub(crate) fn all(stores: &Stores, suffix: &str) -> BTreeSet<String> {
    let client = client(stores);
    let naming = Naming { bucket_suffix: suffix.to_owned(), ..Naming::default() };
    let names = Names::named(&Environments::default(), naming).unwrap();
    block_on(async {
        let mut found = BTreeSet::new();
        for bucket in names.buckets() {
            let versions = client.list_object_versions().bucket(&bucket).send().await.unwrap();
            assert_eq!(versions.is_truncated(), Some(false), "{bucket} has more than one page");
            assert!(versions.delete_markers().is_empty(), "{versions:?}");
            let name = bucket.strip_suffix(suffix).unwrap();
            for version in versions.versions() {
                let key = version.key().unwrap();
                assert!(found.insert(format!("{name}/{key}")), "{bucket}/{key} has two versions");
            }
        }
        assert!(found.remove(INSTALLATION), "the id of the installation is gone");
        found
    })
}

/// Returns the objects without those in the temporary bucket of uploads that were cut off: a store that
/// was away may carry out what it was asked when the action has ended long since. Nobody reads them, and
/// the bucket's rule removes them.
pub(crate) fn without_late_writes(server: &Server, found: &BTreeSet<String>) -> BTreeSet<String> {
    let actions = server.all("/v1/actions?action=upload&state=failed");
    let of = |action: &Value, field: &str| action[field].as_str().unwrap().to_owned();
    let is_cut_off = |action: &&Value| action["error"]["errorType"] == "upload-incomplete";
    let late: BTreeSet<_> = actions
        .iter()
        .filter(is_cut_off)
        .map(|action| {
            format!("{TEMPORARY}/{}-{}.tar", of(action, "imageUID"), of(action, "imageVersion"))
        })
        .collect();
    found.difference(&late).cloned().collect()
}
