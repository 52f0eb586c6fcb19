//! Compressed chunks that are too large to decode whole: row by row with a cursor, so that reading a one-strip image
//! band by band passes over it once.

use std::sync::Arc;

use fairzarr_tiff_codec::{CodecError, Compression, RowStream, can_stream};

use super::{BATCH, Job, Part, skip_rows};
use crate::{
    container::Geometry,
    error::Result,
    image::Image,
    scratch::{ChunkKey, Cursor, Scratch},
    source::RangeReader,
};

/// Large tiles that may be read row by row side by side: a row of them.
const CURSORS: usize = 16;

impl Image {
    /// Whether the chunks of a level are so large that they are decoded row by row instead of whole: cheap from the
    /// top down in bands as wide as the image, expensive in any other order. As its first page is; others may differ.
    pub fn is_streamed(&self, level: usize) -> bool {
        let Some(pages) = self.level_pages.get(level).copied() else { return false };
        let Some(place) = self.planes.iter().find(|place| !place.is_missing()).copied() else { return false };
        self.level_page(place.file, self.full_page(place), pages)
            .and_then(|page| self.files.container(place.file)?.geometry(page).ok())
            .is_some_and(|geometry| self.streams(geometry))
    }

    fn streams(&self, geometry: &Geometry) -> bool {
        let layout = &geometry.layout;
        layout.compression != Compression::None
            && layout.decoded_len().is_ok_and(|len| len > self.files.options.stream_above)
            && can_stream(layout)
    }
}

impl Job<'_> {
    /// Whether chunks of this page are read row by row.
    pub(super) fn streams(&self) -> bool {
        self.image.streams(self.page.geometry)
    }

    pub(super) fn read_stream(&self, part: &Part, out: &mut [u8], scratch: &mut Scratch) -> Result<()> {
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
}
