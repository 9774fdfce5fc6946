//! What lies in the archive's own tar: every file's digest, and more of those that matter.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::Digest;

use super::fault::{ArchiveFault, Excerpt, Place, Situation};
use super::layer::{Layer, LayerCheck};
use super::limits::{Budget, Limits, length, within};
use super::reader::{Entry, Event, Kind, archive_path, link_target};

/// Where an OCI layout keeps its blobs, each named by its digest.
const BLOBS: &str = "blobs/sha256/";

/// The entries of the archive, by name.
#[derive(Default)]
pub(crate) struct Contents {
    items: BTreeMap<String, Item>,
    names: u64,
    documents: u64,
    passing: Option<Passing>,
}

enum Item {
    File(File),
    /// A directory or a link. No link is followed.
    Other,
}

/// What is known of a file.
pub(crate) struct File {
    /// Where its content begins in the tar.
    pub(crate) offset: u64,
    pub(crate) size: u64,
    pub(crate) digest: Digest,
    content: Content,
}

enum Content {
    /// Kept, because it may be JSON that the image names.
    Document(Vec<u8>),
    /// Too large to be such a document, or beyond what is kept.
    Opaque,
    Layer(Layer),
    /// It begins as a layer, but is not well formed. A fault only if the image names it.
    Malformed(Box<ArchiveFault>),
}

/// A file whose content is passing by.
struct Passing {
    name: String,
    offset: u64,
    size: u64,
    hash: Sha256,
    document: Option<Vec<u8>>,
    layer: Result<Box<LayerCheck>, Box<ArchiveFault>>,
    /// It begins as a layer, well formed or not.
    recognised: bool,
}

impl Contents {
    /// Takes what came next in the tar.
    pub(crate) fn take(
        &mut self,
        event: Event<'_>,
        limits: &Limits,
        budget: &mut Budget,
    ) -> Result<(), ArchiveFault> {
        match event {
            Event::Entry(entry) => self.enter(&entry, limits),
            Event::Data(bytes) => self.pass(bytes, budget),
            Event::Close => self.close(budget),
        }
    }

    /// Returns whether there is an entry of that name.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.items.contains_key(name)
    }

    /// Returns the regular file of that name; `place` is what names it.
    pub(crate) fn file(&self, name: &str, place: &Place) -> Result<&File, ArchiveFault> {
        match self.items.get(name) {
            Some(Item::File(file)) => Ok(file),
            Some(Item::Other) => Err(Situation::NotRegular(name.into()).at(place.clone())),
            None => Err(Situation::Missing(name.into()).at(place.clone())),
        }
    }

    fn enter(&mut self, entry: &Entry, limits: &Limits) -> Result<(), ArchiveFault> {
        let place = || Place::entry(&entry.name);
        let name = archive_path(&entry.name, limits).map_err(|situation| situation.at(place()))?;
        let allowed = match entry.kind {
            Kind::File | Kind::Directory => Ok(()),
            Kind::HardLink => link_target("", &entry.target, limits),
            Kind::SymbolicLink => {
                let directory = name.rsplit_once('/').map_or("", |(directory, _)| directory);
                link_target(directory, &entry.target, limits)
            }
            Kind::CharacterDevice | Kind::BlockDevice | Kind::Fifo => {
                Err(Situation::Kind(entry.kind.label()))
            }
        };
        self.names += length(name.len());
        allowed
            .and_then(|()| within("bytes of names", self.names, limits.names))
            .map_err(|situation| situation.at(place()))?;
        if self.items.insert(name.clone(), Item::Other).is_some() {
            return Err(Situation::DuplicateEntry.at(place()));
        }
        if entry.kind == Kind::File {
            self.passing = Some(self.begin(name, entry, limits));
        }
        Ok(())
    }

    fn begin(&mut self, name: String, entry: &Entry, limits: &Limits) -> Passing {
        let keep = entry.size <= limits.document
            && self.documents.saturating_add(entry.size) <= limits.documents;
        if keep {
            self.documents += entry.size;
        }
        let layer = LayerCheck::new(Place::entry(name.as_bytes()), *limits);
        Passing {
            name,
            offset: entry.offset,
            size: entry.size,
            hash: Sha256::new(),
            document: keep.then(Vec::new),
            layer: Ok(Box::new(layer)),
            recognised: false,
        }
    }

    fn pass(&mut self, bytes: &[u8], budget: &mut Budget) -> Result<(), ArchiveFault> {
        let Some(passing) = &mut self.passing else { return Ok(()) };
        passing.hash.update(bytes);
        if let Some(document) = &mut passing.document {
            document.extend_from_slice(bytes);
        }
        if let Ok(layer) = &mut passing.layer {
            let fed = layer.feed(bytes, budget);
            passing.recognised = layer.recognised();
            if let Err(fault) = fed {
                passing.refuse(fault)?;
            }
        }
        if passing.recognised && passing.document.take().is_some() {
            self.documents -= passing.size;
        }
        Ok(())
    }

    fn close(&mut self, budget: &mut Budget) -> Result<(), ArchiveFault> {
        let Some(mut passing) = self.passing.take() else { return Ok(()) };
        let mut layer = None;
        if let Ok(check) = &mut passing.layer {
            match check.finish(budget) {
                Ok(found) => layer = Some(found),
                Err(fault) => passing.refuse(fault)?,
            }
        }
        let Passing { name, offset, size, hash, document, layer: refused, recognised } = passing;
        let digest = Digest::from_bytes(hash.finalize().into());
        check_name(&name, digest)?;
        let content = match (layer, refused, document) {
            (Some(layer), _, _) => Content::Layer(layer),
            (None, Err(fault), _) if recognised => Content::Malformed(fault),
            (None, _, Some(document)) => Content::Document(document),
            (None, _, None) => Content::Opaque,
        };
        self.items.insert(name, Item::File(File { offset, size, digest, content }));
        Ok(())
    }
}

impl Passing {
    /// Reads on without checking for a layer, unless a limit is exceeded.
    fn refuse(&mut self, fault: ArchiveFault) -> Result<(), ArchiveFault> {
        if fault.is_limit() {
            return Err(fault);
        }
        self.layer = Err(Box::new(fault));
        Ok(())
    }
}

/// Checks that a blob's content has the digest that its name says, whether or not it is used.
fn check_name(name: &str, found: Digest) -> Result<(), ArchiveFault> {
    let Some(hex) = name.strip_prefix(BLOBS) else { return Ok(()) };
    let situation = match format!("sha256:{hex}").parse::<Digest>() {
        Ok(expected) if expected == found => return Ok(()),
        Ok(expected) => Situation::DigestMismatch { found, expected },
        Err(fault) => Situation::Digest { found: Excerpt::from(hex), fault },
    };
    Err(situation.at(Place::entry(name.as_bytes())))
}

/// Returns the name under which an OCI layout keeps the blob of that digest.
pub(crate) fn blob_name(digest: Digest) -> String {
    format!("{BLOBS}{}", digest.hex())
}

impl File {
    /// Returns the file's text, if it was kept.
    pub(crate) fn document(&self, limits: &Limits) -> Result<&[u8], Situation> {
        match &self.content {
            Content::Document(bytes) => Ok(bytes),
            Content::Opaque if self.size <= limits.document => {
                Err(Situation::Limit { name: "bytes of documents", max: limits.documents })
            }
            Content::Opaque => {
                Err(Situation::Limit { name: "bytes of document", max: limits.document })
            }
            Content::Layer(_) | Content::Malformed(_) => Err(Situation::Json("it is a tar".into())),
        }
    }

    /// Returns what is known of the file as a layer; `name` and `place` are where it is named.
    pub(crate) fn layer(&self, name: &str, place: &Place) -> Result<Layer, ArchiveFault> {
        match &self.content {
            Content::Layer(layer) => Ok(*layer),
            Content::Malformed(fault) => Err(ArchiveFault::clone(fault)),
            Content::Document(_) | Content::Opaque => {
                Err(Situation::NotALayer(name.into()).at(place.clone()))
            }
        }
    }
}
