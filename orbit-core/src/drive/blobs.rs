//! The blobs of an image, read out of its stored archive.

use std::sync::Arc;
use std::task::Poll;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};

use crate::archive::{Blob, Compression, Inspection, Window};
use crate::place::Slot;
use crate::port::{BlobSource, ByteRange, ByteStream, ImageStore, Kind, PortError, Stored};

/// Opens the blobs of an image in its stored archive: by range where the archive is plain, else by
/// decompressing it up to the blob's end.
pub struct StoredBlobs {
    images: Arc<dyn ImageStore>,
    slot: Slot,
    object: Stored,
    compression: Compression,
}

impl std::fmt::Debug for StoredBlobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredBlobs").field("slot", &self.slot).finish_non_exhaustive()
    }
}

impl StoredBlobs {
    /// Returns the source for the archive that lies in `slot`.
    pub fn new(
        images: Arc<dyn ImageStore>,
        slot: &Slot,
        object: &Stored,
        image: &Inspection,
    ) -> Self {
        let compression = image.compression;
        Self { images, slot: slot.clone(), object: object.clone(), compression }
    }
}

#[async_trait]
impl BlobSource for StoredBlobs {
    async fn open(&self, blob: &Blob) -> Result<ByteStream, PortError> {
        let (slot, tag) = (&self.slot, &self.object.tag);
        match self.compression {
            Compression::None => {
                let range = ByteRange { offset: blob.offset, len: blob.size };
                self.images.read(slot, tag, Some(range)).await
            }
            Compression::Gzip | Compression::Zstd => {
                let archive = self.images.read(slot, tag, None).await?;
                let window = Window::new(self.compression, blob.offset, blob.size);
                Ok(through(archive, window))
            }
        }
    }
}

/// How many bytes of an archive are worked on at once. Compressed, they may become a thousand times as
/// many, and all of those are in memory.
pub(super) const SLICE: usize = 16 * 1024;

/// Lets others run on this thread: what was done before took time.
pub(super) async fn give_way() {
    let mut given = false;
    std::future::poll_fn(|context| {
        if given {
            return Poll::Ready(());
        }
        given = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// An archive that is read through a window.
struct Through {
    archive: ByteStream,
    window: Window,
    rest: Bytes,
}

impl Through {
    /// Returns the next bytes that the window shows, or `None` at its end.
    async fn next(&mut self) -> Result<Option<Bytes>, PortError> {
        while !self.window.is_done() {
            if self.rest.is_empty() {
                let Some(chunk) = self.archive.next().await else {
                    let message = "the stored archive ends before the blob does";
                    return Err(PortError::new(Kind::Rejected, message).typed("storage-incomplete"));
                };
                self.rest = chunk?;
            }
            let slice = self.rest.split_to(self.rest.len().min(SLICE));
            let shown = self.window.feed(&slice).map_err(|fault| {
                PortError::new(Kind::Rejected, fault.to_string()).typed(fault.kind())
            })?;
            if !shown.is_empty() {
                return Ok(Some(shown.into()));
            }
            give_way().await;
        }
        Ok(None)
    }
}

/// Returns the bytes of an archive that a window shows; it stops reading at the window's end.
fn through(archive: ByteStream, window: Window) -> ByteStream {
    let start = Through { archive, window, rest: Bytes::new() };
    let chunks = stream::try_unfold(start, |mut through| async move {
        Ok(through.next().await?.map(|bytes| (bytes, through)))
    });
    chunks.boxed()
}
