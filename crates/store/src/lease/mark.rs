//! Marks: the objects by which processes know of each other where there are no locks.
//!
//! The name of a mark says whether its process shares the place, when it began and which process it is; its content, when it
//! was last renewed. A mark is put before those of others are looked for, so that of two processes that start at the same time
//! at least one sees the other. Whoever sees one that began earlier steps back; whoever sees a later one waits for that to step
//! back, and, if it does not, has met one that holds the place: then it steps back itself.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use super::marks;
use super::process::Process;
use crate::guard::RENEW;
use crate::{Error, LockKind, Store};

/// The mark of this process.
#[derive(Debug)]
pub(super) struct Mark {
    pub(super) key: String,
}

impl Mark {
    /// Says that the process lives.
    pub(super) fn renew(&self, store: &Store) -> Result<(), Error> {
        store.put(&self.key, format!("renewed {} s after 1970 began\n", now().as_secs()))
    }
}

/// What the name of a mark says.
#[derive(Debug)]
struct Name<'a> {
    key: &'a str,
    process: Process,
    /// Nanoseconds after 1970 began.
    began: u128,
}

impl<'a> Name<'a> {
    /// `.../KIND/MACHINE_NUMBER_BEGAN_NANOSECONDS`.
    fn of(key: &'a str) -> Self {
        let mut parts = key.rsplit('/').next().unwrap_or_default().rsplit('_');
        let mut number = || parts.next().and_then(|part| part.parse::<u128>().ok()).unwrap_or_default();
        let (began, process_began, process) = (number(), number(), number());
        let machine = parts.next().unwrap_or_default().to_owned();
        let process = Process { machine, number: process as u32, began: process_began as u64 };
        Self { key, process, began }
    }

    fn is_before(&self, other: &Name<'_>) -> bool {
        (self.began, self.key) < (other.began, other.key)
    }
}

/// Leaves a mark, unless others are there that it does not go with.
pub(super) fn leave(store: &Store, directory: &str, kind: LockKind, take_over: bool) -> Result<Mark, Error> {
    let place = |kind: LockKind| match kind {
        LockKind::Exclusive => format!("{}alone", marks(directory)),
        LockKind::Shared => format!("{}shared", marks(directory)),
    };
    let Process { machine, number, began } = Process::this();
    let key = format!("{}/{machine}_{number}_{began}_{}", place(kind), now().as_nanos());
    let mark = Mark { key };
    mark.renew(store)?;
    let others = match kind {
        // Of those that share, there may be thousands.
        LockKind::Shared => place(LockKind::Exclusive),
        LockKind::Exclusive => marks(directory).trim_end_matches('/').to_owned(),
    };
    match make_way(store, &mark, &others, take_over) {
        Ok(()) => Ok(mark),
        Err(error) => {
            // What could not be removed expires.
            let _ = store.delete(&mark.key);
            Err(error)
        }
    }
}

/// Removes marks of processes that have ended, and waits for those that will step back.
fn make_way(store: &Store, own: &Mark, others: &str, take_over: bool) -> Result<(), Error> {
    let start = Instant::now();
    let this = Name::of(&own.key);
    loop {
        let (mut expired, mut pause, mut is_free) = (Vec::new(), Duration::ZERO, true);
        for (key, _) in store.list(others)? {
            if key == own.key {
                continue;
            }
            let other = Name::of(&key);
            if other.process.has_ended() {
                store.delete(&key)?;
                continue;
            }
            let Some(text) = store.get(&key)? else { continue };
            let age = age(&text);
            if take_over {
                store.delete(&key)?;
                // Its process may live: it notices within the time after which it looks.
                pause = pause.max(age.and_then(|age| RENEW.checked_sub(age)).unwrap_or_default());
            } else if age.is_some_and(|age| age >= EXPIRY) {
                expired.push((key, text));
            } else if other.is_before(&this) || start.elapsed() > STEP_BACK {
                return Err(running(store, &key, age));
            } else {
                is_free = false;
            }
        }
        std::thread::sleep(pause);
        remove_expired(store, expired)?;
        if is_free {
            return Ok(());
        }
        std::thread::sleep(STEP_BACK / 50);
    }
}

/// Removes marks that look as if nobody renewed them. Clocks of different machines differ; so they are watched for a while.
fn remove_expired(store: &Store, marks: Vec<(String, Bytes)>) -> Result<(), Error> {
    if marks.is_empty() {
        return Ok(());
    }
    std::thread::sleep(RENEW + RENEW / 2);
    for (key, before) in marks {
        match store.get(&key)? {
            Some(now) if now != before => return Err(running(store, &key, age(&now))),
            _ => store.delete(&key)?,
        }
    }
    Ok(())
}

/// How long ago a mark was renewed, by this machine's clock; none if it does not say, or says that it will be.
fn age(text: &[u8]) -> Option<Duration> {
    let renewed = std::str::from_utf8(text).ok()?.split(' ').nth(1)?.parse().ok()?;
    now().checked_sub(Duration::from_secs(renewed))
}

fn running(store: &Store, key: &str, age: Option<Duration>) -> Error {
    let renewed = age.map_or(String::new(), |age| format!(", renewed {} s ago", age.as_secs()));
    Error::Running {
        location: store.location().to_string(),
        reason: format!(
            "{key} is of another process{renewed}; wait until it has ended, or for {} s if it was killed",
            (EXPIRY + RENEW).as_secs()
        ),
        unknown: true,
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The age of a mark that nobody renews.
const EXPIRY: Duration = Duration::from_mins(2);
/// How long somebody may take who has seen that another began earlier.
const STEP_BACK: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_the_dead_are_removed_and_those_of_others_respected() {
        let store = Store::memory();
        let this = Process::this();
        let key = |machine: &str, number: u32| format!(".work/running/alone/{machine}_{number}_7_1");
        // No process has this number.
        store.put(&key(&this.machine, u32::MAX), "renewed 0 s").unwrap();
        if !this.machine.is_empty() {
            leave(&store, ".work", LockKind::Exclusive, false).unwrap();
        }
        store.delete_prefix(".work").unwrap();
        let elsewhere = key("another", 5);
        for renewed in [now().as_secs(), now().as_secs() + 1000] {
            store.put(&elsewhere, format!("renewed {renewed} s")).unwrap();
            let refused = leave(&store, ".work", LockKind::Shared, false).unwrap_err();
            assert!(matches!(refused, Error::Running { unknown: true, .. }), "{refused}");
            assert!(refused.to_string().contains("another"), "{refused}");
            assert_eq!(store.list("").unwrap().len(), 1);
        }
        // Nobody knows how old this one is; a person has said that it is over.
        store.put(&elsewhere, "").unwrap();
        leave(&store, ".work", LockKind::Exclusive, true).unwrap();
        assert_eq!(store.list("").unwrap().len(), 1);
    }
}
