//! OME-TIFF to OME-Zarr with nothing lost: the library in one place.

pub use fairzarr_convert as convert;
pub use fairzarr_copy as copy;
pub use fairzarr_digest as digest;
pub use fairzarr_export as export;
pub use fairzarr_nbo as nbo;
pub use fairzarr_ngff as ngff;
pub use fairzarr_ome_tiff as ome_tiff;
pub use fairzarr_ome_xml as ome_xml;
pub use fairzarr_ome_zarr as ome_zarr;
pub use fairzarr_provenance as provenance;
pub use fairzarr_store as store;
pub use fairzarr_task as task;
pub use fairzarr_verify as verify;
