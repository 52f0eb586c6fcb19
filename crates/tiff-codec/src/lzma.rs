//! LZMA2 in an xz container, as libtiff writes it.

use liblzma::stream::{Action, Error, Status, Stream};

use crate::step::Step;

/// One xz stream. The library compares the checksums of its header, its block (CRC-32, CRC-64 or SHA-256), its index and its
/// end.
pub(crate) struct Xz(Stream);

impl Xz {
    pub(crate) fn new() -> Result<Self, Error> {
        Stream::new_stream_decoder(MEMORY_LIMIT, 0).map(Self)
    }

    /// Decodes until `out` is full or the input ends.
    pub(crate) fn step(&mut self, stored: &[u8], out: &mut [u8]) -> Result<Step, String> {
        let before = (self.0.total_in(), self.0.total_out());
        let status = self.0.process(stored, out, Action::Run).map_err(|error| error.to_string())?;
        Ok(Step {
            read: (self.0.total_in() - before.0) as usize,
            written: (self.0.total_out() - before.1) as usize,
            ended: status == Status::StreamEnd,
        })
    }
}

/// Enough for the dictionary of the highest preset (64 MiB), which writers ask for even when the
/// chunk is small.
const MEMORY_LIMIT: u64 = 80 << 20;
