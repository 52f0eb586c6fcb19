//! A store copied to another place, object by object, so that the copy looks complete only when it is.
//!
//! ```no_run
//! use fairzarr_copy::{Options, copy};
//! use fairzarr_store::{Location, Store, StoreOptions};
//! use fairzarr_task::Job;
//!
//! let open = |place: &str| -> Result<Store, Box<dyn std::error::Error>> {
//!     Ok(Store::open(&place.parse::<Location>()?, &StoreOptions::default())?)
//! };
//! let report = copy(&open("a.ome.zarr")?, &open("b.ome.zarr")?, &Options::default(), &Job::new())?;
//! println!("{} objects", report.objects);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod copy;
mod error;
mod order;
mod pack;
mod transfer;

pub use copy::{copy, object};
pub use error::Error;
pub use pack::pack;

use fairzarr_ome_zarr::named_objects;
use fairzarr_store::Store;
use fairzarr_task::{Job, try_for_each};

/// How much of a copy is looked at after it was written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Check {
    /// Nothing but the stores' own word.
    None,
    /// The size of every object.
    Size,
    /// Every byte, read back from the copy.
    #[default]
    Full,
}

/// Choices for [`copy`] and [`pack`]. Of a job's threads, as many objects are under way at the same time, 32 unless it says
/// otherwise; its memory bounds the bytes of objects that are held. Objects of more than 32 MiB are never held whole; what
/// one of them needs, some 64 MiB, is taken even if the job's memory is less.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// What is proved of each object.
    pub check: Check,
    /// Goes on with an interrupted copy: objects that are there and pass the check are kept.
    pub resume: bool,
    /// Of [`pack`]: replaces an archive that is there, when the new one is whole and proved; in object stores, where nothing can
    /// be renamed, when it is whole.
    pub replace: bool,
    /// Does not wait until the marks of killed writers expire.
    pub take_over: bool,
}

impl Options {
    /// Every byte is read back; an interrupted copy is not resumed.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with another proof.
    #[must_use]
    pub fn with_check(self, check: Check) -> Self {
        Self { check, ..self }
    }

    /// The same, going on with an interrupted copy or not.
    #[must_use]
    pub fn with_resume(self, resume: bool) -> Self {
        Self { resume, ..self }
    }

    /// The same, replacing an archive that is there or not.
    #[must_use]
    pub fn with_replace(self, replace: bool) -> Self {
        Self { replace, ..self }
    }

    /// The same, taking over from other writers or not.
    #[must_use]
    pub fn with_take_over(self, take_over: bool) -> Self {
        Self { take_over, ..self }
    }
}

/// What a copy did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// Objects of the store.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects that were there already.
    pub kept: u64,
}

/// Key and size of an object.
type Object = (String, u64);

/// The objects of a store. Where a place cannot be listed, as a web server, they are those that the store's metadata name.
fn objects_of(from: &Store) -> Result<Vec<Object>, Error> {
    if let Some(objects) = from.list_if_allowed("").map_err(Error::Original)? {
        return Ok(objects);
    }
    named_objects(from).map_err(|error| match error {
        fairzarr_ome_zarr::Error::Store(error) => Error::Original(error),
        error => Error::Unfit { place: from.location().to_string(), reason: error.to_string() },
    })
}

/// Objects under way at the same time where nothing else is asked for: most of the time each waits for a store.
const AT_ONCE: usize = 32;

/// Does something to every object, in any order, several at a time. The first error ends it.
fn side_by_side(
    job: &Job,
    objects: &[&Object],
    each: impl Fn(&Object) -> Result<(), Error> + Sync,
) -> Result<(), Error> {
    let name = |object: &&Object| object.0.clone();
    try_for_each(objects, job.threads.unwrap_or(AT_ONCE), name, || (), |(), object| each(object))
}
