//! Deflate in a zlib wrapper (Adobe Photoshop TIFF Technical Note 2).

use flate2::{Decompress, FlushDecompress, Status};
use libdeflater::Decompressor;

/// Inflates whole chunks; the context is reused.
pub(crate) struct Inflater {
    whole: Decompressor,
}

impl Inflater {
    pub(crate) fn new() -> Self {
        Self { whole: Decompressor::new() }
    }

    /// Inflates until `out` is full or the input ends; returns how many bytes were written.
    pub(crate) fn decode(&mut self, stored: &[u8], out: &mut [u8]) -> Result<usize, String> {
        match self.whole.zlib_decompress(stored, out) {
            Ok(count) => Ok(count),
            // More data than the chunk needs, or a missing checksum: the slow way tells.
            Err(_) => inflate_prefix(stored, out),
        }
    }
}

/// Accepts what writers do in practice: more rows than the chunk has, and a stream cut before its
/// checksum. A checksum that is there and wrong is an error.
fn inflate_prefix(stored: &[u8], out: &mut [u8]) -> Result<usize, String> {
    let mut stream = Decompress::new(true);
    let mut beyond = [0; 4096];
    loop {
        let (read, written) = (stream.total_in() as usize, stream.total_out() as usize);
        let room = if written < out.len() { &mut out[written..] } else { &mut beyond[..] };
        let status = stream
            .decompress(&stored[read..], room, FlushDecompress::None)
            .map_err(|error| error.to_string())?;
        let written_now = stream.total_out() as usize;
        let stuck = stream.total_in() as usize == read && written_now == written;
        if status == Status::StreamEnd || stuck || written_now > out.len() {
            return Ok(written_now.min(out.len()));
        }
    }
}
