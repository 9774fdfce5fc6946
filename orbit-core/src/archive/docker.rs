//! The docker-archive: `manifest.json`, a config, and layers beside them.

use serde::Serialize;
use serde_json::Value;

use crate::Digest;

use super::contents::{Contents, File};
use super::fault::{ArchiveFault, Place, Situation};
use super::image::{Image, Named, check, count};
use super::json::{self, Node};
use super::limits::Limits;
use super::{Blob, Manifest, media};

pub(crate) const MANIFEST: &str = "manifest.json";

/// Reads and checks the one image of a docker-archive, and makes its OCI manifest.
pub(crate) fn image(contents: &Contents, limits: &Limits) -> Result<Image, ArchiveFault> {
    let value = manifest(contents, limits)?;
    let node = only_image(&Node::root(MANIFEST, &value))?;
    let (config, place) = config(contents, &node)?;
    let list = node.get("Layers")?;
    let layers = match &list {
        Some(list) => layers(contents, list, limits)?,
        None => Vec::new(),
    };
    let platform = check(config, &layers, &place, limits)?;
    let config = blob(config, media::CONFIG);
    let layers: Vec<_> = layers
        .iter()
        .map(|named| blob(named.file, media::layer_type(named.layer.compression)))
        .collect();
    Ok(Image { platform, manifest: oci_manifest(&config, &layers), config, layers })
}

fn manifest(contents: &Contents, limits: &Limits) -> Result<Value, ArchiveFault> {
    let place = Place::field(MANIFEST, "");
    let file = contents.file(MANIFEST, &place)?;
    let text = file.document(limits);
    text.and_then(|text| json::parse(text, limits)).map_err(|situation| situation.at(place))
}

fn only_image<'a>(root: &Node<'a>) -> Result<Node<'a>, ArchiveFault> {
    let images = root.items()?;
    if let [image] = images.as_slice() {
        return Ok(image.clone());
    }
    let mut names = Vec::new();
    for image in &images {
        names.push(image.field("Config")?.text()?);
    }
    let names = names.join(", ").as_str().into();
    Err(root.fault(Situation::Images { count: images.len(), names }))
}

/// Returns the config, whose name says its digest in the form that most tools give it.
fn config<'a>(contents: &'a Contents, image: &Node<'_>) -> Result<(&'a File, Place), ArchiveFault> {
    let node = image.field("Config")?;
    let name = node.text()?;
    let file = contents.file(name, &node.place())?;
    let hex = name.strip_prefix("sha256:").or_else(|| name.strip_suffix(".json"));
    let named: Option<Digest> = hex.and_then(|hex| format!("sha256:{hex}").parse().ok());
    match named {
        Some(expected) if expected != file.digest => {
            Err(node.fault(Situation::DigestMismatch { found: file.digest, expected }))
        }
        Some(_) | None => Ok((file, Place::entry(name.as_bytes()))),
    }
}

fn layers<'a>(
    contents: &'a Contents,
    list: &Node<'_>,
    limits: &Limits,
) -> Result<Vec<Named<'a>>, ArchiveFault> {
    let nodes = list.items()?;
    count(&nodes, list, limits)?;
    let named = |node: &Node<'_>| {
        let (name, place) = (node.text()?, node.place());
        let file = contents.file(name, &place)?;
        Ok(Named { file, layer: file.layer(name, &place)?, place })
    };
    nodes.iter().map(named).collect()
}

fn blob(file: &File, media_type: &str) -> Blob {
    Blob {
        digest: file.digest,
        size: file.size,
        media_type: media_type.to_owned(),
        offset: file.offset,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OciManifest<'a> {
    schema_version: u8,
    media_type: &'a str,
    config: Descriptor<'a>,
    layers: Vec<Descriptor<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor<'a> {
    media_type: &'a str,
    digest: Digest,
    size: u64,
}

/// Makes the manifest of config and layers: always the same bytes for the same blobs, with the
/// fields in the order of Go's types, so that other tools come to the same digest.
fn oci_manifest(config: &Blob, layers: &[Blob]) -> Manifest {
    let manifest = OciManifest {
        schema_version: 2,
        media_type: media::MANIFEST,
        config: descriptor(config),
        layers: layers.iter().map(descriptor).collect(),
    };
    let bytes = serde_json::to_string(&manifest).expect("texts and numbers are always JSON");
    let digest = Digest::of(bytes.as_bytes());
    Manifest { digest, media_type: media::MANIFEST.to_owned(), bytes }
}

fn descriptor(blob: &Blob) -> Descriptor<'_> {
    Descriptor { media_type: &blob.media_type, digest: blob.digest, size: blob.size }
}
