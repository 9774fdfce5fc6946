//! Reading one layer for the files that matter.

use crate::archive::expand::Expander;
use crate::archive::limits::{Budget, Limits, within};
use crate::archive::reader::{Entry, Event, Kind, Reader, layer_path};
use crate::archive::{ArchiveFault, Place, Situation};

use super::evidence::{Evidence, Kept, Source};

/// Bytes of one package database: 64 MiB, some ten times that of a full desktop.
const DATABASE: u64 = 64 << 20;
const OPAQUE: &[u8] = b".wh..wh..opq";
const WHITEOUT: &[u8] = b".wh.";

/// A layer that is passing by.
pub(super) struct LayerScan {
    /// Its name in the archive.
    place: Place,
    expander: Expander,
    reader: Reader,
    entries: Entries,
}

/// What was seen of its entries.
struct Entries {
    limits: Limits,
    evidence: Evidence,
    database: Option<Database>,
}

/// A file that matters, passing by.
struct Database {
    path: Vec<u8>,
    place: Place,
    source: Source,
    bytes: Vec<u8>,
}

impl LayerScan {
    pub(super) fn new(name: &[u8], limits: Limits) -> Self {
        Self {
            place: Place::entry(name),
            expander: Expander::new(limits),
            reader: Reader::new(limits),
            entries: Entries { limits, evidence: Evidence::default(), database: None },
        }
    }

    /// Takes the next bytes of the layer.
    pub(super) fn feed(
        &mut self,
        bytes: &[u8],
        budget: &mut Budget,
        kept: &mut Kept,
    ) -> Result<(), ArchiveFault> {
        self.read(bytes, false, budget, kept)
    }

    /// Takes the end of the layer, and returns what it says.
    pub(super) fn finish(
        mut self,
        budget: &mut Budget,
        kept: &mut Kept,
    ) -> Result<Evidence, ArchiveFault> {
        self.read(&[], true, budget, kept)?;
        Ok(self.entries.evidence)
    }

    fn read(
        &mut self,
        mut bytes: &[u8],
        last: bool,
        budget: &mut Budget,
        kept: &mut Kept,
    ) -> Result<(), ArchiveFault> {
        let Self { place, expander, reader, entries } = self;
        let at = |situation: Situation| situation.at(place.clone());
        let inside = |fault: ArchiveFault| fault.within(place);
        while let Some((_, mut plain)) = expander.next(&mut bytes, last, budget).map_err(at)? {
            while let Some(event) = reader.next(&mut plain).map_err(inside)? {
                entries.take(event, kept).map_err(inside)?;
            }
        }
        Ok(())
    }
}

impl Entries {
    fn take(&mut self, event: Event<'_>, kept: &mut Kept) -> Result<(), ArchiveFault> {
        match event {
            Event::Entry(entry) => self
                .enter(&entry, kept)
                .map_err(|situation| situation.at(Place::entry(&entry.name))),
            Event::Data(data) => {
                if let Some(database) = &mut self.database {
                    database.bytes.extend_from_slice(data);
                }
                Ok(())
            }
            Event::Close => self.database.take().map_or(Ok(()), |database| {
                let Database { path, place, source, bytes } = database;
                let read = self.evidence.read(path, source, &bytes, kept);
                read.map_err(|situation| situation.at(place))
            }),
        }
    }

    fn enter(&mut self, entry: &Entry, kept: &mut Kept) -> Result<(), Situation> {
        let path = layer_path(&entry.name, &self.limits)?;
        let (parent, name) = split(&path);
        if name == OPAQUE {
            return self.evidence.hide(parent, kept);
        }
        if let Some(gone) = name.strip_prefix(WHITEOUT) {
            let slash: &[u8] = if parent.is_empty() { b"" } else { b"/" };
            return self.evidence.hide(&[parent, slash, gone].concat(), kept);
        }
        let source = Source::at(&path);
        if entry.kind != Kind::Directory || source.is_some() {
            self.evidence.replace(&path, kept)?;
        }
        if let Some(source) = source.filter(|_| entry.kind == Kind::File) {
            within("bytes of package database", entry.size, DATABASE)?;
            let place = Place::entry(&entry.name);
            self.database = Some(Database { path, place, source, bytes: Vec::new() });
        }
        Ok(())
    }
}

/// Splits a path into its directory and its last component.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(at) => {
            let (parent, name) = path.split_at(at);
            (parent, name.strip_prefix(b"/").unwrap_or(name))
        }
        None => (b"", path),
    }
}
