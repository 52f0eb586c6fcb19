//! The right to write to a place: one process alone, or several that share it.
//!
//! On a local file system it is a lock of the operating system, which ends with the process. Where that is impossible, as in
//! object stores, each process leaves a *mark*, an object that it renews, before it looks for the marks of others. A process
//! that is killed leaves its mark behind: on the machine where it ran that is noticed at once, elsewhere the mark expires. A
//! process that was stopped and comes back looks at its mark before it writes again.

mod mark;
mod process;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::guard::{Guard, RENEW};
use crate::{Class, Error, Lock, LockKind, Locked, Store};
use mark::Mark;

/// The right to write to a place, until this is dropped.
///
/// Its files lie in a directory of the place, which is removed at the end if nothing else is in it.
#[derive(Debug)]
pub struct Lease {
    held: Arc<Held>,
    /// Ends when it is dropped.
    _lock: Option<Lock>,
    /// Looks after the mark.
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Held {
    store: Store,
    directory: String,
    mark: Option<Mark>,
    guard: Guard,
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// An object, and what it has to begin with as long as the work goes on that the lease is for.
    witness: Option<(String, Bytes)>,
    has_ended: bool,
}

impl Lease {
    /// Takes the lease of a place, whose files are to lie in `directory` of it. `take_over` removes the marks of others,
    /// who have ended or are to end.
    ///
    /// # Errors
    /// [`Error::Running`] when others write there.
    pub fn take(store: &Store, directory: &str, kind: LockKind, take_over: bool) -> Result<Self, Error> {
        let start = Instant::now();
        let lock = loop {
            match store.lock(&lock_key(directory), kind)? {
                Locked::Held(lock) => break Some(lock),
                Locked::Impossible => break None,
                // A process that was just killed may not be quite gone.
                Locked::Taken if start.elapsed() < LINGER => std::thread::sleep(LINGER / 20),
                Locked::Taken => {
                    return Err(Error::Running {
                        location: store.location().to_string(),
                        reason: format!(
                            "another process has locked {}; wait until it has ended",
                            lock_key(directory)
                        ),
                        unknown: false,
                    });
                }
            }
        };
        let mark = match lock {
            Some(_) => None,
            None => Some(mark::leave(store, directory, kind, take_over)?),
        };
        let guard = Guard::new();
        let held = Arc::new(Held {
            store: store.clone(),
            directory: directory.to_owned(),
            mark,
            guard: guard.clone(),
            state: Mutex::default(),
            ended: Condvar::new(),
        });
        let mut lease = Self { held, _lock: lock, thread: None };
        if lease.held.mark.is_some() {
            store.set_guard(Some(guard), &marks(directory));
            let held = Arc::clone(&lease.held);
            let thread = std::thread::Builder::new().name("fairzarr-lease".to_owned());
            let thread = thread.spawn(move || held.look_after());
            lease.thread = Some(thread.map_err(|error| lease.held.failed(error))?);
        }
        Ok(lease)
    }

    /// Whether a key is of a lease whose files lie in `directory`.
    pub fn is_key(directory: &str, key: &str) -> bool {
        key == lock_key(directory) || key.starts_with(&marks(directory))
    }

    /// The lease is for a work that goes on only as long as the object `key` begins with `start`.
    pub fn set_witness(&self, key: String, start: Bytes) {
        self.held.state().witness = Some((key, start));
    }

    /// Looks whether this process may still write. Costs two small requests, and nothing where a lock is held.
    ///
    /// # Errors
    /// [`Error::TakenOver`] if another process has taken the place over; whatever keeps the store from answering.
    pub fn confirm(&self) -> Result<(), Error> {
        self.held.confirm()
    }

    /// Whether another process was found to have taken the place over.
    pub fn is_lost(&self) -> bool {
        self.held.guard.is_lost()
    }
}

impl Held {
    fn confirm(&self) -> Result<(), Error> {
        let Some(mark) = &self.mark else { return Ok(()) };
        let start = Instant::now();
        let witness = self.state().witness.clone();
        let is_held = !self.guard.is_lost() && {
            // Both at the same time: this is done before each step that others could see.
            let (is_there, is_same) = std::thread::scope(|scope| {
                let is_same = witness.map(|(key, start)| {
                    let look = move || self.begins_with(&key, &start);
                    std::thread::Builder::new().name("fairzarr-witness".to_owned()).spawn_scoped(scope, look)
                });
                let is_there = self.store.exists(&mark.key);
                let is_same = match is_same {
                    None => Ok(true),
                    Some(Ok(thread)) => thread.join().unwrap_or_else(|_| Err(self.failed("it broke off"))),
                    Some(Err(error)) => Err(self.failed(error)),
                };
                (is_there, is_same)
            });
            is_there? && is_same?
        };
        if is_held {
            self.guard.confirm(start);
            return Ok(());
        }
        self.guard.lose();
        Err(Error::TakenOver { location: self.store.location().to_string() })
    }

    /// The error of a thread that was to look after the lease.
    fn failed(&self, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::failed("look after the lease of", "", &self.store.location().to_string(), Class::Local, error)
    }

    fn begins_with(&self, key: &str, start: &Bytes) -> Result<bool, Error> {
        match self.store.get_range(key, 0..start.len() as u64) {
            Ok(found) => Ok(found.as_ref() == Some(start)),
            // Shorter.
            Err(Error::Range { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Renews the mark until the end, or until it is lost.
    fn look_after(&self) {
        let mut renewed = Instant::now();
        let mut state = self.state();
        while !state.has_ended {
            state = self.ended.wait_timeout(state, TICK).unwrap_or_else(PoisonError::into_inner).0;
            if state.has_ended || !self.guard.tick() && renewed.elapsed() < RENEW {
                continue;
            }
            drop(state);
            let outcome = self.confirm();
            if let (Ok(()), Some(mark)) = (&outcome, &self.mark)
                && renewed.elapsed() >= RENEW
                && mark.renew(&self.store).is_ok()
            {
                renewed = Instant::now();
            }
            if matches!(outcome, Err(Error::TakenOver { .. })) {
                return;
            }
            // Another error is met by the writers too; the next look may find the store again.
            state = self.state();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.held.state().has_ended = true;
        self.held.ended.notify_all();
        if let Some(thread) = self.thread.take() {
            // A mark that is renewed after it was removed would stay.
            let _ = thread.join();
        }
        let held = &self.held;
        // Whatever goes wrong here, the next one to come finds out.
        if let Some(mark) = &held.mark {
            held.store.set_guard(None, "");
            let _ = held.store.delete(&mark.key);
            return;
        }
        let left = held.store.list(&held.directory).unwrap_or_default();
        if matches!(left.as_slice(), [(key, _)] if *key == lock_key(&held.directory)) {
            let _ = held.store.delete_prefix(&held.directory);
        }
    }
}

fn lock_key(directory: &str) -> String {
    format!("{directory}/lock")
}

fn marks(directory: &str) -> String {
    format!("{directory}/running/")
}

/// How often the thread that looks after a lease is awake.
const TICK: Duration = Duration::from_millis(500);
/// How long a killed process may hold its locks.
const LINGER: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreOptions;

    fn take(store: &Store, kind: LockKind, take_over: bool) -> Result<Lease, Error> {
        Lease::take(store, ".work", kind, take_over)
    }

    #[test]
    fn one_alone_or_several_that_share() {
        let dir = tempfile::tempdir().unwrap();
        let location = dir.path().join("x.zarr").to_str().unwrap().parse().unwrap();
        let local = Store::open(&location, &StoreOptions::default()).unwrap();
        for store in [Store::memory(), local] {
            let alone = take(&store, LockKind::Exclusive, false).unwrap();
            for kind in [LockKind::Exclusive, LockKind::Shared] {
                assert!(matches!(take(&store, kind, false), Err(Error::Running { .. })));
            }
            drop(alone);
            let shared = [(); 2].map(|()| take(&store, LockKind::Shared, false).unwrap());
            assert!(matches!(take(&store, LockKind::Exclusive, false), Err(Error::Running { .. })));
            drop(shared);
            drop(take(&store, LockKind::Exclusive, false).unwrap());
            assert_eq!(store.list("").unwrap(), []);
        }
    }

    #[test]
    fn of_several_that_start_at_the_same_time_one_goes_on() {
        for _ in 0..20 {
            let store = Store::memory();
            let start = std::sync::Barrier::new(4);
            let leases: Vec<_> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..4)
                    .map(|_| {
                        scope.spawn(|| {
                            start.wait();
                            take(&store, LockKind::Exclusive, false)
                        })
                    })
                    .collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert_eq!(leases.iter().filter(|lease| lease.is_ok()).count(), 1, "{leases:?}");
        }
    }

    #[test]
    fn who_is_taken_over_is_told() {
        let store = Store::memory();
        let late = take(&store, LockKind::Shared, false).unwrap();
        late.confirm().unwrap();
        let key = store.list(".work").unwrap().remove(0).0;
        store.delete(&key).unwrap();
        assert!(matches!(late.confirm(), Err(Error::TakenOver { .. })));
        assert!(late.is_lost());
        drop(late);
        assert_eq!(store.list("").unwrap(), []);
    }

    #[test]
    fn a_lease_ends_with_the_work_that_it_is_for() {
        let store = Store::memory();
        store.put("plan", "one: a").unwrap();
        let lease = take(&store, LockKind::Shared, false).unwrap();
        lease.set_witness("plan".to_owned(), "one".into());
        lease.confirm().unwrap();
        for another in ["two: a", "o"] {
            let lease = take(&store, LockKind::Shared, false).unwrap();
            lease.set_witness("plan".to_owned(), "one".into());
            store.put("plan", another).unwrap();
            assert!(matches!(lease.confirm(), Err(Error::TakenOver { .. })), "{another}");
        }
        store.delete("plan").unwrap();
        assert!(matches!(lease.confirm(), Err(Error::TakenOver { .. })));
    }
}
