//! What can stop an upgrade.

/// An error of an upgrade.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What is there is no OME-Zarr, is damaged, or has something that the later version has no word for.
    #[error("{place} cannot be upgraded: {reason}")]
    Unfit {
        /// The group, array or object.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It is of that version, or of a later one.
    #[error("{place} is NGFF {found} already")]
    Already {
        /// The store.
        place: String,
        /// Its version.
        found: String,
    },
    /// Chunks would have to move, and no other place was named.
    #[error(
        "{place} is NGFF {found}, whose chunks have other names: its upgrade is written to another place"
    )]
    NeedsTarget {
        /// The store.
        place: String,
        /// Its version.
        found: String,
    },
    /// It was not upgraded in place.
    #[error("{0} was not upgraded in place: there is nothing to undo")]
    NothingToUndo(String),
    /// A conversion that was not finished.
    #[error("{0} cannot be upgraded: it is an unfinished conversion")]
    Unfinished(String),
    /// Something is at the other place already.
    #[error("{0} exists already")]
    Exists(String),
    /// What is read cannot be read.
    #[error(transparent)]
    Original(fairzarr_store::Error),
    /// What is written cannot be written.
    #[error(transparent)]
    Store(#[from] fairzarr_store::Error),
    /// Metadata cannot be understood.
    #[error(transparent)]
    Zarr(#[from] fairzarr_ome_zarr::Error),
    /// An object cannot be moved.
    #[error(transparent)]
    Copy(#[from] fairzarr_copy::Error),
    /// Documents cannot be changed.
    #[error(transparent)]
    Provenance(#[from] fairzarr_provenance::Error),
    /// The caller asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// Threads could not do the work.
    #[error(transparent)]
    Task(#[from] fairzarr_task::Error),
}

impl From<fairzarr_task::Interrupted> for Error {
    fn from(_: fairzarr_task::Interrupted) -> Self {
        Self::Interrupted
    }
}

/// The error for a group or array; the root is called so.
pub(crate) fn unfit(path: &str, reason: impl Into<String>) -> Error {
    let place = if path.is_empty() { "the root group".into() } else { path.into() };
    Error::Unfit { place, reason: reason.into() }
}
