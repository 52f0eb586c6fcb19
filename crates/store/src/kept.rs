//! Objects that are kept in memory after they were read.
//!
//! Those that came first stay: who reads a store twice in the same order would find nothing in a cache that drops what was
//! read longest ago.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

#[derive(Debug)]
pub(crate) struct Kept {
    room: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    objects: HashMap<String, Bytes>,
    bytes: u64,
}

impl Kept {
    pub(crate) fn new(room: u64) -> Self {
        Self { room, state: Mutex::default() }
    }

    pub(crate) fn find(&self, key: &str) -> Option<Bytes> {
        // No code that can panic runs while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner).objects.get(key).cloned()
    }

    pub(crate) fn add(&self, key: &str, bytes: &Bytes) {
        let size = (key.len() + bytes.len()) as u64;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.bytes + size <= self.room && !state.objects.contains_key(key) {
            state.bytes += size;
            state.objects.insert(key.to_owned(), bytes.clone());
        }
    }
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
        assert_eq!(keeping.get("d").unwrap(), None);
    }
}
