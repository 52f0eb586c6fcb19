//! The end of a conversion: all metadata, the root's last.

mod digests;
mod finish;
mod label_files;
pub(crate) mod labels;
mod metadata;
mod tiff_tags;

pub(crate) use finish::{clean, is_complete, write};
