//! Taking possession of the output's place: what may be there, what may be removed, and what can be resumed.

use fairzarr_ome_tiff::Fileset;
use fairzarr_store::Store;
use std::path::Path;

use crate::Error;
use crate::commit;
use crate::journal::WORKSPACE;
use crate::options::{Existing, Options};
use crate::plan::Plan;
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

/// Makes the place ready for `plan`, as `existing` says.
pub(crate) fn begin(
    source: &Fileset,
    plan: &Plan,
    store: &Store,
    existing: Existing,
) -> Result<Found, Error> {
    match existing {
        Existing::Resume => {
            if let Some(earlier) = store.get(&plan_key())? {
                return resume(&read_plan(&earlier)?, plan, store);
            }
            if commit::is_complete(plan, store)? {
                // All that an interruption can have left by then is an empty workspace.
                store.delete_prefix(WORKSPACE)?;
                return Err(Error::Resume(format!("{} is complete", store.location())));
            }
            if is_occupied(store)? {
                let place = store.location();
                return Err(Error::Resume(format!("there is no interrupted conversion at {place}")));
            }
        }
        Existing::Overwrite => remove(source, store)?,
        Existing::Refuse => {}
    }
    let text = serde_json::to_vec(plan)
        .map_err(|error| Error::Request(format!("the plan cannot be written: {error}")))?;
    // Of several that start here at the same time, one goes on.
    if is_occupied(store)? || !store.put_new(&plan_key(), text)? {
        return Err(Error::Exists(store.location().to_string()));
    }
    Ok(Found::Nothing)
}

/// The plan that `begin` left in the store, for the shares of a split conversion.
pub(crate) fn stored_plan(source: &Fileset, store: &Store) -> Result<Plan, Error> {
    let Some(text) = store.get(&plan_key())? else {
        let place = store.location();
        return Err(Error::Incomplete(format!("there is no plan at {place}; run `fairzarr plan` first")));
    };
    let plan = read_plan(&text)?;
    let files: Vec<(String, u64)> = source.files().iter().map(|file| (file.name.clone(), file.len)).collect();
    if files == plan.files {
        Ok(plan)
    } else {
        Err(Error::Resume(format!("the plan at {} was made for other source files", store.location())))
    }
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

fn resume(earlier: &Plan, plan: &Plan, store: &Store) -> Result<Found, Error> {
    if earlier != plan {
        return Err(Error::Resume(format!(
            "the conversion that was interrupted at {} had another source or other options; use --overwrite to start again",
            store.location()
        )));
    }
    Ok(if commit::is_complete(plan, store)? { Found::Finished } else { Found::Unfinished })
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
    let foreign = children.directories.iter().any(|name| name != WORKSPACE);
    Ok(foreign || !children.objects.is_empty() || !store.list(WORKSPACE)?.is_empty())
}

/// Removes an old store or an unfinished one, and nothing else. Its plan and its root metadata go first, so that
/// what is left after an interruption neither looks complete nor can be resumed.
fn remove(source: &Fileset, store: &Store) -> Result<(), Error> {
    let children = store.list_children("")?;
    if children.objects.is_empty() && children.directories.is_empty() {
        return Ok(());
    }
    let is_store = children.objects.iter().any(|(name, _)| ROOT.contains(&name.as_str()));
    if !is_store && !children.directories.iter().any(|name| name == WORKSPACE) {
        return Err(Error::NotRemoved {
            place: store.location().to_string(),
            reason: "it is neither a Zarr nor an unfinished conversion".into(),
        });
    }
    if let Some(file) = store.is_local().and_then(|root| member_below(source, root)) {
        return Err(Error::NotRemoved {
            place: store.location().to_string(),
            reason: format!("the source {file} lies in it"),
        });
    }
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
    store.delete_prefix(WORKSPACE)?;
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
