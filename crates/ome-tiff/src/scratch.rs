//! What a reading thread keeps between calls.

use fairzarr_tiff_codec::{Decoder, RowStream};
use std::time::Duration;

use crate::{
    cache::Cache,
    container::PageId,
    source::{RangeReader, ReadClock},
};

/// Decoder contexts, buffers and recently decoded chunks of one reading thread.
///
/// Neighbouring regions share tiles and strips; with a cache as large as a row of them each is decoded once.
pub struct Scratch {
    pub(crate) decoder: Decoder,
    /// Bytes as stored.
    pub(crate) stored: Vec<u8>,
    /// A buffer for the next decoded chunk.
    pub(crate) spare: Vec<u8>,
    /// Samples of 16 bits that are to be widened.
    pub(crate) halves: Vec<u8>,
    pub(crate) cache: Cache<ChunkKey, Vec<u8>>,
    /// Chunks that are read row by row, the one used last at the end.
    pub(crate) cursors: Vec<Cursor>,
    pub(crate) clock: ReadClock,
}

impl Scratch {
    /// A cache for decoded chunks of 32 MiB: a row of tiles of most slides.
    pub fn new() -> Self {
        Self::with_cache(32 << 20)
    }

    /// A cache for decoded chunks of `bytes`; 0 keeps none.
    pub fn with_cache(bytes: usize) -> Self {
        Self {
            decoder: Decoder::new(),
            stored: Vec::new(),
            spare: Vec::new(),
            halves: Vec::new(),
            cache: Cache::new(bytes),
            cursors: Vec::new(),
            clock: ReadClock::default(),
        }
    }

    /// Time that all reads with this scratch have waited for bytes of the source so far.
    pub fn time_reading(&self) -> Duration {
        self.clock.total()
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

/// One stored chunk among those of all sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ChunkKey {
    pub(crate) set: u64,
    pub(crate) file: u32,
    pub(crate) page: PageId,
    pub(crate) shift: u64,
    pub(crate) index: u64,
}

/// A chunk that is too large to hold, decoded as far as it was asked for.
pub(crate) struct Cursor {
    pub(crate) key: ChunkKey,
    pub(crate) rows: RowStream<RangeReader>,
    /// First row that has not been decoded.
    pub(crate) next: u32,
    /// The last rows that were.
    pub(crate) band: Vec<u8>,
    pub(crate) band_first: u32,
}
