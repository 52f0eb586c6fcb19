//! Zstandard frames.

use zstd::bulk::Decompressor;
use zstd::stream::raw::{Decoder as StreamDecoder, InBuffer, Operation, OutBuffer};
use zstd::zstd_safe::DParameter;

/// Decodes whole chunks; the context is made when first needed and reused.
#[derive(Default)]
pub(crate) struct Zstd {
    whole: Option<Decompressor<'static>>,
}

impl Zstd {
    /// Decodes until `out` is full or the input ends; returns how many bytes were written.
    pub(crate) fn decode(&mut self, stored: &[u8], out: &mut [u8]) -> Result<usize, String> {
        match self.decode_whole(stored, out) {
            Some(count) => Ok(count),
            // More data than the chunk needs, or bytes after the frame: the slow way tells.
            None => decode_prefix(stored, out),
        }
    }

    /// Decodes frames that `out` holds all of, and nothing else.
    pub(crate) fn decode_whole(&mut self, stored: &[u8], out: &mut [u8]) -> Option<usize> {
        let whole = match &mut self.whole {
            Some(whole) => whole,
            none => none.insert(Decompressor::new().ok()?),
        };
        whole.decompress_to_buffer(stored, out).ok()
    }
}

/// Accepts what writers do in practice: more rows than the chunk has, and bytes after the frame. A
/// checksum that is there and wrong is an error.
fn decode_prefix(stored: &[u8], out: &mut [u8]) -> Result<usize, String> {
    let message = |error: std::io::Error| error.to_string();
    let mut stream = StreamDecoder::new().map_err(message)?;
    stream.set_parameter(window_limit(out.len())).map_err(message)?;
    let mut input = InBuffer::around(stored);
    let mut output = OutBuffer::around(out);
    loop {
        let before = (input.pos(), output.pos());
        let ended = stream.run(&mut input, &mut output).map_err(message)? == 0;
        let written = output.pos();
        let full = written == output.capacity();
        if (full && ended) || (!full && before == (input.pos(), written)) {
            return Ok(written);
        }
        if full {
            let mut beyond = [0; 1];
            stream.run(&mut input, &mut OutBuffer::around(&mut beyond[..])).map_err(message)?;
            return Ok(written);
        }
    }
}

/// The largest window that a frame may ask memory for: that of the chunk, or 8 MiB, which every
/// streaming compressor below its "ultra" levels stays within.
pub(crate) fn window_limit(decoded_len: usize) -> DParameter {
    let log = decoded_len.checked_next_power_of_two().map_or(27, usize::ilog2);
    DParameter::WindowLogMax(log.clamp(23, 27))
}
