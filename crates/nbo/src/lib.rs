//! 4DN-BINA-OME (NBO) 2.01: microscope provenance and quality control.

pub mod catalogue;
pub mod check;
pub mod derive;
mod error;
pub mod ingest;
pub mod merge;
pub mod methods;
pub mod placement;
pub mod qc;
pub mod record;
mod tree;
mod unit;
pub mod xml;

pub use error::Error;
pub use record::Record;
