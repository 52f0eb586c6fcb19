//! What can stop an export.

use std::path::PathBuf;

/// An error of an export; the message says what was being done, the source says why it failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] fairzarr_ome_zarr::Error),
    /// The store holds something that an OME-TIFF cannot, or contradicts itself.
    #[error("{place} cannot be exported: {reason}")]
    Unfit {
        /// The image, array or document.
        place: String,
        /// What was found, and what was expected.
        reason: String,
    },
    /// Something is at the output's place already.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// The file cannot be written.
    #[error("cannot write {}", path.display())]
    Output {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: std::io::Error,
    },
    /// Threads could not do the work.
    #[error(transparent)]
    Task(#[from] fairzarr_task::Error),
    /// The caller asked to stop.
    #[error("interrupted")]
    Interrupted,
}

impl From<fairzarr_task::Interrupted> for Error {
    fn from(_: fairzarr_task::Interrupted) -> Self {
        Self::Interrupted
    }
}
