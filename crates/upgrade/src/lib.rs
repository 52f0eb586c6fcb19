//! An OME-Zarr of any origin in a later version of NGFF.
//!
//! From 0.5 to 0.6 only metadata change, and [`in_place`] changes them where they are; [`undo`] takes that back to the byte. From
//! 0.4 on, the chunks get other names: [`to_place`] writes the later version somewhere else, and leaves the original as it is.
//! Chunks are moved as they are, and encoded again only where Zarr 3 does not have their codec. Labels, provenance, and what
//! other programs have put into attributes or beside them come along.
#![forbid(unsafe_code)]

mod error;
mod in_place;
mod nodes;
mod to_place;

pub use error::Error;
pub use in_place::{in_place, undo};
pub use to_place::to_place;

use fairzarr_ngff::Version;

/// What an upgrade did.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// The version before.
    pub from: Version,
    /// The version now.
    pub to: Version,
    /// Metadata documents that were changed or written anew.
    pub documents: u64,
    /// Objects that were moved as they are; none in place.
    pub moved: u64,
    /// Chunks that were encoded again.
    pub recoded: u64,
}
