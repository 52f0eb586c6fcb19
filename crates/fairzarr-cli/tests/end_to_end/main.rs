//! The program as its users run it: arguments in, files and exit codes out.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bad_metadata;
mod checksum;
mod convert;
mod deletable;
mod emit;
mod errors;
mod export;
mod extract;
mod hostile;
mod inspect;
mod many_planes;
mod migrate;
mod not_carried;
mod overwrite;
mod parts;
mod positions;
mod resume;
mod rois;
mod series;
mod shown;
mod source_levels;
mod source_tiles;
mod split;
mod split_machine;
mod support;
mod upgrade;
mod validate;
mod verify;
