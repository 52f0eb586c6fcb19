//! What can stop a copy.

/// An error of a copy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store to copy cannot be read.
    #[error(transparent)]
    Original(fairzarr_store::Error),
    /// The copy cannot be written, or cannot be read back.
    #[error(transparent)]
    Store(fairzarr_store::Error),
    /// Another process is writing there.
    #[error("{place} is being written to: {reason}")]
    Running {
        /// The place of the copy.
        place: String,
        /// How that is known.
        reason: String,
        /// Whether the other process may have ended without anybody knowing.
        unknown: bool,
    },
    /// Another process has taken over what this one was doing; nothing more was written.
    #[error("another process has taken over what was being written to {0}; nothing more was written")]
    TakenOver(String),
    /// The store to copy is a conversion that was not finished.
    #[error("{0} cannot be copied: it is an unfinished conversion")]
    Unfinished(String),
    /// What is to be copied is no complete store, or changes meanwhile.
    #[error("{place} cannot be copied: {reason}")]
    Unfit {
        /// The store, or an object of it.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Something is at the other place already.
    #[error("{0} exists already")]
    Exists(String),
    /// Something else than an interrupted copy of this store is at the other place.
    #[error("cannot resume: {0}")]
    Foreign(String),
    /// An object does not read back as it was written.
    #[error("{key} in {place} is not what was written there")]
    Differs {
        /// The object.
        key: String,
        /// The store.
        place: String,
    },
    /// The caller asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// Threads could not do the work.
    #[error(transparent)]
    Task(#[from] fairzarr_task::Error),
}

impl From<fairzarr_store::Error> for Error {
    fn from(error: fairzarr_store::Error) -> Self {
        match error {
            fairzarr_store::Error::Running { location, reason, unknown } => {
                Self::Running { place: location, reason, unknown }
            }
            fairzarr_store::Error::TakenOver { location } => Self::TakenOver(location),
            error => Self::Store(error),
        }
    }
}

impl From<fairzarr_task::Interrupted> for Error {
    fn from(_: fairzarr_task::Interrupted) -> Self {
        Self::Interrupted
    }
}
