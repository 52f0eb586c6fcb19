//! Samples of a region, from whatever chunks hold them.
//!
//! Three ways, by what is stored: uncompressed samples are read by the row, only the bytes that are needed;
//! chunks of ordinary size are decoded whole and kept for the neighbours; chunks too large for that are decoded
//! row by row with a cursor, so that reading a one-strip image band by band passes over it once.

mod chunks;
mod packed;
mod place;
mod rows;
mod stream;

use std::{ops::Range, sync::Arc};

use half::f16;

use fairzarr_pixel::{PlaneIndex, Region, SampleType};
use fairzarr_tiff_codec::Compression;

use crate::{
    error::{ChunkError, Error, Result},
    image::{Image, PageRef, chunk_index},
    sample_type::is_widened_half,
    scratch::{ChunkKey, Scratch},
    source::{ByteSource, ReadClock},
};

/// Bytes that are fetched at a time where samples have to be rearranged.
const BATCH: u64 = 4 << 20;
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
        let samples = self.groups[plane.group as usize].len();
        self.check_region(&page, region, samples, out.len())?;
        if is_widened_half(self.sample_type, &page.geometry.layout) {
            let mut stored = std::mem::take(&mut scratch.halves);
            stored.resize(out.len() / 2, 0);
            let place = (level, plane, region);
            let result = self.read_as(place, &page, first_sample, SampleType::Float16, &mut stored, scratch);
            if result.is_ok() {
                widen(&stored, out);
            }
            scratch.halves = stored;
            return result;
        }
        self.read_as((level, plane, region), &page, first_sample, self.sample_type, out, scratch)
    }

    /// Reads samples of the type that is stored.
    fn read_as(
        &self,
        (level, plane, region): (usize, PlaneIndex, Region),
        page: &PageRef<'_>,
        first_sample: u16,
        stored: SampleType,
        out: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<()> {
        let samples = self.groups[plane.group as usize].len();
        let plane_len = out.len() / samples.max(1);
        let clock = scratch.clock.clone();
        let job = |first_sample, samples| Job {
            image: self,
            clock: &clock,
            level,
            plane,
            page,
            region,
            first_sample,
            samples,
            bytes: stored.bytes(),
            number_bytes: stored.number_bytes(),
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

    /// Refuses a region that the page does not have, and a buffer that does not fit it.
    fn check_region(&self, page: &PageRef<'_>, region: Region, samples: usize, found: usize) -> Result<()> {
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
            Some(_) => Ok(()),
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

/// Little-endian binary16 to binary32, which has each of its values.
fn widen(halves: &[u8], out: &mut [u8]) {
    let (halves, _) = halves.as_chunks::<2>();
    let (floats, _) = out.as_chunks_mut::<4>();
    for (half, float) in halves.iter().zip(floats) {
        *float = f16::from_le_bytes(*half).to_f32().to_le_bytes();
    }
}

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
    /// Bytes of a stored sample.
    bytes: usize,
    /// Bytes of one number of it.
    number_bytes: usize,
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
