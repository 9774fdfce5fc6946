//! What can be known of an object without its bytes.

use std::collections::HashMap;

use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::primitives::ByteStream as Body;
use aws_sdk_s3::types::ChecksumMode;
use orbit_core::place::Slot;
use orbit_core::port::{Kind, PortError, Stored, Tag};
use orbit_core::{ActionId, Digest};
use serde::{Deserialize, Serialize};

use super::refusal::{Refusal, no_bucket, refusal};
use super::{Place, Store};
use crate::record;

const WRITER: &str = "orbit-writer";
const WRITE: &str = "orbit-write";
const DIGEST: &str = "orbit-digest";
const PART_BYTES: &str = "orbit-part-bytes";
const SOURCE_ETAG: &str = "orbit-source-etag";
const SOURCE_CHECKSUM: &str = "orbit-source-checksum";

/// A version of an object, by whomever.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) tag: Tag,
    pub(super) size: u64,
    pub(super) hashes: Hashes,
    /// What Orbit noted, or `None` of an object that it did not write.
    pub(super) marks: Option<Marks>,
}

/// The hashes that a server tells of an object. Each is of the whole, or of the hashes of its parts and
/// then ends in their number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Hashes {
    pub(super) etag: Option<String>,
    /// By SHA-256.
    pub(super) checksum: Option<String>,
}

/// The metadata of an object that Orbit wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) writer: ActionId,
    /// The random name of the write.
    pub(super) write: String,
    /// The digest, if it was known when the write began; else a receipt has it.
    pub(super) digest: Option<Digest>,
    /// The size of every part but the last one, if there is more than one.
    pub(super) part_bytes: Option<u64>,
    /// The hashes of the object that this is a copy of, if it has the same parts.
    pub(super) source: Hashes,
}

impl Seen {
    /// Returns whether this is the write that began with these marks.
    pub(super) fn is_write(&self, marks: &Marks) -> bool {
        self.marks.as_ref().is_some_and(|there| there.write == marks.write)
    }
}

impl Marks {
    pub(super) fn to_metadata(&self) -> HashMap<String, String> {
        let Self { writer, write, digest, part_bytes, source } = self;
        let notes = [
            (WRITER, Some(writer.to_string())),
            (WRITE, Some(write.clone())),
            (DIGEST, digest.map(|digest| digest.to_string())),
            (PART_BYTES, part_bytes.map(|bytes| bytes.to_string())),
            (SOURCE_ETAG, source.etag.clone()),
            (SOURCE_CHECKSUM, source.checksum.clone()),
        ];
        let notes = notes.into_iter();
        notes.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }

    /// Returns what Orbit noted, or `None` if it is not all there: then somebody else wrote it.
    fn of(metadata: &HashMap<String, String>) -> Option<Self> {
        let note = |name: &str| metadata.get(name).cloned();
        Some(Self {
            writer: note(WRITER)?.parse().ok()?,
            write: note(WRITE)?,
            digest: note(DIGEST).map(|digest| digest.parse()).transpose().ok()?,
            part_bytes: note(PART_BYTES).map(|bytes| bytes.parse()).transpose().ok()?,
            source: Hashes { etag: note(SOURCE_ETAG), checksum: note(SOURCE_CHECKSUM) },
        })
    }
}

/// What is known of an upload at its end, in a record of its own.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Receipt {
    pub(super) size: u64,
    pub(super) digest: Digest,
    pub(super) writer: ActionId,
}

/// Returns the place of a write's receipt. No slot has such a key.
pub(super) fn receipt_place(bucket: &str, write: &str) -> Place {
    Place { bucket: bucket.to_owned(), key: format!("receipts/{write}.json") }
}

impl Store {
    /// Returns what lies at a place, or `None` if nothing does or a delete marker hides it.
    pub(super) async fn look(&self, place: &Place) -> Result<Option<Seen>, PortError> {
        self.head(place, None).await
    }

    /// Returns a version of what lies at a place.
    pub(super) async fn look_at(
        &self,
        place: &Place,
        tag: &Tag,
    ) -> Result<Option<Seen>, PortError> {
        self.head(place, Some(tag)).await
    }

    async fn head(&self, place: &Place, tag: Option<&Tag>) -> Result<Option<Seen>, PortError> {
        let Place { bucket, key } = place;
        let call = self.client.head_object().bucket(bucket).key(key);
        let call = call.set_version_id(tag.map(|tag| tag.0.clone()));
        let answer = call.checksum_mode(ChecksumMode::Enabled).send().await;
        match answer.map_err(refusal("HeadObject", bucket)) {
            Ok(head) => seen(place, &head).map(Some),
            Err(refusal) if refusal.is_missing() => self.expect_bucket(bucket).await.map(|()| None),
            Err(refusal) if tag.is_some() && refusal.is_no_version() => Ok(None),
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// Returns an error if a bucket is not there. The answer to the `HEAD` of an object does not tell,
    /// and who takes the slots of a bucket that somebody deleted for empty gives up what lay there.
    async fn expect_bucket(&self, bucket: &str) -> Result<(), PortError> {
        let head = self.client.head_bucket().bucket(bucket).send().await;
        match head.map_err(refusal("HeadBucket", bucket)) {
            Ok(_) => Ok(()),
            Err(refusal) if refusal.is_missing() => Err(no_bucket(Kind::Unavailable, refusal)),
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// Returns what is known of an object that was seen in a slot.
    pub(super) async fn stored(&self, slot: &Slot, seen: &Seen) -> Result<Stored, PortError> {
        let place = self.place(slot);
        let Some(marks) = &seen.marks else {
            let message = format!("{place} was not written by Orbit: it has no {WRITER} beside it");
            return Err(PortError::new(Kind::Rejected, message).typed("storage-foreign"));
        };
        let digest = match marks.digest {
            Some(digest) => digest,
            None => self.receipt(&place, &marks.write).await?.digest,
        };
        Ok(Stored { size: seen.size, digest, writer: marks.writer.clone(), tag: seen.tag.clone() })
    }

    async fn receipt(&self, of: &Place, write: &str) -> Result<Receipt, PortError> {
        let Place { bucket, key } = receipt_place(&of.bucket, write);
        match self.small_object(&Place { bucket: bucket.clone(), key: key.clone() }).await? {
            Some(text) => Ok(record::read(&text)?),
            None => {
                let message = format!("{of} has no receipt, expected {key} in the same bucket");
                Err(PortError::new(Kind::Rejected, message).typed("storage-damaged"))
            }
        }
    }

    /// Returns the text of a small object, or `None` if it is not there.
    async fn small_object(&self, place: &Place) -> Result<Option<String>, PortError> {
        match self.open_small(place).await? {
            Some(body) => text(place, body).await.map(Some),
            None => Ok(None),
        }
    }

    /// Returns the bytes of a small object as they come, or `None` if it is not there.
    pub(super) async fn open_small(&self, place: &Place) -> Result<Option<Body>, Refusal> {
        let Place { bucket, key } = place;
        let answer = self.client.get_object().bucket(bucket).key(key).send().await;
        match answer.map_err(refusal("GetObject", bucket)) {
            Ok(object) => Ok(Some(object.body)),
            Err(refusal) if refusal.is_missing() => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }
}

/// Reads a small object to its end.
pub(super) async fn text(place: &Place, body: Body) -> Result<String, PortError> {
    let bytes = body.collect().await.map_err(|fault| {
        PortError::caused(Kind::Unavailable, format!("{place} was not read to its end"), fault)
    })?;
    String::from_utf8(bytes.to_vec()).map_err(|fault| {
        PortError::caused(Kind::Rejected, format!("{place} is no text, expected JSON"), fault)
    })
}

fn seen(place: &Place, head: &HeadObjectOutput) -> Result<Seen, PortError> {
    // An object from before its bucket was versioned has the version `null`, which the next one that
    // is written without versions would have, too.
    let version = head.version_id().filter(|version| *version != "null");
    let version = version.ok_or_else(|| unversioned(&place.bucket))?;
    let size = head.content_length().and_then(|size| u64::try_from(size).ok());
    let size = size.ok_or_else(|| {
        PortError::new(Kind::Unavailable, format!("{place} was answered without its size"))
    })?;
    let etag = head.e_tag().map(|etag| etag.trim_matches('"').to_owned());
    let checksum = head.checksum_sha256().map(str::to_owned);
    Ok(Seen {
        tag: Tag(version.to_owned()),
        size,
        hashes: Hashes { etag, checksum },
        marks: head.metadata().and_then(Marks::of),
    })
}

/// Returns the error of a bucket that does not keep versions apart.
pub(super) fn unversioned(bucket: &str) -> PortError {
    let message =
        format!("bucket {bucket} is not versioned, expected it to be; `orbit setup` turns it on");
    PortError::new(Kind::Rejected, message)
}
