//! Microscope provenance and quality control of an OME-Zarr.
//!
//! A document is read once, when it comes in ([`Sidecar::parse`]; [`beside`] finds those that describe an image).
//! [`Provenance`] merges sidecars with what the OME-XML says and gives the attributes and objects of the store. [`embed`]
//! puts them into a store that exists, of any origin, and [`remove_embedded`] takes them out again. [`Texts`] is how documents
//! of a store are changed by members, with its consolidated metadata and its manifest kept true. [`derive_again`] makes
//! the attributes of a store anew from the documents that it keeps.
//!
//! ```no_run
//! use fairzarr_provenance::{Sidecar, embed};
//! use fairzarr_store::{Location, Store, StoreOptions};
//!
//! let store = Store::open(&"cells.ome.zarr".parse::<Location>()?, &StoreOptions::default())?;
//! let psf = Sidecar::parse("psf.yaml", std::fs::read("psf.yaml")?, None)?;
//! let images = fairzarr_ome_zarr::images(&store)?.into_iter().map(|image| image.path).collect::<Vec<_>>();
//! let report = embed(&store, &images, &[psf])?;
//! println!("{} documents changed", report.documents.len());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod again;
mod discover;
mod embed;
mod error;
mod json_edit;
mod manifest;
mod merged;
mod sidecar;
mod step;
mod texts;

pub use again::{Again, Attributes, ImageAgain, derive_again};
pub use discover::beside;
pub use embed::{EmbedReport, embed, embedded_in_zarr_3, remove_embedded};
pub use error::Error;
pub use manifest::KeptManifest;
pub use merged::{Described, Provenance};
pub use sidecar::{Documents, Sidecar};
pub use step::finish_interrupted;
pub use texts::{Place, Texts, put_texts};
