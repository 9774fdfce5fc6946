//! The port of image archives, on S3.

use async_trait::async_trait;
use orbit_core::ActionId;
use orbit_core::place::Slot;
use orbit_core::port::{ByteRange, ByteStream, ImageStore, Kind, PortError, Stored, Tag};

use super::Store;

#[async_trait]
impl ImageStore for Store {
    async fn put(
        &self,
        slot: &Slot,
        writer: &ActionId,
        body: ByteStream,
    ) -> Result<Stored, PortError> {
        self.write(slot, writer, body).await
    }

    async fn read(
        &self,
        slot: &Slot,
        tag: &Tag,
        range: Option<ByteRange>,
    ) -> Result<ByteStream, PortError> {
        self.read_write(slot, tag, range).await
    }

    async fn find(&self, slot: &Slot) -> Result<Option<Stored>, PortError> {
        match self.look(&self.place(slot)).await? {
            Some(seen) => self.stored(slot, &seen).await.map(Some),
            None => Ok(None),
        }
    }

    async fn copy(
        &self,
        (from, object): (&Slot, &Stored),
        to: &Slot,
        writer: &ActionId,
    ) -> Result<Stored, PortError> {
        self.copy_write((from, object), to, writer).await
    }

    async fn remove(&self, slot: &Slot, tag: &Tag) -> Result<(), PortError> {
        let place = self.place(slot);
        let seen = match self.look(&place).await? {
            Some(seen) if seen.tag != *tag => return Err(other_write(slot, &seen.tag, tag)),
            Some(seen) => Some(seen),
            // It may lie beneath a delete marker of somebody else, and would stay for ever.
            None => self.look_at(&place, tag).await?,
        };
        let Some(seen) = seen else { return Ok(()) };
        self.delete(&place, tag).await?;
        match seen.marks {
            Some(marks) if marks.digest.is_none() => {
                self.remove_receipt(&place, &marks.write).await;
            }
            Some(_) | None => {}
        }
        Ok(())
    }
}

pub(super) fn other_write(slot: &Slot, found: &Tag, expected: &Tag) -> PortError {
    let message = format!("write {found} lies in {slot}, expected write {expected}");
    PortError::new(Kind::Conflict, message)
}
