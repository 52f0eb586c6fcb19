//! Objects that are kept in memory after they were read, and the knowledge that there is none.
//!
//! Those that came first stay: who reads a store twice in the same order would find nothing in a cache that drops what was
//! read longest ago.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

#[derive(Debug)]
pub(crate) struct Kept {
    room: u64,
    state: Mutex<State>,
}

/// What is known of a key.
#[derive(Clone, Debug)]
pub(crate) enum Known {
    Object(Bytes),
    /// There is none.
    Absent,
}

impl Known {
    pub(crate) fn object(self) -> Option<Bytes> {
        match self {
            Self::Object(bytes) => Some(bytes),
            Self::Absent => None,
        }
    }
}

#[derive(Debug, Default)]
struct State {
    objects: HashMap<String, Known>,
    bytes: u64,
}

impl Kept {
    pub(crate) fn new(room: u64) -> Self {
        Self { room, state: Mutex::default() }
    }

    /// What was read at a key, if anything was.
    pub(crate) fn find(&self, key: &str) -> Option<Known> {
        self.state().objects.get(key).cloned()
    }

    pub(crate) fn add(&self, key: &str, found: Option<&Bytes>) {
        let size = size(key, found);
        let mut state = self.state();
        if state.bytes + size <= self.room && !state.objects.contains_key(key) {
            state.bytes += size;
            let found = found.map_or(Known::Absent, |bytes| Known::Object(bytes.clone()));
            state.objects.insert(key.to_owned(), found);
        }
    }

    pub(crate) fn forget(&self, key: &str) {
        let mut state = self.state();
        if let Some(found) = state.objects.remove(key) {
            state.bytes -= size(key, found.object().as_ref());
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn size(key: &str, found: Option<&Bytes>) -> u64 {
    (key.len() + found.map_or(0, Bytes::len)) as u64
}

#[cfg(test)]
mod tests {
    use crate::Store;

    #[test]
    fn what_fits_is_asked_for_once() {
        let store = Store::memory();
        for key in ["a", "b", "c"] {
            store.put(key, vec![7; 40]).unwrap();
        }
        let keeping = store.keeping(100);
        let before = store.requests().gets;
        for _ in 0..3 {
            for key in ["a", "b", "c"] {
                assert_eq!(keeping.get(key).unwrap().unwrap(), vec![7; 40]);
            }
        }
        // Two fit.
        assert_eq!(store.requests().gets - before, 2 + 3);
        // That there is none is known as well; what is forgotten makes room.
        for _ in 0..3 {
            assert_eq!(keeping.get("d").unwrap(), None);
        }
        assert_eq!(store.requests().gets - before, 2 + 3 + 1);
        keeping.forget("a");
        for _ in 0..2 {
            keeping.get("c").unwrap();
        }
        assert_eq!(store.requests().gets - before, 2 + 3 + 1 + 1);
    }
}
