//! 4DN-BINA-OME (NBO) 2.01: microscope provenance and quality control, from whatever form it comes in to
//! the attributes of an OME-Zarr, with a check of how complete it is.
//!
//! Documents become a [`Record`] ([`ingest`], [`derive`]); records are joined ([`merge`]), checked
//! ([`check`]), asked about calibrations ([`qc`]), written as attributes ([`placement`]), as NBO XML
//! ([`xml`]) or as a paragraph for a paper ([`methods`]). [`catalogue`] knows the standard.
//!
//! Bytes in, JSON out: there is no file access and no pixel here.
//!
//! ```
//! use fairzarr_nbo::check::{Policy, check};
//! use fairzarr_nbo::ingest::ingest;
//!
//! let document = br#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">
//!   <Instrument ID="Instrument:0"><Objective ID="Objective:0" LensNA="1.4" WorkingDistance="190"/></Instrument></OME>"#;
//! let record = ingest("image.ome.xml", document)?;
//! let objective = record.all("Objective").next().unwrap();
//! // OME's default unit, said explicitly; NBO's would be mm.
//! assert_eq!(objective.str("WorkingDistanceUnit"), Some("µm"));
//!
//! let report = check(&record, &Policy::builtin("baseline").unwrap());
//! assert!(report.findings.iter().any(|f| f.class == "Objective" && f.field == "Manufacturer"));
//! # Ok::<(), fairzarr_nbo::Error>(())
//! ```

pub mod catalogue;
pub mod check;
pub mod derive;
mod error;
pub mod identity;
pub mod ingest;
mod markup;
pub mod merge;
pub mod methods;
pub mod placement;
pub mod qc;
pub mod record;
pub mod summary;
mod unit;
pub mod xml;

pub use error::Error;
pub use record::Record;
