//! What holds for an image of either format: its layers are those that its config names.

use crate::Digest;

use super::contents::{Contents, File};
use super::fault::{ArchiveFault, Place, Situation};
use super::json::{self, Node};
use super::layer::Layer;
use super::limits::{Limits, length, within};
use super::{Blob, Manifest, Platform, docker, oci};

/// Architectures by the names that Go gives them and OCI took over.
const ARCHITECTURES: [&str; 14] = [
    "386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc64",
    "ppc64le", "riscv64", "s390x", "wasm",
];
const SYSTEMS: [&str; 2] = ["linux", "windows"];

/// An image of which everything was checked.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) platform: Platform,
    pub(crate) manifest: Manifest,
    pub(crate) config: Blob,
    pub(crate) layers: Vec<Blob>,
}

/// A layer that a manifest names, and the place where it does.
pub(crate) struct Named<'a> {
    pub(crate) file: &'a File,
    pub(crate) layer: Layer,
    pub(crate) place: Place,
}

impl Named<'_> {
    fn diff_id(&self) -> Digest {
        self.layer.diff_id.unwrap_or(self.file.digest)
    }
}

/// Finds the image in an archive, and checks it.
pub(crate) fn find(contents: &Contents, limits: &Limits) -> Result<(bool, Image), ArchiveFault> {
    let layout = contents.contains(oci::INDEX) || contents.contains(oci::LAYOUT);
    let docker = contents.contains(docker::MANIFEST);
    match (layout, docker) {
        (false, false) => Err(Situation::NotAnImage.at(Place::archive())),
        (false, true) => Ok((false, docker::image(contents, limits)?)),
        (true, false) => Ok((true, oci::image(contents, limits)?)),
        (true, true) => {
            let image = oci::image(contents, limits)?;
            same(&docker::image(contents, limits)?, &image)?;
            Ok((true, image))
        }
    }
}

/// Checks that `manifest.json` describes the image that `index.json` does.
fn same(docker: &Image, layout: &Image) -> Result<(), ArchiveFault> {
    let differs = |path: &str| Situation::Disagree.at(Place::field(docker::MANIFEST, path));
    if docker.config.digest != layout.config.digest {
        return Err(differs("[0].Config"));
    }
    let digests = |image: &Image| image.layers.iter().map(|blob| blob.digest).collect::<Vec<_>>();
    if digests(docker) != digests(layout) {
        return Err(differs("[0].Layers"));
    }
    Ok(())
}

/// Checks the number of layers that a manifest names.
pub(crate) fn count(
    layers: &[Node<'_>],
    list: &Node<'_>,
    limits: &Limits,
) -> Result<(), ArchiveFault> {
    within("layers", length(layers.len()), length(limits.layers))
        .map_err(|situation| list.fault(situation))
}

/// Checks the layers against the config, and returns the platform that it names.
pub(crate) fn check(
    config: &File,
    layers: &[Named<'_>],
    place: &Place,
    limits: &Limits,
) -> Result<Platform, ArchiveFault> {
    let at = |situation: Situation| situation.at(place.clone());
    let value = config.document(limits).and_then(|bytes| json::parse(bytes, limits)).map_err(at)?;
    let config = Node::root("config", &value);
    distinct(layers)?;
    diff_ids(&config, layers)?;
    platform(&config)
}

fn distinct(layers: &[Named<'_>]) -> Result<(), ArchiveFault> {
    let mut seen = std::collections::BTreeSet::new();
    match layers.iter().find(|layer| !seen.insert(layer.file.digest)) {
        Some(twice) => Err(Situation::LayerTwice(twice.file.digest).at(twice.place.clone())),
        None => Ok(()),
    }
}

fn diff_ids(config: &Node<'_>, layers: &[Named<'_>]) -> Result<(), ArchiveFault> {
    let rootfs = config.field("rootfs")?;
    let kind = rootfs.field("type")?;
    if kind.text()? != "layers" {
        return Err(kind.fault(Situation::Field("\"layers\"")));
    }
    let list = match rootfs.get("diff_ids")? {
        Some(list) => list.items()?,
        None => Vec::new(),
    };
    if list.len() != layers.len() {
        let situation = Situation::LayerCount { diff_ids: list.len(), layers: layers.len() };
        return Err(situation.at(Place::field("config", "rootfs.diff_ids")));
    }
    for (node, layer) in list.iter().zip(layers) {
        let (found, expected) = (layer.diff_id(), node.digest()?);
        if found != expected {
            return Err(node.fault(Situation::DiffId { found, expected }));
        }
    }
    Ok(())
}

fn platform(config: &Node<'_>) -> Result<Platform, ArchiveFault> {
    let os = known(&config.field("os")?, |text| SYSTEMS.contains(&text))?;
    let architecture = known(&config.field("architecture")?, |text| ARCHITECTURES.contains(&text))?;
    let variant = match config.get("variant")? {
        Some(node) if !node.text()?.is_empty() => Some(known(&node, is_variant)?),
        Some(_) | None => None,
    };
    Ok(Platform { os, architecture, variant })
}

/// Whether a text may be a variant: `v7`, `v8.2`. There is no closed list of them.
fn is_variant(text: &str) -> bool {
    text.len() <= 16 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
}

fn known(node: &Node<'_>, is_known: impl Fn(&str) -> bool) -> Result<String, ArchiveFault> {
    let text = node.text()?;
    if is_known(text) {
        return Ok(text.to_owned());
    }
    Err(node.fault(Situation::Platform(text.into())))
}
