//! A file in a store, read at any offset without fetching it whole.

use std::collections::HashMap;
use std::io;
use std::ops::Range;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::backend::Version;
use crate::{Class, Error, Location, RequestCounts, Store, StoreOptions};

/// A file of a web server or object store (or of any [`Store`]), as a source of bytes at offsets.
///
/// Small reads are served from blocks of 64 KiB that are kept for a while; a read that goes on where an earlier one
/// ended fetches twice as much as that one, up to 4 MiB, so that scattered structures cost little and streams cost few
/// requests. Reads of a MiB and more are fetched as they are. Threads that need the same block wait for one request.
///
/// If the server tells versions of the file apart, all reads are of the version that was opened. A server that does
/// not answer requests for parts of a file is asked once, for the whole file, which is then kept in memory; see
/// [`StoreOptions::max_download_bytes`].
#[derive(Debug)]
pub struct RemoteFile {
    store: Store,
    key: String,
    version: Version,
    /// The whole file, where it could not be had in parts.
    whole: Option<Bytes>,
    cache: Mutex<Cache>,
    /// Told when a block has arrived, or will not.
    arrived: Condvar,
}

impl RemoteFile {
    /// Opens the file at a location: one request, which also brings its first block.
    ///
    /// # Errors
    /// [`Error::Failed`] of class [`Class::NotFound`] if there is no such file; [`Error::Unsupported`] if the server
    /// gives files only whole and this one is larger than [`StoreOptions::max_download_bytes`].
    pub fn open(location: &Location, options: &StoreOptions) -> Result<Self, Error> {
        let (Some(parent), Some(name)) = (location.parent(), location.file_name()) else {
            return Err(Error::Location {
                text: location.to_string(),
                reason: "it names no file".to_owned(),
            });
        };
        Self::in_store(&Store::open(&parent, options)?, &name, options)
    }

    /// Opens an object of a store.
    ///
    /// # Errors
    /// As [`RemoteFile::open`].
    pub fn in_store(store: &Store, key: &str, options: &StoreOptions) -> Result<Self, Error> {
        let (start, version, whole) = match store.read_start(key, BLOCK) {
            Ok(Some((start, version))) => (start, version, None),
            Ok(None) => return Err(absent(store, key)),
            Err(Error::Unsupported { reason, .. }) => {
                let whole = download(store, key, options, &reason)?;
                let version = Version { size: whole.len() as u64, etag: None };
                (Bytes::new(), version, Some(whole))
            }
            Err(error) => return Err(error),
        };
        let mut cache = Cache::new(options.cache_bytes);
        if whole.is_none() {
            cache.insert_run(0, version.size.min(BLOCK), &start);
        }
        Ok(Self {
            store: store.clone(),
            key: key.to_owned(),
            version,
            whole,
            cache: Mutex::new(cache),
            arrived: Condvar::new(),
        })
    }

    /// The size in bytes.
    pub fn len(&self) -> u64 {
        self.version.size
    }

    /// Whether the file has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the file is.
    pub fn location(&self) -> Location {
        self.store.location().join(&self.key)
    }

    /// What has been asked of the server so far.
    pub fn requests(&self) -> RequestCounts {
        self.store.requests()
    }

    /// Fills `buffer` with the bytes from `offset` on.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] if the file ends before; otherwise an [`Error`] inside of an [`io::Error`].
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let range = self.check(offset..offset.saturating_add(buffer.len() as u64))?;
        if buffer.is_empty() {
            return Ok(());
        }
        if let Some(whole) = &self.whole {
            buffer.copy_from_slice(&whole[range.start as usize..range.end as usize]);
            return Ok(());
        }
        if range.end - range.start >= DIRECT {
            buffer.copy_from_slice(&self.fetch(range)?);
            return Ok(());
        }
        let mut position = range.start;
        while position < range.end {
            let block = self.block(position / BLOCK, range.end.div_ceil(BLOCK))?;
            let skip = (position % BLOCK) as usize;
            let place = &mut buffer[(position - range.start) as usize..];
            let count = place.len().min(block.len() - skip);
            place[..count].copy_from_slice(&block[skip..skip + count]);
            position += count as u64;
        }
        Ok(())
    }

    /// Reads several ranges, neighbouring ones with one request, past the kept blocks.
    ///
    /// # Errors
    /// As [`RemoteFile::read_at`].
    pub fn read_ranges(&self, ranges: &[Range<u64>]) -> io::Result<Vec<Bytes>> {
        for range in ranges {
            self.check(range.clone())?;
        }
        if let Some(whole) = &self.whole {
            return Ok(ranges
                .iter()
                .map(|range| whole.slice(range.start as usize..range.end as usize))
                .collect());
        }
        Ok(self
            .store
            .read_ranges_of_version(&self.key, ranges, &self.version)?
            .ok_or_else(|| self.vanished())?)
    }

    /// Block `index`, which has bytes; fetched together with those up to `end` if it is not there.
    fn block(&self, index: u64, end: u64) -> io::Result<Bytes> {
        let mut cache = self.cache();
        let run = loop {
            match cache.find(index) {
                Found::Here(bytes) => return Ok(bytes),
                Found::UnderWay => {
                    cache = self.arrived.wait(cache).unwrap_or_else(PoisonError::into_inner);
                }
                Found::Missing => break cache.begin_run(index, end, self.len().div_ceil(BLOCK)),
            }
        };
        drop(cache);

        let fetched = self.fetch(run.start * BLOCK..(run.end * BLOCK).min(self.len()));
        let mut cache = self.cache();
        cache.end_run(run.clone());
        let result = fetched.map(|bytes| {
            cache.insert_run(run.start * BLOCK, (run.end * BLOCK).min(self.len()), &bytes);
            bytes.slice(..bytes.len().min(BLOCK as usize))
        });
        self.arrived.notify_all();
        result
    }

    fn fetch(&self, range: Range<u64>) -> io::Result<Bytes> {
        Ok(self.store.read_version(&self.key, range, &self.version)?.ok_or_else(|| self.vanished())?)
    }

    fn check(&self, range: Range<u64>) -> io::Result<Range<u64>> {
        if range.start <= range.end && range.end <= self.len() {
            return Ok(range);
        }
        Err(Error::Range {
            location: self.store.location().to_string(),
            key: self.key.clone(),
            range,
            size: self.len(),
        }
        .into())
    }

    fn vanished(&self) -> Error {
        absent(&self.store, &self.key)
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        // No code that can panic runs while the lock is held, so a poisoned one guards a good cache.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn absent(store: &Store, key: &str) -> Error {
    Error::Failed {
        action: "read",
        key: key.to_owned(),
        location: store.location().to_string(),
        class: Class::NotFound,
        source: "no such file".into(),
    }
}

/// The whole file, if it is small enough.
fn download(store: &Store, key: &str, options: &StoreOptions, reason: &str) -> Result<Bytes, Error> {
    let refused = |size: Option<u64>| Error::Unsupported {
        location: store.location().join(key).to_string(),
        reason: format!(
            "{reason}; the whole file, {}, may not be larger than {} bytes; download it first",
            size.map_or_else(|| "of unknown size".to_owned(), |size| format!("{size} bytes")),
            options.max_download_bytes
        ),
    };
    match store.size(key) {
        Ok(Some(size)) if size <= options.max_download_bytes => {}
        Ok(Some(size)) => return Err(refused(Some(size))),
        Ok(None) => return Err(absent(store, key)),
        Err(Error::Unsupported { .. }) => return Err(refused(None)),
        Err(error) => return Err(error),
    }
    store.get(key)?.ok_or_else(|| absent(store, key))
}

/// The blocks that are kept, and what is known of how the file is read.
#[derive(Debug)]
struct Cache {
    blocks: HashMap<u64, Kept>,
    max_blocks: usize,
    clock: u64,
    /// By the block after a fetched run: how many blocks the run had.
    runs: HashMap<u64, u64>,
}

#[derive(Debug)]
enum Kept {
    UnderWay,
    Here { bytes: Bytes, used: u64 },
}

enum Found {
    Here(Bytes),
    UnderWay,
    Missing,
}

impl Cache {
    fn new(bytes: usize) -> Self {
        Self {
            blocks: HashMap::new(),
            max_blocks: (bytes / BLOCK as usize).max(2 * MAX_RUN as usize),
            clock: 0,
            runs: HashMap::new(),
        }
    }

    fn find(&mut self, index: u64) -> Found {
        self.clock += 1;
        match self.blocks.get_mut(&index) {
            None => Found::Missing,
            Some(Kept::UnderWay) => Found::UnderWay,
            Some(Kept::Here { bytes, used }) => {
                *used = self.clock;
                Found::Here(bytes.clone())
            }
        }
    }

    /// Chooses what to fetch from block `start` on: at least up to `end`, further if reading goes on where an earlier
    /// run ended; never blocks that are here or under way, nor beyond the last one.
    fn begin_run(&mut self, start: u64, end: u64, last: u64) -> Range<u64> {
        let ahead = self.runs.remove(&start).map_or(1, |length| (2 * length).min(MAX_RUN));
        let wanted = end.max(start.saturating_add(ahead)).min(last);
        let end = (start + 1..wanted).find(|index| self.blocks.contains_key(index)).unwrap_or(wanted);
        for index in start..end {
            self.blocks.insert(index, Kept::UnderWay);
        }
        start..end
    }

    /// Forgets that a run is under way.
    fn end_run(&mut self, run: Range<u64>) {
        for index in run {
            self.blocks.remove(&index);
        }
    }

    /// Keeps the bytes of the file from `start`, the start of a block, to `end`.
    fn insert_run(&mut self, start: u64, end: u64, bytes: &Bytes) {
        let first = start / BLOCK;
        let count = (end - start).div_ceil(BLOCK);
        if self.blocks.len() + count as usize > self.max_blocks {
            self.evict(count as usize);
        }
        for index in 0..count {
            let from = (index * BLOCK) as usize;
            // A copy, so that one kept block does not keep its whole run in memory.
            let piece = Bytes::copy_from_slice(&bytes[from..bytes.len().min(from + BLOCK as usize)]);
            self.blocks.insert(first + index, Kept::Here { bytes: piece, used: self.clock });
        }
        if self.runs.len() > self.max_blocks {
            self.runs.clear();
        }
        self.runs.insert(first + count, count);
    }

    /// Drops the blocks that were not used for longest: a quarter of all and room for `count`.
    fn evict(&mut self, count: usize) {
        let mut ages: Vec<u64> = self
            .blocks
            .values()
            .filter_map(|kept| match kept {
                Kept::Here { used, .. } => Some(*used),
                Kept::UnderWay => None,
            })
            .collect();
        let drop = (ages.len() / 4 + count).min(ages.len());
        if drop == 0 {
            return;
        }
        let (_, &mut oldest_kept, _) = ages.select_nth_unstable(drop - 1);
        self.blocks.retain(|_, kept| !matches!(kept, Kept::Here { used, .. } if *used <= oldest_kept));
    }
}

/// Bytes of a block.
const BLOCK: u64 = 64 << 10;
/// Reads of so many bytes and more are not kept.
const DIRECT: u64 = 1 << 20;
/// Blocks of the longest run that is fetched ahead.
const MAX_RUN: u64 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn file(size: usize, options: &StoreOptions) -> (RemoteFile, Vec<u8>) {
        let data: Vec<u8> = (0..size).map(|i| (i * 31 + i / 251) as u8).collect();
        let store = Store::memory();
        store.put("dir/x.tif", data.clone()).unwrap();
        (RemoteFile::in_store(&store, "dir/x.tif", options).unwrap(), data)
    }

    #[test]
    fn any_range_is_the_files() {
        let options = StoreOptions { cache_bytes: 1, ..StoreOptions::default() };
        let (file, data) = file(20_000_003, &options);
        assert_eq!(file.len(), data.len() as u64);
        let mut state = 1_u64;
        for _ in 0..2000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let start = (state >> 33) as usize % data.len();
            let length = ((state >> 20) as usize % 300_000).min(data.len() - start);
            let mut buffer = vec![0; length];
            file.read_at(start as u64, &mut buffer).unwrap();
            assert_eq!(buffer, data[start..start + length]);
        }
        let mut all = vec![0; data.len()];
        file.read_at(0, &mut all).unwrap();
        assert_eq!(all, data);
        let parts = file.read_ranges(&[5..10, 19_999_999..20_000_003]).unwrap();
        assert_eq!(parts, [&data[5..10], &data[19_999_999..]]);
    }

    #[test]
    fn beyond_the_end() {
        let (file, _) = file(100, &StoreOptions::default());
        for (offset, length) in [(100, 1), (99, 2), (u64::MAX, 1), (0, 101)] {
            let error = file.read_at(offset, &mut vec![0; length]).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        }
        file.read_at(100, &mut []).unwrap();
        let (empty, _) = super::tests::file(0, &StoreOptions::default());
        assert!(empty.is_empty());
    }

    #[test]
    fn a_stream_costs_few_requests() {
        let (file, data) = file(64 << 20, &StoreOptions::default());
        let mut buffer = vec![0; 10_000];
        for start in (0..data.len() - 10_000).step_by(10_000) {
            file.read_at(start as u64, &mut buffer).unwrap();
        }
        // 1, 1, 2, 4, ... 64 blocks, then 64 each: 1024 blocks.
        assert!(file.requests().gets <= 24, "{:?}", file.requests());
    }

    #[test]
    fn scattered_reads_fetch_a_block_each() {
        let (file, _) = file(64 << 20, &StoreOptions::default());
        let mut buffer = [0; 100];
        for step in 0..20_u64 {
            file.read_at(step * 3_000_000, &mut buffer).unwrap();
            file.read_at(step * 3_000_000 + 200, &mut buffer).unwrap();
        }
        assert!(file.requests().gets <= 22, "{:?}", file.requests());
    }

    #[test]
    fn threads_share_a_request() {
        let (file, data) = file(8 << 20, &StoreOptions::default());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let mut buffer = vec![0; 50_000];
                    for start in (0..data.len() - 50_000).step_by(50_000) {
                        file.read_at(start as u64, &mut buffer).unwrap();
                        assert_eq!(buffer, data[start..start + 50_000]);
                    }
                });
            }
        });
        assert!(file.requests().gets <= 30, "{:?}", file.requests());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let options = StoreOptions { cache_bytes: 16 << 20, ..StoreOptions::default() };
        let (file, data) = file(64 << 20, &options);
        let mut buffer = vec![0; 100_000];
        for start in (0..data.len() - 100_000).step_by(100_000) {
            file.read_at(start as u64, &mut buffer).unwrap();
            assert!(file.cache().blocks.len() <= 256);
        }
    }
}
