//! OME-TIFF to OME-Zarr: plan, copy, pyramid, commit.
//!
//! ```no_run
//! use fairzarr_convert::{Options, convert};
//! use fairzarr_store::{Location, Store, StoreOptions};
//! use fairzarr_task::Job;
//!
//! let source = fairzarr_ome_tiff::Fileset::open("cells.ome.tiff")?;
//! let target: Location = "cells.ome.zarr".parse()?;
//! let store = Store::open(&target, &StoreOptions::default())?;
//! let report = convert(&source, &store, &Options::default(), &Job::new())?;
//! println!("{} objects, {} bytes", report.objects, report.bytes);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A conversion is a [`Plan`] whose tasks are run by threads, and by several processes if asked ([`run_share`]).
//! Chunks are written first and metadata last: a store without root metadata is unfinished. While it is
//! unfinished, `.fairzarr/` in the store holds the plan and the record of finished tasks. A store that is replaced stays
//! where it is until the new one is whole.
#![forbid(unsafe_code)]

mod commit;
mod error;
mod finished;
mod labels;
mod not_carried;
mod options;
mod pipeline;
mod pixels;
mod plan;
mod resume;
mod source;

use fairzarr_ome_tiff::Fileset;
use fairzarr_provenance::Provenance;
use fairzarr_store::{Lease, LockKind, Store};
use fairzarr_task::Job;

pub use error::Error;
pub use fairzarr_digest::FileAlgorithm;
pub use fairzarr_ome_zarr::Codec;
pub use fairzarr_provenance::{Documents, Sidecar};
pub use finished::{Finished, finished};
pub use labels::{LabelFile, LabelNameError};
pub use not_carried::{Levels, NotCarried, Times};
pub use options::{
    BitType, ChunkChoice, Downsample, DropAxes, Existing, Layout, Options, PositionChoice, PyramidChoice,
    RoiChoice, ShardChoice, TimeChoice,
};
pub use pipeline::timing::{Stage, StageTimes};
pub use pixels::statistics::ChannelStatistics;
pub use plan::placement::Placement;
pub use plan::share::Share;
pub use plan::tiles::Tiles;
pub use plan::{ImagePlan, LabelPlan, LevelPlan, Plan, Setting, Settings};
pub use resume::present::{Present, present};
pub use source::SourceFile;

use labels::Inputs;
use pipeline::findings::Findings;
use pipeline::run::{self, Before};
use resume::target::{self, Found, Target};
use resume::{lease, replace};

/// What a finished conversion did.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Paths of the images' groups, in series order; empty for an image at the root.
    pub images: Vec<String>,
    /// Paths of the label images' groups that were made of files.
    pub labels: Vec<String>,
    /// Chunk and shard objects written by this run.
    pub objects: u64,
    /// Bytes of those objects.
    pub bytes: u64,
    /// Decoded bytes of the source at full resolution.
    pub source_bytes: u64,
    /// Tiles and strips of the source that this run moved as they are.
    pub moved: u64,
    /// Images whose tiles were moved and yet decoded, although the options said not to: Deflate data do not tell how much
    /// they hold.
    pub decoded: Vec<usize>,
    /// Images whose tiles were to be moved and had to be encoded again, and why.
    pub not_moved: Vec<(usize, String)>,
    /// Planes that the source promised and lacked, written as zeros: image, t, c, z.
    pub filled: Vec<(usize, u32, u32, u32)>,
    /// Images whose place on the stage was asked for and is not known: no position, or in a unit of no known length.
    pub unplaced: usize,
    /// What brought an OME-XML of an older schema to 2016-06 in the views of it; the document itself is carried as it is.
    pub schema_changes: Vec<fairzarr_ome_xml::Change>,
    /// What the source holds and the store does not.
    pub not_carried: NotCarried,
    /// Where sidecars and OME-XML differ; both values are in the store.
    pub conflicts: Vec<fairzarr_nbo::merge::Conflict>,
    /// How complete the NBO record is, by the policy that was asked for or the baseline.
    pub coverage: Option<fairzarr_nbo::check::Report>,
    /// Bytes of consolidated metadata that were left out because they are more than
    /// [`MOST_CONSOLIDATED`](fairzarr_ome_zarr::MOST_CONSOLIDATED).
    pub not_consolidated: Option<u64>,
    /// How the worker threads of this run spent their time.
    pub times: StageTimes,
}

impl Report {
    /// A sentence for each image with planes that were filled; a time series that broke off lacks thousands.
    pub fn filled_sentences(&self) -> impl Iterator<Item = String> {
        self.filled.chunk_by(|a, b| a.0 == b.0).filter_map(|planes| {
            let &(image, t, c, z) = planes.first()?;
            Some(match planes.len() {
                1 => format!(
                    "image {image}: plane t={t} c={c} z={z} is missing in the source; zeros were written"
                ),
                count => format!(
                    "image {image}: {count} planes are missing in the source, the first of them t={t} c={c} z={z}; zeros were written"
                ),
            })
        })
    }
}

/// Converts a whole fileset.
///
/// # Errors
/// Whatever stops it, see [`Error`]. The store then has no root metadata and can be resumed, unless the error
/// came before anything was written.
pub fn convert(source: &Fileset, store: &Store, options: &Options, job: &Job) -> Result<Report, Error> {
    let plan = Plan::new(source, options, job.memory)?;
    let provenance = merged(source, options)?;
    let target = target::begin(source, plan, store, options)?;
    // What an interrupted process recorded as written may have been lost with the machine's memory.
    let before = if target.found == Found::Nothing { Before::Nothing } else { Before::Some };
    let Done { times, not_consolidated } =
        complete(source, store, (&target, before), &provenance, options, job)?;
    Ok(Report { not_consolidated, ..report(source, &target.plan, job, provenance, times) })
}

/// Makes the store ready for the shares of a split conversion: writes the plan, and nothing else.
///
/// # Errors
/// When the output exists and `options.existing` does not allow that, or the plan cannot be made or written.
pub fn prepare(source: &Fileset, store: &Store, options: &Options, memory: u64) -> Result<Plan, Error> {
    let plan = Plan::new(source, options, memory)?;
    // A policy refuses before the first byte is written.
    merged(source, options)?;
    let Target { plan, lease, store, .. } = target::begin(source, plan, store, options)?;
    target::keep_documents(&store, options)?;
    drop(lease);
    Ok(plan)
}

/// The plan that [`prepare`] left in the store.
///
/// # Errors
/// [`Error::NoPlan`] when there is none.
pub fn planned(store: &Store) -> Result<Plan, Error> {
    target::stored_plan(store)
}

/// Runs one share of the plan that [`prepare`] left in the store. Shares may run at the same time, in any
/// order, and more than once. What shapes the output is as planned, whatever the options say now. False if the store was
/// complete already, so that there was nothing to do.
///
/// # Errors
/// Whatever stops it, see [`Error`]; the share can be run again.
pub fn run_share(
    source: &Fileset,
    store: &Store,
    options: &Options,
    share: Share,
    job: &Job,
) -> Result<bool, Error> {
    let Target { found, plan, lease, store, .. } = target::join(source, store, options, LockKind::Shared)?;
    if found == Found::Finished {
        return Ok(false);
    }
    let work = || {
        let inputs = options.inputs(source);
        let findings = read(inputs, &plan, &store, &lease, (share, Before::Some, false), job)?;
        crate::source::check_read(inputs, &plan, &findings.checksums)
    };
    lease::heed(&lease, &store, work())?;
    Ok(true)
}

/// Joins the shares: checks that every task was done and every object is there, writes the upper levels and
/// the metadata, root last. Documents and policy are those of the plan.
///
/// # Errors
/// [`Error::Incomplete`] names what is missing, [`Error::Resume`] where `options` has other documents than the plan.
pub fn commit(source: &Fileset, store: &Store, options: &Options, job: &Job) -> Result<Report, Error> {
    let target = target::join(source, store, options, LockKind::Exclusive)?;
    let documents = target::with_documents(&target.plan, &target.store, options)?;
    let provenance = merged(source, &documents)?;
    let Done { times, not_consolidated } =
        complete(source, store, (&target, Before::AllTasks), &provenance, options, job)?;
    Ok(Report { not_consolidated, ..report(source, &target.plan, job, provenance, times) })
}

/// Does what is left of a conversion, gives the new store the place of one that it replaces, and removes what only an
/// unfinished store has.
fn complete(
    source: &Fileset,
    place: &Store,
    (target, before): (&Target, Before),
    provenance: &Provenance,
    options: &Options,
    job: &Job,
) -> Result<Done, Error> {
    let Target { found, plan, lease, store, places } = target;
    let work = || {
        let done = match found {
            Found::Finished => Done::default(),
            Found::Unfinished | Found::Nothing => {
                finish(options.inputs(source), plan, store, lease, provenance, before, job)?
            }
        };
        let replaced = match places {
            Some(places) if store.location() == places.beside().location() => {
                Some(replace::exchange(places, options.take_over)?)
            }
            _ => None,
        };
        replace::settle(place, places.as_ref())?;
        drop(replaced);
        Ok(done)
    };
    lease::heed(lease, store, work())
}

/// Removes a store that was made here, finished or not, object by object; where a replacement of it was begun, only that. What
/// others have put there stays.
///
/// # Errors
/// When the store cannot be looked at or removed.
pub fn discard(store: &Store) -> Result<(), Error> {
    replace::discard(store)
}

/// What the last part of a conversion tells.
#[derive(Default)]
struct Done {
    times: StageTimes,
    /// Bytes of consolidated metadata that were left out.
    not_consolidated: Option<u64>,
}

/// Does what is left to be done, and writes the metadata, root last. Every object is there by then: those of earlier
/// processes were looked for, and the store has confirmed those of this one.
fn finish(
    inputs: Inputs<'_>,
    plan: &Plan,
    store: &Store,
    lease: &Lease,
    provenance: &Provenance,
    before: Before,
    job: &Job,
) -> Result<Done, Error> {
    let findings = read(inputs, plan, store, lease, (Share::ALL, before, true), job)?;
    if before != Before::Nothing {
        store.remove_leftovers()?;
    }
    let not_consolidated = commit::write(inputs, plan, store, lease, &findings, provenance, job)?;
    Ok(Done { times: findings.times, not_consolidated })
}

/// Runs a share of the plan. What fails because the source changed meanwhile is told so.
fn read(
    inputs: Inputs<'_>,
    plan: &Plan,
    store: &Store,
    lease: &Lease,
    part: (Share, Before, bool),
    job: &Job,
) -> Result<Findings, Error> {
    run::run(inputs, plan, store, lease, part, job).map_err(|error| crate::source::blame(error, inputs, plan))
}

/// What the OME-XML and the sidecars say together.
fn merged(source: &Fileset, options: &Options) -> Result<Provenance, Error> {
    Ok(Provenance::of_fileset(source, &options.sidecars, options.policy.as_ref())?)
}

fn report(source: &Fileset, plan: &Plan, job: &Job, provenance: Provenance, times: StageTimes) -> Report {
    Report {
        images: plan.source_images().iter().map(|image| image.path.clone()).collect(),
        labels: plan.label_images().map(|(.., index)| plan.images[index].path.clone()).collect(),
        objects: job.progress.objects(),
        bytes: job.progress.written(),
        source_bytes: plan.source_bytes(),
        moved: job.progress.moved(),
        decoded: plan.tiles_decoded(),
        not_moved: plan.tiles_not_moved(),
        filled: plan.filled_planes(),
        unplaced: match plan.settings.positions {
            PositionChoice::Origin => 0,
            PositionChoice::Stage | PositionChoice::Scene => {
                plan.source_images().len() - plan::placement::on_stage(source, plan).len()
            }
        },
        schema_changes: source.document().map(|document| document.changes().to_vec()).unwrap_or_default(),
        not_carried: NotCarried::of(source, plan),
        conflicts: provenance.conflicts,
        coverage: provenance.report,
        not_consolidated: None,
        times,
    }
}
