//! What a kind of store has to be able to do.

use std::collections::BTreeMap;
use std::ops::{Bound, Range};

use bytes::Bytes;

use crate::writer::Sink;
use crate::{Error, LockKind, Locked, RequestCounts};

/// One level of a store.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Children {
    /// Names (last segments) of what has keys below it, sorted.
    pub directories: Vec<String>,
    /// Names (last segments) and sizes in bytes of objects, sorted.
    pub objects: Vec<(String, u64)>,
}

impl Children {
    /// The level directly below `directory`, which is empty or closes with `/`, of sorted keys that all begin with it.
    pub(crate) fn of<'a>(directory: &str, keys: impl Iterator<Item = (&'a str, u64)>) -> Self {
        let mut children = Self::default();
        for (key, size) in keys {
            match key[directory.len()..].split_once('/') {
                None => children.objects.push((key[directory.len()..].to_owned(), size)),
                Some((name, _)) if children.directories.last().is_some_and(|last| last == name) => {}
                Some((name, _)) => children.directories.push(name.to_owned()),
            }
        }
        // The keys of one directory are neighbours, but '-' sorts before '/', so the names are not in order yet.
        children.directories.sort_unstable();
        children
    }
}

/// What the keys below `prefix` begin with.
pub(crate) fn directory(prefix: &str) -> String {
    if prefix.is_empty() { String::new() } else { format!("{prefix}/") }
}

/// The entries whose keys begin with `start`.
pub(crate) fn below<'a, T>(
    objects: &'a BTreeMap<String, T>,
    start: &'a str,
) -> impl Iterator<Item = (&'a str, &'a T)> {
    objects
        .range::<str, _>((Bound::Included(start), Bound::Unbounded))
        .map(|(key, object)| (key.as_str(), object))
        .take_while(move |(key, _)| key.starts_with(start))
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

    /// Starts an object that is handed over piece by piece; `expected` is about how many bytes it will have.
    fn writer(&self, key: &str, expected: u64) -> Result<Box<dyn Sink>, Error>;

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

    fn lock(&self, _key: &str, _kind: LockKind) -> Result<Locked, Error> {
        Ok(Locked::Impossible)
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
