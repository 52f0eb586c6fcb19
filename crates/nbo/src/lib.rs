//! 4DN-BINA-OME (NBO) 2.01: microscope provenance and quality control.

pub mod catalogue;
mod error;
pub mod record;
mod tree;
pub mod xml;

pub use error::Error;
pub use record::Record;
