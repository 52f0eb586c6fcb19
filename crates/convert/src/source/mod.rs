//! The files that a conversion reads: by what they are known, and whether they are still the same.

mod identity;
mod unchanged;

pub use identity::SourceFile;
pub(crate) use identity::{SeenFiles, identify};
pub(crate) use unchanged::{Status, blame, check_labels, check_planned, check_read};
