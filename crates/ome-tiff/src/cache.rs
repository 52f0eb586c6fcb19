//! A small map that forgets what was not used for longest.

use std::{collections::HashMap, hash::Hash};

/// Values with a cost in bytes each; the sum of the costs stays within a capacity, except that one value alone
/// may exceed it where the owner says so.
pub(crate) struct Cache<K, V> {
    entries: HashMap<K, Slot<V>>,
    capacity: usize,
    used: usize,
    clock: u64,
}

struct Slot<V> {
    value: V,
    cost: usize,
    last_use: u64,
}

impl<K: Clone + Eq + Hash, V> Cache<K, V> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { entries: HashMap::new(), capacity, used: 0, clock: 0 }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(crate) fn get_ref(&mut self, key: &K) -> Option<&V> {
        self.clock += 1;
        let clock = self.clock;
        self.entries.get_mut(key).map(|slot| {
            slot.last_use = clock;
            &slot.value
        })
    }

    /// Keeps the value and returns one that had to make room, for its buffer to be used again.
    pub(crate) fn insert(&mut self, key: K, value: V, cost: usize) -> Option<V> {
        let mut evicted = self.remove(&key);
        while self.used.saturating_add(cost) > self.capacity && !self.entries.is_empty() {
            // The map holds a handful of chunks or tables: looking at each costs less than a list would.
            let oldest =
                self.entries.iter().min_by_key(|(_, slot)| slot.last_use).map(|(key, _)| key.clone());
            let Some(oldest) = oldest else { break };
            evicted = self.remove(&oldest);
        }
        self.clock += 1;
        self.used += cost;
        self.entries.insert(key, Slot { value, cost, last_use: self.clock });
        evicted
    }

    fn remove(&mut self, key: &K) -> Option<V> {
        let slot = self.entries.remove(key)?;
        self.used -= slot.cost;
        Some(slot.value)
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Cache<K, V> {
    pub(crate) fn get(&mut self, key: &K) -> Option<V> {
        self.get_ref(key).cloned()
    }
}
