//! A small map that forgets what was not used for longest.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
};

/// Values with a cost in bytes each; the sum of the costs stays within a capacity, unless one value alone exceeds it.
pub(crate) struct Cache<K, V> {
    entries: HashMap<K, Slot<V>>,
    /// Keys by the time of their last use.
    order: BTreeMap<u64, K>,
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
        Self { entries: HashMap::new(), order: BTreeMap::new(), capacity, used: 0, clock: 0 }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(crate) fn get_ref(&mut self, key: &K) -> Option<&V> {
        let slot = self.entries.get_mut(key)?;
        self.clock += 1;
        if let Some(key) = self.order.remove(&slot.last_use) {
            self.order.insert(self.clock, key);
        }
        slot.last_use = self.clock;
        Some(&slot.value)
    }

    /// Keeps the value and returns one that had to make room, for its buffer to be used again.
    pub(crate) fn insert(&mut self, key: K, value: V, cost: usize) -> Option<V> {
        let mut evicted = self.remove(&key);
        while self.used.saturating_add(cost) > self.capacity
            && let Some((_, oldest)) = self.order.first_key_value()
        {
            let oldest = oldest.clone();
            evicted = self.remove(&oldest);
        }
        self.clock += 1;
        self.used += cost;
        self.order.insert(self.clock, key.clone());
        self.entries.insert(key, Slot { value, cost, last_use: self.clock });
        evicted
    }

    fn remove(&mut self, key: &K) -> Option<V> {
        let slot = self.entries.remove(key)?;
        self.order.remove(&slot.last_use);
        self.used -= slot.cost;
        Some(slot.value)
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Cache<K, V> {
    pub(crate) fn get(&mut self, key: &K) -> Option<V> {
        self.get_ref(key).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgets_the_least_used() {
        let mut cache = Cache::new(10);
        for key in 0..3 {
            assert_eq!(cache.insert(key, key * 10, 3), None);
        }
        assert_eq!(cache.get(&0), Some(0));
        assert_eq!(cache.insert(3, 30, 3), Some(10));
        assert_eq!(
            (cache.get(&0), cache.get(&1), cache.get(&2), cache.get(&3)),
            (Some(0), None, Some(20), Some(30))
        );
        assert!(cache.insert(9, 90, 11).is_some());
        assert_eq!((cache.entries.len(), cache.order.len(), cache.used), (1, 1, 11));
        assert_eq!(cache.insert(9, 91, 1), Some(90));
        assert_eq!((cache.get(&9), cache.used), (Some(91), 1));
    }
}
