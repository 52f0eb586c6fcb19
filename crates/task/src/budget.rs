//! A number of bytes that several threads share.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::lock;

/// Bytes that several threads share: each takes what it needs and waits until that is free.
#[derive(Debug)]
pub struct Budget {
    all: u64,
    left: Mutex<u64>,
    given_back: Condvar,
}

/// A part of a [`Budget`], given back when dropped.
#[derive(Debug)]
pub struct Taken<'a> {
    budget: &'a Budget,
    bytes: u64,
}

impl Budget {
    /// A budget of so many bytes.
    pub fn new(bytes: u64) -> Self {
        Self { all: bytes, left: Mutex::new(bytes), given_back: Condvar::new() }
    }

    /// Waits until so many bytes are free. A request above the whole budget waits for all of it, and so runs alone.
    pub fn take(&self, bytes: u64) -> Taken<'_> {
        let bytes = bytes.min(self.all);
        let mut left = self
            .given_back
            .wait_while(self.left(), |left| *left < bytes)
            .unwrap_or_else(PoisonError::into_inner);
        *left -= bytes;
        Taken { budget: self, bytes }
    }

    fn left(&self) -> MutexGuard<'_, u64> {
        // A sum and a difference do not panic half-way.
        lock(&self.left)
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        *self.budget.left() += self.bytes;
        self.budget.given_back.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn never_more_than_there_is_and_the_large_pass_alone() {
        let (budget, held) = (Budget::new(100), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for wanted in [10, 60, 100, 1000, 0, 40, 55, 30] {
                let (budget, held) = (&budget, &held);
                scope.spawn(move || {
                    for _ in 0..200 {
                        let _taken = budget.take(wanted);
                        let now = held.fetch_add(wanted.min(100), Ordering::SeqCst) + wanted.min(100);
                        assert!(now <= 100, "{now} bytes");
                        held.fetch_sub(wanted.min(100), Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(*budget.left(), 100);
    }
}
