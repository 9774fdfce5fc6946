//! What an item says, as JSON, in whatever form it fits.
//!
//! One attribute holds it, and its type tells the form: a text is the JSON itself, bytes are the JSON
//! compressed, a map says in which items of the action table the compressed bytes lie.
//!
//! Parts are written before the item that refers to them, under a name that no other attempt has, so
//! that an item never refers to what somebody else removes. A crash in between leaves parts that
//! nothing refers to: they cost their storage and are in nobody's way.

use std::collections::HashMap;
use std::io::Read as _;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use orbit_core::port::{Kind, PortError};
use serde::de::DeserializeOwned;

use super::item::{Draft, Item, damaged, key, number, number_of, text, text_of};
use super::schema::ACTION_KEY;
use super::tables::Tables;
use crate::fault::Fault;
use crate::record;
use crate::system::draw_name;

/// The longest JSON that is kept: the scan report of an image with 100,000 packages is half of it.
const MAX_TEXT: usize = 32 << 20;
/// JSON up to this is kept as it is, for people to read.
const PLAIN: usize = 8 << 10;
/// How much one part holds, of the 400 KB that an item may have.
const PART: usize = 350 << 10;
/// How many parts are on their way at once.
const AT_ONCE: usize = 8;
/// From this size on, work on bytes is done on a thread that may block.
const LONG_WORK: usize = 256 << 10;

/// How much an item holds beside what else is in it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Room {
    /// An item that is written alone: 300 KiB of at most 400 KB.
    Alone,
    /// One of up to 100 items of a transaction, which together are at most 4 MB: 32 KiB.
    Shared,
}

impl Room {
    const fn bytes(self) -> usize {
        match self {
            Self::Alone => 300 << 10,
            Self::Shared => 32 << 10,
        }
    }
}

/// The parts of the bodies that one call writes.
#[derive(Debug)]
pub(super) struct Parcel {
    partition: String,
    n_bodies: u32,
    parts: Vec<(String, Vec<u8>)>,
}

impl Parcel {
    /// Returns an empty parcel with a name of its own.
    pub(super) fn new() -> Result<Self, PortError> {
        let partition = format!("part#{}", draw_name()?);
        Ok(Self { partition, n_bodies: 0, parts: Vec::new() })
    }

    /// Returns its name, which only its own items carry.
    pub(super) fn name(&self) -> &str {
        &self.partition
    }

    /// Returns the attribute that keeps a JSON, and takes up the parts that it refers to. `what`
    /// names it if it is too long.
    pub(super) async fn pack(
        &mut self,
        what: &str,
        json: String,
        room: Room,
    ) -> Result<AttributeValue, PortError> {
        let n_bytes = json.len();
        if n_bytes > MAX_TEXT {
            let message = format!("{what} takes {n_bytes} bytes, expected at most {MAX_TEXT}");
            return Err(PortError::new(Kind::Rejected, message));
        }
        if n_bytes <= PLAIN {
            return Ok(AttributeValue::S(json));
        }
        let bytes = work(n_bytes, move || zstd::encode_all(json.as_bytes(), 0)).await?;
        if bytes.len() <= room.bytes() {
            return Ok(AttributeValue::B(Blob::new(bytes)));
        }
        self.n_bodies += 1;
        let first = self.parts.len();
        for (n, part) in bytes.chunks(PART).enumerate() {
            self.parts.push((part_name(self.n_bodies, n), part.to_vec()));
        }
        let map = HashMap::from([
            ("partition".to_owned(), text(&self.partition)),
            ("body".to_owned(), number(self.n_bodies)),
            ("parts".to_owned(), number(self.parts.len() - first)),
            ("bytes".to_owned(), number(bytes.len())),
        ]);
        Ok(AttributeValue::M(map))
    }
}

fn part_name(n_body: u32, n_part: usize) -> String {
    format!("{n_body:03}#{n_part:05}")
}

impl Tables {
    /// Writes the parts of a parcel.
    pub(super) async fn send(&self, parcel: &Parcel) -> Result<(), PortError> {
        let (table, at) = (self.names.action_table(), self.clock.now());
        let puts = parcel.parts.iter().map(|(name, bytes)| {
            let key = key(ACTION_KEY, [&parcel.partition, name]);
            let bytes = AttributeValue::B(Blob::new(bytes.as_slice()));
            let item = Draft::new(key, at).value("bytes", bytes).done();
            let table = &table;
            async move { self.put(table, &item).await }
        });
        let puts: Vec<_> = puts.collect();
        stream::iter(puts).buffer_unordered(AT_ONCE).try_collect().await
    }

    /// Removes the parts of a parcel that nothing refers to.
    pub(super) async fn recall(&self, parcel: &Parcel) {
        let names = parcel.parts.iter().map(|(name, _)| name.clone());
        self.discard(&parcel.partition, names.collect()).await;
    }

    /// Removes the parts of a body whose item is gone.
    pub(super) async fn forget(&self, body: Option<&AttributeValue>) {
        let Some(Ok(map)) = body.map(AttributeValue::as_m) else { return };
        if let Ok((partition, names)) = parts_of(map) {
            self.discard(partition, names).await;
        }
    }

    /// What is left behind by a removal that fails is in nobody's way.
    async fn discard(&self, partition: &str, names: Vec<String>) {
        let table = self.names.action_table();
        let removals = names.iter().map(|name| {
            let key = key(ACTION_KEY, [partition, name]);
            self.client.delete_item().table_name(&table).set_key(Some(key)).send()
        });
        let removals: Vec<_> = removals.collect();
        stream::iter(removals).buffer_unordered(AT_ONCE).for_each(|_| async {}).await;
    }

    /// Returns what the body of an item says.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        item: &Item,
        name: &str,
    ) -> Result<T, PortError> {
        let json = match item.get(name) {
            Some(AttributeValue::S(json)) => return Ok(record::read(json)?),
            Some(AttributeValue::B(bytes)) => unpack(bytes.as_ref().to_vec()).await?,
            Some(AttributeValue::M(map)) => unpack(self.collect(map).await?).await?,
            _ => return Err(damaged(name)),
        };
        Ok(record::read(&json)?)
    }

    async fn collect(&self, map: &Item) -> Result<Vec<u8>, PortError> {
        let (table, (partition, names)) = (self.names.action_table(), parts_of(map)?);
        let gets = names.iter().map(|name| self.get(&table, key(ACTION_KEY, [partition, name])));
        let gets: Vec<_> = gets.collect();
        let parts: Vec<_> = stream::iter(gets).buffered(AT_ONCE).try_collect().await?;
        let mut bytes = Vec::with_capacity(number_of(map, "bytes")?);
        for (part, name) in parts.iter().zip(&names) {
            let part = part.as_ref().and_then(|part| part.get("bytes")?.as_b().ok());
            let part = part.ok_or_else(|| {
                let message = format!("part {name} of {partition} is missing in table {table}");
                PortError::new(Kind::Unavailable, message)
            })?;
            bytes.extend_from_slice(part.as_ref());
        }
        Ok(bytes)
    }
}

fn parts_of(map: &Item) -> Result<(&str, Vec<String>), PortError> {
    let (n_body, n_parts): (u32, usize) = (number_of(map, "body")?, number_of(map, "parts")?);
    let names = (0..n_parts).map(|n| part_name(n_body, n)).collect();
    Ok((text_of(map, "partition")?, names))
}

async fn unpack(bytes: Vec<u8>) -> Result<String, PortError> {
    let limit = u64::try_from(MAX_TEXT).unwrap_or(u64::MAX);
    let decode = move || {
        let mut json = String::new();
        zstd::Decoder::new(bytes.as_slice())?.take(limit).read_to_string(&mut json)?;
        Ok(json)
    };
    // A compressed body is long even if its bytes are few.
    work(LONG_WORK, decode).await
}

/// Works on bytes, away from the threads that serve requests if it takes long.
async fn work<T: Send + 'static>(
    n_bytes: usize,
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, PortError> {
    let result = if n_bytes < LONG_WORK {
        work()
    } else {
        tokio::task::spawn_blocking(work).await.map_err(Fault::Stopped)?
    };
    result.map_err(|error| {
        PortError::caused(Kind::Unavailable, "a record cannot be compressed or read", error)
    })
}
