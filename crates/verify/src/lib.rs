//! Proofs that an OME-Zarr holds what its OME-TIFF held.
//!
//! Nothing that the conversion remembered is trusted: the source is decoded again, the store is read through
//! the Zarr engine as any other reader would, and both are compared.
//!
//! - *pixels*: every sample of every plane of every image, with shape and sample type;
//! - *files*: the source's files against the checksums that were recorded when they were converted;
//! - *documents*: each distinct OME-XML of the source, byte for byte;
//! - *structure*: OME-XML made from attributes and arrays alone, canonically equal to the source's;
//! - *metadata*: `OME/METADATA.ome.xml`, the source's document without its data;
//! - *derivation*: the NGFF values that follow from the OME-XML, which without the source is the one that the store keeps;
//! - *record*: what is said of the microscope and its quality control, made again from the documents that the store keeps, and the
//!   summary of each image, made again from that;
//! - *statistics*: those that each image says of its samples, counted again;
//! - *pyramid*: computed levels are made of the level before as the store says;
//! - *labels*: label images of regions, painted again from the OME-XML;
//! - *carried*: what of the source is not in the store is named there;
//! - *objects*: every stored object is there, and no other;
//! - *manifest*: everything that is no chunk of an image has the digest that was recorded for it;
//! - *zarr*: the documents of groups and arrays are such as readers of Zarr can open.
#![forbid(unsafe_code)]

mod ahead;
mod carried;
mod derivation;
mod documents;
mod error;
mod exported;
mod files;
mod halved;
mod json;
mod labels;
mod manifest;
mod metadata;
mod objects;
mod opening;
mod origin;
mod pixels;
mod pyramid;
mod quality;
mod record;
mod report;
mod sample;
mod samples;
mod statistics;
mod structure;
mod summaries;
mod tags;
mod validity;

use fairzarr_ome_tiff::Fileset;
use fairzarr_ome_zarr::{Hierarchy, OpenImage};
use fairzarr_store::Store;
use fairzarr_task::Job;

pub use error::Error;
pub use opening::{opening, part};
pub use report::{Check, Difference, Proof, Report};
pub use sample::Sample;
pub use validity::validate_hierarchy;

use ahead::Ahead;
use labels::Labels;
use objects::Objects;
use origin::{Origin, Seen};
use pixels::Pixels;
use pyramid::Pyramid;
use samples::Samples;
use statistics::Recount;

/// Choices for a verification.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// How much of the pixels is compared; metadata and documents always are.
    pub sample: Sample,
}

impl Options {
    /// All of the pixels.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with a part of the pixels.
    #[must_use]
    pub fn with_sample(self, sample: Sample) -> Self {
        Self { sample }
    }
}

/// What the proofs are carried out with.
#[derive(Clone, Copy)]
struct Context<'a> {
    options: &'a Options,
    job: &'a Job,
    /// Whether the store is far away.
    is_remote: bool,
}

impl Context<'_> {
    /// Threads that read and compare, `item` bytes each.
    fn readers(self, item: u64) -> usize {
        // The other half is for objects that more than one proof needs.
        let job = self.job.clone().with_memory(self.job.memory / 2);
        job.readers(self.is_remote, item)
    }
}

/// Refuses an image whose objects do not fit into the memory of the job, before anything is read of it. What the metadata say is
/// nobody's promise: it may be any number.
fn fits(image: &OpenImage<'_>, job: &Job) -> Result<(), Error> {
    match image.levels.iter().find(|array| array.object_bytes() > job.memory) {
        Some(array) => Err(Error::Memory {
            array: array.path().to_owned(),
            sides: array.object_shape().to_vec(),
            bytes: array.object_bytes(),
            memory: job.memory,
        }),
        None => Ok(()),
    }
}

/// What was read of an array, or in words why it cannot be: a chunk that does not decode is a finding like any other, and must
/// not end the search. A place that fails says nothing of what it holds.
fn readable<T>(read: Result<T, fairzarr_ome_zarr::Error>) -> Result<Result<T, String>, Error> {
    match read {
        Ok(read) => Ok(Ok(read)),
        Err(fairzarr_ome_zarr::Error::Store(error)) => Err(error.into()),
        Err(error) => Ok(Err(error.to_string())),
    }
}

/// The store as several proofs read it: what is far away is fetched once, as far as there is room.
fn kept(store: &Store, job: &Job) -> Store {
    if store.is_remote() { store.keeping(job.memory / 2) } else { store.clone() }
}

/// Proves what can be proved of `store` without its source: objects, samples and documents against what was
/// recorded at the conversion, and the structured OME model against the document that the store keeps.
///
/// # Errors
/// When the store cannot be read at all, and when the job is cancelled. Differences are in the report.
pub fn verify_store(store: &Store, options: &Options, job: &Job) -> Result<Report, Error> {
    let context = Context { options, job, is_remote: store.is_remote() };
    let store = &kept(store, job);
    ahead::documents(store, job)?;
    let hierarchy = Hierarchy::open(store)?;
    let mut objects = Objects::new(&hierarchy);
    let mut samples = Samples::new(&hierarchy)?;
    let mut pyramid = Pyramid::new(&hierarchy);
    let seen = Seen::all(&hierarchy)?;
    let origin = Origin::of_store(&hierarchy, &seen)?;
    let mut statistics = Recount::default();
    let mut labels = Labels::new(&hierarchy)?;
    let mut ahead = Ahead::new(&hierarchy, context);
    for index in 0..hierarchy.images().len() {
        ahead.at(index)?;
        let image = hierarchy.open_image(index)?;
        fits(&image, job)?;
        objects.image(&image)?;
        let counting = statistics.of(&image, &origin, *options, store)?;
        samples.image(&image, counting.as_ref(), context)?;
        statistics.image(&image, counting);
        pyramid.image(&image, context)?;
        if let Some(labels) = &mut labels {
            labels.image(&image, &hierarchy, context)?;
        }
    }
    let mut checks = vec![
        objects.finish(),
        samples.finish(options.sample),
        documents::recorded(&hierarchy)?,
        structure::compare_within(store)?,
    ];
    checks.extend(derived(&origin, &seen, &hierarchy, statistics)?);
    checks.extend([
        pyramid.finish(options.sample),
        manifest::check(&hierarchy, manifest::WITHOUT_SOURCE, job)?,
        validity::zarr(store)?,
    ]);
    checks.extend(labels.map(|labels| labels.finish(options.sample)));
    checks.extend(carried::recorded(&hierarchy));
    Ok(Report { checks })
}

/// The proofs of what follows from the origin of a store, whichever that is.
fn derived(
    origin: &Origin,
    seen: &[Seen],
    hierarchy: &Hierarchy,
    statistics: Recount,
) -> Result<[Check; 4], Error> {
    let metadata = metadata::check(origin, seen, hierarchy.store())?;
    let derivation = derivation::check(origin, seen, hierarchy)?;
    let record = record::check(origin, seen, hierarchy)?;
    let statistics = statistics.finish();
    // Stores without a manifest are of versions whose record, statistics and METADATA followed other rules.
    if hierarchy.conversion().is_some_and(|conversion| !conversion.has_manifest()) {
        let metadata = if origin.is_source { metadata } else { by_earlier_rules(metadata) };
        return Ok([metadata, derivation, by_earlier_rules(record), by_earlier_rules(statistics)]);
    }
    Ok([metadata, derivation, record, statistics])
}

/// The check of a store whose rules were others: what differs is told, and is no difference.
fn by_earlier_rules(mut check: Check) -> Check {
    let count = check.differences.len();
    if count > 0 {
        check.differences.clear();
        let what = check.proof.name();
        check.notes.push(format!(
            "not derived: the {what} of an earlier version, whose rules were others (of {count} values or more)"
        ));
    }
    check
}

/// Proves that `store` holds what `source` holds. Where `source` is an export of the store, its documents are proved to be
/// those of the store, and not the other way round.
///
/// # Errors
/// When either cannot be read at all, and when the job is cancelled. Differences are in the report.
pub fn verify(source: &Fileset, store: &Store, options: &Options, job: &Job) -> Result<Report, Error> {
    let context = Context { options, job, is_remote: store.is_remote() };
    let store = &kept(store, job);
    ahead::documents(store, job)?;
    let hierarchy = Hierarchy::open(store)?;
    let documents = documents::compare(source, store)?;
    let export = if documents.differences.is_empty() { None } else { exported::check(source, &hierarchy)? };
    let mut pixels = Pixels::new(source, &hierarchy);
    let seen = Seen::all(&hierarchy)?;
    let origin = match export {
        Some(_) => Origin::of_store(&hierarchy, &seen)?,
        None => Origin::of_source(source, &hierarchy),
    };
    let mut statistics = Recount::default();
    let mut pyramid = Pyramid::new(&hierarchy);
    let mut labels = Labels::new(&hierarchy)?;
    let mut objects = Objects::new(&hierarchy);
    let mut ahead = Ahead::new(&hierarchy, context);
    for index in 0..hierarchy.images().len() {
        ahead.at(index)?;
        let image = hierarchy.open_image(index)?;
        fits(&image, job)?;
        let counting = statistics.of(&image, &origin, *options, store)?;
        pixels.image(&image, counting.as_ref(), context)?;
        statistics.image(&image, counting);
        pyramid.image(&image, context)?;
        if let Some(labels) = &mut labels {
            labels.image(&image, &hierarchy, context)?;
        }
        objects.image(&image)?;
    }
    let mut checks = vec![pixels.finish(options.sample)];
    if let Some(export) = export {
        checks.extend([export, documents::recorded(&hierarchy)?, structure::compare_within(store)?]);
        checks.extend(derived(&origin, &seen, &hierarchy, statistics)?);
        checks.push(pyramid.finish(options.sample));
        checks.extend([manifest::check(&hierarchy, manifest::WITHOUT_SOURCE, job)?, validity::zarr(store)?]);
        checks.extend(labels.map(|labels| labels.finish(options.sample)));
        return Ok(Report { checks });
    }
    checks.extend([documents, structure::compare_with(source, store)?]);
    checks.extend(tags::compare(source, &hierarchy)?);
    checks.extend(derived(&origin, &seen, &hierarchy, statistics)?);
    checks.push(pyramid.finish(options.sample));
    checks.extend(labels.map(|labels| labels.finish(options.sample)));
    checks.push(carried::compare(source, &hierarchy));
    // A chunk of zeros that was lost reads as before. How other programs name and omit objects is not known.
    if hierarchy.conversion().is_some() {
        checks.push(objects.finish());
    }
    checks.extend([manifest::check(&hierarchy, manifest::WITH_SOURCE, job)?, validity::zarr(store)?]);
    checks.extend(files::compare(source, &hierarchy, job)?);
    Ok(Report { checks })
}
