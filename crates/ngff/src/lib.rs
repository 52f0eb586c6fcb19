//! OME-Zarr (NGFF) metadata 0.4, 0.5 and 0.6: model, read, write, validate.
//!
//! Metadata only: JSON values go in, JSON values and documents come out. There are no samples, no Zarr engine
//! and no input or output here, so a viewer can use this crate alone, also in WebAssembly.
//!
//! - [`Multiscale`], [`Omero`], [`Plate`], [`Well`], [`ImageLabel`]: the model, one for all versions.
//! - [`image_attributes`], [`Plate::attributes`], …: what goes into a group's attributes, by [`Version`].
//! - [`group_document`], [`array_document`]: the Zarr documents around them.
//! - [`from_ome`]: the model derived from OME-XML.
//! - [`parse_image`], [`classify`]: reading, tolerant of what other software writes.
//! - [`validate()`], [`validate_levels`]: judging, by the specification's text.
//!
//! Vectors over axes are in the order of the axes, which this project always writes as t c z y x.
//!
//! ```
//! use fairzarr_ngff::{Axis, AxisKind, Dataset, Multiscale, Version, group_document, image_attributes};
//!
//! let image = Multiscale {
//!     name: Some("cells".into()),
//!     axes: ["y", "x"].map(|name| Axis::new(name, AxisKind::Space).with_unit("micrometer")).into(),
//!     datasets: vec![Dataset { path: "0".into(), scale: vec![0.25, 0.25], translation: None }],
//!     ..Multiscale::default()
//! };
//! let documents = group_document(Version::V05, image_attributes(Version::V05, &image, None));
//! assert_eq!(documents[0].0, "zarr.json");
//! ```
#![forbid(unsafe_code)]

mod array;
mod collection;
mod document;
mod error;
pub mod from_ome;
mod json;
mod multiscale;
mod omero;
mod plate;
pub mod units;
mod validate;
mod version;

pub use array::{
    ArraySpec, BloscCompressor, Codecs, Compressor, Endian, FillValue, Shuffle, array_document, chunk_key,
};
pub use collection::{
    ImageLabel, LabelColor, NodeKind, bioformats2raw_attributes, classify, labels_attributes,
    plain_attributes, series_attributes,
};
pub use document::{Document, group_document};
pub use error::Error;
pub use fairzarr_pixel::SampleType;
pub use multiscale::{Axis, AxisKind, Dataset, Downscaling, Multiscale, image_attributes, parse_image};
pub use omero::{Omero, OmeroChannel, RenderingModel, Window};
pub use plate::{Acquisition, Plate, PlateWell, Well, WellImage};
pub use validate::{Finding, Level, Severity, validate, validate_levels};
pub use version::{Version, merge};
