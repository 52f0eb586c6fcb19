//! OME-Zarr (NGFF) metadata 0.4, 0.5 and 0.6: model, read, write, validate.
//!
//! Metadata only: JSON values go in, JSON values and documents come out. There are no samples, no Zarr engine
//! and no input or output here, so a viewer can use this crate alone, also in WebAssembly.
//!
//! - [`Multiscale`], [`Omero`], [`Plate`], [`Well`], [`ImageLabel`]: the model, one for all versions.
//! - [`image_attributes`], [`Plate::attributes`], …: what goes into a group's attributes, by [`Version`].
//! - [`group_document`]: the Zarr documents around them; those of arrays are in `fairzarr_zarr`.
//! - `from_ome` (feature `ome`): the model derived from OME-XML.
//! - [`parse_image`], [`classify`]: reading, tolerant of what other software writes.
//! - [`validate()`], [`validate_levels`]: judging, by the specification's text.
//! - [`ozx`]: judging the archive around a zipped hierarchy.
//! - [`hierarchy`]: judging a whole store, over a trait of two methods.
//!
//! Vectors over axes are in the order of the axes, which this project always writes as t c z y x.
//!
//! ```
//! use fairzarr_ngff::{Axis, AxisKind, Dataset, Multiscale, Version, group_document, image_attributes};
//!
//! let axes = ["y", "x"].map(|name| Axis::new(name, AxisKind::Space).with_unit("micrometer"));
//! let mut image = Multiscale::new(axes.into(), vec![Dataset::new("0", vec![0.25, 0.25])]);
//! image.name = Some("cells".into());
//! let documents = group_document(Version::V05, image_attributes(Version::V05, &image, None));
//! assert_eq!(documents[0].name, "zarr.json");
//! ```
#![forbid(unsafe_code)]

mod collection;
mod error;
#[cfg(feature = "ome")]
pub mod from_ome;
mod graph;
pub mod hierarchy;
mod json;
mod multiscale;
mod omero;
pub mod ozx;
mod plate;
pub mod units;
mod upgrade;
mod validate;
mod version;

pub use collection::{
    ImageLabel, LabelColor, NodeKind, bioformats2raw_attributes, classify, labels_attributes,
    plain_attributes, scene_attributes, series_attributes,
};
pub use error::Error;
pub use fairzarr_zarr::{Document, Finding, Severity, group_document};
pub use multiscale::{Axis, AxisKind, Dataset, Downscaling, Multiscale, image_attributes, parse_image};
pub use omero::{Omero, OmeroChannel, RenderingModel, Window};
pub use plate::{Acquisition, Plate, PlateWell, Well, WellImage};
pub use upgrade::upgraded;
pub use validate::{Level, validate, validate_levels};
pub use version::{Version, merge};
