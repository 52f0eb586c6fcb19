//! A store copied to another place, object by object.
//!
//! Chunks go first, then the metadata of arrays and groups, the root's last and only if nobody else has written it
//! meanwhile. There is no journal: what a copy needs to go on after an interruption, the listings of both stores tell.

use fairzarr_ome_zarr::keys::WORKSPACE;
use fairzarr_store::{Lease, LockKind, Store};
use fairzarr_task::{Budget, Job};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::order::Order;
use crate::transfer::{self, WHOLE, is_same, read};
use crate::{Check, Error, Object, Options, Report, objects_of, side_by_side};

/// Copies all objects of one store to another.
///
/// # Errors
/// [`Error::Original`] when the store to copy cannot be read, is unfinished, or changes meanwhile; [`Error::Exists`]
/// when something is at the other place and `resume` is not asked for; [`Error::Running`] when another process writes
/// there; [`Error::Foreign`] when something else is there;
/// [`Error::Differs`] when an object reads back other than it was written. Whatever the error, the copy then has no
/// root metadata unless it had them before.
pub fn copy(from: &Store, to: &Store, options: &Options, job: &Job) -> Result<Report, Error> {
    let objects = objects_of(from)?;
    let order = Order::new(from, &objects)?;
    // A place that is refused anyway is left as it is.
    if !options.resume && !objects_at(to)?.is_empty() {
        return Err(Error::Exists(to.location().to_string()));
    }
    let lease = Lease::take(to, WORKSPACE, LockKind::Exclusive, options.take_over)?;
    let there = objects_at(to)?;
    if !options.resume && !there.is_empty() {
        return Err(Error::Exists(to.location().to_string()));
    }
    if let Some(foreign) = there.keys().find(|key| !order.holds(key)) {
        return Err(Error::Foreign(format!(
            "{} is no part of {}; it holds no {foreign}",
            to.location(),
            from.location()
        )));
    }
    if options.resume {
        to.remove_leftovers()?;
    }
    let bytes = objects.iter().map(|(_, size)| size).sum();
    job.progress.expect(bytes);
    let budget = Budget::new(job.memory);
    let copy = Copy { from, to, there, options, job, budget, kept: AtomicU64::new(0) };
    match copy.in_order(&order, &lease) {
        Err(_) if lease.is_lost() => Err(Error::TakenOver(to.location().to_string())),
        Err(error) => Err(error),
        Ok(()) => Ok(Report { objects: objects.len() as u64, bytes, kept: copy.kept.into_inner() }),
    }
}

/// Copies one object of a store, of a size that was listed, to a key of another, and reads it back; what it takes of `memory` is
/// held meanwhile.
///
/// # Errors
/// As [`copy`].
pub fn object(
    (from, key, size): (&Store, &str, u64),
    (to, target): (&Store, &str),
    memory: &Budget,
    job: &Job,
) -> Result<(), Error> {
    job.cancel.check()?;
    let object = (key.to_owned(), size);
    let _memory = memory.take(transfer::memory(size));
    let same = if size > WHOLE {
        transfer::stream(from, (to, target), &object, || Ok(job.cancel.check()?))?;
        to.size(target)? == Some(size)
    } else {
        let bytes = read(from, &object)?;
        to.put(target, bytes.clone())?;
        is_same(to, target, &bytes)?
    };
    job.progress.wrote(size);
    job.progress.advance(size);
    if same { Ok(()) } else { Err(Error::Differs { key: target.into(), place: to.location().to_string() }) }
}

/// What is at a place, but for the traces of those who write there.
fn objects_at(place: &Store) -> Result<BTreeMap<String, u64>, Error> {
    let objects = place.list("")?.into_iter();
    Ok(objects.filter(|(key, _)| !Lease::is_key(WORKSPACE, key)).collect())
}

struct Copy<'a> {
    from: &'a Store,
    to: &'a Store,
    /// What was at the other place before.
    there: BTreeMap<String, u64>,
    options: &'a Options,
    job: &'a Job,
    budget: Budget,
    kept: AtomicU64,
}

impl Copy<'_> {
    fn in_order(&self, order: &Order<'_>, lease: &Lease) -> Result<(), Error> {
        self.all(&order.chunks)?;
        self.all(&order.metadata)?;
        // Everything else must have arrived before the copy looks complete.
        self.to.sync()?;
        for object in &order.root {
            self.one(object)?;
        }
        lease.confirm()?;
        self.last(order.last)?;
        Ok(self.to.sync()?)
    }

    /// Copies objects in any order, several at a time.
    fn all(&self, objects: &[&Object]) -> Result<(), Error> {
        side_by_side(self.job, objects, |object| self.one(object))
    }

    fn one(&self, object: &Object) -> Result<(), Error> {
        self.job.cancel.check()?;
        let (key, size) = object;
        let _memory = self.budget.take(transfer::memory(*size));
        let there = self.there.get(key) == Some(size);
        if there && self.is_as_wanted(object)? {
            self.keep(*size);
            return Ok(());
        }
        if *size > WHOLE {
            transfer::stream(self.from, (self.to, key), object, || Ok(self.job.cancel.check()?))?;
            self.wrote(*size);
            return self.prove(object);
        }
        let bytes = read(self.from, object)?;
        self.to.put(key, bytes.clone())?;
        self.wrote(*size);
        match self.options.check {
            // What was read is still here: no need to read it again.
            Check::Full if is_same(self.to, key, &bytes)? => Ok(()),
            Check::Full => Err(self.differs(key)),
            Check::None | Check::Size => self.prove(object),
        }
    }

    /// The root's last document, which only one writer can create.
    fn last(&self, object: &Object) -> Result<(), Error> {
        self.job.cancel.check()?;
        let (key, size) = object;
        let bytes = read(self.from, object)?;
        if self.to.put_new(key, bytes.clone())? {
            self.wrote(*size);
            return self.prove(object);
        }
        if !is_same(self.to, key, &bytes)? {
            return Err(Error::Exists(self.to.location().to_string()));
        }
        self.keep(*size);
        Ok(())
    }

    /// Looks at what was written, as far as was asked.
    fn prove(&self, object: &Object) -> Result<(), Error> {
        let (key, size) = object;
        let same = match self.options.check {
            Check::None => true,
            Check::Size => self.to.size(key)? == Some(*size),
            Check::Full => transfer::are_same(self.from, self.to, object)?,
        };
        if same { Ok(()) } else { Err(self.differs(key)) }
    }

    /// Whether an object that is there, and of the right size, passes the check.
    fn is_as_wanted(&self, object: &Object) -> Result<bool, Error> {
        match self.options.check {
            Check::None | Check::Size => Ok(true),
            Check::Full => transfer::are_same(self.from, self.to, object),
        }
    }

    fn differs(&self, key: &str) -> Error {
        Error::Differs { key: key.into(), place: self.to.location().to_string() }
    }

    fn keep(&self, size: u64) {
        self.kept.fetch_add(1, Ordering::Relaxed);
        self.job.progress.advance(size);
    }

    fn wrote(&self, size: u64) {
        self.job.progress.wrote(size);
        self.job.progress.advance(size);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn original() -> Store {
        let store = Store::memory();
        for (key, bytes) in [
            ("zarr.json", "root"),
            ("0/zarr.json", "array"),
            ("0/c/0", "chunk"),
            ("OME/sources/a.xml", "<a/>"),
        ] {
            store.put(key, bytes).unwrap();
        }
        store
    }

    fn run(from: &Store, to: &Store, options: Options) -> Result<Report, Error> {
        copy(from, to, &options, &Job::new())
    }

    fn resume() -> Options {
        Options { resume: true, ..Options::default() }
    }

    #[test]
    fn everything_arrives() {
        for check in [Check::None, Check::Size, Check::Full] {
            let (from, to) = (original(), Store::memory());
            let report = run(&from, &to, Options { check, ..Options::default() }).unwrap();
            assert_eq!(report, Report { objects: 4, bytes: 18, kept: 0 });
            assert_eq!(from.list("").unwrap(), to.list("").unwrap());
            assert_eq!(to.get("0/c/0").unwrap().unwrap(), "chunk");
        }
    }

    #[test]
    fn what_is_there_is_kept_and_what_is_wrong_there_is_replaced() {
        let (from, to) = (original(), Store::memory());
        to.put("0/c/0", "chunk").unwrap();
        to.put("0/zarr.json", "arraY").unwrap();
        assert!(matches!(run(&from, &to, Options::default()), Err(Error::Exists(_))));
        assert_eq!(run(&from, &to, resume()).unwrap().kept, 1);
        assert_eq!(to.get("0/zarr.json").unwrap().unwrap(), "array");
        // Once more, there is nothing to do.
        assert_eq!(run(&from, &to, resume()).unwrap().kept, 4);
    }

    #[test]
    fn somebody_elses_store_is_not_touched() {
        let (from, to) = (original(), Store::memory());
        to.put("5/c/0", "mine").unwrap();
        assert!(matches!(run(&from, &to, resume()), Err(Error::Foreign(_))));
        to.delete("5/c/0").unwrap();
        to.put("zarr.json", "mine").unwrap();
        assert!(matches!(run(&from, &to, resume()), Err(Error::Exists(_))));
        assert_eq!(to.get("zarr.json").unwrap().unwrap(), "mine");
    }

    #[test]
    fn unfinished_conversions_and_other_things_are_no_originals() {
        let (from, to) = (original(), Store::memory());
        from.put(".fairzarr/plan.json", "{}").unwrap();
        assert!(matches!(run(&from, &to, Options::default()), Err(Error::Unfinished(_))));
        from.delete_prefix(".fairzarr").unwrap();
        from.delete("zarr.json").unwrap();
        assert!(matches!(run(&from, &to, Options::default()), Err(Error::Unfit { .. })));
        assert!(to.list("").unwrap().is_empty());
    }

    #[test]
    fn of_two_copies_at_once_one_is_refused() {
        let (from, to) = (original(), Store::memory());
        let other = Lease::take(&to, WORKSPACE, LockKind::Exclusive, false).unwrap();
        for options in [Options::default(), resume()] {
            assert!(matches!(run(&from, &to, options), Err(Error::Running { .. })));
        }
        drop(other);
        run(&from, &to, Options::default()).unwrap();
        assert_eq!(from.list("").unwrap(), to.list("").unwrap());
    }

    #[test]
    fn an_interrupted_copy_does_not_look_complete() {
        let (from, to) = (original(), Store::memory());
        let job = Job::new();
        job.cancel.cancel();
        assert!(matches!(copy(&from, &to, &Options::default(), &job), Err(Error::Interrupted)));
        assert!(!to.exists("zarr.json").unwrap());
    }
}
