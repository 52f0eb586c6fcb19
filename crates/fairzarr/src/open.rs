//! Opening an OME-TIFF fileset wherever its files lie: on this machine, in an object store, on a web server.

use fairzarr_ome_tiff::{ByteSource, FileState, Fileset, OpenOptions, Opener};
use fairzarr_store::{Location, RemoteFile, Store, StoreOptions};
use std::io;
use std::ops::Range;
use std::sync::Arc;

/// A fileset cannot be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The location names a bucket or a server, not a file.
    NotAFile(String),
    /// The place that the files lie in cannot be reached.
    Store(fairzarr_store::Error),
    /// The files are no fileset that can be read.
    Source(fairzarr_ome_tiff::Error),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotAFile(place) => write!(f, "{place}: name a file, not a bucket or server"),
            Self::Store(error) => error.fmt(f),
            Self::Source(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotAFile(_) => None,
            Self::Store(error) => error.source(),
            Self::Source(error) => error.source(),
        }
    }
}

/// Opens an OME-TIFF fileset by any of its members.
///
/// # Errors
/// When the location names no file, its place cannot be reached, or the files cannot be read as a fileset.
pub fn fileset(location: &Location, options: OpenOptions, remote: &StoreOptions) -> Result<Fileset, Error> {
    if let Some(path) = location.as_path() {
        return Fileset::open_path(path, options).map_err(Error::Source);
    }
    let whole = || Error::NotAFile(location.to_string());
    let entry = location.file_name().ok_or_else(whole)?.into_owned();
    let folder = location.parent().ok_or_else(whole)?;
    let store = Store::open(&folder, remote).map_err(Error::Store)?;
    let opener = RemoteFolder { store, options: remote.clone() };
    Fileset::open_with(Arc::new(opener), &entry, options).map_err(Error::Source)
}

/// A place in an object store or on a web server that holds the files of a set.
struct RemoteFolder {
    store: Store,
    options: StoreOptions,
}

impl Opener for RemoteFolder {
    fn open(&self, name: &str) -> io::Result<Arc<dyn ByteSource>> {
        Ok(Arc::new(Remote(RemoteFile::in_store(&self.store, name, &self.options)?)))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        // Web servers cannot be listed: there a set is found by its names alone.
        let children = self.store.list_children("")?;
        Ok(children.objects.into_iter().map(|(name, _)| name).collect())
    }

    fn describe(&self, name: &str) -> String {
        self.store.location().join(name).to_string()
    }
}

/// A remote file, read by ranges.
struct Remote(RemoteFile);

impl ByteSource for Remote {
    fn len(&self) -> u64 {
        self.0.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.0.read_at(offset, buffer)
    }

    fn read_ranges(&self, ranges: &[Range<u64>], out: &mut [u8]) -> io::Result<()> {
        let mut rest = out;
        for part in self.0.read_ranges(ranges)? {
            let (head, tail) = rest.split_at_mut_checked(part.len()).ok_or_else(wrong_length)?;
            head.copy_from_slice(&part);
            rest = tail;
        }
        if rest.is_empty() { Ok(()) } else { Err(wrong_length()) }
    }

    fn state(&self) -> FileState {
        FileState::of_version(self.0.len(), self.0.etag().map(Into::into))
    }

    fn prefetch(&self, ranges: &[Range<u64>]) {
        self.0.prefetch(ranges);
    }
}

fn wrong_length() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "the buffer is not as long as the ranges")
}
