//! What all buckets have in common, as one store that processes share.

use async_trait::async_trait;
use aws_sdk_s3::primitives::ByteStream as Body;
use aws_sdk_s3::types::BucketVersioningStatus;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use orbit_core::place::Shelf;
use orbit_core::port::{Kind, PortError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::bucket::Bucket;
use super::object::{text, unversioned};
use super::refusal::{Refusal, refusal};
use super::{Place, S3, Store, template};
use crate::record;
use crate::shared::{SharedStore, Step};

/// How many buckets are asked at once.
const BUCKETS_AT_ONCE: usize = 8;

/// The record that makes buckets part of an installation.
#[derive(Debug, Serialize, Deserialize)]
struct Installation {
    installation: String,
}

#[async_trait]
impl SharedStore for S3 {
    async fn installation(&self) -> Result<Option<String>, PortError> {
        self.0.installation().await
    }

    async fn join(&self, installation: &str) -> Result<String, PortError> {
        // Some servers make the bucket of an object that is put, so it is looked for first.
        if let Some(there) = self.0.installation().await? {
            return Ok(there);
        }
        let Place { bucket, key } = self.0.installation_place();
        let text = record::write(&Installation { installation: installation.to_owned() });
        let call = self.0.client.put_object().bucket(&bucket).key(key).if_none_match("*");
        let call = call.content_type("application/json").body(Body::from(text.into_bytes()));
        let put = call.send().await.map_err(refusal("PutObject", &bucket));
        // Another process may have been first, or this one, if the answer was lost.
        match (self.0.installation().await?, put) {
            (Some(there), _) => Ok(there),
            (None, Err(refusal)) => Err(refusal.told_at_start()),
            (None, Ok(_)) => {
                let message = format!("bucket {bucket} does not keep the installation's id");
                Err(PortError::new(Kind::Unavailable, message))
            }
        }
    }

    async fn setup(&self) -> Result<Vec<Step>, PortError> {
        let store = &*self.0;
        let temporary = store.names.bucket(&Shelf::Temporary);
        let buckets = store.names.buckets().into_iter().map(|name| {
            let is_temporary = name == temporary;
            async move { Bucket { store, name, is_temporary }.setup().await }
        });
        let steps: Vec<Vec<Step>> =
            stream::iter(buckets).buffered(BUCKETS_AT_ONCE).try_collect().await?;
        Ok(steps.concat())
    }

    async fn ready(&self) -> Result<(), PortError> {
        let store = &*self.0;
        let buckets = store.names.buckets().into_iter().map(|bucket| async move {
            if store.is_versioned(&bucket).await? { Ok(()) } else { Err(unversioned(&bucket)) }
        });
        stream::iter(buckets).buffer_unordered(BUCKETS_AT_ONCE).try_collect().await
    }

    fn template(&self) -> Map<String, Value> {
        template::resources(&self.0.names)
    }
}

impl Store {
    async fn installation(&self) -> Result<Option<String>, PortError> {
        let place = self.installation_place();
        let Some(body) = self.open_small(&place).await.map_err(Refusal::told_at_start)? else {
            return Ok(None);
        };
        let text = text(&place, body).await?;
        Ok(Some(record::read::<Installation>(&text)?.installation))
    }

    /// Returns where the installation's id lies: in the bucket that is there whatever the environments
    /// are. No slot has such a key.
    fn installation_place(&self) -> Place {
        let (bucket, key) = (self.names.deleted_bucket(), "orbit/installation.json".to_owned());
        Place { bucket, key }
    }

    /// Returns whether a bucket keeps versions.
    pub(super) async fn is_versioned(&self, bucket: &str) -> Result<bool, PortError> {
        let answer = self.client.get_bucket_versioning().bucket(bucket).send().await;
        let answer = answer.map_err(refusal("GetBucketVersioning", bucket));
        let answer = answer.map_err(Refusal::told_at_start)?;
        Ok(answer.status() == Some(&BucketVersioningStatus::Enabled))
    }
}
