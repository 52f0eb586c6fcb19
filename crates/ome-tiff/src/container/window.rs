//! Small reads from one large one.

use std::io;
use std::ops::Range;

use crate::source::ByteSource;

/// A sliding window over a source.
///
/// IFDs lie either side by side or each beside its pixels. In the first case one read serves hundreds of them;
/// in the second a large read would fetch pixels that nobody asked for. The window is therefore small after a
/// jump and large while reading on.
pub(crate) struct Window<'a> {
    source: &'a dyn ByteSource,
    len: u64,
    start: u64,
    bytes: Vec<u8>,
}

impl<'a> Window<'a> {
    pub(crate) fn new(source: &'a dyn ByteSource) -> Self {
        Self { source, len: source.len(), start: 0, bytes: Vec::new() }
    }

    /// Length of the source.
    pub(crate) fn source_len(&self) -> u64 {
        self.len
    }

    /// Tells the source what will probably be wanted.
    pub(crate) fn prefetch(&self, ranges: &[Range<u64>]) {
        if !ranges.is_empty() {
            self.source.prefetch(ranges);
        }
    }

    /// `len` bytes at `offset`; `None` past the end of the source. The caller bounds `len`.
    pub(crate) fn get(&mut self, offset: u64, len: usize) -> io::Result<Option<&[u8]>> {
        let Some(end) = offset.checked_add(len as u64).filter(|end| *end <= self.len) else {
            return Ok(None);
        };
        let held = self.start + self.bytes.len() as u64;
        if offset < self.start || end > held {
            let reading_on = offset >= self.start && offset <= held.saturating_add(Self::SMALL);
            let wanted = if reading_on { Self::LARGE } else { Self::SMALL };
            let size = wanted.max(len as u64).min(self.len - offset);
            self.bytes.resize(size as usize, 0);
            self.start = offset;
            if let Err(e) = self.source.read_at(offset, &mut self.bytes) {
                self.bytes.clear();
                return Err(e);
            }
        }
        let at = (offset - self.start) as usize;
        Ok(self.bytes.get(at..at + len))
    }

    const SMALL: u64 = 4 << 10;
    const LARGE: u64 = 64 << 10;
}
