//! The end of a conversion: all metadata, the root's last.

mod digests;
mod finish;
pub(crate) mod labels;
mod metadata;
mod tiff_tags;

pub(crate) use finish::{check_objects, check_tasks, clean, is_complete, write};
