//! One conversion at a time: a place that somebody is writing to is neither overwritten nor resumed.
//!
//! On a local file system `.fairzarr/lock` is locked by the operating system, which ends with the process. Where that is
//! impossible, as in object stores, each process leaves a mark, an object below `.fairzarr/running`, before it looks for
//! those of others, so that of two that start at the same time at least one sees the other. A process that is killed
//! leaves its mark behind; on the machine where it ran that is noticed, elsewhere a person has to say so.

use fairzarr_store::{Lock, LockKind, Locked, Store};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::Error;
use fairzarr_ome_zarr::keys::WORKSPACE;

/// The right to write, until this is dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    store: Store,
    /// Ends when it is dropped.
    _lock: Option<Lock>,
    mark: Option<String>,
}

/// Takes lease, alone or with others that share it. `take_over` removes the marks of others, who have ended.
pub(crate) fn take(store: &Store, kind: LockKind, take_over: bool) -> Result<Lease, Error> {
    let (lock, mark) = match store.lock(&lock_key(), kind)? {
        Locked::Held(lock) => (Some(lock), None),
        Locked::Taken => {
            return Err(running(
                store,
                "another process has locked .fairzarr/lock; wait until it has ended".into(),
                false,
            ));
        }
        Locked::Impossible => (None, Some(leave_mark_patiently(store, kind, take_over)?)),
    };
    Ok(Lease { store: store.clone(), _lock: lock, mark })
}

/// Whether a key is of this module.
pub(crate) fn is_ours(key: &str) -> bool {
    key == lock_key() || key.starts_with(&marks())
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Whatever goes wrong here, the next one to come finds out.
        if let Some(mark) = &self.mark {
            let _ = self.store.delete(mark);
            return;
        }
        let left = self.store.list(WORKSPACE).unwrap_or_default();
        if matches!(left.as_slice(), [(key, _)] if *key == lock_key()) {
            let _ = self.store.delete_prefix(WORKSPACE);
        }
    }
}

/// Of several that start at the same time and see each other all step back; so each tries again, not all at once.
fn leave_mark_patiently(store: &Store, kind: LockKind, take_over: bool) -> Result<String, Error> {
    let mut pause = Duration::from_millis(20 + u64::from(std::process::id() % 16) * 30);
    for _ in 1..ATTEMPTS {
        match leave_mark(store, kind, take_over) {
            Err(Error::Running { .. }) => std::thread::sleep(pause),
            other => return other,
        }
        pause *= 2;
    }
    leave_mark(store, kind, take_over)
}

/// Leaves a mark and looks for those of others.
fn leave_mark(store: &Store, kind: LockKind, take_over: bool) -> Result<String, Error> {
    let kind_name = match kind {
        LockKind::Exclusive => ALONE,
        LockKind::Shared => "shared",
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (machine, process) = (machine(), std::process::id());
    let own = format!("{}{kind_name}_{machine}_{process}_{}", marks(), now.as_nanos());
    store.put(&own, format!("process {process} since {} s after 1970 began\n", now.as_secs()))?;
    for (other, _) in store.list(&format!("{WORKSPACE}/running"))? {
        let shared = kind == LockKind::Shared && !other.starts_with(&format!("{}{ALONE}_", marks()));
        if other == own || shared {
            continue;
        }
        if take_over || has_ended(&other, &machine) {
            store.delete(&other)?;
            continue;
        }
        store.delete(&own)?;
        return Err(running(store, format!("{other} is of another process; wait until it has ended"), true));
    }
    Ok(own)
}

fn running(store: &Store, reason: String, unknown: bool) -> Error {
    Error::Running { place: store.location().to_string(), reason, unknown }
}

/// Whether the process that left a mark ran here and does so no more.
fn has_ended(mark: &str, machine: &str) -> bool {
    let mut parts = mark.rsplit('_').skip(1);
    let (process, there) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    !machine.is_empty()
        && machine == there
        && process
            .parse::<u32>()
            .is_ok_and(|process| !std::path::Path::new(&format!("/proc/{process}")).exists())
}

/// What tells this machine, since it was started, and this space of process numbers from others; empty where the
/// operating system does not say.
fn machine() -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let space = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let space: String = space.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
    if boot.is_empty() || space.is_empty() { String::new() } else { format!("{}-{space}", boot.trim()) }
}

fn lock_key() -> String {
    format!("{WORKSPACE}/lock")
}

fn marks() -> String {
    format!("{WORKSPACE}/running/")
}

/// How often a mark is left before others are believed to be at work.
const ATTEMPTS: u32 = 3;
/// Of a process that shares with nobody.
const ALONE: &str = "alone";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_alone_or_several_that_share() {
        let dir = tempfile::tempdir().unwrap();
        let location = dir.path().join("x.zarr").to_str().unwrap().parse().unwrap();
        let local = Store::open(&location, &fairzarr_store::StoreOptions::default()).unwrap();
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
    fn marks_of_the_dead_are_taken_over() {
        let store = Store::memory();
        let mark = |machine: &str, process: u32| format!("{}{ALONE}_{machine}_{process}_1", marks());
        // No process has this number.
        store.put(&mark(&machine(), u32::MAX), "").unwrap();
        let known = !machine().is_empty();
        assert_eq!(take(&store, LockKind::Exclusive, false).is_ok(), known);
        store.put(&mark("another", u32::MAX), "").unwrap();
        let refused = take(&store, LockKind::Exclusive, false).unwrap_err();
        assert!(matches!(refused, Error::Running { unknown: true, .. }), "{refused}");
        assert!(refused.to_string().contains("another"), "{refused}");
        drop(take(&store, LockKind::Exclusive, true).unwrap());
        assert_eq!(store.list("").unwrap(), []);
    }
}
