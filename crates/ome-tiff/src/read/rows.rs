//! Uncompressed samples: only the rows that are needed are fetched, and where rows of the file are rows of the output,
//! nothing is rearranged.

use std::{ops::Range, slice};

use fairzarr_pixel::swap_bytes;
use fairzarr_tiff_codec::ChunkLayout;

use super::{BATCH, Job, Part, push_range, room};
use crate::{error::Result, scratch::Scratch};

impl Job<'_> {
    /// Uncompressed samples of whole bytes.
    pub(super) fn read_rows(&self, parts: &[Part], out: &mut [u8], scratch: &mut Scratch) -> Result<()> {
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
                swap_bytes(out, self.number_bytes);
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
                swap_bytes(bytes, self.number_bytes);
            }
            self.place(part, bytes, range.len() / part.h as usize, out);
        }
        pieces.clear();
        ranges.clear();
        Ok(())
    }

    /// Uncompressed samples that the decoder has to unpack: whole rows, as many as are needed.
    pub(super) fn read_packed_rows(
        &self,
        parts: &[Part],
        out: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<()> {
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
}
