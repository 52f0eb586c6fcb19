//! A store in memory, for tests and for work that is thrown away.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;

use crate::backend::{Backend, Children, Part, below, directory};
use crate::requests::{Counters, Kind};
use crate::{Error, RequestCounts};

type Objects = BTreeMap<String, Bytes>;

/// What all `memory:` locations of a process share.
static SHARED: LazyLock<Arc<RwLock<Objects>>> = LazyLock::new(Arc::default);

#[derive(Debug)]
pub(crate) struct Memory {
    location: String,
    /// Empty, or what every key begins with, closing `/` included.
    root: String,
    objects: Arc<RwLock<Objects>>,
    counters: Counters,
}

impl Memory {
    /// A store that nobody else can see.
    pub(crate) fn private() -> Self {
        Self {
            location: "memory:".to_owned(),
            root: String::new(),
            objects: Arc::default(),
            counters: Counters::default(),
        }
    }

    /// The part below `path` of the store that the process shares.
    pub(crate) fn shared(location: String, path: &str) -> Self {
        Self { location, root: directory(path), objects: Arc::clone(&SHARED), counters: Counters::default() }
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.root)
    }

    fn objects(&self) -> RwLockReadGuard<'_, Objects> {
        // A map operation does not panic half-way, so a poisoned lock still guards a whole map.
        self.objects.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn objects_mut(&self) -> RwLockWriteGuard<'_, Objects> {
        self.objects.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backend for Memory {
    fn put(&self, key: &str, bytes: Bytes) -> Result<(), Error> {
        self.counters.count(Kind::Put);
        self.objects_mut().insert(self.key(key), bytes);
        Ok(())
    }

    fn put_new(&self, key: &str, bytes: Bytes) -> Result<bool, Error> {
        self.counters.count(Kind::Put);
        match self.objects_mut().entry(self.key(key)) {
            std::collections::btree_map::Entry::Occupied(_) => Ok(false),
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(bytes);
                Ok(true)
            }
        }
    }

    fn read(&self, key: &str, part: Part) -> Result<Option<Bytes>, Error> {
        self.counters.count(Kind::Get);
        let Some(bytes) = self.objects().get(&self.key(key)).cloned() else {
            return Ok(None);
        };
        let range = part.resolve(bytes.len() as u64, &self.location, key)?;
        Ok(Some(bytes.slice(range.start as usize..range.end as usize)))
    }

    fn size(&self, key: &str) -> Result<Option<u64>, Error> {
        self.counters.count(Kind::Head);
        Ok(self.objects().get(&self.key(key)).map(|bytes| bytes.len() as u64))
    }

    fn list(&self, prefix: &str) -> Result<Vec<(String, u64)>, Error> {
        self.counters.count(Kind::List);
        let start = self.key(&directory(prefix));
        Ok(below(&self.objects(), &start)
            .map(|(key, bytes)| (key[self.root.len()..].to_owned(), bytes.len() as u64))
            .collect())
    }

    fn children(&self, prefix: &str) -> Result<Children, Error> {
        self.counters.count(Kind::List);
        let start = self.key(&directory(prefix));
        let objects = self.objects();
        Ok(Children::of(&start, below(&objects, &start).map(|(key, bytes)| (key, bytes.len() as u64))))
    }

    fn delete(&self, key: &str) -> Result<(), Error> {
        self.counters.count(Kind::Delete);
        self.objects_mut().remove(&self.key(key));
        Ok(())
    }

    fn delete_prefix(&self, prefix: &str) -> Result<(), Error> {
        self.counters.count(Kind::Delete);
        let start = self.key(&directory(prefix));
        self.objects_mut().retain(|key, _| !key.starts_with(&start));
        Ok(())
    }

    fn requests(&self) -> RequestCounts {
        self.counters.read()
    }
}
