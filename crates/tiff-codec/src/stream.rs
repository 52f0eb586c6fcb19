//! Chunks too large to hold: rows in order, in bounded memory.

use std::io::{BufReader, ErrorKind, Read};

use crate::samples::{Rows, reverse_bits};
use crate::unpack::{Codec, Unpacker};
use crate::{ChunkLayout, CodecError, Compression};

/// Whether [`RowStream`] can decode chunks of this layout: those of the byte codecs.
pub fn can_stream(layout: &ChunkLayout) -> bool {
    layout.check().is_ok()
        && matches!(
            layout.compression,
            Compression::None
                | Compression::PackBits
                | Compression::Lzw
                | Compression::Deflate
                | Compression::Zstd
                | Compression::Lzma
        )
}

/// Decodes one chunk row by row from a reader of its stored bytes.
///
/// The memory held is that of the codec and of one buffer of at most [`BUFFER_LEN`] bytes or one
/// row, whatever the height of the chunk.
pub struct RowStream<R: Read> {
    layout: ChunkLayout,
    bytes: Unpacker<BufReader<Stored<R>>>,
    rows: Rows,
    rows_left: u32,
    buffer: Vec<u8>,
}

impl<R: Read> RowStream<R> {
    /// Starts at the first row. `stored` gives the stored bytes of the chunk and then ends.
    ///
    /// # Errors
    /// Those of [`ChunkLayout::check`]; [`CodecError::UnsupportedLayout`] when the layout
    /// [cannot be streamed](can_stream); [`CodecError::Damaged`] when a codec does not start.
    pub fn new(layout: ChunkLayout, stored: R) -> Result<Self, CodecError> {
        layout.check()?;
        let stored = Stored { reader: stored, reversed: layout.fill_order == 2 };
        let stored = BufReader::with_capacity(BUFFER_LEN, stored);
        let bytes = Unpacker::new(Codec::new(&layout)?, stored);
        let rows = Rows::new(&layout)?;
        let rows_left = layout.height;
        Ok(Self { layout, bytes, rows, rows_left, buffer: Vec::new() })
    }

    /// Rows that have not been read or skipped.
    pub fn rows_left(&self) -> u32 {
        self.rows_left
    }

    /// Decodes the next rows into `out`, as many whole rows as it holds, in the form that
    /// [`Decoder::decode`](crate::Decoder::decode) gives. With the last row the stream is read to its end, and judged as
    /// there.
    ///
    /// # Errors
    /// [`CodecError::OutputSize`] when `out` is not whole rows or more than are left;
    /// [`CodecError::Short`], [`CodecError::Damaged`] and [`CodecError::Read`] for the data. After
    /// an error the stream is of no further use.
    pub fn read_rows(&mut self, out: &mut [u8]) -> Result<(), CodecError> {
        let row_len = self.rows.len;
        let count = out.len() / row_len;
        if !out.len().is_multiple_of(row_len) || count > self.rows_left as usize {
            let expected = count.min(self.rows_left as usize) * row_len;
            return Err(CodecError::OutputSize { found: out.len(), expected });
        }
        if self.rows.in_place() {
            self.fill_out(out)?;
            self.rows.finish(out);
        } else {
            for out in out.chunks_mut(self.rows_at_once() * row_len) {
                self.fill_buffer(out.len() / row_len)?;
                self.rows.unpack(&mut self.buffer, out);
            }
        }
        self.pass(count as u32)
    }

    /// Passes over the next `count` rows, at the cost of decompressing them.
    ///
    /// # Errors
    /// As [`read_rows`](Self::read_rows).
    pub fn skip_rows(&mut self, count: u32) -> Result<(), CodecError> {
        if count > self.rows_left {
            return Err(CodecError::OutputSize {
                found: (count as usize).saturating_mul(self.rows.len),
                expected: self.rows_left as usize * self.rows.len,
            });
        }
        let mut left = count as usize;
        while left > 0 {
            let now = left.min(self.rows_at_once());
            self.fill_buffer(now)?;
            left -= now;
        }
        self.pass(count)
    }

    /// Counts rows that have been taken; after the last one, what follows it is judged.
    fn pass(&mut self, count: u32) -> Result<(), CodecError> {
        self.rows_left -= count;
        if count > 0 && self.rows_left == 0 { self.bytes.finish(&self.layout) } else { Ok(()) }
    }

    fn rows_at_once(&self) -> usize {
        (BUFFER_LEN / self.rows.packed_len).max(1)
    }

    fn fill_buffer(&mut self, rows: usize) -> Result<(), CodecError> {
        self.buffer.resize(rows * self.rows.packed_len, 0);
        let mut buffer = std::mem::take(&mut self.buffer);
        let result = self.fill_out(&mut buffer);
        self.buffer = buffer;
        result
    }

    fn fill_out(&mut self, out: &mut [u8]) -> Result<(), CodecError> {
        let done = self.bytes.fill(out).map_err(|fault| self.layout.fault(fault))?;
        if done == out.len() {
            return Ok(());
        }
        let rows_done = (self.layout.height - self.rows_left) as usize;
        Err(self.layout.short(
            rows_done * self.rows.packed_len + done,
            self.layout.height as usize * self.rows.packed_len,
        ))
    }
}

/// Bytes read ahead from the source, and bytes of packed rows unpacked at once.
pub const BUFFER_LEN: usize = 64 * 1024;

/// The caller's reader, with the bits of every byte reversed if so stored.
struct Stored<R> {
    reader: R,
    reversed: bool,
}

impl<R: Read> Read for Stored<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let count = loop {
            match self.reader.read(out) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        if self.reversed {
            reverse_bits(&mut out[..count]);
        }
        Ok(count)
    }
}
