//! Objects that come from a stream.

mod parts;

use aws_sdk_s3::primitives::ByteStream as Body;
use aws_sdk_s3::types::CompletedPart;
use aws_smithy_types::base64;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use orbit_core::place::Slot;
use orbit_core::port::{ByteStream, Kind, PortError, Stored, Tag};
use orbit_core::{ActionId, Digest};

use super::object::{Hashes, Marks, Receipt, receipt_place, unversioned};
use super::refusal::{Refusal, refusal};
use super::upload::{Part, Upload, occupied};
use super::{MOST_PARTS, Place, Store, upload_time};
use crate::record;
use crate::system::draw_name;
use parts::{Cut, Parts};

impl Store {
    /// Writes a stream to an empty slot.
    pub(super) async fn write(
        &self,
        slot: &Slot,
        writer: &ActionId,
        body: ByteStream,
    ) -> Result<Stored, PortError> {
        self.abort_given_up().await;
        let place = self.place(slot);
        if self.look(&place).await?.is_some() {
            return Err(occupied(&place));
        }
        let part_bytes = self.settings.part_bytes;
        let mut parts = Parts::new(body, part_bytes, MOST_PARTS);
        let Cut { part, is_last } = parts.next().await?;
        let marks = Marks {
            writer: writer.clone(),
            write: draw_name()?,
            digest: is_last.then(|| Digest::from_bytes(part.sha256)),
            part_bytes: (!is_last).then_some(part_bytes),
            source: Hashes::default(),
        };
        if is_last {
            self.put_whole(&place, marks, part).await
        } else {
            self.put_parts(&place, marks, part, &mut parts).await
        }
    }

    /// Writes an object in one call.
    async fn put_whole(&self, place: &Place, marks: Marks, all: Part) -> Result<Stored, PortError> {
        let size = u64::try_from(all.bytes.len()).unwrap_or(u64::MAX);
        let digest = Digest::from_bytes(all.sha256);
        let version = match self.put_new(place, all.bytes, &marks).await {
            Ok(version) => version,
            Err(refusal) => self.after_all(place, &marks, refusal).await?,
        };
        let tag = self.versioned(place, version).await?;
        Ok(Stored { size, digest, writer: marks.writer, tag })
    }

    /// Puts bytes where nothing lies, and returns their version, if they have one.
    pub(super) async fn put_new(
        &self,
        place: &Place,
        bytes: Bytes,
        marks: &Marks,
    ) -> Result<Option<String>, Refusal> {
        let Place { bucket, key } = place;
        let sha256 = base64::encode(Digest::of(&bytes).as_bytes());
        let patience = self.patience(upload_time(bytes.len()));
        let call = self.client.put_object().bucket(bucket).key(key).if_none_match("*");
        let call = call.set_metadata(Some(marks.to_metadata())).checksum_sha256(sha256);
        let answer =
            call.body(Body::from(bytes)).customize().config_override(patience).send().await;
        Ok(answer.map_err(refusal("PutObject", bucket))?.version_id)
    }

    async fn put_parts(
        &self,
        place: &Place,
        marks: Marks,
        first: Part,
        parts: &mut Parts,
    ) -> Result<Stored, PortError> {
        let upload = self.begin(place, &marks).await?;
        let sent = match self.send_all(&upload, first, parts).await {
            Ok(sent) => sent,
            Err(error) => {
                upload.abort().await;
                return Err(error);
            }
        };
        let (size, digest) = parts.total();
        let receipt = Receipt { size, digest, writer: marks.writer.clone() };
        if let Err(error) = self.put_receipt(place, &marks.write, &receipt).await {
            upload.abort().await;
            return Err(error);
        }
        let tag = match upload.finish(sent).await {
            Ok(tag) => tag.ok_or_else(|| occupied(place)),
            Err(error) => Err(error),
        };
        match tag {
            Ok(tag) => Ok(Stored { size, digest, writer: marks.writer, tag }),
            Err(error) => {
                // After any other error the object may still appear, and must not be without.
                if error.kind() == Kind::Conflict {
                    self.remove_receipt(place, &marks.write).await;
                }
                Err(error)
            }
        }
    }

    /// Sends parts while the next ones come.
    fn send_all<'a>(
        &self,
        upload: &'a Upload<'_>,
        first: Part,
        parts: &'a mut Parts,
    ) -> BoxFuture<'a, Result<Vec<CompletedPart>, PortError>> {
        let rest = stream::try_unfold((parts, false), |(parts, is_over)| async move {
            if is_over {
                return Ok::<_, PortError>(None);
            }
            let Cut { part, is_last } = parts.next().await?;
            Ok(Some((part, (parts, is_last))))
        });
        let all = stream::iter([Ok(first)]).chain(rest);
        let sent = all.map_ok(|part| upload.send(part));
        sent.try_buffer_unordered(self.settings.parts_at_once).try_collect().boxed()
    }

    async fn put_receipt(
        &self,
        of: &Place,
        write: &str,
        receipt: &Receipt,
    ) -> Result<(), PortError> {
        let Place { bucket, key } = receipt_place(&of.bucket, write);
        let text = record::write(receipt);
        let sha256 = base64::encode(Digest::of(text.as_bytes()).as_bytes());
        let call = self.client.put_object().bucket(&bucket).key(key).checksum_sha256(sha256);
        let answer = call.content_type("application/json").body(Body::from(text.into_bytes()));
        answer.send().await.map_err(refusal("PutObject", &bucket))?;
        Ok(())
    }

    /// Returns the version of a write whose call failed, if it took effect all the same.
    pub(super) async fn after_all(
        &self,
        place: &Place,
        marks: &Marks,
        refusal: Refusal,
    ) -> Result<Option<String>, PortError> {
        match self.look(place).await? {
            Some(seen) if seen.is_write(marks) => Ok(Some(seen.tag.0)),
            Some(_) if refusal.is_condition() => Err(occupied(place)),
            Some(_) | None => Err(refusal.into()),
        }
    }

    /// Returns the version, or removes what was written without one: no later write could be told from
    /// it.
    pub(super) async fn versioned(
        &self,
        place: &Place,
        version: Option<String>,
    ) -> Result<Tag, PortError> {
        if let Some(version) = version.filter(|version| version != "null") {
            return Ok(Tag(version));
        }
        self.delete(place, &Tag("null".to_owned())).await?;
        Err(unversioned(&place.bucket))
    }

    /// Removes a receipt. One that is left expires, or costs a few bytes.
    pub(super) async fn remove_receipt(&self, of: &Place, write: &str) {
        let place = receipt_place(&of.bucket, write);
        if let Ok(Some(receipt)) = self.look(&place).await {
            drop(self.delete(&place, &receipt.tag).await);
        }
    }

    /// Deletes a version for good; one that is gone is success.
    pub(super) async fn delete(&self, place: &Place, tag: &Tag) -> Result<(), PortError> {
        let Place { bucket, key } = place;
        let call = self.client.delete_object().bucket(bucket).key(key).version_id(&tag.0);
        match call.send().await.map_err(refusal("DeleteObject", bucket)) {
            Ok(_) => Ok(()),
            Err(refusal) if refusal.is_missing() => Ok(()),
            Err(refusal) => Err(refusal.into()),
        }
    }
}
