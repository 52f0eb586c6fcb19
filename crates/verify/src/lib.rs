//! Proofs that an OME-Zarr holds what its OME-TIFF held.
