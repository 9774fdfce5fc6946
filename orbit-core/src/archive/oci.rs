//! The OCI image layout: `oci-layout`, `index.json`, and blobs named by their digests.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::Digest;

use super::contents::{Contents, File, blob_name};
use super::fault::{ArchiveFault, Place, Situation};
use super::image::{Image, Named, check, count};
use super::json::{self, Node};
use super::limits::Limits;
use super::{Blob, Manifest, media};

pub(crate) const LAYOUT: &str = "oci-layout";
pub(crate) const INDEX: &str = "index.json";

/// Reads and checks the one image of a layout.
pub(crate) fn image(contents: &Contents, limits: &Limits) -> Result<Image, ArchiveFault> {
    let layout = Layout { contents, limits };
    layout.version()?;
    let manifest = layout.only_manifest()?;
    layout.image(&manifest)
}

struct Layout<'a> {
    contents: &'a Contents,
    limits: &'a Limits,
}

/// What a descriptor says, checked against the blob that it names.
struct Described<'a> {
    file: &'a File,
    digest: Digest,
    media_type: String,
    place: Place,
}

impl<'a> Layout<'a> {
    fn version(&self) -> Result<(), ArchiveFault> {
        let value = self.document(LAYOUT)?;
        let version = Node::root(LAYOUT, &value).field("imageLayoutVersion")?;
        if version.text()?.starts_with("1.") {
            return Ok(());
        }
        Err(version.fault(Situation::Field("version 1")))
    }

    /// Reads a document of the layout itself.
    fn document(&self, name: &str) -> Result<Value, ArchiveFault> {
        let place = Place::field(name, "");
        let file = self.contents.file(name, &Place::archive())?;
        self.parse(file).map_err(|situation| situation.at(place))
    }

    fn parse(&self, file: &File) -> Result<Value, Situation> {
        json::parse(file.document(self.limits)?, self.limits)
    }

    /// Returns the manifest of the only image that the index names, itself or in an index below it.
    ///
    /// One image under several tags is one image.
    fn only_manifest(&self) -> Result<Described<'a>, ArchiveFault> {
        let value = self.document(INDEX)?;
        let root = Node::root(INDEX, &value);
        let mut found = BTreeMap::new();
        for described in self.named_by(&root)? {
            if !is_index(&described.media_type) {
                found.insert(described.digest, described);
                continue;
            }
            let place = described.place.clone();
            let value = self.parse(described.file).map_err(|situation| situation.at(place))?;
            let name = described.digest.to_string();
            let nested = Node::root(&name, &value);
            is_type(&nested, &described.media_type)?;
            for described in self.named_by(&nested)? {
                found.insert(described.digest, described);
            }
        }
        let count = found.len();
        let names = found.keys().map(Digest::to_string).collect::<Vec<_>>().join(", ");
        let mut images = found.into_values();
        match (images.next(), count) {
            (Some(image), 1) => must_be_manifest(image),
            _ => Err(root.fault(Situation::Images { count, names: names.as_str().into() })),
        }
    }

    /// Returns what an index names, without attestations about images.
    fn named_by(&self, index: &Node<'_>) -> Result<Vec<Described<'a>>, ArchiveFault> {
        is_schema(index, "layers")?;
        let mut all = Vec::new();
        for node in index.field("manifests")?.items()? {
            if !is_attestation(&node)? {
                all.push(self.describe(&node)?);
            }
        }
        Ok(all)
    }

    /// Reads a descriptor, and checks that its blob is there, of the size that it says.
    ///
    /// That the blob has the digest of its name was checked when it passed by.
    fn describe(&self, node: &Node<'_>) -> Result<Described<'a>, ArchiveFault> {
        let media_type = node.field("mediaType")?.text()?.to_owned();
        let named = node.field("digest")?;
        let digest = named.digest()?;
        let file = self.contents.file(&blob_name(digest), &named.place())?;
        let size = node.field("size")?;
        let (found, expected) = (file.size, size.number()?);
        if found != expected {
            return Err(size.fault(Situation::SizeMismatch { found, expected }));
        }
        Ok(Described { file, digest, media_type, place: node.place() })
    }

    fn image(&self, manifest: &Described<'_>) -> Result<Image, ArchiveFault> {
        let at = |situation: Situation| situation.at(manifest.place.clone());
        let bytes = manifest.file.document(self.limits).map_err(at)?;
        let value = json::parse(bytes, self.limits).map_err(at)?;
        let node = Node::root("manifest", &value);
        is_schema(&node, "manifests")?;
        is_type(&node, &manifest.media_type)?;
        let (config_node, list) = (node.field("config")?, node.field("layers")?);
        let nodes = list.items()?;
        count(&nodes, &list, self.limits)?;
        let config = self.describe(&config_node)?;
        if ![media::CONFIG, media::DOCKER_CONFIG].contains(&config.media_type.as_str()) {
            let found = config.media_type.as_str().into();
            return Err(
                config_node.fault(Situation::MediaType { found, expected: "an image config" })
            );
        }
        let (layers, blobs) = self.layers(&nodes)?;
        let platform = check(config.file, &layers, &config_node.place(), self.limits)?;
        let text = String::from_utf8_lossy(bytes).into_owned();
        let media_type = manifest.media_type.clone();
        let manifest = Manifest { digest: manifest.digest, media_type, bytes: text };
        Ok(Image { platform, manifest, config: config.blob(), layers: blobs })
    }

    fn layers(&self, nodes: &[Node<'_>]) -> Result<(Vec<Named<'a>>, Vec<Blob>), ArchiveFault> {
        let (mut layers, mut blobs) = (Vec::new(), Vec::new());
        for node in nodes {
            let (named, described) = self.layer(node)?;
            layers.push(named);
            blobs.push(described.blob());
        }
        Ok((layers, blobs))
    }

    fn layer(&self, node: &Node<'_>) -> Result<(Named<'a>, Described<'a>), ArchiveFault> {
        let media_type = node.field("mediaType")?;
        let text = media_type.text()?;
        let has_urls = node.get("urls")?.map(|urls| urls.items()).transpose()?;
        if media::is_foreign(text) || has_urls.is_some_and(|urls| !urls.is_empty()) {
            return Err(node.fault(Situation::Foreign));
        }
        let described = self.describe(node)?;
        let layer = described.file.layer(&blob_name(described.digest), &node.place())?;
        if media::layer_compression(text) != Some(layer.compression) {
            let expected = media::layer_type(layer.compression);
            return Err(media_type.fault(Situation::MediaType { found: text.into(), expected }));
        }
        Ok((Named { file: described.file, layer, place: node.place() }, described))
    }
}

impl Described<'_> {
    fn blob(&self) -> Blob {
        Blob {
            digest: self.digest,
            size: self.file.size,
            media_type: self.media_type.clone(),
            offset: self.file.offset,
        }
    }
}

fn is_index(media_type: &str) -> bool {
    [media::INDEX, media::DOCKER_INDEX].contains(&media_type)
}

fn must_be_manifest(described: Described<'_>) -> Result<Described<'_>, ArchiveFault> {
    if [media::MANIFEST, media::DOCKER_MANIFEST].contains(&described.media_type.as_str()) {
        return Ok(described);
    }
    let found = described.media_type.as_str().into();
    Err(Situation::MediaType { found, expected: "an image manifest" }.at(described.place))
}

/// Checks the schema version, and that a document is not an index and a manifest at once.
fn is_schema(node: &Node<'_>, of_the_other: &str) -> Result<(), ArchiveFault> {
    let version = node.field("schemaVersion")?;
    if version.number()? != 2 {
        return Err(version.fault(Situation::Field("schema version 2")));
    }
    match node.get(of_the_other)? {
        Some(other) => Err(other.fault(Situation::Field("either an index or a manifest"))),
        None => Ok(()),
    }
}

/// Checks that a document calls itself what its descriptor calls it, if it calls itself anything.
fn is_type(node: &Node<'_>, media_type: &str) -> Result<(), ArchiveFault> {
    let Some(own) = node.get("mediaType")? else { return Ok(()) };
    let found = own.text()?;
    if found == media_type {
        return Ok(());
    }
    let expected = "that of its descriptor";
    Err(own.fault(Situation::MediaType { found: found.into(), expected }))
}

/// Whether a descriptor is of an attestation by `BuildKit`, which is about an image and is none.
fn is_attestation(node: &Node<'_>) -> Result<bool, ArchiveFault> {
    let (Some(annotations), Some(platform)) = (node.get("annotations")?, node.get("platform")?)
    else {
        return Ok(false);
    };
    let Some(kind) = annotations.get("vnd.docker.reference.type")? else { return Ok(false) };
    let (os, architecture) = (platform.field("os")?, platform.field("architecture")?);
    Ok(kind.text()? == "attestation-manifest"
        && os.text()? == "unknown"
        && architecture.text()? == "unknown")
}
