//! Taking the output's place: what may be there, what may be removed, and what can be resumed.

use bytes::Bytes;
use fairzarr_ome_tiff::Fileset;
use fairzarr_store::{Lease, LockKind, Store};
use fairzarr_task::in_order;
use serde::Serialize;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::commit;
use crate::error::Error;
use crate::options::{Existing, Options};
use crate::plan::Plan;
use crate::resume::{journal, lease};
use crate::source::{SeenFiles, Status, check_planned};
use fairzarr_ome_zarr::keys::{self, WORKSPACE};
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
}

/// Makes the place ready for `plan`, as the options say.
pub(crate) fn begin(source: &Fileset, plan: Plan, store: &Store, options: &Options) -> Result<Target, Error> {
    let mut lease = None;
    let take = || lease::take(store, LockKind::Exclusive, options.take_over);
    match options.existing {
        Existing::Resume => {
            if store.exists(&keys::plan())? {
                let lease = take()?;
                // It may have been finished while nobody was looking.
                if let Some(earlier) = store.get(&keys::plan())? {
                    watch(&lease, &earlier);
                    return resume(source, read_plan(&earlier)?, &plan, store, lease);
                }
            }
            if commit::is_complete(&plan, store)? {
                // All that an interruption can have left by then is an empty workspace.
                store.delete_prefix(WORKSPACE)?;
                return Err(Error::Resume(format!("{} is complete", store.location())));
            }
            if is_occupied(store)? {
                let place = store.location();
                return Err(Error::Resume(format!("there is no interrupted conversion at {place}")));
            }
        }
        Existing::Overwrite if may_be_removed(source, store)? => {
            lease = Some(take()?);
            remove(store)?;
        }
        Existing::Overwrite | Existing::Refuse => {}
    }
    if is_occupied(store)? {
        return Err(Error::Exists(store.location().to_string()));
    }
    let lease = match lease {
        Some(lease) => lease,
        None => take()?,
    };
    let plan = Plan { seen: Some(SeenFiles::new(source)), ..plan };
    let text = serde_json::to_vec(&Stored { conversion: conversion(), plan: &plan })
        .map_err(|error| Error::Bug(format!("the plan cannot be written: {error}")))?;
    watch(&lease, &text);
    // Of several that start here at the same time, one goes on.
    if is_occupied(store)? || !store.put_unseen(&keys::plan(), text)? {
        return Err(Error::Exists(store.location().to_string()));
    }
    Ok(Target { found: Found::Nothing, plan, lease })
}

/// Takes part in the split conversion whose plan [`begin`] left in the store, alone or with others.
pub(crate) fn join(
    source: &Fileset,
    store: &Store,
    options: &Options,
    kind: LockKind,
) -> Result<(Plan, Lease), Error> {
    stored_plan(store)?;
    let lease = lease::take(store, kind, options.take_over)?;
    // It may have been replaced in the meantime.
    let text = stored(store)?;
    watch(&lease, &text);
    let plan = read_plan(&text)?;
    // Other shares may be at work, so that nothing can be begun again here. That content and time of modification are as
    // they were has to suffice.
    check_planned(source, &plan.files, plan.seen.as_ref())?;
    Ok((plan, lease))
}

/// The plan that [`begin`] left in the store, for the shares of a split conversion.
pub(crate) fn stored_plan(store: &Store) -> Result<Plan, Error> {
    read_plan(&stored(store)?)
}

fn stored(store: &Store) -> Result<Bytes, Error> {
    store.get(&keys::plan())?.ok_or_else(|| Error::NoPlan(store.location().to_string()))
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
    source: &Fileset,
    earlier: Plan,
    plan: &Plan,
    store: &Store,
    lease: Lease,
) -> Result<Target, Error> {
    let place = store.location();
    let was = |difference: &str| {
        Error::Resume(format!("the conversion that was interrupted at {place} had {difference}"))
    };
    let differences = earlier.settings.differences(&plan.settings);
    if !differences.is_empty() {
        let earlier = Box::new(earlier.settings);
        return Err(Error::Settings { place: place.to_string(), earlier, differences });
    }
    let status = check_planned(source, &earlier.files, earlier.seen.as_ref())?;
    if earlier.documents != plan.documents {
        return Err(was("other documents or another policy"));
    }
    let found = if commit::is_complete(&earlier, store)? { Found::Finished } else { Found::Unfinished };
    if found == Found::Unfinished && status == Status::Touched {
        // What was done may be of another content, so that it is done again.
        journal::remove(store)?;
    }
    Ok(Target { found, plan: earlier, lease })
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
    let looks: Vec<Look> = vec![has_other_than_workspace, has_work];
    Ok(in_order(looks, 2, |look| look(store))?.contains(&true))
}

/// One of several looks at a place, which are taken at the same time.
type Look = fn(&Store) -> Result<bool, Error>;

fn has_other_than_workspace(store: &Store) -> Result<bool, Error> {
    let children = store.list_children("")?;
    Ok(children.directories.iter().any(|name| name != WORKSPACE) || !children.objects.is_empty())
}

fn has_work(store: &Store) -> Result<bool, Error> {
    Ok(!store.list(WORKSPACE)?.iter().all(|(key, _)| lease::is_ours(key)))
}

/// Whether there is an old store or an unfinished one to be removed; an error for anything else.
fn may_be_removed(source: &Fileset, store: &Store) -> Result<bool, Error> {
    let children = store.list_children("")?;
    if children.objects.is_empty() && children.directories.is_empty() {
        return Ok(false);
    }
    let is_store = children.objects.iter().any(|(name, _)| ROOT.contains(&name.as_str()));
    if !is_store && !children.directories.iter().any(|name| name == WORKSPACE) {
        return Err(Error::NotRemoved {
            place: store.location().to_string(),
            reason: "it is neither a Zarr nor an unfinished conversion".into(),
        });
    }
    if let Some(file) = store.local_path().and_then(|root| member_below(source, root)) {
        return Err(Error::NotRemoved {
            place: store.location().to_string(),
            reason: format!("the source {file} lies in it"),
        });
    }
    Ok(true)
}

/// Removes it. Its plan and its root metadata go first, so that what is left after an interruption neither looks
/// complete nor can be resumed.
fn remove(store: &Store) -> Result<(), Error> {
    let children = store.list_children("")?;
    // By this mark the rest is known as ours, should the removal be interrupted.
    store.put(&format!("{WORKSPACE}/removing"), "")?;
    store.delete(&keys::plan())?;
    for key in ROOT {
        store.delete(key)?;
    }
    for (key, _) in children.objects {
        store.delete(&key)?;
    }
    for directory in children.directories.iter().filter(|name| *name != WORKSPACE) {
        store.delete_prefix(directory)?;
    }
    store.remove_leftovers()?;
    for (key, _) in store.list(WORKSPACE)? {
        if !lease::is_ours(&key) {
            store.delete(&key)?;
        }
    }
    Ok(())
}

/// The first file of the source that lies below `root`.
fn member_below<'a>(source: &'a Fileset, root: &Path) -> Option<&'a str> {
    let root = root.canonicalize().ok()?;
    let below = |path: &str| Path::new(path).canonicalize().is_ok_and(|path| path.starts_with(&root));
    source.files().iter().map(|file| file.path.as_str()).find(|path| below(path))
}

/// Metadata documents at the root of a Zarr of either version.
const ROOT: [&str; 5] = ["zarr.json", ".zattrs", ".zgroup", ".zmetadata", ".zarray"];
