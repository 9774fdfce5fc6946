//! Copies that the server makes.

use aws_sdk_s3::types::CompletedPart;
use aws_smithy_types::base64;
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use orbit_core::place::Slot;
use orbit_core::port::{ByteRange, Kind, PortError, Stored};
use orbit_core::{ActionId, Digest};
use sha2::{Digest as _, Sha256};

use super::images::other_write;
use super::object::{Hashes, Marks, Seen};
use super::refusal::Refusal;
use super::upload::{Upload, occupied};
use super::{MIB, MOST_PARTS, Place, Store};
use crate::system::draw_name;

/// What a server's hashes say of a copy.
#[derive(Debug, PartialEq, Eq)]
enum Proof {
    /// Its bytes are the source's.
    Same,
    /// They are others.
    Other,
    /// Nothing: it must be read.
    None,
}

/// A copy that is to be made.
struct Order<'a> {
    /// Where its source lies.
    from: &'a Slot,
    object: &'a Stored,
    to: &'a Slot,
    writer: &'a ActionId,
}

impl Store {
    /// Copies a write to an empty slot.
    pub(super) async fn copy_write(
        &self,
        (from, object): (&Slot, &Stored),
        to: &Slot,
        writer: &ActionId,
    ) -> Result<Stored, PortError> {
        self.abort_given_up().await;
        let (order, place) = (Order { from, object, to, writer }, self.place(to));
        if let Some(there) = self.settled(&place).await? {
            return self.same_copy(&order, &place, there).await;
        }
        let made = self.make(&order, &place).await;
        // The answer may be lost, and the same copy may have been made meanwhile, by a try that was given
        // up: what lies there decides.
        let there = self.settled(&place).await?;
        match (there, made) {
            (Some(there), _) => self.same_copy(&order, &place, there).await,
            (None, Err(error)) => Err(error),
            (None, Ok(())) => {
                let message = format!("{place} is gone as soon as it was copied");
                Err(PortError::new(Kind::Unavailable, message))
            }
        }
    }

    async fn make(&self, order: &Order<'_>, to: &Place) -> Result<(), PortError> {
        let source = self.source(order).await?;
        let part_bytes = self.part_bytes(order.object.size, source.marks.as_ref());
        let is_one = part_bytes >= order.object.size;
        let marks = Marks {
            writer: order.writer.clone(),
            write: draw_name()?,
            digest: Some(order.object.digest),
            part_bytes: (!is_one).then_some(part_bytes),
            source: source.hashes,
        };
        if order.object.size == 0 {
            // There is nothing to copy, and no part is empty.
            let version = self.put_new(to, Bytes::new(), &marks).await?;
            return self.versioned(to, version).await.map(drop);
        }
        let upload = self.begin(to, &marks).await?;
        match self.copy_parts(&upload, order, part_bytes).await {
            // If it gives way, another try has made the copy.
            Ok(parts) => upload.finish(parts).await.map(drop),
            Err(refusal) => {
                upload.abort().await;
                Err(self.not_made(order, refusal).await)
            }
        }
    }

    /// Returns why a copy was not made.
    async fn not_made(&self, order: &Order<'_>, refusal: Refusal) -> PortError {
        if !refusal.is_missing() {
            return refusal.into();
        }
        // The source went while it was copied.
        match self.source(order).await {
            Ok(_) => refusal.into(),
            Err(error) => error,
        }
    }

    /// Returns the write that is to be copied.
    async fn source(&self, order: &Order<'_>) -> Result<Seen, PortError> {
        let Order { from, object, .. } = order;
        let missing = || PortError::new(Kind::NotFound, format!("nothing lies in {from}"));
        let seen = self.look(&self.place(from)).await?.ok_or_else(missing)?;
        if seen.tag != object.tag {
            return Err(other_write(from, &seen.tag, &object.tag));
        }
        let noted = self.stored(from, &seen).await?;
        if (noted.size, noted.digest) != (object.size, object.digest) {
            let message = format!(
                "{from} is damaged: it has {} bytes with {}, expected {} with {}",
                noted.size, noted.digest, object.size, object.digest
            );
            return Err(damaged(message));
        }
        Ok(seen)
    }

    /// Returns the size of the parts to copy: all at once if that is allowed, else those of the source,
    /// so that the hashes of both can be compared.
    fn part_bytes(&self, size: u64, source: Option<&Marks>) -> u64 {
        if size <= self.settings.copy_bytes {
            return size;
        }
        let least = size.div_ceil(MOST_PARTS.into()).next_multiple_of(MIB);
        let own = self.settings.part_bytes.max(least);
        source.and_then(|marks| marks.part_bytes).unwrap_or(own)
    }

    async fn copy_parts(
        &self,
        upload: &Upload<'_>,
        order: &Order<'_>,
        part_bytes: u64,
    ) -> Result<Vec<CompletedPart>, Refusal> {
        let (from, size) = (self.place(order.from), order.object.size);
        let source = address(&from, &order.object.tag.0);
        let source = source.as_str();
        let is_all = part_bytes >= size;
        let offsets = (0..size.div_ceil(part_bytes)).map(|n| n.saturating_mul(part_bytes));
        let copies = offsets.zip(1..).map(|(offset, number)| async move {
            let len = part_bytes.min(size.saturating_sub(offset));
            upload.copy(number, source, ByteRange { offset, len }, is_all).await
        });
        stream::iter(copies).buffer_unordered(self.settings.parts_at_once).try_collect().await
    }

    /// Returns what lies in the target if it is the copy, once its bytes are proven.
    async fn same_copy(
        &self,
        order: &Order<'_>,
        place: &Place,
        there: Seen,
    ) -> Result<Stored, PortError> {
        let Order { object, to, writer, .. } = *order;
        let Some(marks) = &there.marks else { return Err(occupied(place)) };
        if marks.writer != *writer || self.stored(to, &there).await?.digest != object.digest {
            return Err(occupied(place));
        }
        let is_same = match proof(&there, object) {
            Proof::Same => true,
            Proof::Other => false,
            Proof::None => self.hash(to, &there).await? == object.digest,
        };
        if is_same {
            return self.stored(to, &there).await;
        }
        self.delete(place, &there.tag).await?;
        let (from, expected) = (order.from, object.digest);
        Err(damaged(format!("the copy of {from} to {to} is damaged, expected {expected}: removed")))
    }

    /// Reads a write to its end.
    async fn hash(&self, slot: &Slot, seen: &Seen) -> Result<Digest, PortError> {
        let mut bytes = self.read_write(slot, &seen.tag, None).await?;
        let mut hash = Sha256::new();
        while let Some(chunk) = bytes.next().await {
            hash.update(&chunk?);
        }
        Ok(Digest::from_bytes(hash.finalize().into()))
    }
}

/// Returns what the hashes of a copy prove.
fn proof(copy: &Seen, object: &Stored) -> Proof {
    if copy.size != object.size {
        return Proof::Other;
    }
    let Hashes { etag, checksum } = &copy.hashes;
    let source = copy.marks.as_ref().map(|marks| &marks.source);
    let of_whole = base64::encode(object.digest.as_bytes());
    let of_only_part = format!("{}-1", base64::encode(Sha256::digest(object.digest.as_bytes())));
    match checksum {
        Some(checksum) if *checksum == of_whole || *checksum == of_only_part => Proof::Same,
        Some(checksum) if !checksum.contains('-') || checksum.ends_with("-1") => Proof::Other,
        Some(_) if source.is_some_and(|source| source.checksum == *checksum) => Proof::Same,
        Some(_) | None => {
            let is_same = etag.is_some() && source.is_some_and(|source| source.etag == *etag);
            if is_same { Proof::Same } else { Proof::None }
        }
    }
}

/// Returns a version's address in the form of a copy's source.
fn address(place: &Place, version: &str) -> String {
    let Place { bucket, key } = place;
    format!("{}/{}?versionId={}", encode(bucket), encode(key), encode(version))
}

fn encode(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let encode = |byte: u8| match byte {
        byte if is_plain(byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

fn damaged(message: String) -> PortError {
    PortError::new(Kind::Rejected, message).typed("storage-damaged")
}

#[cfg(test)]
mod tests {
    use orbit_core::port::Tag;
    use orbit_core::testing::samples::action_id;

    use super::*;

    fn hashes(etag: Option<&str>, checksum: Option<&str>) -> Hashes {
        Hashes { etag: etag.map(str::to_owned), checksum: checksum.map(str::to_owned) }
    }

    fn check(hashes: Hashes, source: Hashes, expected: &Proof) {
        let digest = Digest::of(b"bytes");
        let (write, digest_noted) = ("a write".to_owned(), Some(digest));
        let writer = action_id(1);
        let marks =
            Marks { writer: writer.clone(), write, digest: digest_noted, part_bytes: None, source };
        let tag = Tag("a version".to_owned());
        let object = Stored { size: 5, digest, writer, tag: tag.clone() };
        let copy = Seen { tag, size: 5, hashes, marks: Some(marks) };
        assert_eq!(proof(&copy, &object), *expected, "{copy:?}");
        let short = Seen { size: 4, ..copy };
        assert_eq!(proof(&short, &object), Proof::Other);
    }

    #[test]
    fn a_copy_is_proven_by_what_stands_for_its_bytes_alone() {
        let whole = base64::encode(Digest::of(b"bytes").as_bytes());
        let only_part = base64::encode(Sha256::digest(Digest::of(b"bytes").as_bytes())) + "-1";
        let none = || hashes(None, None);
        let source = || hashes(Some("e-2"), Some("c-2"));
        check(hashes(None, Some(&whole)), none(), &Proof::Same);
        check(hashes(None, Some(&only_part)), none(), &Proof::Same);
        check(hashes(None, Some("other")), source(), &Proof::Other);
        check(hashes(Some("e-2"), Some("other-1")), source(), &Proof::Other);
        check(hashes(None, Some("c-2")), source(), &Proof::Same);
        check(hashes(Some("e-2"), None), source(), &Proof::Same);
        check(hashes(Some("e-3"), Some("c-3")), source(), &Proof::None);
        check(hashes(Some("e"), None), none(), &Proof::None);
        check(none(), none(), &Proof::None);
    }

    #[test]
    fn the_address_of_a_version_is_one_word() {
        let place = Place { bucket: "a-bucket".to_owned(), key: "testing/1 2.tar".to_owned() };
        assert_eq!(address(&place, "a+b="), "a-bucket/testing/1%202.tar?versionId=a%2Bb%3D");
    }
}
