//! The embedded registry, as `skopeo` sees it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use orbit_core::archive::{Blob, Compression, Inspection, Manifest};
use orbit_core::port::{BlobSource, ByteStream, Kind, PortError};
use orbit_core::{Digest, Environments};
use orbit_store::Embedded;
use serde_json::{Value, json};
use tempfile::TempDir;

const REPOSITORY: &str = "docker.io/k8or-orbit-aws/trolls-world-tour-2020-abcdef";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// The blobs of an image; one that is not among them must not be asked for.
#[derive(Default)]
struct Blobs(HashMap<Digest, Vec<u8>>);

#[async_trait]
impl BlobSource for Blobs {
    async fn open(&self, blob: &Blob) -> Result<ByteStream, PortError> {
        let message = format!("blob {} was asked for, expected to be there", blob.digest);
        let bytes = self.0.get(&blob.digest).ok_or(PortError::new(Kind::NotFound, message))?;
        Ok(stream::iter([Ok(Bytes::copy_from_slice(bytes))]).boxed())
    }
}

impl Blobs {
    fn add(&mut self, media_type: &str, bytes: Vec<u8>) -> Blob {
        let digest = Digest::of(&bytes);
        let size = u64::try_from(bytes.len()).unwrap();
        self.0.insert(digest, bytes);
        Blob { digest, size, media_type: media_type.to_owned(), offset: 0 }
    }
}

/// Returns an image with one layer that holds nothing but `text`.
fn image(text: &str) -> (Inspection, Blobs) {
    let mut blobs = Blobs::default();
    let layer = blobs.add(LAYER, text.repeat(100_000).into_bytes());
    let config = json!({
        "os": "linux",
        "architecture": "amd64",
        "config": { "Labels": { "text": text } },
        "rootfs": { "type": "layers", "diff_ids": [layer.digest] },
    });
    let config = blobs.add(CONFIG, config.to_string().into_bytes());
    let descriptor = |blob: &Blob| json!({ "mediaType": blob.media_type, "digest": blob.digest, "size": blob.size });
    let bytes = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(&config),
        "layers": [descriptor(&layer)],
    })
    .to_string();
    let digest = Digest::of(bytes.as_bytes());
    let inspection = json!({
        "format": "oci-layout",
        "compression": Compression::None,
        "size": layer.size,
        "digest": layer.digest,
        "platform": { "os": "linux", "architecture": "amd64" },
        "manifest": Manifest { digest, media_type: MANIFEST.to_owned(), bytes },
        "config": config,
        "layers": [layer],
    });
    (serde_json::from_value(inspection).unwrap(), blobs)
}

async fn stores() -> (TempDir, Embedded) {
    let dir = tempfile::tempdir().unwrap();
    let stores = Embedded::open(dir.path(), &Environments::default()).await.unwrap();
    (dir, stores)
}

fn blob_path(dir: &TempDir, digest: &Digest) -> PathBuf {
    dir.path().join("registry/blobs/sha256").join(digest.hex())
}

/// Runs `skopeo inspect` on a name in the layout.
fn skopeo(dir: &TempDir, tag: &str) -> Value {
    let layout = dir.path().join("registry");
    let name = format!("oci:{}:{REPOSITORY}:{tag}", layout.display());
    let output = Command::new("skopeo").args(["inspect", &name]).output();
    let output = output.expect("skopeo is needed for this test: ./test.sh installs it");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "skopeo could not read {name}: {said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn skopeo_reads_what_was_pushed() {
    let (dir, stores) = stores().await;
    let (inspection, blobs) = image("first");
    stores.registry().push(REPOSITORY, "v0-0-01", &inspection, &blobs).await.unwrap();
    let seen = skopeo(&dir, "v0-0-01");
    assert_eq!(seen["Digest"], json!(inspection.manifest.digest));
    assert_eq!(seen["Layers"], json!([inspection.layers.first().unwrap().digest]));
    assert_eq!(seen["Labels"], json!({ "text": "first" }));
}

#[tokio::test]
async fn a_tag_moves_and_other_tags_stay() {
    let (dir, stores) = stores().await;
    let ((old, old_blobs), (new, new_blobs)) = (image("old"), image("new"));
    for (tag, image, blobs) in [
        ("v0-0-01", &old, &old_blobs),
        ("v0-0-02", &old, &old_blobs),
        ("v0-0-01", &new, &new_blobs),
    ] {
        stores.registry().push(REPOSITORY, tag, image, blobs).await.unwrap();
    }
    assert_eq!(skopeo(&dir, "v0-0-01")["Digest"], json!(new.manifest.digest));
    assert_eq!(skopeo(&dir, "v0-0-02")["Digest"], json!(old.manifest.digest));
}

#[tokio::test]
async fn blobs_that_are_there_are_not_read_again() {
    let (dir, stores) = stores().await;
    let (inspection, blobs) = image("first");
    stores.registry().push(REPOSITORY, "v0-0-01", &inspection, &blobs).await.unwrap();
    let nothing = Blobs::default();
    stores.registry().push(REPOSITORY, "v0-0-02", &inspection, &nothing).await.unwrap();
    assert_eq!(skopeo(&dir, "v0-0-02")["Digest"], json!(inspection.manifest.digest));
}

#[tokio::test]
async fn a_blob_that_was_cut_short_is_sent_again() {
    let (dir, stores) = stores().await;
    let (inspection, blobs) = image("first");
    stores.registry().push(REPOSITORY, "v0-0-01", &inspection, &blobs).await.unwrap();
    let layer = inspection.layers.first().unwrap();
    fs::write(blob_path(&dir, &layer.digest), "half").unwrap();
    stores.registry().push(REPOSITORY, "v0-0-01", &inspection, &blobs).await.unwrap();
    let there = fs::read(blob_path(&dir, &layer.digest)).unwrap();
    assert_eq!(Digest::of(&there), layer.digest);
}

#[tokio::test]
async fn a_blob_that_is_not_what_its_digest_says_is_refused_and_no_tag_appears() {
    let (dir, stores) = stores().await;
    let (inspection, mut blobs) = image("first");
    let layer = inspection.layers.first().unwrap().digest;
    blobs.0.get_mut(&layer).unwrap().push(b'!');
    let refused = stores.registry().push(REPOSITORY, "v0-0-01", &inspection, &blobs).await;
    assert_eq!(refused.unwrap_err().kind(), Kind::Rejected);
    assert!(!blob_path(&dir, &layer).exists());
    assert!(!dir.path().join("registry/index.json").exists());
    assert_eq!(fs::read_dir(dir.path().join("partial")).unwrap().count(), 0);
}

#[tokio::test]
async fn what_another_tool_put_into_the_layout_stays() {
    let (dir, stores) = stores().await;
    let ((theirs, their_blobs), (ours, our_blobs)) = (image("theirs"), image("ours"));
    stores.registry().push(REPOSITORY, "theirs", &theirs, &their_blobs).await.unwrap();
    let path = dir.path().join("registry/index.json");
    let mut index: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    index["manifests"][0]["platform"] = json!({ "os": "linux", "architecture": "amd64" });
    index["annotations"] = json!({ "of": "another tool" });
    fs::write(&path, index.to_string()).unwrap();

    stores.registry().push(REPOSITORY, "ours", &ours, &our_blobs).await.unwrap();
    let after: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(after["manifests"][0], index["manifests"][0]);
    assert_eq!(after["annotations"], index["annotations"]);
    assert_eq!(skopeo(&dir, "ours")["Labels"], json!({ "text": "ours" }));
}
