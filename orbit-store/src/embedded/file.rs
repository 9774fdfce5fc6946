//! Files that are written from a stream and appear whole or not at all.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::{StreamExt as _, future, stream};
use orbit_core::Digest;
use orbit_core::port::{ByteStream, Kind, PortError};
use sha2::{Digest as _, Sha256};

use super::home::Home;
use crate::fault::Fault;
use crate::system::draw_name;

/// How many bytes are handed to another thread at once: enough that the hand-over costs nothing.
pub(crate) const BATCH: usize = 1 << 20;

/// A file that is being written. It is removed unless it was put in its place.
#[derive(Debug)]
pub(crate) struct Draft {
    path: Scrap,
    file: File,
    hash: Sha256,
    size: u64,
}

/// A file that is written whole and lies safely on the disk, but not in its place yet.
#[derive(Debug)]
pub(crate) struct Whole {
    path: Scrap,
    /// Its size in bytes.
    pub(crate) size: u64,
    /// The SHA-256 of its bytes.
    pub(crate) digest: Digest,
}

/// A file that is removed when the value is dropped.
#[derive(Debug)]
struct Scrap(PathBuf);

impl Drop for Scrap {
    fn drop(&mut self) {
        // What cannot be removed now is removed when the directory is opened next.
        drop(fs::remove_file(&self.0));
    }
}

impl Draft {
    /// Creates an empty draft.
    pub(crate) fn create(home: &Home) -> Result<Self, PortError> {
        let path = home.partial().join(draw_name()?);
        let file = File::create_new(&path).map_err(Fault::file("create", &path))?;
        Ok(Self { path: Scrap(path), file, hash: Sha256::new(), size: 0 })
    }

    /// Appends bytes.
    pub(crate) fn write(mut self, bytes: &[u8]) -> Result<Self, PortError> {
        self.hash.update(bytes);
        self.file.write_all(bytes).map_err(Fault::file("write", &self.path.0))?;
        self.size = self.size.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok(self)
    }

    /// Waits until the disk has every byte.
    pub(crate) fn finish(self) -> Result<Whole, PortError> {
        self.file.sync_all().map_err(Fault::file("write", &self.path.0))?;
        let digest = Digest::from_bytes(self.hash.finalize().into());
        Ok(Whole { path: self.path, size: self.size, digest })
    }
}

impl Whole {
    /// Puts the file in a place, and says whether it did: if something lies there, it stays.
    pub(crate) fn place(self, path: &Path) -> Result<bool, Fault> {
        match fs::hard_link(&self.path.0, path) {
            Ok(()) => {
                let kept = sync_parent(path).inspect_err(|_| drop(fs::remove_file(path)));
                kept.map(|()| true).map_err(Fault::file("write", path))
            }
            Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(fault) => Err(Fault::file("write", path)(fault)),
        }
    }

    /// Puts the file in a place, instead of what lies there.
    pub(crate) fn replace(self, path: &Path) -> Result<(), Fault> {
        let renamed = fs::rename(&self.path.0, path).and_then(|()| sync_parent(path));
        renamed.map_err(Fault::file("write", path))
    }
}

/// Writes a stream to a draft.
pub(crate) async fn receive(draft: Draft, body: ByteStream) -> Result<Whole, PortError> {
    let draft = fold(draft, body, Draft::write).await?;
    blocking(move || draft.finish()).await
}

/// Takes a stream into a state, batch by batch, on a thread that may wait. Two batches are in memory:
/// one that is worked on while the other comes.
pub(crate) async fn fold<S: Send + 'static>(
    mut state: S,
    mut body: ByteStream,
    step: fn(S, &[u8]) -> Result<S, PortError>,
) -> Result<S, PortError> {
    let mut batch = next_batch(&mut body).await?;
    while !batch.is_empty() {
        let step = blocking(move || step(state, &batch));
        let (stepped, next) = future::join(step, next_batch(&mut body)).await;
        state = stepped?;
        batch = next?;
    }
    Ok(state)
}

/// Writes a small file as a whole, instead of what lies there.
pub(crate) fn write(home: &Home, path: &Path, bytes: &[u8]) -> Result<(), PortError> {
    Ok(Draft::create(home)?.write(bytes)?.finish()?.replace(path)?)
}

/// Reads `len` bytes of a file from where it stands; a file that ends before that is an error.
pub(crate) fn stream(file: File, len: u64) -> ByteStream {
    let chunks = stream::try_unfold((file, len), |(mut file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let (file, chunk) = blocking(move || {
            let wanted = usize::try_from(left).unwrap_or(BATCH).min(BATCH);
            let mut chunk = vec![0; wanted];
            let read = file.read(&mut chunk);
            chunk.truncate(read.map_err(Fault::file("read", Path::new("a stored file")))?);
            Ok((file, chunk))
        })
        .await?;
        if chunk.is_empty() {
            let message = format!("a stored file ends {left} bytes before its end");
            return Err(PortError::new(Kind::Rejected, message).typed("storage-damaged"));
        }
        let left = left.saturating_sub(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        Ok(Some((Bytes::from(chunk), (file, left))))
    });
    chunks.boxed()
}

/// Does work that waits for the disk on a thread that may wait.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PortError> + Send + 'static,
) -> Result<T, PortError> {
    tokio::task::spawn_blocking(work).await.map_err(Fault::Stopped)?
}

/// Makes a change of a file's name survive a loss of power.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

/// Removes every file of a directory.
pub(crate) fn clear(dir: &Path) -> io::Result<()> {
    for file in fs::read_dir(dir)? {
        fs::remove_file(file?.path())?;
    }
    Ok(())
}

/// Collects chunks of the stream until there are enough for a batch; an empty batch is its end.
async fn next_batch(body: &mut ByteStream) -> Result<Vec<u8>, PortError> {
    let mut batch = Vec::new();
    while batch.len() < BATCH {
        let Some(chunk) = body.next().await else { break };
        batch.extend_from_slice(&chunk?);
    }
    Ok(batch)
}
