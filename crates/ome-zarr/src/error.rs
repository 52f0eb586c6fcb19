//! What can be wrong with a store.

/// A store cannot be read or written as an OME-Zarr.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The place that the store lies in fails.
    #[error(transparent)]
    Store(#[from] fairzarr_store::Error),
    /// OME-XML in the store cannot be used.
    #[error(transparent)]
    Xml(#[from] fairzarr_ome_xml::Error),
    /// The store's NBO record cannot be used.
    #[error(transparent)]
    Record(#[from] fairzarr_nbo::Error),
    /// NGFF or Zarr metadata cannot be made.
    #[error(transparent)]
    Ngff(#[from] fairzarr_ngff::Error),
    /// The document of an array cannot be made.
    #[error(transparent)]
    ArrayDocument(#[from] fairzarr_zarr::Error),
    /// Metadata of the store cannot be understood.
    #[error("{path}: {reason}")]
    Metadata {
        /// The group or document.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An array cannot be opened, or a part of it cannot be encoded or decoded.
    #[error("array {path}: {reason}")]
    Array {
        /// The array.
        path: String,
        /// What was found, and what the Zarr engine says.
        reason: String,
    },
    /// A codec refused its parameters or its input.
    #[error("cannot encode a chunk: {0}")]
    Codec(String),
    /// The store is a conversion that was not finished.
    #[error("{0} is an unfinished conversion")]
    Unfinished(String),
    /// The store holds no images.
    #[error("{0}")]
    NotAnImage(String),
    /// Threads could not do the work.
    #[error(transparent)]
    Task(#[from] fairzarr_task::Error),
}
