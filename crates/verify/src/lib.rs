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
//! - *derivation*: the NGFF values that follow from the OME-XML;
//! - *pyramid*: computed levels are the means of the level before;
//! - *objects*: every stored object is there, and no other.
#![forbid(unsafe_code)]

mod calibration;
mod derivation;
mod documents;
mod engine;
mod error;
mod exported;
mod files;
mod fixity;
mod metadata;
mod parallel;
mod pixels;
mod pyramid;
mod recorded;
mod report;
mod sample;
mod store_images;
mod structure;
mod validity;

use fairzarr_ome_tiff::Fileset;
use fairzarr_store::Store;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

pub use calibration::calibration_map;
pub use documents::{StoredDocument, sources};
pub use engine::{Ranges, StoredArray};
pub use error::Error;
pub use parallel::in_parallel;
pub use report::{Check, Difference, Report};
pub use sample::Sample;
pub use store_images::{Group, StoredImage, attributes, image_groups, images};
pub use structure::structured;
pub use validity::validate_hierarchy;

/// Choices for a verification.
#[derive(Clone, Debug)]
pub struct Options {
    /// Threads.
    pub jobs: usize,
    /// How much of the pixels is compared; metadata and documents always are.
    pub sample: Sample,
    /// Counts compared bytes, for whoever shows progress.
    pub progress: Arc<AtomicU64>,
}

impl Default for Options {
    fn default() -> Self {
        let jobs = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { jobs, sample: Sample::ALL, progress: Arc::default() }
    }
}

/// Proves what can be proved of `store` without its source: objects, samples and documents against what was
/// recorded at the conversion, and the structured OME model against the document that the store keeps.
///
/// # Errors
/// When the store cannot be read at all. Differences are in the report.
pub fn verify_store(store: &Store, options: &Options) -> Result<Report, Error> {
    let stored = images(store)?;
    let root = attributes(store, "")?.unwrap_or_default();
    Ok(Report {
        checks: vec![
            fixity::objects(store, &root, &stored)?,
            fixity::samples(store, &stored, options)?,
            fixity::documents(store, &root)?,
            structure::compare_within(store)?,
            pyramid::compare(store, &root, &stored, options)?,
        ],
    })
}

/// Proves that `store` holds what `source` holds. Where `source` is an export of the store, its documents are proved to be
/// those of the store, and not the other way round.
///
/// # Errors
/// When either cannot be read at all. Differences are in the report.
pub fn verify(source: &Fileset, store: &Store, options: &Options) -> Result<Report, Error> {
    let stored = images(store)?;
    let root = attributes(store, "")?.unwrap_or_default();
    let documents = documents::compare(source, store)?;
    if !documents.differences.is_empty()
        && let Some(export) = exported::check(source, store)?
    {
        return Ok(Report {
            checks: vec![
                pixels::compare(source, store, &root, &stored, options)?,
                export,
                fixity::documents(store, &root)?,
                structure::compare_within(store)?,
                derivation::compare(source, store, &stored)?,
                pyramid::compare(store, &root, &stored, options)?,
            ],
        });
    }
    let mut report = Report {
        checks: vec![
            pixels::compare(source, store, &root, &stored, options)?,
            documents,
            structure::compare_with(source, store)?,
            metadata::compare(source, store, &stored)?,
            derivation::compare(source, store, &stored)?,
            pyramid::compare(store, &root, &stored, options)?,
        ],
    };
    // A chunk of zeros that was lost reads as before. How other programs name and omit objects is not known.
    if root.contains_key("fairzarr:conversion") {
        report.checks.push(fixity::objects(store, &root, &stored)?);
    }
    report.checks.extend(files::compare(source, &root)?);
    Ok(report)
}
