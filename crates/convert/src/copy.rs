//! A store copied to another place, object by object, so that the copy looks complete only when it is.
//!
//! Chunks go first, then the metadata of arrays and groups, the root's last and only if nobody else has written it
//! meanwhile. There is no journal: what a copy needs to go on after an interruption, the listings of both stores tell.

mod budget;
mod pack;
mod transfer;

use fairzarr_store::Store;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::Error;
use crate::journal::WORKSPACE;
use crate::locks::{lock, unlocked};
use crate::options::Progress;
use budget::Budget;
pub use pack::pack;
use transfer::{WHOLE, is_same, read};

/// How much of a copy is looked at after it was written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum CopyCheck {
    /// Nothing but the stores' own word.
    None,
    /// The size of every object.
    Size,
    /// Every byte, read back from the copy.
    #[default]
    Full,
}

/// Choices for [`copy`].
#[derive(Clone, Debug)]
pub struct CopyOptions {
    /// What is proved of each object.
    pub check: CopyCheck,
    /// Goes on with an interrupted copy: objects that are there and pass the check are kept.
    pub resume: bool,
    /// Objects under way at the same time.
    pub jobs: usize,
    /// Bytes of objects that are held at the same time. Objects of more than 32 MiB are never held whole; what one of
    /// them needs, some 64 MiB, is taken even if this is less.
    pub memory: u64,
    /// Set to stop between objects.
    pub cancel: Arc<AtomicBool>,
}

impl Default for CopyOptions {
    fn default() -> Self {
        Self {
            check: CopyCheck::default(),
            resume: false,
            jobs: 16,
            memory: 256 << 20,
            cancel: Arc::default(),
        }
    }
}

/// What a copy did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct CopyReport {
    /// Objects of the store.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects that were there already.
    pub kept: u64,
}

/// Copies all objects of one store to another.
///
/// # Errors
/// [`Error::Original`] when the store to copy cannot be read, is unfinished, or changes meanwhile; [`Error::Exists`]
/// when something is at the other place and `resume` is not asked for; [`Error::Resume`] when something else is there;
/// [`Error::Differs`] when an object reads back other than it was written. Whatever the error, the copy then has no
/// root metadata unless it had them before.
pub fn copy(
    from: &Store,
    to: &Store,
    options: &CopyOptions,
    progress: &Progress,
) -> Result<CopyReport, Error> {
    let objects = from.list("").map_err(Error::Original)?;
    let order = Order::new(from, &objects)?;
    let there: BTreeMap<String, u64> = to.list("")?.into_iter().collect();
    if !options.resume && !there.is_empty() {
        return Err(Error::Exists(to.location().to_string()));
    }
    if let Some(foreign) = there.keys().find(|key| !order.holds(key)) {
        return Err(Error::Resume(format!(
            "{} is no part of {}; it holds no {foreign}",
            to.location(),
            from.location()
        )));
    }
    if options.resume {
        to.remove_leftovers()?;
    }
    let bytes = objects.iter().map(|(_, size)| size).sum();
    progress.total.store(bytes, Ordering::Relaxed);
    let budget = Budget::new(options.memory);
    let job = Job { from, to, there, options, progress, budget, kept: AtomicU64::new(0) };
    job.all(&order.chunks)?;
    job.all(&order.metadata)?;
    // Everything else must have arrived before the copy looks complete.
    to.sync()?;
    for object in &order.root {
        job.one(object)?;
    }
    job.last(order.last)?;
    to.sync()?;
    Ok(CopyReport { objects: objects.len() as u64, bytes, kept: job.kept.into_inner() })
}

type Object = (String, u64);

/// What goes when.
struct Order<'a> {
    chunks: Vec<&'a Object>,
    metadata: Vec<&'a Object>,
    /// Of the root, but the last.
    root: Vec<&'a Object>,
    /// The document that makes the store one.
    last: &'a Object,
}

impl<'a> Order<'a> {
    fn new(from: &Store, objects: &'a [Object]) -> Result<Self, Error> {
        let unfit = |reason: &str| Error::Unfit { place: from.location().to_string(), reason: reason.into() };
        if objects.iter().any(|(key, _)| key.starts_with(&format!("{WORKSPACE}/"))) {
            return Err(unfit("it is an unfinished conversion; finish it with --resume"));
        }
        let find = |name: &&str| objects.iter().find(|(key, _)| key == *name);
        let last = ROOT.iter().find_map(find).ok_or_else(|| unfit("there is no Zarr at its root"))?;
        let (metadata, chunks): (Vec<_>, Vec<_>) = objects
            .iter()
            .filter(|object| *object != last)
            .partition(|(key, _)| ROOT.contains(&key.rsplit('/').next().unwrap_or(key)));
        let (root, metadata) = metadata.into_iter().partition(|(key, _)| !key.contains('/'));
        Ok(Self { chunks, metadata, root, last })
    }

    fn holds(&self, key: &str) -> bool {
        // All lists keep the order of the listing, which is sorted.
        let lists = [&self.chunks, &self.metadata, &self.root];
        self.last.0 == key
            || lists.iter().any(|list| list.binary_search_by(|(other, _)| other.as_str().cmp(key)).is_ok())
    }
}

struct Job<'a> {
    from: &'a Store,
    to: &'a Store,
    /// What was at the other place before.
    there: BTreeMap<String, u64>,
    options: &'a CopyOptions,
    progress: &'a Progress,
    budget: Budget,
    kept: AtomicU64,
}

impl Job<'_> {
    /// Copies objects in any order, several at a time.
    fn all(&self, objects: &[&Object]) -> Result<(), Error> {
        side_by_side(self.options.jobs, objects, |object| self.one(object))
    }

    fn one(&self, object: &Object) -> Result<(), Error> {
        stop_if_asked(self.options)?;
        let (key, size) = object;
        let _memory = self.budget.take(transfer::memory(*size));
        let there = self.there.get(key) == Some(size);
        if there && self.is_as_wanted(object)? {
            self.keep(*size);
            return Ok(());
        }
        if *size > WHOLE {
            transfer::stream(self.from, self.to, object, || stop_if_asked(self.options))?;
            self.wrote(*size);
            return self.prove(object);
        }
        let bytes = read(self.from, object)?;
        self.to.put(key, bytes.clone())?;
        self.wrote(*size);
        match self.options.check {
            // What was read is still here: no need to read it again.
            CopyCheck::Full if is_same(self.to, key, &bytes)? => Ok(()),
            CopyCheck::Full => Err(self.differs(key)),
            CopyCheck::None | CopyCheck::Size => self.prove(object),
        }
    }

    /// The root's last document, which only one writer can create.
    fn last(&self, object: &Object) -> Result<(), Error> {
        stop_if_asked(self.options)?;
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
            CopyCheck::None => true,
            CopyCheck::Size => self.to.size(key)? == Some(*size),
            CopyCheck::Full => transfer::are_same(self.from, self.to, object)?,
        };
        if same { Ok(()) } else { Err(self.differs(key)) }
    }

    /// Whether an object that is there, and of the right size, passes the check.
    fn is_as_wanted(&self, object: &Object) -> Result<bool, Error> {
        match self.options.check {
            CopyCheck::None | CopyCheck::Size => Ok(true),
            CopyCheck::Full => transfer::are_same(self.from, self.to, object),
        }
    }

    fn differs(&self, key: &str) -> Error {
        Error::Differs { key: key.into(), place: self.to.location().to_string() }
    }

    fn keep(&self, size: u64) {
        self.kept.fetch_add(1, Ordering::Relaxed);
        self.progress.done.fetch_add(size, Ordering::Relaxed);
    }

    fn wrote(&self, size: u64) {
        self.progress.objects.fetch_add(1, Ordering::Relaxed);
        self.progress.written.fetch_add(size, Ordering::Relaxed);
        self.progress.done.fetch_add(size, Ordering::Relaxed);
    }
}

fn stop_if_asked(options: &CopyOptions) -> Result<(), Error> {
    if options.cancel.load(Ordering::Relaxed) { Err(Error::Interrupted) } else { Ok(()) }
}

/// Does something to every object, in any order, by `jobs` threads. The first error ends it.
fn side_by_side(
    jobs: usize,
    objects: &[&Object],
    each: impl Fn(&Object) -> Result<(), Error> + Sync,
) -> Result<(), Error> {
    let next = AtomicUsize::new(0);
    let failure = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(objects.len()).max(1) {
            scope.spawn(|| {
                while let Some(object) = objects.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(error) = each(object) {
                        next.store(objects.len(), Ordering::Relaxed);
                        lock(&failure).get_or_insert(error);
                    }
                }
            });
        }
    });
    unlocked(failure).map_or(Ok(()), Err)
}

/// Metadata documents. The first of these that the root has is written last.
const ROOT: [&str; 5] = ["zarr.json", ".zattrs", ".zarray", ".zgroup", ".zmetadata"];

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

    fn run(from: &Store, to: &Store, options: &CopyOptions) -> Result<CopyReport, Error> {
        copy(from, to, options, &Progress::default())
    }

    fn resume() -> CopyOptions {
        CopyOptions { resume: true, ..CopyOptions::default() }
    }

    #[test]
    fn everything_arrives() {
        for check in [CopyCheck::None, CopyCheck::Size, CopyCheck::Full] {
            let (from, to) = (original(), Store::memory());
            let report = run(&from, &to, &CopyOptions { check, ..CopyOptions::default() }).unwrap();
            assert_eq!(report, CopyReport { objects: 4, bytes: 18, kept: 0 });
            assert_eq!(from.list("").unwrap(), to.list("").unwrap());
            assert_eq!(to.get("0/c/0").unwrap().unwrap(), "chunk");
        }
    }

    #[test]
    fn what_is_there_is_kept_and_what_is_wrong_there_is_replaced() {
        let (from, to) = (original(), Store::memory());
        to.put("0/c/0", "chunk").unwrap();
        to.put("0/zarr.json", "arraY").unwrap();
        assert!(matches!(run(&from, &to, &CopyOptions::default()), Err(Error::Exists(_))));
        assert_eq!(run(&from, &to, &resume()).unwrap().kept, 1);
        assert_eq!(to.get("0/zarr.json").unwrap().unwrap(), "array");
        // Once more, there is nothing to do.
        assert_eq!(run(&from, &to, &resume()).unwrap().kept, 4);
    }

    #[test]
    fn somebody_elses_store_is_not_touched() {
        let (from, to) = (original(), Store::memory());
        to.put("5/c/0", "mine").unwrap();
        assert!(matches!(run(&from, &to, &resume()), Err(Error::Resume(_))));
        to.delete("5/c/0").unwrap();
        to.put("zarr.json", "mine").unwrap();
        assert!(matches!(run(&from, &to, &resume()), Err(Error::Exists(_))));
        assert_eq!(to.get("zarr.json").unwrap().unwrap(), "mine");
    }

    #[test]
    fn unfinished_conversions_and_other_things_are_no_originals() {
        let (from, to) = (original(), Store::memory());
        from.put(".fairzarr/plan.json", "{}").unwrap();
        assert!(matches!(run(&from, &to, &CopyOptions::default()), Err(Error::Unfit { .. })));
        from.delete_prefix(".fairzarr").unwrap();
        from.delete("zarr.json").unwrap();
        assert!(matches!(run(&from, &to, &CopyOptions::default()), Err(Error::Unfit { .. })));
        assert!(to.list("").unwrap().is_empty());
    }

    #[test]
    fn an_interrupted_copy_does_not_look_complete() {
        let (from, to) = (original(), Store::memory());
        let options = CopyOptions::default();
        options.cancel.store(true, Ordering::Relaxed);
        assert!(matches!(run(&from, &to, &options), Err(Error::Interrupted)));
        assert!(!to.exists("zarr.json").unwrap());
    }
}
