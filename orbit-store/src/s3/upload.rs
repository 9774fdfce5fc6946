//! Uploads by parts.

use std::sync::{MutexGuard, PoisonError};

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use aws_smithy_types::base64;
use bytes::Bytes;
use futures_util::future;
use orbit_core::port::{ByteRange, Kind, PortError, Tag};

use super::object::Marks;
use super::race::Beneath;
use super::refusal::{Refusal, refusal};
use super::{JOIN_TIME, Place, Store, copy_time, upload_time};

/// How many uploads that could not be aborted are tried again; the others end by the lifecycle rule.
const MOST_GIVEN_UP: usize = 100;

/// An upload that the server knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    place: Place,
    id: String,
}

/// An upload under way. If it is dropped before it is completed or aborted, the next write aborts it.
pub(super) struct Upload<'a> {
    store: &'a Store,
    address: Address,
    marks: &'a Marks,
    beneath: Beneath,
    /// Whether there is nothing left to abort.
    is_over: bool,
}

/// One part of an upload.
pub(super) struct Part {
    /// Counted from 1.
    pub(super) number: i32,
    pub(super) bytes: Bytes,
    pub(super) sha256: [u8; 32],
}

impl Store {
    /// Begins an upload of what will have these marks.
    pub(super) async fn begin<'a>(
        &'a self,
        place: &Place,
        marks: &'a Marks,
    ) -> Result<Upload<'a>, PortError> {
        let beneath = self.beneath(place).await?;
        let Place { bucket, key } = place;
        let call = self.client.create_multipart_upload().bucket(bucket).key(key);
        let call = call.set_metadata(Some(marks.to_metadata()));
        let answer = call.checksum_algorithm(ChecksumAlgorithm::Sha256).send().await;
        let answer = answer.map_err(refusal("CreateMultipartUpload", bucket))?;
        let id = answer.upload_id().unwrap_or_default().to_owned();
        let address = Address { place: place.clone(), id };
        Ok(Upload { store: self, address, marks, beneath, is_over: false })
    }

    /// Aborts the uploads that were given up, as far as the server can be reached.
    pub(super) async fn abort_given_up(&self) {
        let given_up = self.given_up().clone();
        let aborts = given_up.iter().map(|address| async move {
            if self.abort(address).await {
                self.given_up().retain(|other| other != address);
            }
        });
        future::join_all(aborts).await;
    }

    /// Aborts an upload, and returns whether it is gone.
    async fn abort(&self, Address { place: Place { bucket, key }, id }: &Address) -> bool {
        let call = self.client.abort_multipart_upload().bucket(bucket).key(key);
        let answer = call.upload_id(id).send().await;
        match answer.map_err(refusal("AbortMultipartUpload", bucket)) {
            Ok(_) => true,
            Err(refusal) => refusal.is_no_upload() || refusal.is_no_bucket(),
        }
    }

    /// Leaves an upload to the next write.
    fn give_up(&self, address: Address) {
        let mut given_up = self.given_up();
        if given_up.len() == MOST_GIVEN_UP {
            given_up.remove(0);
        }
        given_up.push(address);
    }

    fn given_up(&self) -> MutexGuard<'_, Vec<Address>> {
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Upload<'_> {
    /// Sends a part.
    pub(super) async fn send(&self, part: Part) -> Result<CompletedPart, PortError> {
        let Part { number, bytes, sha256 } = part;
        let Address { place: Place { bucket, key }, id } = &self.address;
        let sha256 = base64::encode(sha256);
        let patience = self.store.patience(upload_time(bytes.len()));
        let call = self.store.client.upload_part().bucket(bucket).key(key).upload_id(id);
        let call = call.part_number(number).checksum_sha256(&sha256).body(ByteStream::from(bytes));
        let answer = call.customize().config_override(patience).send().await;
        let answer = answer.map_err(refusal("UploadPart", bucket))?;
        Ok(CompletedPart::builder()
            .part_number(number)
            .set_e_tag(answer.e_tag)
            .checksum_sha256(sha256)
            .build())
    }

    /// Lets the server copy a part from `source`, or all of it if no range is given.
    pub(super) async fn copy(
        &self,
        number: i32,
        source: &str,
        bytes: ByteRange,
        is_all: bool,
    ) -> Result<CompletedPart, Refusal> {
        let Address { place: Place { bucket, key }, id } = &self.address;
        let ByteRange { offset, len } = bytes;
        let last = offset.saturating_add(len).saturating_sub(1);
        let range = (!is_all).then(|| format!("bytes={offset}-{last}"));
        let call = self.store.client.upload_part_copy().bucket(bucket).key(key);
        let call = call.upload_id(id).part_number(number).copy_source(source);
        let call = call.set_copy_source_range(range).customize();
        let patience = self.store.patience(copy_time(len));
        let answer = call.config_override(patience).send().await;
        let result = answer.map_err(refusal("UploadPartCopy", bucket))?.copy_part_result;
        let (etag, sha256) =
            result.map_or((None, None), |result| (result.e_tag, result.checksum_sha256));
        Ok(CompletedPart::builder()
            .part_number(number)
            .set_e_tag(etag)
            .set_checksum_sha256(sha256)
            .build())
    }

    /// Makes the object of its parts, where nothing lies, and returns its version, or `None` if another
    /// upload was completed at the same moment and stays. An upload that fails leaves nothing.
    pub(super) async fn finish(
        mut self,
        parts: Vec<CompletedPart>,
    ) -> Result<Option<Tag>, PortError> {
        let version = match self.complete(parts).await {
            Ok(version) => version,
            Err(refusal) => self.after_all(refusal).await?,
        };
        self.is_over = true;
        let (store, place) = (self.store, &self.address.place);
        let tag = store.versioned(place, version).await?;
        Ok(store.outlasts(place, &tag, &self.beneath).await?.then_some(tag))
    }

    async fn complete(&self, mut parts: Vec<CompletedPart>) -> Result<Option<String>, Refusal> {
        let Address { place: Place { bucket, key }, id } = &self.address;
        parts.sort_by_key(CompletedPart::part_number);
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let call = self.store.client.complete_multipart_upload().bucket(bucket).key(key);
        let call = call.upload_id(id).multipart_upload(parts).if_none_match("*");
        let patience = self.store.patience(JOIN_TIME);
        let answer = call.customize().config_override(patience).send().await;
        let answer = answer.map_err(refusal("CompleteMultipartUpload", bucket))?;
        Ok(answer.version_id)
    }

    /// Returns the version of an upload whose completion failed, if it took effect all the same.
    async fn after_all(&mut self, refusal: Refusal) -> Result<Option<String>, PortError> {
        let (store, place, marks) = (self.store, &self.address.place, self.marks);
        // Not aborted before that: a server may then lose the parts of what it has put together.
        if let Some(seen) = store.look(place).await?.filter(|seen| seen.is_write(marks)) {
            return Ok(Some(seen.tag.0));
        }
        self.is_over = store.abort(&self.address).await;
        // It may have been under way until the abort.
        store.after_all(place, marks, refusal).await
    }

    /// Aborts the upload, or leaves it to the next write if that does not arrive.
    pub(super) async fn abort(mut self) {
        self.is_over = self.store.abort(&self.address).await;
    }
}

impl Drop for Upload<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.store.give_up(self.address.clone());
        }
    }
}

/// Returns the error of a write where something lies.
pub(super) fn occupied(place: &Place) -> PortError {
    PortError::new(Kind::Conflict, format!("something lies in {place}, expected nothing"))
}
