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
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] fairzarr_store::Error),
    /// NGFF metadata of the store cannot be understood.
    #[error("{path}: {reason}")]
    Metadata {
        /// The group.
        path: String,
        /// What is wrong with its attributes.
        reason: String,
    },
    /// An array cannot be opened or a part of it cannot be decoded.
    #[error("array {path}: {reason}")]
    Array {
        /// The array.
        path: String,
        /// What the Zarr engine says.
        reason: String,
    },
    /// The store holds no images, or is unfinished.
    #[error("{0}")]
    NotAnImage(String),
}
