//! LZMA2 in an xz container, as libtiff writes it.

use liblzma::stream::{Action, Status, Stream};

/// Decodes until `out` is full or the input ends; returns how many bytes were written.
pub(crate) fn decode(stored: &[u8], out: &mut [u8]) -> Result<usize, String> {
    let mut stream = stream().map_err(|error| error.to_string())?;
    let mut beyond = [0; 1];
    loop {
        let (read, written) = (stream.total_in() as usize, stream.total_out() as usize);
        // A last byte that is not wanted makes the decoder reach its checksum.
        let room = if written < out.len() { &mut out[written..] } else { &mut beyond[..] };
        let status = stream.process(&stored[read..], room, Action::Run).map_err(|error| error.to_string())?;
        let written_now = stream.total_out() as usize;
        let stuck = stream.total_in() as usize == read && written_now == written;
        if status == Status::StreamEnd || stuck || written_now > out.len() {
            return Ok(written_now.min(out.len()));
        }
    }
}

/// A decoder of one xz stream.
pub(crate) fn stream() -> Result<Stream, liblzma::stream::Error> {
    Stream::new_stream_decoder(MEMORY_LIMIT, 0)
}

/// Enough for the dictionary of the highest preset (64 MiB), which writers ask for even when the
/// chunk is small.
const MEMORY_LIMIT: u64 = 80 << 20;
