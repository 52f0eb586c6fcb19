//! Where the bytes come from: positional reads, nothing else.
//!
//! A source is shared by all threads, has no cursor, and reports a short file as an error instead of a
//! shorter read. Offsets and lengths are bytes.

use std::{
    fs::{File, Metadata},
    io::{self, Read},
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, UNIX_EPOCH},
};

/// A file, object or buffer that can be read at any offset from several threads.
pub trait ByteSource: Send + Sync {
    /// Length in bytes.
    fn len(&self) -> u64;

    /// Whether there is nothing to read.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `buf` with the bytes from `offset` on.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] when the source ends before `buf` is full, and whatever the storage
    /// reports.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()>;

    /// Fills `out` with the bytes of all `ranges`, one after another.
    ///
    /// Sources with a cost per request (object stores) should override this to join near ranges and to fetch
    /// the rest side by side.
    ///
    /// # Errors
    /// As [`read_at`](Self::read_at), and [`io::ErrorKind::InvalidInput`] when `out` is not as long as the
    /// ranges together.
    fn read_ranges(&self, ranges: &[Range<u64>], out: &mut [u8]) -> io::Result<()> {
        let mut rest = out;
        for range in ranges {
            let len = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
            let (head, tail) = rest
                .split_at_mut_checked(len)
                .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "ranges exceed the buffer"))?;
            self.read_at(range.start, head)?;
            rest = tail;
        }
        if rest.is_empty() {
            Ok(())
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "the buffer exceeds the ranges"))
        }
    }

    /// What the storage told of the file when it was opened.
    fn state(&self) -> FileState {
        FileState { len: self.len(), ..FileState::default() }
    }

    /// What the storage tells of the file of that name now. Where all reads are bound to one version, or there is nobody to
    /// ask, that is what it told at first.
    ///
    /// # Errors
    /// Whatever the storage reports, [`io::ErrorKind::NotFound`] when there is no such file any more.
    fn state_now(&self) -> io::Result<FileState> {
        Ok(self.state())
    }

    /// A hint: these ranges, which lie within the source, will probably be read soon. Sources with a cost per request
    /// may fetch them at once; what goes wrong with that shows when they are read.
    fn prefetch(&self, _ranges: &[Range<u64>]) {}
}

/// What a storage tells of a file without its bytes being read. A later look at it finds that the file is another now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileState {
    /// Bytes.
    pub len: u64,
    /// When the content was last written, in nanoseconds after 1970 began; `None` where nobody tells.
    pub modified: Option<i64>,
    /// When content, name or permissions last changed, in nanoseconds after 1970 began. No program can set this time, so that
    /// it also tells of a file whose time of modification was put back. `None` where nobody tells.
    pub status_changed: Option<i64>,
    /// The strong ETag by which an object store or web server names this content.
    pub etag: Option<String>,
}

impl FileState {
    /// The state of a file in an object store or on a web server.
    pub fn of_version(len: u64, etag: Option<String>) -> Self {
        Self { len, etag, ..Self::default() }
    }

    /// The state of a local file.
    pub(crate) fn of_local(metadata: &Metadata) -> Self {
        let nanoseconds = |after: Duration| i64::try_from(after.as_nanos()).ok();
        let modified = metadata.modified().ok().and_then(|time| match time.duration_since(UNIX_EPOCH) {
            Ok(after) => nanoseconds(after),
            Err(before) => nanoseconds(before.duration()).map(|before| -before),
        });
        Self { len: metadata.len(), modified, status_changed: status_changed(metadata), etag: None }
    }
}

#[cfg(unix)]
fn status_changed(metadata: &Metadata) -> Option<i64> {
    use std::os::unix::fs::MetadataExt;
    metadata.ctime().checked_mul(1_000_000_000)?.checked_add(metadata.ctime_nsec())
}

#[cfg(not(unix))]
fn status_changed(_metadata: &Metadata) -> Option<i64> {
    None
}

/// Bytes in memory, for tests and for files that have been downloaded whole.
impl ByteSource for Vec<u8> {
    fn len(&self) -> u64 {
        Vec::len(self) as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        let part = usize::try_from(offset)
            .ok()
            .and_then(|start| self.get(start..start.checked_add(buf.len())?))
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        buf.copy_from_slice(part);
        Ok(())
    }
}

/// Reads a file at an offset, without a cursor.
#[cfg(unix)]
pub(crate) fn read_file_at(file: &File, offset: u64, buf: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buf, offset)
}

/// Reads a file at an offset; the cursor it moves is not used by anyone.
#[cfg(windows)]
pub(crate) fn read_file_at(file: &File, mut offset: u64, mut buf: &mut [u8]) -> io::Result<()> {
    while !buf.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, buf, offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => {
                offset += n as u64;
                buf = &mut buf[n..];
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// One range of a source as a stream, for decoders that take a chunk of gigabytes row by row and buffer it
/// themselves.
pub(crate) struct RangeReader {
    source: Arc<dyn ByteSource>,
    clock: ReadClock,
    next: u64,
    end: u64,
}

impl RangeReader {
    pub(crate) fn new(source: Arc<dyn ByteSource>, range: Range<u64>, clock: ReadClock) -> Self {
        Self { source, clock, next: range.start, end: range.end }
    }
}

impl Read for RangeReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let len = (out.len() as u64).min(self.end.saturating_sub(self.next)) as usize;
        self.clock.measure(|| self.source.read_at(self.next, &mut out[..len]))?;
        self.next += len as u64;
        Ok(len)
    }
}

/// How long one thread's reads have waited for their sources.
#[derive(Clone, Default)]
pub(crate) struct ReadClock(Arc<AtomicU64>);

impl ReadClock {
    pub(crate) fn measure<T>(&self, read: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = read();
        self.0.fetch_add(start.elapsed().as_nanos() as u64, Ordering::Relaxed);
        result
    }

    pub(crate) fn total(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}
