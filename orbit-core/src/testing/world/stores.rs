//! The world's images, charts and records.

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, stream};

use super::{State, World, conflict, not_found, rejected};
use crate::chart::Chart;
use crate::place::{ChartPlace, Shelf, Slot};
use crate::port::{
    ByteRange, ByteStream, ChartStore, ImageStore, PortError, Record, RecordFilter, RecordKey,
    RecordPage, Records, Stored, StoredChart, Tag,
};
use crate::query::Cursor;
use crate::{ActionId, Digest, ImageId};

impl State {
    fn write(&mut self, slot: Slot, writer: ActionId, bytes: Bytes) -> Result<Stored, PortError> {
        if self.objects.contains_key(&slot) {
            return Err(conflict(format!("{slot} is occupied")));
        }
        self.n_tags += 1;
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let (digest, tag) = (Digest::of(&bytes), Tag(format!("t{}", self.n_tags)));
        let stored = Stored { size, digest, writer, tag };
        self.objects.insert(slot, (stored.clone(), bytes));
        Ok(stored)
    }

    fn object(&self, slot: &Slot, tag: &Tag) -> Result<&(Stored, Bytes), PortError> {
        match self.objects.get(slot) {
            None => Err(not_found(format!("{slot} is empty"))),
            Some((stored, _)) if stored.tag != *tag => {
                Err(conflict(format!("another write lies in {slot}")))
            }
            Some(object) => Ok(object),
        }
    }
}

#[async_trait]
impl ImageStore for World {
    async fn put(
        &self,
        slot: &Slot,
        writer: &ActionId,
        mut body: ByteStream,
    ) -> Result<Stored, PortError> {
        let mut bytes = BytesMut::new();
        while let Some(chunk) = body.next().await {
            bytes.extend_from_slice(&chunk?);
        }
        let (slot, writer, bytes) = (slot.clone(), writer.clone(), bytes.freeze());
        self.call("images.put", move |state| state.write(slot, writer, bytes))
    }

    async fn read(
        &self,
        slot: &Slot,
        tag: &Tag,
        range: Option<ByteRange>,
    ) -> Result<ByteStream, PortError> {
        let (slot, tag) = (slot.clone(), tag.clone());
        self.call("images.read", move |state| {
            let (_, bytes) = state.object(&slot, &tag)?;
            let part = match range {
                None => bytes.clone(),
                Some(ByteRange { offset, len }) => {
                    let start = usize::try_from(offset).unwrap_or(usize::MAX);
                    let end = start.saturating_add(usize::try_from(len).unwrap_or(usize::MAX));
                    if end > bytes.len() {
                        return Err(rejected("the range goes beyond the object"));
                    }
                    bytes.slice(start..end)
                }
            };
            Ok(stream::iter([Ok(part)]).boxed())
        })
    }

    async fn find(&self, slot: &Slot) -> Result<Option<Stored>, PortError> {
        let slot = slot.clone();
        self.call("images.find", move |state| {
            Ok(state.objects.get(&slot).map(|(stored, _)| stored.clone()))
        })
    }

    async fn copy(
        &self,
        from: (&Slot, &Stored),
        to: &Slot,
        writer: &ActionId,
    ) -> Result<Stored, PortError> {
        let (source, object) = (from.0.clone(), from.1.clone());
        let (to, writer) = (to.clone(), writer.clone());
        self.call("images.copy", move |state| {
            let is_copy = |there: &Stored| there.writer == writer && there.digest == object.digest;
            match state.objects.get(&to) {
                Some((there, _)) if is_copy(there) => return Ok(there.clone()),
                Some(_) => return Err(conflict(format!("{to} is occupied"))),
                None => {}
            }
            let (_, bytes) = state.object(&source, &object.tag)?;
            let bytes = bytes.clone();
            if Digest::of(&bytes) != object.digest {
                return Err(rejected(format!("the bytes in {source} are damaged")));
            }
            state.write(to, writer, bytes)
        })
    }

    async fn remove(&self, slot: &Slot, tag: &Tag) -> Result<(), PortError> {
        let (slot, tag) = (slot.clone(), tag.clone());
        self.call("images.remove", move |state| {
            if state.objects.contains_key(&slot) {
                state.object(&slot, &tag)?;
                state.objects.remove(&slot);
            }
            Ok(())
        })
    }
}

#[async_trait]
impl ChartStore for World {
    async fn put(
        &self,
        place: &ChartPlace,
        writer: &ActionId,
        chart: &Chart,
    ) -> Result<StoredChart, PortError> {
        let new =
            StoredChart { place: place.clone(), chart: chart.clone(), writer: writer.clone() };
        self.call("charts.put", move |state| {
            let there = state.charts.entry(new.place.clone()).or_insert_with(|| new.clone());
            if there.chart == new.chart {
                return Ok(there.clone());
            }
            Err(conflict(format!("another chart lies in {}", new.place)))
        })
    }

    async fn find(&self, place: &ChartPlace) -> Result<Option<StoredChart>, PortError> {
        let place = place.clone();
        self.call("charts.find", move |state| Ok(state.charts.get(&place).cloned()))
    }

    async fn list(&self, shelf: &Shelf, image: &ImageId) -> Result<Vec<StoredChart>, PortError> {
        let (shelf, image) = (shelf.clone(), image.clone());
        self.call("charts.list", move |state| {
            let here = |place: &ChartPlace| place.shelf == shelf && place.image == image;
            Ok(state.charts.values().filter(|stored| here(&stored.place)).cloned().collect())
        })
    }

    async fn remove(&self, place: &ChartPlace, writer: &ActionId) -> Result<(), PortError> {
        let (place, writer) = (place.clone(), writer.clone());
        self.call("charts.remove", move |state| match state.charts.get(&place) {
            Some(there) if there.writer != writer => {
                Err(conflict(format!("another action put what lies in {place}")))
            }
            Some(_) | None => {
                state.charts.remove(&place);
                Ok(())
            }
        })
    }
}

#[async_trait]
impl Records for World {
    async fn put(&self, record: &Record) -> Result<(), PortError> {
        let record = record.clone();
        self.call("records.put", move |state| {
            let there = state.records.entry(record.key.clone()).or_insert_with(|| record.clone());
            if *there == record {
                return Ok(());
            }
            Err(conflict(format!("another record has the key {:?}", record.key)))
        })
    }

    async fn find(&self, key: &RecordKey) -> Result<Option<Record>, PortError> {
        let key = key.clone();
        self.call("records.find", move |state| Ok(state.records.get(&key).cloned()))
    }

    async fn remove(&self, key: &RecordKey, writer: &ActionId) -> Result<(), PortError> {
        let (key, writer) = (key.clone(), writer.clone());
        self.call("records.remove", move |state| match state.records.get(&key) {
            Some(there) if there.writer != writer => {
                Err(conflict(format!("another action wrote the record {key:?}")))
            }
            Some(_) | None => {
                state.records.remove(&key);
                Ok(())
            }
        })
    }

    async fn query(&self, filter: &RecordFilter) -> Result<RecordPage, PortError> {
        let filter = filter.clone();
        self.call("records.query", move |state| {
            let identity =
                format!("{:?}", RecordFilter { cursor: None, limit: 0, ..filter.clone() });
            let after = match &filter.cursor {
                None => None,
                Some(cursor) => Some(
                    cursor
                        .open::<(i64, RecordKey)>(&identity)
                        .map_err(|e| rejected(e.to_string()))?,
                ),
            };
            let mut records: Vec<_> =
                state.records.values().filter(|record| matches(record, &filter)).collect();
            records.sort_by(|a, b| (b.at, &b.key).cmp(&(a.at, &a.key)));
            let rest = records.into_iter().filter(|record| {
                after
                    .as_ref()
                    .is_none_or(|(at, key)| (record.at.millis(), &record.key) < (*at, key))
            });
            let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
            let mut records: Vec<_> = rest.take(limit + 1).cloned().collect();
            let more = records.len() > limit;
            records.truncate(limit);
            let last = records.last().filter(|_| more);
            let next = last.map(|r| Cursor::new(&identity, &(r.at.millis(), &r.key)));
            Ok(RecordPage { records, next })
        })
    }
}

fn matches(record: &Record, filter: &RecordFilter) -> bool {
    record.key.table == filter.table
        && filter.partition.as_ref().is_none_or(|partition| record.key.partition == *partition)
        && filter.writer.as_ref().is_none_or(|writer| record.writer == *writer)
        && filter.from.is_none_or(|from| record.at >= from)
        && filter.to.is_none_or(|to| record.at < to)
}
