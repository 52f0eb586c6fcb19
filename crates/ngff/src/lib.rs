//! OME-Zarr (NGFF) metadata 0.4, 0.5 and 0.6: model, read, write, validate.
