//! Archives as plain files, `<bucket>/<key>`, which any tool can open.
//!
//! What is known of an object lies beside it in `<key>.json` and is written first, so that an object
//! is never without. An object appears by a hard link to a finished file, which fails where something
//! lies: it is never overwritten and never half there.

#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use orbit_core::place::{Names, Slot};
use orbit_core::port::{ByteRange, ByteStream, ImageStore, Kind, PortError, Stored, Tag};
use orbit_core::{ActionId, Environments};

use super::OpenFault;
use super::file::{self, Draft, Whole, blocking};
use super::home::Home;
use crate::fault::Fault;
use crate::record;
use crate::system::draw_name;

/// The image store of a data directory.
#[derive(Debug)]
pub(crate) struct DirectoryImages(Arc<Buckets>);

#[derive(Debug)]
struct Buckets {
    home: Arc<Home>,
    names: Names,
    /// Held while what lies in a slot is looked at and changed.
    turn: Mutex<()>,
}

/// The two files of an object.
struct Paths {
    object: PathBuf,
    sidecar: PathBuf,
}

impl DirectoryImages {
    /// Makes the buckets that are missing and removes what a crash left in them.
    pub(crate) fn open(home: &Arc<Home>, environments: &Environments) -> Result<Self, OpenFault> {
        let names = Names::new(environments);
        for bucket in names.buckets() {
            let path = home.images().join(&bucket);
            if path.file_name() != Some(bucket.as_ref()) {
                return Err(OpenFault::Bucket { bucket });
            }
            fs::create_dir_all(&path).map_err(OpenFault::file(&path))?;
        }
        let images = home.images();
        remove_lone_sidecars(&images).map_err(OpenFault::file(&images))?;
        Ok(Self(Arc::new(Buckets { home: Arc::clone(home), names, turn: Mutex::new(()) })))
    }

    /// Does work on the buckets on a thread that may wait for the disk.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Buckets) -> Result<T, PortError> + Send + 'static,
    ) -> Result<T, PortError> {
        let buckets = Arc::clone(&self.0);
        blocking(move || work(&buckets)).await
    }
}

#[async_trait]
impl ImageStore for DirectoryImages {
    async fn put(
        &self,
        slot: &Slot,
        writer: &ActionId,
        body: ByteStream,
    ) -> Result<Stored, PortError> {
        let (slot, writer) = (slot.clone(), writer.clone());
        let target = slot.clone();
        let draft = self.blocking(move |buckets| {
            buckets.expect_empty(&target)?;
            Draft::create(&buckets.home)
        });
        let whole = file::receive(draft.await?, body).await?;
        self.blocking(move |buckets| buckets.place(&slot, whole, writer, |_| false)).await
    }

    async fn read(
        &self,
        slot: &Slot,
        tag: &Tag,
        range: Option<ByteRange>,
    ) -> Result<ByteStream, PortError> {
        let (slot, tag) = (slot.clone(), tag.clone());
        self.blocking(move |buckets| {
            let (mut object, stored) = buckets.open(&slot, &tag)?;
            let range = range.unwrap_or(ByteRange { offset: 0, len: stored.size });
            let end = range.offset.checked_add(range.len);
            if end.is_none_or(|end| end > stored.size) {
                let ByteRange { offset, len } = range;
                let size = stored.size;
                let message = format!("{slot} has {size} bytes, asked for {len} from {offset} on");
                return Err(PortError::new(Kind::Rejected, message));
            }
            let seek = object.seek(SeekFrom::Start(range.offset));
            seek.map_err(Fault::file("read", &buckets.paths(&slot).object))?;
            Ok(file::stream(object, range.len))
        })
        .await
    }

    async fn find(&self, slot: &Slot) -> Result<Option<Stored>, PortError> {
        let slot = slot.clone();
        self.blocking(move |buckets| buckets.in_turn(|| Ok(buckets.find(&slot)?))).await
    }

    async fn copy(
        &self,
        (from, object): (&Slot, &Stored),
        to: &Slot,
        writer: &ActionId,
    ) -> Result<Stored, PortError> {
        let (from, object, to) = (from.clone(), object.clone(), to.clone());
        let writer = writer.clone();
        self.blocking(move |buckets| buckets.copy((&from, &object), &to, &writer)).await
    }

    async fn remove(&self, slot: &Slot, tag: &Tag) -> Result<(), PortError> {
        let (slot, tag) = (slot.clone(), tag.clone());
        self.blocking(move |buckets| buckets.remove(&slot, &tag)).await
    }
}

impl Buckets {
    fn paths(&self, slot: &Slot) -> Paths {
        let bucket = self.home.images().join(self.names.bucket(&slot.shelf));
        let object = bucket.join(slot.key());
        let sidecar = object.with_added_extension("json");
        Paths { object, sidecar }
    }

    /// Looks at slots and changes them while nobody else does.
    fn in_turn<T>(&self, work: impl FnOnce() -> Result<T, PortError>) -> Result<T, PortError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        work()
    }

    fn find(&self, slot: &Slot) -> Result<Option<Stored>, Fault> {
        let Paths { object, sidecar } = self.paths(slot);
        if !object.try_exists().map_err(Fault::file("read", &object))? {
            return Ok(None);
        }
        let text = fs::read_to_string(&sidecar).map_err(Fault::file("read", &sidecar))?;
        record::read(&text).map(Some)
    }

    fn expect_empty(&self, slot: &Slot) -> Result<(), PortError> {
        let object = self.paths(slot).object;
        let is_taken = object.try_exists().map_err(Fault::file("read", &object))?;
        if is_taken { Err(occupied(slot)) } else { Ok(()) }
    }

    /// Places a draft, unless what lies in the slot already is what the caller wants there.
    fn place(
        &self,
        slot: &Slot,
        whole: Whole,
        writer: ActionId,
        is_wanted: impl Fn(&Stored) -> bool,
    ) -> Result<Stored, PortError> {
        let tag = Tag(draw_name()?);
        let stored = Stored { size: whole.size, digest: whole.digest, writer, tag };
        let Paths { object, sidecar } = self.paths(slot);
        let dir = object.parent().unwrap_or(&object);
        self.in_turn(|| {
            if let Some(there) = self.find(slot)? {
                return if is_wanted(&there) { Ok(there) } else { Err(occupied(slot)) };
            }
            fs::create_dir_all(dir).map_err(Fault::file("create", dir))?;
            file::sync_parent(dir).map_err(Fault::file("create", dir))?;
            file::write(&self.home, &sidecar, record::write(&stored).as_bytes())?;
            let placed = whole.place(&object);
            if !matches!(placed, Ok(true)) {
                drop(fs::remove_file(&sidecar));
            }
            if placed? { Ok(stored) } else { Err(occupied(slot)) }
        })
    }

    /// Opens the write `tag`; it can be read to its end even if it is removed meanwhile.
    fn open(&self, slot: &Slot, tag: &Tag) -> Result<(File, Stored), PortError> {
        self.in_turn(|| {
            let missing = || PortError::new(Kind::NotFound, format!("nothing lies in {slot}"));
            let stored = self.find(slot)?.ok_or_else(missing)?;
            if stored.tag != *tag {
                return Err(other_write(slot, &stored, tag));
            }
            let path = self.paths(slot).object;
            let object = File::open(&path).map_err(Fault::file("read", &path))?;
            Ok((object, stored))
        })
    }

    fn copy(
        &self,
        (from, object): (&Slot, &Stored),
        to: &Slot,
        writer: &ActionId,
    ) -> Result<Stored, PortError> {
        let is_copy = |there: &Stored| there.digest == object.digest && there.writer == *writer;
        match self.in_turn(|| Ok(self.find(to)?))? {
            Some(there) if is_copy(&there) => return Ok(there),
            Some(_) => return Err(occupied(to)),
            None => {}
        }
        let (mut source, _) = self.open(from, &object.tag)?;
        let mut draft = Draft::create(&self.home)?;
        let mut buffer = vec![0; file::BATCH];
        loop {
            let n_read = source.read(&mut buffer);
            let n_read = n_read.map_err(Fault::file("read", &self.paths(from).object))?;
            let Some(bytes) = buffer.get(..n_read).filter(|bytes| !bytes.is_empty()) else { break };
            draft = draft.write(bytes)?;
        }
        let whole = draft.finish()?;
        if whole.digest != object.digest {
            let (found, expected) = (whole.digest, object.digest);
            let message = format!("{from} is damaged: its bytes are {found}, expected {expected}");
            return Err(PortError::new(Kind::Rejected, message).typed("storage-damaged"));
        }
        // The same copy may have been made meanwhile, by a try that was given up.
        self.place(to, whole, writer.clone(), is_copy)
    }

    fn remove(&self, slot: &Slot, tag: &Tag) -> Result<(), PortError> {
        self.in_turn(|| {
            let Some(stored) = self.find(slot)? else { return Ok(()) };
            if stored.tag != *tag {
                return Err(other_write(slot, &stored, tag));
            }
            for path in <[_; 2]>::from(self.paths(slot)) {
                let removed = fs::remove_file(&path).and_then(|()| file::sync_parent(&path));
                removed.map_err(Fault::file("remove", &path))?;
            }
            Ok(())
        })
    }
}

impl From<Paths> for [PathBuf; 2] {
    /// Returns the files in the order in which they are removed.
    fn from(Paths { object, sidecar }: Paths) -> Self {
        [object, sidecar]
    }
}

fn occupied(slot: &Slot) -> PortError {
    PortError::new(Kind::Conflict, format!("something lies in {slot}, expected nothing"))
}

fn other_write(slot: &Slot, found: &Stored, expected: &Tag) -> PortError {
    let message = format!("write {} lies in {slot}, expected write {expected}", found.tag);
    PortError::new(Kind::Conflict, message)
}

/// Removes every `<key>.json` without its `<key>`: a crash came before the object, or after it.
fn remove_lone_sidecars(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let is_sidecar = path.extension().is_some_and(|extension| extension == "json");
        if path.is_dir() {
            remove_lone_sidecars(&path)?;
        } else if is_sidecar && !path.with_extension("").try_exists()? {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}
