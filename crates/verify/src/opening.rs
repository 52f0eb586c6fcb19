//! How a source has to be opened that is compared with a store: by the choices of its conversion.

use fairzarr_ome_tiff::{Fileset, HalfFloats, OnExtraPages, OnMissing, OpenOptions, Part};
use fairzarr_ome_zarr::{Conversion, Hierarchy, attributes};
use fairzarr_store::Store;

use crate::error::Error;
use crate::{documents, exported};

/// The part of its source that a store holds, as it says: all of it, where it says nothing of a part, or where `source` was exported
/// from it.
///
/// # Errors
/// When the store cannot be read.
pub fn part(source: &Fileset, store: &Store) -> Result<Part, Error> {
    let root = attributes(store, "").ok().flatten().unwrap_or_default();
    let Some(conversion) = Conversion::of(&root).filter(|conversion| conversion.is_part()) else {
        return Ok(Part::default());
    };
    let has_its_documents = documents::compare(source, store)?.differences.is_empty();
    if !has_its_documents && exported::check(source, &Hierarchy::open(store)?)?.is_some() {
        return Ok(Part::default());
    }
    Ok(Part::new(conversion.series(), conversion.timepoints()))
}

/// The options by which the source of `store` gives the images and samples that its conversion was given: pages that became
/// further images, 16-bit floating point, planes that were missing. A store that cannot be read says nothing; that is found when
/// it is compared.
pub fn opening(store: &Store) -> OpenOptions {
    let mut options = OpenOptions::default();
    // Planes that a conversion filled on request are compared with zeros.
    options.on_missing = OnMissing::Fill;
    let root = attributes(store, "").ok().flatten().unwrap_or_default();
    let conversion = Conversion::of(&root);
    if conversion.is_some_and(Conversion::keeps_extra_pages) {
        options.on_extra_pages = OnExtraPages::Keep;
    }
    if conversion.is_some_and(Conversion::keeps_half_floats) {
        options.half = HalfFloats::Float16;
    }
    options
}
