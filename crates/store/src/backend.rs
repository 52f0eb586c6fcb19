//! What a kind of store has to be able to do.
//!
//! [`Backend`] is the one interface behind every [`Store`](crate::Store). Local directories, memory, archives and object
//! stores implement it here; a database, a tape library or a test double can be brought along with
//! [`Store::from_backend`](crate::Store::from_backend). Six methods are required, the others have defaults that are
//! correct and slower. [`conformance::check`](crate::conformance::check) tells whether an implementation keeps the rules.
//!
//! ```
//! use std::collections::BTreeMap;
//! use std::sync::{Mutex, PoisonError};
//!
//! use bytes::Bytes;
//! use fairzarr_store::backend::{Backend, Part};
//! use fairzarr_store::{Error, Location, Store, StoreOptions, conformance};
//!
//! /// A shelf with one labelled box for each object.
//! #[derive(Debug, Default)]
//! struct Shelf {
//!     boxes: Mutex<BTreeMap<String, Bytes>>,
//! }
//!
//! impl Shelf {
//!     fn with<T>(&self, work: impl FnOnce(&mut BTreeMap<String, Bytes>) -> T) -> T {
//!         work(&mut self.boxes.lock().unwrap_or_else(PoisonError::into_inner))
//!     }
//! }
//!
//! impl Backend for Shelf {
//!     fn put(&self, key: &str, bytes: Bytes) -> Result<(), Error> {
//!         self.with(|boxes| boxes.insert(key.to_owned(), bytes));
//!         Ok(())
//!     }
//!
//!     fn put_new(&self, key: &str, bytes: Bytes) -> Result<bool, Error> {
//!         Ok(self.with(|boxes| {
//!             let is_new = !boxes.contains_key(key);
//!             if is_new {
//!                 boxes.insert(key.to_owned(), bytes);
//!             }
//!             is_new
//!         }))
//!     }
//!
//!     fn read(&self, key: &str, part: Part) -> Result<Option<Bytes>, Error> {
//!         let Some(bytes) = self.with(|boxes| boxes.get(key).cloned()) else {
//!             return Ok(None);
//!         };
//!         let range = part.resolve(bytes.len() as u64, "the shelf", key)?;
//!         Ok(Some(bytes.slice(range.start as usize..range.end as usize)))
//!     }
//!
//!     fn size(&self, key: &str) -> Result<Option<u64>, Error> {
//!         Ok(self.with(|boxes| boxes.get(key).map(|bytes| bytes.len() as u64)))
//!     }
//!
//!     fn list(&self, prefix: &str) -> Result<Vec<(String, u64)>, Error> {
//!         let below = |key: &str| {
//!             prefix.is_empty() || key.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'))
//!         };
//!         Ok(self.with(|boxes| {
//!             let found = boxes.iter().filter(|(key, _)| below(key));
//!             found.map(|(key, bytes)| (key.clone(), bytes.len() as u64)).collect()
//!         }))
//!     }
//!
//!     fn delete(&self, key: &str) -> Result<(), Error> {
//!         self.with(|boxes| boxes.remove(key));
//!         Ok(())
//!     }
//! }
//!
//! let place = Location::of_backend("shelf", "room-4")?;
//! let store = Store::from_backend(place, Shelf::default(), &StoreOptions::default());
//! assert_eq!(store.location().to_string(), "shelf:room-4");
//! conformance::check(&store)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::BTreeMap;
use std::ops::{Bound, Range};

use bytes::Bytes;

pub use crate::writer::Sink;
use crate::{Error, Guard, LockKind, Locked, RequestCounts};

/// One level of a store.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Children {
    /// Names (last segments) of what has keys below it, sorted.
    pub directories: Vec<String>,
    /// Names (last segments) and sizes in bytes of objects, sorted.
    pub objects: Vec<(String, u64)>,
}

impl Children {
    /// The level directly below `directory`, which is empty or ends with `/`. The keys must be sorted, and all of them
    /// must begin with `directory`.
    pub fn of<'a>(directory: &str, keys: impl Iterator<Item = (&'a str, u64)>) -> Self {
        let mut children = Self::default();
        for (key, size) in keys {
            let Some(below) = key.strip_prefix(directory) else {
                continue;
            };
            match below.split_once('/') {
                None => children.objects.push((below.to_owned(), size)),
                Some((name, _)) if children.directories.last().is_some_and(|last| last == name) => {}
                Some((name, _)) => children.directories.push(name.to_owned()),
            }
        }
        // The keys of one directory are neighbours, but '-' sorts before '/', so the names are not in order yet.
        children.directories.sort_unstable();
        children
    }
}

/// The string that all keys below `prefix` begin with.
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
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Part {
    /// The whole object.
    All,
    /// Exactly these; an object that ends earlier is an [`Error::Range`].
    Range(Range<u64>),
    /// This many at the end, or the whole of a shorter object.
    Suffix(u64),
}

impl Part {
    /// The bytes that are meant if the object has `size` bytes. `location` and `key` name the object in an error.
    ///
    /// # Errors
    /// [`Error::Range`] if the object ends before the range does, or the range is inverted.
    pub fn resolve(&self, size: u64, location: &str, key: &str) -> Result<Range<u64>, Error> {
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

/// Tells one content of an object from the next content under the same name.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Version {
    /// Bytes of the object.
    pub size: u64,
    /// The strong ETag of an object store or web server that sends one; without it, any version is accepted.
    pub etag: Option<String>,
}

impl Version {
    /// A version of an object of `size` bytes.
    pub fn new(size: u64, etag: Option<String>) -> Self {
        Self { size, etag }
    }
}

/// A kind of store: a flat map from keys to immutable byte strings, shared by any number of threads.
///
/// Keys and prefixes have been checked before they arrive here: keys are never empty, absolute, or with empty, `.` or `..`
/// segments; a prefix is empty or a key, without a closing `/`, and stands for the keys that begin with it and a `/`.
/// Every write must be atomic: a reader sees the old bytes or the new ones. What an implementation cannot do it refuses
/// with [`Error::Unsupported`]; other failures are [`Error::Failed`], see [`Error::failed`].
#[expect(
    clippy::missing_errors_doc,
    reason = "one sentence above is for all methods: they fail in the same way"
)]
pub trait Backend: std::fmt::Debug + Send + Sync {
    /// Writes an object, new or in place of an old one.
    ///
    /// # Errors
    /// See [`Backend`], here and at all other methods.
    fn put(&self, key: &str, bytes: Bytes) -> Result<(), Error>;

    /// Takes an object over and may return before it is stored. Failures of earlier objects are reported here or by
    /// [`Backend::flush`].
    fn put_in_background(&self, key: &str, bytes: Bytes) -> Result<(), Error> {
        self.put(key, bytes)
    }

    /// As [`Backend::put_in_background`], for an object whose bytes lie in several pieces.
    fn put_parts_in_background(&self, key: &str, parts: Vec<Bytes>) -> Result<(), Error> {
        self.put_in_background(key, parts.concat().into())
    }

    /// Writes an object only if there is none of that name. Of several writers at the same time, one gets `true`.
    fn put_new(&self, key: &str, bytes: Bytes) -> Result<bool, Error>;

    /// Starts an object that is written piece by piece; `expected` is about how many bytes it will have. None, the
    /// default, means that the pieces are collected in memory and given to [`Backend::put`].
    fn writer(&self, _key: &str, _expected: u64) -> Result<Option<Box<dyn Sink>>, Error> {
        Ok(None)
    }

    /// Reads part of an object; none if there is no such object. A directory is no object.
    fn read(&self, key: &str, part: Part) -> Result<Option<Bytes>, Error>;

    /// Reads several ranges of one version of an object, if versions can be told apart.
    fn read_ranges(
        &self,
        key: &str,
        ranges: &[Range<u64>],
        version: &Version,
    ) -> Result<Option<Vec<Bytes>>, Error> {
        ranges.iter().map(|range| self.read_version(key, range.clone(), version)).collect()
    }

    /// Reads the first `length` bytes of an object, or all of a shorter one, and tells which version they are of.
    fn read_start(&self, key: &str, length: u64) -> Result<Option<(Bytes, Version)>, Error> {
        let Some(size) = self.size(key)? else {
            return Ok(None);
        };
        let bytes = self.read(key, Part::Range(0..length.min(size)))?;
        Ok(bytes.map(|bytes| (bytes, Version { size, etag: None })))
    }

    /// Reads a range of one version of an object, if versions can be told apart.
    fn read_version(&self, key: &str, range: Range<u64>, _version: &Version) -> Result<Option<Bytes>, Error> {
        self.read(key, Part::Range(range))
    }

    /// The size of an object in bytes; none if there is no such object.
    fn size(&self, key: &str) -> Result<Option<u64>, Error>;

    /// All objects below a prefix: their keys and sizes in bytes, sorted by key.
    fn list(&self, prefix: &str) -> Result<Vec<(String, u64)>, Error>;

    /// The directories and objects directly below a prefix.
    fn children(&self, prefix: &str) -> Result<Children, Error> {
        let listed = self.list(prefix)?;
        Ok(Children::of(&directory(prefix), listed.iter().map(|(key, size)| (key.as_str(), *size))))
    }

    /// Deletes an object; it is no error if there is none.
    fn delete(&self, key: &str) -> Result<(), Error>;

    /// Deletes all objects below a prefix.
    fn delete_prefix(&self, prefix: &str) -> Result<(), Error> {
        self.list(prefix)?.iter().try_for_each(|(key, _)| self.delete(key))
    }

    /// Removes unfinished files that killed writers have left, and tells how many there were.
    fn remove_leftovers(&self) -> Result<u64, Error> {
        Ok(0)
    }

    /// Gives an object the name of another, which it replaces at once. False, the default, where no object can be renamed.
    fn rename(&self, _from: &str, _to: &str) -> Result<bool, Error> {
        Ok(false)
    }

    /// Removes directories in which nothing is left, where there are directories.
    fn remove_empty_directories(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Tries to lock an object, without waiting.
    fn lock(&self, _key: &str, _kind: LockKind) -> Result<Locked, Error> {
        Ok(Locked::Impossible)
    }

    /// Waits until all that was taken over in the background is stored.
    fn flush(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Waits until all that was written would survive a power cut.
    fn sync(&self) -> Result<(), Error> {
        self.flush()
    }

    /// Gives up uploads that are under way.
    fn abort(&self) {}

    /// Makes uploads that wait in a queue heed a guard before they are sent, but for keys below a prefix. Where nothing
    /// waits, there is nothing to hold back.
    fn set_guard(&self, _guard: Option<Guard>, _but: &str) {}

    /// The requests made so far; all zero where nobody counts.
    fn requests(&self) -> RequestCounts {
        RequestCounts::default()
    }
}
