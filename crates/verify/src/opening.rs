//! How a source has to be opened that is compared with a store: by the choices of its conversion.

use fairzarr_ome_tiff::{HalfFloats, OnExtraPages, OnMissing, OpenOptions};
use fairzarr_ome_zarr::{Conversion, attributes};
use fairzarr_store::Store;

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
