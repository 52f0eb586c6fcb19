//! From rows of a chunk, whose samples lie interleaved, into the planes of the output.

use super::{Job, Part};

impl Job<'_> {
    /// Copies rows of interleaved little-endian samples into the planes of the output.
    ///
    /// `rows` begins with the first row of the part; `row_len` bytes each, of which the part's columns are used.
    pub(super) fn place(&self, part: &Part, rows: &[u8], row_len: usize, out: &mut [u8]) {
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

    pub(super) fn fill_zero(&self, part: &Part, out: &mut [u8]) {
        let out_row = self.region.w as usize * self.bytes;
        for plane in out.chunks_exact_mut(self.region.h as usize * out_row) {
            for row in plane.chunks_exact_mut(out_row).skip(part.to_y as usize).take(part.h as usize) {
                row[part.to_x as usize * self.bytes..][..part.w as usize * self.bytes].fill(0);
            }
        }
    }
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
