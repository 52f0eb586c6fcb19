//! The store as its users see it.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use crate::archive::Archive;
use crate::backend::{Backend, Children, Part, Version};
use crate::block_cache::BlockCache;
use crate::guard::Guard;
use crate::kept::Kept;
use crate::local::Local;
use crate::location::{Location, Scheme};
use crate::memory::Memory;
use crate::writer::Collected;
use crate::{Class, Error, LockKind, Locked, ObjectWriter, RequestCounts, StoreOptions, key};

/// A flat map from keys to byte strings below a [`Location`]. Cloning is cheap and gives the same store.
///
/// Keys are `/`-separated, relative, and have no empty, `.` or `..` segments; other keys are refused with
/// [`Error::Key`]. A prefix is a directory: `a` means the keys that begin with `a/`, the empty prefix all keys.
/// Every method may fail with [`Error::Failed`].
#[derive(Clone, Debug)]
pub struct Store {
    location: Location,
    backend: Arc<dyn Backend>,
    blocks: Arc<BlockCache>,
    /// Objects that were read whole, where they are kept.
    kept: Option<Arc<Kept>>,
    options: Arc<StoreOptions>,
}

impl Store {
    /// Opens a location. Nothing is read or written yet, so neither a local directory nor a bucket need exist.
    ///
    /// # Errors
    /// [`Error::Option`] for options that this kind of store does not know, [`Error::Unsupported`] if the program was
    /// built without this kind of store.
    pub fn open(location: &Location, options: &StoreOptions) -> Result<Self, Error> {
        if location.is_archive()
            && let (Some(folder), Some(name)) = (location.parent(), location.file_name())
        {
            return Ok(Self::archive(&Self::open(&folder, options)?, &name, options));
        }
        let backend: Arc<dyn Backend> = match (location.scheme(), location.as_path()) {
            (_, Some(path)) => Arc::new(Local::new(path.to_owned(), options.durability)),
            (Scheme::Other, _) => {
                return Err(Error::Unsupported {
                    location: location.to_string(),
                    reason: "only the program that made this kind of store can open it".to_owned(),
                });
            }
            (Scheme::Memory, _) => {
                Arc::new(Memory::shared(location.to_string(), location.key().unwrap_or_default()))
            }
            #[cfg(feature = "cloud")]
            _ => Arc::new(crate::cloud::Cloud::new(location, options)?),
            #[cfg(not(feature = "cloud"))]
            _ => {
                return Err(Error::Unsupported {
                    location: location.to_string(),
                    reason: "this program was built without object stores".to_owned(),
                });
            }
        };
        Ok(Self::of(location.clone(), backend, options))
    }

    /// A new store in memory that nobody else can open.
    pub fn memory() -> Self {
        Self::of(Location::memory(), Arc::new(Memory::private()), &StoreOptions::default())
    }

    /// The store in one file (`.ozx`) of another store, to read. What it holds is looked at when it is needed.
    pub fn archive(folder: &Self, name: &str, options: &StoreOptions) -> Self {
        let archive = Archive::new(folder.clone(), name.to_owned(), options);
        Self::of(folder.location.join(name), Arc::new(archive), options)
    }

    fn of(location: Location, backend: Arc<dyn Backend>, options: &StoreOptions) -> Self {
        let blocks = Arc::new(BlockCache::new(options.cache_bytes));
        Self { location, backend, blocks, kept: None, options: Arc::new(options.clone()) }
    }

    /// A store of a kind of your own; see [`backend`](crate::backend). `location` is only shown:
    /// [`Location::of_backend`] makes one. Of the options, [`StoreOptions::cache_bytes`] has a meaning here.
    pub fn from_backend(location: Location, backend: impl Backend + 'static, options: &StoreOptions) -> Self {
        Self::of(location, Arc::new(backend), options)
    }

    /// Where the store is.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// How it was opened.
    pub(crate) fn options(&self) -> &StoreOptions {
        &self.options
    }

    /// Whether it is reached over a network, so that each request takes a while.
    pub fn is_remote(&self) -> bool {
        matches!(self.location.scheme(), Scheme::S3 | Scheme::Gcs | Scheme::Azure | Scheme::Http)
    }

    /// How many small requests to make at the same time: many where each of them waits for a network.
    pub fn at_once(&self) -> usize {
        if self.is_remote() { REMOTE_AT_ONCE } else { LOCAL_AT_ONCE }
    }

    /// The same store for somebody who reads objects more than once while nobody writes: those that are read whole are
    /// kept, as long as they have no more than `bytes` together. One that keeps them already goes on as it is.
    #[must_use]
    pub fn keeping(&self, bytes: u64) -> Self {
        let kept = self.kept.clone().unwrap_or_else(|| Arc::new(Kept::new(bytes)));
        Self { kept: Some(kept), ..self.clone() }
    }

    /// The path of the directory, if the store is a directory of this machine.
    pub fn local_path(&self) -> Option<&Path> {
        self.location.as_path().filter(|_| !self.location.is_archive())
    }

    /// Writes an object, new or in place of an old one. Readers see all of it or nothing.
    ///
    /// # Errors
    /// See [`Store`].
    pub fn put(&self, key: &str, bytes: impl Into<Bytes>) -> Result<(), Error> {
        key::check(key)?;
        self.backend.put(key, bytes.into())
    }

    /// Hands an object over for upload and returns before it is stored. Waits while
    /// [`StoreOptions::max_in_flight_bytes`] or [`StoreOptions::concurrency`] are used up. Local directories and memory
    /// write at once.
    ///
    /// # Errors
    /// [`Error::Background`] with the first failure of an earlier upload, here or from [`Store::flush`]; after one, no
    /// more uploads are taken until `flush` has reported it.
    pub fn put_in_background(&self, key: &str, bytes: Bytes) -> Result<(), Error> {
        key::check(key)?;
        self.backend.put_in_background(key, bytes)
    }

    /// As [`Store::put_in_background`], for an object whose bytes are in several pieces. Local directories write them
    /// without putting them together.
    ///
    /// # Errors
    /// See [`Store::put_in_background`].
    pub fn put_parts_in_background(&self, key: &str, parts: Vec<Bytes>) -> Result<(), Error> {
        key::check(key)?;
        self.backend.put_parts_in_background(key, parts)
    }

    /// Waits until all that was handed to [`Store::put_in_background`] is stored.
    ///
    /// # Errors
    /// [`Error::Background`] if an upload failed.
    pub fn flush(&self) -> Result<(), Error> {
        self.backend.flush()
    }

    /// Writes an object only if there is none of that name: of several writers, one gets `true`.
    ///
    /// # Errors
    /// See [`Store`].
    pub fn put_new(&self, key: &str, bytes: impl Into<Bytes>) -> Result<bool, Error> {
        key::check(key)?;
        self.backend.put_new(key, bytes.into())
    }

    /// As [`Store::put_new`], for one who has just seen that there is none: it is not looked for again, which is a request
    /// less. Of simultaneous writers to a store that knows no conditional writes, the last one wins.
    ///
    /// # Errors
    /// See [`Store`].
    pub fn put_unseen(&self, key: &str, bytes: impl Into<Bytes>) -> Result<bool, Error> {
        key::check(key)?;
        self.backend.put_unseen(key, bytes.into())
    }

    /// Starts an object that is too large to be held whole: it is written piece by piece, and appears whole when
    /// [`ObjectWriter::finish`] returns. `expected` is about how many bytes it will have; an object store's limit on
    /// the number of parts may stop one that becomes much larger.
    ///
    /// # Errors
    /// See [`Store`].
    pub fn writer(&self, key: &str, expected: u64) -> Result<ObjectWriter, Error> {
        key::check(key)?;
        let sink = self.backend.writer(key, expected)?.unwrap_or_else(|| {
            Box::new(Collected { backend: Arc::clone(&self.backend), key: key.to_owned(), bytes: Vec::new() })
        });
        Ok(ObjectWriter::new(sink))
    }

    /// Reads an object; none if there is no such object.
    ///
    /// # Errors
    /// See [`Store`].
    pub fn get(&self, key: &str) -> Result<Option<Bytes>, Error> {
        key::check(key)?;
        let Some(kept) = &self.kept else { return self.backend.read(key, Part::All) };
        if let Some(found) = kept.find(key) {
            return Ok(found.object());
        }
        let found = self.backend.read(key, Part::All)?;
        kept.add(key, found.as_ref());
        Ok(found)
    }

    /// Keeps an object no longer that [`Store::keeping`] has kept, because it will not be read again.
    pub fn forget(&self, key: &str) {
        if let Some(kept) = &self.kept {
            kept.forget(key);
        }
    }

    /// Reads an object that may well not be there. As [`Store::get`], but a refusal counts as absence: public places
    /// that nobody may list answer so for everything that they do not hold.
    ///
    /// # Errors
    /// See [`Store`].
    pub fn probe(&self, key: &str) -> Result<Option<Bytes>, Error> {
        match self.get(key) {
            Err(error) if error.class() == Class::Permission => Ok(None),
            other => other,
        }
    }

    /// Reads bytes `range` of an object; none if there is no such object.
    ///
    /// # Errors
    /// [`Error::Range`] if the object is shorter.
    pub fn get_range(&self, key: &str, range: Range<u64>) -> Result<Option<Bytes>, Error> {
        key::check(key)?;
        self.backend.read(key, Part::Range(range))
    }

    /// Reads the last `length` bytes of an object, or all of a shorter one; none if there is no such object.
    ///
    /// # Errors
    /// See [`Store`].
    pub fn get_suffix(&self, key: &str, length: u64) -> Result<Option<Bytes>, Error> {
        key::check(key)?;
        self.backend.read(key, Part::Suffix(length))
    }

    /// Reads several ranges of one object, neighbouring ones with one request; none if there is no such object.
    ///
    /// # Errors
    /// [`Error::Range`] if the object is shorter.
    pub fn get_ranges(&self, key: &str, ranges: &[Range<u64>]) -> Result<Option<Vec<Bytes>>, Error> {
        key::check(key)?;
        self.backend.read_ranges(key, ranges, &Version::default())
    }

    /// The cache of file blocks that all files of this store share.
    pub(crate) fn blocks(&self) -> &BlockCache {
        &self.blocks
    }

    /// The first bytes of an object and which version of it they are of.
    pub(crate) fn read_start(&self, key: &str, length: u64) -> Result<Option<(Bytes, Version)>, Error> {
        key::check(key)?;
        self.backend.read_start(key, length)
    }

    /// A range of one version of an object.
    pub(crate) fn read_version(
        &self,
        key: &str,
        range: Range<u64>,
        version: &Version,
    ) -> Result<Option<Bytes>, Error> {
        self.backend.read_version(key, range, version)
    }

    /// Ranges of one version of an object.
    pub(crate) fn read_ranges_of_version(
        &self,
        key: &str,
        ranges: &[Range<u64>],
        version: &Version,
    ) -> Result<Option<Vec<Bytes>>, Error> {
        self.backend.read_ranges(key, ranges, version)
    }

    /// An object's size in bytes; none if there is no such object.
    ///
    /// # Errors
    /// See [`Store`].
    pub fn size(&self, key: &str) -> Result<Option<u64>, Error> {
        key::check(key)?;
        self.backend.size(key)
    }

    /// Whether there is an object of that name.
    ///
    /// # Errors
    /// See [`Store`].
    pub fn exists(&self, key: &str) -> Result<bool, Error> {
        Ok(self.size(key)?.is_some())
    }

    /// All objects below a prefix with their sizes in bytes: keys relative to the root of the store, sorted.
    ///
    /// # Errors
    /// [`Error::Unsupported`] of web servers, which cannot list.
    pub fn list(&self, prefix: &str) -> Result<Vec<(String, u64)>, Error> {
        self.backend.list(key::check_prefix(prefix)?)
    }

    /// As [`Store::list`], in no order, and without holding all of it in memory where the store can do without.
    ///
    /// # Errors
    /// See [`Store::list`]. Some objects may have been told by then.
    pub fn list_each(&self, prefix: &str, each: &mut dyn FnMut(&str, u64)) -> Result<(), Error> {
        self.backend.list_each(key::check_prefix(prefix)?, each)
    }

    /// As [`Store::list`]; none where it is impossible or not allowed to list, as on web servers.
    ///
    /// # Errors
    /// See [`Store`].
    pub fn list_if_allowed(&self, prefix: &str) -> Result<Option<Vec<(String, u64)>>, Error> {
        match self.list(prefix) {
            Err(error) if matches!(error.class(), Class::Permission | Class::Unsupported) => Ok(None),
            other => other.map(Some),
        }
    }

    /// The directories and objects directly below a prefix.
    ///
    /// # Errors
    /// [`Error::Unsupported`] of web servers, which cannot list.
    pub fn list_children(&self, prefix: &str) -> Result<Children, Error> {
        self.backend.children(key::check_prefix(prefix)?)
    }

    /// Deletes an object; that it was not there is no error.
    ///
    /// # Errors
    /// See [`Store`].
    pub fn delete(&self, key: &str) -> Result<(), Error> {
        key::check(key)?;
        self.backend.delete(key)
    }

    /// Deletes all objects below a prefix, with the empty prefix the whole store.
    ///
    /// # Errors
    /// See [`Store`].
    pub fn delete_prefix(&self, prefix: &str) -> Result<(), Error> {
        self.backend.delete_prefix(key::check_prefix(prefix)?)
    }

    /// Removes unfinished files that an earlier process left in a local directory when it was killed, and tells how many
    /// there were. Nobody else may be writing to the store. Object stores keep nothing that could be found.
    ///
    /// # Errors
    /// See [`Store`].
    pub fn remove_leftovers(&self) -> Result<u64, Error> {
        self.backend.remove_leftovers()
    }

    /// Gives an object the name of another, which it replaces at once; false where no object can be renamed, as in object
    /// stores.
    ///
    /// # Errors
    /// See [`Store`].
    pub fn rename(&self, from: &str, to: &str) -> Result<bool, Error> {
        key::check(from)?;
        key::check(to)?;
        self.backend.rename(from, to)
    }

    /// Removes the directories of a local store in which nothing is left, its own among them. Nobody else may be writing to the
    /// store.
    ///
    /// # Errors
    /// See [`Store`].
    pub fn remove_empty_directories(&self) -> Result<(), Error> {
        self.backend.remove_empty_directories()
    }

    /// Asks for the lock of an object, which is made if there is none of that name, and goes on at once if another process
    /// holds it. Only local file systems have locks; they end with the process that holds them.
    ///
    /// # Errors
    /// See [`Store`].
    pub fn lock(&self, key: &str, kind: LockKind) -> Result<Locked, Error> {
        key::check(key)?;
        self.backend.lock(key, kind)
    }

    /// Makes uploads heed a guard, but for keys below a prefix; with none, no more.
    pub(crate) fn set_guard(&self, guard: Option<Guard>, but: &str) {
        self.backend.set_guard(guard, but);
    }

    /// Waits for background uploads and, as [`StoreOptions::durability`] says, until local files would survive a power
    /// cut.
    ///
    /// # Errors
    /// See [`Store`] and [`Store::flush`].
    pub fn sync(&self) -> Result<(), Error> {
        self.backend.flush()?;
        self.backend.sync()
    }

    /// Gives up background uploads, so that nothing of unfinished ones stays in the object store. Dropping the last
    /// handle does the same; a program that is interrupted calls this before it exits.
    pub fn abort(&self) {
        self.backend.abort();
    }

    /// What has been asked of the store so far.
    pub fn requests(&self) -> RequestCounts {
        self.backend.requests()
    }
}

/// Small requests under way at the same time, over a network and on this machine.
const REMOTE_AT_ONCE: usize = 64;
const LOCAL_AT_ONCE: usize = 16;
