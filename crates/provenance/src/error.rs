//! What can be wrong with provenance.

/// An error of reading, merging or embedding provenance.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A document on microscope or quality control cannot be read.
    #[error("{name}")]
    Sidecar {
        /// Its name.
        name: String,
        /// Why.
        source: fairzarr_nbo::Error,
    },
    /// A file beside the image, which may describe it, cannot be read.
    #[error("cannot read {file}, which lies beside the image and may describe it")]
    Beside {
        /// Its path.
        file: String,
        /// What the storage said.
        source: std::io::Error,
    },
    /// The NBO record falls short of a policy that refuses.
    #[error("nothing was written, because policy '{policy}' refuses this record: {findings}")]
    Policy {
        /// Name of the policy.
        policy: String,
        /// The first of what is missing or wrong.
        findings: String,
    },
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] fairzarr_store::Error),
    /// The store cannot be used as an OME-Zarr.
    #[error(transparent)]
    Zarr(#[from] fairzarr_ome_zarr::Error),
    /// The store's OME-XML cannot be used.
    #[error(transparent)]
    Xml(#[from] fairzarr_ome_xml::Error),
    /// The store's own record cannot be used.
    #[error("the store's own record: {0}")]
    Record(#[source] fairzarr_nbo::Error),
    /// There is no OME-Zarr there.
    #[error("{0} is not an OME-Zarr")]
    NotAStore(String),
    /// A document of the store is missing or is not what it has to be.
    #[error("{key} {reason}")]
    Damaged {
        /// The document.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The store's record is of a newer layout than this library writes.
    #[error("the store's record is of a newer layout than this program writes; it is left as it is")]
    NewerRecord,
    /// There is nothing to be removed.
    #[error("nothing is embedded in {0}")]
    NothingEmbedded(String),
}

pub(crate) fn damaged(key: &str, reason: String) -> Error {
    Error::Damaged { key: key.into(), reason }
}
