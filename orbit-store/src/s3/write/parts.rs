//! A stream, cut into parts.

use bytes::{Buf as _, Bytes};
use futures_util::StreamExt as _;
use orbit_core::Digest;
use orbit_core::port::{ByteStream, Kind, PortError};
use sha2::{Digest as _, Sha256};

use crate::fault::Fault;
use crate::s3::upload::Part;

/// The parts of a stream, hashed as they come.
pub(super) struct Parts {
    body: ByteStream,
    /// What came with the last part and belongs to the next.
    rest: Bytes,
    part_bytes: u64,
    most: u32,
    n_cut: u32,
    hash: Sha256,
    size: u64,
}

/// A part, and whether it ends the stream.
pub(super) struct Cut {
    pub(super) part: Part,
    pub(super) is_last: bool,
}

impl Parts {
    pub(super) fn new(body: ByteStream, part_bytes: u64, most: u32) -> Self {
        let (rest, hash) = (Bytes::new(), Sha256::new());
        Self { body, rest, part_bytes, most, n_cut: 0, hash, size: 0 }
    }

    /// Returns the next part: the first may be empty, and every one but the last is full. Nothing comes
    /// after the last.
    pub(super) async fn next(&mut self) -> Result<Cut, PortError> {
        if self.n_cut == self.most {
            return Err(self.too_many());
        }
        self.n_cut += 1;
        let part_bytes = usize::try_from(self.part_bytes).unwrap_or(usize::MAX);
        let mut bytes = Vec::new();
        while bytes.len() < part_bytes && self.fill().await? {
            let taken = self.rest.len().min(part_bytes.saturating_sub(bytes.len()));
            if bytes.is_empty() && taken < self.rest.len().max(part_bytes) {
                // It grows to its full size in most cases; the system gives the memory as it is used.
                bytes.reserve_exact(part_bytes);
            }
            bytes.extend_from_slice(&self.rest.split_to(taken));
        }
        let is_last = !self.fill().await?;
        self.size = self.size.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let (bytes, sha256) = self.hash(bytes).await?;
        let number = i32::try_from(self.n_cut).unwrap_or(i32::MAX);
        Ok(Cut { part: Part { number, bytes, sha256 }, is_last })
    }

    /// Returns the size and the digest of the parts so far.
    pub(super) fn total(&self) -> (u64, Digest) {
        (self.size, Digest::from_bytes(self.hash.clone().finalize().into()))
    }

    /// Sees to it that there is a rest, and returns whether there is: if not, the stream is over.
    async fn fill(&mut self) -> Result<bool, PortError> {
        while !self.rest.has_remaining() {
            let Some(chunk) = self.body.next().await else { return Ok(false) };
            self.rest = chunk?;
        }
        Ok(true)
    }

    /// Hashes a part by itself and into the whole, on a thread that may take the time.
    async fn hash(&mut self, bytes: Vec<u8>) -> Result<(Bytes, [u8; 32]), PortError> {
        let mut hash = std::mem::take(&mut self.hash);
        let work = tokio::task::spawn_blocking(move || {
            hash.update(&bytes);
            let sha256 = Sha256::digest(&bytes).into();
            (hash, Bytes::from(bytes), sha256)
        });
        let (hash, bytes, sha256) = work.await.map_err(Fault::Stopped)?;
        self.hash = hash;
        Ok((bytes, sha256))
    }

    fn too_many(&self) -> PortError {
        let Self { part_bytes, most, .. } = self;
        let limit = part_bytes.saturating_mul((*most).into());
        let message = format!(
            "the upload has more than {limit} bytes, expected at most {most} parts of {part_bytes} \
             bytes, the most that S3 takes"
        );
        PortError::new(Kind::Rejected, message).typed("storage-limit")
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn parts(chunks: &'static [&'static str], part_bytes: u64, most: u32) -> Parts {
        let chunks = chunks.iter().map(|text| Ok(Bytes::from_static(text.as_bytes())));
        Parts::new(stream::iter(chunks).boxed(), part_bytes, most)
    }

    async fn cut(parts: &mut Parts) -> Result<Vec<String>, PortError> {
        let mut texts = Vec::new();
        loop {
            let Cut { part, is_last } = parts.next().await?;
            assert_eq!(part.sha256, *Digest::of(&part.bytes).as_bytes());
            assert_eq!(usize::try_from(part.number), Ok(texts.len() + 1));
            texts.push(String::from_utf8(part.bytes.to_vec()).unwrap());
            if is_last {
                return Ok(texts);
            }
        }
    }

    #[tokio::test]
    async fn every_part_but_the_last_is_full_however_the_bytes_come() {
        let cases: [(&[&str], &[&str]); 6] = [
            (&[], &[""]),
            (&["", "abc", ""], &["abc"]),
            (&["abcd", ""], &["abcd"]),
            (&["a", "bcdefghi", "", "j"], &["abcd", "efgh", "ij"]),
            (&["abcdefgh"], &["abcd", "efgh"]),
            (&["abcdefgh", "i"], &["abcd", "efgh", "i"]),
        ];
        for (chunks, expected) in cases {
            let mut parts = parts(chunks, 4, 3);
            assert_eq!(cut(&mut parts).await.unwrap(), expected, "{chunks:?}");
            let whole = chunks.concat();
            let size = u64::try_from(whole.len()).unwrap();
            assert_eq!(parts.total(), (size, Digest::of(whole.as_bytes())));
        }
    }

    #[tokio::test]
    async fn a_stream_of_too_many_parts_is_refused_with_the_limit() {
        let error = cut(&mut parts(&["abcdefgh", "i"], 4, 2)).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Rejected);
        let expected = "the upload has more than 8 bytes, expected at most 2 parts of 4 bytes, the most \
                        that S3 takes";
        assert_eq!(error.to_string(), expected);
    }
}
