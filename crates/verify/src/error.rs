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
