//! The registry: one OCI image layout, which `skopeo` and its kin read as
//! `oci:<directory>:<repository>:<tag>`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use orbit_core::Digest;
use orbit_core::archive::{Blob, Inspection, Manifest};
use orbit_core::port::{BlobSource, Kind, PortError, Registry};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::OpenFault;
use super::file::{self, Draft, blocking};
use super::home::Home;
use crate::fault::Fault;

/// The annotation that names an image in a layout, by the OCI image specification.
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// The registry of a data directory.
#[derive(Debug)]
pub(crate) struct LayoutRegistry(Arc<Layout>);

#[derive(Debug)]
struct Layout {
    home: Arc<Home>,
    /// Held while the index is changed; other processes wait for a file's lock.
    turn: Mutex<()>,
}

/// `index.json`. What other tools put into it stays.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u32,
    manifests: Vec<Descriptor>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: String,
    size: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl LayoutRegistry {
    /// Makes what is missing of the layout.
    pub(crate) fn open(home: &Arc<Home>) -> Result<Self, OpenFault> {
        let (dir, blobs) = (home.registry(), home.registry().join("blobs/sha256"));
        fs::create_dir_all(&blobs).map_err(OpenFault::file(&blobs))?;
        let marker = dir.join("oci-layout");
        let marked = fs::write(&marker, r#"{"imageLayoutVersion":"1.0.0"}"#);
        marked.map_err(OpenFault::file(&marker))?;
        Ok(Self(Arc::new(Layout { home: Arc::clone(home), turn: Mutex::new(()) })))
    }

    async fn send(&self, blob: &Blob, source: &dyn BlobSource) -> Result<(), PortError> {
        let layout = Arc::clone(&self.0);
        let (digest, size) = (blob.digest, blob.size);
        let draft = blocking(move || layout.draft_unless_there(&digest, size));
        let Some(draft) = draft.await? else { return Ok(()) };
        let whole = file::receive(draft, source.open(blob).await?).await?;
        if (whole.digest, whole.size) != (digest, size) {
            let (found, n_found) = (whole.digest, whole.size);
            let message =
                format!("blob is {found} of {n_found} bytes, expected {digest} of {size} bytes");
            return Err(PortError::new(Kind::Rejected, message).typed("storage-damaged"));
        }
        let path = self.0.blob(&digest);
        blocking(move || Ok(whole.replace(&path)?)).await
    }
}

#[async_trait]
impl Registry for LayoutRegistry {
    async fn push(
        &self,
        repository: &str,
        tag: &str,
        image: &Inspection,
        source: &dyn BlobSource,
    ) -> Result<(), PortError> {
        self.send(&image.config, source).await?;
        for layer in &image.layers {
            self.send(layer, source).await?;
        }
        let (layout, manifest) = (Arc::clone(&self.0), image.manifest.clone());
        let name = format!("{repository}:{tag}");
        blocking(move || layout.publish(name, &manifest)).await
    }
}

impl Layout {
    fn blob(&self, digest: &Digest) -> PathBuf {
        self.home.registry().join("blobs/sha256").join(digest.hex())
    }

    /// Returns a draft for a blob, or `None` if the blob is there.
    fn draft_unless_there(&self, digest: &Digest, size: u64) -> Result<Option<Draft>, PortError> {
        let path = self.blob(digest);
        match fs::metadata(&path) {
            Ok(there) if there.len() == size => Ok(None),
            Ok(_) => Draft::create(&self.home).map(Some),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => {
                Draft::create(&self.home).map(Some)
            }
            Err(fault) => Err(Fault::file("read", &path)(fault).into()),
        }
    }

    /// Keeps the manifest, and makes a name stand for it and for nothing else.
    fn publish(&self, name: String, manifest: &Manifest) -> Result<(), PortError> {
        let bytes = manifest.bytes.as_bytes();
        let (found, expected) = (Digest::of(bytes), manifest.digest);
        if found != expected {
            let message = format!("manifest is {found}, expected {expected}");
            return Err(PortError::new(Kind::Rejected, message));
        }
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if let Some(draft) = self.draft_unless_there(&expected, size)? {
            draft.write(bytes)?.finish()?.replace(&self.blob(&expected))?;
        }
        let path = self.home.registry().join("index.json");
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = self.home.take_turn("registry.lock");
        let _turn_of_process = turn.map_err(Fault::file("lock", &path))?;
        let mut index = read_index(&path)?;
        let digest = expected.to_string();
        if index.manifests.iter().any(|there| there.has(&name) && there.digest == digest) {
            return Ok(());
        }
        index.manifests.retain(|other| !other.has(&name));
        index.manifests.push(Descriptor {
            media_type: manifest.media_type.clone(),
            digest,
            size,
            annotations: BTreeMap::from([(REF_NAME.to_owned(), name)]),
            rest: Map::new(),
        });
        let index = serde_json::to_vec(&index).map_err(Fault::Record)?;
        file::write(&self.home, &path, &index)
    }
}

fn read_index(path: &Path) -> Result<Index, Fault> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(Fault::Record),
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(Index::empty()),
        Err(fault) => Err(Fault::file("read", path)(fault)),
    }
}

impl Descriptor {
    fn has(&self, name: &str) -> bool {
        self.annotations.get(REF_NAME).is_some_and(|other| other == name)
    }
}

impl Index {
    fn empty() -> Self {
        let media_type = Value::from("application/vnd.oci.image.index.v1+json");
        let rest = Map::from_iter([("mediaType".to_owned(), media_type)]);
        Self { schema_version: 2, manifests: Vec::new(), rest }
    }
}
