//! The port of image archives.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use serde::{Deserialize, Serialize};

use crate::archive::Blob;
use crate::place::Slot;
use crate::port::PortError;
use crate::{ActionId, Digest};

/// Bytes as they come. An error ends the stream.
pub type ByteStream = BoxStream<'static, Result<Bytes, PortError>>;

/// Names one write of one object for ever: a version id, or what the store has in its place.
///
/// No two writes to a slot ever have the same tag, not even of the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tag(pub String);

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a store knows of an object that lies in a slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// Its size in bytes.
    pub size: u64,
    /// The SHA-256 of its bytes, computed by the store as it wrote them.
    pub digest: Digest,
    /// The action that wrote it.
    pub writer: ActionId,
    /// The write.
    pub tag: Tag,
}

/// A range of an object's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRange {
    /// The first byte's position.
    pub offset: u64,
    /// How many bytes.
    pub len: u64,
}

/// Keeps image archives in slots. An object is never overwritten.
#[async_trait]
pub trait ImageStore: Send + Sync {
    /// Writes a new object from a stream, without holding it in memory, and returns what it became.
    ///
    /// The object appears whole or not at all: if the stream or the store fails, nothing lies in
    /// the slot.
    ///
    /// # Errors
    /// [`Kind::Conflict`](crate::port::Kind::Conflict) if something lies in the slot; the stream's
    /// own error as it is.
    async fn put(
        &self,
        slot: &Slot,
        writer: &ActionId,
        body: ByteStream,
    ) -> Result<Stored, PortError>;

    /// Returns the bytes of the object, or of a range of it that lies within it.
    ///
    /// # Errors
    /// `NotFound` if the slot is empty, `Conflict` if another write lies there.
    async fn read(
        &self,
        slot: &Slot,
        tag: &Tag,
        range: Option<ByteRange>,
    ) -> Result<ByteStream, PortError>;

    /// Returns what lies in the slot, or `None` if it is empty.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn find(&self, slot: &Slot) -> Result<Option<Stored>, PortError>;

    /// Copies an object to another slot, checks the copy's bytes, and returns what it became.
    ///
    /// If the target already holds the same bytes by the same writer, that is the copy.
    ///
    /// # Errors
    /// `NotFound` if the source is gone; `Conflict` if another write lies in the source slot, or
    /// anything else in the target slot; `Rejected` if the source's bytes are not what its digest
    /// says.
    async fn copy(
        &self,
        from: (&Slot, &Stored),
        to: &Slot,
        writer: &ActionId,
    ) -> Result<Stored, PortError>;

    /// Removes the write `tag` from the slot. An empty slot is success.
    ///
    /// # Errors
    /// `Conflict` if another write lies there: it stays.
    async fn remove(&self, slot: &Slot, tag: &Tag) -> Result<(), PortError>;
}

/// Opens the blobs of an image for whoever pushes it.
#[async_trait]
pub trait BlobSource: Send + Sync {
    /// Returns the bytes of one blob.
    ///
    /// # Errors
    /// As [`ImageStore::read`].
    async fn open(&self, blob: &Blob) -> Result<ByteStream, PortError>;
}
