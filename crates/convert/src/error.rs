//! What can stop a conversion.

/// An error of a conversion; the message says what was being done, the source says why it failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The source cannot be read, or does not hold what its OME-XML promises.
    #[error(transparent)]
    Source(#[from] fairzarr_ome_tiff::Error),
    /// The OME-XML cannot be turned into what the output needs.
    #[error(transparent)]
    Xml(#[from] fairzarr_ome_xml::Error),
    /// The output cannot be written.
    #[error(transparent)]
    Store(#[from] fairzarr_store::Error),
    /// Something is at the output's place already.
    #[error("{0} exists already; use --overwrite to replace it or --resume to finish an interrupted conversion")]
    Exists(String),
    /// What is at the output's place must not be replaced, asked or not.
    #[error("{place} is not removed: {reason}")]
    NotRemoved {
        /// The output's place.
        place: String,
        /// Why it is kept.
        reason: String,
    },
    /// There is nothing to resume, or something else than this conversion was interrupted there.
    #[error("cannot resume: {0}")]
    Resume(String),
    /// The parts of a split conversion are not all there.
    #[error("cannot commit: {0}")]
    Incomplete(String),
    /// The request cannot be met.
    #[error("{0}")]
    Request(String),
    /// A codec refused its parameters or its input.
    #[error("cannot encode a chunk: {0}")]
    Codec(String),
    /// NGFF metadata cannot be made.
    #[error(transparent)]
    Metadata(#[from] fairzarr_ngff::Error),
    /// The caller asked to stop.
    #[error("interrupted")]
    Interrupted,
}
