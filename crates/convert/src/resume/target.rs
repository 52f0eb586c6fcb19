//! Taking the output's place: what may be there, what may be removed, and what can be resumed.

use bytes::Bytes;
use fairzarr_ome_tiff::Fileset;
use fairzarr_store::{Lease, LockKind, Replacement, Store};
use serde::Serialize;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::commit;
use crate::error::Error;
use crate::labels::Inputs;
use crate::options::{Existing, Options};
use crate::plan::Plan;
use crate::resume::{journal, lease, replace};
use crate::source::{SeenFiles, Status, check_labels, check_planned};
use fairzarr_ome_zarr::keys::{self, WORKSPACE};
use fairzarr_ome_zarr::{Occupant, Ownership};
use fairzarr_provenance::{Documents, Sidecar};

/// What was found at the output's place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Found {
    /// Nothing, or what was to be replaced: everything is still to be done.
    Nothing,
    /// The same conversion, interrupted.
    Unfinished,
    /// The same conversion, interrupted after the root metadata were written.
    Finished,
}

/// A place that is ours.
pub(crate) struct Target {
    pub(crate) found: Found,
    /// What is to be done, or was begun.
    pub(crate) plan: Plan,
    pub(crate) lease: Lease,
    /// The store that is written: the output's place, or the one beside it that will replace what is there.
    pub(crate) store: Store,
    /// The places of a replacement, where there may be one.
    pub(crate) places: Option<Replacement>,
}

/// Makes the place ready for `plan`, as the options say.
pub(crate) fn begin(source: &Fileset, plan: Plan, place: &Store, options: &Options) -> Result<Target, Error> {
    let (working, places) = replace::working(place)?;
    let take = |store: &Store| lease::take(store, LockKind::Exclusive, options.take_over);
    let mut lease = None;
    let mut store = place.clone();
    match options.existing {
        Existing::Resume => {
            if working.exists(&keys::plan())? {
                let lease = take(&working)?;
                // It may have been finished while nobody was looking.
                if let Some(earlier) = working.get(&keys::plan())? {
                    watch(&lease, &earlier);
                    let earlier = read_plan(&earlier)?;
                    return resume((source, options), earlier, &plan, working, places, lease);
                }
            }
            if commit::is_complete(&plan, place)? {
                // All that an interruption can have left by then is an empty workspace.
                place.delete_prefix(WORKSPACE)?;
                return Err(Error::Complete(place.location().to_string()));
            }
            if is_occupied(place)? {
                let place = place.location();
                return Err(Error::Resume(format!("there is no interrupted conversion at {place}")));
            }
        }
        Existing::Overwrite => (store, lease) = replaceable(source, place, places.as_ref(), options)?,
        Existing::Refuse => {}
    }
    if is_occupied(&store)? {
        return Err(Error::Exists(store.location().to_string()));
    }
    let lease = match lease {
        Some(lease) => lease,
        None => take(&store)?,
    };
    let plan = Plan { seen: Some(SeenFiles::new(source)), ..plan };
    let text = serde_json::to_vec(&Stored { conversion: conversion(), plan: &plan })
        .map_err(|error| Error::Bug(format!("the plan cannot be written: {error}")))?;
    watch(&lease, &text);
    // Of several that start here at the same time, one goes on.
    if is_occupied(&store)? || !store.put_unseen(&keys::plan(), text)? {
        return Err(Error::Exists(store.location().to_string()));
    }
    Ok(Target { found: Found::Nothing, plan, lease, store, places })
}

/// Makes room for a store that replaces what is there. Gives where it is to be written: beside a store that is whole, else at
/// the place itself.
fn replaceable(
    source: &Fileset,
    place: &Store,
    places: Option<&Replacement>,
    options: &Options,
) -> Result<(Store, Option<Lease>), Error> {
    let take = |store: &Store| lease::take(store, LockKind::Exclusive, options.take_over);
    if is_occupied(place)?
        && let Some(file) = place.local_path().and_then(|root| member_below(options.inputs(source), root))
    {
        return Err(replace::not_removed(place, &format!("the source {file} lies in it")));
    }
    if place.exists(&keys::plan())? && replace::has_root(place)? {
        let _lease = take(place)?;
        replace::settle(place, places)?;
    }
    let found = Ownership::of(place)?;
    match (found.occupant, places) {
        (Occupant::Nothing, None) => Ok((place.clone(), None)),
        (Occupant::Other, _) => {
            Err(replace::not_removed(place, "it is neither a Zarr nor an unfinished conversion"))
        }
        (Occupant::Whole, None) if !options.in_place => {
            Err(Error::NotExchanged(place.location().to_string()))
        }
        (Occupant::Whole, Some(places)) if !options.in_place => {
            replace::refuse_foreign(place, &found)?;
            // Nobody may be writing to what is to be replaced.
            drop(take(place)?);
            let lease = take(places.beside())?;
            replace::clear(places)?;
            Ok((places.beside().clone(), Some(lease)))
        }
        (occupant, _) => {
            if let Some(places) = places {
                replace::clear(places)?;
            }
            let lease = take(place)?;
            replace::refuse_foreign(place, &found)?;
            if occupant != Occupant::Nothing && !replace::is_empty(place)? {
                replace::remove(place, &found)?;
            }
            Ok((place.clone(), Some(lease)))
        }
    }
}

/// Takes part in the split conversion whose plan [`begin`] left in the store, alone or with others.
pub(crate) fn join(
    source: &Fileset,
    place: &Store,
    options: &Options,
    kind: LockKind,
) -> Result<Target, Error> {
    let (store, places) = replace::working(place)?;
    stored(&store, place)?;
    let lease = lease::take(&store, kind, options.take_over)?;
    // It may have been replaced in the meantime.
    let text = stored(&store, place)?;
    watch(&lease, &text);
    let plan = read_plan(&text)?;
    // Other shares may be at work, so that nothing can be begun again here. That content and time of modification are as
    // they were has to suffice.
    check_planned(source, &plan.files, plan.seen.as_ref())?;
    check_labels(&options.labels, &plan)?;
    let found = if commit::is_complete(&plan, &store)? { Found::Finished } else { Found::Unfinished };
    Ok(Target { found, plan, lease, store, places })
}

/// The plan that [`begin`] left in the store, for the shares of a split conversion.
pub(crate) fn stored_plan(place: &Store) -> Result<Plan, Error> {
    let (store, _) = replace::working(place)?;
    read_plan(&stored(&store, place)?)
}

fn stored(store: &Store, place: &Store) -> Result<Bytes, Error> {
    store.get(&keys::plan())?.ok_or_else(|| Error::NoPlan(place.location().to_string()))
}

/// A plan as it is stored: two conversions by the same plan are two.
#[derive(Serialize)]
struct Stored<'a> {
    /// Comes first, so that a look at the first bytes tells whether it is still the same conversion.
    conversion: String,
    #[serde(flatten)]
    plan: &'a Plan,
}

/// A name that no other conversion has.
fn conversion() -> String {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let chance = RandomState::new().hash_one((time, std::process::id()));
    format!("{chance:016x}{:016x}", time.as_nanos() as u64)
}

/// The lease is for the conversion whose stored plan this is.
fn watch(lease: &Lease, text: &[u8]) {
    let start = Bytes::copy_from_slice(&text[..text.len().min(IDENTITY)]);
    lease.set_witness(keys::plan(), start);
}

/// The first bytes of a stored plan: an object's first name, and 32 digits.
const IDENTITY: usize = r#"{"conversion":"""#.len() + 32;

/// Leaves the documents beside the image with the plan, for whoever commits it.
pub(crate) fn keep_documents(store: &Store, options: &Options) -> Result<(), Error> {
    for (n, sidecar) in options.sidecars.iter().enumerate() {
        store.put(&document_key(n), sidecar.bytes().to_vec())?;
    }
    Ok(())
}

/// `options` with the documents that the plan was made with; those given now, if any, have to be the same.
pub(crate) fn with_documents(plan: &Plan, store: &Store, options: &Options) -> Result<Options, Error> {
    let given = Documents::new(&options.sidecars, options.mapping.as_ref(), options.policy.as_ref());
    if given != Documents::default() && given != plan.documents {
        return Err(Error::Resume(
            "the plan was made with other documents or another policy; leave them out, and those of the plan are used"
                .into(),
        ));
    }
    let mut options = options.clone();
    options.mapping.clone_from(&plan.documents.mapping);
    options.policy.clone_from(&plan.documents.policy);
    options.sidecars.clear();
    for (n, (name, sha256)) in plan.documents.sidecars.iter().enumerate() {
        let bytes = store.get(&document_key(n))?.map(|bytes| bytes.to_vec()).unwrap_or_default();
        if fairzarr_ome_zarr::sha256(&bytes) != *sha256 {
            return Err(Error::Incomplete(format!(
                "{name}, which the plan was made with, is not with it any more; make the plan again"
            )));
        }
        options.sidecars.push(Sidecar::parse(name.as_str(), bytes, options.mapping.as_ref())?);
    }
    Ok(options)
}

fn document_key(n: usize) -> String {
    format!("{WORKSPACE}/sidecars/{n}")
}

/// Goes on with the earlier plan. It says in which pieces things are done, whatever memory this process was given.
fn resume(
    (source, options): (&Fileset, &Options),
    earlier: Plan,
    plan: &Plan,
    store: Store,
    places: Option<Replacement>,
    lease: Lease,
) -> Result<Target, Error> {
    let place = store.location().clone();
    let was = |difference: &str| {
        Error::Resume(format!("the conversion that was interrupted at {place} had {difference}"))
    };
    let differences = earlier.settings.differences(&plan.settings);
    if !differences.is_empty() {
        let earlier = Box::new(earlier.settings);
        return Err(Error::Settings { place: place.to_string(), earlier, differences });
    }
    let status = check_planned(source, &earlier.files, earlier.seen.as_ref())?;
    check_labels(&options.labels, &earlier)?;
    if earlier.documents != plan.documents {
        return Err(was("other documents or another policy"));
    }
    let found = if commit::is_complete(&earlier, &store)? { Found::Finished } else { Found::Unfinished };
    if found == Found::Unfinished && status == Status::Touched {
        // What was done may be of another content, so that it is done again.
        journal::remove(&store)?;
    }
    Ok(Target { found, plan: earlier, lease, store, places })
}

fn read_plan(text: &[u8]) -> Result<Plan, Error> {
    let plan: Plan = serde_json::from_slice(text)
        .map_err(|error| Error::Resume(format!("the plan in the store cannot be read: {error}")))?;
    if plan.fairzarr != env!("CARGO_PKG_VERSION") {
        return Err(Error::Resume(format!(
            "the plan in the store was made by version {}, this is {}",
            plan.fairzarr,
            env!("CARGO_PKG_VERSION")
        )));
    }
    Ok(plan)
}

/// Whether anything is there. An empty workspace is what a process leaves that was killed while it wrote the plan.
fn is_occupied(store: &Store) -> Result<bool, Error> {
    Ok(!replace::is_empty(store)?)
}

/// The first file of the source that lies below `root`.
fn member_below<'a>(inputs: Inputs<'a>, root: &Path) -> Option<&'a str> {
    let root = root.canonicalize().ok()?;
    let below = |path: &str| Path::new(path).canonicalize().is_ok_and(|path| path.starts_with(&root));
    inputs.files().map(|file| file.path.as_str()).find(|path| below(path))
}
