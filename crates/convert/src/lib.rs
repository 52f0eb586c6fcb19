//! OME-TIFF to OME-Zarr: plan, copy, pyramid, commit.
