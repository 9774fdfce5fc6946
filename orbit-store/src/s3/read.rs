//! Streams of an object's bytes that go on where a connection broke.

use std::sync::Arc;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::{ByteStream as Body, ByteStreamError};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use orbit_core::place::Slot;
use orbit_core::port::{ByteRange, ByteStream, Kind, PortError, Tag};

use super::images::other_write;
use super::refusal::{Refusal, refusal};
use super::{MIB, Place, Store};

/// How often a stream goes on after it broke before it brought [`GAIN`].
const MOST_BREAKS: u32 = 5;
/// What a connection must bring so that its break is not held against it.
const GAIN: u64 = MIB;

/// A write that is read.
struct Source {
    client: Client,
    place: Place,
    tag: Tag,
}

/// An answer to a `GET`.
struct Opened {
    body: Body,
    /// How many bytes come before the first that was asked for: a server may ignore the range.
    ahead: u64,
    /// The size of the object, if the answer tells it.
    size: Option<u64>,
}

/// Where a stream stands.
struct Reader {
    source: Arc<Source>,
    body: Option<Body>,
    ahead: u64,
    at: u64,
    end: u64,
    /// Where the connection began.
    opened_at: u64,
    n_breaks: u32,
}

impl Store {
    /// Returns the bytes of a write, or of a range of it.
    pub(super) async fn read_write(
        &self,
        slot: &Slot,
        tag: &Tag,
        range: Option<ByteRange>,
    ) -> Result<ByteStream, PortError> {
        let place = self.place(slot);
        let source = Source { client: self.client.clone(), place, tag: tag.clone() };
        let place = &source.place;
        let opened = match range {
            // No range of HTTP is empty.
            Some(ByteRange { len: 0, .. }) => None,
            None => Some(source.open(0, None).await),
            Some(ByteRange { offset, len }) => {
                Some(source.open(offset, Some(offset.saturating_add(len))).await)
            }
        };
        let opened = match opened {
            None => None,
            Some(Ok(opened)) => Some(opened),
            Some(Err(refusal)) if refusal.is_past_the_end() => None,
            Some(Err(refusal)) if refusal.is_missing() || refusal.is_no_version() => {
                return Err(self.missing(slot, place, tag).await);
            }
            Some(Err(refusal)) => return Err(refusal.into()),
        };
        let size = match opened.as_ref().and_then(|opened| opened.size) {
            Some(size) => size,
            None => match self.look_at(place, tag).await? {
                Some(seen) => seen.size,
                None => return Err(self.missing(slot, place, tag).await),
            },
        };
        let ByteRange { offset, len } = range.unwrap_or(ByteRange { offset: 0, len: size });
        let end = offset.checked_add(len).filter(|end| *end <= size).ok_or_else(|| {
            let message = format!("{slot} has {size} bytes, asked for {len} from {offset} on");
            PortError::new(Kind::Rejected, message)
        })?;
        let (body, ahead) = opened.map_or((None, 0), |opened| (Some(opened.body), opened.ahead));
        let source = Arc::new(source);
        let reader =
            Reader { source, body, ahead, at: offset, end, opened_at: offset, n_breaks: 0 };
        Ok(reader.stream())
    }

    /// Returns why a write is not there.
    async fn missing(&self, slot: &Slot, place: &Place, tag: &Tag) -> PortError {
        match self.look(place).await {
            Ok(Some(seen)) if seen.tag != *tag => other_write(slot, &seen.tag, tag),
            Ok(_) => PortError::new(Kind::NotFound, format!("nothing lies in {slot}")),
            Err(error) => error,
        }
    }
}

impl Source {
    /// Asks for the bytes from `at` on, up to `end` if it is given.
    async fn open(&self, at: u64, end: Option<u64>) -> Result<Opened, Refusal> {
        let Place { bucket, key } = &self.place;
        let last = end.map(|end| end.saturating_sub(1).to_string()).unwrap_or_default();
        let call = self.client.get_object().bucket(bucket).key(key).version_id(&self.tag.0);
        let answer = call.range(format!("bytes={at}-{last}")).send().await;
        let object = answer.map_err(refusal("GetObject", bucket))?;
        // Without a range of its own, an answer is the whole object.
        let (begin, size) = match object.content_range().and_then(parse_range) {
            Some((begin, size)) => (begin, Some(size)),
            None => (0, None),
        };
        Ok(Opened { ahead: at.saturating_sub(begin), size, body: object.body })
    }
}

impl Reader {
    fn stream(self) -> ByteStream {
        let chunks = stream::try_unfold(self, |mut reader| async move {
            Ok(reader.next().await?.map(|bytes| (bytes, reader)))
        });
        chunks.boxed()
    }

    /// Returns the next bytes, or `None` at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, PortError> {
        while self.at < self.end {
            let body = match &mut self.body {
                Some(body) => body,
                None => self.go_on().await?,
            };
            match body.next().await {
                Some(Ok(bytes)) => {
                    let bytes = self.wanted(bytes);
                    if !bytes.is_empty() {
                        return Ok(Some(bytes));
                    }
                }
                Some(Err(fault)) => self.broke(Some(fault))?,
                None => self.broke(None)?,
            }
        }
        Ok(None)
    }

    /// Cuts off what comes before and after what was asked for.
    fn wanted(&mut self, mut bytes: Bytes) -> Bytes {
        let n_ahead = usize::try_from(self.ahead).unwrap_or(usize::MAX).min(bytes.len());
        drop(bytes.split_to(n_ahead));
        self.ahead = self.ahead.saturating_sub(u64::try_from(n_ahead).unwrap_or(u64::MAX));
        bytes.truncate(usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX));
        self.at = self.at.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        bytes
    }

    async fn go_on(&mut self) -> Result<&mut Body, PortError> {
        let opened = match self.source.open(self.at, Some(self.end)).await {
            Ok(opened) => opened,
            Err(refusal) if refusal.is_missing() => {
                let message = format!("{} was removed while it was read", self.source.place);
                return Err(PortError::caused(Kind::NotFound, message, PortError::from(refusal)));
            }
            Err(refusal) => return Err(refusal.into()),
        };
        self.opened_at = self.at;
        self.ahead = opened.ahead;
        Ok(self.body.insert(opened.body))
    }

    /// Takes note that the connection ended before its end.
    fn broke(&mut self, fault: Option<ByteStreamError>) -> Result<(), PortError> {
        self.body = None;
        let gain = self.at.saturating_sub(self.opened_at);
        self.n_breaks = if gain < GAIN { self.n_breaks.saturating_add(1) } else { 0 };
        if self.n_breaks <= MOST_BREAKS {
            return Ok(());
        }
        let Self { at, end, .. } = self;
        let place = &self.source.place;
        let message = format!("{place} broke off at byte {at}, expected {end}");
        Err(match fault {
            Some(fault) => PortError::caused(Kind::Unavailable, message, fault),
            None => PortError::new(Kind::Unavailable, message),
        })
    }
}

/// Returns the first byte and the size of the whole from `bytes 3-6/10`.
fn parse_range(text: &str) -> Option<(u64, u64)> {
    let (range, size) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (begin, _) = range.split_once('-')?;
    Some((begin.parse().ok()?, size.parse().ok()?))
}
