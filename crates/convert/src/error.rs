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
    #[error(
        "{0} exists already; use --overwrite to replace it or --resume to finish an interrupted conversion"
    )]
    Exists(String),
    /// Another process is writing there.
    #[error("{place} is being written to: {reason}")]
    Running {
        /// The output's place.
        place: String,
        /// How that is known, and what to do.
        reason: String,
    },
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
    /// The store to copy cannot be read.
    #[error(transparent)]
    Original(fairzarr_store::Error),
    /// What is to be copied is no complete store, or changes meanwhile.
    #[error("{place} cannot be copied: {reason}")]
    Unfit {
        /// The store, or an object of it.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An object does not read back as it was written.
    #[error("{key} in {place} is not what was written there")]
    Differs {
        /// The object.
        key: String,
        /// The store.
        place: String,
    },
    /// The request cannot be met.
    #[error("{0}")]
    Request(String),
    /// A document on microscope or quality control cannot be read.
    #[error("{name}")]
    Sidecar {
        /// Its name.
        name: String,
        /// Why.
        source: fairzarr_nbo::Error,
    },
    /// The NBO record falls short of a policy that refuses.
    #[error("nothing was written, because policy '{policy}' refuses this record: {findings}")]
    Policy {
        /// Name of the policy.
        policy: String,
        /// The first of what is missing or wrong.
        findings: String,
    },
    /// A codec refused its parameters or its input.
    #[error("cannot encode a chunk: {0}")]
    Codec(String),
    /// NGFF metadata cannot be made.
    #[error(transparent)]
    Metadata(#[from] fairzarr_ngff::Error),
    /// The document of an array cannot be made.
    #[error(transparent)]
    ArrayDocument(#[from] fairzarr_zarr::Error),
    /// The caller asked to stop.
    #[error("interrupted")]
    Interrupted,
}
