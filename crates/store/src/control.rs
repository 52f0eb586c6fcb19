//! The handle by which a program watches and stops what its stores are doing.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
#[cfg(feature = "cloud")]
use std::time::Duration;
use std::time::Instant;

/// Tells what stores are waiting for, and stops them.
///
/// A program makes one, gives clones of it to all its stores with
/// [`StoreOptions::control`](crate::StoreOptions::control), shows [`Control::waiting`] beside its progress, and calls
/// [`Control::cancel`] when it is told to end.
#[derive(Clone, Debug, Default)]
pub struct Control(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    cancelled: OnceLock<Instant>,
    waiting: Mutex<BTreeMap<u64, Waiting>>,
    #[cfg(feature = "cloud")]
    places: AtomicU64,
    repeats: AtomicU64,
}

/// A place that does not answer as it should, and is being tried again.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Waiting {
    /// The bucket, container or host.
    pub place: String,
    /// The last failure in a few words, such as `503 SlowDown`; empty while an answer only has not begun.
    pub reason: String,
    /// When the place last answered as it should, or was first asked.
    pub since: Instant,
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.since.elapsed().as_secs();
        if self.reason.is_empty() {
            return write!(f, "waiting for {}: no answer for {seconds} s", self.place);
        }
        write!(f, "waiting for {}: {}, trying again for {seconds} s", self.place, self.reason)
    }
}

impl Control {
    /// A handle of its own.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends what the stores are doing, within a second: requests that are under way, waiting before another attempt,
    /// uploads in the queue. They fail with [`Class::Cancelled`](crate::Class::Cancelled).
    ///
    /// The stores can still be used, so that a program may remove what it would leave behind: every later request is
    /// tried once, for half a second at most.
    pub fn cancel(&self) {
        let _ = self.0.cancelled.set(Instant::now());
    }

    /// Whether [`Control::cancel`] was called.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.get().is_some()
    }

    /// The places that are waited for at this moment.
    pub fn waiting(&self) -> Vec<Waiting> {
        self.waiting_places().values().cloned().collect()
    }

    /// How many requests were made again, because an earlier attempt failed.
    pub fn repeats(&self) -> u64 {
        self.0.repeats.load(Ordering::Relaxed)
    }

    fn waiting_places(&self) -> MutexGuard<'_, BTreeMap<u64, Waiting>> {
        // No code that can panic runs while the lock is held.
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the places that are far away have to say.
#[cfg(feature = "cloud")]
impl Control {
    /// Whether something that began at `start` has had its time to end since the cancellation.
    pub(crate) fn has_ended(&self, start: Instant) -> bool {
        self.0.cancelled.get().is_some_and(|cancelled| {
            if start < *cancelled { cancelled.elapsed() >= GRACE } else { start.elapsed() >= CLEANING }
        })
    }

    /// A number for another place.
    pub(crate) fn add_place(&self) -> u64 {
        self.0.places.fetch_add(1, Ordering::Relaxed)
    }

    /// Says that a place is waited for, or, with none, that it is not any more.
    pub(crate) fn set_waiting(&self, place: u64, waiting: Option<Waiting>) {
        let mut places = self.waiting_places();
        match waiting {
            Some(waiting) => places.insert(place, waiting),
            None => places.remove(&place),
        };
    }

    pub(crate) fn count_repeat(&self) {
        self.0.repeats.fetch_add(1, Ordering::Relaxed);
    }
}

/// How long requests that are under way may go on after a cancellation.
#[cfg(feature = "cloud")]
const GRACE: Duration = Duration::from_millis(200);
/// How long a request may take that is made after a cancellation.
#[cfg(feature = "cloud")]
const CLEANING: Duration = Duration::from_millis(500);
/// How often those who wait look whether there was a cancellation.
#[cfg(feature = "cloud")]
pub(crate) const LOOK: Duration = Duration::from_millis(50);
