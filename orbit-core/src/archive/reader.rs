//! A tar, read push style: bytes in, events out, nothing else kept.
//!
//! It reads ustar, GNU and PAX strictly: where two readers could come to different entries, the
//! tar is refused. Sparse files in any form are refused too, no image tool writes them.

mod header;
mod path;
mod pax;

use super::fault::{ArchiveFault, Place, Situation};
use super::limits::{Limits, length, take, within};

use header::{Flag, Header};
use pax::Pax;

pub(crate) use path::{archive_path, layer_path, link_target};

/// What came next in a tar. After an entry comes its data in pieces, if it is a file, and `Close`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    Entry(Entry),
    Data(&'a [u8]),
    Close,
}

/// An entry of a tar, with what its extended headers say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its name as it stands there.
    pub(crate) name: Vec<u8>,
    pub(crate) kind: Kind,
    /// The target of a link.
    pub(crate) target: Vec<u8>,
    /// Bytes of content; only a file has any.
    pub(crate) size: u64,
    /// Where its content begins in the tar.
    pub(crate) offset: u64,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Directory,
    HardLink,
    SymbolicLink,
    CharacterDevice,
    BlockDevice,
    Fifo,
}

impl Kind {
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Directory => "directory",
            Self::HardLink => "hard link",
            Self::SymbolicLink => "symbolic link",
            Self::CharacterDevice => "character device",
            Self::BlockDevice => "block device",
            Self::Fifo => "fifo",
        }
    }
}

/// How a tar ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// With two blocks of zeros, as it should.
    Marked,
    /// After an entry's last byte. Some writers of layers leave the two blocks out, or one of them;
    /// umoci leaves out even what fills the last entry's block.
    Unmarked,
}

const BLOCK: usize = 512;
const BLOCK_BYTES: u64 = 512;

/// Reads one tar.
#[derive(Debug)]
pub(crate) struct Reader {
    limits: Limits,
    state: State,
    block: Vec<u8>,
    pending: Pending,
    /// The entry whose content is being read.
    name: Vec<u8>,
    offset: u64,
    n_entries: u64,
}

#[derive(Debug)]
enum State {
    Header,
    /// After one block of zeros.
    Zero,
    /// After two.
    End,
    /// In the content of an extended header or a long name.
    Extension {
        flag: Flag,
        left: u64,
        padding: u64,
        bytes: Vec<u8>,
    },
    Data {
        left: u64,
        padding: u64,
    },
    Padding {
        left: u64,
    },
}

/// What stands before an entry and is about it.
#[derive(Debug, Default)]
struct Pending {
    long_name: Option<Vec<u8>>,
    long_target: Option<Vec<u8>>,
    pax: Option<Pax>,
}

impl Reader {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: State::Header,
            block: Vec::with_capacity(BLOCK),
            pending: Pending::default(),
            name: Vec::new(),
            offset: 0,
            n_entries: 0,
        }
    }

    /// Returns whether what was read so far is a tar: it begins with a header, or a block of zeros.
    pub(crate) fn recognised(&self) -> bool {
        self.n_entries > 0 || matches!(self.state, State::Zero | State::End)
    }

    /// Returns the next event, or `None` once all of `input` was taken.
    pub(crate) fn next<'a>(
        &mut self,
        input: &mut &'a [u8],
    ) -> Result<Option<Event<'a>>, ArchiveFault> {
        loop {
            match &mut self.state {
                State::Data { left: 0, padding } => {
                    self.state = State::Padding { left: *padding };
                    return Ok(Some(Event::Close));
                }
                State::Padding { left: 0 } => self.state = State::Header,
                State::Extension { left: 0, .. } => self.extend()?,
                _ if input.is_empty() => return Ok(None),
                State::Data { left, .. } => {
                    let data = take(input, *left);
                    *left -= length(data.len());
                    self.offset += length(data.len());
                    return Ok(Some(Event::Data(data)));
                }
                State::Padding { left } => {
                    let skipped = length(take(input, *left).len());
                    *left -= skipped;
                    self.offset += skipped;
                }
                State::Extension { left, bytes, .. } => {
                    let part = take(input, *left);
                    bytes.extend_from_slice(part);
                    *left -= length(part.len());
                    self.offset += length(part.len());
                }
                State::End => self.only_zeros(input)?,
                State::Header | State::Zero => {
                    if let Some(entry) = self.header(input)? {
                        return Ok(Some(Event::Entry(entry)));
                    }
                }
            }
        }
    }

    /// Checks that the tar did not end within an entry or header, and returns how it ended.
    pub(crate) fn finish(&self) -> Result<End, ArchiveFault> {
        match self.state {
            State::End => Ok(End::Marked),
            State::Header | State::Zero if self.block.is_empty() && self.pending.is_none() => {
                Ok(End::Unmarked)
            }
            State::Padding { .. } if self.pending.is_none() => Ok(End::Unmarked),
            State::Header | State::Zero | State::Extension { .. } | State::Padding { .. } => {
                Err(Situation::Truncated.at(self.header_place()))
            }
            State::Data { .. } => Err(Situation::Truncated.at(Place::entry(&self.name))),
        }
    }

    fn header_place(&self) -> Place {
        Place::header(self.offset - length(self.block.len()))
    }

    fn only_zeros(&mut self, input: &mut &[u8]) -> Result<(), ArchiveFault> {
        let rest = take(input, u64::MAX);
        match rest.iter().position(|&byte| byte != 0) {
            Some(at) => {
                Err(Situation::Trailing.at(Place::header(self.offset.saturating_add(length(at)))))
            }
            None => {
                self.offset = self.offset.saturating_add(length(rest.len()));
                Ok(())
            }
        }
    }

    /// Reads a header block; returns the entry if that is what it was the last missing piece of.
    fn header(&mut self, input: &mut &[u8]) -> Result<Option<Entry>, ArchiveFault> {
        let part = take(input, BLOCK_BYTES - length(self.block.len()));
        self.block.extend_from_slice(part);
        self.offset += length(part.len());
        if self.block.len() < BLOCK {
            return Ok(None);
        }
        let entry = self.block_read().map_err(|(situation, name)| {
            situation.at(name.map_or_else(|| self.header_place(), |name| Place::entry(&name)))
        });
        self.block.clear();
        entry
    }

    /// Takes a complete block; a fault comes with the entry's name once that is known.
    fn block_read(&mut self) -> Result<Option<Entry>, (Situation, Option<Vec<u8>>)> {
        let nameless = |situation| (situation, None);
        if self.block.iter().all(|&byte| byte == 0) {
            return self.zero_block().map(|()| None).map_err(nameless);
        }
        if matches!(self.state, State::Zero) {
            return Err(nameless(Situation::Trailing));
        }
        let header = Header::parse(&self.block).map_err(nameless)?;
        self.n_entries += 1;
        within("tar entries", self.n_entries, self.limits.entries).map_err(nameless)?;
        let Flag::Entry(kind) = header.flag else {
            return self.begin_extension(&header).map(|()| None).map_err(nameless);
        };
        let pending = std::mem::take(&mut self.pending);
        let (name, target, size) = pending.apply(header).map_err(nameless)?;
        self.begin_entry(kind, name, target, size).map(Some)
    }

    fn zero_block(&mut self) -> Result<(), Situation> {
        if !self.pending.is_none() {
            return Err(Situation::Header("an extended header without an entry"));
        }
        let ended = matches!(self.state, State::Zero);
        self.state = if ended { State::End } else { State::Zero };
        Ok(())
    }

    fn begin_entry(
        &mut self,
        kind: Kind,
        name: Vec<u8>,
        target: Vec<u8>,
        size: u64,
    ) -> Result<Entry, (Situation, Option<Vec<u8>>)> {
        if kind != Kind::File && size > 0 {
            let situation = Situation::Header("only a file may have content");
            return Err((situation, Some(name)));
        }
        let Some(padding) = self.padding(size) else {
            return Err((Situation::Header("the size is beyond any archive's"), Some(name)));
        };
        self.state = State::Data { left: size, padding };
        self.name.clone_from(&name);
        Ok(Entry { name, kind, target, size, offset: self.offset })
    }

    fn begin_extension(&mut self, header: &Header) -> Result<(), Situation> {
        let max = match header.flag {
            Flag::Pax | Flag::PaxGlobal => self.limits.extended_header,
            // The name ends with a NUL.
            Flag::LongName | Flag::LongTarget | Flag::Entry(_) => length(self.limits.path) + 1,
        };
        within("bytes of extended header", header.size, max)?;
        let padding = self.padding(header.size).unwrap_or(0);
        let (flag, left) = (header.flag, header.size);
        self.state = State::Extension { flag, left, padding, bytes: Vec::new() };
        Ok(())
    }

    /// Returns the bytes that fill the last block of `size` bytes, unless their end is past counting.
    fn padding(&self, size: u64) -> Option<u64> {
        let padding = size.checked_next_multiple_of(BLOCK_BYTES)? - size;
        let end = self.offset.checked_add(size)?.checked_add(padding)?;
        i64::try_from(end).is_ok().then_some(padding)
    }

    /// Takes an extended header or long name that is complete.
    fn extend(&mut self) -> Result<(), ArchiveFault> {
        let State::Extension { flag, padding, bytes, .. } =
            std::mem::replace(&mut self.state, State::Header)
        else {
            return Ok(());
        };
        let header = self.offset - length(bytes.len()) - BLOCK_BYTES;
        self.state = State::Padding { left: padding };
        self.pending.add(flag, &bytes).map_err(|situation| situation.at(Place::header(header)))
    }
}

impl Pending {
    fn is_none(&self) -> bool {
        self.long_name.is_none() && self.long_target.is_none() && self.pax.is_none()
    }

    fn add(&mut self, flag: Flag, bytes: &[u8]) -> Result<(), Situation> {
        let twice = match flag {
            Flag::LongName => self.long_name.replace(long_name(bytes)?).is_some(),
            Flag::LongTarget => self.long_target.replace(long_name(bytes)?).is_some(),
            Flag::Pax => self.pax.replace(Pax::parse(bytes)?).is_some(),
            Flag::PaxGlobal => return Pax::parse(bytes)?.only_comments(),
            Flag::Entry(_) => false,
        };
        if twice {
            return Err(Situation::Header("two extended headers of a kind for one entry"));
        }
        Ok(())
    }

    /// Returns the name, the target and the size of the entry that `header` begins.
    fn apply(self, header: Header) -> Result<(Vec<u8>, Vec<u8>, u64), Situation> {
        let pax = self.pax.unwrap_or_default();
        let size = pax.size_beside(header.size)?;
        let name = one_of(self.long_name, pax.path)?.unwrap_or(header.name);
        let target = one_of(self.long_target, pax.target)?.unwrap_or(header.target);
        Ok((name, target, size))
    }
}

fn one_of(gnu: Option<Vec<u8>>, pax: Option<Vec<u8>>) -> Result<Option<Vec<u8>>, Situation> {
    if gnu.is_some() && pax.is_some() {
        return Err(Situation::LongName("a PAX name stands beside it"));
    }
    Ok(gnu.or(pax))
}

/// Returns the name in a GNU long name: all up to the NULs that end it.
fn long_name(bytes: &[u8]) -> Result<Vec<u8>, Situation> {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    let (name, rest) = bytes.split_at(end);
    if name.is_empty() {
        return Err(Situation::LongName("it is empty"));
    }
    if rest.iter().any(|&byte| byte != 0) {
        return Err(Situation::LongName("text follows after its end"));
    }
    Ok(name.to_vec())
}
