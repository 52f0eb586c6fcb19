//! OME-TIFF to OME-Zarr: plan, copy, pyramid, commit.
//!
//! ```no_run
//! use fairzarr_convert::{Options, Progress, convert};
//! use fairzarr_store::{Location, Store, StoreOptions};
//!
//! let source = fairzarr_ome_tiff::Fileset::open("cells.ome.tiff")?;
//! let target: Location = "cells.ome.zarr".parse()?;
//! let store = Store::open(&target, &StoreOptions::default())?;
//! let report = convert(&source, &store, &Options::default(), &Progress::default())?;
//! println!("{} objects, {} bytes", report.objects, report.bytes);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A conversion is a [`Plan`] whose units are run by threads, and by several processes if asked ([`run_share`]).
//! Chunks are written first and metadata last: a store without root metadata is unfinished. While it is
//! unfinished, `.fairzarr/` in the store holds the plan and the record of finished units.
#![forbid(unsafe_code)]

mod arrays;
mod collect;
mod commit;
mod digest;
mod encode;
mod error;
mod geometry;
mod journal;
mod layout;
mod metadata;
mod options;
mod plan;
mod reduce;
mod run;
mod samples;
mod shard;
mod stats;
mod structured;
mod tags;
mod walk;

use fairzarr_ome_tiff::Fileset;
use fairzarr_store::Store;
use std::sync::atomic::Ordering;

pub use digest::{PlaneDigest, TILE as DIGEST_TILE};
pub use encode::Codec;
pub use error::Error;
pub use layout::Placement;
pub use options::{Existing, Layout, OnMissing, Options, Progress, ShardChoice};
pub use plan::{ImagePlan, LevelPlan, Plan};
pub use run::Share;
pub use stats::ChannelStatistics;

use journal::WORKSPACE;

/// What a finished conversion did.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Paths of the images' groups, in series order; empty for an image at the root.
    pub images: Vec<String>,
    /// Chunk and shard objects written by this run.
    pub objects: u64,
    /// Bytes of those objects.
    pub bytes: u64,
    /// Decoded bytes of the source at full resolution.
    pub source_bytes: u64,
    /// Planes that the source promised and lacked, written as zeros: image, t, c, z.
    pub filled: Vec<(usize, u32, u32, u32)>,
}

/// Converts a whole fileset.
///
/// # Errors
/// Whatever stops it, see [`Error`]. The store then has no root metadata and can be resumed, unless the error
/// came before anything was written.
pub fn convert(
    source: &Fileset,
    store: &Store,
    options: &Options,
    progress: &Progress,
) -> Result<Report, Error> {
    let plan = Plan::new(source, options)?;
    begin(&plan, store, options.existing)?;
    let findings = run::run(source, &plan, store, options, Share::ALL, progress)?;
    commit::write(source, &plan, store, &findings)?;
    Ok(report(&plan, progress))
}

/// Makes the store ready for the shares of a split conversion: writes the plan, and nothing else.
///
/// # Errors
/// When the output exists and `options.existing` does not allow that, or the plan cannot be made or written.
pub fn prepare(source: &Fileset, store: &Store, options: &Options) -> Result<Plan, Error> {
    let plan = Plan::new(source, options)?;
    begin(&plan, store, options.existing)?;
    Ok(plan)
}

/// Runs one share of the plan that [`prepare`] left in the store. Shares may run at the same time, in any
/// order, and more than once.
///
/// # Errors
/// Whatever stops it, see [`Error`]; the share can be run again.
pub fn run_share(
    source: &Fileset,
    store: &Store,
    options: &Options,
    share: Share,
    progress: &Progress,
) -> Result<(), Error> {
    let plan = stored_plan(store)?;
    check_source(&plan, source)?;
    run::run(source, &plan, store, options, share, progress)?;
    Ok(())
}

/// Joins the shares: checks that every unit was done and every object is there, writes the upper levels and
/// the metadata, root last.
///
/// # Errors
/// [`Error::Incomplete`] names what is missing.
pub fn commit(
    source: &Fileset,
    store: &Store,
    options: &Options,
    progress: &Progress,
) -> Result<Report, Error> {
    let plan = stored_plan(store)?;
    check_source(&plan, source)?;
    commit::check_units(&plan, store)?;
    let findings = run::run(source, &plan, store, options, Share::ALL, progress)?;
    commit::check_objects(&plan, store)?;
    commit::write(source, &plan, store, &findings)?;
    Ok(report(&plan, progress))
}

fn report(plan: &Plan, progress: &Progress) -> Report {
    Report {
        images: plan.images.iter().map(|image| image.path.clone()).collect(),
        objects: progress.objects.load(Ordering::Relaxed),
        bytes: progress.written.load(Ordering::Relaxed),
        source_bytes: plan.source_bytes(),
        filled: plan.filled_planes(),
    }
}

/// Takes possession of the output's place, or of an interrupted conversion there.
fn begin(plan: &Plan, store: &Store, existing: Existing) -> Result<(), Error> {
    let key = format!("{WORKSPACE}/plan.json");
    let unfinished = store.get(&key)?;
    match existing {
        Existing::Resume => {
            let Some(unfinished) = unfinished else {
                return Err(Error::Resume(format!(
                    "there is no interrupted conversion at {}",
                    store.location()
                )));
            };
            let earlier = read_plan(&unfinished)?;
            if earlier != *plan {
                return Err(Error::Resume(
                    "the interrupted conversion had another source, other options or another version of this program; use --overwrite to start again".into(),
                ));
            }
            return Ok(());
        }
        Existing::Refuse => {
            let children = store.list_children("")?;
            if !children.directories.is_empty() || !children.objects.is_empty() {
                return Err(Error::Exists(store.location().to_string()));
            }
        }
        Existing::Overwrite => remove(store)?,
    }
    let text = serde_json::to_vec(plan)
        .map_err(|error| Error::Request(format!("the plan cannot be written: {error}")))?;
    store.put(&key, text)?;
    Ok(())
}

/// Root metadata first: from then on the old store no longer looks complete.
fn remove(store: &Store) -> Result<(), Error> {
    for key in ["zarr.json", ".zattrs", ".zgroup"] {
        store.delete(key)?;
    }
    store.delete_prefix("")?;
    Ok(())
}

fn stored_plan(store: &Store) -> Result<Plan, Error> {
    match store.get(&format!("{WORKSPACE}/plan.json"))? {
        Some(text) => read_plan(&text),
        None => Err(Error::Incomplete(format!("there is no plan at {}; run `fairzarr plan` first", store.location()))),
    }
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

fn check_source(plan: &Plan, source: &Fileset) -> Result<(), Error> {
    let files: Vec<(String, u64)> =
        source.files().iter().map(|file| (file.name.clone(), file.len)).collect();
    if files == plan.files {
        Ok(())
    } else {
        Err(Error::Resume("the plan in the store was made for other source files".into()))
    }
}
