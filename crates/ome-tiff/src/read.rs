//! Samples of a region, from whatever chunks hold them.
//!
//! Three ways, by what is stored: uncompressed samples are read by the row, only the bytes that are needed;
//! chunks of ordinary size are decoded whole and kept for the neighbours; chunks too large for that are decoded
//! row by row with a cursor, so that reading a one-strip image band by band passes over it once.

mod packed;

use std::{ops::Range, slice, sync::Arc};

use fairzarr_tiff_codec::{ChunkLayout, CodecError, Compression, RowStream, can_stream};

use crate::{
    error::{ChunkError, Error, Result},
    image::{Image, PageRef, chunk_index},
    scratch::{ChunkKey, Cursor, Scratch},
    source::{ByteSource, RangeReader, ReadClock},
    types::{PlaneIndex, Region},
};

/// Bytes that are fetched at a time where samples have to be rearranged.
const BATCH: u64 = 4 << 20;
/// Large tiles that may be read row by row side by side: a row of them.
const CURSORS: usize = 16;
/// Bytes by which a compressed chunk may exceed its samples: headers, colour profiles, incompressible noise.
const SLACK: u64 = 4 << 20;

impl Image {
    /// Reads the stored samples of a region of one page.
    ///
    /// `out` is `[samples of the channel group][region.h][region.w]`, each sample
    /// [`SampleType::bytes`](crate::SampleType::bytes) long and little-endian. Samples are those that are stored:
    /// WhiteIsZero is not inverted, palette indices are not looked up. Sparse chunks read as zero.
    ///
    /// Chunks beyond [`OpenOptions::stream_above`](crate::OpenOptions) are cheap to read from the top down in
    /// bands as wide as the image, and expensive in any other order.
    ///
    /// # Errors
    /// [`Error::Request`] when there is no such region or `out` is not as long as it; [`Error::MissingPlane`]
    /// when no file holds the plane; [`Error::Chunk`] when stored bytes cannot be read or decoded.
    pub fn read(
        &self,
        level: usize,
        plane: PlaneIndex,
        region: Region,
        out: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<()> {
        let (page, first_sample) = self.page(level, plane)?;
        let samples = self.groups[plane.group].len();
        let bytes = self.sample_type.bytes();
        let plane_len = self.check_region(&page, region, samples, out.len())?;
        let clock = scratch.clock.clone();
        let job = |first_sample, samples| Job {
            image: self,
            clock: &clock,
            level,
            plane,
            page: &page,
            region,
            first_sample,
            samples,
            bytes,
        };
        if page.geometry.planar {
            for (sample, out) in out.chunks_exact_mut(plane_len).enumerate() {
                job(first_sample + sample as u16, 1).run(out, scratch)?;
            }
            Ok(())
        } else {
            job(first_sample, samples).run(out, scratch)
        }
    }

    /// Bytes of one sample's plane of the region.
    fn check_region(
        &self,
        page: &PageRef<'_>,
        region: Region,
        samples: usize,
        found: usize,
    ) -> Result<usize> {
        let Region { y, x, h, w } = region;
        let (height, width) = (page.geometry.height, page.geometry.width);
        let inside = y.checked_add(h).is_some_and(|end| end <= height)
            && x.checked_add(w).is_some_and(|end| end <= width)
            && h > 0
            && w > 0;
        if !inside {
            return Err(self.request(format_args!(
                "region of {h} rows from {y} and {w} columns from {x} in a page of {height} x {width}"
            )));
        }
        let plane_len =
            (h as usize).checked_mul(w as usize).and_then(|n| n.checked_mul(self.sample_type.bytes()));
        match plane_len.filter(|len| len.checked_mul(samples) == Some(found)) {
            Some(len) => Ok(len),
            None => Err(Error::Request {
                image: self.label(),
                what: format!(
                    "the buffer for {samples} x {h} x {w} samples of {} has {found} bytes",
                    self.sample_type
                ),
            }),
        }
    }
}

pub use packed::PackedChunk;

/// One region of one page, or of one sample of it where each has its own chunks.
struct Job<'a> {
    image: &'a Image,
    clock: &'a ReadClock,
    level: usize,
    plane: PlaneIndex,
    page: &'a PageRef<'a>,
    region: Region,
    /// First sample that is wanted, and how many.
    first_sample: u16,
    samples: usize,
    /// Bytes of a sample.
    bytes: usize,
}

/// The part of the region that lies in one chunk.
#[derive(Clone, Copy)]
struct Part {
    index: u64,
    /// Row of the chunk grid.
    grid_row: u64,
    offset: u64,
    len: u64,
    /// First row and column within the chunk.
    y: u32,
    x: u32,
    h: u32,
    w: u32,
    /// First row and column within the region.
    to_y: u32,
    to_x: u32,
}

impl Part {
    fn is_sparse(&self) -> bool {
        self.offset == 0 && self.len == 0
    }
}

impl Job<'_> {
    fn run(&self, out: &mut [u8], scratch: &mut Scratch) -> Result<()> {
        let parts = self.parts()?;
        let layout = &self.page.geometry.layout;
        let whole_bytes = layout.bits.is_multiple_of(8) && usize::from(layout.bits) == self.bytes * 8;
        if layout.compression == Compression::None {
            if whole_bytes && layout.fill_order == 1 {
                self.read_rows(&parts, out, scratch)
            } else {
                self.read_packed_rows(&parts, out, scratch)
            }
        } else if self.streams() {
            parts.iter().try_for_each(|part| self.read_stream(part, out, scratch))
        } else {
            self.read_chunks(&parts, out, scratch)
        }
    }

    /// The chunks that the region touches, row by row.
    fn parts(&self) -> Result<Vec<Part>> {
        let Region { y, x, h, w } = self.region;
        let geometry = self.page.geometry;
        let (chunk_h, chunk_w) = (geometry.layout.height, geometry.layout.width);
        let rows = y / chunk_h..(y + h).div_ceil(chunk_h);
        let columns = x / chunk_w..(x + w).div_ceil(chunk_w);
        let table = self.image.chunk_table(self.level, self.plane, self.page)?;
        let mut parts = Vec::with_capacity(rows.len().saturating_mul(columns.len()).min(4096));
        for row in rows {
            for column in columns.clone() {
                let index = chunk_index(geometry, self.first_sample, u64::from(row), u64::from(column));
                let (offset, len) =
                    self.image.chunk_place(self.level, self.plane, self.page, &table, index)?;
                let (top, left) = (row * chunk_h, column * chunk_w);
                let (from_y, from_x) = (y.max(top), x.max(left));
                let to_y = (y + h).min(top.saturating_add(chunk_h));
                let to_x = (x + w).min(left.saturating_add(chunk_w));
                parts.push(Part {
                    index,
                    grid_row: u64::from(row),
                    offset,
                    len,
                    y: from_y - top,
                    x: from_x - left,
                    h: to_y - from_y,
                    w: to_x - from_x,
                    to_y: from_y - y,
                    to_x: from_x - x,
                });
            }
        }
        Ok(parts)
    }

    /// Uncompressed samples of whole bytes.
    fn read_rows(&self, parts: &[Part], out: &mut [u8], scratch: &mut Scratch) -> Result<()> {
        let layout = &self.page.geometry.layout;
        let chunk_samples = usize::from(layout.samples);
        let pixel = chunk_samples * self.bytes;
        let row_len = layout.width as usize * pixel;
        let in_place = chunk_samples == 1
            && parts
                .iter()
                .all(|part| part.w == self.region.w && part.w == layout.width && !part.is_sparse());
        if in_place {
            // Rows of the file are rows of the output: nothing to rearrange.
            let mut ranges = Vec::with_capacity(parts.len());
            for part in parts {
                let start = part.offset + u64::from(part.y) * row_len as u64;
                push_range(&mut ranges, start..start + u64::from(part.h) * row_len as u64);
            }
            self.fetch(&parts[0], &ranges, out)?;
            if layout.big_endian {
                swap_bytes(out, self.image.sample_type.number_bytes());
            }
            return Ok(());
        }
        let mut pieces: Vec<(Part, Range<usize>)> = Vec::new();
        let mut ranges = Vec::new();
        let mut held = 0;
        for part in parts {
            if part.is_sparse() {
                self.fill_zero(part, out);
                continue;
            }
            // Whole rows cost little more than their middle, and far fewer requests.
            let whole = part.w as usize * 2 >= layout.width as usize || row_len <= 8 << 10;
            let (from, row_bytes) =
                if whole { (0, row_len) } else { (part.x as usize * pixel, part.w as usize * pixel) };
            let rows_at_once = if whole { (BATCH as usize / row_len).max(1) as u32 } else { 1 };
            let mut row = 0;
            while row < part.h {
                let rows = rows_at_once.min(part.h - row);
                let start = part.offset + u64::from(part.y + row) * row_len as u64 + from as u64;
                let len = rows as usize * row_bytes;
                let x = if whole { part.x } else { 0 };
                let piece = Part { h: rows, to_y: part.to_y + row, x, ..*part };
                if held + len > BATCH as usize && held > 0 {
                    self.flush_rows(&mut pieces, &mut ranges, held, out, scratch)?;
                    held = 0;
                }
                push_range(&mut ranges, start..start + len as u64);
                pieces.push((piece, held..held + len));
                held += len;
                row += rows;
            }
        }
        self.flush_rows(&mut pieces, &mut ranges, held, out, scratch)
    }

    fn flush_rows(
        &self,
        pieces: &mut Vec<(Part, Range<usize>)>,
        ranges: &mut Vec<Range<u64>>,
        held: usize,
        out: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<()> {
        let Some((first, _)) = pieces.first() else { return Ok(()) };
        self.fetch(first, ranges, room(&mut scratch.stored, held))?;
        let swap = self.page.geometry.layout.big_endian;
        for (part, range) in pieces.iter() {
            let bytes = &mut scratch.stored[range.clone()];
            if swap {
                swap_bytes(bytes, self.image.sample_type.number_bytes());
            }
            self.place(part, bytes, range.len() / part.h as usize, out);
        }
        pieces.clear();
        ranges.clear();
        Ok(())
    }

    /// Uncompressed samples that the decoder has to unpack: whole rows, as many as are needed.
    fn read_packed_rows(&self, parts: &[Part], out: &mut [u8], scratch: &mut Scratch) -> Result<()> {
        let geometry = self.page.geometry;
        let stored_row = geometry.stored_row_len().unwrap_or(u64::MAX);
        for part in parts {
            if part.is_sparse() {
                self.fill_zero(part, out);
                continue;
            }
            let rows_at_once = (BATCH / stored_row.max(1)).max(1) as u32;
            let mut row = 0;
            while row < part.h {
                let rows = rows_at_once.min(part.h - row);
                let layout = ChunkLayout { height: rows, ..geometry.layout.clone() };
                let start = part.offset + u64::from(part.y + row) * stored_row;
                let end = start + u64::from(rows) * stored_row;
                let len = (end - start) as usize;
                self.fetch(part, slice::from_ref(&(start..end)), room(&mut scratch.stored, len))?;
                let row_len = layout.row_len().map_err(|e| self.failed(part, e.into()))?;
                let mut decoded = std::mem::take(&mut scratch.spare);
                decoded.resize(row_len * rows as usize, 0);
                let result = scratch.decoder.decode(&layout, &scratch.stored[..len], &mut decoded);
                if result.is_ok() {
                    let piece = Part { h: rows, to_y: part.to_y + row, ..*part };
                    self.place(&piece, &decoded, row_len, out);
                }
                scratch.spare = decoded;
                result.map_err(|e| self.failed(part, e.into()))?;
                row += rows;
            }
        }
        Ok(())
    }

    /// Compressed chunks of ordinary size.
    fn read_chunks(&self, parts: &[Part], out: &mut [u8], scratch: &mut Scratch) -> Result<()> {
        let mut waiting: Vec<Part> = Vec::new();
        let mut held = 0;
        for part in parts {
            if part.is_sparse() {
                self.fill_zero(part, out);
                continue;
            }
            if let Some(decoded) = scratch.cache.get_ref(&self.key(part)) {
                let row_len = self.page.geometry.layout.row_len().map_err(|e| self.failed(part, e.into()))?;
                self.place(&Part { ..*part }, skip_rows(decoded, part.y, row_len), row_len, out);
                continue;
            }
            let len = self.fetched_len(part)?;
            if held + len > BATCH && held > 0 {
                self.flush_chunks(&waiting, out, scratch)?;
                waiting.clear();
                held = 0;
            }
            waiting.push(*part);
            held += len;
        }
        self.flush_chunks(&waiting, out, scratch)
    }

    /// Fetches chunks together and decodes one after another.
    fn flush_chunks(&self, parts: &[Part], out: &mut [u8], scratch: &mut Scratch) -> Result<()> {
        let Some(first) = parts.first() else { return Ok(()) };
        let mut ranges = Vec::with_capacity(parts.len());
        let mut held = 0;
        for part in parts {
            let len = self.fetched_len(part)?;
            push_range(&mut ranges, part.offset..part.offset + len);
            held += len;
        }
        self.fetch(first, &ranges, room(&mut scratch.stored, held as usize))?;
        let mut at = 0;
        for part in parts {
            let len = self.fetched_len(part)? as usize;
            self.decode(part, at..at + len, out, scratch)?;
            at += len;
        }
        Ok(())
    }

    fn decode(&self, part: &Part, stored: Range<usize>, out: &mut [u8], scratch: &mut Scratch) -> Result<()> {
        let layout = self.page.geometry.chunk_layout(part.grid_row);
        let failed = |e: CodecError| self.failed(part, e.into());
        let decoded_len = layout.decoded_len().map_err(failed)?;
        let Scratch { decoder, stored: bytes, spare, cache, .. } = scratch;
        if layout.samples == 1
            && out.len() == decoded_len
            && part.w == layout.width
            && part.h == layout.height
        {
            // The region is the chunk.
            return decoder.decode(&layout, &bytes[stored], out).map_err(failed);
        }
        let mut decoded = std::mem::take(spare);
        if decoded.capacity() < decoded_len {
            decoded = vec![0; decoded_len];
        } else {
            decoded.resize(decoded_len, 0);
        }
        if let Err(e) = decoder.decode(&layout, &bytes[stored], &mut decoded) {
            *spare = decoded;
            return Err(failed(e));
        }
        let row_len = decoded_len / layout.height as usize;
        self.place(part, skip_rows(&decoded, part.y, row_len), row_len, out);
        // A chunk that has been taken whole is not asked for again, and its buffer stays warm for the next.
        if decoded_len <= cache.capacity() && !self.is_whole(part) {
            *spare = cache.insert(self.key(part), decoded, decoded_len).unwrap_or_default();
        } else {
            *spare = decoded;
        }
        Ok(())
    }

    /// Whether the region takes all samples of the chunk that lie in the page.
    fn is_whole(&self, part: &Part) -> bool {
        let Region { y, x, h, w } = self.region;
        let geometry = self.page.geometry;
        let layout = &geometry.layout;
        part.y == 0
            && part.x == 0
            && (part.h == layout.height || y + h == geometry.height)
            && (part.w == layout.width || x + w == geometry.width)
            && self.samples == usize::from(layout.samples)
    }

    /// Whether chunks of this page are read row by row.
    fn streams(&self) -> bool {
        let layout = &self.page.geometry.layout;
        layout.decoded_len().is_ok_and(|len| len > self.image.files.options.stream_above)
            && can_stream(layout)
    }

    fn read_stream(&self, part: &Part, out: &mut [u8], scratch: &mut Scratch) -> Result<()> {
        if part.is_sparse() {
            self.fill_zero(part, out);
            return Ok(());
        }
        let failed = |e: CodecError| self.failed(part, e.into());
        let key = self.key(part);
        let usable = |cursor: &Cursor| cursor.key == key && part.y >= cursor.band_first;
        let mut cursor = match scratch.cursors.iter().position(usable) {
            Some(position) => scratch.cursors.remove(position),
            None => self.start_stream(part, key, scratch).map_err(failed)?,
        };
        let result = self.advance(part, &mut cursor, out, scratch.cache.capacity());
        if result.is_ok() {
            scratch.cursors.push(cursor);
        }
        result.map_err(failed)
    }

    fn start_stream(&self, part: &Part, key: ChunkKey, scratch: &mut Scratch) -> Result<Cursor, CodecError> {
        // The oldest cursor gives up its buffer, as does one that has passed these rows.
        let stale = scratch.cursors.iter().position(|cursor| cursor.key == key);
        let full = (scratch.cursors.len() >= CURSORS).then_some(0);
        let old = stale.or(full).map(|position| scratch.cursors.remove(position));
        let mut band = old.map(|cursor| cursor.band).unwrap_or_default();
        band.clear();
        let stored = RangeReader::new(
            Arc::clone(self.source()),
            part.offset..part.offset + part.len,
            self.clock.clone(),
        );
        let rows = RowStream::new(self.page.geometry.chunk_layout(part.grid_row), stored)?;
        Ok(Cursor { key, rows, next: 0, band, band_first: 0 })
    }

    /// Moves the cursor over the rows of a part.
    fn advance(
        &self,
        part: &Part,
        cursor: &mut Cursor,
        out: &mut [u8],
        cache: usize,
    ) -> Result<(), CodecError> {
        let row_len = self.page.geometry.layout.row_len()?;
        // A band that fits is kept whole, for a caller who reads it in blocks from left to right. One who takes whole
        // rows never comes back to them.
        let kept = if part.w == self.page.geometry.layout.width { 0 } else { cache };
        let rows_at_once = (kept.max(BATCH as usize) / row_len).max(1) as u32;
        let end = part.y + part.h;
        let mut row = part.y;
        while row < end {
            if row >= cursor.next {
                cursor.rows.skip_rows(row - cursor.next)?;
                let rows = rows_at_once.min(end - row);
                cursor.band.resize(rows as usize * row_len, 0);
                cursor.rows.read_rows(&mut cursor.band)?;
                cursor.band_first = row;
                cursor.next = row + rows;
            }
            let rows = cursor.next.min(end) - row;
            let band = skip_rows(&cursor.band, row - cursor.band_first, row_len);
            self.place(&Part { h: rows, to_y: part.to_y + (row - part.y), ..*part }, band, row_len, out);
            row += rows;
        }
        Ok(())
    }

    /// Copies rows of interleaved little-endian samples into the planes of the output.
    ///
    /// `rows` begins with the first row of the part; `row_len` bytes each, of which the part's columns are used.
    fn place(&self, part: &Part, rows: &[u8], row_len: usize, out: &mut [u8]) {
        let bytes = self.bytes;
        let pixel = usize::from(self.page.geometry.layout.samples) * bytes;
        let (from, width) = (part.x as usize * pixel, part.w as usize);
        let out_row = self.region.w as usize * bytes;
        let out_plane = self.region.h as usize * out_row;
        for (n, row) in rows.chunks_exact(row_len).take(part.h as usize).enumerate() {
            let row = &row[from..from + width * pixel];
            let to = (part.to_y as usize + n) * out_row + part.to_x as usize * bytes;
            for sample in 0..self.samples {
                let out = &mut out[sample * out_plane + to..][..width * bytes];
                let first = if self.page.geometry.planar { 0 } else { usize::from(self.first_sample) };
                pick(row, pixel, (first + sample) * bytes, bytes, out);
            }
        }
    }

    fn fill_zero(&self, part: &Part, out: &mut [u8]) {
        let out_row = self.region.w as usize * self.bytes;
        for plane in out.chunks_exact_mut(self.region.h as usize * out_row) {
            for row in plane.chunks_exact_mut(out_row).skip(part.to_y as usize).take(part.h as usize) {
                row[part.to_x as usize * self.bytes..][..part.w as usize * self.bytes].fill(0);
            }
        }
    }

    /// Bytes of the chunk that are worth fetching, whatever its byte count claims: it may be a last strip that is filled up.
    fn fetched_len(&self, part: &Part) -> Result<u64> {
        let layout = self.page.geometry.chunk_layout(part.grid_row);
        let decoded = layout.most_decoded_len().map_err(|e| self.failed(part, e.into()))?;
        Ok(part.len.min((decoded as u64).saturating_mul(2).saturating_add(SLACK)))
    }

    fn fetch(&self, part: &Part, ranges: &[Range<u64>], out: &mut [u8]) -> Result<()> {
        self.clock.measure(|| self.source().read_ranges(ranges, out)).map_err(|e| self.failed(part, e.into()))
    }

    fn source(&self) -> &Arc<dyn ByteSource> {
        &self.image.files.members[self.page.file as usize].source
    }

    fn key(&self, part: &Part) -> ChunkKey {
        ChunkKey {
            set: self.image.files.id,
            file: self.page.file,
            page: self.page.page,
            shift: self.page.shift,
            index: part.index,
        }
    }

    fn failed(&self, part: &Part, source: ChunkError) -> Error {
        let place = (part.offset, part.len);
        self.image.chunk_error(self.level, self.plane, self.page, part.index, place, source)
    }
}

/// The first `len` bytes of a buffer that only grows, so that it is cleared only once.
fn room(buffer: &mut Vec<u8>, len: usize) -> &mut [u8] {
    if buffer.len() < len {
        buffer.resize(len, 0);
    }
    &mut buffer[..len]
}

/// Adds a range, joined to the last one where it follows it.
fn push_range(ranges: &mut Vec<Range<u64>>, range: Range<u64>) {
    match ranges.last_mut() {
        Some(last) if last.end == range.start => last.end = range.end,
        _ => ranges.push(range),
    }
}

fn skip_rows(rows: &[u8], count: u32, row_len: usize) -> &[u8] {
    &rows[count as usize * row_len..]
}

/// Takes one sample of each pixel.
fn pick(row: &[u8], pixel: usize, offset: usize, bytes: usize, out: &mut [u8]) {
    if pixel == bytes {
        out.copy_from_slice(row);
        return;
    }
    // The widths of all sample types, each with a copy of known length.
    match bytes {
        1 => pick_fixed::<1>(row, pixel, offset, out),
        2 => pick_fixed::<2>(row, pixel, offset, out),
        4 => pick_fixed::<4>(row, pixel, offset, out),
        8 => pick_fixed::<8>(row, pixel, offset, out),
        _ => pick_fixed::<16>(row, pixel, offset, out),
    }
}

fn pick_fixed<const N: usize>(row: &[u8], pixel: usize, offset: usize, out: &mut [u8]) {
    for (from, to) in row.chunks_exact(pixel).zip(out.chunks_exact_mut(N)) {
        to.copy_from_slice(&from[offset..offset + N]);
    }
}

/// Turns numbers of `bytes` bytes around: big-endian ones become little-endian ones, and the other way.
pub fn swap_bytes(samples: &mut [u8], bytes: usize) {
    match bytes {
        1 => {}
        2 => swap_fixed::<2>(samples),
        4 => swap_fixed::<4>(samples),
        _ => swap_fixed::<8>(samples),
    }
}

fn swap_fixed<const N: usize>(samples: &mut [u8]) {
    for sample in samples.as_chunks_mut::<N>().0 {
        sample.reverse();
    }
}
