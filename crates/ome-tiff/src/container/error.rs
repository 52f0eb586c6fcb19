//! Why a container cannot be read; the file's name is added where it is known.

use std::io;

use super::ifd::ValueError;

/// Why a container, or one directory of it, cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContainerError {
    #[error("{0}")]
    Structure(String),
    #[error(transparent)]
    Value(#[from] ValueError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

pub(super) fn structure(what: String) -> ContainerError {
    ContainerError::Structure(what)
}
