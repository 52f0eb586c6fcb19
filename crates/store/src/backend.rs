//! What a kind of store has to be able to do.

use std::ops::Range;

use bytes::Bytes;

use crate::{Error, RequestCounts};

/// One level of a store.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Children {
    /// Names (last segments) of what has keys below it, sorted.
    pub directories: Vec<String>,
    /// Names (last segments) and sizes in bytes of objects, sorted.
    pub objects: Vec<(String, u64)>,
}

/// Which bytes of an object are wanted.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    All,
    /// Exactly these; an object that ends earlier is an [`Error::Range`].
    Range(Range<u64>),
    /// The last so many, or all of a shorter object.
    Suffix(u64),
}

impl Part {
    /// The bytes of an object of `size` bytes that are meant.
    pub(crate) fn resolve(&self, size: u64, location: &str, key: &str) -> Result<Range<u64>, Error> {
        match self {
            Self::All => Ok(0..size),
            Self::Suffix(length) => Ok(size.saturating_sub(*length)..size),
            Self::Range(range) if range.start <= range.end && range.end <= size => Ok(range.clone()),
            Self::Range(range) => Err(Error::Range {
                location: location.to_owned(),
                key: key.to_owned(),
                range: range.clone(),
                size,
            }),
        }
    }
}

/// What tells one content of an object from the next one under the same name.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Version {
    pub(crate) size: u64,
    /// Of object stores and web servers that have it; none means any version.
    pub(crate) etag: Option<String>,
}

/// A kind of store. Keys and prefixes have been checked when they arrive here; a prefix has no closing `/`.
pub(crate) trait Backend: std::fmt::Debug + Send + Sync {
    fn put(&self, key: &str, bytes: Bytes) -> Result<(), Error>;

    fn put_in_background(&self, key: &str, bytes: Bytes) -> Result<(), Error> {
        self.put(key, bytes)
    }

    fn put_parts_in_background(&self, key: &str, parts: Vec<Bytes>) -> Result<(), Error> {
        self.put_in_background(key, parts.concat().into())
    }

    fn put_new(&self, key: &str, bytes: Bytes) -> Result<bool, Error>;

    fn read(&self, key: &str, part: Part) -> Result<Option<Bytes>, Error>;

    /// Ranges of that version of an object, if it can be told from others.
    fn read_ranges(
        &self,
        key: &str,
        ranges: &[Range<u64>],
        version: &Version,
    ) -> Result<Option<Vec<Bytes>>, Error> {
        ranges.iter().map(|range| self.read_version(key, range.clone(), version)).collect()
    }

    /// The first bytes of an object, fewer of a shorter one.
    fn read_start(&self, key: &str, length: u64) -> Result<Option<(Bytes, Version)>, Error> {
        let Some(size) = self.size(key)? else {
            return Ok(None);
        };
        let bytes = self.read(key, Part::Range(0..length.min(size)))?;
        Ok(bytes.map(|bytes| (bytes, Version { size, etag: None })))
    }

    /// A range of that version of an object, if it can be told from others.
    fn read_version(&self, key: &str, range: Range<u64>, _version: &Version) -> Result<Option<Bytes>, Error> {
        self.read(key, Part::Range(range))
    }

    fn size(&self, key: &str) -> Result<Option<u64>, Error>;

    fn list(&self, prefix: &str) -> Result<Vec<(String, u64)>, Error>;

    fn children(&self, prefix: &str) -> Result<Children, Error>;

    fn delete(&self, key: &str) -> Result<(), Error>;

    fn delete_prefix(&self, prefix: &str) -> Result<(), Error>;

    /// Removes what killed writers have left; how many files that were.
    fn remove_leftovers(&self) -> Result<u64, Error> {
        Ok(0)
    }

    fn flush(&self) -> Result<(), Error> {
        Ok(())
    }

    fn sync(&self) -> Result<(), Error> {
        self.flush()
    }

    /// Gives up uploads that are under way.
    fn abort(&self) {}

    fn requests(&self) -> RequestCounts;
}
