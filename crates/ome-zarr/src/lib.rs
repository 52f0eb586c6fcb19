//! How fairzarr's OME-Zarr lies in a store: keys, images, documents, the OME model, the NBO record, digests. Conversion writes
//! it by these names, and whoever reads it reads it by the same.
//!
//! ```
//! use fairzarr_ome_zarr::{images, record};
//! use fairzarr_store::Store;
//!
//! # fn show(store: &Store) -> Result<(), fairzarr_ome_zarr::Error> {
//! for image in images(store)? {
//!     println!("{}: {} levels", image.path, image.multiscale.datasets.len());
//! }
//! if let Some(stored) = record(store)? {
//!     println!("{} objects in the provenance record", stored.record.objects.len());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Without the feature `arrays` there is no Zarr engine and no C here: what a viewer needs to show metadata, in pure Rust.
//! With it, [`StoredArray`] reads samples, [`model`] the per-plane tables, and [`Digests`] what a proof compares.
#![forbid(unsafe_code)]

#[cfg(feature = "arrays")]
mod arrays;
mod consolidated;
mod conversion;
#[cfg(feature = "arrays")]
mod digests;
mod documents;
mod error;
mod group;
#[cfg(feature = "arrays")]
mod hierarchy;
mod images;
pub mod keys;
mod manifest;
#[cfg(feature = "arrays")]
mod minimal;
#[cfg(feature = "arrays")]
pub mod model;
mod named;
mod ownership;
mod record;
mod summary;
mod watched;

#[cfg(feature = "arrays")]
pub use arrays::{
    Codec, Encoder, Ranges, Shard, Slab, SmallArray, StoredArray, StoredChunks, calibration_map, pack,
    plane_ranges, unpack,
};
pub use consolidated::{Consolidation, MOST_CONSOLIDATED};
pub use conversion::{Conversion, ConvertedFile};
#[cfg(feature = "arrays")]
pub use digests::{DigestGrid, Digests, DigestsWriter, Recorded};
pub use documents::{StoredDocument, edits_document, recorded, sha256, sources};
pub use error::Error;
pub use group::{attributes, put};
#[cfg(feature = "arrays")]
pub use hierarchy::{Hierarchy, OpenImage};
pub use images::{Group, StoredImage, first_images, image_groups, images};
pub use manifest::{
    Comparison, Content, MANIFEST_SCHEMA, Manifest, ManifestRecorder, NO_DIGEST, Recorded as RecordedObject,
    manifest_digest,
};
#[cfg(feature = "arrays")]
pub use minimal::{minimal_document, pixel_type};
pub use named::named_objects;
pub use ownership::{Occupant, Ownership, removing};
pub use record::{StoredRecord, record};
pub use summary::{LONGEST_SUMMARY, OmeImages, SUMMARY_SCHEMA, Subject, Summaries, has_summaries};
pub use watched::watched;
