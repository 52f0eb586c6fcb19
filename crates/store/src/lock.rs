//! Locks of the operating system, which end with the process that holds them, however it ends.

use std::any::Any;
use std::fmt;

/// Who else may hold a lock at the same time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LockKind {
    /// Nobody.
    Exclusive,
    /// Others that share it.
    Shared,
}

/// The answer to a request for a lock.
#[derive(Debug)]
pub enum Locked {
    /// It is held until this is dropped.
    Held(Lock),
    /// Another process holds it.
    Taken,
    /// This kind of store, or this file system, has no locks.
    Impossible,
}

/// A lock that is held.
pub struct Lock {
    /// Dropping the guard is what ends the lock.
    _guard: Box<dyn Any + Send + Sync>,
}

impl Lock {
    /// A lock that ends when `guard` is dropped, such as an open and locked file.
    pub fn new(guard: impl Any + Send + Sync) -> Self {
        Self { _guard: Box::new(guard) }
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").finish_non_exhaustive()
    }
}
