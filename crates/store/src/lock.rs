//! Locks of the operating system, which end with the process that holds them, however it ends.

use std::fs::File;

/// Who else may hold a lock at the same time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LockKind {
    /// Nobody.
    Exclusive,
    /// Others that share it.
    Shared,
}

/// What came of asking for a lock.
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
#[derive(Debug)]
pub struct Lock {
    /// Closing it is what ends the lock.
    _file: File,
}

impl Lock {
    pub(crate) fn new(file: File) -> Self {
        Self { _file: file }
    }
}
