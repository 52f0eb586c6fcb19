//! A conversion into one file: a store beside it, which is then packed.
//!
//! Killed at any moment, the same command with `--resume` goes on, and leaves the same bytes and nothing else. Two objects beside
//! the archive tell how far it came: that an archive of this name is to be replaced, and that the store is finished and by which
//! conversion. The second is there from the end of the conversion until nothing else is left to be done.

use fairzarr_convert::{Error, Existing, Finished, Options, Report};
use fairzarr_ome_tiff::Fileset;
use fairzarr_ome_zarr::keys;
use fairzarr_store::Store;
use fairzarr_task::Job;

use super::convert::Stopped;
use super::existing;
use crate::args::Convert;
use crate::exit::{Code, Failure};
use crate::source;

/// Where a store lies until it is packed: beside the archive, so that an interrupted conversion can be resumed.
pub(super) fn unpacked(
    folder: &Store,
    name: &str,
    args: &Convert,
    made: &existing::Made<'_>,
) -> Result<Store, Failure> {
    let failed = |error| Failure::new(Code::Output, error);
    if folder.exists(name).map_err(failed)? {
        if args.overwrite {
            // So that an interrupted replacement can be resumed.
            leave(folder, &replaces(name), "").map_err(failed)?;
        } else if !(args.resume && is_begun(folder, name).map_err(failed)?) {
            return Err(made.refused(Error::Exists(args.target.clone()), &args.target, &args.store));
        }
    }
    source::store(&format!("{}.unpacked", args.target), &args.store, Code::Output)
}

/// Whether an archive of this name is being made, or replaced, or the process that did was interrupted.
pub(super) fn is_begun(folder: &Store, name: &str) -> Result<bool, fairzarr_store::Error> {
    Ok(folder.exists(&replaces(name))? || folder.exists(&packing(name))?)
}

/// Converts into the store, unless that is done already, packs it, and removes it.
pub(super) fn make(
    folder: &Store,
    name: &str,
    source: &Fileset,
    store: &Store,
    options: &Options,
    job: &Job,
) -> Result<Report, Stopped> {
    let failed = |error| Stopped::of(error_of_store(error));
    let mark = packing(name);
    let Finished { identity, report, .. } =
        fairzarr_convert::finished(source, options, job).map_err(Stopped::of)?;
    let is_resumed = options.existing == Existing::Resume;
    let marked = folder.get(&mark).map_err(failed)?;
    let is_whole = store.exists("zarr.json").map_err(failed)?;
    let is_finished = is_resumed
        && marked.is_some_and(|found| *found == *identity.as_bytes())
        && (is_whole || folder.exists(name).map_err(failed)?);
    if is_finished && !is_whole {
        // The archive got its name, and the store was being removed.
        clear(folder, name, store)?;
        return Ok(report);
    }
    let report = if is_finished {
        report
    } else {
        let mut options = options.clone();
        // Of what it is, nobody knows any more: it has neither a plan nor a mark. What others have put there stays.
        if is_resumed
            && !store.exists(&keys::plan()).map_err(failed)?
            && !store.list("").map_err(failed)?.is_empty()
        {
            options.existing = Existing::Overwrite;
        }
        folder.delete(&mark).map_err(failed)?;
        let report = fairzarr_convert::convert(source, store, &options, job).map_err(Stopped::of)?;
        leave(folder, &mark, &identity).map_err(failed)?;
        report
    };
    let replace =
        options.existing == Existing::Overwrite || folder.exists(&replaces(name)).map_err(failed)?;
    let packed = fairzarr_copy::Options::new().with_replace(replace).with_resume(is_finished);
    let step = job.next_step().with_threads(None);
    match fairzarr_copy::pack(store, folder, name, &packed, &step) {
        Ok(_) => {}
        Err(fairzarr_copy::Error::Interrupted) => return Err(Stopped::Interrupted),
        Err(error) => return Err(Stopped::Failed(error.into())),
    }
    clear(folder, name, store)?;
    Ok(report)
}

/// Removes what only an unfinished archive has beside it, the mark that tells of it last.
fn clear(folder: &Store, name: &str, store: &Store) -> Result<(), Stopped> {
    let failed = |error| Stopped::of(error_of_store(error));
    fairzarr_convert::discard(store).map_err(Stopped::of)?;
    // A removal that was interrupted at its end leaves directories, by which nothing is known as ours.
    store.remove_empty_directories().map_err(failed)?;
    folder.delete(&replaces(name)).map_err(failed)?;
    folder.delete(&packing(name)).map_err(failed)
}

/// Writes a mark, as a large object is written: what a kill leaves of that, the next writer takes over; what it leaves of a put would
/// stay in the user's folder.
fn leave(folder: &Store, mark: &str, content: &str) -> Result<(), fairzarr_store::Error> {
    let mut mark = folder.writer(mark, content.len() as u64)?;
    mark.append(content.as_bytes())?;
    mark.finish()
}

/// The failure of a place that is written to.
fn error_of_store(error: fairzarr_store::Error) -> Error {
    Error::Store(error)
}

/// The object that says that an archive of this name is to be replaced.
fn replaces(name: &str) -> String {
    format!(".{name}.fairzarr-replaces")
}

/// The object that says that the store of this archive is finished, and by which conversion.
fn packing(name: &str) -> String {
    format!(".{name}.fairzarr-packing")
}
