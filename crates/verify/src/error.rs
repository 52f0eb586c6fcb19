//! What can stop a verification. Differences are not errors; they are in the report.

/// An error that makes a verification impossible.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The source cannot be read.
    #[error(transparent)]
    Source(#[from] fairzarr_ome_tiff::Error),
    /// The source's OME-XML cannot be used.
    #[error(transparent)]
    Xml(#[from] fairzarr_ome_xml::Error),
    /// The store cannot be read as an OME-Zarr.
    #[error(transparent)]
    Zarr(#[from] fairzarr_ome_zarr::Error),
    /// The documents on microscope and quality control cannot be read.
    #[error(transparent)]
    Provenance(#[from] fairzarr_provenance::Error),
    /// Threads could not do the work.
    #[error(transparent)]
    Task(#[from] fairzarr_task::Error),
    /// An object of an array takes more memory, decoded, than the job may use.
    #[error(
        "array {array}: an object of {sides:?} samples is {bytes} bytes, decoded, and {memory} bytes of memory are allowed"
    )]
    Memory {
        /// Its path in the store.
        array: String,
        /// The object's shape.
        sides: Vec<u64>,
        /// Its decoded size.
        bytes: u64,
        /// What the job may use.
        memory: u64,
    },
    /// The caller asked to stop.
    #[error("interrupted")]
    Interrupted,
}

impl From<fairzarr_task::Interrupted> for Error {
    fn from(_: fairzarr_task::Interrupted) -> Self {
        Self::Interrupted
    }
}

impl From<fairzarr_store::Error> for Error {
    fn from(error: fairzarr_store::Error) -> Self {
        Self::Zarr(error.into())
    }
}
