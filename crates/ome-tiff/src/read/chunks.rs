//! Compressed chunks of ordinary size: fetched together, decoded whole, and kept for the neighbours.

use std::ops::Range;

use fairzarr_pixel::Region;
use fairzarr_tiff_codec::CodecError;

use super::{BATCH, Job, Part, push_range, room, skip_rows};
use crate::{error::Result, scratch::Scratch};

impl Job<'_> {
    /// Compressed chunks of ordinary size.
    pub(super) fn read_chunks(&self, parts: &[Part], out: &mut [u8], scratch: &mut Scratch) -> Result<()> {
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
}
