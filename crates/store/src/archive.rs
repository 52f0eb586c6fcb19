//! A store in one file: zipped OME-Zarr (`.ozx`, NGFF RFC-9), to read.
//!
//! The file may be anywhere; only its directory and what is asked for are read. What it says of itself is checked before
//! it is used: names stay below the root, entries lie one after another inside of the file, and what is compressed is
//! taken out up to the size that was announced. Archives are written by [`ArchiveWriter`](crate::ArchiveWriter).

mod index;
mod reader;
mod writer;

use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Range;
use std::sync::OnceLock;

use bytes::Bytes;
use flate2::read::DeflateDecoder;

use self::index::{Entry, Form};
pub use self::writer::ArchiveWriter;
use crate::backend::{Backend, Children, Part, below, directory};
use crate::writer::Sink;
use crate::{Class, Error, RemoteFile, RequestCounts, Store, StoreOptions};

#[derive(Debug)]
pub(crate) struct Archive {
    location: String,
    /// What the file lies in.
    folder: Store,
    name: String,
    options: StoreOptions,
    opened: OnceLock<Opened>,
}

#[derive(Debug)]
struct Opened {
    file: RemoteFile,
    entries: BTreeMap<String, Entry>,
}

impl Archive {
    pub(crate) fn new(folder: Store, name: String, options: &StoreOptions) -> Self {
        let location = folder.location().join(&name).to_string();
        Self { location, folder, name, options: options.clone(), opened: OnceLock::new() }
    }

    /// The file and its directory, which are read when they are needed first.
    fn opened(&self) -> Result<&Opened, Error> {
        if let Some(opened) = self.opened.get() {
            return Ok(opened);
        }
        let file = RemoteFile::in_store(&self.folder, &self.name, &self.options)?;
        let entries = index::read(&file, &self.location)?;
        Ok(self.opened.get_or_init(|| Opened { file, entries }))
    }

    fn bytes(&self, key: &str, entry: &Entry, part: &Part) -> Result<Bytes, Error> {
        let range = part.resolve(entry.size, &self.location, key)?;
        let whole = range == (0..entry.size);
        match entry.form {
            Form::Stored => {
                let bytes = self.stored(key, entry, range)?;
                if whole { self.check(key, entry, bytes) } else { Ok(bytes) }
            }
            Form::Deflated => {
                let bytes = self.check(key, entry, self.inflated(key, entry)?)?;
                Ok(bytes.slice(range.start as usize..range.end as usize))
            }
        }
    }

    /// Bytes of an entry as they lie in the file.
    fn stored(&self, key: &str, entry: &Entry, range: Range<u64>) -> Result<Bytes, Error> {
        let file = &self.opened()?.file;
        let start = entry.data(file).map_err(|error| match error {
            index::Fault::File(error) => error,
            index::Fault::Format(reason) => self.damaged(key, reason),
        })?;
        let mut bytes = vec![0; (range.end - range.start) as usize];
        file.read_at(start + range.start, &mut bytes).map_err(Error::of_io)?;
        Ok(bytes.into())
    }

    fn inflated(&self, key: &str, entry: &Entry) -> Result<Bytes, Error> {
        if entry.size > MAX_INFLATED {
            let what = format!("it is compressed and has {} bytes, more than {MAX_INFLATED}", entry.size);
            return Err(self.damaged(key, what));
        }
        let compressed = self.stored(key, entry, 0..entry.length)?;
        let mut bytes = Vec::new();
        // One byte more tells that there are too many.
        DeflateDecoder::new(compressed.as_ref())
            .take(entry.size + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| self.damaged(key, error.to_string()))?;
        if bytes.len() as u64 == entry.size {
            return Ok(bytes.into());
        }
        Err(self.damaged(key, format!("it does not have the {} bytes that were announced", entry.size)))
    }

    fn check(&self, key: &str, entry: &Entry, bytes: Bytes) -> Result<Bytes, Error> {
        let found = crc32fast::hash(&bytes);
        if found == entry.crc32 {
            return Ok(bytes);
        }
        Err(self.damaged(key, format!("its CRC-32 is {found:08x}, {:08x} is recorded", entry.crc32)))
    }

    fn damaged(&self, key: &str, what: String) -> Error {
        Error::Failed {
            action: "read",
            key: key.to_owned(),
            location: self.location.clone(),
            class: Class::Damaged,
            source: what.into(),
        }
    }

    fn refuse<T>(&self) -> Result<T, Error> {
        Err(Error::Unsupported {
            location: self.location.clone(),
            reason: "an archive is written in one go and cannot be changed afterwards".to_owned(),
        })
    }
}

/// The largest entry that is taken out if it is compressed. RFC-9 advises against compressed entries; those that exist
/// hold metadata.
const MAX_INFLATED: u64 = 256 << 20;

impl Backend for Archive {
    fn put(&self, _key: &str, _bytes: Bytes) -> Result<(), Error> {
        self.refuse()
    }

    fn put_new(&self, _key: &str, _bytes: Bytes) -> Result<bool, Error> {
        self.refuse()
    }

    fn writer(&self, _key: &str, _expected: u64) -> Result<Option<Box<dyn Sink>>, Error> {
        self.refuse()
    }

    fn read(&self, key: &str, part: Part) -> Result<Option<Bytes>, Error> {
        let entry = self.opened()?.entries.get(key);
        entry.map(|entry| self.bytes(key, entry, &part)).transpose()
    }

    fn size(&self, key: &str) -> Result<Option<u64>, Error> {
        Ok(self.opened()?.entries.get(key).map(|entry| entry.size))
    }

    fn list(&self, prefix: &str) -> Result<Vec<(String, u64)>, Error> {
        let start = directory(prefix);
        let entries = below(&self.opened()?.entries, &start);
        Ok(entries.map(|(key, entry)| (key.to_owned(), entry.size)).collect())
    }

    fn children(&self, prefix: &str) -> Result<Children, Error> {
        let start = directory(prefix);
        let entries = below(&self.opened()?.entries, &start);
        Ok(Children::of(&start, entries.map(|(key, entry)| (key, entry.size))))
    }

    fn delete(&self, _key: &str) -> Result<(), Error> {
        self.refuse()
    }

    fn delete_prefix(&self, _prefix: &str) -> Result<(), Error> {
        self.refuse()
    }

    fn requests(&self) -> RequestCounts {
        self.folder.requests()
    }
}
