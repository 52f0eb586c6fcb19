//! A store that tells what is written through it.

use bytes::Bytes;
use fairzarr_store::backend::{Backend, Children, Part};
use fairzarr_store::{Error, LockKind, Locked, RequestCounts, Store, StoreOptions};
use std::fmt;

/// The same place as `store`; `see` is told key and bytes of every object that is written through it, before it is stored.
/// What is written through `store` itself is not told.
pub fn watched(store: &Store, see: impl Fn(&str, &[u8]) + Send + Sync + 'static) -> Store {
    let watched = Watched { store: store.clone(), see: Box::new(see) };
    Store::from_backend(store.location().clone(), watched, &StoreOptions::default())
}

type See = dyn Fn(&str, &[u8]) + Send + Sync;

struct Watched {
    store: Store,
    see: Box<See>,
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watched").field(&self.store).finish()
    }
}

impl Backend for Watched {
    fn put(&self, key: &str, bytes: Bytes) -> Result<(), Error> {
        (self.see)(key, &bytes);
        self.store.put(key, bytes)
    }

    fn put_in_background(&self, key: &str, bytes: Bytes) -> Result<(), Error> {
        (self.see)(key, &bytes);
        self.store.put_in_background(key, bytes)
    }

    fn put_new(&self, key: &str, bytes: Bytes) -> Result<bool, Error> {
        (self.see)(key, &bytes);
        self.store.put_new(key, bytes)
    }

    fn read(&self, key: &str, part: Part) -> Result<Option<Bytes>, Error> {
        match part {
            Part::All => self.store.get(key),
            Part::Range(range) => self.store.get_range(key, range),
            Part::Suffix(length) => self.store.get_suffix(key, length),
        }
    }

    fn size(&self, key: &str) -> Result<Option<u64>, Error> {
        self.store.size(key)
    }

    fn list(&self, prefix: &str) -> Result<Vec<(String, u64)>, Error> {
        self.store.list(prefix)
    }

    fn children(&self, prefix: &str) -> Result<Children, Error> {
        self.store.list_children(prefix)
    }

    fn delete(&self, key: &str) -> Result<(), Error> {
        self.store.delete(key)
    }

    fn delete_prefix(&self, prefix: &str) -> Result<(), Error> {
        self.store.delete_prefix(prefix)
    }

    fn remove_leftovers(&self) -> Result<u64, Error> {
        self.store.remove_leftovers()
    }

    fn rename(&self, from: &str, to: &str) -> Result<bool, Error> {
        self.store.rename(from, to)
    }

    fn remove_empty_directories(&self) -> Result<(), Error> {
        self.store.remove_empty_directories()
    }

    fn lock(&self, key: &str, kind: LockKind) -> Result<Locked, Error> {
        self.store.lock(key, kind)
    }

    fn flush(&self) -> Result<(), Error> {
        self.store.flush()
    }

    fn sync(&self) -> Result<(), Error> {
        self.store.sync()
    }

    fn abort(&self) {
        self.store.abort();
    }

    fn requests(&self) -> RequestCounts {
        self.store.requests()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[test]
    fn a_watched_store_keeps_the_rules_and_tells_all_that_is_written() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&seen);
        let store = watched(&Store::memory(), move |key, bytes| {
            told.lock().unwrap().push((key.to_owned(), bytes.to_vec()));
        });
        store.put("a", "1").unwrap();
        store.put_in_background("b", "2".into()).unwrap();
        store.put_parts_in_background("c", vec!["3".into(), "4".into()]).unwrap();
        store.put_new("d", "5").unwrap();
        let expected = [("a", "1"), ("b", "2"), ("c", "34"), ("d", "5")];
        let expected: Vec<_> =
            expected.iter().map(|(k, b)| ((*k).to_owned(), b.as_bytes().to_vec())).collect();
        assert_eq!(*seen.lock().unwrap(), expected);
        fairzarr_store::conformance::check(&watched(&Store::memory(), |_, _| {})).unwrap();
    }
}
