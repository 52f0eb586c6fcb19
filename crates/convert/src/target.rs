//! Taking possession of the output's place: what may be there, what may be removed, and what can be resumed.

use fairzarr_ome_tiff::Fileset;
use fairzarr_store::{LockKind, Store};
use std::path::Path;

use crate::Error;
use crate::commit;
use crate::journal::WORKSPACE;
use crate::options::{Existing, Options};
use crate::plan::Plan;
use crate::possession::{self, Possession};
use crate::provenance::{Documents, Sidecar};

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
    pub(crate) possession: Possession,
}

/// Makes the place ready for `plan`, as the options say.
pub(crate) fn begin(source: &Fileset, plan: Plan, store: &Store, options: &Options) -> Result<Target, Error> {
    let mut possession = None;
    let take = || possession::take(store, LockKind::Exclusive, options.take_over);
    match options.existing {
        Existing::Resume => {
            if store.exists(&plan_key())? {
                let possession = take()?;
                // It may have been finished while nobody was looking.
                if let Some(earlier) = store.get(&plan_key())? {
                    return resume(read_plan(&earlier)?, &plan, store, possession);
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
            possession = Some(take()?);
            remove(store)?;
        }
        Existing::Overwrite | Existing::Refuse => {}
    }
    if is_occupied(store)? {
        return Err(Error::Exists(store.location().to_string()));
    }
    let possession = match possession {
        Some(possession) => possession,
        None => take()?,
    };
    let text = serde_json::to_vec(&plan)
        .map_err(|error| Error::Request(format!("the plan cannot be written: {error}")))?;
    // Of several that start here at the same time, one goes on.
    if is_occupied(store)? || !store.put_new(&plan_key(), text)? {
        return Err(Error::Exists(store.location().to_string()));
    }
    Ok(Target { found: Found::Nothing, plan, possession })
}

/// Takes part in the split conversion whose plan [`begin`] left in the store, alone or with others.
pub(crate) fn join(
    source: &Fileset,
    store: &Store,
    options: &Options,
    kind: LockKind,
) -> Result<(Plan, Possession), Error> {
    stored_plan(store)?;
    let possession = possession::take(store, kind, options.take_over)?;
    // It may have been replaced in the meantime.
    let plan = stored_plan(store)?;
    let files: Vec<(String, u64)> = source.files().iter().map(|file| (file.name.clone(), file.len)).collect();
    if files == plan.files {
        Ok((plan, possession))
    } else {
        Err(Error::Resume(format!("the plan at {} was made for other source files", store.location())))
    }
}

/// The plan that [`begin`] left in the store, for the shares of a split conversion.
pub(crate) fn stored_plan(store: &Store) -> Result<Plan, Error> {
    let Some(text) = store.get(&plan_key())? else {
        let place = store.location();
        return Err(Error::Incomplete(format!("there is no plan at {place}; run `fairzarr plan` first")));
    };
    read_plan(&text)
}

/// Leaves the documents beside the image with the plan, for whoever commits it.
pub(crate) fn keep_documents(store: &Store, options: &Options) -> Result<(), Error> {
    for (n, sidecar) in options.sidecars.iter().enumerate() {
        store.put(&document_key(n), sidecar.bytes.clone())?;
    }
    Ok(())
}

/// `options` with the documents that the plan was made with; those given now, if any, have to be the same.
pub(crate) fn with_documents(plan: &Plan, store: &Store, options: &Options) -> Result<Options, Error> {
    let given = Documents::of(options);
    if given != Documents::default() && given != plan.documents {
        return Err(Error::Resume(
            "the plan was made with other documents or another policy; leave them out, and those of the plan are used"
                .into(),
        ));
    }
    let mut options = options.clone();
    options.sidecars.clear();
    for (n, (name, sha256)) in plan.documents.sidecars.iter().enumerate() {
        let bytes = store.get(&document_key(n))?.map(|bytes| bytes.to_vec()).unwrap_or_default();
        let sidecar = Sidecar { name: name.clone(), bytes };
        if sidecar.digest() != *sha256 {
            return Err(Error::Incomplete(format!(
                "{name}, which the plan was made with, is not with it any more; run `fairzarr plan` again"
            )));
        }
        options.sidecars.push(sidecar);
    }
    options.mapping.clone_from(&plan.documents.mapping);
    options.policy.clone_from(&plan.documents.policy);
    Ok(options)
}

fn document_key(n: usize) -> String {
    format!("{WORKSPACE}/sidecars/{n}")
}

fn plan_key() -> String {
    format!("{WORKSPACE}/plan.json")
}

/// Goes on with the earlier plan, however much memory this process was given: it says in which pieces things are done.
fn resume(earlier: Plan, plan: &Plan, store: &Store, possession: Possession) -> Result<Target, Error> {
    let place = store.location();
    let was = |difference: String| {
        Error::Resume(format!(
            "the conversion that was interrupted at {place} had {difference}; use --overwrite to start again"
        ))
    };
    let different = |(name, value): &(&String, &String)| plan.options.get(*name) != Some(*value);
    let options: Vec<String> =
        earlier.options.iter().filter(different).map(|(n, v)| format!("--{n} {v}")).collect();
    if !options.is_empty() {
        return Err(was(options.join(" ")));
    }
    if earlier.files != plan.files {
        return Err(was("other source files".into()));
    }
    if earlier.documents != plan.documents {
        return Err(was("other documents or another policy".into()));
    }
    let found = if commit::is_complete(&earlier, store)? { Found::Finished } else { Found::Unfinished };
    Ok(Target { found, plan: earlier, possession })
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
    let children = store.list_children("")?;
    if children.directories.iter().any(|name| name != WORKSPACE) || !children.objects.is_empty() {
        return Ok(true);
    }
    if children.directories.is_empty() {
        return Ok(false);
    }
    Ok(!store.list(WORKSPACE)?.iter().all(|(key, _)| possession::is_ours(key)))
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
    store.delete(&plan_key())?;
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
        if !possession::is_ours(&key) {
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
