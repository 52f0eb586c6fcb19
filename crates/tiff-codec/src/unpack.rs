//! Byte codecs in steps: stored bytes go in as they come, the bytes of packed rows come out.
//!
//! A whole chunk and a chunk read row by row go through the same steps, so that both are judged by the same rules
//! (docs/reading.md, "What ends a chunk"): the stream is read to its end within a bound, its checksum is compared, and what
//! it holds beyond the last row has to be what writers are known to add.

use std::io::{BufRead, Error};

use crate::deflate::Inflate;
use crate::layout::MOST_BEYOND;
use crate::lzw::Lzw;
use crate::packbits::PackBits;
use crate::step::Step;
use crate::zstandard::Frames;
use crate::{ChunkLayout, CodecError, Compression};

/// A byte codec in the middle of a chunk.
pub(crate) enum Codec {
    None,
    PackBits(PackBits),
    Lzw(Box<Lzw>),
    Deflate(Box<Inflate>),
    Zstd(Frames),
    #[cfg(feature = "lzma")]
    Lzma(crate::lzma::Xz),
}

impl Codec {
    /// At the start of a chunk.
    pub(crate) fn new(layout: &ChunkLayout) -> Result<Self, CodecError> {
        Ok(match layout.compression {
            Compression::None => Self::None,
            Compression::PackBits => Self::PackBits(PackBits::default()),
            Compression::Lzw => Self::Lzw(Box::default()),
            Compression::Deflate => Self::Deflate(Box::new(Inflate::new())),
            Compression::Zstd => {
                let frames = Frames::new(layout.decoded_len()?).map_err(|error| layout.damaged(error))?;
                Self::Zstd(frames)
            }
            #[cfg(feature = "lzma")]
            Compression::Lzma => Self::Lzma(crate::lzma::Xz::new().map_err(|error| layout.damaged(error))?),
            _ => return Err(layout.unsupported("reading row by row".to_owned())),
        })
    }

    fn step(&mut self, stored: &[u8], out: &mut [u8]) -> Result<Step, String> {
        match self {
            Self::None => {
                let count = stored.len().min(out.len());
                out[..count].copy_from_slice(&stored[..count]);
                Ok(Step { read: count, written: count, ended: false })
            }
            Self::PackBits(codec) => Ok(codec.step(stored, out)),
            Self::Lzw(codec) => codec.step(stored, out),
            Self::Deflate(codec) => codec.step(stored, out),
            Self::Zstd(codec) => codec.step(stored, out),
            #[cfg(feature = "lzma")]
            Self::Lzma(codec) => codec.step(stored, out),
        }
    }

    /// Whether the stored bytes may end here, with `beyond` bytes more than the chunk has.
    fn may_stop(&self, beyond: usize) -> Result<(), &'static str> {
        match self {
            // Of these nothing marks the end but the end of the stored bytes; LZW writers leave their end code out.
            Self::None | Self::Lzw(_) => Ok(()),
            Self::PackBits(codec) => codec.may_stop(),
            Self::Deflate(codec) => codec.may_stop(beyond),
            Self::Zstd(codec) => codec.may_stop(),
            #[cfg(feature = "lzma")]
            Self::Lzma(_) => Err("the stream does not end"),
        }
    }

    /// Whether the stream ends with a checksum of all that it holds, so that whatever is beyond the chunk is sound.
    fn has_checksum(&self) -> bool {
        match self {
            Self::None | Self::PackBits(_) | Self::Lzw(_) | Self::Zstd(_) => false,
            Self::Deflate(_) => true,
            #[cfg(feature = "lzma")]
            Self::Lzma(_) => true,
        }
    }
}

/// Why unpacking stopped.
pub(crate) enum Fault {
    /// The source of the stored bytes failed.
    Read(Error),
    /// The stored bytes break the rules of their format.
    Damaged(String),
    /// They hold more than the chunk.
    TooLong,
}

/// Unpacks the stored bytes of one chunk in pieces.
pub(crate) struct Unpacker<R> {
    stored: R,
    codec: Codec,
    ended: bool,
}

impl<R: BufRead> Unpacker<R> {
    pub(crate) fn new(codec: Codec, stored: R) -> Self {
        Self { stored, codec, ended: false }
    }

    /// The codec, for another chunk.
    pub(crate) fn into_codec(self) -> Codec {
        self.codec
    }

    /// Unpacks until `out` is full or nothing more comes; returns how many bytes were written.
    pub(crate) fn fill(&mut self, out: &mut [u8]) -> Result<usize, Fault> {
        let (mut done, mut idle) = (0, 0);
        while done < out.len() && !self.ended {
            let stored = self.stored.fill_buf().map_err(Fault::Read)?;
            let exhausted = stored.is_empty();
            let step = self.codec.step(stored, &mut out[done..]).map_err(Fault::Damaged)?;
            self.stored.consume(step.read);
            done += step.written;
            self.ended = step.ended;
            idle = if step.read == 0 && step.written == 0 { idle + 1 } else { 0 };
            if idle > MOST_IDLE || (idle > 0 && exhausted && !matches!(self.codec, Codec::Lzw(_))) {
                break;
            }
        }
        Ok(done)
    }

    /// Reads on to the end of the stream after the last row, and judges what is there.
    pub(crate) fn finish(&mut self, layout: &ChunkLayout) -> Result<(), CodecError> {
        if matches!(self.codec, Codec::None) {
            // A byte count that is too large, which is tolerated, says nothing about the samples.
            return Ok(());
        }
        let row = layout.packed_row_len()?;
        let rows_more = layout.full_height.saturating_sub(layout.height) as usize;
        let mut bound = row.saturating_mul(rows_more).min(MOST_BEYOND);
        if self.codec.has_checksum() {
            bound = bound.max(row.saturating_mul(layout.height as usize));
        }
        let mut beyond = 0;
        let mut scrap = [0; 4096];
        loop {
            let more = self.fill(&mut scrap).map_err(|fault| layout.fault(fault))?;
            beyond += more;
            if beyond > bound {
                return Err(layout.fault(Fault::TooLong));
            }
            if more < scrap.len() {
                break;
            }
        }
        if !self.ended {
            self.codec.may_stop(beyond).map_err(|reason| layout.damaged(reason))?;
        }
        if !beyond.is_multiple_of(row) && !self.codec.has_checksum() {
            return Err(layout.fault(Fault::TooLong));
        }
        Ok(())
    }
}

impl ChunkLayout {
    pub(crate) fn fault(&self, fault: Fault) -> CodecError {
        match fault {
            Fault::Read(error) => CodecError::Read { kind: error.kind(), reason: error.to_string() },
            Fault::Damaged(reason) => self.damaged(reason),
            Fault::TooLong => CodecError::Long {
                codec: self.compression.name(),
                expected: self.packed_row_len().unwrap_or(usize::MAX).saturating_mul(self.height as usize),
            },
        }
    }
}

/// Steps without input or output after which nothing more will come: at a Clear code the LZW decoder may take one.
const MOST_IDLE: usize = 2;
