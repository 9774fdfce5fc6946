//! Recognising and undoing the compression of a stream.

use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, Decoder, Operation as _};

use super::Compression;
use super::fault::Situation;
use super::limits::{Budget, Limits, length, take};

/// The decompressors see the stream in blocks of this size, however it is split into chunks.
///
/// So what comes out in which order, a fault included, does not depend on the chunks.
const BLOCK: usize = 16 << 10;
/// What a decompressor gives at a time.
const OUTPUT: usize = 64 << 10;
/// What may come out of a stream before the ratio counts: a short stream of zeros is no bomb.
const FREE: u64 = 1 << 20;
const MAGIC: usize = 4;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Fifteen bits, 32 KiB: the window of deflate.
const GZIP_WINDOW_BITS: u8 = 15;

/// A stream that may be compressed, read push style.
///
/// Several gzip members or zstd frames in a row are one stream, as their specifications have it:
/// eStargz and zstd:chunked layers are made that way. Anything else after the last is a fault.
pub(crate) struct Expander {
    codec: Codec,
    limits: Limits,
    input: Block,
    output: Vec<u8>,
    n_in: u64,
    n_out: u64,
    /// Within a member or frame.
    open: bool,
    /// A member or frame has ended before.
    ended: bool,
}

enum Codec {
    /// Fewer than four bytes were seen; which it is depends on them.
    Unknown,
    Plain,
    Gzip(Decompress),
    Zstd(Decoder<'static>),
}

/// What one step of a decompressor did.
struct Step {
    read: usize,
    written: usize,
    /// The member or frame ended.
    ended: bool,
}

impl Expander {
    /// Returns an expander that recognises the compression by the first bytes.
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            codec: Codec::Unknown,
            limits,
            input: Block::default(),
            output: Vec::new(),
            n_in: 0,
            n_out: 0,
            open: false,
            ended: false,
        }
    }

    /// Returns an expander that gives everything at once that a chunk decompresses to.
    pub(crate) fn eager(limits: Limits) -> Self {
        let mut expander = Self::new(limits);
        expander.input.eager = true;
        expander
    }

    /// Returns how the stream is compressed, `None` as long as it has not shown.
    pub(crate) fn compression(&self) -> Compression {
        match self.codec {
            Codec::Unknown | Codec::Plain => Compression::None,
            Codec::Gzip(_) => Compression::Gzip,
            Codec::Zstd(_) => Compression::Zstd,
        }
    }

    /// Returns the next decompressed bytes and how they were compressed, or `None` once all of `input` was taken.
    ///
    /// With `last` nothing will follow after `input`, so nothing is held back.
    pub(crate) fn next<'a, 'input: 'a>(
        &'a mut self,
        input: &mut &'input [u8],
        last: bool,
        budget: &mut Budget,
    ) -> Result<Option<(Compression, &'a [u8])>, Situation> {
        if matches!(self.codec, Codec::Unknown) {
            self.n_in += self.input.fill(input, MAGIC);
            if self.input.bytes.len() < MAGIC && !last {
                return Ok(None);
            }
            self.recognise()?;
        }
        if matches!(self.codec, Codec::Plain) {
            let held = self.input.drain();
            let plain = if held.is_empty() { take(input, u64::MAX) } else { held };
            return Ok(some(Compression::None, plain));
        }
        let written = self.expand(input, last, budget)?;
        Ok(some(self.compression(), self.output.get(..written).unwrap_or_default()))
    }

    /// Checks that the stream did not end within a member or frame.
    pub(crate) fn finish(&self) -> Result<(), Situation> {
        if self.open || self.n_in == 0 { Err(Situation::Truncated) } else { Ok(()) }
    }

    fn recognise(&mut self) -> Result<(), Situation> {
        let head = self.input.unread();
        self.codec = if head.starts_with(&GZIP_MAGIC) {
            Codec::Gzip(Decompress::new_gzip(GZIP_WINDOW_BITS))
        } else if head.starts_with(&ZSTD_MAGIC) {
            let corrupt = |_| Situation::Corrupt(Compression::Zstd);
            let mut decoder = Decoder::new().map_err(corrupt)?;
            let window = DParameter::WindowLogMax(self.limits.zstd_window_log);
            decoder.set_parameter(window).map_err(corrupt)?;
            Codec::Zstd(decoder)
        } else {
            Codec::Plain
        };
        if !matches!(self.codec, Codec::Plain) {
            self.output.resize(OUTPUT, 0);
        }
        Ok(())
    }

    /// Decompresses until something came out, and returns how much.
    fn expand(
        &mut self,
        input: &mut &[u8],
        last: bool,
        budget: &mut Budget,
    ) -> Result<usize, Situation> {
        loop {
            self.n_in += self.input.fill(input, BLOCK);
            let ready = self.input.bytes.len() == BLOCK || self.input.eager || last;
            if !ready {
                return Ok(0);
            }
            let idle = self.input.unread().is_empty();
            if !self.open {
                if idle {
                    return Ok(0);
                }
                self.begin(budget)?;
            }
            let step = self.step()?;
            self.input.read += step.read;
            self.open = !step.ended;
            self.ended |= step.ended;
            if step.written > 0 {
                self.account(length(step.written), budget)?;
                return Ok(step.written);
            }
            if step.read == 0 {
                // Only a stream that waits for more input may stand still.
                return if idle { Ok(0) } else { Err(Situation::Corrupt(self.compression())) };
            }
        }
    }

    /// Begins a member or frame at the first byte of one.
    fn begin(&mut self, budget: &mut Budget) -> Result<(), Situation> {
        self.open = true;
        budget.frame()?;
        match &mut self.codec {
            Codec::Gzip(_) if self.input.unread().first() != GZIP_MAGIC.first() => {
                return Err(Situation::Trailing);
            }
            Codec::Gzip(inflate) if self.ended => {
                *inflate = Decompress::new_gzip(GZIP_WINDOW_BITS);
            }
            // A zstd decoder begins the next frame by itself.
            Codec::Gzip(_) | Codec::Zstd(_) | Codec::Unknown | Codec::Plain => {}
        }
        Ok(())
    }

    fn step(&mut self) -> Result<Step, Situation> {
        let source = self.input.unread();
        match &mut self.codec {
            Codec::Unknown | Codec::Plain => Ok(Step { read: 0, written: 0, ended: false }),
            Codec::Gzip(inflate) => gunzip(inflate, source, &mut self.output),
            Codec::Zstd(decoder) => {
                let status = decoder.run_on_buffers(source, &mut self.output);
                let status = status.map_err(|e| self.zstd_fault(&e.to_string()))?;
                let ended = status.remaining == 0;
                Ok(Step { read: status.bytes_read, written: status.bytes_written, ended })
            }
        }
    }

    /// Tells the faults of zstd apart, for which the library has nothing but texts.
    fn zstd_fault(&self, text: &str) -> Situation {
        match text {
            "Frame requires too much memory for decoding" => {
                let max = 1_u64.checked_shl(self.limits.zstd_window_log).unwrap_or(u64::MAX);
                Situation::Limit { name: "bytes of zstd window", max }
            }
            "Unknown frame descriptor" if self.ended => Situation::Trailing,
            _ => Situation::Corrupt(Compression::Zstd),
        }
    }

    fn account(&mut self, written: u64, budget: &mut Budget) -> Result<(), Situation> {
        self.n_out = self.n_out.saturating_add(written);
        let allowed = self.n_in.saturating_mul(self.limits.ratio).saturating_add(FREE);
        if self.n_out > allowed {
            let name = "decompressed bytes per compressed byte";
            return Err(Situation::Limit { name, max: self.limits.ratio });
        }
        budget.expand(written)
    }
}

fn some(compression: Compression, bytes: &[u8]) -> Option<(Compression, &[u8])> {
    (!bytes.is_empty()).then_some((compression, bytes))
}

fn gunzip(inflate: &mut Decompress, source: &[u8], output: &mut [u8]) -> Result<Step, Situation> {
    let (n_in, n_out) = (inflate.total_in(), inflate.total_out());
    let status = inflate
        .decompress(source, output, FlushDecompress::None)
        .map_err(|_| Situation::Corrupt(Compression::Gzip))?;
    let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    Ok(Step {
        read: count(inflate.total_in() - n_in),
        written: count(inflate.total_out() - n_out),
        ended: matches!(status, Status::StreamEnd),
    })
}

/// The input that a decompressor is working on.
#[derive(Default)]
struct Block {
    bytes: Vec<u8>,
    read: usize,
    /// Work on what is there instead of waiting for a full block.
    eager: bool,
}

impl Block {
    fn unread(&self) -> &[u8] {
        self.bytes.get(self.read..).unwrap_or_default()
    }

    /// Returns what is unread, and takes it as read.
    fn drain(&mut self) -> &[u8] {
        let from = self.read;
        self.read = self.bytes.len();
        self.bytes.get(from..).unwrap_or_default()
    }

    /// Takes from `input` until there are `size` bytes, and returns how many it took.
    fn fill(&mut self, input: &mut &[u8], size: usize) -> u64 {
        if self.read == self.bytes.len() {
            self.bytes.clear();
            self.read = 0;
        }
        let taken = take(input, length(size.saturating_sub(self.bytes.len())));
        self.bytes.extend_from_slice(taken);
        length(taken.len())
    }
}
