//! A file in a store, read at any offset without fetching it whole.

use std::io;
use std::ops::Range;

use bytes::Bytes;

use crate::backend::Version;
use crate::block_cache::{BLOCK, Found};
use crate::{Class, Error, Location, RequestCounts, Store, StoreOptions};

/// A file of a web server or object store (or of any [`Store`]), as a source of bytes at offsets.
///
/// Small reads are served from blocks of 64 KiB that are kept for a while; a read that goes on where an earlier one
/// ended fetches twice as much as that one, up to 4 MiB, so that scattered structures cost little and streams cost few
/// requests. Reads of a MiB and more are fetched as they are. Threads that need the same block wait for one request. All
/// files of a store share the room for blocks, see [`StoreOptions::cache_bytes`].
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
    /// The file's number among those of its store, which share the room for blocks.
    number: u64,
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
        let number = store.blocks().add_file();
        if whole.is_none() {
            store.blocks().end_run(number, 0..version.size.div_ceil(BLOCK).min(1), Some(&start));
        }
        Ok(Self { store: store.clone(), key: key.to_owned(), version, whole, number })
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

    /// Reads one range with one request, past the kept blocks.
    ///
    /// # Errors
    /// [`Error::Range`] if the file ends before; otherwise whatever stops the request.
    pub fn read_range(&self, range: Range<u64>) -> Result<Bytes, Error> {
        let range = self.check(range)?;
        match &self.whole {
            Some(whole) => Ok(whole.slice(range.start as usize..range.end as usize)),
            None => self.fetch(range),
        }
    }

    /// Reads several ranges, neighbouring ones with one request; past the kept blocks, unless all lie within 64 KiB.
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
        let span = ranges.iter().map(|range| range.start).min().unwrap_or_default()
            ..ranges.iter().map(|range| range.end).max().unwrap_or_default();
        if span.end.saturating_sub(span.start) < BLOCK {
            // Small planes lie one after the other: where they are read in order, wide reads bring many of them.
            let mut bytes = vec![0; (span.end - span.start) as usize];
            self.read_at(span.start, &mut bytes)?;
            let bytes = Bytes::from(bytes);
            let part = |range: &Range<u64>| {
                bytes.slice((range.start - span.start) as usize..(range.end - span.start) as usize)
            };
            return Ok(ranges.iter().map(part).collect());
        }
        Ok(self
            .store
            .read_ranges_of_version(&self.key, ranges, &self.version)?
            .ok_or_else(|| self.vanished())?)
    }

    /// Fetches ranges that will probably be read soon, side by side, as far as they are not kept already and there is
    /// room. What goes wrong shows when they are read.
    pub fn prefetch(&self, ranges: &[Range<u64>]) {
        if self.whole.is_some() {
            return;
        }
        let last = self.len().div_ceil(BLOCK);
        let blocks = ranges
            .iter()
            .filter(|range| range.start < range.end)
            .flat_map(|range| range.start / BLOCK..range.end.div_ceil(BLOCK).min(last));
        let runs = self.store.blocks().claim(self.number, blocks);
        let wanted: Vec<_> = runs.iter().map(|run| self.bytes_of(run)).collect();
        let fetched = self.store.read_ranges_of_version(&self.key, &wanted, &self.version);
        let fetched = fetched.ok().flatten().unwrap_or_default();
        for (n, run) in runs.into_iter().enumerate() {
            self.store.blocks().end_run(self.number, run, fetched.get(n));
        }
    }

    /// Block `index`, which has bytes; fetched together with those up to `end` if it is not there.
    fn block(&self, index: u64, end: u64) -> io::Result<Bytes> {
        let last = self.len().div_ceil(BLOCK);
        let run = match self.store.blocks().find(self.number, index, end, last) {
            Found::Here(bytes) => return Ok(bytes),
            Found::Missing(run) => run,
        };
        let fetched = self.fetch(self.bytes_of(&run));
        self.store.blocks().end_run(self.number, run, fetched.as_ref().ok());
        Ok(fetched.map(|bytes| bytes.slice(..bytes.len().min(BLOCK as usize)))?)
    }

    /// The bytes of the file that make a run of blocks.
    fn bytes_of(&self, run: &Range<u64>) -> Range<u64> {
        run.start * BLOCK..(run.end * BLOCK).min(self.len())
    }

    fn fetch(&self, range: Range<u64>) -> Result<Bytes, Error> {
        self.store.read_version(&self.key, range, &self.version)?.ok_or_else(|| self.vanished())
    }

    fn check(&self, range: Range<u64>) -> Result<Range<u64>, Error> {
        if range.start <= range.end && range.end <= self.len() {
            return Ok(range);
        }
        Err(Error::Range {
            location: self.store.location().to_string(),
            key: self.key.clone(),
            range,
            size: self.len(),
        })
    }

    fn vanished(&self) -> Error {
        absent(&self.store, &self.key)
    }
}

impl Drop for RemoteFile {
    fn drop(&mut self) {
        self.store.blocks().remove_file(self.number);
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

/// Reads of so many bytes and more are not kept.
const DIRECT: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// Each test has files of its own in the memory that all share.
    static NEXT: AtomicU32 = AtomicU32::new(0);

    fn file(size: usize, options: &StoreOptions) -> (RemoteFile, Vec<u8>) {
        let data: Vec<u8> = (0..size).map(|i| (i * 31 + i / 251) as u8).collect();
        let store = Store::open(&"memory:remote-file".parse().unwrap(), options).unwrap();
        let key = format!("{}.tif", NEXT.fetch_add(1, Ordering::Relaxed));
        store.put(&key, data.clone()).unwrap();
        (RemoteFile::in_store(&store, &key, options).unwrap(), data)
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
    fn small_ranges_in_order_cost_few_requests() {
        let (file, data) = file(64 << 20, &StoreOptions::default());
        for start in (0..data.len() as u64 - 8192).step_by(8192) {
            let parts = file.read_ranges(&[start + 4096..start + 8192, start..start + 4096]).unwrap();
            assert_eq!(parts[1], data[start as usize..start as usize + 4096]);
            assert_eq!(parts[0], data[start as usize + 4096..start as usize + 8192]);
        }
        assert!(file.requests().gets <= 24, "{:?}", file.requests());
        assert!(file.read_ranges(&[]).unwrap().is_empty());
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
            assert!(file.store.blocks().len() <= 256);
        }
    }

    #[test]
    fn files_of_a_store_share_the_room_and_give_it_back() {
        let options = StoreOptions { cache_bytes: 16 << 20, ..StoreOptions::default() };
        let (first, data) = file(20 << 20, &options);
        let others: Vec<_> =
            (0..4).map(|_| RemoteFile::in_store(&first.store, &first.key, &options).unwrap()).collect();
        let mut buffer = vec![0; 100_000];
        for start in (0..data.len() - 100_000).step_by(1_000_000) {
            for file in &others {
                file.read_at(start as u64, &mut buffer).unwrap();
                assert_eq!(buffer, data[start..start + 100_000]);
                assert!(file.store.blocks().len() <= 256);
            }
        }
        let store = first.store.clone();
        drop((first, others));
        assert_eq!(store.blocks().len(), 0);
    }

    #[test]
    fn what_was_prefetched_is_not_asked_for_again() {
        let (file, data) = file(64 << 20, &StoreOptions::default());
        let places: Vec<u64> = (1..40).map(|n| n * 1_500_007).collect();
        let ranges: Vec<_> = places.iter().map(|start| *start..start + 4096).collect();
        file.prefetch(&ranges);
        let asked = file.requests();
        let mut buffer = [0; 4096];
        for start in places {
            file.read_at(start, &mut buffer).unwrap();
            assert_eq!(buffer, data[start as usize..start as usize + 4096]);
        }
        assert_eq!(file.requests(), asked);
        // What is not there is no failure.
        file.prefetch(&[u64::MAX - 5..u64::MAX, 3..3]);
        file.prefetch(&[]);
    }
}
