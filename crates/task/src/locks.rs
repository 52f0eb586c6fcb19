//! Mutexes whose content is still of use after a thread has panicked while it held them: that panic is reported anyway.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks the mutex.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the mutex's content out.
pub fn unlocked<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}
