//! A store on buckets of its own, and a plain client beside it that sees and does what others may.

use std::sync::atomic::{AtomicU32, Ordering};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Credentials, Region};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use orbit_core::Environments;
use orbit_core::place::{Names, Naming, Shelf, Slot};
use orbit_core::port::{ByteStream, ImageStore, PortError};
use orbit_core::testing::samples;
use orbit_store::{AwsKey, AwsSettings, S3, S3Settings, SharedStore as _};
use std::sync::Arc;

use crate::servers::{self, Server};

/// The least that a part may be, so that a few MiB are many parts.
pub(crate) const PART: u64 = 5 << 20;

pub(crate) struct Bench {
    pub(crate) s3: S3,
    pub(crate) images: Arc<dyn ImageStore>,
    pub(crate) names: Names,
    pub(crate) client: Client,
}

impl Bench {
    /// Makes buckets of one's own.
    pub(crate) async fn new(server: &Server) -> Self {
        let bench = Self::bare(&server.endpoint()).await;
        bench.s3.setup().await.unwrap();
        bench
    }

    /// Names buckets of one's own, which are not there.
    pub(crate) async fn bare(endpoint: &str) -> Self {
        static N_BENCHES: AtomicU32 = AtomicU32::new(0);
        let n = N_BENCHES.fetch_add(1, Ordering::Relaxed);
        let naming = Naming { bucket_suffix: format!("-s3-{n}"), ..Naming::default() };
        let names = Names::named(&Environments::default(), naming).unwrap();
        let s3 = S3::connect(&settings(endpoint), &names).await.unwrap();
        Self { images: s3.images(), s3, names, client: client(endpoint) }
    }

    /// Reaches the same buckets with other settings.
    pub(crate) async fn with(&self, settings: &S3Settings) -> S3 {
        S3::connect(settings, &self.names).await.unwrap()
    }

    pub(crate) fn bucket(&self, slot: &Slot) -> String {
        self.names.bucket(&slot.shelf)
    }

    /// Returns the keys of all uploads that are neither completed nor aborted.
    pub(crate) async fn open_uploads(&self) -> Vec<String> {
        let mut keys = Vec::new();
        for bucket in self.names.buckets() {
            let answer = self.client.list_multipart_uploads().bucket(&bucket).send().await.unwrap();
            keys.extend(answer.uploads().iter().map(|upload| upload.key().unwrap().to_owned()));
        }
        keys
    }

    /// Returns the key of every version of every object, and of every delete marker.
    pub(crate) async fn versions(&self) -> Vec<String> {
        let mut keys = Vec::new();
        for bucket in self.names.buckets() {
            let answer = self.client.list_object_versions().bucket(&bucket).send().await.unwrap();
            keys.extend(answer.versions().iter().map(|version| version.key().unwrap().to_owned()));
            let markers = answer.delete_markers().iter();
            keys.extend(markers.map(|marker| format!("{} (deleted)", marker.key().unwrap())));
        }
        keys
    }
}

/// Returns settings by which a few MiB are many parts, and a copy of more than one is made by parts.
pub(crate) fn settings(endpoint: &str) -> S3Settings {
    let key = AwsKey { id: servers::KEY_ID.to_owned(), secret: servers::SECRET.to_owned() };
    let aws = AwsSettings {
        endpoint: Some(endpoint.to_owned()),
        region: Some("us-east-1".to_owned()),
        key: Some(key),
        ..AwsSettings::default()
    };
    S3Settings { aws, part_bytes: PART, copy_bytes: PART, ..S3Settings::default() }
}

fn client(endpoint: &str) -> Client {
    let http = aws_smithy_http_client::Builder::new().build_http();
    let key = Credentials::new(servers::KEY_ID, servers::SECRET, None, None, "a test");
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
        .http_client(http)
        .region(Region::new("us-east-1"))
        .credentials_provider(key)
        .endpoint_url(endpoint)
        .force_path_style(true)
        .build();
    Client::from_conf(config)
}

/// Returns the temporary slot of an image.
pub(crate) fn upload_slot(n: u32) -> Slot {
    Slot { shelf: Shelf::Temporary, image: samples::image_id(n, 1) }
}

/// Returns a stream of so many bytes, which are never in memory together. No MiB of it is like another.
pub(crate) fn long_body(bytes: u64) -> ByteStream {
    let chunks = (0..bytes.div_ceil(CHUNK)).map(move |n| {
        let len = CHUNK.min(bytes - n * CHUNK);
        Ok::<_, PortError>(Bytes::from(chunk(n)).slice(..usize::try_from(len).unwrap()))
    });
    stream::iter(chunks).boxed()
}

const CHUNK: u64 = 1 << 20;

fn chunk(n: u64) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(n % 251).unwrap(); usize::try_from(CHUNK).unwrap()];
    bytes[..8].copy_from_slice(&n.to_be_bytes());
    bytes
}

/// Reads a stream to its end.
pub(crate) async fn all(mut stream: ByteStream) -> Result<Vec<u8>, PortError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        bytes.extend_from_slice(&chunk?);
    }
    Ok(bytes)
}
